//! What git leaves out, as `.gitignore` and its kin say, read within bounds.
//!
//! A repository can bring a `.gitignore` that is a link to `/dev/zero`, a pipe, or so many patterns that they fill the
//! memory. The `ignore` crate matches the patterns; its own walk would read such a file whatever it is.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bstr::ByteSlice as _;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::file;

/// The files that say what to ignore. What an earlier one says of a path holds, whatever the later ones say.
const NAMES: [&str; 3] = [".ignore", ".gitignore", ".git/info/exclude"];

/// The most bytes of such files that hold in a folder, those of the folders around it counted: each pattern takes a few
/// hundred bytes of memory.
const MAX_SIZE: u64 = 256 * 1024;

/// What a file counts for at least: each of them is asked about everything below it.
const LEAST_SIZE: u64 = 2048;

/// The most bytes of git's own files that say where its folder is.
const MAX_LINK: u64 = 4096;

/// Which of [`NAMES`] a folder may have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Has([bool; 3]);

impl Has {
    /// Takes note of an entry of the folder.
    pub(super) fn note(&mut self, name: &[u8]) {
        match name {
            b".ignore" => self.0[0] = true,
            b".gitignore" => self.0[1] = true,
            b".git" => self.0[2] = true,
            _ => {}
        }
    }

    /// Asks the disk.
    fn of(folder: &Path) -> Self {
        Self(
            [".ignore", ".gitignore", ".git"]
                .map(|name| folder.join(name).symlink_metadata().is_ok()),
        )
    }

    /// Without what is git's.
    fn without_git(self) -> Self {
        Self([self.0[0], false, false])
    }
}

/// What a folder says is to be ignored.
#[derive(Debug)]
pub(super) struct Level {
    around: Option<Arc<Level>>,
    /// What each of [`NAMES`] says.
    patterns: [Gitignore; 3],
    /// Whether a repository begins here: git asks no folder around it. `.ignore` is not git's.
    is_repository: bool,
    /// The bytes that were read for it, those of the folders around counted.
    size: u64,
}

impl Level {
    /// What holds in `folder`, which has what `has` says, when `around` holds around it.
    ///
    /// # Errors
    /// Why it cannot be told, for people.
    pub(super) fn below(
        around: Option<&Arc<Self>>,
        folder: &Path,
        has: Has,
    ) -> Result<Option<Arc<Self>>, String> {
        if has.0 == [false; 3] {
            return Ok(around.cloned());
        }
        let mut size = around.map_or(0, |around| around.size);
        let mut patterns = [Gitignore::empty(), Gitignore::empty(), Gitignore::empty()];
        for ((name, has), patterns) in NAMES.iter().zip(has.0).zip(&mut patterns) {
            if !has {
                continue;
            }
            let path = if *name == NAMES[2] {
                exclude(folder)
            } else {
                folder.join(name)
            };
            let Some(text) = read(&path, name, MAX_SIZE.saturating_sub(size))? else {
                continue;
            };
            size += LEAST_SIZE.max(text.len() as u64);
            *patterns = compiled(folder, &text);
        }
        Ok(Some(Arc::new(Self {
            around: around.cloned(),
            patterns,
            is_repository: has.0[2],
            size,
        })))
    }

    fn upward(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |level| level.around.as_deref())
    }
}

/// The bytes of the file at `path`, which messages call `name`; `None` where there is none.
fn read(path: &Path, name: &str, max: u64) -> Result<Option<Vec<u8>>, String> {
    let Ok(meta) = fs::metadata(path) else {
        return Ok(None);
    };
    if meta.is_dir() {
        return Ok(None);
    }
    // A file of the system's may look like any other, and never end.
    let of_system = |real: PathBuf| {
        ["/dev", "/proc", "/sys"]
            .iter()
            .any(|folder| real.starts_with(folder))
    };
    if !meta.is_file() || path.is_symlink() && fs::canonicalize(path).is_ok_and(of_system) {
        return Err(format!("its {name} is no regular file"));
    }
    let mut text = Vec::new();
    match file::open(path, true).and_then(|file| file.take(max + 1).read_to_end(&mut text)) {
        Ok(_) if text.len() as u64 <= max => Ok(Some(text)),
        Ok(_) => {
            let (limit, files) = (MAX_SIZE / 1024, MAX_SIZE / LEAST_SIZE);
            Err(format!(
                "what it and the folders around it say is to be ignored is more than {limit} KiB, or {files} files"
            ))
        }
        // Git goes on as well; a container's user may not read what is around a checkout.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        Err(error) => Err(format!("cannot read its {name}: {error}")),
    }
}

