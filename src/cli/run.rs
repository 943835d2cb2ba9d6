//! Goes over the files of a command, several at a time.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::budget;
use crate::dockerfile::{Dockerfile, Keyword};
use crate::lint::{self, FileReport};
use crate::project::input::{InputFile, absolute, format_in, format_of};
use crate::project::names::{is_dockerfile, may_be_dockerfile};
use crate::report::{self, RunError};
use crate::rules::Settings;
use crate::workspace::discover::{self, Visit};
use crate::workspace::file::{self, FileError};
use crate::workspace::tree as trees;

use super::args::{Common, FixSettings, STDIN, Select};
use super::config_resolver::{ConfigResolver, LoadedConfig};
use super::outcome::Error;
use super::outcomes::State;
pub use super::outcomes::{RunOutcome, Visited};
use super::terminal;

/// The limit of text in files with results, in bytes: of 100,000 ordinary Dockerfiles, these are 60 MiB.
const MAX_TEXT: usize = 256 << 20;

/// The limit of other files than Dockerfiles, in bytes.
const MAX_OTHER: u64 = file::MIB;

/// The files to read beside Dockerfiles and build files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    None,
    /// The ones that a search finds and can read.
    Found,
    /// Named ones, too.
    All,
}

/// The files of a command, and the configurations for them.
pub struct Run<'a> {
    pub common: &'a Common,
    pub configs: ConfigResolver,
    texts: Texts,
    pub(super) trees: OnceLock<Vec<PathBuf>>,
}

impl<'a> Run<'a> {
    /// Fails where what was typed does not go together, or the configuration that it names cannot be read.
    pub fn new(
        common: &'a Common,
        select: &Select,
        fixes: FixSettings,
        texts: Texts,
    ) -> Result<Self, Error> {
        terminal::set_color(common.color);
        common.check()?;
        select.check()?;
        Ok(Self {
            common,
            configs: ConfigResolver::new(&common.settings, select, fixes)?,
            texts,
            trees: OnceLock::new(),
        })
    }

    /// Returns a first pass: standard input and every warning are left for the second.
    pub fn first_pass(&self) -> Self {
        Self {
            common: self.common,
            configs: self.configs.quiet(),
            texts: Texts::None,
            trees: OnceLock::new(),
        }
    }

    /// Passes every file to `visit`, which returns its result, if any; then the Dockerfiles with other names that
    /// builds among the results lead to, where a search has passed them by.
    pub fn over<T: Send + Visited>(
        &self,
        visit: impl Fn(InputFile<'_>) -> Option<T> + Sync,
    ) -> RunOutcome<T> {
        self.over_paths(self.common.roots(), visit)
    }

    /// Passes every file at or below `paths` to `visit`, and then the Dockerfiles that builds lead to, as `over` does.
    pub fn over_paths<T: Send + Visited>(
        &self,
        mut paths: Vec<PathBuf>,
        visit: impl Fn(InputFile<'_>) -> Option<T> + Sync,
    ) -> RunOutcome<T> {
        paths.retain(|path| !self.configs.is_quiet || path.as_os_str() != STDIN);
        let going = Going {
            run: self,
            visit: &visit,
            state: Mutex::new(State::default()),
        };
        going.all(&paths);
        let folders: Vec<PathBuf> = paths.iter().filter(|path| path.is_dir()).cloned().collect();
        going.follow(&folders);
        self.configs.warn_of_idle_globs(&folders);
        let mut state = going.state.into_inner().unwrap_or_default();
        state.results.sort_by(|(a, _), (b, _)| a.cmp(b));
        let reports = state.results.iter().filter_map(|(_, made)| made.report());
        let unread = reports.filter(|report| self.warn_of_unread(report));
        state.files -= unread.count();
        RunOutcome {
            results: state.results.into_iter().map(|(_, made)| made).collect(),
            files: state.files,
            whole: folders.len() == paths.len() && self.configs.are_whole(&folders),
        }
    }

    /// Says that the named file at `path` is passed by.
    fn note_of_prose(&self, path: &Path) {
        if !self.configs.is_quiet && !self.common.quiet {
            terminal::warn(&format!(
                "{}: left alone: it reads like prose or source code, for neither FROM nor ARG begins it (what `include` in \
                 cachelane.toml matches is a Dockerfile)",
                report::path(path)
            ));
        }
    }

    /// Returns whether the text of this file is searched for locks outside of Dockerfiles.
    pub fn searches(&self, report: &FileReport) -> bool {
        let loaded = self.configs.of(&report.path);
        self.is_text(&report.path, loaded.as_deref(), &report.source)
    }

    /// Returns `path` made absolute: the folders above may say what a file is.
    fn full(&self, path: &Path) -> PathBuf {
        absolute(self.configs.here(), path)
    }

    /// Returns whether the user named the file at `path`.
    pub fn is_named(&self, path: &Path) -> bool {
        let mut named = self.common.paths.iter().chain(&self.common.stdin_filename);
        named.any(|named| self.full(named) == self.full(path))
    }

    /// Returns whether the file at `path` is searched as text: it is no Dockerfile by its name and beginning or by the
    /// configuration `loaded`, and, where named, does not read as one either.
    fn is_text(&self, path: &Path, loaded: Option<&LoadedConfig>, source: &[u8]) -> bool {
        is_other(path, loaded, source)
            && match self.texts {
                Texts::None => false,
                Texts::Found => !self.is_named(path),
                Texts::All => {
                    path.as_os_str() != STDIN
                        && !(self.is_named(path) && reads_as_dockerfile(source))
                }
            }
    }
}

fn reads_as_dockerfile(source: &[u8]) -> bool {
    let known = |file: Dockerfile<'_>| {
        let mut instructions = file.instructions.iter();
        instructions.all(|instruction| instruction.keyword != Keyword::Opaque)
    };
    Dockerfile::read(source).is_ok_and(known)
}

/// Returns whether the file at `path` is no Dockerfile by its name and beginning, or by the configuration `loaded`.
fn is_other(path: &Path, loaded: Option<&LoadedConfig>, source: &[u8]) -> bool {
    !is_dockerfile(name(path), source) && !loaded.is_some_and(|loaded| loaded.includes(path))
}

fn name(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_encoded_bytes()
}

struct Going<'g, T> {
    run: &'g Run<'g>,
    visit: &'g (dyn Fn(InputFile<'_>) -> Option<T> + Sync),
    state: Mutex<State<T>>,
}

