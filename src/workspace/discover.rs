//! Finding Dockerfiles: by name below folders, and any file that is named outright.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::ignored;
use super::temporary::is_leftover;

/// Whether a file of this name is a Dockerfile: `Dockerfile`, `Dockerfile.*`, `*.Dockerfile`, `*.dockerfile`, the same
/// with `Containerfile`, and never `*.dockerignore`.
///
/// The `files` of `.pre-commit-hooks.yaml` and `.pre-commit-config.yaml` say the same as a regular expression, for
/// pre-commit passes no folders: they change together, and `tests/precommit` compares them.
#[must_use]
pub fn is_dockerfile(name: &[u8]) -> bool {
    let is = |word: &[u8], lower: &[u8]| {
        let rest = name.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
            || [word, lower].iter().any(|end| name.strip_suffix(*end).is_some_and(|stem| stem.ends_with(b".")))
    };
    (is(b"Dockerfile", b"dockerfile") || is(b"Containerfile", b"containerfile")) && !name.ends_with(b".dockerignore")
}

/// A place that could not be searched.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct WalkError {
    /// What went wrong, with the path.
    pub message: String,
}

/// What there is below a folder.
#[derive(Debug, Default)]
pub struct Found {
    /// The files that were wanted, in no order.
    pub files: Vec<PathBuf>,
    /// The folders that hold something of a name that was looked for, in no order.
    pub marked: Vec<PathBuf>,
    /// The places that could not be searched.
    pub errors: Vec<WalkError>,
}

/// What one thread has found; it goes to the others' when the thread is done.
struct Part<'a> {
    found: Found,
    all: &'a Mutex<Found>,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if let Ok(mut all) = self.all.lock() {
            all.files.append(&mut self.found.files);
            all.marked.append(&mut self.found.marked);
            all.errors.append(&mut self.found.errors);
        }
    }
}

/// Finds every file below `folder` that is `wanted`, on up to `threads` threads at once, and the folders that hold
/// something named like one of `marks`.
///
/// `.gitignore` and its kin are respected, in and out of a git repository; hidden folders are searched (`.devcontainer`
/// holds Dockerfiles), `.git` and what is `pruned` is not. Symbolic links are not followed. What a write that was cut short
/// has left is no file of anybody's, whatever is wanted. A folder whose `.gitignore` cannot be read within bounds is not
/// searched, and that is among the errors.
pub fn find(
    folder: &Path,
    threads: usize,
    marks: &[&str],
    wanted: impl Fn(&Path, &[u8]) -> bool + Sync,
    pruned: impl Fn(&Path) -> bool + Send + Sync + 'static,
) -> Found {
    let all: Arc<Mutex<Found>> = Arc::default();
    let refuse = |all: &Mutex<Found>, path: &Path, reason: &str| {
        let message = format!("{}: {reason}", path.strip_prefix(".").unwrap_or(path).display());
        if let Ok(mut all) = all.lock() {
            all.errors.push(WalkError { message });
        }
    };
    // Those of the folders around count as well, as long as they can be read.
    let real = std::fs::canonicalize(folder).unwrap_or_default();
    let parents = real.ancestors().skip(1).all(|around| {
        let reason = ignored::refused(Path::new("/"), around);
        if let Some(reason) = &reason {
            refuse(&all, around, &reason.replace("it was not searched", "that is left out"));
        }
        reason.is_none()
    });
    if let Some(reason) = ignored::refused(folder, folder) {
        refuse(&all, folder, &reason);
        return taken(&all);
    }
    let (root, noted) = (folder.to_path_buf(), Arc::clone(&all));
    let is_refused = move |path: &Path| {
        let reason = ignored::refused(&root, path);
        if let Some(reason) = &reason {
            refuse(&noted, path, reason);
        }
        reason.is_some()
    };
    let goes_on = move |entry: &DirEntry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        !is_folder
            || entry.depth() == 0
            || (entry.file_name() != ".git" && !pruned(entry.path()) && !is_refused(entry.path()))
    };
    let walker = WalkBuilder::new(folder)
        .hidden(false)
        .require_git(false)
        .parents(parents)
        .threads(threads)
        .filter_entry(goes_on)
        .build_parallel();
    walker.run(|| {
        let mut part = Part { found: Found::default(), all: &all };
        let wanted = &wanted;
        Box::new(move |entry| {
            let found = &mut part.found;
            match entry {
                Ok(entry) => {
                    let Some(kind) = entry.file_type().filter(|kind| !kind.is_dir()) else {
                        return WalkState::Continue;
                    };
                    let name = entry.file_name().as_encoded_bytes();
                    if marks.iter().any(|mark| mark.as_bytes() == name) {
                        found.marked.extend(entry.path().parent().map(Path::to_path_buf));
                    }
                    if kind.is_file() && !is_leftover(name) && wanted(entry.path(), name) {
                        found.files.push(entry.into_path());
                    }
                }
                Err(error) => found.errors.push(WalkError { message: error.to_string() }),
            }
            WalkState::Continue
        })
    });
    taken(&all)
}

/// What all threads have found.
fn taken(all: &Mutex<Found>) -> Found {
    all.lock().map(|mut all| std::mem::take(&mut *all)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::is_dockerfile;

    #[test]
    fn names() {
        for name in ["Dockerfile", "Dockerfile.dev", "a.Dockerfile", "a.dockerfile", "Containerfile", "x.containerfile"]
        {
            assert!(is_dockerfile(name.as_bytes()), "{name}");
        }
        for name in
            ["dockerfile2", "Dockerfile.dockerignore", "MyDockerfile", "Dockerfiles", "a.dockerignore", "dockerfile"]
        {
            assert!(!is_dockerfile(name.as_bytes()), "{name}");
        }
    }
}
