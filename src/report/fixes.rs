//! The changes of `cachelane fix`, and the findings that are left with the reasons, as JSON.

use serde::Serialize;

use crate::finding::RuleId;
use crate::lint::{Dropped, Fixed, Made};

use super::blocks::why_not_fixed;
use super::document::document;
use super::found;
use super::json::{JsonFinding, json_finding};
use super::model::{Run, RunError, Summary, path};
use super::notes::Note;

/// The changes to a file.
pub struct FileChanges<'a> {
    pub fixed: &'a Fixed,
    /// True where the new bytes could not be written.
    pub is_lost: bool,
}

#[derive(Serialize)]
struct Change<'a> {
    path: &'a str,
    rule: RuleId,
    /// In the file as it was.
    line: usize,
    title: &'a str,
}

#[derive(Serialize)]
struct NotMade<'a> {
    path: &'a str,
    rule: RuleId,
    line: usize,
    why: &'a str,
}

#[derive(Serialize)]
struct Left<'a> {
    #[serde(flatten)]
    finding: JsonFinding<'a>,
    why: String,
}

/// Returns a JSON document on the changes of the files of `run`, whose findings are left; `is_written` says whether files
/// were changed.
pub fn json(run: &Run<'_>, changes: &[FileChanges<'_>], is_written: bool) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        written: bool,
        changed: Vec<Change<'a>>,
        not_made: Vec<NotMade<'a>>,
        left: Vec<Left<'a>>,
        notes: &'a [Note],
        errors: &'a [RunError],
        summary: &'a Summary,
    }
    let names: Vec<String> = run
        .reports
        .iter()
        .map(|report| path(&report.path))
        .collect();
    let done = || names.iter().map(String::as_str).zip(changes);
    let changed = done().filter(|(_, done)| !done.is_lost);
    let changed = changed.flat_map(|(path, done)| {
        done.fixed.made.iter().map(
            move |Made {
                      rule, line, title, ..
                  }| Change {
                path,
                rule: *rule,
                line: *line,
                title,
            },
        )
    });
    let not_made = done().flat_map(|(path, done)| {
        let dropped = done.fixed.dropped.iter();
        dropped.map(move |Dropped { rule, line, reason }| NotMade {
            path,
            rule: *rule,
            line: *line,
            why: reason,
        })
    });
    let files: Vec<_> = found::files(run.reports).collect();
    let left = files.iter().flat_map(|file| {
        file.findings().iter().map(|finding| Left {
            finding: json_finding(file, finding),
            why: why_not_fixed(finding),
        })
    });
    document(Document {
        written: is_written,
        changed: changed.collect(),
        not_made: not_made.collect(),
        left: left.collect(),
        notes: run.notes,
        errors: run.errors,
        summary: &run.summary,
    })
}
