//! Finding Dockerfiles: by name below folders, on several threads, each file looked at where it is found.
//!
//! The walk is our own for three reasons. What says what to ignore is read within bounds ([`super::ignored`]), and only where
//! a folder's list shows it; configurations are met on the way down, so that no folder is asked for one; and no list of all
//! files stands in memory before the first is read.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;

use super::ignored::{Has, Ignored, Level};
use super::temporary::is_leftover;

/// How many files of one folder are taken at once. What is more is work for other threads.
const FILES_AT_ONCE: usize = 16;

/// How many folders, or files at once, have to wait for each thread that is at work before another one starts: that costs
/// more than reading a few files.
const WAITING: usize = 4;

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

/// What is done with what a search meets. Any of it is called from several threads.
pub trait Visit: Sync {
    /// What holds for the files of a folder, as far as the visitor needs to know.
    type Holds: Clone + Send;

    /// Whether the folder at `path`, in one where `holds` holds, is searched.
    fn goes_into(&self, path: &Path, holds: &Self::Holds) -> bool;

    /// What holds in `folder`, which has something of a name that was looked for.
    fn marked(&self, folder: &Path) -> Self::Holds;

    /// Whether the file at `path`, which is called `name`, is to be visited.
    fn wants(&self, path: &Path, name: &[u8], holds: &Self::Holds) -> bool;

    /// Takes the file at `path`; `buffer` is the thread's, for any use.
    fn visit(&self, path: &Path, holds: &Self::Holds, buffer: &mut Vec<u8>);

    /// Takes why something could not be searched: a message with the path.
    fn complain(&self, message: String);
}

/// Shows `visitor` every file below `folder` that it wants, on up to `threads` threads, in no order. `holds` holds in
/// `folder`; a folder below with something named like one of `marks` is asked for what holds there.
///
/// `.gitignore` and its kin are respected, in and out of a git repository; hidden folders are searched (`.devcontainer`
/// holds Dockerfiles), `.git` is not. Symbolic links are not followed. What a write that was cut short has left is no file
/// of anybody's, whatever is wanted. A folder whose `.gitignore` cannot be read within bounds is not searched, and that is
/// complained of.
pub fn search<V: Visit>(folder: &Path, threads: usize, marks: &[&str], holds: V::Holds, visitor: &V) {
    let ignored = Ignored::below(folder, |around, reason| visitor.complain(format!("{}: {reason}", shown(around))));
    let first = Work::Folder { path: folder.to_path_buf(), level: None, holds };
    let todo = Todo { work: vec![first], busy: 0, threads: 1, waiting: 0 };
    let search = Search { visitor, marks, ignored, threads, todo: Mutex::new(todo), more: Condvar::new() };
    std::thread::scope(|scope| search.work(scope));
}

/// A search that is going on.
struct Search<'a, V: Visit> {
    visitor: &'a V,
    marks: &'a [&'a str],
    ignored: Ignored,
    /// How many may work at once.
    threads: usize,
    todo: Mutex<Todo<V::Holds>>,
    /// Told when there is more to do, and when there will be none.
    more: Condvar,
}

/// What is left to do.
struct Todo<H> {
    work: Vec<Work<H>>,
    /// How many threads are at something, which may turn out to be more work.
    busy: usize,
    /// How many threads there are.
    threads: usize,
    /// How many of them wait for more.
    waiting: usize,
}

/// What a thread takes at once.
enum Work<H> {
    /// A folder, in one where `level` and `holds` hold.
    Folder { path: PathBuf, level: Option<Arc<Level>>, holds: H },
    /// Files of one folder.
    Files { paths: Vec<PathBuf>, holds: H },
}

/// What is in a folder.
#[derive(Default)]
struct Listed {
    folders: Vec<OsString>,
    files: Vec<OsString>,
    /// Those of a name that is looked for.
    marks: Vec<OsString>,
    has: Has,
}

/// A thread at work. When it is done, or has panicked, the others know.
struct Busy<'s, 'a, V: Visit>(&'s Search<'a, V>);

impl<V: Visit> Drop for Busy<'_, '_, V> {
    fn drop(&mut self) {
        let mut todo = self.0.todo();
        todo.busy -= 1;
        if todo.busy == 0 && todo.waiting > 0 && todo.work.is_empty() {
            self.0.more.notify_all();
        }
    }
}

