//! The files on the disk that builds lead to: repositories' roots, and Dockerfiles that the user did not name.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::builds::FormatRef;
use crate::lint::FileReport;
use crate::lint::matching::{BuildStatus, FileAccess};
use crate::project::input::{self, InputFile, absolute, check_within_budget, relative};
use crate::project::relate;
use crate::report::{self, RunError};
use crate::workspace::file;
use crate::workspace::tree::{is_repository, repository};

use super::args::{Common, FixSettings, Select};
use super::outcome::Error;
use super::run::{Run, RunOutcome, Texts};

impl<'a> Run<'a> {
    /// Makes a run with what the repository has configured, which fixes nothing.
    pub fn reading(common: &'a Common) -> Result<Self, Error> {
        let (select, fixes) = (Select::default(), FixSettings::default());
        Self::new(common, &select, fixes, Texts::None)
    }
}

impl Run<'_> {
    /// Checks all files, by themselves, with one another, and with what is around them.
    pub fn check(&self) -> (RunOutcome<FileReport>, Option<Vec<BuildStatus>>) {
        let mut checked = self.over(input::check);
        self.add_context(&mut checked);
        let builds = self.relate(&mut checked.results, checked.whole);
        (checked, builds)
    }

    /// Adds the reports on the other files of the repositories around those of a run, which say who builds what is there.
    /// Returns what could not be read of them, which is no error of the run.
    pub fn add_context(&self, checked: &mut RunOutcome<FileReport>) -> Vec<RunError> {
        let roots = self.repositories();
        if checked.whole || roots.is_empty() || self.common.reads_stdin() {
            return Vec::new();
        }
        let real = |report: &FileReport| self.real(&report.path);
        let named: HashSet<PathBuf> = checked.results.iter().map(real).collect();
        let around = self.first_pass();
        let mut context = around.over_paths(roots, input::check).results;
        context.retain(|report| !named.contains(&real(report)));
        for report in &mut context {
            report.is_context = true;
        }
        // What differs from the files around is found in the named ones, since rules compare a file with those before it.
        context.append(&mut checked.results);
        checked.results = context;
        checked.whole = true;
        let (known, mut errors) = (self.configs.errors(), around.configs.errors());
        errors.retain(|error| !known.contains(error));
        errors
    }

    /// Adds findings to `reports`, which are the `whole` of a repository or not, from comparing files and from rules on
    /// builds; `None`, with an error, where that is too much to compare.
    pub fn relate(&self, reports: &mut [FileReport], whole: bool) -> Option<Vec<BuildStatus>> {
        let related = self.with_access(|access| relate::relate(reports, whole, access));
        if related.is_err() {
            self.configs.warn(RunError::of_run(
                "these files have more to do with one another than cachelane reads: not all of it was found (name fewer of them)",
            ));
        }
        related.ok()
    }

    /// Returns the absolute paths of the Dockerfiles that builds of `reports` lead to.
    pub fn dockerfiles(&self, reports: Vec<&FileReport>) -> BTreeSet<PathBuf> {
        self.with_access(|access| relate::dockerfiles(reports, access))
    }

    pub fn with_access<R>(&self, ask: impl FnOnce(&FileAccess<'_>) -> R) -> R {
        let absolute = |path: &Path| absolute(self.configs.here(), path);
        ask(&FileAccess {
            root: &|path, format| relate::root(&absolute(path), format, is_repository),
            absolute: &absolute,
            name: &|path| report::path(path),
            is_there: &|path| path.is_file(),
            text: &|path| self.text(path),
            load: &|path, format| self.load(path, format),
        })
    }

    /// Returns an absolute path as reports print it.
    pub fn shown(&self, path: &Path) -> String {
        report::path(&relative(self.configs.here(), path))
    }

    /// Returns the absolute `path` with links followed, if it lies in a tree of this run: the repositories around what was
    /// named, or else the current folder, or the folders that were.
    pub fn inside(&self, path: &Path) -> Option<PathBuf> {
        let trees = self.trees.get_or_init(|| {
            let roots = self
                .common
                .roots()
                .into_iter()
                .chain(self.common.stdin_filename.clone());
            let tree = |root: PathBuf| {
                let root = absolute(self.configs.here(), &root);
                let folder = if root.is_dir() {
                    root.as_path()
                } else {
                    root.parent()?
                };
                let here = Some(self.configs.here()).filter(|here| folder.starts_with(here));
                let tree = repository(folder).or(here).unwrap_or(folder);
                tree.canonicalize().ok()
            };
            roots.filter_map(tree).collect()
        });
        let real = path.canonicalize().ok()?;
        trees
            .iter()
            .any(|tree| real.starts_with(tree))
            .then_some(real)
    }

    /// Returns the text of a regular file in a repository, in a tree of this run by way of links, too.
    fn text(&self, path: &Path) -> Option<String> {
        let is_regular = path.symlink_metadata().is_ok_and(|file| file.is_file());
        let folder = path.parent().filter(|_| is_regular)?;
        repository(folder)?;
        let source = file::read_found(&self.inside(path)?, self.common.max_size()).ok()?;
        String::from_utf8(source).ok()
    }

    /// Returns the report on the file at `path`, which a build leads to: a Dockerfile without a format.
    fn load(&self, path: &Path, format: Option<FormatRef>) -> Option<FileReport> {
        let shown = &*relative(self.configs.here(), path);
        let loaded = self.configs.of(shown)?;
        if self.common.force_exclude && loaded.excludes(shown, None) {
            return None;
        }
        // A missing file is no reason to warn: the pipeline may make it.
        let source = file::read_found(&self.inside(path)?, self.common.max_size()).ok()?;
        let input = InputFile {
            format,
            ..InputFile::new(shown, loaded.settings_for(shown, &source), &source)
        };
        check_within_budget(input).unwrap_or_else(|spent| {
            self.configs
                .warn(RunError::with(report::path(shown), spent.to_string()));
            None
        })
    }

    /// Returns `path` made absolute, with links in its folders followed; it need not exist.
    pub fn real(&self, path: &Path) -> PathBuf {
        let path = absolute(self.configs.here(), path);
        std::fs::canonicalize(&path).unwrap_or_else(|_| {
            let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
            let real = folder.zip(path.file_name());
            real.map_or(path.clone(), |(folder, name)| folder.join(name))
        })
    }

    /// Returns the repositories around the named files. There is none around others: the folders above may hold a whole
    /// disk.
    pub fn repositories(&self) -> Vec<PathBuf> {
        let here = self.configs.here();
        let mut roots = BTreeSet::new();
        for path in self.common.roots() {
            roots.extend(repository(&absolute(here, &path)).map(|root| relative(here, root)));
        }
        roots.into_iter().collect()
    }
}