/// Where the repository in `folder` has its own list. In a submodule, or a work tree beside another one, `.git` is a file that
/// names the folder; a work tree's names the repository's.
fn exclude(folder: &Path) -> PathBuf {
    let named = |path: &Path, before: &str| {
        let text = read(path, ".git", MAX_LINK).ok()??;
        Some(PathBuf::from(
            text.to_str().ok()?.trim().strip_prefix(before)?.trim(),
        ))
    };
    let git = folder.join(".git");
    let git = named(&git, "gitdir:").map_or(git, |named| folder.join(named));
    let common = named(&git.join("commondir"), "").map(|common| git.join(common));
    common.unwrap_or(git).join("info/exclude")
}

/// The patterns that `text` has for what is in `folder`.
fn compiled(folder: &Path, text: &[u8]) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    for line in text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).lines() {
        // A line that is no glob is nobody's to complain of here; the others hold.
        let _ = line
            .to_str()
            .map(|line| builder.add_line(None, line).is_ok());
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// The user's own list of what git ignores (`core.excludesFile`).
///
/// The `ignore` crate would find it, too, by a regular expression: making that takes longer than looking at a hundred
/// Dockerfiles.
#[derive(Debug)]
pub struct UsersList {
    /// What its patterns are relative to.
    here: PathBuf,
    path: Option<PathBuf>,
}

impl UsersList {
    /// The list that git, in the folder `here`, takes in the environment that `variable` tells of, for the user whose folder
    /// is `home`: what one of the configurations names, or else the one that it is by default.
    pub fn find(
        here: PathBuf,
        home: Option<&Path>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let given = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let own = given("XDG_CONFIG_HOME")
            .or_else(|| Some(home?.join(".config")))
            .map(|path| path.join("git"));
        // The first of them is read in place of the user's own.
        let users = match given("GIT_CONFIG_GLOBAL") {
            Some(path) => [Some(path), None],
            None => [
                home.map(|home| home.join(".gitconfig")),
                own.as_ref().map(|own| own.join("config")),
            ],
        };
        let system = given("GIT_CONFIG_SYSTEM").or_else(|| Some("/etc/gitconfig".into()));
        let named = |path: PathBuf| named_list(&fs::read(path).ok()?, home);
        let path = users.into_iter().chain([system]).flatten().find_map(named);
        Self {
            here,
            path: path.or_else(|| Some(own?.join("ignore"))),
        }
    }

    fn patterns(&self) -> Gitignore {
        let Some(path) = self.path.as_ref().filter(|path| path.is_file()) else {
            return Gitignore::empty();
        };
        let mut builder = GitignoreBuilder::new(&self.here);
        // A line that is no glob is nobody's to complain of here; the others hold.
        let _ = builder.add(path);
        builder.build().unwrap_or_else(|_| Gitignore::empty())
    }
}

/// The path that a configuration of git with the bytes `text` names as the list, `~` being `home`.
fn named_list(text: &[u8], home: Option<&Path>) -> Option<PathBuf> {
    const KEY: &str = "excludesfile";
    let value = |line: &[u8]| {
        let (key, value) = line.split_once_str("=")?;
        let value = value.to_str().ok()?.trim();
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next()?,
            None => value.split(['#', ';']).next()?.trim_end(),
        };
        key.trim()
            .eq_ignore_ascii_case(KEY.as_bytes())
            .then(|| value.to_owned())
    };
    // The last one holds.
    let value = text
        .lines()
        .filter_map(value)
        .next_back()
        .filter(|value| !value.is_empty())?;
    Some(match (value.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => value.into(),
    })
}

/// What is ignored below a folder that is searched.
pub(super) struct Ignored {
    root: PathBuf,
    /// The same folder, by its whole path.
    real: PathBuf,
    /// What the folders around it say.
    around: Option<Arc<Level>>,
    /// What the user's own configuration of git says (`core.excludesFile`).
    users: Gitignore,
}

