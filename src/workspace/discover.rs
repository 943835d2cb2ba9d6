//! Finding Dockerfiles: by name below folders, on several threads, each file looked at where it is found.
//!
//! The walk is our own for three reasons. What says what to ignore is read within bounds ([`super::ignored`]), and only where
//! a folder's list shows it; configurations are met on the way down, so that no folder is asked for one; and no list of all
//! files stands in memory before the first is read.

use std::ffi::{OsStr, OsString};
use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf, is_separator};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;

use super::folder::{Folder, Found, Kind, Room};
use super::ignored::{Has, Ignored, Level, UsersList};
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
/// pre-commit passes no folders: they change together, and `tests/outer/precommit` compares them.
#[must_use]
pub fn is_dockerfile(name: &[u8]) -> bool {
    let is = |word: &[u8], lower: &[u8]| {
        let rest = name.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
            || [word, lower].iter().any(|end| {
                name.strip_suffix(*end)
                    .is_some_and(|stem| stem.ends_with(b"."))
            })
    };
    (is(b"Dockerfile", b"dockerfile") || is(b"Containerfile", b"containerfile"))
        && !name.ends_with(b".dockerignore")
}

/// What is done with what a search meets. Any of it is called from several threads.
pub trait Visit: Sync {
    /// What holds for the files of a folder, as far as the visitor needs to know.
    type Holds: Clone + Send;

    /// Whether the folder at `path`, in one where `holds` holds, is searched.
    fn goes_into(&self, path: &Path, holds: &Self::Holds) -> bool;

    /// What holds in `folder`, which has something of a name that was looked for.
    fn marked(&self, folder: &Path) -> Self::Holds;

    /// Whether a file that is called `name` may be wanted, wherever it is. Most are told from that, before anything is asked
    /// about their paths.
    fn may_want(&self, name: &[u8], holds: &Self::Holds) -> bool;

    /// Whether the file at `path`, which is called `name`, is to be visited.
    fn wants(&self, path: &Path, name: &[u8], holds: &Self::Holds) -> bool;

    /// Takes a file; `buffer` is the thread's, for any use.
    fn visit(&self, found: &Found<'_>, holds: &Self::Holds, buffer: &mut Vec<u8>);

    /// Takes why something could not be searched: a message with the path.
    fn complain(&self, message: String);
}

/// How a search goes.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// How many threads may work at once.
    pub threads: usize,
    /// Names that tell that something else holds in a folder.
    pub marks: &'a [&'a str],
    /// What the user ignores everywhere.
    pub users: &'a UsersList,
}

/// Shows `visitor` every file below `folder` that it wants, in no order. `holds` holds in `folder`; a folder below with
/// something named like one of the marks is asked for what holds there.
///
/// `.gitignore` and its kin are respected, in and out of a git repository; hidden folders are searched (`.devcontainer`
/// holds Dockerfiles), `.git` is not. Symbolic links are not followed. What a write that was cut short has left is no file
/// of anybody's, whatever is wanted. A folder whose `.gitignore` cannot be read within bounds is not searched, and that is
/// complained of.
pub fn search<V: Visit>(folder: &Path, options: Options<'_>, holds: V::Holds, visitor: &V) {
    let Options {
        threads,
        marks,
        users,
    } = options;
    // `a//` and `a/.` are `a`, in all that is found there.
    let folder: &Path = &folder.components().collect::<PathBuf>();
    let ignored = Ignored::below(folder, users, |around, reason| {
        visitor.complain(format!("{}: {reason}", shown(around)))
    });
    let first = Work::Folder {
        path: folder.to_path_buf(),
        level: None,
        holds,
    };
    let todo = Todo {
        work: vec![first],
        busy: 0,
        threads: 1,
        waiting: 0,
    };
    let search = Search {
        visitor,
        marks,
        ignored,
        threads,
        todo: Mutex::new(todo),
        more: Condvar::new(),
    };
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
    Folder {
        path: PathBuf,
        level: Option<Arc<Level>>,
        holds: H,
    },
    /// Files of one folder, which is not kept open for them: it would be one of many.
    Files {
        folder: Arc<Path>,
        names: Vec<OsString>,
        holds: H,
    },
}

/// What is in a folder.
struct Listed {
    /// The folder, open.
    folder: Folder,
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
        let (mut room, mut buffer) = (Room::default(), Vec::new());
        while let Some(work) = self.next() {
            let _busy = Busy(self);
            match work {
                Work::Files {
                    folder,
                    names,
                    holds,
                } => {
                    let mut below = Below::new(&folder);
                    for name in names {
                        self.visitor
                            .visit(&Found::new(below.path(&name)), &holds, &mut buffer);
                    }
                }
                Work::Folder { path, level, holds } => {
                    let mut more = Vec::new();
                    let mut below = Below::new(&path);
                    let own = self.folder(
                        &path,
                        level.as_ref(),
                        holds,
                        &mut below,
                        &mut room,
                        &mut more,
                    );
                    self.add(more, scope);
                    let Some((folder, names, holds)) = own else {
                        continue;
                    };
                    for name in names {
                        let found = Found::within(below.path(&name), &folder, &name);
                        self.visitor.visit(&found, &holds, &mut buffer);
                    }
                }
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
            if std::thread::Builder::new()
                .spawn_scoped(scope, || self.work(scope))
                .is_err()
            {
                break;
            }
            todo.threads += 1;
        }
        if todo.waiting > 0 {
            self.more.notify_all();
        }
    }

