//! The reports for programs: one JSON document each.

use serde::Serialize;

use crate::dockerfile::{Dockerfile, Sharing};
use crate::finding::{Finding, Severity};
use crate::fix::Applicability;
use crate::lint::FileReport;
use crate::rules::Settings;
use crate::text::{LineIndex, Range};

use super::{Summary, path};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    findings: Vec<JsonFinding<'a>>,
    summary: Summary,
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

/// The findings of `reports` as a JSON document, with a newline behind it.
#[must_use]
pub fn findings(reports: &[FileReport], summary: Summary) -> String {
    let mut found = Vec::new();
    for report in reports.iter().filter(|report| !report.checked.findings.is_empty()) {
        let lines = LineIndex::new(&report.source);
        found.extend(report.checked.findings.iter().map(|finding| json_finding(report, &lines, finding)));
    }
    document(&Document { version: 1, findings: found, summary })
}

fn json_finding<'a>(report: &'a FileReport, lines: &LineIndex, finding: &'a Finding) -> JsonFinding<'a> {
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

/// One cache mount, as `list` shows it. Values are as BuildKit reads them, variables not expanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedMount {
    /// The file.
    pub path: String,
    /// 1-based first line of its RUN.
    pub line: usize,
    /// The stage's name, or its number where it has none; `None` in a snippet.
    pub stage: Option<String>,
    /// The `id` option; `None` where it is absent or empty.
    pub id: Option<String>,
    /// The id that BuildKit uses: the option, or the cleaned target.
    pub effective_id: String,
    /// The target.
    pub target: String,
    /// The sharing mode, in lower case; `shared` where none is given.
    pub sharing: String,
    /// `from`, where given.
    pub from: Option<String>,
    /// `uid`, where given.
    pub uid: Option<String>,
    /// `gid`, where given.
    pub gid: Option<String>,
    /// `mode`, where given.
    pub mode: Option<String>,
    /// Whether the id refers to the lane argument.
    pub isolated: bool,
}

/// The cache mounts of `file`, in order; those that BuildKit refuses are left out.
#[must_use]
pub fn mounts(path: &str, file: &Dockerfile<'_>, settings: &Settings) -> Vec<ListedMount> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let caches = crate::rules::caches::find(file);
    let listed = caches.iter().map(|cache| {
        let mount = cache.mount;
        let value = |option: &str| mount.value(option).map(|value| text(&value));
        ListedMount {
            path: path.into(),
            line: file.instructions[cache.instruction].lines.0,
            stage: file.stage_of(cache.instruction).and_then(|stage| file.stages[stage].label()),
            id: mount.id().map(|id| text(&id)),
            effective_id: cache.id(),
            target: value("target").unwrap_or_default(),
            sharing: mount.sharing().map_or_else(
                || value("sharing").unwrap_or_else(|| Sharing::Shared.as_str().into()),
                |sharing| sharing.as_str().into(),
            ),
            from: value("from"),
            uid: value("uid"),
            gid: value("gid"),
            mode: value("mode"),
            isolated: cache.is_isolated(settings),
        }
    });
    listed.collect()
}

/// `mounts` as a JSON document, with a newline behind it.
#[must_use]
pub fn list(mounts: &[ListedMount]) -> String {
    #[derive(Serialize)]
    struct List<'a> {
        version: u32,
        mounts: &'a [ListedMount],
    }
    document(&List { version: 1, mounts })
}

fn document(value: &impl Serialize) -> String {
    // Strings, numbers and lists of them always have a JSON form.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

