//! Bad files, and the command's messages about them: a clear line each, and the rest goes on.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use crate::command::cachelane;

const GOOD: &str = "FROM debian\nRUN --mount=type=cache,id=x,target=/x,sharing=locked true\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("good")).unwrap();
    fs::write(folder.path().join("good/Dockerfile"), GOOD).unwrap();
    folder
}

/// Runs `check` and `fix` and expects `message` from both, exit code 2, and the good file done.
fn rest_goes_on(folder: &Path, message: &str) {
    let (code, out, err) = cachelane(folder, &["check"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains(message), "{err}");
    assert!(out.contains("good/Dockerfile:2:27"), "{out}");
    let (code, _, err) = cachelane(folder, &["fix"]);
    assert_eq!(code, 2);
    assert!(err.contains(message), "{err}");
    assert!(
        fs::read_to_string(folder.join("good/Dockerfile"))
            .unwrap()
            .contains("id=x-${CACHE_ID}")
    );
}

#[test]
fn two_hundred_megabytes_of_garbage() {
    let folder = folder();
    File::create(folder.path().join("Dockerfile"))
        .unwrap()
        .set_len(200 << 20)
        .unwrap();
    rest_goes_on(
        folder.path(),
        "cachelane: Dockerfile: it is larger than 8 MiB",
    );
}

#[test]
fn a_nul_byte() {
    let folder = folder();
    fs::write(folder.path().join("Dockerfile"), b"FROM a\nRUN \0\n").unwrap();
    rest_goes_on(
        folder.path(),
        "cachelane: Dockerfile: there is a NUL byte on line 2",
    );
}

#[test]
fn a_compose_file_in_another_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let text = "services: {web: {build: .}}\n".encode_utf16();
    let utf_16: Vec<u8> = text.flat_map(u16::to_le_bytes).collect();
    let latin_1 = b"# caf\xe9\nservices: {web: {build: .}}\n".to_vec();
    for (name, bytes) in [("compose.a.yml", utf_16), ("compose.b.yml", latin_1)] {
        fs::write(folder.path().join(name), bytes).unwrap();
        let (code, _, err) = cachelane(folder.path(), &["check"]);
        assert_eq!(code, 0, "{err}");
        assert!(
            err.contains(&format!("{name}:1: its builds cannot be read")),
            "{err}"
        );
        let (code, _, err) = cachelane(folder.path(), &["check", name]);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(name), "{err}");
    }
}

#[test]
fn a_file_that_is_not_there() {
    let folder = folder();
    let (code, out, err) = cachelane(folder.path(), &["check", "gone/Dockerfile", "good"]);
    assert_eq!(code, 2);
    assert!(err.contains("gone/Dockerfile: cannot read it"), "{err}");
    assert!(out.contains("good/Dockerfile:2:27"), "{out}");
}

#[cfg(unix)]
#[test]
fn a_socket_and_a_link_to_nowhere_that_are_named() {
    use std::os::unix::net::UnixListener;

    let folder = folder();
    let _socket = UnixListener::bind(folder.path().join("Dockerfile")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("b.Dockerfile")).unwrap();
    let (code, out, err) = cachelane(
        folder.path(),
        &["check", "Dockerfile", "b.Dockerfile", "good"],
    );
    assert_eq!(code, 2);
    assert!(
        err.contains("Dockerfile: it is not a regular file")
            && err.contains("b.Dockerfile: cannot read it"),
        "{err}"
    );
    assert!(out.contains("good/Dockerfile:2:27"), "{out}");
    // A search passes both over: neither is a file.
    assert_eq!(cachelane(folder.path(), &["check"]).0, 1);
}

#[test]
fn a_file_that_buildkit_cannot_read_is_left_as_it_is() {
    let folder = folder();
    let broken = "FROM a\nRUN --mount=type=cache,id=x,target=/x,sharing=locked <<EOF\n";
    fs::write(folder.path().join("Dockerfile"), broken).unwrap();
    let (code, out, _) = cachelane(folder.path(), &["fix"]);
    assert_eq!(code, 1);
    assert!(out.contains("no line ends the heredoc `EOF`"), "{out}");
    assert_eq!(
        fs::read_to_string(folder.path().join("Dockerfile")).unwrap(),
        broken
    );
}

