//! Searches leave out the files that git ignores, and no others.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const LOCKED: &str = "FROM a\nRUN --mount=type=cache,id=a,target=/a,sharing=locked x\n";

struct Tree(tempfile::TempDir);

impl Tree {
    /// Makes a folder with `files` to find, and others with their text.
    fn new(files: &[&str], others: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for path in files {
            tree.put(path, LOCKED);
        }
        for (path, text) in others {
            tree.put(path, text);
        }
        tree
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn check(&self, folder: &str, format: &str, variables: &[(&str, &Path)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
        command
            .args(["check", "--quiet", "--format", format, folder])
            .current_dir(self.0.path())
            // The tester's own ignored files must not count.
            .env("HOME", self.0.path().join("none"))
            .env("USERPROFILE", self.0.path().join("none"))
            .env("GIT_CONFIG_SYSTEM", self.0.path().join("none"))
            .env_remove("GIT_CONFIG_GLOBAL")
            .env_remove("XDG_CONFIG_HOME")
            .envs(variables.iter().copied());
        command.output().unwrap()
    }

    fn found(&self, folder: &str, variables: &[(&str, &Path)]) -> Vec<String> {
        let output = self.check(folder, "concise", variables);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.is_empty() || said.contains("no Dockerfile below"),
            "{said}"
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let name = |line: &str| line.split(':').next().unwrap().replace('\\', "/");
        text.lines().map(name).collect()
    }
}

#[test]
fn hidden_folders_are_searched_and_git_s_is_not() {
    let files = [
        ".devcontainer/Dockerfile",
        ".git/Dockerfile",
        "a/.git/Dockerfile",
        "a/.hidden.Dockerfile",
        "a/x_snippet.Dockerfile.em",
        "b/c/d/e/Dockerfile",
    ];
    let tree = Tree::new(&files, &[]);
    assert_eq!(tree.found(".", &[]), [&files[..1], &files[3..]].concat());
}

/// `.ignore` is for text searches.
#[test]
fn gitignore_holds_in_and_out_of_a_repository_and_ignore_does_not() {
    let files = ["a/Dockerfile", "a/kept/Dockerfile", "b/old.Dockerfile"];
    let ignoring = [
        (".gitignore", "/a/*\n!/a/kept/\n[b\n"),
        ("b/.gitignore", "old.*\n!old.Dockerfile\n"),
        (".ignore", "*\n"),
    ];
    let tree = Tree::new(&files, &ignoring);
    let kept = ["a/kept/Dockerfile", "b/old.Dockerfile"];
    assert_eq!(tree.found(".", &[]), kept);
    assert_eq!(tree.found("a", &[]), kept[..1]);
    tree.put(".git/HEAD", "");
    assert_eq!(tree.found(".", &[]), kept);
    assert_eq!(tree.found("a", &[]), kept[..1]);
    tree.put(".git/info/exclude", "Dockerfile\n");
    assert_eq!(tree.found(".", &[]), kept[1..]);
}

/// The user's home may be a repository that ignores all but some files.
#[test]
fn a_repository_does_not_ask_the_one_around_it() {
    let others = [
        (".git/HEAD", ""),
        (".gitignore", "*\n"),
        ("work/.git/HEAD", ""),
    ];
    let tree = Tree::new(&["work/Dockerfile"], &others);
    assert_eq!(tree.found("work", &[]), ["work/Dockerfile"]);
    assert!(tree.found(".", &[]).is_empty());
    // An ignore file that is not asked cannot be wrong.
    tree.put(".gitignore", &"x\n".repeat(200_000));
    assert_eq!(tree.found("work", &[]), ["work/Dockerfile"]);
}

#[test]
fn what_the_user_s_own_git_ignores_is_ignored() {
    let lists = [("list", "mine.*\n"), ("home/git/ignore", "/work\n")];
    let tree = Tree::new(&["work/Dockerfile", "work/mine.Dockerfile"], &lists);
    let at = |name: &str| tree.0.path().join(name);
    assert_eq!(tree.found(".", &[]).len(), 2);
    let home = ("XDG_CONFIG_HOME", &*at("home"));
    assert_eq!(tree.found(".", &[home]).len(), 0);
    let config = format!("[core]\n\texcludesFile = {}\n", at("list").display());
    tree.put("config", &config);
    let config = ("GIT_CONFIG_GLOBAL", &*at("config"));
    assert_eq!(tree.found(".", &[config]), ["work/Dockerfile"]);
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_where_it_is_named() {
    let tree = Tree::new(&["real/Dockerfile"], &[]);
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(to, tree.0.path().join(name)).unwrap();
    };
    link("real", "link");
    link("Dockerfile", "real/a.Dockerfile");
    assert_eq!(tree.found(".", &[]), ["real/Dockerfile"]);
    assert_eq!(tree.found("link", &[]), ["link/Dockerfile"]);
}

#[test]
fn all_of_many_files_and_many_folders_come_in_order() {
    let mut files: Vec<String> = (0..300)
        .map(|n| format!("f{}/f{}/f{n}/Dockerfile", n % 3, n % 7))
        .chain((0..300).map(|n| format!("{n}.Dockerfile")))
        .collect();
    let tree = Tree::new(&[], &[]);
    for path in &files {
        tree.put(path, LOCKED);
    }
    files.sort_by(|a, b| Path::new(a).cmp(Path::new(b)));
    assert_eq!(tree.found(".", &[]), files);
}

#[test]
fn however_a_folder_is_written_its_files_have_one_name() {
    let tree = Tree::new(&["p/Dockerfile", "p/q/Dockerfile"], &[]);
    let found = |folder: &str| tree.check(folder, "gitlab", &[]).stdout;
    let one = found("p");
    let text = String::from_utf8_lossy(&one);
    assert_eq!(text.matches("fingerprint").count(), 2);
    for folder in ["p/", "p//", "p/.", "p/./", "./p", "p/./."] {
        assert_eq!(found(folder), one, "{folder}");
    }
}
