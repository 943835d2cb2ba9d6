//! Finds files below folders, without those that git ignores, by the walk of the crate `ignore`.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;

use ignore::gitignore::Gitignore;
use ignore::{DirEntry, Error, WalkBuilder, WalkState};

use super::git;
use super::temporary::is_leftover;
use super::tree::{inside, is_repository, repository};

/// The largest `.gitignore` that is read, in bytes: each of its patterns takes a few hundred bytes of memory.
const MAX_SIZE: u64 = 256 * 1024;

/// Takes the files and folders of a search, from several threads.
pub trait Visit: Sync {
    fn goes_into(&self, path: &Path) -> bool;

    fn visit(&self, path: &Path);

    /// Takes a symbolic link, after all files. It may be followed where it stays in `tree`.
    fn visit_link(&self, path: &Path, tree: &Path);

    /// Takes a message, with the path, on something that could not be searched.
    fn warn(&self, message: String);
}

/// The files and links of a search.
#[derive(Default)]
struct Found {
    links: BTreeSet<PathBuf>,
    /// The files that git tracks and that were not visited yet.
    tracked: HashSet<PathBuf>,
    /// Folders that were not searched, and why.
    refused: Vec<(PathBuf, String)>,
}

/// Shows `visitor` every file below `folder`, in no order, a folder before its content.
///
/// `.gitignore` and git's other lists are respected, outside of a repository as well, but for files that git tracks: a list
/// hides nothing from a gate that a change can bring. Hidden folders are searched, because `.devcontainer` holds Dockerfiles;
/// `.git` is not. Symbolic links to folders are not followed, and leftovers of interrupted writes are not shown. A folder with
/// a refused `.gitignore` is not searched, with a warning.
pub fn search(folder: &Path, visitor: &impl Visit) {
    // `a//` and `a/.` become `a` in all paths found.
    let folder: &Path = &folder.components().collect::<PathBuf>();
    let real = fs::canonicalize(folder).unwrap_or_default();
    let repository = repository(&real);
    // Git asks no folder around a repository; where there is none, every folder around is asked.
    let around = real
        .ancestors()
        .take_while(|around| repository.is_none_or(|root| around.starts_with(root)));
    for (depth, around) in around.enumerate() {
        if let Some(reason) = refusal(around) {
            return warn(visitor, if depth == 0 { folder } else { around }, reason);
        }
    }
    let tree = repository.unwrap_or(&real);
    let found = Arc::new(Mutex::new(Found::default()));
    if let Some(root) = repository {
        let below = real.strip_prefix(root).unwrap_or(Path::new(""));
        lock(&found).add_tracked(root, below, folder, visitor);
    }
    let keep = Arc::clone(&found);
    let mut walk = WalkBuilder::new(folder);
    walk.hidden(false)
        .ignore(false)
        .require_git(repository.is_some())
        .filter_entry(move |entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            if !is_folder {
                return !is_leftover(entry.file_name().as_encoded_bytes());
            }
            let reason = refusal(entry.path());
            let is_searched = reason.is_none() && entry.file_name() != ".git";
            if let Some(reason) = reason {
                let refused = (entry.path().to_path_buf(), reason);
                lock(&keep).refused.push(refused);
            }
            is_searched
        });
    let met = |met| meet(met, folder, visitor, &found);
    match threads() {
        0 => {
            let mut left_out: Option<PathBuf> = None;
            for entry in walk.build() {
                let path = entry.as_ref().ok().map(|entry| entry.path().to_path_buf());
                let is_left_out = |path: &PathBuf| {
                    left_out
                        .as_ref()
                        .is_some_and(|folder| path.starts_with(folder))
                };
                if !path.as_ref().is_some_and(is_left_out) && met(entry) == WalkState::Skip {
                    left_out = path;
                }
            }
        }
        count => walk.threads(count).build_parallel().run(|| Box::new(met)),
    }
    let found = std::mem::take(&mut *lock(&found));
    for (folder, reason) in &found.refused {
        warn(visitor, folder, reason);
    }
    found.visit_rest(folder, tree, visitor);
}

fn lock(found: &Mutex<Found>) -> MutexGuard<'_, Found> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the number of threads that can be started, as many as there are processors at most.
fn threads() -> usize {
    let most = thread::available_parallelism().map_or(1, usize::from);
    // All have to be there at once.
    let gate = RwLock::new(());
    thread::scope(|scope| {
        let held = gate.write();
        let wait = || drop(gate.read());
        let start = |_| thread::Builder::new().spawn_scoped(scope, wait).ok();
        let count = (0..most).map_while(start).count();
        drop(held);
        count
    })
}

/// Takes what the walk of `folder` has met.
fn meet(
    met: Result<DirEntry, Error>,
    folder: &Path,
    visitor: &impl Visit,
    found: &Mutex<Found>,
) -> WalkState {
    let entry = match met {
        Ok(entry) if entry.depth() == 0 => return WalkState::Continue,
        Ok(entry) => entry,
        // No warning for a malformed glob in a `.gitignore`, nor for a folder that is gone.
        Err(error) => {
            let reason = error.io_error();
            if let Some(reason) = reason.filter(|why| why.kind() != ErrorKind::NotFound) {
                warn(visitor, place(&error).unwrap_or(folder), reason);
            }
            return WalkState::Continue;
        }
    };
    let path = entry.path();
    match entry.file_type() {
        Some(kind) if kind.is_dir() => {
            lock(found).tracked.remove(path);
            if !visitor.goes_into(path) {
                return WalkState::Skip;
            }
            if is_repository(path) {
                lock(found).add_tracked(path, Path::new(""), path, visitor);
            }
        }
        Some(kind) if kind.is_file() => {
            lock(found).tracked.remove(path);
            visitor.visit(path);
        }
        Some(kind) if kind.is_symlink() => {
            let mut found = lock(found);
            found.tracked.remove(path);
            found.links.insert(path.to_path_buf());
        }
        _ => {}
    }
    WalkState::Continue
}

