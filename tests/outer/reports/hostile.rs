//! Paths and ids made to break out of a format: their readers read back what was found, and nothing else.

use std::collections::BTreeSet;

use cachelane::lint::FileReport;
use cachelane::report::{checkstyle, github, junit, sarif};
use cachelane::text::is_unprintable;
use serde_json::Value;

use super::outside;
use super::read::{Command, Element, Page};
use crate::made_reports::{PATHS, TARGET, hostile, rendered, shown, summary_page};

/// The same for XML, which forbids two characters more.
fn shown_in_xml(reports: &[FileReport]) -> Vec<(String, String)> {
    let safe = |text: String| text.replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}");
    shown(reports)
        .into_iter()
        .map(|(path, message)| (safe(path), safe(message)))
        .collect()
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
        let page: Page = outside::ask("markdown", &rendered(summary_page, &reports));
        let tags = [
            "code", "div", "h3", "p", "pre", "table", "tbody", "td", "th", "thead", "tr",
        ];
        assert_eq!(page.tags, tags);
        let said = shown(&reports);
        let head = page
            .rows
            .iter()
            .position(|row| row[0] == "Severity")
            .unwrap();
        let rows = &page.rows[head + 1..];
        assert_eq!(rows.len(), said.len());
        for (row, (path, message)) in rows.iter().zip(said) {
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
