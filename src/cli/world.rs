//! What builds need to know of the world around their files: repositories' roots, and Dockerfiles that nobody named.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crate::budget;
use crate::builds::FormatRef;
use crate::lint::{self, FileReport, wire};
use crate::report::{self, Trouble};
use crate::workspace::file;

use super::args::Common;
use super::run::Given;
use super::settled::{Settled, absolute};
use super::{check, terminal};

/// The world around the files of a run.
pub(super) struct World<'a> {
    settled: &'a Settled,
    /// Whether excluded Dockerfiles are not to be looked at, even where a build leads to them.
    force_exclude: bool,
    /// The largest file to read, in bytes.
    max_size: u64,
    /// The files beside the run that are more than cachelane reads.
    unread: RefCell<Vec<Trouble>>,
}

impl<'a> World<'a> {
    pub(super) fn new(settled: &'a Settled, common: &Common) -> Self {
        Self {
            settled,
            force_exclude: common.force_exclude,
            max_size: common.max_size(),
            unread: RefCell::default(),
        }
    }

    /// Adds to `reports`, which are the `whole` of a repository or not, what they have to do with one another, and what rules
    /// say about their builds.
    ///
    /// # Errors
    /// That it is too much to compare; it has been said.
    pub(super) fn relate(
        &self,
        reports: &mut [FileReport],
        whole: bool,
    ) -> Result<wire::Builds, Trouble> {
        let bytes = reports.iter().map(|report| report.source.len()).sum();
        let related = budget::within(bytes, || {
            lint::relate_reports(reports, whole, report::path);
            let mut builds = wire::Builds::default();
            self.with(|world| builds = wire::wire(reports, whole, world));
            builds
        });
        related.map_err(|_| {
            let trouble = Trouble::of_run(
                "these files have more to do with one another than cachelane reads: not all of it was found (name fewer of them)",
            );
            terminal::complain(&trouble.to_string());
            trouble
        })
    }

    /// An absolute path as reports print it.
    pub(super) fn shown(&self, path: &Path) -> String {
        report::path(path.strip_prefix(self.settled.here()).unwrap_or(path))
    }

    fn with(&self, go: impl FnOnce(&wire::World<'_>)) {
        let absolute = |path: &Path| absolute(self.settled.here(), path);
        go(&wire::World {
            root: &|path, format| root(&absolute(path), format),
            absolute: &absolute,
            name: &|path| report::path(path),
            is_there: &|path| path.is_file(),
            load: &|path, kind| self.load(path, kind),
        });
    }

    /// The report on the file at `path`, which a build leads to: a Dockerfile where no kind is given.
    fn load(&self, path: &Path, kind: Option<FormatRef>) -> Option<FileReport> {
        let shown = path.strip_prefix(self.settled.here()).unwrap_or(path);
        let loaded = self.settled.of(shown)?;
        if self.force_exclude && loaded.excludes(shown, None) {
            return None;
        }
        // A build of a file that is not there, made in the pipeline say, is nothing to complain of.
        let source = file::read(path, self.max_size).ok()?;
        let settings = loaded.settings(shown);
        let looked = check::look_aside(Given {
            path: shown,
            stdin: false,
            kind,
            text: false,
            settings: &settings,
            source: &source,
        });
        looked.unwrap_or_else(|spent| {
            let trouble = Trouble::with(report::path(shown), spent.to_string());
            let mut unread = self.unread.borrow_mut();
            if !unread.contains(&trouble) {
                terminal::complain(&trouble.to_string());
                unread.push(trouble);
            }
            None
        })
    }

    /// Returns the files that builds lead to and that are more than cachelane reads. It has been said.
    pub(super) fn unread(&self) -> Vec<Trouble> {
        self.unread.borrow().clone()
    }
}

/// Returns the folder that the paths in the file at `path` start from: its own, or the repository's.
fn root(path: &Path, format: FormatRef) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let Some(known) = format.folder() else {
        return folder.to_path_buf();
    };
    let mut above = folder.ancestors();
    let by_name = above.find(|folder| folder.ends_with(known));
    let git = || {
        folder
            .ancestors()
            .find(|folder| folder.join(".git").exists())
    };
    let root = by_name.and_then(Path::parent).or_else(git);
    root.unwrap_or(folder).to_path_buf()
}