impl<T: Send + Visited> Going<'_, T> {
    fn all(&self, paths: &[PathBuf]) {
        let (common, configs) = (self.run.common, &self.run.configs);
        for path in paths {
            if path.as_os_str() == STDIN {
                if !self.is_new(path) {
                    continue;
                }
                let read = file::read_from(io::stdin().lock(), common.max_size());
                let name = common.stdin_filename.as_deref().unwrap_or(path);
                self.take(name, true, configs.of(name), read);
            } else if path.is_dir() {
                self.search(path);
            } else if self.is_new(path) {
                let loaded = configs.of(path);
                let excludes = |loaded: &Arc<LoadedConfig>| loaded.excludes(path, None);
                if !(common.force_exclude && loaded.as_ref().is_some_and(excludes)) {
                    self.take(path, false, loaded, file::read(path, common.max_size()));
                }
            }
        }
    }

    /// Searches `folder`, and warns where it has no files to check.
    fn search(&self, folder: &Path) {
        let search = Search {
            going: self,
            folder,
            // A named folder is searched, even an excluded one.
            root: (!self.run.common.force_exclude).then_some(folder),
            met: AtomicUsize::new(0),
            excluded: AtomicBool::new(false),
            taken: Mutex::default(),
        };
        discover::search(folder, &search);
        if !self.run.configs.is_quiet && search.met.into_inner() == 0 {
            let but = if search.excluded.into_inner() {
                " but for what the configuration excludes"
            } else {
                ""
            };
            let folder = folder.display();
            terminal::warn(&format!("no Dockerfile below {folder}{but}"));
        }
    }

    /// Passes on a file that the search has found; returns whether it is one to check.
    /// Reads it at `real`, where a link led.
    fn take_found(&self, path: &Path, real: &Path, loaded: Option<Arc<LoadedConfig>>) -> bool {
        let format = format_of(&self.run.full(path));
        let is_other = format.is_none_or(|format| !format.is_told_by_name())
            && !may_be_dockerfile(name(path))
            && !loaded.as_ref().is_some_and(|loaded| loaded.includes(path));
        let most = self.run.common.max_size();
        let most = if is_other { most.min(MAX_OTHER) } else { most };
        let read = file::read_found(real, most);
        if let (Some(_), Err(FileError::Nul { line })) = (format, &read) {
            let why = "it is binary, or UTF-16 (save it as UTF-8)";
            self.run.note_unread(path, *line, why);
            return true;
        }
        // Other files may be large or binary without a warning.
        let is_no_text = matches!(read, Err(FileError::TooLarge(_) | FileError::Nul { .. }));
        if is_other && read.is_err() && (is_no_text || self.run.texts == Texts::Found) {
            return false;
        }
        self.take(path, false, loaded, read)
    }

    /// Passes on one file with its configuration `loaded`, or warns why not; returns whether it is one to check.
    fn take(
        &self,
        path: &Path,
        is_stdin: bool,
        loaded: Option<Arc<LoadedConfig>>,
        read: Result<Vec<u8>, FileError>,
    ) -> bool {
        let source = match read {
            Ok(source) => source,
            Err(error) => {
                self.warn(RunError::with(report::path(path), error.to_string()));
                return true;
            }
        };
        let Some(loaded) = loaded else { return true };
        let mut settings = loaded.settings_for(path, &source);
        let full = self.run.full(path);
        let format = format_in(&full, &source);
        let is_other = format.is_none() && is_other(path, Some(&loaded), &source);
        let is_prose = is_other && may_be_dockerfile(name(path));
        if is_stdin && is_prose {
            // It is given back as it is.
            self.run.note_of_prose(path);
            settings = Arc::new(Settings {
                rules: Some(Vec::new()),
                ..Settings::clone(&settings)
            });
        }
        let input = InputFile {
            is_stdin,
            format,
            text: self.run.is_text(path, Some(&loaded), &source),
            is_named: self.run.is_named(path),
            ..InputFile::new(path, settings, &source)
        };
        let is_other = is_other && !is_stdin;
        let is_text = input.text;
        // Most Makefiles and scripts build nothing.
        if is_other && !is_text && format_of(&full).is_some() {
            return false;
        }
        if is_prose && !is_stdin && !is_text {
            if self.run.common.paths.iter().any(|named| named == path) {
                self.run.note_of_prose(path);
            }
            return false;
        }
        let visited = self.visit(input);
        if is_other && is_text && self.run.texts == Texts::Found {
            return false;
        }
        self.count(path, visited);
        true
    }

    /// Keeps the result of one file. No more files are checked once those with results reach [`MAX_TEXT`].
    fn visit(&self, input: InputFile<'_>) -> Result<(), String> {
        let mut is_full = false;
        self.with(|state| is_full = state.text > MAX_TEXT);
        if is_full {
            let most = MAX_TEXT >> 20;
            return Err(format!(
                "it was not looked at: the files with cache mounts or builds have more than {most} MiB: name fewer of them at a time"
            ));
        }
        // A file beyond the budget has no result, since half of it would be missing.
        let (path, bytes) = (input.path, input.source.len());
        let visited = budget::within(bytes, || (self.visit)(input));
        if let Some(made) = visited.map_err(|spent| spent.to_string())? {
            self.with(|state| {
                state.text += bytes;
                state.results.push((path.to_path_buf(), made));
            });
        }
        Ok(())
    }

    /// Passes on the Dockerfiles below the searched `folders` that builds lead to, and that no name told.
    fn follow(&self, folders: &[PathBuf]) {
        let run = self.run;
        let mut built = BTreeSet::new();
        self.with(|state| {
            state.results.sort_by(|(a, _), (b, _)| a.cmp(b));
            let reports = state.results.iter().filter_map(|(_, made)| made.report());
            let reports: Vec<&FileReport> = reports.collect();
            if reports.iter().any(|report| report.builds.is_some()) {
                built = run.dockerfiles(reports);
            }
        });
        for full in built {
            let below = folders.iter().find_map(|folder| {
                let rest = full.strip_prefix(absolute(run.configs.here(), folder));
                rest.ok().map(|rest| (folder, folder.join(rest)))
            });
            let Some((folder, path)) = below else {
                continue;
            };
            let Some(loaded) = run.configs.of(&path) else {
                continue;
            };
            let root = (!run.common.force_exclude).then_some(folder.as_path());
            let Some(real) = run.inside(&full) else {
                continue;
            };
            let read = file::read_found(&real, run.common.max_size());
            let is_passed_by = |source: &Vec<u8>| {
                format_of(&full).is_none()
                    && is_other(&path, Some(&loaded), source)
                    && !loaded.excludes(&path, root)
                    && !discover::is_left_out(full.parent().unwrap_or(&full), &full)
            };
            // A missing file is no reason to warn: the pipeline may make it.
            let Some(source) = read.ok().filter(is_passed_by) else {
                continue;
            };
            if self.is_new(&path) {
                self.with(|state| state.results.retain(|(other, _)| *other != path));
                let settings = loaded.settings_for(&path, &source);
                let visited = self.visit(InputFile::new(&path, settings, &source));
                // As text it has been counted already.
                if run.texts != Texts::All || visited.is_err() {
                    self.count(&path, visited);
                }
            }
        }
    }

    fn count(&self, path: &Path, visited: Result<(), String>) {
        match visited {
            Ok(()) => self.with(|state| state.files += 1),
            Err(problem) => self.warn(RunError::with(report::path(path), problem)),
        }
    }

    fn is_new(&self, path: &Path) -> bool {
        let path = || {
            let absolute = std::path::absolute(path);
            let absolute = absolute.unwrap_or_else(|_| path.to_path_buf());
            absolute.components().collect()
        };
        let mut is_new = true;
        if self.run.common.paths.len() > 1 {
            self.with(|state| is_new = state.met.insert(path()));
        }
        is_new
    }

    fn warn(&self, error: RunError) {
        self.run.configs.warn(error);
    }

    fn with(&self, change: impl FnOnce(&mut State<T>)) {
        if let Ok(mut state) = self.state.lock() {
            change(&mut state);
        }
    }
}

