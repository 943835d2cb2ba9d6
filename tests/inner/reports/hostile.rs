//! Paths and ids made to break out of a format: nothing of them gets out, and nothing gets lost.

use std::collections::BTreeSet;

use cachelane::lint::FileReport;
use cachelane::report::{checkstyle, concise, github, gitlab, junit, sarif};
use cachelane::text::{is_unprintable, printable};
use serde_json::Value;

use super::read::{Command, Element, Page};
use super::{FORMATS, check, outside, rendered};

/// Paths: each could be the name of a file in a repository that nobody vetted.
const PATHS: &[&str] = &[
    "a\nb/Dockerfile",
    "::error::x/Dockerfile",
    " ::stop-commands::x",
    "##[add-mask]x/Dockerfile",
    "a,line=9:b%0A::debug::/Dockerfile",
    "<a href=\"x\">&amp;]]>'/Dockerfile",
    "\u{1b}[2J\u{7}\u{7f}\u{9b}31m/Dockerfile",
    "\u{202E}\u{FFFE}\u{FFFF}|`*_~$x$/Dockerfile",
    "[x](https://example.org)/Dockerfile",
    "a\\b\\|/Dockerfile",
    "x\t| y |\r\n| z",
];

/// What an id can hold beside its letters.
const IDS: &[&str] = &[
    "\u{1b}[2J",
    "::error::",
    "%0A::error::",
    "%25%0D",
    "<script>&lt;",
    "]]>",
    "|a|b|",
    "`code`",
    "``",
    "\u{1}\u{8}\u{e}\u{1f}",
    "\u{7f}\u{9b}",
    "\u{202E}\u{2066}",
    "\u{FFFE}\u{FFFF}",
    "[x](https://example.org)",
    "[x](1)",
    "##[warning]",
    "{0}",
    "![x](y)",
    "<!--",
    "@someone",
    "$x$",
];

/// A target without an id: the fix writes it, to the letter.
const TARGET: &str = "/t\u{1b}\u{7f}\u{9b}\u{202E}z";

fn hostile() -> Vec<FileReport> {
    let run = |(n, id): (usize, &&str)| {
        format!("RUN --mount=type=cache,id=a{id}z,target=/t{n},sharing=locked make\n")
    };
    let mut source: String = ["FROM debian\n".to_owned()]
        .into_iter()
        .chain(IDS.iter().enumerate().map(run))
        .collect();
    source.push_str(&format!(
        "RUN --mount=type=cache,target={TARGET},sharing=locked make\n"
    ));
    let files: Vec<(&str, Vec<u8>)> = PATHS
        .iter()
        .map(|path| (*path, source.clone().into_bytes()))
        .collect();
    let reports = check(&files);
    let said: Vec<&str> = reports
        .iter()
        .flat_map(|report| &report.checked.findings)
        .map(|finding| finding.message.as_str())
        .collect();
    for id in IDS {
        assert!(
            said.iter()
                .any(|message| message.contains(&format!("a{id}z"))),
            "no message with {id:?}"
        );
    }
    assert!(said.len() >= PATHS.len() * IDS.len());
    reports
}

/// The path and the message of every finding as they may be shown.
fn shown(reports: &[FileReport]) -> Vec<(String, String)> {
    let all = reports.iter().flat_map(|report| {
        report
            .checked
            .findings
            .iter()
            .map(move |finding| (report, finding))
    });
    all.map(|(report, finding)| {
        (
            printable(report.path.to_str().unwrap()).into_owned(),
            printable(&finding.message).into_owned(),
        )
    })
    .collect()
}

/// The same for XML, which forbids two characters more.
fn shown_in_xml(reports: &[FileReport]) -> Vec<(String, String)> {
    let safe = |text: String| text.replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}");
    shown(reports)
        .into_iter()
        .map(|(path, message)| (safe(path), safe(message)))
        .collect()
}

#[test]
fn no_format_holds_a_control_character() {
    let reports = hostile();
    for (name, render) in FORMATS {
        let text = rendered(*render, &reports);
        let raw: BTreeSet<char> = text
            .chars()
            .filter(|ch| *ch != '\n' && is_unprintable(*ch))
            .collect();
        assert!(raw.is_empty(), "{name} holds {raw:?}");
    }
}

#[test]
fn concise_is_one_line_each_and_no_command() {
    let reports = hostile();
    let text = rendered(concise::render, &reports);
    assert_eq!(text.lines().count(), shown(&reports).len());
    for line in text.lines() {
        assert!(
            !line.trim_start().starts_with("::") && !line.contains("##["),
            "{line}"
        );
    }
    assert!(text.contains("./::error::x/Dockerfile:2:27: error[shared-lock] "));
}