    /// The folder at `path`, open, with the names of the files to take and what holds for them; what else there is to do goes
    /// to `more`. `None` where it is not searched, which is said.
    fn folder(
        &self,
        path: &Path,
        level: Option<&Arc<Level>>,
        holds: V::Holds,
        below: &mut Below<'_>,
        room: &mut Room,
        more: &mut Vec<Work<V::Holds>>,
    ) -> Option<(Folder, Vec<OsString>, V::Holds)> {
        let is_root = path.as_os_str() == self.ignored.root().as_os_str();
        let listed = self.list(path, is_root, room)?;
        let level = match Level::below(level, path, listed.has) {
            Ok(level) => level,
            Err(reason) => {
                self.visitor
                    .complain(format!("{}: {reason}: it was not searched", shown(path)));
                return None;
            }
        };
        let left_out =
            |path: &Path, is_folder| self.ignored.leaves_out(level.as_deref(), path, is_folder);
        let is_marked = !is_root
            && listed
                .marks
                .iter()
                .any(|name| !left_out(&path.join(name), false));
        let holds = if is_marked {
            self.visitor.marked(path)
        } else {
            holds
        };
        for name in listed.folders {
            let path = below.path(&name);
            if !left_out(path, true) && self.visitor.goes_into(path, &holds) {
                more.push(Work::Folder {
                    path: path.to_path_buf(),
                    level: level.clone(),
                    holds: holds.clone(),
                });
            }
        }
        let mut files = listed.files;
        files.retain(|name| {
            let bytes = name.as_encoded_bytes();
            self.visitor.may_want(bytes, &holds) && {
                let path = below.path(name);
                !left_out(path, false) && self.visitor.wants(path, bytes, &holds)
            }
        });
        if files.len() > FILES_AT_ONCE {
            let folder: Arc<Path> = path.into();
            while files.len() > FILES_AT_ONCE {
                let names = files.split_off((files.len() - FILES_AT_ONCE).max(FILES_AT_ONCE));
                more.push(Work::Files {
                    folder: Arc::clone(&folder),
                    names,
                    holds: holds.clone(),
                });
            }
        }
        Some((listed.folder, files, holds))
    }

    /// What is in the folder at `path`; `None` where that cannot be seen, which is said. What has become a link since it was
    /// found is not followed.
    fn list(&self, path: &Path, is_root: bool, room: &mut Room) -> Option<Listed> {
        let refuse = |error| {
            self.visitor
                .complain(format!("{}: cannot search it: {error}", shown(path)))
        };
        let folder = Folder::open(path, is_root).map_err(refuse).ok()?;
        let (mut folders, mut files, mut marks, mut has) =
            (Vec::new(), Vec::new(), Vec::new(), Has::default());
        let listed = folder.list(room, |name, kind| {
            let kind = match kind {
                Ok(kind) => kind,
                Err(error) => {
                    let path = path.join(name);
                    return self
                        .visitor
                        .complain(format!("{}: cannot tell what it is: {error}", shown(&path)));
                }
            };
            let bytes = name.as_encoded_bytes();
            has.note(bytes);
            if kind == Kind::Folder {
                if bytes != b".git" {
                    folders.push(name.to_owned());
                }
                return;
            }
            if self.marks.iter().any(|mark| mark.as_bytes() == bytes) {
                marks.push(name.to_owned());
            }
            if kind == Kind::File && !is_leftover(bytes) {
                files.push(name.to_owned());
            }
        });
        // What was seen before is searched all the same.
        let _ = listed.map_err(refuse);
        Some(Listed {
            folder,
            folders,
            files,
            marks,
            has,
        })
    }
}

/// Paths in one folder, made one after the other in the same place. (A `PathBuf` looks at all of a path to take its last part
/// off again.)
struct Below<'f> {
    folder: &'f Path,
    text: OsString,
}

impl<'f> Below<'f> {
    fn new(folder: &'f Path) -> Self {
        Self {
            folder,
            text: OsString::with_capacity(folder.as_os_str().len() + 64),
        }
    }

    /// The path of `name` in the folder.
    fn path(&mut self, name: &OsStr) -> &Path {
        self.text.clear();
        self.text.push(self.folder);
        if !self
            .folder
            .as_os_str()
            .as_encoded_bytes()
            .last()
            .is_none_or(|last| is_separator(char::from(*last)))
        {
            self.text.push(MAIN_SEPARATOR_STR);
        }
        self.text.push(name);
        Path::new(&self.text)
    }
}

/// A path as it is named to people.
fn shown(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(".")
        .ok()
        .filter(|path| !path.as_os_str().is_empty())
        .unwrap_or(path)
        .display()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_what_join_makes_of_them() {
        for folder in ["", ".", "/", "a", "a/", "./a", "a b/c", "//a"] {
            let mut below = Below::new(Path::new(folder));
            for name in ["x", "long.Dockerfile", "y"] {
                assert_eq!(
                    below.path(OsStr::new(name)).as_os_str(),
                    Path::new(folder).join(name).as_os_str()
                );
            }
        }
    }

    #[test]
    fn names() {
        for name in [
            "Dockerfile",
            "Dockerfile.dev",
            "a.Dockerfile",
            "a.dockerfile",
            "Containerfile",
            "x.containerfile",
        ] {
            assert!(is_dockerfile(name.as_bytes()), "{name}");
        }
        for name in [
            "dockerfile2",
            "Dockerfile.dockerignore",
            "MyDockerfile",
            "Dockerfiles",
            "a.dockerignore",
            "dockerfile",
        ] {
            assert!(!is_dockerfile(name.as_bytes()), "{name}");
        }
    }
}
