//! Going over the files that a command was given, several at a time.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::budget;
use crate::builds::{self, FormatRef};
use crate::dockerfile::{Dockerfile, Keyword};
use crate::lint;
use crate::report::{self, Trouble};
use crate::rules::Settings;
use crate::workspace::discover::{self, Visit, is_dockerfile};
use crate::workspace::file::{self, FileError};

use super::args::Common;
use super::settled::{Loaded, Settled};
use super::terminal::complain;

/// What is known of a run's files when all are done.
#[derive(Debug)]
pub(super) struct Ran<T> {
    /// What was made of the files, ordered by path.
    pub(super) results: Vec<T>,
    /// How many files were read.
    pub(super) files: usize,
    /// Whether something could not be read or understood. It has been said.
    pub(super) trouble: bool,
    /// What that is.
    pub(super) troubles: Vec<Trouble>,
    /// Whether folders were searched that hold all there is, so that nothing is missing to compare with.
    pub(super) whole: bool,
}

/// One file of a run.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    /// Its path, as the user or the search named it; for standard input, what to call it.
    pub(super) path: &'a Path,
    /// Whether it is standard input.
    pub(super) stdin: bool,
    /// What it says about builds, by its name; `None` for a Dockerfile.
    pub(super) kind: Option<FormatRef>,
    /// Whether text in it that is no Dockerfile is looked into: all of it, where it says nothing about builds.
    pub(super) text: bool,
    /// What holds for it.
    pub(super) settings: &'a Arc<Settings>,
    /// Its bytes.
    pub(super) source: &'a [u8],
}

/// Standard input, as it is named on the command line and in reports.
pub(super) const STDIN: &str = "-";

/// How many bytes of text a run may have to say something about: of 100,000 Dockerfiles as people write them, these are
/// 60 MiB.
const MAX_TEXT: usize = 256 << 20;

/// Hands every file that `common` asks for to `visit`, which keeps what it has to say about one, if anything.
pub(super) fn over<T: Send>(
    common: &Common,
    settled: &Settled,
    visit: impl Fn(Given<'_>) -> Option<T> + Sync,
) -> Ran<T> {
    over_all(common, settled, Texts::None, visit)
}

/// Which files are looked into that are neither Dockerfiles nor say what is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// None.
    None,
    /// Those that a search finds, as far as they can be read.
    Found,
    /// Those that are named, too.
    All,
}

/// The largest file that is looked into though it is no Dockerfile, in bytes.
const MAX_OTHER: u64 = file::MIB;

/// Like [`over`], and over other files with text as well.
pub(super) fn over_all<T: Send>(
    common: &Common,
    settled: &Settled,
    texts: Texts,
    visit: impl Fn(Given<'_>) -> Option<T> + Sync,
) -> Ran<T> {
    let (results, paths) = (Results::default(), paths(common));
    let done = {
        let visit = results.keeping(visit);
        let run = Run {
            texts,
            ..Run::new(common, settled, true, &visit)
        };
        run.all(&paths);
        run.done()
    };
    let searched: Vec<PathBuf> = paths.iter().filter(|path| path.is_dir()).cloned().collect();
    settled.say_idle(&searched);
    results.ran(
        done,
        searched.len() == paths.len() && settled.are_whole(&searched),
    )
}

/// Like [`over`], for a first pass: standard input is left for the second, and so is the word on what cannot be read.
pub(super) fn quietly<T: Send>(
    common: &Common,
    settled: &Settled,
    visit: impl Fn(Given<'_>) -> Option<T> + Sync,
) -> Ran<T> {
    let results = Results::default();
    let paths: Vec<PathBuf> = paths(common)
        .into_iter()
        .filter(|path| path.as_os_str() != STDIN)
        .collect();
    let done = {
        let visit = results.keeping(visit);
        let run = Run::new(common, settled, false, &visit);
        run.all(&paths);
        run.done()
    };
    results.ran(
        done,
        paths.iter().all(|path| path.is_dir()) && settled.are_whole(&paths),
    )
}

/// The paths that a run goes over: those that were named, or else where it began.
fn paths(common: &Common) -> Vec<PathBuf> {
    if common.paths.is_empty() {
        vec![".".into()]
    } else {
        common.paths.clone()
    }
}

/// What the file at `path` says about builds, by its name; `None` for a Dockerfile, and for what is named outright.
pub(super) fn kind(path: &Path) -> Option<FormatRef> {
    let name = path.file_name()?.as_encoded_bytes();
    if !may_say_builds(name) || is_dockerfile(name) {
        return None;
    }
    builds::format(&path.to_str()?.replace('\\', "/"))
}

/// Whether a file called `name` may be one that says what is built: most are told from their name's end.
fn may_say_builds(name: &[u8]) -> bool {
    [&b".yml"[..], b".yaml", b".hcl", b".json"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Whether text in the file at `path` is looked into: it is no Dockerfile by its name or by the configuration `loaded`, and
/// one that was named does not read as one either.
pub(super) fn is_text(
    texts: Texts,
    common: &Common,
    path: &Path,
    loaded: Option<&Loaded>,
    source: &[u8],
) -> bool {
    let mut named = common.paths.iter().chain(&common.stdin_filename);
    let mut is_named = || named.any(|named| named == path);
    is_other(path, loaded)
        && match texts {
            Texts::None => false,
            Texts::Found => !is_named(),
            Texts::All => path.as_os_str() != STDIN && !(is_named() && reads_as_dockerfile(source)),
        }
}

fn reads_as_dockerfile(source: &[u8]) -> bool {
    let known = |file: Dockerfile<'_>| {
        let mut instructions = file.instructions.iter();
        instructions.all(|instruction| instruction.keyword != Keyword::Opaque)
    };
    Dockerfile::read(source).is_ok_and(known)
}

/// Whether the file at `path` is no Dockerfile by its name or by the configuration `loaded`.
fn is_other(path: &Path, loaded: Option<&Loaded>) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    !is_dockerfile(name) && !loaded.is_some_and(|loaded| loaded.includes(path))
}

/// What was made of the files so far, with their paths.
struct Results<T> {
    kept: Mutex<Vec<(PathBuf, T)>>,
    /// How many bytes of text those have.
    text: AtomicUsize,
}

impl<T> Default for Results<T> {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            text: AtomicUsize::new(0),
        }
    }
}

