//! The JSON reports.

use serde::Serialize;

use crate::finding::{Finding, RuleId, Severity};
use crate::fix::{Applicability, Edit};
use crate::lint::ListedMount;
use crate::text::Range;

use super::document::{document, list_document};
use super::found::{self, PrintedFile, Related};
use super::model::{Run, RunError, Summary};
use super::notes::Note;

/// A finding in a document.
#[derive(Serialize)]
pub(super) struct JsonFinding<'a> {
    rule: RuleId,
    severity: Severity,
    path: &'a str,
    #[serde(flatten)]
    range: Range,
    message: &'a str,
    help: Option<String>,
    related: Vec<Related<'a>>,
    fix: Option<JsonFix<'a>>,
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

/// Returns the findings of `run` as a JSON document that ends with a newline.
pub fn findings(run: &Run<'_>) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        findings: Vec<JsonFinding<'a>>,
        notes: &'a [Note],
        errors: &'a [RunError],
        summary: &'a Summary,
    }
    let files: Vec<PrintedFile<'_>> = found::files(run.reports).collect();
    let all = |file| {
        PrintedFile::findings(file)
            .iter()
            .map(move |finding| json_finding(file, finding))
    };
    document(Document {
        findings: files.iter().flat_map(all).collect(),
        notes: run.notes,
        errors: run.errors,
        summary: &run.summary,
    })
}

pub(super) fn json_finding<'a>(file: &'a PrintedFile<'_>, finding: &'a Finding) -> JsonFinding<'a> {
    let edit = |edit: &'a Edit| JsonEdit {
        start: edit.span().start,
        end: edit.span().end,
        text: edit.text(),
    };
    JsonFinding {
        rule: finding.rule,
        severity: finding.severity,
        path: &file.path,
        range: file.range(finding.span),
        message: &finding.message,
        help: Some(finding.advice().collect::<Vec<_>>().join("\n")).filter(|help| !help.is_empty()),
        related: file.related(finding).collect(),
        fix: finding.fix.as_ref().map(|fix| JsonFix {
            applicability: fix.applicability(),
            title: fix.title(),
            edits: fix.edits().iter().map(edit).collect(),
        }),
    }
}

pub fn list(mounts: &[ListedMount]) -> String {
    list_document("mounts", mounts)
}

pub fn rules(rules: &[RuleId]) -> String {
    #[derive(Serialize)]
    struct Rule<'a> {
        name: &'a str,
        severity: Severity,
        fix: Option<Applicability>,
        summary: &'a str,
        doc: &'a str,
    }
    let rule = |rule: &RuleId| {
        let meta = rule.meta();
        Rule {
            name: meta.name,
            severity: meta.severity,
            fix: meta.fix,
            summary: meta.summary,
            doc: meta.doc(),
        }
    };
    let rules: Vec<Rule<'_>> = rules.iter().map(rule).collect();
    list_document("rules", &rules)
}