#[cfg(unix)]
#[test]
fn control_characters_do_not_reach_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let name = "a\u{1b}[2J\nb.Dockerfile";
    let text =
        "RUN --mount=type=cache,id=x\u{1b}[2J,target=/x,sharing=locked echo \u{1b}]0;x\u{7}\n";
    fs::write(folder.path().join(name), text).unwrap();
    for args in [&["check"][..], &["list"], &["fix", "--diff"], &["fix"]] {
        let (_, out, err) = cachelane(folder.path(), args);
        // A piped diff has to keep the file's own bytes; messages beside it have not.
        let shown = if args.len() == 2 { err } else { out + &err };
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\u{7}'),
            "{args:?}: {shown:?}"
        );
    }
}

/// Marks that turn text around, that have no width, or that carry text which nobody sees.
#[test]
fn hidden_characters_do_not_reach_the_terminal() {
    let folder = folder();
    let hidden = [
        '\u{61C}',
        '\u{200B}',
        '\u{200D}',
        '\u{2028}',
        '\u{2060}',
        '\u{202E}',
        '\u{FE0F}',
        '\u{AD}',
        '\u{E0041}',
        '\u{E0100}',
        '\u{3164}',
    ];
    let run = |ch: &char| {
        format!("# {ch}\nRUN --mount=type=cache,id=a{ch}b,target=/a{ch},sharing=locked x\n")
    };
    let text = hidden.iter().map(run).collect::<Vec<_>>().concat();
    fs::write(folder.path().join("Dockerfile"), format!("FROM a\n{text}")).unwrap();
    for format in [
        "human",
        "concise",
        "json",
        "sarif",
        "gitlab",
        "junit",
        "checkstyle",
        "github",
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_cachelane"))
            .args(["check", "--format", format])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        for ch in hidden {
            assert!(!text.contains(ch), "{format}: {}", ch.escape_unicode());
        }
        if format == "json" {
            let _: serde_json::Value = serde_json::from_str(&text).unwrap();
        }
    }
}

#[test]
fn an_unsafe_fix_that_another_file_calls_for() {
    let folder = tempfile::tempdir().unwrap();
    let locked = "FROM debian\nARG CACHE_ID=default\n\
        RUN --mount=type=cache,id=a-${CACHE_ID},target=/x,sharing=locked true\n";
    fs::write(folder.path().join("a.Dockerfile"), locked).unwrap();
    fs::write(
        folder.path().join("b.Dockerfile"),
        locked.replace(",sharing=locked", ""),
    )
    .unwrap();
    let (code, out, _) = cachelane(folder.path(), &["check"]);
    assert!(
        code == 1 && out.contains("a.Dockerfile:3:27 locked here"),
        "{out}"
    );
    assert_eq!(cachelane(folder.path(), &["fix", "--unsafe"]).0, 0);
    assert_eq!(
        fs::read_to_string(folder.path().join("b.Dockerfile")).unwrap(),
        locked
            .replace(",sharing=locked", "")
            .replace("target=/x", "target=/x,sharing=locked")
    );
}

#[test]
fn one_bad_fix_takes_no_good_one_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!(
        "RUN --mount=type=cache,id=long,target=/l,sharing=locked {}\n",
        "x".repeat(65_475)
    );
    let mut good = String::new();
    for n in 0..60 {
        good.push_str(&format!(
            "RUN --mount=type=cache,id=g{n},target=/g,sharing=locked true\n"
        ));
    }
    fs::write(
        folder.path().join("Dockerfile"),
        format!("FROM debian\n{good}{long}"),
    )
    .unwrap();
    let (code, out, err) = cachelane(folder.path(), &["fix"]);
    assert!(
        code == 1 && out.contains("60 findings fixed in 1 file; left: 1 error"),
        "{}",
        &out[out.len() - 200..]
    );
    assert!(
        err.contains("the fix for shared-lock was not made: the file could not be read any more"),
        "{err}"
    );
    assert!(
        out.contains("not fixed: the file could not be read any more"),
        "{}",
        &out[out.len() - 400..]
    );
}

#[test]
fn variables_that_triple_do_not_take_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let mut envs = String::new();
    for n in (0..40).rev() {
        envs.push_str(&format!(
            "ENV E{n}=\"${{E{m}}}${{E{m}}}${{E{m}}}\"\n",
            m = n + 1
        ));
    }
    let text = format!(
        "FROM debian\n{envs}ENV CACHE_ID=${{E0}}\nRUN --mount=type=cache,id=a-${{CACHE_ID}},target=/x true\n"
    );
    fs::write(folder.path().join("Dockerfile"), text).unwrap();
    let (code, out, _) = cachelane(folder.path(), &["check"]);
    assert!(code == 1 && out.contains("shadowed-arg"), "{out}");
}