impl Ignored {
    /// What is ignored below `root`. `refuse` is told of folders around it whose word cannot be read, and does not count.
    pub(super) fn below(
        root: &Path,
        users: &UsersList,
        mut refuse: impl FnMut(&Path, String),
    ) -> Self {
        let real = fs::canonicalize(root).unwrap_or_default();
        let mut around = None;
        let folders: Vec<&Path> = real.ancestors().collect();
        let repository = folders
            .iter()
            .position(|folder| folder.join(".git").symlink_metadata().is_ok());
        for (index, folder) in folders.into_iter().enumerate().skip(1).rev() {
            let has = Has::of(folder);
            // A repository asks nothing of git's that is around it.
            let has = if repository.is_some_and(|repository| repository < index) {
                has.without_git()
            } else {
                has
            };
            match Level::below(around.as_ref(), folder, has) {
                Ok(level) => around = level,
                Err(reason) => refuse(folder, format!("{reason}: that is left out")),
            }
        }
        Self {
            root: root.to_path_buf(),
            around,
            users: users.patterns(),
            real,
        }
    }

    /// The folder that is searched.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether `path`, in a folder below the root where `level` holds, is left out.
    pub(super) fn leaves_out(&self, level: Option<&Level>, path: &Path, is_folder: bool) -> bool {
        let mut said: [Option<bool>; 3] = [None; 3];
        let mut git = true;
        let mut ask = |level: Option<&Level>, path: &Path| {
            for level in level.into_iter().flat_map(Level::upward) {
                for (kind, patterns) in level.patterns.iter().enumerate() {
                    if said[kind].is_none() && (git || kind == 0) {
                        said[kind] = ignores(patterns, path, is_folder);
                    }
                }
                git &= !level.is_repository;
            }
        };
        ask(level, path);
        if let Some(around) = &self.around
            && let Ok(path) = path.strip_prefix(&self.root)
        {
            ask(Some(around), &self.real.join(path));
        }
        said.into_iter()
            .flatten()
            .next()
            .or_else(|| ignores(&self.users, path, is_folder))
            .unwrap_or(false)
    }
}

/// Whether `patterns` ignore `path`; `None` where they say nothing of it.
fn ignores(patterns: &Gitignore, path: &Path, is_folder: bool) -> Option<bool> {
    match patterns.matched(path, is_folder) {
        Match::None => None,
        found => Some(found.is_ignore()),
    }
}

/// Whether `path`, relative to `folder`, is there, or would be left out if it were.
#[must_use]
pub fn is_there_or_ignored(folder: &Path, path: &Path) -> bool {
    if !path
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return false;
    }
    let full = folder.join(path);
    if full.symlink_metadata().is_ok() {
        return true;
    }
    for folder in folder.ancestors() {
        // What a search cannot read has been told of.
        let Ok(Some(level)) = Level::below(None, folder, Has::of(folder)) else {
            continue;
        };
        if level.patterns.iter().any(|patterns| {
            patterns
                .matched_path_or_any_parents(&full, true)
                .is_ignore()
        }) {
            return true;
        }
        if level.is_repository {
            break;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_s_list_is_what_a_configuration_names() {
        let named = |text: &str| named_list(text.as_bytes(), Some(Path::new("/home/me")));
        for text in [
            "[core]\n\texcludesFile = /a/list\n",
            "[core]\r\n  ExcludesFile=\"/a/list\"\r\n",
            "[user]\nname = x\n[core]\nexcludesfile =   /a/list",
            "excludesfile = /a/list # mine\n",
            "excludesfile = \"/a/list\" ; mine\n",
            "[core]\nexcludesfile = /b\nexcludesfile = /a/list\n",
        ] {
            assert_eq!(named(text), Some("/a/list".into()), "{text}");
        }
        assert_eq!(
            named("excludesfile = ~/list\n"),
            Some("/home/me/list".into())
        );
        assert_eq!(
            named("excludesfile = \"/a b/list\"\n"),
            Some("/a b/list".into())
        );
        for text in [
            "",
            "excludesfiles = /a",
            "excludesfile =\n",
            "# excludesfile = /a",
            "excludesfile /a",
            "exclud",
        ] {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn by_every_folder_up_to_the_repository_s_root() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(".gitignore", "/outside/\n");
        write("repository/.git/info/exclude", "mine\n");
        write("repository/.gitignore", "vendor/\n*.old\n");
        write("repository/a/.gitignore", "/out\n");
        write("repository/a/kept/x", "");
        let folder = root.path().join("repository/a");
        for path in ["vendor", "b/vendor/c", "out", "kept", "x.old", "mine"] {
            assert!(is_there_or_ignored(&folder, Path::new(path)), "{path}");
        }
        for path in ["vendr", "b/out", "outside", "../a/kept", ""] {
            let expected = path.is_empty();
            assert_eq!(
                is_there_or_ignored(&folder, Path::new(path)),
                expected,
                "{path}"
            );
        }
    }
}
