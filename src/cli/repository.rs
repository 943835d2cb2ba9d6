//! Git, for `--diff`: the content of a file at the commit where a branch left a revision.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;

use crate::workspace::tree::{is_repository, repository};

#[derive(Clone, Debug, thiserror::Error)]
pub enum GitError {
    #[error("--diff needs git: {0}")]
    NotStarted(String),
    #[error("--diff: {0}")]
    Answer(String),
}

/// A file at the commit that it is compared with.
pub enum OldVersion {
    /// It did not exist, or git does not know it.
    New,
    Same,
    /// Other bytes.
    Was(Vec<u8>),
}

/// The repositories around the files of a run, by the folder of their work tree.
pub struct Repositories {
    revision: String,
    known: HashMap<PathBuf, Result<Rc<Repository>, GitError>>,
}

/// A work tree, compared with one commit.
pub struct Repository {
    root: PathBuf,
    /// The commit; `None` for a submodule that did not exist.
    base: Option<String>,
    /// Changed files below `root`, with the names of their old objects, if any.
    changed: HashMap<PathBuf, Option<String>>,
    /// Every file that git knows, below `root`.
    tracked: HashSet<PathBuf>,
    /// Reads objects; started by the first one.
    reader: RefCell<Option<ObjectReader>>,
}

impl Repositories {
    pub fn new(revision: &str) -> Self {
        Self {
            revision: revision.to_owned(),
            known: HashMap::new(),
        }
    }

    /// Returns the repository around the absolute `folder`.
    pub fn of(&mut self, folder: &Path) -> Result<Rc<Repository>, GitError> {
        let root = match repository(folder) {
            Some(root) => root.to_path_buf(),
            // Its `.git` may lie elsewhere, by the environment; or git reports that there is none.
            None => path(folder, ["rev-parse", "--show-toplevel"])?,
        };
        if let Some(known) = self.known.get(&root) {
            return known.clone();
        }
        let repository = self.open(&root).map(Rc::new);
        self.known.insert(root, repository.clone());
        repository
    }

    /// Returns the old content of the absolute `path`. `is_read` says that its new content comes from elsewhere.
    pub fn past(&mut self, path: &Path, is_read: bool) -> Result<OldVersion, GitError> {
        let repository = self.of(path.parent().unwrap_or(path))?;
        let name = path.strip_prefix(&repository.root).unwrap_or(path);
        let Some(base) = &repository.base else {
            return Ok(OldVersion::New);
        };
        match repository.changed.get(name) {
            _ if !repository.tracked.contains(name) => Ok(OldVersion::New),
            Some(None) => Ok(OldVersion::New),
            Some(Some(old)) => repository.read(old).map(OldVersion::Was),
            None if is_read => {
                let object = object(base, name);
                let blob = [OsStr::new("cat-file"), OsStr::new("blob"), &object];
                git(&repository.root, blob).map(OldVersion::Was)
            }
            None => Ok(OldVersion::Same),
        }
    }

    fn open(&mut self, root: &Path) -> Result<Repository, GitError> {
        let root = path(root, ["rev-parse", "--show-toplevel"])?;
        let outer = path(&root, ["rev-parse", "--show-superproject-working-tree"])?;
        // In a submodule of a repository that the run began in, the revision is that one's.
        let base = match self.known.get(&outer).cloned() {
            Some(outer) => submodule(&root, &*outer?)?,
            None => Some(self.base(&root)?),
        };
        let tracked = git(&root, ["ls-files", "-z"])?;
        let changed = base.as_ref().map(|base| changed(&root, base));
        Ok(Repository {
            changed: changed.transpose()?.unwrap_or_default(),
            tracked: names(&tracked).map(PathBuf::from).collect(),
            root,
            base,
            reader: RefCell::default(),
        })
    }

