//! Shared by the formats for other tools: a file's path and lines, and a finding's texts in printable form.

use crate::finding::{Finding, Place};
use crate::lint::FileReport;
use crate::text::{LineIndex, Range, Span, printable};

use super::model::path;

/// A file with findings.
pub(super) struct PrintedFile<'a> {
    /// The path in reports, unescaped.
    pub(super) path: String,
    pub(super) report: &'a FileReport,
    lines: LineIndex,
}

/// A place related to a finding, in any file.
#[derive(serde::Serialize)]
pub(super) struct Related<'a> {
    /// The file, unescaped.
    pub(super) path: &'a str,
    #[serde(flatten)]
    pub(super) range: Range,
    /// Unescaped.
    pub(super) message: &'a str,
}

/// Returns the files with findings, in order.
pub(super) fn files(reports: &[FileReport]) -> impl Iterator<Item = PrintedFile<'_>> {
    let found = reports
        .iter()
        .filter(|report| !report.checked.findings.is_empty());
    found.map(|report| PrintedFile {
        path: path(&report.path),
        lines: LineIndex::new(&report.source),
        report,
    })
}

impl<'a> PrintedFile<'a> {
    /// Returns its findings, ordered by place.
    pub(super) fn findings(&self) -> &'a [Finding] {
        &self.report.checked.findings
    }

    pub(super) fn range(&self, span: Span) -> Range {
        self.lines.range(&self.report.source, span)
    }

    /// Returns the places related to `finding`: those in this file, then the others.
    pub(super) fn related<'f>(&'f self, finding: &'f Finding) -> impl Iterator<Item = Related<'f>> {
        finding.related.iter().map(|location| {
            let (path, range) = match &location.place {
                Place::Here(span) => (self.path.as_str(), self.range(*span)),
                Place::There { path, range } => (path.as_str(), *range),
            };
            Related {
                path,
                range,
                message: &location.message,
            }
        })
    }

    /// Returns [`texts`] and the related places.
    pub(super) fn lines(&self, finding: &Finding) -> Vec<String> {
        let mut lines = texts(finding);
        lines.extend(self.related(finding).map(|related| {
            let (path, start) = (printable(related.path), related.range.start);
            format!(
                "{path}:{}:{} {}",
                start.line,
                start.column,
                printable(related.message)
            )
        }));
        lines
    }
}

/// Returns a finding's message and help, line by line and printable.
pub(super) fn texts(finding: &Finding) -> Vec<String> {
    let texts = std::iter::once(finding.message.as_str()).chain(finding.advice());
    texts.map(|line| printable(line).into_owned()).collect()
}
