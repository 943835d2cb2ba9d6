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

/// Calls `visit` for every file below `folder` that is `wanted`, on several threads at once.
///
/// `.gitignore` and its kin are respected, in and out of a git repository; hidden folders are searched (`.devcontainer`
/// holds Dockerfiles), `.git` and what is `pruned` is not. Symbolic links are not followed. What a write that was cut short
/// has left is no file of anybody's, whatever is wanted. A folder whose `.gitignore` cannot be read within bounds is not
/// searched, and `visit` gets to know.
pub fn walk<S: Send>(
    folder: &Path,
    threads: usize,
    wanted: impl Fn(&Path, &[u8]) -> bool + Sync,
    pruned: impl Fn(&Path) -> bool + Send + Sync + 'static,
    state: impl Fn() -> S,
    visit: impl Fn(&mut S, Result<PathBuf, WalkError>) + Sync,
) {
    let is_folder = |entry: &DirEntry| entry.depth() > 0 && entry.file_type().is_some_and(|kind| kind.is_dir());
    let refused: Arc<Mutex<Vec<WalkError>>> = Arc::default();
    let refuse = |path: &Path, reason: &str| {
        let message = format!("{}: {reason}", path.strip_prefix(".").unwrap_or(path).display());
        visit(&mut state(), Err(WalkError { message }));
    };
    // Those of the folders around count as well, as long as they can be read.
    let real = std::fs::canonicalize(folder).unwrap_or_default();
    let parents = real.ancestors().skip(1).all(|around| {
        let reason = ignored::refused(Path::new("/"), around);
        reason.iter().for_each(|reason| refuse(around, &reason.replace("it was not searched", "that is left out")));
        reason.is_none()
    });
    if let Some(reason) = ignored::refused(folder, folder) {
        return refuse(folder, &reason);
    }
    let (root, noted) = (folder.to_path_buf(), Arc::clone(&refused));
    let is_refused = move |path: &Path| {
        let Some(reason) = ignored::refused(&root, path) else { return false };
        if let Ok(mut refused) = noted.lock() {
            let path = path.strip_prefix(".").unwrap_or(path).display();
            refused.push(WalkError { message: format!("{path}: {reason}") });
        }
        true
    };
    let left_out = move |entry: &DirEntry| is_folder(entry) && (pruned(entry.path()) || is_refused(entry.path()));
    let walker = WalkBuilder::new(folder)
        .hidden(false)
        .require_git(false)
        .parents(parents)
        .threads(threads)
        .filter_entry(move |entry| entry.file_name() != ".git" && !left_out(entry))
        .build_parallel();
    walker.run(|| {
        let mut state = state();
        let (visit, wanted) = (&visit, &wanted);
        Box::new(move |entry| {
            match entry {
                Ok(entry) => {
                    let name = entry.file_name().as_encoded_bytes();
                    if entry.file_type().is_some_and(|kind| kind.is_file())
                        && !is_leftover(name)
                        && wanted(entry.path(), name)
                    {
                        visit(&mut state, Ok(entry.into_path()));
                    }
                }
                Err(error) => visit(&mut state, Err(WalkError { message: error.to_string() })),
            }
            WalkState::Continue
        })
    });
    let refused = refused.lock().map(|mut refused| std::mem::take(&mut *refused)).unwrap_or_default();
    refused.into_iter().for_each(|error| visit(&mut state(), Err(error)));
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
