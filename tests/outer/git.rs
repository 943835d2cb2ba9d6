//! Beside git: the gate on a repository with a past, where what is new fails and what was there does not; and diffs that are
//! applied.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::cachelane;
use crate::loud::left_out;

const LOCKED: &str = "FROM debian\nRUN --mount=type=cache,id=x,target=/x,sharing=locked true\n";

fn git(folder: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(args);
    let output = command
        .current_dir(folder)
        .output()
        .expect("this test needs git");
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A repository with a locked cache in `a/Dockerfile` on `main`, and a branch that is checked out.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    fs::write(
        folder.path().join("a/Dockerfile"),
        format!("{LOCKED}# end\nRUN one\n"),
    )
    .unwrap();
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-qm", "one"]);
    git(folder.path(), &["checkout", "-qb", "topic"]);
    folder
}

/// The places that `check --diff REVISION` names.
fn since(folder: &Path, revision: &str) -> Vec<String> {
    let (code, out, err) = cachelane(
        folder,
        &[
            "check", "--format", "concise", "--quiet", "--diff", revision,
        ],
    );
    assert!(code < 2, "{err}");
    out.lines()
        .map(|line| line.split(": ").next().unwrap().to_owned())
        .collect()
}

#[test]
fn only_what_changed_counts() {
    let folder = repository();
    let here = folder.path();
    assert_eq!(since(here, "main"), Vec::<String>::new());
    // A line of an instruction makes all of it new.
    let text = fs::read_to_string(here.join("a/Dockerfile")).unwrap();
    let more = "RUN --mount=type=cache,id=y,target=/y,sharing=locked \\\n    one && \\\n    two\n";
    fs::write(here.join("a/Dockerfile"), format!("{text}{more}")).unwrap();
    assert_eq!(since(here, "main"), ["a/Dockerfile:5:27"]);
    git(here, &["commit", "-qam", "two"]);
    assert_eq!(since(here, "main"), ["a/Dockerfile:5:27"]);
    assert_eq!(since(here, "HEAD"), Vec::<String>::new());
    // So does one that is gone from between the others.
    let fewer = format!("{text}{more}").replace("    one && \\\n", "");
    fs::write(here.join("a/Dockerfile"), fewer).unwrap();
    assert_eq!(since(here, "HEAD"), ["a/Dockerfile:5:27"]);
    fs::write(
        here.join("a/Dockerfile"),
        format!("{text}{more}").replace("two", "three"),
    )
    .unwrap();
    assert_eq!(since(here, "HEAD"), ["a/Dockerfile:5:27"]);
    // A file that git does not know yet is new as a whole; names may be odd.
    fs::write(here.join("a/Dockerfile.ü \"x\""), LOCKED).unwrap();
    assert_eq!(
        since(here, "HEAD"),
        ["a/Dockerfile:5:27", "a/Dockerfile.ü \"x\":2:27"]
    );
    git(here, &["add", "."]);
    git(here, &["commit", "-qm", "three"]);
    assert_eq!(
        since(here, "main"),
        ["a/Dockerfile:5:27", "a/Dockerfile.ü \"x\":2:27"]
    );
    // What went on on main since is not this branch's.
    git(here, &["checkout", "-q", "main"]);
    fs::write(here.join("a/Dockerfile"), text.replace("id=x", "id=z")).unwrap();
    git(here, &["commit", "-qam", "four"]);
    git(here, &["checkout", "-q", "topic"]);
    assert_eq!(
        since(here, "main"),
        ["a/Dockerfile:5:27", "a/Dockerfile.ü \"x\":2:27"]
    );
    // From a folder within, too.
    assert_eq!(
        since(&here.join("a"), "main"),
        ["Dockerfile:5:27", "Dockerfile.ü \"x\":2:27"]
    );
}

