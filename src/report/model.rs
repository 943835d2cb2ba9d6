//! The parts of a report.

use crate::finding::{RuleId, Severity};
use crate::lint::FileReport;

use super::notes::Note;

pub use crate::text::path_text as path;

#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The files with their findings, in order.
    pub reports: &'a [FileReport],
    pub summary: Summary,
    /// The rules that ran. Only SARIF lists them.
    pub rules: &'a [RuleId],
    /// The errors because of which findings may be missing.
    pub errors: &'a [RunError],
    /// The lines beside the findings.
    pub notes: &'a [Note],
}

/// An error of a run: a file that cannot be read, a configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct RunError {
    /// The file, as reports name it, if any.
    pub path: Option<String>,
    /// The 1-based line, where known.
    pub line: Option<usize>,
    /// The error, in a sentence.
    pub message: String,
}

impl RunError {
    /// Makes an error of the file that reports call `path`.
    pub fn with(path: String, message: impl Into<String>) -> Self {
        Self {
            path: Some(path),
            line: None,
            message: message.into(),
        }
    }

    /// Makes an error of the run as a whole.
    pub fn of_run(message: impl Into<String>) -> Self {
        Self {
            path: None,
            line: None,
            message: message.into(),
        }
    }

    /// Returns the file, or the program, for formats that need a name.
    pub(super) fn place(&self) -> &str {
        self.path.as_deref().unwrap_or("cachelane")
    }
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.path, self.line) {
            (Some(path), Some(line)) => write!(f, "{path}:{line}: {}", self.message),
            (Some(path), None) => write!(f, "{path}: {}", self.message),
            (None, _) => f.write_str(&self.message),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Files checked.
    pub files: usize,
    pub files_with_findings: usize,
    pub errors: usize,
    pub warnings: usize,
    pub infos: usize,
    /// Findings that `cachelane fix` would cure, without `--unsafe`.
    pub fixable: usize,
    /// Findings suppressed by comments, counted nowhere else.
    pub suppressed: usize,
}

impl Summary {
    /// Counts the findings of `reports`; `files` is the number of files checked.
    pub fn new(reports: &[FileReport], files: usize) -> Self {
        let mut summary = Self {
            files,
            ..Self::default()
        };
        summary.files_with_findings = reports
            .iter()
            .filter(|report| !report.checked.findings.is_empty())
            .count();
        summary.suppressed = reports.iter().map(|report| report.checked.suppressed).sum();
        for finding in reports.iter().flat_map(|report| &report.checked.findings) {
            match finding.severity {
                Severity::Error => summary.errors += 1,
                Severity::Warning => summary.warnings += 1,
                Severity::Info => summary.infos += 1,
            }
            summary.fixable += usize::from(finding.is_fixable());
        }
        summary
    }

    /// Returns the number of findings.
    pub const fn found(&self) -> usize {
        self.errors + self.warnings + self.infos
    }

    /// Returns whether a finding is at least as bad as `least`; `None` lets everything pass.
    pub const fn fails(&self, least: Option<Severity>) -> bool {
        let failing = match least {
            None => 0,
            Some(Severity::Error) => self.errors,
            Some(Severity::Warning) => self.errors + self.warnings,
            Some(Severity::Info) => self.found(),
        };
        failing > 0
    }
}
