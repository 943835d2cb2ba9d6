//! Git, as far as `--diff` asks it: what a file was at the commit where a branch left a revision.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

/// Why git has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GitError {
    /// It cannot be started.
    #[error("--diff needs git: {0}")]
    NotStarted(String),
    /// It says something else.
    #[error("--diff: {0}")]
    Answer(String),
}

/// What a file was.
pub enum Past {
    /// It was not there, or git knows nothing of it.
    New,
    /// What it is.
    Same,
    /// Something else: these bytes.
    Was(Vec<u8>),
}

/// The repositories that the files of a run lie in, by the folder of their work tree.
pub struct Repositories {
    revision: String,
    known: HashMap<PathBuf, Result<Rc<Repository>, GitError>>,
}

/// A work tree, compared with one commit.
pub struct Repository {
    root: PathBuf,
    /// The commit; `None` for a submodule that was not there.
    base: Option<String>,
    /// Changed files with what they were, if they were there; all below `root`.
    changed: HashMap<PathBuf, Option<Object>>,
    /// Every file that git knows, below `root`.
    tracked: HashSet<PathBuf>,
    /// Who reads the objects, once there is one to be read.
    reader: RefCell<Option<Reader>>,
}

/// What git calls a file's content.
struct Object(String);

impl Repositories {
    pub fn new(revision: &str) -> Self {
        Self {
            revision: revision.to_owned(),
            known: HashMap::new(),
        }
    }

    /// The repository that `folder`, which is absolute, lies in.
    pub fn of(&mut self, folder: &Path) -> Result<Rc<Repository>, GitError> {
        let root = match folder
            .ancestors()
            .find(|folder| folder.join(".git").exists())
        {
            Some(root) => root.to_path_buf(),
            // It may lie elsewhere, as the environment says; or git says that there is none.
            None => path(&git(folder, ["rev-parse", "--show-toplevel"])?),
        };
        if let Some(known) = self.known.get(&root) {
            return known.clone();
        }
        let repository = self.open(&root).map(Rc::new);
        self.known.insert(root, repository.clone());
        repository
    }

    /// What the file `path`, which is absolute, was. `read` says that its content comes from elsewhere.
    pub fn past(&mut self, path: &Path, read: bool) -> Result<Past, GitError> {
        let repository = self.of(path.parent().unwrap_or(path))?;
        let name = path
            .strip_prefix(&repository.root)
            .unwrap_or(path)
            .to_path_buf();
        let (Some(base), true) = (&repository.base, repository.tracked.contains(&name)) else {
            return Ok(Past::New);
        };
        match repository.changed.get(&name) {
            Some(None) => Ok(Past::New),
            Some(Some(old)) => repository.read(old).map(Past::Was),
            None if read => {
                let blob = [
                    OsStr::new("cat-file"),
                    OsStr::new("blob"),
                    &named(base, &name),
                ]
                .map(OsStr::to_os_string);
                git(&repository.root, blob).map(Past::Was)
            }
            None => Ok(Past::Same),
        }
    }