#[test]
fn what_git_cannot_say_is_said() {
    let folder = repository();
    for (revision, part) in [
        ("nowhere", "knows no revision `nowhere`"),
        ("--output=x", "is not a git revision"),
    ] {
        let (code, _, err) = cachelane(folder.path(), &["check", &format!("--diff={revision}")]);
        assert_eq!(code, 2);
        assert!(err.contains(part), "{err}");
    }
    git(folder.path(), &["checkout", "-q", "--orphan", "island"]);
    git(folder.path(), &["commit", "-qm", "alone"]);
    let (code, _, err) = cachelane(folder.path(), &["check", "--diff", "main"]);
    assert!(code == 2 && err.contains("fetch more history"), "{err}");
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("Dockerfile"), LOCKED).unwrap();
    let (code, _, err) = cachelane(outside.path(), &["check", "--diff", "main"]);
    assert!(code == 2 && err.contains("not a git repository"), "{err}");
    let (code, out, _) = cachelane(
        outside.path(),
        &["check", "--diff", "main", "--format", "json"],
    );
    assert!(
        code == 2 && out.contains("\"path\": null") && out.contains("not a git repository"),
        "{out}"
    );
}

#[test]
fn what_a_change_elsewhere_in_the_file_brings_is_new() {
    let folder = repository();
    let here = folder.path();
    let run = "RUN --mount=type=cache,id=x-${CACHE_ID},target=/x,sharing=locked true\n";
    let good = format!(
        "FROM debian\nARG CACHE_ID=default\n{run}FROM debian\n# cachelane: ignore[shared-lock]\n{}",
        &LOCKED[12..]
    );
    fs::write(here.join("a/Dockerfile"), &good).unwrap();
    git(here, &["commit", "-qam", "lanes"]);
    let since = |text: &str| {
        fs::write(here.join("a/Dockerfile"), text).unwrap();
        let (code, out, err) = cachelane(
            here,
            &["check", "--format", "concise", "--quiet", "--diff", "HEAD"],
        );
        assert!(code < 2, "{err}");
        out.lines()
            .map(|line| line.split(' ').nth(1).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(since(&good), Vec::<String>::new());
    assert_eq!(
        since(&good.replace("ARG CACHE_ID=default\n", "")),
        ["error[undeclared-arg]"]
    );
    assert_eq!(
        since(&good.replace(
            "RUN --mount=type=cache,id=x-",
            "ENV CACHE_ID=x\nRUN --mount=type=cache,id=x-"
        )),
        ["warning[shadowed-arg]"]
    );
    assert_eq!(
        since(&good.replace("# cachelane: ignore[shared-lock]\n", "")),
        ["error[shared-lock]"]
    );
    // What was there before is no news because of a line more.
    fs::write(here.join("a/Dockerfile"), LOCKED).unwrap();
    git(here, &["commit", "-qam", "locked"]);
    assert_eq!(
        since(&LOCKED.replace("FROM debian\n", "FROM debian\nRUN one\n")),
        Vec::<String>::new()
    );
    assert_eq!(since(&LOCKED.replace('\n', "\r\n")), Vec::<String>::new());
    // One more of the same: only that one counts.
    let twice = format!("{LOCKED}{}", &LOCKED[12..]);
    assert_eq!(since(&twice), ["error[shared-lock]"]);
}

#[test]
fn what_became_worse_is_new_and_what_became_better_is_not() {
    const LANE: &str = "FROM debian\nARG CACHE_ID=default\nRUN --mount=type=cache,id=x-${CACHE_ID},target=/x,sharing=locked true\n";
    const MATRIX: &str = "    strategy:\n      matrix:\n        python: [py310, py313]\n";
    let workflow = |matrix: &str| {
        let job = |name: &str, matrix: &str| {
            format!(
                "  {name}:\n    runs-on: self-hosted\n{matrix}    steps:\n      - run: docker build a\n"
            )
        };
        format!(
            "on: push\njobs:\n{}{}",
            job("test", matrix),
            job("lint", "")
        )
    };
    let folder = repository();
    let here = folder.path();
    fs::create_dir_all(here.join(".github/workflows")).unwrap();
    fs::write(here.join("a/Dockerfile"), LANE).unwrap();
    let commit = |matrix: &str| {
        fs::write(here.join(".github/workflows/ci.yml"), workflow(matrix)).unwrap();
        git(here, &["add", "."]);
        git(here, &["commit", "-qm", "x"]);
    };
    let check = |revision: &str, fail_on: &str| {
        let args = [
            "check",
            "--format",
            "concise",
            "--quiet",
            "--diff",
            revision,
            "--fail-on",
            fail_on,
        ];
        let (code, out, err) = cachelane(here, &args);
        assert!(code < 2, "{err}");
        let found = out
            .lines()
            .filter_map(|line| Some(line.split_once(": ")?.1.split('[').next()?.to_owned()));
        (code, found.collect::<Vec<_>>())
    };
    commit("");
    // Two jobs, a warning each. One gets a matrix: its build, of which no line changed, is an error now.
    git(here, &["checkout", "-qb", "worse"]);
    commit(MATRIX);
    assert_eq!(check("topic", "error"), (1, vec!["error".to_owned()]));
    assert_eq!(check("topic", "warning"), (1, vec!["error".to_owned()]));
    // The other way round nothing is new.
    git(here, &["checkout", "-qb", "better"]);
    commit("");
    assert_eq!(check("worse", "info"), (0, Vec::new()));
}

#[test]
fn many_changed_files_are_asked_of_git_at_once() {
    let folder = repository();
    let here = folder.path();
    let name = |n: usize| here.join(format!("{n}.Dockerfile"));
    let of = |n: usize, cache: &str| {
        format!(
            "FROM debian\n{}",
            format!("RUN --mount=type=cache,id={cache}{n},target=/x,sharing=locked true\n")
                .repeat(n + 1)
        )
    };
    (0..20).for_each(|n| fs::write(name(n), of(n, "x")).unwrap());
    fs::write(here.join("empty.Dockerfile"), "").unwrap();
    fs::write(here.join("odd\nname.Dockerfile"), LOCKED).unwrap();
    git(here, &["add", "."]);
    git(here, &["commit", "-qm", "many"]);
    (0..20).for_each(|n| fs::write(name(n), format!("{}# end\n", of(n, "x"))).unwrap());
    fs::write(name(7), of(7, "y")).unwrap();
    fs::write(here.join("empty.Dockerfile"), LOCKED).unwrap();
    fs::write(
        here.join("odd\nname.Dockerfile"),
        format!("# new\n{LOCKED}"),
    )
    .unwrap();
    git(here, &["mv", "3.Dockerfile", "moved.Dockerfile"]);
    let found = since(here, "HEAD");
    assert_eq!(found.len(), 8 + 1, "{found:?}");
    assert!(
        found[..8]
            .iter()
            .all(|place| place.starts_with("7.Dockerfile:")),
        "{found:?}"
    );
    assert_eq!(found[8], "empty.Dockerfile:2:27");
    #[cfg(unix)]
    assert_eq!(times_git_runs(here, "cat-file"), 1);
}

/// How often `check --diff HEAD` starts git with `word`: the real one, by way of a script that counts.
#[cfg(unix)]
fn times_git_runs(folder: &Path, word: &str) -> usize {
    use std::os::unix::fs::PermissionsExt as _;

    let path = std::env::var_os("PATH").unwrap();
    let real = std::env::split_paths(&path)
        .map(|folder| folder.join("git"))
        .find(|git| git.is_file())
        .unwrap();
    let bin = tempfile::tempdir().unwrap();
    let (git, log) = (bin.path().join("git"), bin.path().join("log"));
    fs::write(
        &git,
        format!(
            "#!/bin/sh\necho \"$@\" >>'{}'\nexec '{}' \"$@\"\n",
            log.display(),
            real.display()
        ),
    )
    .unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::join_paths(
        std::iter::once(bin.path().into()).chain(std::env::split_paths(&path)),
    )
    .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
    let output = command
        .args(["check", "--diff", "HEAD"])
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    fs::read_to_string(log)
        .unwrap()
        .lines()
        .filter(|line| line.contains(word))
        .count()
}

#[test]
fn a_file_that_only_moved_is_not_new() {
    let folder = repository();
    let here = folder.path();
    git(here, &["mv", "a/Dockerfile", "a/Dockerfile.moved"]);
    assert_eq!(since(here, "main"), Vec::<String>::new());
    git(here, &["commit", "-qm", "moved"]);
    assert_eq!(since(here, "main"), Vec::<String>::new());
    let text = fs::read_to_string(here.join("a/Dockerfile.moved")).unwrap();
    fs::write(
        here.join("a/Dockerfile.moved"),
        format!("{text}{}", &LOCKED[12..].replace("id=x", "id=y")),
    )
    .unwrap();
    assert_eq!(since(here, "main"), ["a/Dockerfile.moved:5:27"]);
}

#[test]
fn a_file_is_asked_about_in_its_own_repository() {
    let (outer, inner, elsewhere) = (repository(), repository(), tempfile::tempdir().unwrap());
    let here = outer.path();
    let url = inner.path().to_str().unwrap();
    git(
        here,
        &[
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            url,
            "sub",
        ],
    );
    // A submodule that is new counts as a whole; the revision is that of the repository around it.
    assert_eq!(since(here, "main"), ["sub/a/Dockerfile:2:27"]);
    git(here, &["commit", "-qm", "sub"]);
    assert_eq!(since(here, "HEAD"), Vec::<String>::new());
    let changed = format!("{LOCKED}{}", &LOCKED[12..].replace("id=x", "id=y"));
    fs::write(here.join("sub/a/Dockerfile"), &changed).unwrap();
    assert_eq!(since(here, "HEAD"), ["sub/a/Dockerfile:3:27"]);
    git(&here.join("sub"), &["commit", "-qam", "changed"]);
    assert_eq!(since(here, "HEAD"), ["sub/a/Dockerfile:3:27"]);
    // Ignored files that are named, and standard input, count as changed.
    fs::write(here.join(".gitignore"), "made/\n").unwrap();
    fs::create_dir(here.join("made")).unwrap();
    fs::write(here.join("made/Dockerfile"), LOCKED).unwrap();
    let named = |folder: &Path, args: &[&str]| {
        let (code, out, err) = cachelane(
            folder,
            &[&["check", "--format", "concise", "--quiet", "--diff"], args].concat(),
        );
        assert!(code < 2, "{err}");
        out.lines().count()
    };
    assert_eq!(named(here, &["HEAD", "made/Dockerfile"]), 1);
    // From outside of any repository, and for a file of another one.
    let file = here.join("a/Dockerfile");
    assert_eq!(
        named(elsewhere.path(), &["HEAD", file.to_str().unwrap()]),
        0
    );
    fs::write(inner.path().join("a/Dockerfile"), changed).unwrap();
    assert_eq!(
        named(
            here,
            &["HEAD", inner.path().join("a/Dockerfile").to_str().unwrap()]
        ),
        1
    );
}

#[test]
fn standard_input_has_the_past_of_its_name() {
    let folder = repository();
    let text = fs::read_to_string(folder.path().join("a/Dockerfile")).unwrap();
    let check = |args: &[&str], text: &str| {
        fs::write(folder.path().join("input"), text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
        command
            .args([
                "check", "--format", "concise", "--quiet", "--diff", "main", "-",
            ])
            .args(args);
        let input = fs::File::open(folder.path().join("input")).unwrap();
        let output = command
            .current_dir(folder.path())
            .env_remove("GITHUB_ACTIONS")
            .stdin(input)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    assert_eq!(check(&[], &text), 1);
    assert_eq!(check(&["--stdin-filename", "a/Dockerfile"], &text), 0);
    assert_eq!(
        check(
            &["--stdin-filename", "a/Dockerfile"],
            &text.replace("id=x", "id=y")
        ),
        1
    );
    assert_eq!(check(&["--stdin-filename", "a/Dockerfile.new"], &text), 1);
}

#[test]
fn a_diff_can_be_applied_whatever_the_names() {
    for tool in [&["git", "apply"][..], &["patch", "-s", "-p1", "-i"]] {
        let folder = tempfile::tempdir().unwrap();
        let names = ["plain", "a b", "q\"u\\o", "gr\u{fc}n", "tab\there"];
        for name in names {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("Dockerfile"), LOCKED).unwrap();
        }
        let (code, out, _) = cachelane(folder.path(), &["fix", "--diff"]);
        assert_eq!(code, 1);
        fs::write(folder.path().join("d.patch"), out).unwrap();
        let applied = Command::new(tool[0])
            .args(&tool[1..])
            .arg("d.patch")
            .current_dir(folder.path())
            .output();
        let applied = match applied {
            Err(error) if tool[0] == "patch" => {
                left_out("a diff that `patch` applies", &error.to_string());
                continue;
            }
            applied => applied.unwrap(),
        };
        assert!(
            applied.status.success(),
            "{tool:?}: {}",
            String::from_utf8_lossy(&applied.stderr)
        );
        for name in names {
            let text = fs::read_to_string(folder.path().join(name).join("Dockerfile")).unwrap();
            assert!(text.contains("id=x-${CACHE_ID}"), "{tool:?}: {name}");
        }
    }
}

/// Checks what has changed since the last commit, text included.
const SINCE_HEAD: [&str; 9] = [
    "check",
    "--embedded",
    "--diff",
    "HEAD",
    "--format",
    "concise",
    "--quiet",
    "--min-severity",
    "info",
];

#[test]
fn locks_in_text_that_are_new() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let string = |name: &str| format!("{name} = '''\n{LOCKED}'''\n");
    fs::write(here.join("a.py"), string("A")).unwrap();
    git(here, &["init", "-q"]);
    git(here, &["add", "."]);
    git(here, &["commit", "-qm", "one"]);
    let more = format!("import os\n{}{}", string("A"), string("B"));
    fs::write(here.join("a.py"), more).unwrap();
    let (_, out, _) = cachelane(here, &SINCE_HEAD);
    assert!(
        out.lines().count() == 1 && out.starts_with("a.py:8:"),
        "{out}"
    );
}

/// A Dockerfile that only a build tells was compared with its past as text, in which the lock was another finding.
#[test]
fn a_dockerfile_that_a_build_names_has_the_past_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("image"), LOCKED).unwrap();
    fs::write(
        here.join("compose.yml"),
        "services:\n  a:\n    build:\n      context: .\n      dockerfile: image\n",
    )
    .unwrap();
    git(here, &["init", "-q"]);
    git(here, &["add", "."]);
    git(here, &["commit", "-qm", "one"]);
    let more = "RUN --mount=type=cache,id=y,target=/y,sharing=locked \\\n    one && \\\n    two\n";
    fs::write(here.join("image"), format!("{LOCKED}{more}")).unwrap();
    let (_, out, _) = cachelane(here, &SINCE_HEAD);
    assert!(
        out.lines().count() == 1 && out.starts_with("image:3:27: error[shared-lock]"),
        "{out}"
    );
}

