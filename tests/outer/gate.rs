//! The gate on a repository with a past: what is new fails, what was there does not.

use std::fs;
use std::path::Path;
use std::process::Command;

const LOCKED: &str = "FROM debian\nRUN --mount=type=cache,id=x,target=/x,sharing=locked true\n";

/// The command in `folder`: exit code, standard output, standard error.
fn cachelane(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
    let output = command
        .args(args)
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

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
        ("--output=x", "is no git revision"),
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
}

#[test]
fn what_is_there_is_suppressed_and_what_comes_fails() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let file = |name: &str| fs::read_to_string(here.join(name)).unwrap();
    let run = "RUN --mount=type=cache,id=x,target=/x,sharing=locked true";
    let files = [
        (
            "Dockerfile",
            format!("# escape=\\\n# a licence\nFROM debian\n# What it does.\n  {run}\nRUN true"),
        ),
        (
            "Dockerfile.crlf",
            format!("\u{FEFF}FROM debian\r\n{run}\r\n"),
        ),
        (
            "Dockerfile.more",
            format!(
                "FROM debian\n# cachelane: ignore[early-arg,shared-lock] why\n{run}\n# end\n{run}"
            ),
        ),
        (
            "Dockerfile.broken",
            "FROM debian\nRUN --mount=type=cache,target=/x <<EOF\n".to_owned(),
        ),
        (
            "Dockerfile.clean",
            "FROM debian\nRUN --mount=type=cache,target=/x true\n".to_owned(),
        ),
        (
            "Dockerfile.old",
            "# syntax=docker/dockerfile:1.2\nFROM debian\nARG CACHE_ID=default\n\
             RUN --mount=type=cache,id=x-${CACHE_ID},target=/x true\n"
                .to_owned(),
        ),
    ];
    for (name, text) in &files {
        fs::write(here.join(name), text).unwrap();
    }
    assert_eq!(cachelane(here, &["check"]).0, 1);
    let (code, out, err) = cachelane(here, &["check", "--add-ignores"]);
    // A suppression that was there and serves nothing is not hidden.
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(
        err.contains("Dockerfile.more: 1 finding suppressed")
            && err.contains("5 findings suppressed in 5 files"),
        "{err}"
    );
    let expected = "# escape=\\\n  # cachelane: ignore[shared-lock]\n# a licence";
    assert!(
        !file("Dockerfile").contains(expected),
        "{}",
        file("Dockerfile")
    );
    assert_eq!(
        file("Dockerfile"),
        format!(
            "# escape=\\\n# a licence\nFROM debian\n  # cachelane: ignore[shared-lock]\n# What it does.\n  {run}\nRUN true"
        )
    );
    assert_eq!(
        file("Dockerfile.crlf"),
        format!("\u{FEFF}FROM debian\r\n# cachelane: ignore[shared-lock]\r\n{run}\r\n")
    );
    assert_eq!(
        file("Dockerfile.more"),
        format!(
            "FROM debian\n# cachelane: ignore[early-arg,shared-lock] why\n{run}\n# cachelane: ignore[shared-lock]\n# end\n{run}"
        )
    );
    assert!(
        file("Dockerfile.broken")
            .starts_with("# cachelane: ignore-file[syntax-error]\nFROM debian\n")
    );
    assert_eq!(file("Dockerfile.clean"), files[4].1);
    assert!(file("Dockerfile.old").starts_with(
        "# syntax=docker/dockerfile:1.2\n# cachelane: ignore-file[old-frontend]\nFROM debian\n"
    ));
    let (code, out, _) = cachelane(here, &["check", "--format", "concise"]);
    assert!(
        code == 1 && out.contains("unused-ignore") && out.lines().count() == 2,
        "{out}"
    );
    assert_eq!(cachelane(here, &["fix"]).0, 0);
    assert_eq!(cachelane(here, &["check"]).0, 0);
    let (code, _, err) = cachelane(here, &["check", "--add-ignores"]);
    assert!(
        code == 0 && err.contains("0 findings suppressed in 0 files"),
        "{err}"
    );
    // What comes now fails.
    fs::write(here.join("Dockerfile.clean"), LOCKED).unwrap();
    assert_eq!(cachelane(here, &["check"]).0, 1);
}