    fn open(&mut self, root: &Path) -> Result<Repository, GitError> {
        let root = path(&git(root, ["rev-parse", "--show-toplevel"])?);
        let outer = path(&git(
            &root,
            ["rev-parse", "--show-superproject-working-tree"],
        )?);
        // In a submodule of a repository that the run began in, the revision is that one's.
        let base = match self.known.get(&outer).cloned() {
            Some(outer) => submodule(&root, &*outer?)?,
            None => Some(self.base(&root)?),
        };
        let tracked = names(&git(&root, ["ls-files", "-z"])?)
            .map(PathBuf::from)
            .collect();
        let mut changed = HashMap::new();
        if let Some(base) = &base {
            let mut words = without_filters(&root)?;
            // What a submodule's files are is asked in the submodule: here, git would start itself in each of them.
            let diff = [
                "diff",
                "--raw",
                "--no-abbrev",
                "-z",
                "-M",
                "--no-ext-diff",
                "--no-relative",
            ];
            words.extend(
                diff.iter()
                    .chain(&["--ignore-submodules=all", base, "--"])
                    .map(Into::into),
            );
            let raw = git(&root, words)?;
            let mut words = names(&raw);
            while let (Some(entry), Some(name)) = (words.next(), words.next()) {
                // `:100644 100644 OLD NEW M`, with a number behind the letter of a rename.
                let entry = entry.to_string_lossy();
                let mut entry = entry.split(' ');
                let (old, status) = (
                    entry.nth(2).unwrap_or_default(),
                    entry.next_back().unwrap_or_default(),
                );
                match status.as_bytes().first() {
                    Some(b'A') => changed.insert(name.into(), None),
                    Some(b'R' | b'C') => changed.insert(
                        words.next().unwrap_or(name).into(),
                        Some(Object(old.to_owned())),
                    ),
                    // What is in conflict has a second line, which says what it was.
                    Some(b'U') => None,
                    _ => changed.insert(name.into(), Some(Object(old.to_owned()))),
                };
            }
        }
        Ok(Repository {
            root,
            base,
            changed,
            tracked,
            reader: RefCell::default(),
        })
    }

    /// The commit at which HEAD's branch left the revision.
    fn base(&self, root: &Path) -> Result<String, GitError> {
        let revision = &self.revision;
        let commit = format!("{revision}^{{commit}}");
        git(root, ["rev-parse", "--quiet", "--verify", &commit]).map_err(|_| {
            GitError::Answer(format!(
                "in {}, git knows no revision `{revision}`; a workflow may have to fetch it first",
                root.display()
            ))
        })?;
        let base = git(root, ["merge-base", revision, "HEAD"]).map_err(|_| {
            GitError::Answer(format!(
                "no commit that `{revision}` and HEAD have in common is here: fetch more history"
            ))
        })?;
        Ok(String::from_utf8_lossy(&base).trim().to_owned())
    }
}

/// The commit that the submodule at `root` had at the base of the repository around it; `None` where it was not there.
fn submodule(root: &Path, outer: &Repository) -> Result<Option<String>, GitError> {
    let Some(base) = &outer.base else {
        return Ok(None);
    };
    let name = root.strip_prefix(&outer.root).unwrap_or(root);
    let verify = [
        OsStr::new("rev-parse"),
        OsStr::new("--quiet"),
        OsStr::new("--verify"),
        &named(base, name),
    ];
    let Ok(commit) = git(&outer.root, verify) else {
        return Ok(None);
    };
    let commit = String::from_utf8_lossy(&commit).trim().to_owned();
    let there = git(root, ["cat-file", "-e", &format!("{commit}^{{commit}}")]);
    let missing = |_| {
        GitError::Answer(format!(
            "the commit {commit} of the submodule {} is not here: fetch it",
            root.display()
        ))
    };
    there.map_err(missing).map(|_| Some(commit))
}

impl Repository {
    /// Returns the content of `object`. One process reads all that a run asks for.
    fn read(&self, object: &Object) -> Result<Vec<u8>, GitError> {
        let Object(name) = object;
        let mut reader = self.reader.borrow_mut();
        let reader = match &mut *reader {
            Some(reader) => reader,
            none => none.insert(Reader::start(&self.root).map_err(not_started)?),
        };
        let missing = || format!("git has no object {name}: fetch more history");
        let content = match reader.read(name) {
            Ok(content) => content.ok_or_else(missing),
            Err(error) => Err(format!("git says no more: {error}")),
        };
        content.map_err(GitError::Answer)
    }
}

fn not_started(error: io::Error) -> GitError {
    GitError::NotStarted(error.to_string())
}