#[cfg(unix)]
#[test]
fn hard_links_are_not_parted() {
    let folder = folder();
    let (one, other) = (
        folder.path().join("good/Dockerfile"),
        folder.path().join("other"),
    );
    fs::hard_link(&one, &other).unwrap();
    let (code, out, err) = cachelane(folder.path(), &["fix"]);
    assert!(code == 2 && err.contains("it has 2 hard links"), "{err}");
    assert!(out.contains("not fixed: it has 2 hard links"), "{out}");
    assert_eq!(fs::read_to_string(one).unwrap(), GOOD);
}

#[test]
fn a_file_that_is_named_twice_is_one_file() {
    let folder = folder();
    let (_, out, _) = cachelane(
        folder.path(),
        &["check", ".", "good/Dockerfile", "./good/Dockerfile"],
    );
    assert!(
        out.contains("1 finding in 1 file") && !out.contains("other RUN"),
        "{out}"
    );
}

#[test]
fn a_read_only_file_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("good/Dockerfile");
    let mut mode = fs::metadata(&path).unwrap().permissions();
    mode.set_readonly(true);
    fs::set_permissions(&path, mode).unwrap();
    let (code, out, err) = cachelane(folder.path(), &["fix"]);
    assert!(
        code == 2 && err.contains("it is read-only") && out.contains("not fixed: it is read-only"),
        "{out}{err}"
    );
    assert_eq!(fs::read_to_string(path).unwrap(), GOOD);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing_silently() {
    let folder = folder();
    let run = |args: &[&str], out: fs::File| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
        command
            .args(args)
            .current_dir(folder.path())
            .env_remove("GITHUB_ACTIONS")
            .stdout(out)
            .output()
            .unwrap()
    };
    let formats = crate::made_reports::formats();
    let checks = formats
        .iter()
        .map(|format| vec!["check", "--format", format]);
    let others = [
        "list",
        "fix --diff",
        "config show",
        "rules",
        "explain shared-lock",
        "completions bash",
        "builds",
        "--help",
    ];
    for args in checks.chain(others.iter().map(|line| line.split(' ').collect())) {
        let output = run(
            &args,
            fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap(),
        );
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            err.contains("cannot write to standard output: No space left"),
            "{args:?}: {err}"
        );
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let pipe = std::os::fd::OwnedFd::from(writer);
    let output = run(&["check"], fs::File::from(pipe));
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(1), &b""[..])
    );
}

#[test]
fn what_is_known_already_and_what_is_excluded_is_not_missing() {
    let folder = folder();
    let here = folder.path();
    for args in [
        &["check", "good/Dockerfile", "."][..],
        &["check", ".", "good"],
    ] {
        let (code, _, err) = cachelane(here, args);
        assert_eq!((code, err.as_str()), (1, ""), "{args:?}");
    }
    fs::write(here.join("cachelane.toml"), "exclude = [\"good/\"]\n").unwrap();
    let (_, _, err) = cachelane(here, &["check", "--force-exclude", "good"]);
    assert!(
        err.contains("no Dockerfile below good but for what the configuration excludes"),
        "{err}"
    );
    fs::write(here.join("cachelane.toml"), "exclude = \"good/\"\n").unwrap();
    let (code, _, err) = cachelane(here, &["check"]);
    assert!(
        code == 2 && err.contains("write a list: `[\"good/\"]`"),
        "{err}"
    );
}

#[test]
fn options_that_cannot_be_meant_are_refused() {
    let folder = folder();
    for (args, part) in [
        (
            &["check", "--rules", "shared-lock", "--ignore", "shared-lock"][..],
            "leave no rule",
        ),
        (
            &["fix", "--rules", "shared-lock", "--ignore", "shared-lock"],
            "leave no rule",
        ),
        (
            &["check", "--statistics", "--format", "sarif"],
            "--statistics",
        ),
        (
            &["check", "--stdin-filename", "Dockerfile"],
            "--stdin-filename",
        ),
        (
            &["fix", "--stdin-filename", "Dockerfile"],
            "--stdin-filename",
        ),
        (
            &["list", "--stdin-filename", "Dockerfile"],
            "--stdin-filename",
        ),
        (
            &["builds", "--stdin-filename", "Dockerfile"],
            "--stdin-filename",
        ),
        (
            &["config", "show", "no/where"],
            "no/where: there is no such file or folder",
        ),
    ] {
        let (code, out, err) = cachelane(folder.path(), args);
        assert!(
            code == 2 && out.is_empty() && err.contains(part),
            "{args:?}: {err}"
        );
    }
    let (code, out, _) = cachelane(
        folder.path(),
        &[
            "check",
            "--rules",
            "shared-lock, lock-order",
            "--format",
            "concise",
        ],
    );
    assert!(code == 1 && out.contains("1 finding in 1 file"), "{out}");
    let (code, out, _) = cachelane(folder.path(), &["config", "show", "nowhere"]);
    assert!(
        code == 0 && out.contains("# There is no such file"),
        "{out}"
    );
}

