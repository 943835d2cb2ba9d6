//! The reports for programs: one JSON document each.

use serde::Serialize;

use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::Applicability;
use crate::lint::{FileReport, ListedMount};
use crate::text::{LineIndex, Range};

use super::{Run, Summary, Trouble, json_text, path};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    findings: Vec<JsonFinding<'a>>,
    errors: &'a [Trouble],
    summary: &'a Summary,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    rule: &'a str,
    severity: Severity,
    path: String,
    #[serde(flatten)]
    range: Range,
    message: &'a str,
    help: Option<&'a str>,
    related: Vec<JsonRelated<'a>>,
    fix: Option<JsonFix<'a>>,
}

#[derive(Serialize)]
struct JsonRelated<'a> {
    path: String,
    #[serde(flatten)]
    range: Range,
    message: &'a str,
}

#[derive(Serialize)]
struct JsonFix<'a> {
    applicability: Applicability,
    title: &'a str,
    edits: Vec<JsonEdit<'a>>,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    start: usize,
    end: usize,
    text: &'a str,
}

/// The findings of `run` as a JSON document, with a newline behind it.
#[must_use]
pub fn findings(run: &Run<'_>) -> String {
    let mut found = Vec::new();
    for report in run
        .reports
        .iter()
        .filter(|report| !report.checked.findings.is_empty())
    {
        let lines = LineIndex::new(&report.source);
        found.extend(
            report
                .checked
                .findings
                .iter()
                .map(|finding| json_finding(report, &lines, finding)),
        );
    }
    json_text(&Document {
        version: 1,
        findings: found,
        errors: run.troubles,
        summary: &run.summary,
    })
}

fn json_finding<'a>(
    report: &'a FileReport,
    lines: &LineIndex,
    finding: &'a Finding,
) -> JsonFinding<'a> {
    let here = path(&report.path);
    let labels = finding.labels.iter().map(|label| JsonRelated {
        path: here.clone(),
        range: lines.range(&report.source, label.span),
        message: &label.message,
    });
    let elsewhere = finding.elsewhere.iter().map(|other| JsonRelated {
        path: other.path.clone(),
        range: other.range,
        message: &other.message,
    });
    let edit = |edit: &'a crate::fix::Edit| JsonEdit {
        start: edit.span().start,
        end: edit.span().end,
        text: edit.text(),
    };
    JsonFinding {
        rule: finding.rule,
        severity: finding.severity,
        range: lines.range(&report.source, finding.span),
        message: &finding.message,
        help: finding.help.as_deref(),
        related: labels.chain(elsewhere).collect(),
        fix: finding.fix.as_ref().map(|fix| JsonFix {
            applicability: fix.applicability(),
            title: fix.title(),
            edits: fix.edits().iter().map(edit).collect(),
        }),
        path: here,
    }
}

/// `mounts` as a JSON document, with a newline behind it.
#[must_use]
pub fn list(mounts: &[ListedMount]) -> String {
    #[derive(Serialize)]
    struct List<'a> {
        version: u32,
        mounts: &'a [ListedMount],
    }
    json_text(&List { version: 1, mounts })
}

/// The rules as a JSON document, with a newline behind it.
#[must_use]
pub fn rules(rules: &[&'static RuleMeta]) -> String {
    #[derive(Serialize)]
    struct Rule<'a> {
        name: &'a str,
        severity: Severity,
        fix: Option<Applicability>,
        summary: &'a str,
        doc: &'a str,
    }
    #[derive(Serialize)]
    struct Rules<'a> {
        version: u32,
        rules: Vec<Rule<'a>>,
    }
    let rule = |rule: &&'static RuleMeta| Rule {
        name: rule.name,
        severity: rule.severity,
        fix: rule.fix,
        summary: rule.summary,
        doc: rule.doc,
    };
    json_text(&Rules {
        version: 1,
        rules: rules.iter().map(rule).collect(),
    })
}