struct Search<'s, T> {
    going: &'s Going<'s, T>,
    folder: &'s Path,
    /// The folder whose own exclusion does not count.
    root: Option<&'s Path>,
    met: AtomicUsize,
    excluded: AtomicBool,
    /// The files that were checked, where they really are.
    taken: Mutex<HashSet<PathBuf>>,
}

impl<T> Search<'_, T> {
    /// Returns and records whether `loaded` excludes the file or folder at `path`.
    fn excludes(&self, path: &Path, loaded: Option<&LoadedConfig>) -> bool {
        let excluded = loaded.is_some_and(|loaded| loaded.excludes(path, self.root));
        self.excluded.fetch_or(excluded, Ordering::Relaxed);
        excluded
    }

    /// Returns whether a file at `path` may be one to check, by its name.
    fn wants(&self, path: &Path, loaded: Option<&LoadedConfig>) -> bool {
        // Asked first, so that a glob counts as matched even for a file found anyway.
        let may_hold_locks =
            || lint::may_hold_locks(path.strip_prefix(self.folder).unwrap_or(path));
        let is_build_file = || {
            format_of(&self.going.run.full(path))
                .is_some_and(|format| format.is_told_by_name() || may_hold_locks())
        };
        loaded.is_some_and(|loaded| loaded.includes(path))
            || may_be_dockerfile(name(path))
            || is_build_file()
            || (self.going.run.texts != Texts::None && may_hold_locks())
    }
}