impl<T: Send> Results<T> {
    /// `visit`, and what it makes of a file is kept. Once the files with something to keep have [`MAX_TEXT`], no file is looked
    /// at any more: the error is what to say of it.
    fn keeping(
        &self,
        visit: impl Fn(Given<'_>) -> Option<T> + Sync,
    ) -> impl Fn(Given<'_>) -> Result<(), String> + Sync {
        move |given| {
            if self.text.load(Ordering::Relaxed) > MAX_TEXT {
                let most = MAX_TEXT >> 20;
                return Err(format!(
                    "it was not looked at: the files with cache mounts or builds have more than {most} MiB: name fewer of them at a time"
                ));
            }
            // What is too much to read is no result: half of it is in there.
            let visited = budget::within(given.source.len(), || visit(given));
            if let Some(result) = visited.map_err(|spent| spent.to_string())?
                && let Ok(mut kept) = self.kept.lock()
            {
                self.text.fetch_add(given.source.len(), Ordering::Relaxed);
                kept.push((given.path.to_path_buf(), result));
            }
            Ok(())
        }
    }

    /// All of it in order, with what else the run has come to.
    fn ran(self, (files, troubles): (usize, Vec<Trouble>), whole: bool) -> Ran<T> {
        let mut results = self.kept.into_inner().unwrap_or_default();
        results.sort_by(|(a, _), (b, _)| a.cmp(b));
        let results = results.into_iter().map(|(_, result)| result).collect();
        Ran {
            results,
            files,
            trouble: !troubles.is_empty(),
            troubles,
            whole,
        }
    }
}

/// A search of one folder.
struct Search<'r, 'a> {
    run: &'r Run<'a>,
    /// The folder.
    folder: &'r Path,
    /// The folder, where what excludes it does not count.
    root: Option<&'r Path>,
    /// How many files there were to look at.
    met: AtomicUsize,
    /// Whether something was excluded.
    excluded: AtomicBool,
}

impl Search<'_, '_> {
    /// Whether `loaded` excludes the file or folder at `path`; that is kept in mind.
    fn excludes(&self, path: &Path, loaded: Option<&Loaded>) -> bool {
        let excluded = loaded.is_some_and(|loaded| loaded.excludes(path, self.root));
        if excluded {
            self.excluded.store(true, Ordering::Relaxed);
        }
        excluded
    }
}

impl Visit for Search<'_, '_> {
    fn goes_into(&self, path: &Path) -> bool {
        !self.excludes(path, self.run.settled.of(path).as_deref())
    }

    fn visit(&self, path: &Path) {
        let loaded = self.run.settled.of(path);
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        // Asked first: a glob that matches what is found anyway has matched.
        let is_wanted = loaded.as_ref().is_some_and(|loaded| loaded.includes(path))
            || is_dockerfile(name)
            || kind(path).is_some()
            || (self.run.texts != Texts::None
                && lint::may_hold_locks(path.strip_prefix(self.folder).unwrap_or(path)));
        if !is_wanted || self.excludes(path, loaded.as_deref()) {
            return;
        }
        if !self.run.passes_by(path, loaded.as_deref()) {
            self.met.fetch_add(1, Ordering::Relaxed);
        }
        if self.run.is_new(path) {
            self.run.read_found(path, loaded);
        }
    }

    fn complain(&self, message: String) {
        self.run.complain(Trouble::of_run(message));
    }
}

struct Run<'a> {
    common: &'a Common,
    settled: &'a Settled,
    /// Whether to say what cannot be read.
    loud: bool,
    /// Which other files to look into.
    texts: Texts,
    visit: &'a (dyn Fn(Given<'_>) -> Result<(), String> + Sync),
    /// A file that is named and found as well is one file.
    done: Mutex<HashSet<PathBuf>>,
    files: AtomicUsize,
    troubles: Mutex<Vec<Trouble>>,
}

