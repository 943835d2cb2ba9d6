//! The parts of a report.

use crate::finding::{RuleId, Severity};
use crate::lint::FileReport;

/// A run of the command, to be reported.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The files with what was found in them, in order.
    pub reports: &'a [FileReport],
    /// The numbers of what there is.
    pub summary: Summary,
    /// The rules that can have spoken. Only SARIF lists them.
    pub rules: &'a [RuleId],
    /// The errors because of which the findings are not all that there may be.
    pub errors: &'a [RunError],
}

/// Something that went wrong in a run: a file that cannot be read, a configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct RunError {
    /// The file, as reports name it, where it is about one.
    pub path: Option<String>,
    /// The 1-based line, where it is known.
    pub line: Option<usize>,
    /// The trouble, in a sentence.
    pub message: String,
}

impl RunError {
    /// Something that is wrong with the file that reports call `path`.
    pub fn with(path: String, message: impl Into<String>) -> Self {
        Self {
            path: Some(path),
            line: None,
            message: message.into(),
        }
    }

    /// Something that is wrong with the run as a whole.
    pub fn of_run(message: impl Into<String>) -> Self {
        Self {
            path: None,
            line: None,
            message: message.into(),
        }
    }

    /// Returns what it is about, for formats that need a name: the file, or the program.
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

/// The numbers of what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Files looked at.
    pub files: usize,
    /// Those of them in which something was found.
    pub files_with_findings: usize,
    /// Findings that are errors.
    pub errors: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Findings that are infos.
    pub infos: usize,
    /// Findings that `cachelane fix` would cure, without `--unsafe`.
    pub fixable: usize,
    /// Findings that comments in the files suppress; none of the above.
    pub suppressed: usize,
}

impl Summary {
    /// Counts the findings of `reports`; `files` is how many files were looked at.
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

    /// Returns whether anything is at least as bad as `least`; `None` lets everything pass.
    pub const fn fails(&self, least: Option<Severity>) -> bool {
        let failing = match least {
            None => 0,
            Some(Severity::Error) => self.errors,
            Some(Severity::Warning) => self.errors + self.warnings,
            Some(Severity::Info) => self.errors + self.warnings + self.infos,
        };
        failing > 0
    }
}

/// Returns a path as reports print it: without a leading `./`, and on Windows with `/`, as git has it.
pub fn path(path: &std::path::Path) -> String {
    path.strip_prefix(".")
        .unwrap_or(path)
        .to_string_lossy()
        .replace(std::path::MAIN_SEPARATOR, "/")
}
