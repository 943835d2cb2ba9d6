//! GitLab's Code Quality report: a JSON list that a merge request compares with the one of its target branch.

use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::text::printable;

use super::fingerprint::{fingerprints, hash};
use super::found::{self, Found};
use super::{Run, Trouble, json_text};

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
    let mut issues: Vec<Issue> = run.troubles.iter().map(trouble).collect();
    for file in found::files(run) {
        let fingerprints = fingerprints(file.report);
        issues.extend(
            file.findings()
                .iter()
                .zip(fingerprints)
                .map(|(finding, print)| issue(&file, finding, print)),
        );
    }
    json_text(&issues)
}

/// The format has no place for what went wrong, and an empty list would say that all is well.
fn trouble(trouble: &Trouble) -> Issue {
    let (path, message) = (printable(trouble.place()), printable(&trouble.message));
    Issue {
        fingerprint: hash(&[b"trouble", path.as_bytes(), message.as_bytes()]),
        description: message.into_owned(),
        check_name: "cachelane",
        severity: "blocker",
        location: Location {
            path: path.into_owned(),
            lines: Lines {
                begin: trouble.line.unwrap_or(1),
            },
        },
    }
}

fn issue(file: &Found<'_>, finding: &Finding, fingerprint: String) -> Issue {
    let begin = file.range(finding.span).start.line;
    Issue {
        description: printable(&finding.message).into_owned(),
        check_name: finding.rule.as_str(),
        fingerprint,
        severity: severity(finding.severity),
        location: Location {
            path: printable(&file.path).into_owned(),
            lines: Lines { begin },
        },
    }
}

/// The name that GitLab has for `severity`. Its two highest, `critical` and `blocker`, are for what endangers people's
/// data, and for what keeps cachelane from looking.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "major",
        Severity::Warning => "minor",
        Severity::Info => "info",
    }
}