impl<'a> Run<'a> {
    fn new(
        common: &'a Common,
        settled: &'a Settled,
        loud: bool,
        visit: &'a (dyn Fn(Given<'_>) -> Result<(), String> + Sync),
    ) -> Self {
        Self {
            common,
            settled,
            loud,
            texts: Texts::None,
            visit,
            done: Mutex::default(),
            files: AtomicUsize::new(0),
            troubles: Mutex::default(),
        }
    }

    fn all(&self, paths: &[PathBuf]) {
        for path in paths {
            if path.as_os_str() == STDIN {
                if !self.is_new(path) {
                    continue;
                }
                let read = file::read_from(io::stdin().lock(), self.common.max_size());
                let name = self.common.stdin_filename.as_deref().unwrap_or(path);
                self.read(name, true, self.settled.of(name), read);
            } else if path.is_dir() {
                self.search(path);
            } else if self.is_new(path) {
                let loaded = self.settled.of(path);
                if self.common.force_exclude
                    && loaded
                        .as_ref()
                        .is_some_and(|loaded| loaded.excludes(path, None))
                {
                    continue;
                }
                let read = file::read(path, self.common.max_size());
                self.read(path, false, loaded, read);
            }
        }
    }

    /// Searches `folder`, and says where nothing was there to look at.
    fn search(&self, folder: &Path) {
        // A folder that is named is searched, whatever excludes it.
        let root = (!self.common.force_exclude).then_some(folder);
        let search = Search {
            run: self,
            folder,
            root,
            met: AtomicUsize::new(0),
            excluded: AtomicBool::new(false),
        };
        discover::search(folder, &search);
        if self.loud && search.met.into_inner() == 0 {
            let but = if search.excluded.into_inner() {
                " but for what the configuration excludes"
            } else {
                ""
            };
            complain(&format!("no Dockerfile below {}{but}", folder.display()));
        }
    }

    /// Whether the file at `path` is looked into by the way, and counts for nothing.
    fn passes_by(&self, path: &Path, loaded: Option<&Loaded>) -> bool {
        self.texts == Texts::Found && kind(path).is_none() && is_other(path, loaded)
    }

    /// Hands on a file that a search has found.
    fn read_found(&self, path: &Path, loaded: Option<Arc<Loaded>>) {
        let is_other = kind(path).is_none() && is_other(path, loaded.as_deref());
        let most = self.common.max_size();
        let most = if is_other { most.min(MAX_OTHER) } else { most };
        let read = file::read_found(path, most);
        // A file of another kind may be large, or binary.
        let is_no_text = matches!(read, Err(FileError::TooLarge(_) | FileError::Nul { .. }));
        if is_other && read.is_err() && (is_no_text || self.texts == Texts::Found) {
            return;
        }
        self.read(path, false, loaded, read);
    }

    /// Hands one file on, for which `loaded` holds, or says why not.
    fn read(
        &self,
        path: &Path,
        stdin: bool,
        loaded: Option<Arc<Loaded>>,
        read: Result<Vec<u8>, FileError>,
    ) {
        let source = match read {
            Ok(source) => source,
            Err(error) => {
                return self.complain(Trouble::with(report::path(path), error.to_string()));
            }
        };
        let Some(loaded) = loaded else { return };
        let settings = loaded.settings(path);
        let text = is_text(self.texts, self.common, path, Some(&loaded), &source);
        let given = Given {
            path,
            stdin,
            kind: kind(path),
            text,
            settings: &settings,
            source: &source,
        };
        match (self.visit)(given) {
            Ok(()) | Err(_) if text && self.passes_by(path, Some(&loaded)) => {}
            Ok(()) => _ = self.files.fetch_add(1, Ordering::Relaxed),
            Err(problem) => self.complain(Trouble::with(report::path(path), problem)),
        }
    }

    fn is_new(&self, path: &Path) -> bool {
        let path = || {
            std::path::absolute(path)
                .unwrap_or_else(|_| path.to_path_buf())
                .components()
                .collect()
        };
        self.common.paths.len() <= 1 || self.done.lock().is_ok_and(|mut done| done.insert(path()))
    }

    /// Says what went wrong, and keeps it in mind.
    fn complain(&self, trouble: Trouble) {
        if self.loud {
            complain(&trouble.to_string());
        }
        if let Ok(mut troubles) = self.troubles.lock() {
            troubles.push(trouble);
        }
    }

    /// How many files were read, and what went wrong.
    fn done(self) -> (usize, Vec<Trouble>) {
        let mut troubles = self.troubles.into_inner().unwrap_or_default();
        troubles.extend(self.settled.troubles());
        troubles.sort();
        (self.files.into_inner(), troubles)
    }
}
