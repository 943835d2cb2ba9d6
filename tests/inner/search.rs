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

    #[cfg(unix)]
    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
        command
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap()
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

/// Returns an index of git's, version 2, with `names`, which are in order.
fn index(names: &[&str]) -> Vec<u8> {
    let count = u32::try_from(names.len()).unwrap().to_be_bytes();
    let mut index = [b"DIRC\0\0\0\x02", count.as_slice()].concat();
    for name in names {
        let start = index.len();
        index.extend([0; 60]);
        index.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
        index.extend(name.as_bytes());
        index.resize(index.len() + 8 - (index.len() - start) % 8, 0);
    }
    index.extend([0; 20]);
    index
}

/// A change that brings a Dockerfile could bring the line that hides it from the gate.
#[test]
fn what_git_tracks_is_searched_whatever_a_list_says() {
    let files = [
        "a/Dockerfile",
        "deep/in/here/Dockerfile",
        "inner/Dockerfile",
        "inner/untracked/Dockerfile",
        "untracked/Dockerfile",
    ];
    let lists = [
        (".gitignore", "*\n"),
        (".ignore", "*\n"),
        (".git/HEAD", ""),
        (".git/info/exclude", "Dockerfile\n"),
        ("inner/.git/HEAD", ""),
        ("inner/.gitignore", "Dockerfile\n"),
    ];
    let tree = Tree::new(&files, &lists);
    assert!(tree.found(".", &[]).is_empty());
    let tracked = [
        ".git/Dockerfile",
        "a/Dockerfile",
        "deep/in/here/Dockerfile",
        "gone/Dockerfile",
        "inner",
    ];
    let write =
        |path: &str, names: &[&str]| fs::write(tree.0.path().join(path), index(names)).unwrap();
    write(".git/index", &tracked);
    write("inner/.git/index", &["Dockerfile"]);
    assert_eq!(tree.found(".", &[]), files[..3]);
    assert_eq!(tree.found("deep", &[]), files[1..2]);
    // What the configuration leaves out, it does as before.
    tree.put("cachelane.toml", "exclude = [\"a/**\", \"deep/in\"]\n");
    assert_eq!(tree.found(".", &[]), files[2..3]);
    fs::remove_file(tree.0.path().join("cachelane.toml")).unwrap();
    // One that cannot be read hides nothing either.
    tree.put(".git/index", "DIRC");
    let output = tree.check(".", "concise", &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(2) && said.contains(".git/index: it is no index"),
        "{said}"
    );
}

/// A Dockerfile that a build names is read where git tracks it, whatever a list says.
#[test]
fn a_tracked_dockerfile_of_another_name_is_found_by_its_build() {
    let build = [
        ("ci/image.txt", LOCKED),
        (
            "compose.yaml",
            "services: {a: {build: {context: ., dockerfile: ci/image.txt}}}\n",
        ),
        (".gitignore", "ci\n"),
        (".git/HEAD", ""),
    ];
    let tree = Tree::new(&[], &build);
    assert!(!tree.found(".", &[]).contains(&"ci/image.txt".to_owned()));
    fs::write(tree.0.path().join(".git/index"), index(&["ci/image.txt"])).unwrap();
    assert!(tree.found(".", &[]).contains(&"ci/image.txt".to_owned()));
}

#[cfg(unix)]
#[test]
fn a_link_within_the_tree_is_followed_once() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("Dockerfile"), LOCKED).unwrap();
    let tree = Tree::new(
        &["own/Dockerfile"],
        &[("base.txt", LOCKED), (".git/HEAD", "")],
    );
    let link = |to: &Path, name: &str| symlink(to, tree.0.path().join(name)).unwrap();
    link(Path::new("own/Dockerfile"), "second.Dockerfile");
    link(Path::new("base.txt"), "Dockerfile");
    link(Path::new("base.txt"), "Dockerfile.other");
    link(&outside.path().join("Dockerfile"), "out.Dockerfile");
    link(outside.path(), "out");
    link(Path::new("nowhere"), "dangling.Dockerfile");
    assert_eq!(tree.found(".", &[]), ["Dockerfile", "own/Dockerfile"]);
    // The link stays one when its file is fixed.
    let fixed = tree.run(&["fix", "."]);
    assert_eq!(fixed.status.code(), Some(0), "{fixed:?}");
    let base = fs::read_to_string(tree.0.path().join("base.txt")).unwrap();
    assert!(base.contains("CACHE_ID"), "{base}");
    assert!(tree.0.path().join("Dockerfile").is_symlink());
}

/// Nothing of a file outside of the tree is shown, whatever leads to it.
#[cfg(unix)]
#[test]
fn no_file_is_read_from_outside() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let secret = LOCKED.replace("id=a", "id=hunter2");
    for name in [
        "Dockerfile",
        "compose.yaml",
        ".env",
        "ignore",
        "bake.json",
        "rules.mk",
        "build.sh",
        "call.yml",
    ] {
        fs::write(outside.path().join(name), &secret).unwrap();
    }
    let at = outside.path().display();
    let builds = [
        (".git/HEAD", String::new()),
        ("Dockerfile", LOCKED.to_owned()),
        (
            "compose.yaml",
            "include: [lib/compose.yaml]\nservices: {a: {build: {dockerfile: lib/Dockerfile}}}\n"
                .to_owned(),
        ),
        (
            "Makefile",
            "include lib/rules.mk\nall:\n\tdocker build -f lib/Dockerfile .\n\tsh lib/build.sh\n"
                .to_owned(),
        ),
        (
            "docker-bake.hcl",
            "target \"a\" { dockerfile = \"../secret/Dockerfile\" }\n".to_owned(),
        ),
        (
            ".github/workflows/a.yml",
            format!(
                "jobs:\n  a:\n    runs-on: x\n    steps:\n      - run: docker build -f {at}/Dockerfile .\n      - run: docker buildx bake -f lib/bake.json\n  b:\n    uses: ./lib/call.yml\n"
            ),
        ),
        (
            ".devcontainer/devcontainer.json",
            "{\"build\": {\"dockerfile\": \"../lib/Dockerfile\"}}\n".to_owned(),
        ),
    ];
    let builds: Vec<_> = builds
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let tree = Tree::new(&[], &builds);
    symlink(outside.path(), tree.0.path().join("lib")).unwrap();
    symlink(outside.path().join(".env"), tree.0.path().join(".env")).unwrap();
    for args in [
        &["check", "."][..],
        &["list", "."],
        &["builds", "."],
        &["locks", "."],
        &["fix", "--diff", "."],
    ] {
        let output = tree.run(args);
        let all = [output.stdout, output.stderr].concat();
        let all = String::from_utf8_lossy(&all);
        assert!(!all.contains("hunter2"), "{args:?}: {all}");
    }
    // A list of what to ignore that lies outside is not read, which is said.
    symlink(
        outside.path().join("ignore"),
        tree.0.path().join(".gitignore"),
    )
    .unwrap();
    let output = tree.check(".", "concise", &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(2) && said.contains("its .gitignore is a link that leads out"),
        "{said}"
    );
}