/// The index has three versions, two kinds of objects, and a form in two files.
#[test]
fn the_names_in_an_index_are_git_s() {
    let tracked = |folder: &Path| {
        let names = cachelane::workspace::git::tracked(folder).unwrap();
        let names = names
            .into_iter()
            .map(|name| String::from_utf8(name).unwrap());
        names.collect::<std::collections::BTreeSet<String>>()
    };
    for objects in ["sha1", "sha256"] {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        git(here, &["init", "-q", "--object-format", objects]);
        assert!(tracked(here).is_empty());
        let mut names: Vec<String> = (0..300)
            .map(|at| format!("{}/f{at}", "d".repeat(at % 90 + 1)))
            .collect();
        for name in &names {
            std::fs::create_dir_all(here.join(name).parent().unwrap()).unwrap();
            std::fs::write(here.join(name), "x").unwrap();
        }
        git(here, &["add", "."]);
        names.push("later".to_owned());
        std::fs::write(here.join("later"), "x").unwrap();
        // A flag that only versions from 3 on have.
        git(here, &["add", "-N", "later"]);
        let all = names.iter().cloned().collect();
        for version in ["2", "3", "4"] {
            git(here, &["update-index", "--index-version", version]);
            assert_eq!(tracked(here), all, "{objects} {version}");
        }
        git(here, &["update-index", "--split-index"]);
        std::fs::write(here.join("last"), "x").unwrap();
        git(here, &["add", "last"]);
        let all = names.iter().cloned().chain(["last".to_owned()]).collect();
        assert_eq!(tracked(here), all, "{objects} split");
    }
}

/// A pipe that git's configuration names was read for ever.
#[cfg(unix)]
#[test]
fn git_reads_no_file_that_a_repository_names() {
    let folder = repository();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for setting in ["diff.orderFile", "core.attributesFile", "core.excludesFile"] {
        git(folder.path(), &["config", setting, pipe.to_str().unwrap()]);
    }
    let ran = Command::new("timeout")
        .args([
            "20",
            env!("CARGO_BIN_EXE_cachelane"),
            "check",
            "--diff",
            "HEAD",
        ])
        .current_dir(folder.path())
        .status();
    assert!(matches!(ran.unwrap().code(), Some(0 | 1)));
}