    /// Returns the commit at which HEAD's branch left the revision.
    fn base(&self, root: &Path) -> Result<String, GitError> {
        let revision = &self.revision;
        let commit = format!("{revision}^{{commit}}");
        git(root, ["rev-parse", "--quiet", "--verify", &commit]).map_err(|_| {
            let root = root.display();
            GitError::Answer(format!(
                "in {root}, git knows no revision `{revision}`; a workflow may have to fetch it first"
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

/// Returns the files that differ from the commit `base`, each with the name of its old object.
fn changed(root: &Path, base: &str) -> Result<HashMap<PathBuf, Option<String>>, GitError> {
    let mut words = without_filters(root)?;
    // A submodule's files are asked in the submodule: here, git would start itself in each of them.
    let diff = "diff --raw --no-abbrev -z -M --no-ext-diff --no-relative --ignore-submodules=all";
    words.extend(diff.split(' ').chain([base, "--"]).map(OsString::from));
    let raw = git(root, words)?;
    let mut changed = HashMap::new();
    let mut words = names(&raw);
    while let (Some(entry), Some(name)) = (words.next(), words.next()) {
        // `:100644 100644 OLD NEW M`, with a number behind the letter of a rename.
        let entry = entry.to_string_lossy();
        let mut entry = entry.split(' ');
        let old = entry.nth(2).map(str::to_owned);
        let status = entry.next_back().unwrap_or_default();
        match status.as_bytes().first() {
            Some(b'A') => changed.insert(name.into(), None),
            Some(b'R' | b'C') => changed.insert(words.next().unwrap_or(name).into(), old),
            // A file in conflict has a second line with its old object.
            Some(b'U') => None,
            _ => changed.insert(name.into(), old),
        };
    }
    Ok(changed)
}

/// Returns the commit of the submodule at `root` at the base of the repository around it; `None` where it did not
/// exist.
fn submodule(root: &Path, outer: &Repository) -> Result<Option<String>, GitError> {
    let Some(base) = &outer.base else {
        return Ok(None);
    };
    let name = object(base, root.strip_prefix(&outer.root).unwrap_or(root));
    let verify = ["rev-parse", "--quiet", "--verify"].map(OsStr::new);
    let Ok(commit) = git(&outer.root, verify.into_iter().chain([name.as_os_str()])) else {
        return Ok(None);
    };
    let commit = String::from_utf8_lossy(&commit).trim().to_owned();
    let there = git(root, ["cat-file", "-e", &format!("{commit}^{{commit}}")]);
    let missing = |_| {
        let root = root.display();
        GitError::Answer(format!(
            "the commit {commit} of the submodule {root} is not here: fetch it"
        ))
    };
    there.map_err(missing).map(|_| Some(commit))
}

impl Repository {
    /// Returns the content of the object `name`. One process reads all objects of a run.
    fn read(&self, name: &str) -> Result<Vec<u8>, GitError> {
        let mut reader = self.reader.borrow_mut();
        let reader = match &mut *reader {
            Some(reader) => reader,
            none => {
                none.insert(ObjectReader::start(&self.root).map_err(|error| not_started(&error))?)
            }
        };
        let missing = || format!("git has no object {name}: fetch more history");
        let content = match reader.read(name) {
            Ok(content) => content.ok_or_else(missing),
            Err(error) => Err(format!("git says no more: {error}")),
        };
        content.map_err(GitError::Answer)
    }
}

fn not_started(error: &io::Error) -> GitError {
    GitError::NotStarted(error.to_string())
}

/// `git cat-file --batch`: asked for one object after the other.
struct ObjectReader {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl ObjectReader {
    fn start(root: &Path) -> io::Result<Self> {
        let mut command = command(root);
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped());
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let answers = process.stdout.take();
        Ok(Self {
            process,
            answers: BufReader::new(answers.ok_or(io::ErrorKind::BrokenPipe)?),
        })
    }

    /// Returns the content of the object `name`; `None` where git has none.
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        if let Some(questions) = &mut self.process.stdin {
            writeln!(questions, "{name}")?;
        }
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        // `OBJECT blob SIZE`, or `OBJECT missing`.
        let size = head.trim_end().rsplit(' ').next();
        let Some(size) = size.and_then(|size| size.parse::<u64>().ok()) else {
            return Ok(None);
        };
        // A newline stands behind it.
        let mut content = Vec::new();
        let mut answer = self.answers.by_ref().take(size + 1);
        answer.read_to_end(&mut content)?;
        match content.pop() {
            Some(b'\n') => Ok(Some(content)),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        // Its closed input ends it.
        let _ = self.process.wait();
    }
}

fn object(commit: &str, path: &Path) -> OsString {
    let mut object = OsString::from(commit);
    object.push(":");
    object.push(path);
    object
}

/// Returns the NUL-terminated names of git's `list`.
fn names(list: &[u8]) -> impl Iterator<Item = &OsStr> {
    let names = list.split(|byte| *byte == 0);
    names.filter(|name| !name.is_empty()).map(os)
}

fn path<const N: usize>(folder: &Path, args: [&str; N]) -> Result<PathBuf, GitError> {
    let line = git(folder, args)?;
    Ok(PathBuf::from(os(line.strip_suffix(b"\n").unwrap_or(&line))))
}

/// Returns options that disable every filter of the configuration of the repository at `root`: comparing files with a
/// commit would start its program. A file equal only after filtering then counts as changed, and its old content is
/// compared unfiltered.
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

/// Options before any git command: nothing that a repository names is started (a file monitor, hooks, a pager) or read (a
/// pipe would never end), a folder that only looks like a repository's inside is none, and nothing is written.
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
    "-c",
    "core.attributesFile=/dev/null",
    "-c",
    "core.excludesFile=/dev/null",
    "-c",
    "diff.orderFile=/dev/null",
];

fn git<A: AsRef<OsStr>>(
    folder: &Path,
    args: impl IntoIterator<Item = A>,
) -> Result<Vec<u8>, GitError> {
    let output = command(folder)
        .args(args)
        .output()
        .map_err(|error| not_started(&error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().next().unwrap_or("nothing, but fails");
    Err(GitError::Answer(format!("git says: {first}")))
}

/// Returns git in `folder` with options and environment against a hostile repository.
fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(CAREFUL);
    if is_repository(folder) {
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