impl<V: Visit> Search<'_, V> {
    fn todo(&self) -> MutexGuard<'_, Todo<V::Holds>> {
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what there is to do until there is no more.
    fn work<'s>(&'s self, scope: &'s Scope<'s, '_>) {
        let mut buffer = Vec::new();
        while let Some(work) = self.next() {
            let _busy = Busy(self);
            let (paths, holds) = match work {
                Work::Files { paths, holds } => (paths, holds),
                Work::Folder { path, level, holds } => {
                    let mut more = Vec::new();
                    let Some(own) = self.folder(&path, level.as_ref(), holds, &mut more) else { continue };
                    self.add(more, scope);
                    own
                }
            };
            for path in paths {
                self.visitor.visit(&path, &holds, &mut buffer);
            }
        }
    }

    /// What to do next. Waits as long as others may find something; `None` when all is done.
    fn next(&self) -> Option<Work<V::Holds>> {
        let mut todo = self.todo();
        loop {
            if let Some(work) = todo.work.pop() {
                todo.busy += 1;
                return Some(work);
            }
            if todo.busy == 0 {
                return None;
            }
            todo.waiting += 1;
            todo = self.more.wait(todo).unwrap_or_else(PoisonError::into_inner);
            todo.waiting -= 1;
        }
    }

    /// Adds to what is to be done, and starts a thread where that is worth it.
    fn add<'s>(&'s self, more: Vec<Work<V::Holds>>, scope: &'s Scope<'s, '_>) {
        if more.is_empty() {
            return;
        }
        let mut todo = self.todo();
        todo.work.extend(more);
        while todo.threads < self.threads && todo.work.len() >= todo.threads * WAITING {
            // Where no more can be started, those that there are do it all.
            if std::thread::Builder::new().spawn_scoped(scope, || self.work(scope)).is_err() {
                break;
            }
            todo.threads += 1;
        }
        if todo.waiting > 0 {
            self.more.notify_all();
        }
    }

    /// The files to take in the folder at `path`, with what holds for them; what else there is to do goes to `more`. `None`
    /// where it is not searched, which is said.
    fn folder(
        &self,
        path: &Path,
        level: Option<&Arc<Level>>,
        holds: V::Holds,
        more: &mut Vec<Work<V::Holds>>,
    ) -> Option<(Vec<PathBuf>, V::Holds)> {
        let listed = self.list(path)?;
        let level = match Level::below(level, path, listed.has) {
            Ok(level) => level,
            Err(reason) => {
                self.visitor.complain(format!("{}: {reason}: it was not searched", shown(path)));
                return None;
            }
        };
        let left_out = |path: &Path, is_folder| self.ignored.leaves_out(level.as_deref(), path, is_folder);
        let is_root = path == self.ignored.root();
        let is_marked = !is_root && listed.marks.iter().any(|name| !left_out(&path.join(name), false));
        let holds = if is_marked { self.visitor.marked(path) } else { holds };
        let mut full = path.to_path_buf();
        for name in listed.folders {
            full.push(name);
            if !left_out(&full, true) && self.visitor.goes_into(&full, &holds) {
                more.push(Work::Folder { path: full.clone(), level: level.clone(), holds: holds.clone() });
            }
            full.pop();
        }
        let mut files = Vec::new();
        for name in listed.files {
            full.push(&name);
            if !left_out(&full, false) && self.visitor.wants(&full, name.as_encoded_bytes(), &holds) {
                if files.len() == FILES_AT_ONCE {
                    more.push(Work::Files { paths: std::mem::take(&mut files), holds: holds.clone() });
                }
                files.push(full.clone());
            }
            full.pop();
        }
        Some((files, holds))
    }

    /// What is in the folder at `path`; `None` where that cannot be seen, which is said.
    fn list(&self, path: &Path) -> Option<Listed> {
        let refuse = |error| self.visitor.complain(format!("{}: cannot search it: {error}", shown(path)));
        let entries = fs::read_dir(path).map_err(refuse).ok()?;
        let mut listed = Listed::default();
        for entry in entries {
            let (kind, name) = match entry.and_then(|entry| Ok((entry.file_type()?, entry.file_name()))) {
                Ok(entry) => entry,
                Err(error) => {
                    refuse(error);
                    continue;
                }
            };
            let bytes = name.as_encoded_bytes();
            listed.has.note(bytes);
            if kind.is_dir() {
                if bytes != b".git" {
                    listed.folders.push(name);
                }
                continue;
            }
            if self.marks.iter().any(|mark| mark.as_bytes() == bytes) {
                listed.marks.push(name.clone());
            }
            if kind.is_file() && !is_leftover(bytes) {
                listed.files.push(name);
            }
        }
        Some(listed)
    }
}

/// A path as it is named to people.
fn shown(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(".").ok().filter(|path| !path.as_os_str().is_empty()).unwrap_or(path).display()
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