#[test]
fn reports_go_into_files_and_onto_the_job_s_page() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("Dockerfile"), LOCKED).unwrap();
    let args = [
        "check",
        "--format",
        "concise",
        "--output",
        "out.txt",
        "--report",
        "sarif=a.sarif",
        "--report",
        "junit=j.xml",
    ];
    let (code, out, err) = cachelane(here, &args);
    assert_eq!((code, out.as_str(), err.as_str()), (1, "", ""));
    assert!(
        fs::read_to_string(here.join("out.txt"))
            .unwrap()
            .contains("Dockerfile:2:27")
    );
    assert!(
        fs::read_to_string(here.join("a.sarif"))
            .unwrap()
            .contains("\"2.1.0\"")
    );
    assert!(
        fs::read_to_string(here.join("j.xml"))
            .unwrap()
            .contains("<testsuite")
    );
    let (code, _, err) = cachelane(here, &["check", "--report", "sarif=none/a.sarif"]);
    assert!(code == 2 && err.contains("none/a.sarif"), "{err}");
    // In GitHub Actions, annotations and the job's page come by themselves.
    let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
    command
        .arg("check")
        .current_dir(here)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", "page.md");
    fs::write(here.join("page.md"), "# before\n").unwrap();
    let output = command.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("::error file=Dockerfile,line=2,"));
    let page = fs::read_to_string(here.join("page.md")).unwrap();
    assert!(
        page.starts_with("# before\n") && page.contains("shared-lock"),
        "{page}"
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
fn a_suppression_that_another_folder_needs_is_in_use() {
    let of_one = "FROM debian\n# cachelane: ignore[mixed-sharing] as b has it\nRUN --mount=type=cache,id=x,target=/x true\n";
    let of_other = "FROM debian\nRUN --mount=type=cache,id=x,target=/x,sharing=private true\n";
    let alone = of_one.replace("id=x", "id=alone");
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (path, text) in [
        ("a/Dockerfile", of_one),
        ("b/Dockerfile", of_other),
        ("c/Dockerfile", alone.as_str()),
    ] {
        fs::create_dir_all(here.join(path).parent().unwrap()).unwrap();
        fs::write(here.join(path), text).unwrap();
    }
    let unused = |folder: &Path, paths: &[&str]| -> Vec<String> {
        let (code, out, err) = cachelane(
            folder,
            &[
                &[
                    "check",
                    "--format",
                    "concise",
                    "--quiet",
                    "--ignore",
                    "private-cache",
                ],
                paths,
            ]
            .concat(),
        );
        assert_eq!(
            (code, err.as_str()),
            (i32::from(!out.is_empty()), ""),
            "{out}"
        );
        out.lines()
            .map(|line| {
                line.split(' ')
                    .take(2)
                    .collect::<Vec<_>>()
                    .join(" ")
                    .replace(": ", " ")
            })
            .collect()
    };
    let in_c = ["c/Dockerfile:2:21 warning[unused-ignore]"];
    assert_eq!(unused(here, &[]), in_c);
    // Outside of a repository, and without a configuration, a folder is all that is known of.
    assert_eq!(
        unused(here, &["a"]),
        ["a/Dockerfile:2:21 warning[unused-ignore]"]
    );
    fs::write(here.join("cachelane.toml"), "").unwrap();
    for (folder, paths) in [
        ("", &["a"][..]),
        ("", &["a", "c"]),
        ("a", &[]),
        ("c", &[]),
        ("", &["c/Dockerfile"]),
    ] {
        assert_eq!(
            unused(&here.join(folder), paths),
            Vec::<String>::new(),
            "{folder} {paths:?}"
        );
    }
    assert_eq!(unused(here, &["a", "."]), Vec::<String>::new());
    fs::remove_file(here.join("cachelane.toml")).unwrap();
    git(here, &["init", "-q"]);
    assert_eq!(unused(here, &["a"]), Vec::<String>::new());
    assert_eq!(unused(&here.join("a"), &["."]), Vec::<String>::new());
    assert_eq!(
        unused(&here.join("a"), &[".."]),
        ["../c/Dockerfile:2:21 warning[unused-ignore]"]
    );
    assert_eq!(unused(here, &[]), in_c);
    // A part of a repository with a configuration of its own is something whole.
    fs::write(here.join("c/cachelane.toml"), "").unwrap();
    assert_eq!(unused(here, &["c"]), in_c);
    // The repositories below are in what is named.
    let around = tempfile::tempdir().unwrap();
    fs::create_dir(around.path().join("r")).unwrap();
    git(&around.path().join("r"), &["init", "-q"]);
    fs::write(around.path().join("r/Dockerfile"), &alone).unwrap();
    assert_eq!(
        unused(around.path(), &[]),
        ["r/Dockerfile:2:21 warning[unused-ignore]"]
    );
}

#[test]
fn a_fix_of_a_part_says_that_others_may_build_it() {
    let folder = repository();
    let here = folder.path();
    let note = |folder: &Path, args: &[&str]| {
        fs::write(here.join("a/Dockerfile"), LOCKED).unwrap();
        let (code, _, err) = cachelane(folder, &[&["fix"], args].concat());
        assert!(code < 2, "{err}");
        err.contains("looked for in what you named only")
    };
    for (folder, args) in [
        ("", &["a"][..]),
        ("", &["a/Dockerfile"]),
        ("a", &[]),
        ("", &["--diff", "a"]),
    ] {
        assert!(note(&here.join(folder), args), "{folder} {args:?}");
    }
    for (folder, args) in [
        ("", &[][..]),
        ("a", &[".."]),
        ("", &["--quiet", "a"]),
        ("", &["--rules", "lock-order", "a"]),
    ] {
        assert!(!note(&here.join(folder), args), "{folder} {args:?}");
    }
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
fn a_report_takes_no_file_s_place() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("Dockerfile"), LOCKED).unwrap();
    fs::write(here.join("piece"), LOCKED).unwrap();
    for args in [
        &["--output", "Dockerfile"][..],
        &["--report", "junit=./Dockerfile"],
        &["piece", "--output", "piece"],
        &["--output", "a", "--report", "junit=./a"],
        &["--report", "junit=a", "--report", "sarif=a"],
        &["--report", "junit=-"],
    ] {
        let (code, out, err) = cachelane(here, &[&["check"], args].concat());
        assert!(
            code == 2 && out.is_empty() && !err.is_empty(),
            "{args:?}: {err}"
        );
        assert_eq!(fs::read_dir(here).unwrap().count(), 2, "{args:?}");
        assert_eq!(fs::read_to_string(here.join("Dockerfile")).unwrap(), LOCKED);
    }
    let (code, out, _) = cachelane(here, &["check", "--format", "concise", "--output", "-"]);
    assert!(
        code == 1 && out.starts_with("Dockerfile:2:27") && !here.join("-").exists(),
        "{out}"
    );
}

