//! The gate: suppressed findings pass, new ones fail, and reports reach their targets.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::cachelane;

const LOCKED: &str = "FROM debian\nRUN --mount=type=cache,id=x,target=/x,sharing=locked true\n";

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
    // An old, unused suppression is not hidden.
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
    // Outside of a repository, and without a configuration, nothing around a folder is known.
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
    fs::create_dir(here.join(".git")).unwrap();
    assert_eq!(unused(here, &["a"]), Vec::<String>::new());
    assert_eq!(unused(&here.join("a"), &["."]), Vec::<String>::new());
    assert_eq!(
        unused(&here.join("a"), &[".."]),
        ["../c/Dockerfile:2:21 warning[unused-ignore]"]
    );
    assert_eq!(unused(here, &[]), in_c);
    // A part of a repository with its own configuration counts as whole.
    fs::write(here.join("c/cachelane.toml"), "").unwrap();
    assert_eq!(unused(here, &["c"]), in_c);
    // The repositories below are in the named folder.
    let around = tempfile::tempdir().unwrap();
    fs::create_dir(around.path().join("r")).unwrap();
    fs::create_dir(around.path().join("r/.git")).unwrap();
    fs::write(around.path().join("r/Dockerfile"), &alone).unwrap();
    assert_eq!(
        unused(around.path(), &[]),
        ["r/Dockerfile:2:21 warning[unused-ignore]"]
    );
}

#[test]
fn a_fix_of_a_part_says_that_others_may_build_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join(".git")).unwrap();
    fs::create_dir(here.join("a")).unwrap();
    let note = |folder: &Path, args: &[&str]| {
        fs::write(here.join("a/Dockerfile"), LOCKED).unwrap();
        let (code, _, err) = cachelane(folder, &[&["fix"], args].concat());
        assert!(code < 2, "{err}");
        err.contains("Only what you named was changed")
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
fn a_fix_of_a_part_parts_no_cache_of_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for part in ["a", "b", "c"] {
        fs::create_dir(here.join(part)).unwrap();
    }
    let unlocked = "FROM debian\nRUN --mount=type=cache,id=x,target=/x true\n";
    let other = unlocked.replace("id=x", "id=y");
    // Returns what `fix` says where it leaves `a` as it was, and `None` where that got its lane.
    let declined = |b: &str, args: &[&str]| {
        fs::write(here.join("a/Dockerfile"), LOCKED).unwrap();
        fs::write(here.join("b/Dockerfile"), b).unwrap();
        let (code, out, err) = cachelane(here, &[&["fix"], args].concat());
        assert!(code < 2, "{err}");
        let fixed = fs::read_to_string(here.join("a/Dockerfile")).unwrap();
        let left = fs::read_to_string(here.join("b/Dockerfile")).unwrap();
        assert!(
            args.len() > 1 || left == b,
            "a file that was not named changed"
        );
        (fixed == LOCKED).then_some(out)
    };
    // There is no repository to read.
    assert_eq!(declined(unlocked, &["a/Dockerfile"]), None);
    fs::create_dir(here.join(".git")).unwrap();
    for part in ["a/Dockerfile", "a"] {
        for b in [unlocked, LOCKED] {
            let said = declined(b, &[part]).unwrap();
            let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                said.contains("b/Dockerfile:2 uses this cache, too"),
                "{said}"
            );
            assert!(said.contains("name it, too"), "{said}");
        }
        assert_eq!(declined(&other, &[part]), None);
    }
    assert_eq!(declined(unlocked, &["a/Dockerfile", "b/Dockerfile"]), None);
    // What a search passes by does not count, and what is wrong there is no error of this run.
    let by = [
        ("cachelane.toml", "exclude = [\"b/\"]\n"),
        (".gitignore", "b/\n"),
        ("b/cachelane.toml", "no-such-key = 1\n"),
    ];
    for (name, text) in by {
        fs::write(here.join(name), text).unwrap();
        assert_eq!(declined(unlocked, &["a/Dockerfile"]), None, "{name}");
        fs::remove_file(here.join(name)).unwrap();
    }
    assert!(declined(unlocked, &["a/Dockerfile"]).is_some());
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
    // Formats for users have errors on standard error.
    let people = ["human", "concise"];
    let all = people.into_iter().chain(formats.map(|(format, _)| format));
    assert_eq!(
        all.collect::<BTreeSet<_>>(),
        crate::made_reports::formats()
            .iter()
            .map(String::as_str)
            .collect()
    );
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
fn a_rule_is_a_link_to_its_page_where_the_terminal_shows_links() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Dockerfile"), LOCKED).unwrap();
    let out = |color: &str, links: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_cachelane"))
            .args(["check", "--color", color])
            .env("FORCE_HYPERLINK", links)
            .env_remove("GITHUB_ACTIONS")
            .current_dir(folder.path())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let page = concat!(
        env!("CARGO_PKG_REPOSITORY"),
        "/blob/main/docs/rules/shared-lock.md"
    );
    assert!(out("always", "1").contains(&format!("\u{1b}]8;;{page}\u{1b}\\")));
    for (color, links) in [("always", "0"), ("never", "1")] {
        assert!(!out(color, links).contains("]8;;"), "{color} {links}");
    }
    let (_, sarif, _) = cachelane(folder.path(), &["check", "--format", "sarif"]);
    assert!(
        sarif.contains(&format!("\"helpUri\": \"{page}\"")),
        "{sarif}"
    );
}
