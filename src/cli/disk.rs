//! The files that builds lead to, on the disk: repositories' roots, and Dockerfiles that nobody named.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crate::builds::FormatRef;
use crate::lint::FileReport;
use crate::lint::matching::{Builds, FileAccess};
use crate::project::input::{InputFile, absolute, check_within_budget};
use crate::project::relate;
use crate::report::{self, RunError};
use crate::workspace::file;

use super::args::Common;
use super::config_resolver::ConfigResolver;
use super::terminal;

/// The disk around the files of a run.
pub struct Disk<'a> {
    settled: &'a ConfigResolver,
    common: &'a Common,
    /// What could not be read or compared: in the run, then here.
    errors: RefCell<Vec<RunError>>,
}

impl<'a> Disk<'a> {
    /// Goes on from a run in which these `errors` were printed.
    pub fn new(settled: &'a ConfigResolver, common: &'a Common, errors: Vec<RunError>) -> Self {
        Self {
            settled,
            common,
            errors: errors.into(),
        }
    }

    /// Adds to `reports`, which are the `whole` of a repository or not, what they have to do with one another, and what rules
    /// say about their builds. Where that is too much to compare, it is a trouble, and there is no answer.
    pub fn relate(&self, reports: &mut [FileReport], whole: bool) -> Option<Builds> {
        let absolute = |path: &Path| absolute(self.settled.here(), path);
        let is_root = |folder: &Path| folder.join(".git").exists();
        let access = FileAccess {
            root: &|path, format| relate::root(&absolute(path), format, is_root),
            absolute: &absolute,
            name: &|path| report::path(path),
            is_there: &|path| path.is_file(),
            load: &|path, format| self.load(path, format),
        };
        let related = relate::relate(reports, whole, &access);
        if related.is_err() {
            self.warn(RunError::of_run(
                "these files have more to do with one another than cachelane reads: not all of it was found (name fewer of them)",
            ));
        }
        related.ok()
    }

    /// Returns an absolute path as reports print it.
    pub fn shown(&self, path: &Path) -> String {
        report::path(path.strip_prefix(self.settled.here()).unwrap_or(path))
    }

    /// Returns the report on the file at `path`, which a build leads to: a Dockerfile where no format is given.
    fn load(&self, path: &Path, format: Option<FormatRef>) -> Option<FileReport> {
        let shown = path.strip_prefix(self.settled.here()).unwrap_or(path);
        let loaded = self.settled.of(shown)?;
        if self.common.force_exclude && loaded.excludes(shown, None) {
            return None;
        }
        // A build of a file that is not there, made in the pipeline say, is nothing to warn of.
        let source = file::read(path, self.common.max_size()).ok()?;
        let input = InputFile {
            path: shown,
            is_stdin: false,
            format,
            text: false,
            settings: &loaded.settings(shown),
            source: &source,
        };
        check_within_budget(input).unwrap_or_else(|spent| {
            self.warn(RunError::with(report::path(shown), spent.to_string()));
            None
        })
    }

    /// Prints what went wrong, once, and keeps it in mind.
    fn warn(&self, trouble: RunError) {
        let mut errors = self.errors.borrow_mut();
        if !errors.contains(&trouble) {
            terminal::warn(&trouble.to_string());
            errors.push(trouble);
        }
    }

    /// Returns what could not be read or compared, in the run and since. It has been printed.
    pub fn errors(&self) -> Vec<RunError> {
        self.errors.borrow().clone()
    }
}

/// Returns `path` from the root of the file system on, with links in its folders followed; it need not be there.
pub fn real(here: &Path, path: &Path) -> PathBuf {
    let path = absolute(here, path);
    std::fs::canonicalize(&path).unwrap_or_else(|_| {
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        let real = folder.zip(path.file_name());
        real.map_or(path.clone(), |(folder, name)| folder.join(name))
    })
}