#[test]
fn no_report_is_green_where_the_run_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("bad.toml"), "arg = \"A\"\nnonsense = 1\n").unwrap();
    let formats = [
        ("junit", "errors=\"1\""),
        ("sarif", "\"executionSuccessful\": false"),
        ("json", "\"errors\": [\n    {"),
        ("gitlab", "\"blocker\""),
        ("checkstyle", "severity=\"error\""),
        ("github", "::error file="),
    ];
    for (format, part) in formats {
        let (code, out, _) = cachelane(here, &["check", "gone", "--format", format]);
        assert!(
            code == 2 && out.contains(part) && out.contains("gone"),
            "{format}: {out}"
        );
        let (code, out, _) =
            cachelane(here, &["check", "--config", "bad.toml", "--format", format]);
        assert!(
            code == 2 && out.contains(part) && out.contains("nonsense"),
            "{format}: {out}"
        );
    }
    let (_, out, _) = cachelane(
        here,
        &["check", "--config", "bad.toml", "--format", "github"],
    );
    assert!(
        out.starts_with("::error file=bad.toml,line=2,title=cachelane::"),
        "{out}"
    );
    let (code, out, _) = cachelane(here, &["check", "--diff", "main", "--format", "json"]);
    assert!(
        code == 2 && out.contains("\"path\": null") && out.contains("not a git repository"),
        "{out}"
    );
}

#[test]
fn github_gets_a_line_for_people_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Dockerfile"), "FROM debian\n").unwrap();
    fs::write(folder.path().join("b.Dockerfile"), LOCKED).unwrap();
    let (_, out, _) = cachelane(
        folder.path(),
        &["check", "--format", "github", "Dockerfile"],
    );
    assert_eq!(out, "1 file checked, nothing found.\n");
    let (_, out, _) = cachelane(folder.path(), &["check", "--format", "github"]);
    assert!(
        out.ends_with("\n1 finding in 1 of 2 files: 1 error; all fixable with `cachelane fix`.\n"),
        "{out}"
    );
}

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
    let args = [
        "check",
        "--embedded",
        "--diff",
        "HEAD",
        "--format",
        "concise",
        "--quiet",
    ];
    let (_, out, _) = cachelane(here, &args);
    assert!(
        out.lines().count() == 1 && out.starts_with("a.py:8:"),
        "{out}"
    );
}