#[test]
fn fix_says_what_it_did_and_no_more() {
    let folder = folder();
    let path = folder.path().join("good/Dockerfile");
    // The lock that one unsafe fix adds, another does not remove: the cache stays locked elsewhere.
    let other = folder.path().join("other.Dockerfile");
    let go = "FROM debian\nRUN --mount=type=cache,id=y,target=/root/.cache/go-build go build\n";
    fs::write(&other, go).unwrap();
    let third = folder.path().join("third.Dockerfile");
    let locked = "FROM debian\n# cachelane: ignore[shared-lock] by hand\nRUN --mount=type=cache,id=y,target=/y,sharing=locked true\n";
    fs::write(&third, locked).unwrap();
    let (_, out, _) = cachelane(folder.path(), &["fix", "--unsafe"]);
    let is = fs::read_to_string(&other).unwrap();
    assert_eq!(is, go.replace(" go build", ",sharing=locked go build"));
    assert!(out.contains("2 findings fixed in 2 files"), "{out}");
    let (_, out, _) = cachelane(folder.path(), &["fix", "--unsafe"]);
    assert!(out.contains("nothing fixed"), "{out}");
    fs::remove_file(&other).unwrap();
    fs::remove_file(&third).unwrap();
    // Lines are those of the original file.
    let two = "FROM debian\nRUN --mount=type=cache,id=a,target=/x,sharing=locked true\nFROM debian\nRUN --mount=type=cache,id=b-${CACHE_ID},target=/x true\n";
    fs::write(&path, two).unwrap();
    let (_, out, _) = cachelane(folder.path(), &["fix"]);
    assert!(
        out.contains("  line 2: ") && out.contains("  line 4: "),
        "{out}"
    );
    // Infos are counted; findings that fail the gate are shown.
    let private = "FROM debian\nRUN --mount=type=cache,id=a,target=/x,sharing=private true\n";
    fs::write(&path, private).unwrap();
    let (code, out, _) = cachelane(folder.path(), &["fix"]);
    assert_eq!(
        (code, out.as_str()),
        (
            0,
            "nothing fixed; left: 1 info (`-v` shows infos); `--unsafe` would fix it.\n"
        )
    );
    let (code, out, _) = cachelane(folder.path(), &["fix", "--fail-on", "info"]);
    assert!(
        code == 1 && out.contains("private-cache") && out.contains("left: 1 info; `--unsafe`"),
        "{out}"
    );
}

#[test]
fn a_name_that_was_typed_is_to_be_configured() {
    let folder = folder();
    let (_, _, err) = cachelane(folder.path(), &["fix", "--arg", "JOB"]);
    assert!(
        err.contains("Put `arg = \"JOB\"` into cachelane.toml"),
        "{err}"
    );
    fs::write(folder.path().join("cachelane.toml"), "arg = \"JOB\"\n").unwrap();
    fs::write(folder.path().join("good/Dockerfile"), GOOD).unwrap();
    let (_, _, err) = cachelane(folder.path(), &["fix", "--arg", "JOB"]);
    assert_eq!(err, "");
}

#[test]
fn a_suppression_that_cannot_go_is_not_called_fixable() {
    let folder = folder();
    for text in [
        "# cachelane: ignore-file[shared-lock]\n# syntax=docker/dockerfile:1\nFROM debian\n",
        "FROM debian\n# cachelane: ignore[*]\nRUN true\n",
        "FROM debian\n# cachelane: ignore[all]\nRUN true\n",
        "FROM debian\n# cachelane ignore[shared-lock]\nRUN true\n",
    ] {
        fs::write(folder.path().join("good/Dockerfile"), text).unwrap();
        let (code, out, _) = cachelane(folder.path(), &["check"]);
        assert!(
            code == 1 && out.contains("unused-ignore") && !out.contains("fixable"),
            "{out}"
        );
        let (code, _, err) = cachelane(folder.path(), &["fix"]);
        assert_eq!((code, err.as_str()), (1, ""));
        assert_eq!(
            fs::read_to_string(folder.path().join("good/Dockerfile")).unwrap(),
            text
        );
    }
}
