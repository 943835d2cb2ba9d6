//! Finds files below folders, without those that git ignores, by the walk of the crate `ignore`.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::gitignore::Gitignore;
use ignore::{Error, WalkBuilder, WalkState};

use super::temporary::is_leftover;

/// The largest `.gitignore` that is read, in bytes: each of its patterns takes a few hundred bytes of memory.
const MAX_SIZE: u64 = 256 * 1024;

/// Takes the files and folders of a search, from several threads.
pub trait Visit: Sync {
    fn goes_into(&self, path: &Path) -> bool;

    fn visit(&self, path: &Path);

    /// Takes a message, with the path, on something that could not be searched.
    fn warn(&self, message: String);
}

/// Shows `visitor` every file below `folder`, in no order, a folder before its content.
///
/// `.gitignore` and git's other lists are respected, outside of a repository as well. Hidden folders are searched,
/// because `.devcontainer` holds Dockerfiles; `.git` is not. Symbolic links are not followed, and leftovers of
/// interrupted writes are not shown. A folder with a refused `.gitignore` is not searched, with a warning.
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
    let refused = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&refused);
    let walk = WalkBuilder::new(folder)
        .hidden(false)
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
                let mut refused = keep.lock().unwrap_or_else(PoisonError::into_inner);
                refused.push((entry.path().to_path_buf(), reason));
            }
            is_searched
        })
        .build_parallel();
    walk.run(|| {
        Box::new(move |met| {
            match met {
                Ok(entry) if entry.depth() == 0 => {}
                Ok(entry) => match entry.file_type() {
                    Some(kind) if kind.is_dir() && !visitor.goes_into(entry.path()) => {
                        return WalkState::Skip;
                    }
                    Some(kind) if kind.is_file() => visitor.visit(entry.path()),
                    _ => {}
                },
                // No warning for a malformed glob in a `.gitignore`, nor for a folder that is gone.
                Err(error) => {
                    let reason = error.io_error();
                    if let Some(reason) = reason.filter(|why| why.kind() != ErrorKind::NotFound) {
                        warn(visitor, place(&error).unwrap_or(folder), reason);
                    }
                }
            }
            WalkState::Continue
        })
    });
    for (folder, reason) in &*refused.lock().unwrap_or_else(PoisonError::into_inner) {
        warn(visitor, folder, reason);
    }
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

/// Returns why the `.gitignore` in `folder` is not to be read, if so: a repository can bring a link to `/dev/zero`,
/// which the walk would read until no memory is left.
fn refusal(folder: &Path) -> Option<String> {
    let path = folder.join(".gitignore");
    let is_link = fs::symlink_metadata(&path).ok()?.is_symlink();
    let meta = fs::metadata(&path).ok()?;
    // A system's file can look like any other and never end.
    let is_system = is_link
        && fs::canonicalize(&path).is_ok_and(|real| {
            ["/dev", "/proc", "/sys"]
                .iter()
                .any(|folder| real.starts_with(folder))
        });
    if is_system || !(meta.is_file() || meta.is_dir()) {
        return Some("its .gitignore is not a regular file".into());
    }
    (meta.is_file() && meta.len() > MAX_SIZE)
        .then(|| format!("its .gitignore is larger than {} KiB", MAX_SIZE / 1024))
}

/// Returns the root of the repository around the absolute `folder`. As for git, it is not looked for in and above the folders
/// that `GIT_CEILING_DIRECTORIES` names.
pub fn repository(folder: &Path) -> Option<&Path> {
    let ceilings = env::var_os("GIT_CEILING_DIRECTORIES").unwrap_or_default();
    let ceilings: Vec<PathBuf> = env::split_paths(&ceilings).collect();
    let mut around = folder.ancestors();
    let is_below = |around: &&Path| *around == folder || !ceilings.iter().any(|at| at == around);
    around
        .by_ref()
        .take_while(is_below)
        .find(|around| is_repository(around))
}

pub fn is_repository(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join(".git")).is_ok()
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

/// Returns whether a list of git's in `folder` or around it leaves the file or folder `full` below it out.
pub fn is_ignored(folder: &Path, full: &Path) -> bool {
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
