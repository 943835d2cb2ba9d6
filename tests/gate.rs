//! The gate on a repository with a past: what is new fails, what was there does not.

use std::fs;
use std::path::Path;
use std::process::Command;

const LOCKED: &str = "FROM debian\nRUN --mount=type=cache,id=x,target=/x,sharing=locked true\n";

/// The command in `folder`: exit code, standard output, standard error.
fn cachelane(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
    let output = command.args(args).current_dir(folder).env_remove("GITHUB_ACTIONS").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn git(folder: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]).args(args);
    let output = command.current_dir(folder).output().expect("this test needs git");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository with a locked cache in `a/Dockerfile` on `main`, and a branch that is checked out.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    fs::write(folder.path().join("a/Dockerfile"), format!("{LOCKED}# end\nRUN one\n")).unwrap();
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-qm", "one"]);
    git(folder.path(), &["checkout", "-qb", "topic"]);
    folder
}

/// The places that `check --diff REVISION` names.
fn since(folder: &Path, revision: &str) -> Vec<String> {
    let (code, out, err) = cachelane(folder, &["check", "--format", "concise", "--quiet", "--diff", revision]);
    assert!(code < 2, "{err}");
    out.lines().map(|line| line.split(": ").next().unwrap().to_owned()).collect()
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
    fs::write(here.join("a/Dockerfile"), format!("{text}{more}").replace("two", "three")).unwrap();
    assert_eq!(since(here, "HEAD"), ["a/Dockerfile:5:27"]);
    // A file that git does not know yet is new as a whole; names may be odd.
    fs::write(here.join("a/Dockerfile.ü \"x\""), LOCKED).unwrap();
    assert_eq!(since(here, "HEAD"), ["a/Dockerfile:5:27", "a/Dockerfile.ü \"x\":2:27"]);
    git(here, &["add", "."]);
    git(here, &["commit", "-qm", "three"]);
    assert_eq!(since(here, "main"), ["a/Dockerfile:5:27", "a/Dockerfile.ü \"x\":2:27"]);
    // What went on on main since is not this branch's.
    git(here, &["checkout", "-q", "main"]);
    fs::write(here.join("a/Dockerfile"), text.replace("id=x", "id=z")).unwrap();
    git(here, &["commit", "-qam", "four"]);
    git(here, &["checkout", "-q", "topic"]);
    assert_eq!(since(here, "main"), ["a/Dockerfile:5:27", "a/Dockerfile.ü \"x\":2:27"]);
    // From a folder within, too.
    assert_eq!(since(&here.join("a"), "main"), ["Dockerfile:5:27", "Dockerfile.ü \"x\":2:27"]);
}

#[test]
fn what_git_cannot_say_is_said() {
    let folder = repository();
    for (revision, part) in [("nowhere", "knows no revision `nowhere`"), ("--output=x", "is no git revision")] {
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
        ("Dockerfile", format!("# escape=\\\n# a licence\nFROM debian\n# What it does.\n  {run}\nRUN true")),
        ("Dockerfile.crlf", format!("\u{FEFF}FROM debian\r\n{run}\r\n")),
        (
            "Dockerfile.more",
            format!("FROM debian\n# cachelane: ignore[early-arg,shared-lock] why\n{run}\n# end\n{run}"),
        ),
        ("Dockerfile.broken", "FROM debian\nRUN --mount=type=cache,target=/x <<EOF\n".to_owned()),
        ("Dockerfile.clean", "FROM debian\nRUN --mount=type=cache,target=/x true\n".to_owned()),
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
        err.contains("Dockerfile.more: 1 finding suppressed") && err.contains("5 findings suppressed in 5 files"),
        "{err}"
    );
    let expected = "# escape=\\\n  # cachelane: ignore[shared-lock]\n# a licence";
    assert!(!file("Dockerfile").contains(expected), "{}", file("Dockerfile"));
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
    assert!(file("Dockerfile.broken").starts_with("# cachelane: ignore-file[syntax-error]\nFROM debian\n"));
    assert_eq!(file("Dockerfile.clean"), files[4].1);
    assert!(
        file("Dockerfile.old")
            .starts_with("# syntax=docker/dockerfile:1.2\n# cachelane: ignore-file[old-frontend]\nFROM debian\n")
    );
    let (code, out, _) = cachelane(here, &["check", "--format", "concise"]);
    assert!(code == 1 && out.contains("unused-ignore") && out.lines().count() == 2, "{out}");
    assert_eq!(cachelane(here, &["fix"]).0, 0);
    assert_eq!(cachelane(here, &["check"]).0, 0);
    let (code, _, err) = cachelane(here, &["check", "--add-ignores"]);
    assert!(code == 0 && err.contains("0 findings suppressed in 0 files"), "{err}");
    // What comes now fails.
    fs::write(here.join("Dockerfile.clean"), LOCKED).unwrap();
    assert_eq!(cachelane(here, &["check"]).0, 1);
}

#[test]
fn reports_go_into_files_and_onto_the_job_s_page() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("Dockerfile"), LOCKED).unwrap();
    let args =
        ["check", "--format", "concise", "--output", "out.txt", "--report", "sarif=a.sarif", "--report", "junit=j.xml"];
    let (code, out, err) = cachelane(here, &args);
    assert_eq!((code, out.as_str(), err.as_str()), (1, "", ""));
    assert!(fs::read_to_string(here.join("out.txt")).unwrap().contains("Dockerfile:2:27"));
    assert!(fs::read_to_string(here.join("a.sarif")).unwrap().contains("\"2.1.0\""));
    assert!(fs::read_to_string(here.join("j.xml")).unwrap().contains("<testsuite"));
    let (code, _, err) = cachelane(here, &["check", "--report", "sarif=none/a.sarif"]);
    assert!(code == 2 && err.contains("none/a.sarif"), "{err}");
    // In GitHub Actions, annotations and the job's page come by themselves.
    let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
    command.arg("check").current_dir(here).env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", "page.md");
    fs::write(here.join("page.md"), "# before\n").unwrap();
    let output = command.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("::error file=Dockerfile,line=2,"));
    let page = fs::read_to_string(here.join("page.md")).unwrap();
    assert!(page.starts_with("# before\n") && page.contains("shared-lock"), "{page}");
}
