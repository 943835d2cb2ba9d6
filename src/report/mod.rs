//! Reports: what was found, for people ([`human`]) and for programs ([`json`]).
//!
//! Nothing here prints; everything is written to a `String` or a writer that the command line hands in.

pub mod human;
pub mod json;
pub mod rules;
pub mod safe;

use crate::finding::Severity;
use crate::lint::FileReport;

/// How many of what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Files looked at.
    pub files: usize,
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
    #[must_use]
    pub fn new(reports: &[FileReport], files: usize) -> Self {
        let mut summary = Self { files, ..Self::default() };
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

    /// Whether anything is at least as bad as `least`; `None` lets everything pass.
    #[must_use]
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

/// A path as reports print it: without a leading `./`.
#[must_use]
pub fn path(path: &std::path::Path) -> String {
    path.strip_prefix(".").unwrap_or(path).to_string_lossy().into_owned()
}
