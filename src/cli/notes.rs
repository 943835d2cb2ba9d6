//! The lines of a run beside its findings.

use std::path::{Path, PathBuf};

use crate::builds::argv::quoted;
use crate::lint::FileReport;
use crate::project::input::absolute;
use crate::report::{self, Note, RunError};
use crate::text::LineIndex;

use super::run::Run;
use super::terminal;

/// Returns the command that begins with `start` and goes on with `paths`.
pub fn typed(start: &str, paths: &[PathBuf]) -> String {
    let paths = paths.iter();
    let paths = paths.map(|path| quoted(path.as_os_str().as_encoded_bytes()));
    let words: Vec<String> = std::iter::once(start.to_owned()).chain(paths).collect();
    words.join(" ")
}

/// Names the templates among `reports`, of which nothing is known.
pub fn note_templates(reports: &[FileReport]) {
    for report in reports {
        let unread = report
            .builds
            .as_ref()
            .and_then(|builds| builds.unread.as_ref());
        let Some(template) = unread.filter(|unread| unread.is_template) else {
            continue;
        };
        let error = RunError {
            path: Some(report::path(&report.path)),
            line: Some(LineIndex::new(&report.source).line(template.span.start)),
            message: format!(
                "a template: which builds it makes is not known ({})",
                template.why
            ),
        };
        terminal::warn(&error.to_string());
    }
}

impl Run<'_> {
    /// Returns the notes on `reports`, which are the `whole` of a configuration or not. Only where the roots of their
    /// repositories were searched, too, all builds have been met.
    pub fn notes(&self, reports: &[FileReport], whole: bool) -> Vec<Note> {
        let full = |path: &PathBuf| absolute(self.configs.here(), path);
        let is_searched = |root: PathBuf| {
            let mut searched = self.common.roots().into_iter();
            searched.any(|folder| full(&folder) == full(&root))
        };
        let is_all = whole && self.repositories().into_iter().all(is_searched);
        let command = |start: &str| typed(start, &self.common.paths);
        report::notes::notes(reports, is_all.then_some(&command))
    }

    /// Names a file of builds that cannot be read and is no template; returns whether it is such a file.
    pub fn warn_of_unread(&self, report: &FileReport) -> bool {
        let unread = report.unread();
        if let Some((line, why)) = unread {
            self.note_unread(&report.path, line, why);
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