#[test]
fn an_annotation_is_one_command() {
    let reports = hostile();
    let text = rendered(github::render, &reports);
    let said = shown(&reports);
    assert_eq!(text.lines().count(), said.len());
    for (line, (path, message)) in text.lines().zip(said) {
        let command = Command::parse(line);
        let properties: Vec<&str> = command.properties.keys().map(String::as_str).collect();
        assert_eq!(
            properties,
            ["col", "endColumn", "endLine", "file", "line", "title"],
            "{line}"
        );
        assert!(
            ["error", "warning", "notice"].contains(&command.name.as_str()),
            "{line}"
        );
        assert_eq!(command.properties["file"], path);
        assert_eq!(command.data.lines().next().unwrap(), message);
        // What the property's own separators could open again is gone.
        let head = &line[2..2 + line[2..].find("::").unwrap()];
        assert_eq!(head.matches(',').count(), 5, "{line}");
        assert!(!head.contains(':'), "{line}");
    }
}

#[test]
fn the_summary_page_says_it_and_does_nothing() {
    for report in hostile() {
        let reports = [report];
        let page: Page = outside::ask("markdown", &rendered(github::step_summary, &reports));
        let tags = [
            "code", "div", "h3", "p", "table", "tbody", "td", "th", "thead", "tr",
        ];
        assert_eq!(page.tags, tags);
        let said = shown(&reports);
        assert_eq!(page.rows.len(), said.len() + 1);
        for (row, (path, message)) in page.rows[1..].iter().zip(said) {
            assert!(
                row.len() == 4 && row[2].starts_with(path.trim_start()),
                "{row:?}"
            );
            // Backticks became the borders of code.
            assert_eq!(row[3].replace('`', ""), message.replace('`', ""));
        }
    }
}

#[test]
fn sarif_is_valid_and_links_only_what_it_means_to() {
    let reports = hostile();
    let text = rendered(sarif::render, &reports);
    assert_eq!(outside::errors("sarif", &text), Vec::<String>::new());
    let log: Value = serde_json::from_str(&text).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let said = shown(&reports);
    assert_eq!(results.len(), said.len());
    for (result, (_, message)) in results.iter().zip(said) {
        let text = result["message"]["text"].as_str().unwrap();
        assert!(
            text.chars().all(|ch| ch == '\n' || !is_unprintable(ch)),
            "{text:?}"
        );
        assert_eq!(text.lines().next().unwrap(), message.replace("](", "] ("));
        let related = result["relatedLocations"].as_array().map_or(0, Vec::len);
        assert_eq!(text.matches("](").count(), related, "{text}");
    }
    let changes = results
        .iter()
        .map(|result| &result["fixes"][0]["artifactChanges"][0]["replacements"]);
    let replacements: Vec<&Value> = changes.filter_map(Value::as_array).flatten().collect();
    let written: Vec<&str> = replacements
        .iter()
        .filter_map(|replacement| replacement["insertedContent"]["text"].as_str())
        .collect();
    let id = format!("id={TARGET}-${{CACHE_ID}}");
    assert!(
        written.iter().any(|text| text.contains(&id)),
        "no fix writes {id:?}: {written:?}"
    );
    let uris: BTreeSet<String> = results
        .iter()
        .map(|result| result["locations"][0]["physicalLocation"].to_string())
        .collect();
    assert!(uris.iter().all(|uri| uri.is_ascii()));
    let uri = &results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(
        super::read::decoded(uri.as_str().unwrap()),
        PATHS[0],
        "a URI is the path, to the letter"
    );
}

#[test]
fn gitlab_says_what_was_found() {
    let reports = hostile();
    let issues: Vec<Value> = serde_json::from_str(&rendered(gitlab::render, &reports)).unwrap();
    let pairs = issues.iter().map(|issue| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            text(&issue["location"]["path"]),
            text(&issue["description"]),
        )
    });
    assert_eq!(pairs.collect::<Vec<_>>(), shown(&reports));
}

#[test]
fn xml_says_what_was_found_and_holds_no_other_element() {
    let reports = hostile();
    let said = shown_in_xml(&reports);
    let text = rendered(junit::render, &reports);
    assert_eq!(outside::errors("junit", &text), Vec::<String>::new());
    let root: Element = outside::ask("xml", &text);
    root.counts_are_right();
    let cases = root.children.iter().flat_map(|suite| &suite.children);
    let pairs = cases.map(|case| {
        (
            case.attribute("classname").into(),
            case.children[0].attribute("message").into(),
        )
    });
    assert_eq!(pairs.collect::<Vec<(String, String)>>(), said);
    for (outcome, (_, message)) in root
        .all()
        .iter()
        .filter(|element| element.name == "failure")
        .zip(&said)
    {
        assert!(
            outcome.text.lines().next().unwrap().ends_with(message),
            "{}",
            outcome.text
        );
    }

    let root: Element = outside::ask("xml", &rendered(checkstyle::render, &reports));
    let errors = root
        .children
        .iter()
        .flat_map(|file| file.children.iter().map(move |error| (file, error)));
    let mut count = 0;
    for ((file, error), (path, message)) in errors.zip(&said) {
        assert_eq!(file.attribute("name"), path);
        assert!(error.attribute("message").starts_with(message), "{error:?}");
        count += 1;
    }
    assert_eq!(count, said.len());
    let names: BTreeSet<&str> = root
        .all()
        .iter()
        .map(|element| element.name.as_str())
        .collect();
    assert_eq!(names, BTreeSet::from(["checkstyle", "error", "file"]));
}
