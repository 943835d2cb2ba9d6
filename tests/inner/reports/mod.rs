//! The reports for other programs, as recorded in `snapshots`; `tests/outer/reports` checks them by foreign parsers and
//! schemas.
//!
//! After an intended change, `tests/bless` writes the snapshots anew; read the diff before you commit it.

mod hostile;
mod sarif;
mod troubles;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cachelane::lint::FileReport;
use cachelane::report::{Run, checkstyle, concise, fingerprint, github, gitlab, junit, statistics};
use serde_json::Value;

use crate::made_reports::{check, formats, rendered, summary_page, tree};

/// A format's name and its function.
type Format = (&'static str, fn(&Run<'_>) -> String);

const FORMATS: &[Format] = &[
    ("concise.txt", concise::render),
    ("sarif.json", cachelane::report::sarif::render),
    ("github.txt", github::render),
    ("github-summary.md", summary_page),
    ("gitlab.json", gitlab::render),
    ("junit.xml", junit::render),
    ("checkstyle.xml", checkstyle::render),
    ("statistics.txt", |run| statistics::render(run, None)),
    ("statistics.json", statistics::json),
];

fn count(reports: &[FileReport]) -> usize {
    let findings = |report: &FileReport| report.checked.findings.len();
    reports.iter().map(findings).sum()
}

/// Returns `text` without parts that change with every release or rule's page.
pub fn lasting(text: &str) -> String {
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

/// `tests/cmd` covers the human format, the fixtures' records and `docs/json.md` the JSON document.
#[test]
fn every_format_is_recorded() {
    let recorded = FORMATS
        .iter()
        .filter_map(|(name, _)| name.split('.').next());
    let recorded: BTreeSet<&str> = recorded.chain(["human", "json"]).collect();
    for format in formats() {
        assert!(recorded.contains(format.as_str()), "{format}");
    }
}

#[test]
fn every_format_is_as_recorded() {
    let reports = tree();
    for (name, render) in FORMATS {
        insta::assert_snapshot!(*name, lasting(&rendered(*render, &reports)));
    }
}

/// The tree must show the cases that formats can get wrong.
#[test]
fn the_tree_shows_what_matters() {
    let reports = tree();
    let findings: Vec<_> = reports
        .iter()
        .flat_map(|report| &report.checked.findings)
        .collect();
    let rules: BTreeSet<&str> = findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect();
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
        findings.iter().any(|finding| finding.spans_files()),
        "nothing goes across files"
    );
    assert!(
        findings
            .iter()
            .any(|finding| finding.related.len() > usize::from(finding.spans_files())),
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
    // GitLab shows one issue for all with the same fingerprint.
    assert_eq!(fingerprints.len(), count(&reports));
    assert_eq!(rendered(gitlab::render, &[]), "[]\n");
}

#[test]
fn a_fingerprint_outlives_moved_lines() {
    let source = fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/reports-tree/apt.Dockerfile"),
    )
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
    assert_eq!(findings, u64::try_from(count(&reports)).unwrap());
    for name in ["errors", "warnings", "infos", "fixable"] {
        let total: u64 = sum(name);
        assert_eq!(total, document["summary"][name].as_u64().unwrap(), "{name}");
    }
    assert_eq!(rendered(|run| statistics::render(run, None), &[]), "");
}
