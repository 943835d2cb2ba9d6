//! Names files of builds that cannot be read.

use std::path::Path;

use crate::lint::FileReport;
use crate::report::{self, RunError};
use crate::text::LineIndex;

use super::run::Run;
use super::terminal;

impl Run<'_> {
    /// Names a file of builds that cannot be read and is no template; returns whether it is such a file.
    pub fn tell_of_unread(&self, report: &FileReport) -> bool {
        let unread = report
            .builds
            .as_ref()
            .and_then(|builds| builds.unread.as_ref());
        let unread = unread.filter(|unread| !unread.is_template);
        if let Some(unread) = unread {
            let line = LineIndex::new(&report.source).line(unread.span.start);
            self.note_unread(&report.path, line, &unread.why);
        }
        unread.is_some()
    }

    /// Names the file of builds at `path`, which cannot be read: an error of the run where the user named it.
    pub fn note_unread(&self, path: &Path, line: usize, why: &str) {
        let error = RunError {
            path: Some(report::path(path)),
            line: Some(line),
            message: format!(
                "its builds cannot be read: {why} (`exclude` in cachelane.toml is for such files)"
            ),
        };
        if self.is_named(path) {
            self.configs.warn(error);
        } else if !self.configs.is_quiet && !self.common.quiet {
            terminal::warn(&error.to_string());
        }
    }
}
