//! GitLab's Code Quality report: a JSON list that a merge request compares with the one of its target branch.

use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::text::printable;

use super::fingerprint::fingerprints;
use super::found::{self, Found};
use super::{Run, json_text};

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// The findings of `run` as a JSON list, with a newline behind it.
#[must_use]
pub fn render(run: &Run<'_>) -> String {
    let mut issues = Vec::new();
    for file in found::files(run) {
        let fingerprints = fingerprints(file.report);
        issues.extend(file.findings().iter().zip(fingerprints).map(|(finding, print)| issue(&file, finding, print)));
    }
    json_text(&issues)
}

fn issue(file: &Found<'_>, finding: &Finding, fingerprint: String) -> Issue {
    let begin = file.range(finding.span).start.line;
    Issue {
        description: printable(&finding.message).into_owned(),
        check_name: finding.rule,
        fingerprint,
        severity: severity(finding.severity),
        location: Location { path: printable(&file.path).into_owned(), lines: Lines { begin } },
    }
}

/// The name that GitLab has for `severity`. Its two highest, `critical` and `blocker`, are for what endangers people's
/// data.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "major",
        Severity::Warning => "minor",
        Severity::Info => "info",
    }
}
