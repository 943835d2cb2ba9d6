//! The reports for other programs, on one tree of Dockerfiles (`tests/reports/tree`): as recorded in
//! `tests/reports/expected`, valid by the schemas that others publish, and all of one mind.
//!
//! After a change that is meant, `tests/bless` writes what is expected anew; read the
//! diff before you commit it.

mod hostile;
mod outside;
mod read;
mod sarif;
mod troubles;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use cachelane::finding::RuleMeta;
use cachelane::lint::{self, FileReport};
use cachelane::report::{
    self, Run, Summary, checkstyle, concise, fingerprint, github, gitlab, json, junit, statistics,
};
use cachelane::rules::{RULES, Settings};
use serde_json::Value;

use read::{Element, Place};

/// The tree's files, in the order of a run.
const TREE: &[&str] = &[
    "apt.Dockerfile",
    "broken.Dockerfile",
    "fine.Dockerfile",
    "grün, 100%.Dockerfile",
    "sub/py/Dockerfile",
];

/// What a format is called, and what makes it.
type Format = (&'static str, fn(&Run<'_>) -> String);

const FORMATS: &[Format] = &[
    ("concise.txt", concise::render),
    ("sarif.json", report::sarif::render),
    ("github.txt", github::render),
    ("github-summary.md", github::step_summary),
    ("gitlab.json", gitlab::render),
    ("junit.xml", junit::render),
    ("checkstyle.xml", checkstyle::render),
    ("statistics.txt", statistics::render),
    ("statistics.json", statistics::json),
];

/// What is found in `files`, each a path and its bytes.
fn check(files: &[(&str, Vec<u8>)]) -> Vec<FileReport> {
    let settings = Arc::new(Settings::default());
    let one = |(path, source): &(&str, Vec<u8>)| FileReport {
        path: path.into(),
        source: source.clone(),
        settings: Arc::clone(&settings),
        checked: lint::check(source, &settings),
        wires: None,
    };
    let mut reports: Vec<FileReport> = files.iter().map(one).collect();
    lint::relate_reports(&mut reports, true, report::path);
    reports
}

fn tree() -> Vec<FileReport> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports/tree");
    let files: Vec<(&str, Vec<u8>)> = TREE
        .iter()
        .map(|path| (*path, fs::read(folder.join(path)).unwrap()))
        .collect();
    check(&files)
}

