//! GitLab's Code Quality report: a JSON list that a merge request compares with that of its target branch.

use crate::finding::Severity;
use crate::text::printable;

use super::document::{Json, json_text, object};
use super::fingerprint::{fingerprints, hash};
use super::found;
use super::model::{Run, RunError};

/// Returns the findings of `run` as a JSON list that ends with a newline.
pub fn render(run: &Run<'_>) -> String {
    let mut issues: Vec<Json> = run.errors.iter().map(run_error).collect();
    for file in found::files(run.reports) {
        let findings = file.findings().iter().zip(fingerprints(file.report));
        issues.extend(findings.map(|(finding, fingerprint)| {
            object! {
                "description": &*printable(&finding.message),
                "check_name": finding.rule.as_str(),
                "fingerprint": fingerprint,
                "severity": severity(finding.severity),
                "location": location(&printable(&file.path), file.range(finding.span).start.line),
            }
        }));
    }
    json_text(&issues)
}

/// Returns an issue for an error, because the format has no place for errors, and an empty list would say that all is
/// well.
fn run_error(error: &RunError) -> Json {
    let (path, message) = (printable(error.place()), printable(&error.message));
    object! {
        "description": &*message,
        "check_name": "cachelane",
        "fingerprint": hash(&[b"trouble", path.as_bytes(), message.as_bytes()]),
        "severity": "blocker",
        "location": location(&path, error.line.unwrap_or(1)),
    }
}

fn location(path: &str, line: usize) -> Json {
    object! { "path": path, "lines": object! { "begin": line } }
}

/// Returns GitLab's name for `severity`. Its two highest, `critical` and `blocker`, are kept for danger to data, and
/// for errors that keep cachelane from reading.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "major",
        Severity::Warning => "minor",
        Severity::Info => "info",
    }
}
