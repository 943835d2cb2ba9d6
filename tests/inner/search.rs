//! What a search finds, against the walk of the `ignore` crate, on trees that nobody would make.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use cachelane::workspace::discover::{self, Options, Visit};
use cachelane::workspace::folder::Found;
use cachelane::workspace::ignored::UsersList;
use ignore::WalkBuilder;
use proptest::prelude::*;

/// Keeps every file, and what is complained of.
#[derive(Default)]
struct All {
    files: Mutex<BTreeSet<PathBuf>>,
    complaints: Mutex<Vec<String>>,
}

impl Visit for All {
    /// The nearest folder with a mark.
    type Holds = PathBuf;

    fn goes_into(&self, path: &Path, _: &PathBuf) -> bool {
        !path.ends_with("pruned")
    }

    fn marked(&self, folder: &Path) -> PathBuf {
        folder.to_path_buf()
    }

    fn may_want(&self, _: &[u8], _: &PathBuf) -> bool {
        true
    }

    fn wants(&self, path: &Path, name: &[u8], _: &PathBuf) -> bool {
        assert!(path.file_name().unwrap().as_encoded_bytes() == name);
        true
    }

    fn visit(&self, found: &Found<'_>, holds: &PathBuf, _: &mut Vec<u8>) {
        let path = found.path;
        assert!(path.starts_with(holds));
        assert!(
            self.files.lock().unwrap().insert(path.to_path_buf()),
            "{} twice",
            path.display()
        );
    }

    fn complain(&self, message: String) {
        self.complaints.lock().unwrap().push(message);
    }
}

fn found(root: &Path, threads: usize) -> BTreeSet<PathBuf> {
    let all = All::default();
    let users = UsersList::find(std::env::current_dir().unwrap(), None, |name| {
        std::env::var_os(name)
    });
    discover::search(
        root,
        Options {
            threads,
            marks: &["mark"],
            users: &users,
        },
        root.to_path_buf(),
        &all,
    );
    assert_eq!(all.complaints.into_inner().unwrap(), Vec::<String>::new());
    all.files.into_inner().unwrap()
}

fn expected(root: &Path) -> BTreeSet<PathBuf> {
    let is_no_git = |entry: &ignore::DirEntry| entry.depth() == 0 || entry.file_name() != ".git";
    let walk = WalkBuilder::new(root)
        .hidden(false)
        .filter_entry(is_no_git)
        .build();
    let entries = walk
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    entries.map(ignore::DirEntry::into_path).collect()
}

const FOLDERS: &[&str] = &["a", "b", ".hidden", "a.log"];
const FILES: &[&str] = &["Dockerfile", "a", "x.log", ".hidden.log", "mark"];
const PATTERNS: &[&str] = &[
    "a",
    "/a",
    "a/",
    "!a",
    "!/a/",
    "*.log",
    "!x.log",
    "b/Dockerfile",
    "/b/a",
    "**/b",
    "a/**",
    "!a/b",
    "Dock*",
    ".*",
    "# a",
    "\\#",
    "",
    "*",
    "!*/",
    "!Dockerfile",
    "[a",
    "a/b/",
    "\u{FEFF}b",
    " a ",
    "x.log ",
    "mark",
];

/// Folders by name, one in another, with a file's name and its lines.
fn trees() -> impl Strategy<Value = Vec<(Vec<&'static str>, &'static str, Vec<&'static str>)>> {
    let folders = prop::collection::vec(prop::sample::select(FOLDERS), 0..4);
    let lines = prop::collection::vec(prop::sample::select(PATTERNS), 1..4);
    let ignoring = prop::sample::select(&[".gitignore", ".ignore", ".git/info/exclude"][..]);
    let file = prop_oneof![3 => prop::sample::select(FILES), 1 => ignoring];
    prop::collection::vec((folders, file, lines), 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(20),
        ..ProptestConfig::default()
    })]

    #[test]
    fn files_are_ignored_where_the_crate_s_own_walk_ignores_them(tree in trees(), inner in any::<bool>()) {
        let root = tempfile::tempdir().unwrap();
        // As in a repository: without, the crate asks no `.gitignore`, and we do.
        fs::create_dir(root.path().join(".git")).unwrap();
        for (folders, name, lines) in &tree {
            let path = root.path().join(folders.iter().collect::<PathBuf>()).join(name);
            // What is a file already is no folder.
            if fs::create_dir_all(path.parent().unwrap()).is_ok() && !path.is_dir() {
                let _ = fs::write(path, lines.join("\n"));
            }
        }
        let start = root.path().join(if inner { "a" } else { "" });
        if start.is_dir() {
            let expected = expected(&start);
            prop_assert_eq!(found(&start, 1), expected.clone());
            prop_assert_eq!(found(&start, 3), expected);
        }
    }
}

/// The user's home may be a repository that ignores all but some files.
#[test]
fn a_repository_does_not_ask_the_one_around_it() {
    let root = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put(".git/HEAD", "");
    put(".gitignore", "*\n");
    put("work/.git/HEAD", "");
    put("work/Dockerfile", "");
    assert_eq!(found(&root.path().join("work"), 1).len(), 1);
    assert_eq!(found(root.path(), 1).len(), 0);
    // That is no file of git's.
    put(".ignore", "Dockerfile\n");
    assert_eq!(found(&root.path().join("work"), 1).len(), 0);
}