/// `render` on `reports`.
fn rendered(render: fn(&Run<'_>) -> String, reports: &[FileReport]) -> String {
    let spoke: BTreeSet<&str> = reports
        .iter()
        .flat_map(|report| &report.checked.findings)
        .map(|finding| finding.rule)
        .collect();
    let rules: Vec<&RuleMeta> = RULES
        .iter()
        .map(|rule| rule.meta())
        .filter(|meta| spoke.contains(meta.name))
        .collect();
    render(&Run {
        reports,
        summary: Summary::new(reports, reports.len()),
        rules: &rules,
        troubles: &[],
    })
}

/// Where the findings of `reports` are, by the JSON report.
fn places(reports: &[FileReport]) -> Vec<Place> {
    let summary = Summary::new(reports, reports.len());
    let run = Run {
        reports,
        summary,
        rules: &[],
        troubles: &[],
    };
    let document: Value = serde_json::from_str(&json::findings(&run)).unwrap();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let place = |finding: &Value| Place {
        path: finding["path"].as_str().unwrap().to_owned(),
        line: number(&finding["start"]["line"]),
        column: number(&finding["start"]["column"]),
        rule: finding["rule"].as_str().unwrap().to_owned(),
    };
    document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(place)
        .collect()
}

/// `text` without what changes with every release and every rule's page.
fn lasting(text: &str) -> String {
    let version = format!("\"{}\"", env!("CARGO_PKG_VERSION"));
    let mut page = false;
    let line = |line: &str| {
        let (name, is_page) = (line.trim_start(), std::mem::take(&mut page));
        page = name.starts_with("\"fullDescription\"") || name.starts_with("\"help\"");
        if is_page || name.starts_with("\"markdown\"") {
            let (before, _) = line.split_once(": ").unwrap();
            return format!("{before}: …\n");
        }
        line.replace(&version, "\"VERSION\"") + "\n"
    };
    text.lines().map(line).collect()
}

#[test]
fn every_format_is_as_recorded() {
    let reports = tree();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports/expected");
    for (name, render) in FORMATS {
        let (path, now) = (folder.join(name), lasting(&rendered(*render, &reports)));
        if std::env::var_os("CACHELANE_BLESS").is_some() {
            fs::write(&path, &now).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap_or_default(),
            now,
            "{name} is not as recorded"
        );
    }
}

/// The tree is worth nothing where it does not show what formats can get wrong.
#[test]
fn the_tree_shows_what_matters() {
    let reports = tree();
    let findings: Vec<_> = reports
        .iter()
        .flat_map(|report| &report.checked.findings)
        .collect();
    let rules: BTreeSet<&str> = findings.iter().map(|finding| finding.rule).collect();
    assert!(
        rules.len() >= 6 && rules.contains("syntax-error"),
        "{rules:?}"
    );
    for severity in ["error", "warning", "info"] {
        assert!(
            findings
                .iter()
                .any(|finding| finding.severity.as_str() == severity),
            "no {severity}"
        );
    }
    assert!(
        findings.iter().any(|finding| !finding.elsewhere.is_empty()),
        "nothing goes across files"
    );
    assert!(
        findings.iter().any(|finding| !finding.labels.is_empty()),
        "nothing has a label"
    );
    assert!(
        reports
            .iter()
            .any(|report| report.source.starts_with(b"\xEF\xBB\xBF")),
        "no byte-order mark"
    );
    assert!(
        reports
            .iter()
            .any(|report| report.source.windows(2).any(|pair| pair == b"\r\n")),
        "no CRLF"
    );
    assert!(
        reports
            .iter()
            .any(|report| str::from_utf8(&report.source).is_err()),
        "nothing that is not UTF-8"
    );
}

#[test]
fn all_formats_name_the_same_places() {
    let reports = tree();
    let expected = places(&reports);
    assert!(expected.len() > 10);
    assert_eq!(
        read::concise(&rendered(concise::render, &reports)),
        expected,
        "concise"
    );
    assert_eq!(
        read::github(&rendered(github::render, &reports)),
        expected,
        "github"
    );
    assert_eq!(
        read::sarif(&rendered(report::sarif::render, &reports)),
        expected,
        "sarif"
    );
    assert_eq!(
        read::checkstyle(&outside::ask(
            "xml",
            &rendered(checkstyle::render, &reports)
        )),
        expected,
        "checkstyle"
    );
    assert_eq!(
        read::junit(&outside::ask("xml", &rendered(junit::render, &reports))),
        expected,
        "junit"
    );
    // GitLab knows no columns.
    let lines = |places: &[Place]| -> Vec<(String, usize, String)> {
        places
            .iter()
            .map(|place| (place.path.clone(), place.line, place.rule.clone()))
            .collect()
    };
    assert_eq!(
        lines(&read::gitlab(&rendered(gitlab::render, &reports))),
        lines(&expected),
        "gitlab"
    );
}

#[test]
fn junit_is_valid_by_jenkins_schema() {
    for reports in [tree(), Vec::new()] {
        let text = rendered(junit::render, &reports);
        assert_eq!(outside::errors("junit", &text), Vec::<String>::new());
        let root: Element = outside::ask("xml", &text);
        root.counts_are_right();
        for suite in &root.children {
            suite.counts_are_right();
        }
    }
    let broken = rendered(junit::render, &tree()).replace(" tests=", " test=");
    assert!(
        !outside::errors("junit", &broken).is_empty(),
        "the schema accepts anything"
    );
}

#[test]
fn a_run_without_findings_is_a_test_that_passes() {
    let root: Element = outside::ask("xml", &rendered(junit::render, &[]));
    let case = &root.children[0].children[0];
    assert!(root.children.len() == 1 && case.name == "testcase" && case.children.is_empty());
    assert_eq!(
        (root.attribute("tests"), root.attribute("failures")),
        ("1", "0")
    );
}

#[test]
fn infos_fail_no_junit_test() {
    let root: Element = outside::ask("xml", &rendered(junit::render, &tree()));
    let cases = root.children.iter().flat_map(|suite| &suite.children);
    let (infos, others): (Vec<_>, Vec<_>) = cases
        .map(|case| &case.children[0])
        .partition(|outcome| outcome.attribute("type") == "private-cache");
    assert!(infos.len() == 1 && infos[0].name == "skipped");
    assert!(!others.is_empty() && others.iter().all(|outcome| outcome.name == "failure"));
}

#[test]
fn gitlab_gets_what_it_requires() {
    let reports = tree();
    let issues: Vec<Value> = serde_json::from_str(&rendered(gitlab::render, &reports)).unwrap();
    let mut fingerprints = BTreeSet::new();
    for issue in &issues {
        let text = |value: &Value| {
            value
                .as_str()
                .filter(|text| !text.is_empty())
                .unwrap()
                .to_owned()
        };
        text(&issue["description"]);
        text(&issue["check_name"]);
        assert!(!text(&issue["location"]["path"]).starts_with("./"));
        assert!(issue["location"]["lines"]["begin"].as_u64().unwrap() >= 1);
        assert!(
            ["info", "minor", "major", "critical", "blocker"]
                .contains(&text(&issue["severity"]).as_str())
        );
        fingerprints.insert(text(&issue["fingerprint"]));
    }
    // GitLab shows one issue for all that have one fingerprint.
    assert_eq!(fingerprints.len(), places(&reports).len());
    assert_eq!(rendered(gitlab::render, &[]), "[]\n");
}

#[test]
fn a_fingerprint_outlives_moved_lines() {
    let source =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports/tree/apt.Dockerfile"))
            .unwrap();
    let prints = |path: &str, source: &[u8]| {
        let reports = check(&[(path, source.to_vec())]);
        fingerprint::fingerprints(&reports[0])
    };
    let then = prints("apt.Dockerfile", &source);
    assert_eq!(
        then.iter().collect::<BTreeSet<_>>().len(),
        then.len(),
        "two findings share a fingerprint"
    );
    assert!(
        then.iter()
            .all(|print| print.len() == 64 && print.bytes().all(|byte| byte.is_ascii_hexdigit()))
    );
    let text = String::from_utf8(source.clone()).unwrap();
    let moved = text.replacen(
        "FROM debian AS base\n",
        "# a\n\nFROM debian AS base\nRUN echo # b\n",
        1,
    );
    assert_eq!(
        prints("apt.Dockerfile", moved.as_bytes()),
        then,
        "lines above"
    );
    assert_eq!(
        prints("./apt.Dockerfile", &source),
        then,
        "a path that is the same"
    );
    assert_eq!(
        prints("apt.Dockerfile", text.replace('\n', "\r\n").as_bytes()),
        then,
        "other ends of lines"
    );
    let other = prints("b.Dockerfile", &source);
    assert!(
        other.iter().all(|print| !then.contains(print)),
        "another path"
    );
}

#[test]
fn statistics_add_up() {
    let reports = tree();
    let document: Value = serde_json::from_str(&rendered(statistics::json, &reports)).unwrap();
    let sum = |name: &str| {
        document["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule[name].as_u64().unwrap())
            .sum()
    };
    let findings: u64 = sum("findings");
    assert_eq!(findings, u64::try_from(places(&reports).len()).unwrap());
    for name in ["errors", "warnings", "infos", "fixable"] {
        let total: u64 = sum(name);
        assert_eq!(total, document["summary"][name].as_u64().unwrap(), "{name}");
    }
    assert_eq!(rendered(statistics::render, &[]), "");
}

#[test]
fn the_summary_page_is_bounded() {
    let long = "<`|".repeat(4_000);
    let run = |n: usize| {
        format!("RUN --mount=type=cache,id=i{n}{long},target=/t{n},sharing=locked make\n")
    };
    let source: String = std::iter::once("FROM debian\n".to_owned())
        .chain((0..500).map(run))
        .collect();
    let reports = check(&[("d".repeat(4_000).as_str(), source.into_bytes())]);
    assert_eq!(places(&reports).len(), 500);
    let page = rendered(github::step_summary, &reports);
    assert!(page.len() < 1024 * 1024, "{} bytes", page.len());
    assert!(page.ends_with("\n… and 300 more findings.\n"));
    let rows = outside::ask::<read::Page>("markdown", &page).rows;
    assert!(rows.len() == 201 && rows.iter().all(|row| row.len() == 4));
}