impl Found {
    /// Adds what git tracks in the repository at `root`, in its folder `below`, which the search calls `folder`.
    fn add_tracked(&mut self, root: &Path, below: &Path, folder: &Path, visitor: &impl Visit) {
        match git::tracked(root) {
            Ok(names) => {
                let names = names
                    .iter()
                    .filter_map(|name| std::str::from_utf8(name).ok());
                let names = names.filter_map(|name| Path::new(name).strip_prefix(below).ok());
                self.tracked.extend(names.map(|name| folder.join(name)));
            }
            Err(why) => warn(visitor, root, format!("its .git/index: {why}")),
        }
    }

    /// Visits what the walk has passed by though git tracks it, and links.
    fn visit_rest(mut self, folder: &Path, tree: &Path, visitor: &impl Visit) {
        let mut hidden: Vec<PathBuf> = self.tracked.drain().collect();
        hidden.sort();
        for path in hidden {
            let below = path.strip_prefix(folder).unwrap_or(&path);
            let is_plain = |part: Component<'_>| matches!(part, Component::Normal(name) if !name.eq_ignore_ascii_case(".git"));
            let mut folders = path
                .ancestors()
                .skip(1)
                .take_while(|around| *around != folder);
            let goes_into = |around: &Path| is_folder(around) && visitor.goes_into(around);
            if !below.components().all(is_plain) || !folders.all(goes_into) {
                continue;
            }
            match fs::symlink_metadata(&path) {
                Ok(meta) if meta.is_file() => visitor.visit(&path),
                Ok(meta) if meta.is_symlink() => drop(self.links.insert(path)),
                Ok(meta) if meta.is_dir() && is_repository(&path) && visitor.goes_into(&path) => {
                    search(&path, visitor);
                }
                _ => {}
            }
        }
        for link in &self.links {
            visitor.visit_link(link, tree);
        }
    }
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

fn warn(visitor: &impl Visit, path: &Path, reason: impl std::fmt::Display) {
    let path = match path.strip_prefix(".") {
        Ok(shown) if !shown.as_os_str().is_empty() => shown,
        _ => path,
    };
    visitor.warn(format!("{}: cannot search it: {reason}", path.display()));
}

fn place(error: &Error) -> Option<&Path> {
    match error {
        Error::WithPath { path, .. } => Some(path),
        Error::WithDepth { err, .. } => place(err),
        _ => None,
    }
}

/// Returns why a list of git's in `folder` is not to be read, if so: a repository can bring a link to `/dev/zero`, which the
/// walk would read until no memory is left, or to somebody's file.
fn refusal(folder: &Path) -> Option<String> {
    let own = || refusal_of(&folder.join(".gitignore"), folder);
    own().or_else(|| {
        let (_, shared) = git::folders(folder)?;
        refusal_of(&shared.join("info/exclude"), &shared)
    })
}

/// Returns why the list at `path` is not to be read, if so: it may be a link within `tree`, or the repository around it.
fn refusal_of(path: &Path, tree: &Path) -> Option<String> {
    let is_link = fs::symlink_metadata(path).ok()?.is_symlink();
    let meta = fs::metadata(path).ok()?;
    let name = path.file_name().unwrap_or_default().display();
    let leads_out = || inside(path, repository(tree).unwrap_or(tree)).is_none();
    if !(meta.is_file() || meta.is_dir()) {
        return Some(format!("its {name} is not a regular file"));
    }
    // A system's file can look like any other and never end.
    if is_link && leads_out() {
        return Some(format!(
            "its {name} is a link that leads out of the repository"
        ));
    }
    (meta.is_file() && meta.len() > MAX_SIZE)
        .then(|| format!("its {name} is larger than {} KiB", MAX_SIZE / 1024))
}

/// Returns whether `path`, relative to `folder`, is there or would be ignored.
pub fn is_there_or_ignored(folder: &Path, path: &Path) -> bool {
    if !path
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return false;
    }
    let full = folder.join(path);
    fs::symlink_metadata(&full).is_ok() || is_ignored(folder, &full)
}

/// Returns whether a list of git's in `folder` or around it leaves the file or folder `full` below it out, and git does not
/// track it all the same.
pub fn is_left_out(folder: &Path, full: &Path) -> bool {
    is_ignored(folder, full) && !is_tracked(full)
}

fn is_tracked(full: &Path) -> bool {
    let root = full.parent().and_then(repository);
    let tracked =
        root.and_then(|root| Some((full.strip_prefix(root).ok()?, git::tracked(root).ok()?)));
    tracked.is_some_and(|(path, names)| {
        let mut names = names
            .iter()
            .filter_map(|name| std::str::from_utf8(name).ok());
        names.any(|name| Path::new(name) == path)
    })
}

/// Returns whether a list of git's in `folder` or around it leaves the file or folder `full` below it out.
fn is_ignored(folder: &Path, full: &Path) -> bool {
    let ignores = |around: &Path| {
        refusal(around).is_none()
            && Gitignore::new(around.join(".gitignore"))
                .0
                .matched_path_or_any_parents(full, full.is_dir() || !full.exists())
                .is_ignore()
    };
    let root = repository(folder);
    folder
        .ancestors()
        .take_while(|around| root.is_none_or(|root| around.starts_with(root)))
        .any(ignores)
}