/// In a work tree beside another one, and in a submodule, `.git` is a file.
#[test]
fn what_a_repository_excludes_for_itself() {
    let root = tempfile::tempdir().unwrap();
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "protocol.file.allow=always",
        ]);
        let done = command
            .args(args)
            .current_dir(root.path())
            .output()
            .expect("this test needs git");
        assert!(
            done.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    git(&["init", "-q", "main"]);
    git(&["-C", "main", "commit", "-q", "--allow-empty", "-m", "one"]);
    git(&["-C", "main", "worktree", "add", "-q", "../tree"]);
    git(&["init", "-q", "outer"]);
    git(&[
        "-C",
        "outer",
        "submodule",
        "--quiet",
        "add",
        "../main",
        "inner",
    ]);
    fs::write(root.path().join("main/.git/info/exclude"), "Dockerfile\n").unwrap();
    fs::write(
        root.path().join("outer/.git/modules/inner/info/exclude"),
        "Dockerfile\n",
    )
    .unwrap();
    for folder in ["main", "tree", "outer/inner"] {
        let folder = root.path().join(folder);
        fs::write(folder.join("Dockerfile"), "").unwrap();
        fs::write(folder.join("a.Dockerfile"), "").unwrap();
        let names: Vec<_> = found(&folder, 1)
            .iter()
            .map(|path| path.file_name().unwrap().to_owned())
            .collect();
        assert!(
            names.contains(&"a.Dockerfile".into()) && !names.contains(&"Dockerfile".into()),
            "{names:?}"
        );
    }
}

/// What nobody asks cannot be wrong.
#[test]
fn what_is_around_a_repository_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("work/.git")).unwrap();
    fs::write(root.path().join("work/Dockerfile"), "").unwrap();
    fs::write(root.path().join(".gitignore"), "x\n".repeat(200_000)).unwrap();
    assert_eq!(found(&root.path().join("work"), 1).len(), 1);
}

#[test]
fn many_files_and_many_folders_on_many_threads() {
    let root = tempfile::tempdir().unwrap();
    let mut all = BTreeSet::new();
    let names = (0..300).map(|number| format!("{number}.Dockerfile"));
    for path in names.chain(
        (0..300).map(|number| format!("f{}/f{}/f{number}/Dockerfile", number % 3, number % 7)),
    ) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        all.insert(path);
    }
    fs::create_dir(root.path().join("pruned")).unwrap();
    fs::write(root.path().join("pruned/Dockerfile"), "").unwrap();
    for threads in [1, 2, 16] {
        assert_eq!(found(root.path(), threads), all);
    }
}

#[cfg(unix)]
#[test]
fn what_the_user_s_own_git_ignores_is_ignored_wherever_it_says_so() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for name in ["Dockerfile", "mine.Dockerfile"] {
        write(
            &format!("work/{name}"),
            "FROM a\nRUN --mount=type=cache,id=a,target=/a,sharing=locked x\n",
        );
    }
    write("patterns", "mine.*\n");
    let patterns = root.path().join("patterns");
    let config = format!("[core]\n\tExcludesFile = {}\n", patterns.display());
    for folder in [
        "home/.gitconfig",
        "home-config/.config/git/config",
        "config/git/config",
        "global",
        "system",
    ] {
        write(folder, &config);
    }
    write("home-default/.config/git/ignore", "mine.*\n");
    write("default/git/ignore", "mine.*\n");
    write("other/.gitconfig", "[user]\n\tname = x\n");
    let found = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
        command
            .args(["check", "--format", "concise", "--quiet"])
            .arg(root.path().join("work"));
        for name in ["XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL"] {
            command.env_remove(name);
        }
        command
            .env("HOME", root.path().join("none"))
            .env("GIT_CONFIG_SYSTEM", root.path().join("none"));
        for (name, path) in variables {
            command.env(name, root.path().join(path));
        }
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    assert_eq!(found(&[]), 2);
    assert_eq!(found(&[("HOME", "other")]), 2);
    assert_eq!(
        found(&[("HOME", "home"), ("GIT_CONFIG_GLOBAL", "other/.gitconfig")]),
        2
    );
    for variable in [
        ("HOME", "home"),
        ("HOME", "home-config"),
        ("HOME", "home-default"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CONFIG_HOME", "default"),
        ("GIT_CONFIG_GLOBAL", "global"),
        ("GIT_CONFIG_SYSTEM", "system"),
    ] {
        assert_eq!(found(&[variable]), 1, "{variable:?}");
    }
}

#[test]
fn however_a_folder_is_written_its_files_have_one_name() {
    let root = tempfile::tempdir().unwrap();
    let text = "FROM a\nRUN --mount=type=cache,id=a,target=/a,sharing=locked x\n";
    for name in ["p/Dockerfile", "p/q/Dockerfile"] {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let found = |folder: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
        command
            .args(["check", "--format", "gitlab", folder])
            .current_dir(root.path());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let one = found("p");
    assert_eq!(one.matches("fingerprint").count(), 2);
    for folder in ["p/", "p//", "p/.", "p/./", "./p", "p/./."] {
        assert_eq!(found(folder), one, "{folder}");
    }
}