impl<T: Send + Visited> Search<'_, T> {
    /// Passes on the file at `path`, which is at `real`, if it is one to check.
    fn visit_at(&self, path: &Path, real: &Path) {
        let loaded = self.going.run.configs.of(path);
        if !self.wants(path, loaded.as_deref()) || self.excludes(path, loaded.as_deref()) {
            return;
        }
        if !self.going.is_new(path) || self.going.take_found(path, real, loaded) {
            self.met.fetch_add(1, Ordering::Relaxed);
            if let Ok(mut taken) = self.taken.lock() {
                taken.insert(real.to_path_buf());
            }
        }
    }
}

impl<T: Send + Visited> Visit for Search<'_, T> {
    fn goes_into(&self, path: &Path) -> bool {
        !self.excludes(path, self.going.run.configs.of(path).as_deref())
    }

    fn visit(&self, path: &Path) {
        self.visit_at(path, path);
    }

    fn visit_link(&self, path: &Path, tree: &Path) {
        // Most links have no name of interest, and are not even looked at.
        let loaded = self.going.run.configs.of(path);
        if !self.wants(path, loaded.as_deref()) {
            return;
        }
        if let Some(real) = trees::inside(path, tree).filter(|real| real.is_file()) {
            // The file may have been checked by its own name, or by another link to it.
            let own = real.strip_prefix(self.folder.canonicalize().unwrap_or_default());
            let own = own.map_or_else(|_| real.clone(), |below| self.folder.join(below));
            let is_taken = self
                .taken
                .lock()
                .is_ok_and(|taken| taken.contains(&own) || taken.contains(&real));
            if !is_taken {
                self.visit_at(path, &real);
            }
        }
    }

    fn warn(&self, message: String) {
        self.going.warn(RunError::of_run(message));
    }
}
