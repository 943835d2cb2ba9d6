//! Going over the files that a command was given, several at a time.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::report;
use crate::workspace::{discover, file};

use super::terminal::complain;

/// What is known of a run's files when all are done.
#[derive(Debug)]
pub(super) struct Ran<T> {
    /// What was made of the files, ordered by path.
    pub(super) results: Vec<T>,
    /// How many files were read.
    pub(super) files: usize,
    /// Whether something could not be read. It has been said.
    pub(super) trouble: bool,
}

/// Standard input, as reports name it.
pub(super) const STDIN: &str = "-";

/// Hands every file below `paths` to `visit`, which keeps what it has to say about one, if anything. `visit` must not
/// hold on to the bytes.
pub(super) fn over<T: Send>(paths: &[PathBuf], visit: impl Fn(&Path, &[u8]) -> Option<T> + Sync) -> Ran<T> {
    go(paths, visit, complain)
}

/// Like [`over`], for a first pass: what cannot be read is said by the second.
pub(super) fn quietly<T: Send>(paths: &[PathBuf], visit: impl Fn(&Path, &[u8]) -> Option<T> + Sync) -> Ran<T> {
    go(paths, visit, |_| {})
}

fn go<T: Send>(
    paths: &[PathBuf],
    visit: impl Fn(&Path, &[u8]) -> Option<T> + Sync,
    complain: impl Fn(&str) + Sync,
) -> Ran<T> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    let results: Mutex<Vec<(PathBuf, T)>> = Mutex::default();
    let (seen, files, troubles) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let trouble = |path: &Path, what: &str| {
        troubles.fetch_add(1, Ordering::Relaxed);
        complain(&format!("{}: {what}", report::path(path)));
    };
    let one = |path: &Path, read: Result<(), file::FileError>, bytes: &[u8]| {
        seen.fetch_add(1, Ordering::Relaxed);
        match read {
            Ok(()) => {
                files.fetch_add(1, Ordering::Relaxed);
                if let Some(result) = visit(path, bytes)
                    && let Ok(mut results) = results.lock()
                {
                    results.push((path.to_path_buf(), result));
                }
            }
            Err(error) => trouble(path, &error.to_string()),
        }
    };
    // A file that is named and found as well is one file.
    let done: Mutex<HashSet<PathBuf>> = Mutex::default();
    let is_new = |path: &Path| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        paths.len() == 1 || done.lock().is_ok_and(|mut done| done.insert(path.components().collect()))
    };
    for path in paths {
        let mut buffer = Vec::new();
        if path.as_os_str() == STDIN {
            let read = file::read_from(io::stdin().lock(), &mut buffer);
            one(path, read, &buffer);
        } else if path.is_dir() {
            let before = seen.load(Ordering::Relaxed);
            discover::walk(path, 0, Vec::new, |buffer, found| match found {
                Ok(path) if !is_new(&path) => {}
                Ok(path) => {
                    let read = file::read_found(&path, buffer);
                    one(&path, read, buffer);
                }
                Err(error) => {
                    troubles.fetch_add(1, Ordering::Relaxed);
                    complain(&error.to_string());
                }
            });
            if seen.load(Ordering::Relaxed) == before {
                complain(&format!("no Dockerfile below {}", path.display()));
            }
        } else if is_new(path) {
            let read = file::read(path, &mut buffer);
            one(path, read, &buffer);
        }
    }
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by(|(a, _), (b, _)| a.cmp(b));
    let results = results.into_iter().map(|(_, result)| result).collect();
    Ran { results, files: files.into_inner(), trouble: troubles.into_inner() > 0 }
}