/// `git cat-file --batch`: asked for one object after the other.
struct Reader {
    process: Child,
    /// `None` once it is told that no more is asked for.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Reader {
    fn start(root: &Path) -> io::Result<Self> {
        let mut command = command(root);
        let mut process = command
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = process.stdin.take();
        let answers = process
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("it has no output"))?;
        Ok(Self {
            process,
            questions,
            answers: BufReader::new(answers),
        })
    }

    /// The content of the object `name`; `None` where git has none.
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        if let Some(questions) = &mut self.questions {
            writeln!(questions, "{name}")?;
            questions.flush()?;
        }
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        // `OBJECT blob SIZE`, or `OBJECT missing`.
        let Some(size) = head
            .trim_end()
            .rsplit(' ')
            .next()
            .and_then(|size| size.parse::<u64>().ok())
        else {
            return Ok(None);
        };
        let mut content = Vec::new();
        // A newline stands behind it.
        self.answers
            .by_ref()
            .take(size + 1)
            .read_to_end(&mut content)?;
        match content.pop() {
            Some(b'\n') => Ok(Some(content)),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.questions.take());
        // It ends by itself when nothing is asked any more.
        let _ = self.process.wait();
    }
}

/// What git calls the content of `path` at `commit`.
fn named(commit: &str, path: &Path) -> OsString {
    let mut object = OsString::from(commit);
    object.push(":");
    object.push(path);
    object
}

/// The names in a list that git ends each with a NUL byte.
fn names(list: &[u8]) -> impl Iterator<Item = &OsStr> {
    list.split(|b| *b == 0)
        .filter(|name| !name.is_empty())
        .map(os)
}

/// The path on the only line of `line`.
fn path(line: &[u8]) -> PathBuf {
    PathBuf::from(os(line.strip_suffix(b"\n").unwrap_or(line)))
}

/// Options that take every filter away which a configuration of the repository at `root` names: comparing files with a
/// commit would start its program for them. A file that only its filter makes the same then counts as changed, and its
/// old content is compared as it is.
fn without_filters(root: &Path) -> Result<Vec<OsString>, GitError> {
    // Git fails where there is none; where the configuration cannot be read, the next command says so.
    let list = [
        "config",
        "--null",
        "--name-only",
        "--get-regexp",
        r"^filter\.",
    ];
    let list = git(root, list).unwrap_or_default();
    let mut options = Vec::new();
    for name in names(&list) {
        let name = name.as_encoded_bytes();
        let Some(driver) = memchr::memrchr(b'.', name).map(|end| &name[..end]) else {
            continue;
        };
        if driver.contains(&b'=') {
            let why =
                "git's configuration has a filter with `=` in its name, which cannot be turned off";
            return Err(GitError::Answer(why.into()));
        }
        for setting in [".clean=", ".process=", ".required=false"] {
            let mut option = os(driver).to_os_string();
            option.push(setting);
            options.extend(["-c".into(), option]);
        }
    }
    Ok(options)
}

/// What is said to git before any command: nothing that a repository names is started (a file monitor, hooks, a pager), a
/// folder that only looks like a repository's inside is none, and nothing is written.
const CAREFUL: &[&str] = &[
    "--literal-pathspecs",
    "--no-pager",
    "--no-optional-locks",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "safe.bareRepository=explicit",
];

/// What git prints.
fn git<A: AsRef<OsStr>>(
    folder: &Path,
    args: impl IntoIterator<Item = A>,
) -> Result<Vec<u8>, GitError> {
    let output = command(folder).args(args).output().map_err(not_started)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().next().unwrap_or("nothing, but fails");
    Err(GitError::Answer(format!("git says: {first}")))
}

/// Git in `folder`, with care.
fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(CAREFUL);
    if folder.join(".git").exists() {
        // A hook's environment names the repository that it runs for, which need not be the file's.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(name);
        }
    }
    command
}

#[cfg(unix)]
fn os(bytes: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}

#[cfg(not(unix))]
fn os(bytes: &[u8]) -> &OsStr {
    OsStr::new(std::str::from_utf8(bytes).unwrap_or_default())
}
