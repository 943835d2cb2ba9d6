//! What `docs/migrate.md` tells people to run, run on a repository of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use yaml_serde::Value;

/// The block of code in the document that follows `title`.
fn block(title: &str) -> String {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/migrate.md")).unwrap();
    let behind = page
        .split_once(title)
        .unwrap_or_else(|| panic!("no {title} in the document"))
        .1;
    behind
        .split("```")
        .nth(1)
        .unwrap()
        .split_once('\n')
        .unwrap()
        .1
        .to_owned()
}

/// Runs `program` in `folder`, with cachelane on the PATH and no configuration of git but its own.
fn run(folder: &Path, program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_cachelane")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(
        std::iter::once(bin.to_path_buf()).chain(std::env::split_paths(&path)),
    )
    .unwrap();
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).env("PATH", path);
    for (name, value) in [
        ("CONFIG_GLOBAL", "/dev/null"),
        ("CONFIG_SYSTEM", "/dev/null"),
    ] {
        command.env(format!("GIT_{name}"), value);
    }
    for who in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{who}_NAME"), "A")
            .env(format!("GIT_{who}_EMAIL"), "a@example.org");
    }
    command.output().unwrap()
}

/// What git says, which must be pleased.
fn git(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, "git", args);
    assert!(output.status.success(), "git {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A repository with one commit that holds `files`.
fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "-qm", "start"]);
    folder
}

const SHARED: &str = "FROM debian\nRUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked apt-get update\n";

#[cfg(unix)]
fn script(folder: &Path) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("lanes.sh");
    fs::write(&path, block("`lanes.sh`")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn the_script_changes_what_there_is_to_change_and_fails_where_it_must() {
    let tools = tempfile::tempdir().unwrap();
    let script = script(tools.path());

    let clean = repository(&[("Dockerfile", SHARED)]);
    assert!(run(clean.path(), &script, &[]).status.success());
    let diff = git(clean.path(), &["diff", "--unified=0"]);
    assert!(
        diff.contains("\n+ARG CACHE_ID=default\n") && diff.contains("id=apt-${CACHE_ID},"),
        "{diff}"
    );
    git(clean.path(), &["commit", "-qam", "lanes"]);
    assert!(run(clean.path(), &script, &[]).status.success());
    assert_eq!(
        git(clean.path(), &["status", "--short"]),
        "",
        "a second run changes nothing"
    );
    // To undo it is to revert it.
    git(clean.path(), &["revert", "--no-edit", "HEAD"]);
    assert_eq!(
        fs::read_to_string(clean.path().join("Dockerfile")).unwrap(),
        SHARED
    );

    // Something is left that has no safe fix: still a pull request.
    let left = SHARED.replace(
        "FROM debian\n",
        "FROM debian\nRUN --mount=type=cach,target=/x true\n",
    );
    let left = repository(&[("Dockerfile", SHARED), ("b.Dockerfile", &left)]);
    assert!(run(left.path(), &script, &[]).status.success());
    assert_ne!(git(left.path(), &["status", "--short"]), "");
    assert_eq!(
        run(left.path(), "cachelane", &["check"]).status.code(),
        Some(1)
    );

    let unreadable = repository(&[("Dockerfile", "FROM debian\n\0")]);
    assert_eq!(run(unreadable.path(), &script, &[]).status.code(), Some(2));
}

#[test]
fn the_commands_for_one_repository_do_what_they_say() {
    let folder = repository(&[("Dockerfile", SHARED)]);
    let look = run(folder.path(), "cachelane", &["fix", "--diff"]);
    assert_eq!(look.status.code(), Some(1));
    assert_eq!(
        git(folder.path(), &["status", "--short"]),
        "",
        "`--diff` has written something"
    );
    let line = block("and nothing else:");
    let branch = run(folder.path(), "sh", &["-c", line.trim()]);
    assert!(branch.status.success(), "{branch:?}");
    assert_eq!(
        git(folder.path(), &["branch", "--show-current"]).trim(),
        "lanes"
    );
    // The diff that was looked at is the one that was made.
    let made = git(folder.path(), &["show", "--format=", "HEAD"]);
    let lines = |diff: &str| -> Vec<String> {
        diff.lines()
            .filter(|line| line.starts_with(['+', '-']) && !line[1..].starts_with(['+', '-']))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(
        lines(&made),
        lines(&String::from_utf8(look.stdout).unwrap())
    );
    assert!(run(folder.path(), "cachelane", &["check"]).status.success());
}

#[test]
fn the_first_step_changes_dockerfiles_alone_and_the_second_what_builds_them() {
    let workflow = "on: push\njobs:\n  test:\n    runs-on: self-hosted\n    strategy:\n      matrix:\n        \
                    python: [py310, py313]\n    steps:\n      - run: docker build .\n";
    let compose = "services:\n  app:\n    build: .\n";
    let files = [
        ("Dockerfile", SHARED),
        (".github/workflows/ci.yml", workflow),
        ("compose.yaml", compose),
    ];
    let folder = repository(&files);
    let step = block("**1. Declare.**");
    let ran = run(folder.path(), "sh", &["-c", step.trim()]);
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(
        ran.status.success() && said.ends_with("1 finding fixed in 1 file; nothing is left.\n"),
        "{ran:?}"
    );
    assert_eq!(
        git(folder.path(), &["status", "--short"]),
        " M Dockerfile\n"
    );
    git(folder.path(), &["commit", "-qam", "one"]);
    let ran = run(folder.path(), "cachelane", &["fix"]);
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(
        said.ends_with("the lane passed in 2 builds of 2 files; nothing is left.\n"),
        "{said}"
    );
    assert_eq!(
        git(folder.path(), &["status", "--short"]),
        " M .github/workflows/ci.yml\n M compose.yaml\n"
    );

    // Both at once: the same files, and figures that add up to what `check` says of either.
    let both = repository(&files);
    let said = String::from_utf8(run(both.path(), "cachelane", &["fix"]).stdout).unwrap();
    let last =
        "1 finding fixed in 1 file, and the lane passed in 2 builds of 2 files; nothing is left.\n";
    assert!(said.ends_with(last), "{said}");
    for (name, _) in files {
        let read =
            |folder: &tempfile::TempDir| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read(&both), read(&folder), "{name}");
    }
}

/// Whether a value is of an option's kind.
type Fits = fn(&Value) -> bool;

/// Options of `multi-gitter run` 0.63 that the document's configuration uses: text, yes or no, numbers, lists.
const OPTIONS: &[(&str, Fits)] = &[
    ("code-search", Value::is_string),
    ("skip-forks", Value::is_bool),
    ("branch", Value::is_string),
    ("conflict-strategy", Value::is_string),
    ("concurrent", Value::is_number),
    ("commit-message", Value::is_string),
    ("pr-title", Value::is_string),
    ("pr-body", Value::is_string),
    ("labels", Value::is_sequence),
    ("draft", Value::is_bool),
];

#[test]
fn the_configuration_has_options_that_there_are() {
    let value: Value = yaml_serde::from_str(&block("`lanes.yaml`")).unwrap();
    let map = value.as_mapping().unwrap();
    for (key, value) in map {
        let option = OPTIONS.iter().find(|(name, _)| key.as_str() == Some(name));
        assert!(
            option.is_some_and(|(_, fits)| fits(value)),
            "{key:?}: {value:?}"
        );
    }
}
