//! Repositories that somebody made to hurt whoever looks at them. Each is looked at with little memory and little time, and
//! has to come to a documented exit code; a stack that overflows or memory that runs out would end in a signal.
//!
//! `CACHELANE_HOSTILE=10 cargo test --release --test outer hostile::` makes everything ten times larger.

#![allow(
    clippy::print_stderr,
    clippy::format_collect,
    reason = "figures and gaps are said"
)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::loud::left_out;

const RUN: &str = "RUN --mount=type=cache,id=x,target=/x,sharing=locked true\n";
const DOCKERFILE: &str = "FROM debian\nARG CACHE_ID=default\nRUN --mount=type=cache,id=x-${CACHE_ID},target=/x,sharing=locked true\n";
const WORKFLOW: &str = ".github/workflows/ci.yml";

/// How much larger everything is to be than it is by default.
fn factor() -> usize {
    std::env::var("CACHELANE_HOSTILE").map_or(1, |factor| factor.parse().unwrap())
}

struct Ran {
    code: i32,
    out: String,
    err: String,
    seconds: f64,
}

/// Runs cachelane in `folder` with at most 1 GiB of memory and a minute of processor time, for each factor.
fn run(folder: &Path, args: &[&str]) -> Ran {
    let limits = format!(
        "ulimit -d {} && ulimit -t {} && exec \"$@\"",
        factor() << 20,
        60 * factor()
    );
    // The shell around tells how long the processor worked for the one inside.
    let script = format!("({limits}); code=$?; times > \"$TIMES\"; exit $code");
    let times = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_cachelane")])
        .args(args)
        .env("TIMES", times.path());
    let output = command
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let code = output.status.code();
    assert!(
        matches!(code, Some(0..=2)),
        "{args:?} ended with {}: {}",
        output.status,
        &err[..err.len().min(500)]
    );
    let times = fs::read_to_string(times.path()).unwrap();
    let of_child = times.lines().nth(1).unwrap().split_whitespace();
    let seconds = |time: &str| {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
    };
    Ran {
        code: code.unwrap_or(-1),
        out,
        err,
        seconds: of_child.map(seconds).sum(),
    }
}

/// Four times as much as `make` makes of `count` may take eight times as long, and a bit: sixteen would be its square. None
/// of it may be refused, and `check` has to find the same in it, or four times as much.
fn grows(what: &str, name: &str, count: usize, make: impl Fn(usize) -> String) {
    let ran = |count: usize, args: &[&str]| {
        let folder = folder();
        if name != "Dockerfile" {
            put(folder.path(), "Dockerfile", DOCKERFILE);
        }
        put(folder.path(), name, make(count));
        run(folder.path(), args)
    };
    let mut found = [0; 2];
    for args in [&["check"][..], &["fix", "--diff", "--quiet"]] {
        let both = [ran(count * factor(), args), ran(4 * count * factor(), args)];
        let [once, four] = both.each_ref().map(|ran| ran.seconds);
        eprintln!("{what}, {args:?}: {once:.2} s, four times as much {four:.2} s");
        assert!(
            four < 8.0 * once + 0.3,
            "{what}, {args:?}: {once} s, but four times as much takes {four} s"
        );
        if args[0] == "check" {
            found = both.each_ref().map(found_by);
            assert!(
                found[0] == found[1] || found[1] > 3 * found[0],
                "{what}: {found:?} findings"
            );
        }
        for ran in &both {
            let code = i32::from(found[0] > 0);
            assert!(
                ran.code == code && ran.out.is_empty() == (code == 0 && args[0] == "fix"),
                "{what}: {}",
                ran.err
            );
        }
    }
}

/// How many findings the last line of `check` counts.
fn found_by(ran: &Ran) -> usize {
    let last = ran.out.lines().last().unwrap_or_default();
    let first = last.split(' ').next().and_then(|count| count.parse().ok());
    match first {
        Some(count) if last.contains(" finding") => count,
        Some(_) if last.contains(" checked, nothing found") => 0,
        _ => panic!("`check` ended with {} and {last:?}: {}", ran.code, ran.err),
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn put(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Checks and fixes `text` as the file `name`, beside a good Dockerfile: a Dockerfile is read, of all else it may be said why
/// it was not.
fn survives(what: &str, name: &str, text: impl AsRef<[u8]>) -> Ran {
    let folder = folder();
    if name != "Dockerfile" {
        put(folder.path(), "Dockerfile", DOCKERFILE);
    }
    put(folder.path(), name, text);
    eprintln!("{what}");
    let [fix, check] =
        [&["fix", "--diff", "--quiet"][..], &["check"]].map(|args| run(folder.path(), args));
    match check.code {
        2 => assert!(
            name != "Dockerfile" && !check.err.is_empty() && !fix.err.is_empty(),
            "{what}: {}",
            check.err
        ),
        code => assert_eq!(
            code,
            i32::from(found_by(&check) > 0),
            "{what}: {}",
            check.err
        ),
    }
    assert_eq!(fix.code, check.code, "{what}: {}", fix.err);
    check
}

/// Looks whether the workflow in `folder` is said to be more than cachelane reads.
fn refuses(folder: &Path, why: &str) {
    for args in [&["check"][..], &["fix", "--diff"], &["builds"]] {
        let ran = run(folder, args);
        let said = ran
            .err
            .lines()
            .filter(|line| line.starts_with("cachelane: .github/workflows/ci.yml:"));
        let said: Vec<&str> = said
            .filter(|line| line.ends_with("what it builds was not looked at"))
            .collect();
        assert!(
            ran.code == 2 && said.len() == 1 && said[0].contains(why),
            "{args:?}: {} {}",
            ran.code,
            ran.err
        );
    }
    let report = run(folder, &["check", "--format", "json"]).out;
    assert!(
        report.contains("what it builds was not looked at"),
        "{report}"
    );
}

/// `count` times what `make` makes of each number.
fn times(count: usize, make: impl Fn(usize) -> String) -> String {
    (0..count * factor()).map(make).collect()
}

/// `open`, `count` times, then `inner`, then as many `close`.
fn nested(open: &str, inner: &str, close: &str, count: usize) -> String {
    let count = count * factor();
    [&open.repeat(count), inner, &close.repeat(count)].concat()
}

#[test]
fn links_pipes_sockets_and_devices() {
    let outside = folder();
    put(outside.path(), "Dockerfile", RUN);
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    put(folder.path(), "good/Dockerfile", RUN);
    symlink(outside.path(), at("out")).unwrap();
    symlink(outside.path().join("Dockerfile"), at("out.Dockerfile")).unwrap();
    symlink(".", at("circle")).unwrap();
    symlink("self.Dockerfile", at("self.Dockerfile")).unwrap();
    symlink("b.Dockerfile", at("a.Dockerfile")).unwrap();
    symlink("a.Dockerfile", at("b.Dockerfile")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(at("Dockerfile"))
            .status()
            .unwrap()
            .success()
    );
    let _socket = UnixListener::bind(at("socket.Dockerfile")).unwrap();
    // Only root may make a device; `/dev/zero`, named, serves for the rest.
    let _ = Command::new("mknod")
        .arg(at("zero.Dockerfile"))
        .args(["c", "1", "5"])
        .stderr(Stdio::null())
        .status();
    fs::create_dir(at("Containerfile")).unwrap();
    let ran = run(folder.path(), &["check"]);
    assert!(
        ran.code == 1 && ran.out.contains("1 finding in 1 file"),
        "{}{}",
        ran.out,
        ran.err
    );
    for name in ["Dockerfile", "socket.Dockerfile", "/dev/zero"] {
        let ran = run(folder.path(), &["check", name]);
        assert!(
            ran.code == 2 && ran.err.contains("it is not a regular file"),
            "{name}: {}",
            ran.err
        );
    }
    for name in ["self.Dockerfile", "a.Dockerfile"] {
        let ran = run(folder.path(), &["check", name]);
        assert!(
            ran.code == 2 && ran.err.contains("cannot read it"),
            "{name}: {}",
            ran.err
        );
    }
    assert_eq!(run(folder.path(), &["fix"]).code, 0);
    assert_eq!(
        fs::read_to_string(outside.path().join("Dockerfile")).unwrap(),
        RUN
    );
}

/// The search read such a file in full: `/dev/zero` to the end of the memory, and a pipe until somebody wrote to it.
#[test]
fn what_says_what_to_ignore() {
    let folder = folder();
    put(folder.path(), "d/Dockerfile", RUN);
    put(folder.path(), "good/Dockerfile", RUN);
    let path = folder.path().join("d/.gitignore");
    let judge = |what: &str, why: &str| {
        let ran = run(folder.path(), &["check"]);
        assert!(
            ran.code == 2 && ran.out.contains("1 finding in 1 file"),
            "{what}: {} {}",
            ran.out,
            ran.err
        );
        assert!(
            ran.err
                .contains(&format!("cachelane: d: cannot search it: {why}")),
            "{what}: {}",
            ran.err
        );
    };
    for target in ["/dev/zero", "/proc/kmsg", "/dev/stdin"] {
        symlink(target, &path).unwrap();
        judge(target, "its .gitignore is no regular file");
        fs::remove_file(&path).unwrap();
    }
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    judge("a pipe", "its .gitignore is no regular file");
    fs::remove_file(&path).unwrap();
    put(
        folder.path(),
        "d/.gitignore",
        (0..60_000)
            .map(|n| format!("*a{n}*b\n"))
            .collect::<String>(),
    );
    judge("many patterns", "its .gitignore is larger than 256 KiB");
    // The file of a folder that is named, and those of the folders around it.
    put(folder.path(), "d/inner/Dockerfile", RUN);
    for (here, name) in [("", "d"), ("d/inner", ".")] {
        let ran = run(&folder.path().join(here), &["check", name]);
        let why = "d: cannot search it: its .gitignore is larger";
        assert!(
            ran.code == 2 && ran.err.contains(why),
            "{}{}",
            ran.out,
            ran.err
        );
    }
    // Git follows no such link either; one to a plain file does no harm.
    put(folder.path(), "plain", "Dockerfile\n");
    fs::remove_file(&path).unwrap();
    symlink("../plain", &path).unwrap();
    let ran = run(folder.path(), &["check"]);
    assert!(
        ran.code == 1 && ran.out.contains("1 finding in 1 file"),
        "{}{}",
        ran.out,
        ran.err
    );
}

/// `check --diff` asks git, which would start what a repository's configuration names: filters did, for one.
#[test]
fn git_starts_nothing_that_a_repository_names() {
    let folder = folder();
    let here = folder.path();
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(args)
            .current_dir(here);
        assert!(
            command
                .output()
                .expect("this test needs git")
                .status
                .success(),
            "git {args:?}"
        );
    };
    git(&["init", "-q", "-b", "main"]);
    put(here, "Dockerfile", RUN);
    put(
        here,
        ".gitattributes",
        "* filter=evil diff=evil merge=evil\n",
    );
    put(here, "inner/Dockerfile", RUN);
    let inner = |args: &[&str]| git(&[&["-C", "inner"], args].concat());
    inner(&["init", "-q", "-b", "main"]);
    inner(&["add", "."]);
    inner(&["commit", "-qm", "one"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    let owned = |by: &str| format!("touch {}/owned-{by}; cat", here.display());
    for name in [
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "credential.helper",
    ] {
        git(&["config", name, &owned(name)]);
        inner(&["config", name, &owned(&format!("inner-{name}"))]);
    }
    git(&["config", "filter.evil.required", "true"]);
    for name in [
        "post-index-change",
        "reference-transaction",
        "pre-auto-gc",
        "fsmonitor-watchman",
    ] {
        let path = format!(".git/hooks/{name}");
        put(here, &path, format!("#!/bin/sh\n{}\n", owned(name)));
        assert!(
            Command::new("chmod")
                .arg("+x")
                .arg(here.join(path))
                .status()
                .unwrap()
                .success()
        );
    }
    // As long as nothing is changed, git need not look into a file.
    put(
        here,
        "Dockerfile",
        format!("{RUN}{}", RUN.replace("id=x", "id=new")),
    );
    put(
        here,
        "inner/Dockerfile",
        format!("{RUN}{}", RUN.replace("id=x", "id=inner")),
    );
    let ran = run(here, &["check", "--format", "concise", "--diff", "HEAD"]);
    assert!(
        ran.code == 1 && ran.out.contains("Dockerfile:2:27: ") && !ran.out.contains("`x`"),
        "{}{}",
        ran.out,
        ran.err
    );
    let names = fs::read_dir(here)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let owned: Vec<String> = names.filter(|name| name.starts_with("owned")).collect();
    assert!(owned.is_empty(), "{owned:?}");
    // The test would see them.
    let _ = Command::new("git")
        .args(["diff", "HEAD"])
        .current_dir(here)
        .output();
    assert!(
        here.join("owned-core.fsmonitor").exists()
            && here.join("owned-filter.evil.process").exists()
    );
    // One that cannot be turned off is refused.
    git(&["config", "filter.a=b.clean", "true"]);
    let ran = run(here, &["check", "--diff", "HEAD"]);
    assert!(
        ran.code == 2 && ran.err.contains("a filter with `=` in its name"),
        "{}",
        ran.err
    );
}

/// What GitHub's runner and Azure's agent take for a command in what a step prints, and what is left of it.
#[test]
fn a_log_takes_nothing_for_a_command() {
    let folder = folder();
    let command = "##vso[task.setvariable variable=a]b ##[add-mask]c ##teamcity[d]";
    let text = format!(
        "FROM a\n# {command}\n::stop-commands::x\nRUN --mount=type=cache,id={command},target=/::set-output,sharing=locked \\\n\
         --mount=type=cache,id=::error::x,target=/::y,sharing=locked true {command}\n"
    );
    for name in [
        "::stop-commands::x.Dockerfile",
        " ::error::.Dockerfile",
        "##[add-matcher]x.Dockerfile",
    ] {
        put(folder.path(), name, &text);
        put(
            folder.path(),
            &format!("##vso[artifact.upload]d/{name}"),
            RUN,
        );
    }
    let workflow =
        |name: &str| format!("services:\n  '{command}':\n    build:\n      dockerfile: '{name}'\n");
    put(
        folder.path(),
        "compose.yaml",
        workflow("::stop-commands::x.Dockerfile"),
    );
    put(
        folder.path(),
        "compose.##[debug]b.yaml",
        workflow("##[add-matcher]x.Dockerfile"),
    );
    put(folder.path(), "##[error]e.Dockerfile", "\0");
    put(
        folder.path(),
        "##[x]/cachelane.toml",
        "arg = 1\n'##[y]' = 2\n",
    );
    put(folder.path(), "##[x]/Dockerfile", RUN);
    let formats = [
        "human",
        "concise",
        "json",
        "sarif",
        "github",
        "gitlab",
        "junit",
        "checkstyle",
    ];
    let checks = formats.map(|format| vec!["check", "--format", format]);
    let others = [
        &["list"][..],
        &["list", "--format", "json"],
        &["builds", "-v"],
        &["builds", "--format", "json"],
        &["fix"],
    ];
    for args in checks.into_iter().chain(others.map(<[&str]>::to_vec)) {
        let ran = run(folder.path(), &args);
        assert!(ran.code > 0, "{args:?}: {}", ran.err);
        assert!(
            ran.out.contains("##") || ran.out.contains("#&#35;") || ran.out.contains("u0023"),
            "{args:?} shows nothing"
        );
        for line in ran.out.lines().chain(ran.err.lines()) {
            let ours = args.contains(&"github") && line.starts_with("::error file=");
            let starts = line.trim_start().starts_with("::");
            let word = |name: &str| line.contains(&format!("##{name}["));
            // A line that is one command is not searched for others.
            assert!(
                ours || !(starts || word("") || word("vso") || word("teamcity")),
                "{args:?}: {line}"
            );
        }
    }
}

/// A program that passes file names without `--` makes an option of such a name.
#[test]
fn a_file_named_like_an_option_writes_nothing() {
    let (folder, outside) = (folder(), folder());
    put(folder.path(), "Dockerfile", RUN);
    let target = outside.path().join("a.Dockerfile");
    for option in [
        format!("--output={}", target.display()),
        format!("--report=json={}", target.display()),
    ] {
        let ran = run(folder.path(), &["check", "Dockerfile", &option]);
        assert!(
            ran.code == 2 && ran.err.contains("the report needs a file of its own"),
            "{option}: {}",
            ran.err
        );
        assert!(!target.exists());
    }
}

#[test]
fn a_folder_of_many_files() {
    let (folder, count) = (folder(), 2000 * factor());
    for n in 0..count {
        fs::write(folder.path().join(format!("{n}.txt")), "").unwrap();
        fs::write(
            folder.path().join(format!("{n}.Dockerfile")),
            if n % 100 == 0 { RUN } else { "FROM a\n" },
        )
        .unwrap();
    }
    let ran = run(folder.path(), &["check", "--format", "concise"]);
    assert_eq!(
        (
            ran.code,
            ran.out
                .lines()
                .filter(|line| line.contains("[shared-lock]"))
                .count()
        ),
        (1, count / 100),
        "{}",
        ran.err
    );
}

#[test]
fn paths_that_are_long_and_odd() {
    let folder = folder();
    // As deep as a path of 4,096 bytes goes; a folder's name has up to 255.
    let mut deep = folder.path().to_path_buf();
    while deep.as_os_str().len() + 201 + "/Dockerfile".len() < 4090 {
        deep.push("d".repeat(200));
        fs::create_dir(&deep).unwrap();
    }
    fs::write(deep.join("Dockerfile"), RUN).unwrap();
    for name in [
        &b"new\nline.Dockerfile"[..],
        b"\x1b]0;x\x07.Dockerfile",
        b"\xff\xfe.Dockerfile",
        b"\xe2\x80\xae.Dockerfile",
    ] {
        fs::write(folder.path().join(OsStr::from_bytes(name)), RUN).unwrap();
    }
    for format in [
        "human",
        "concise",
        "json",
        "sarif",
        "github",
        "gitlab",
        "junit",
        "checkstyle",
    ] {
        let ran = run(folder.path(), &["check", "--format", format]);
        assert_eq!(ran.code, 1, "{format}: {}", ran.err);
        assert!(
            !(ran.out.contains(['\x1b', '\x07', '\u{202e}'])),
            "{format} prints control characters"
        );
    }
    let ran = run(folder.path(), &["fix"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        fs::read_to_string(deep.join("Dockerfile"))
            .unwrap()
            .contains("ARG CACHE_ID")
    );
}

/// Each file was bounded, and all of them together were not: what was found in a few hundred took all memory.
#[test]
fn many_large_files() {
    let folder = folder();
    let comments = format!("#{}\n", "x".repeat(60_000)).repeat(130);
    put(
        folder.path(),
        "Dockerfile",
        format!("FROM a\n{RUN}{comments}"),
    );
    for n in 0..75 {
        fs::hard_link(
            folder.path().join("Dockerfile"),
            folder.path().join(format!("{n}.Dockerfile")),
        )
        .unwrap();
    }
    let ran = run(folder.path(), &["check", "--format", "json"]);
    let left = ran
        .err
        .lines()
        .filter(|line| line.contains("Dockerfile: it was not looked at: "))
        .count();
    assert!(
        ran.code == 2 && (1..60).contains(&left),
        "{left} {}",
        ran.err
    );
    assert_eq!(
        ran.out.matches("\"rule\": \"shared-lock\"").count() + left,
        76
    );
}

#[test]
fn two_gigabytes() {
    let folder = folder();
    File::create(folder.path().join("Dockerfile"))
        .unwrap()
        .set_len(2 << 30)
        .unwrap();
    let ran = run(folder.path(), &["check"]);
    assert!(
        ran.code == 2
            && ran
                .err
                .contains("it is larger than 8 MiB: no Dockerfile is (`--max-size`"),
        "{}",
        ran.err
    );
    put(
        folder.path(),
        "Dockerfile",
        format!("{RUN}{}", "# a comment\n".repeat(100_000)),
    );
    let ran = run(folder.path(), &["check", "--max-size", "1"]);
    assert!(
        ran.code == 2 && ran.err.contains("it is larger than 1 MiB"),
        "{}",
        ran.err
    );
    assert_eq!(run(folder.path(), &["check"]).code, 1);
    assert!(
        run(folder.path(), &["check", "--max-size", "0"])
            .err
            .contains("0 is not in 1..=")
    );
}

/// A few hundred kilobytes took all memory: what is around a build was kept for each, and all lines of a finding were shown
/// for each finding within them.
#[test]
fn little_that_grows() {
    let steps = |count: usize, env: &str| {
        let steps = "      - run: docker build .\n".repeat(count);
        format!("on: push\njobs:\n  a:\n    runs-on: self-hosted\n{env}    steps:\n{steps}")
    };
    let env: String = times(1200, |n| format!("      E{n}: v\n"));
    survives(
        "variables of each step",
        WORKFLOW,
        steps(1200 * factor(), &format!("    env:\n{env}")),
    );
    let folders = format!(
        "      - run: |\n{}          docker build .\n",
        times(40_000, |_| "          cd a\n".into())
    );
    survives("folders in folders", WORKFLOW, steps(1, "") + &folders);
    let args: String = times(400, |n| format!("        A{n}: v\n"));
    let services: String = times(1400, |n| format!("  s{n}:\n    extends: b\n"));
    let compose =
        format!("services:\n  b:\n    build:\n      context: .\n      args:\n{args}{services}");
    survives("arguments handed down", "compose.yaml", compose);
    let long = format!(
        "RUN --mount=type=cache,id=x{}y,target=/x,sharing=locked b\n",
        "\\\n".repeat(1500)
    );
    let each = RUN.replace("id=x", "id=xy");
    survives(
        "lines of a finding",
        "Dockerfile",
        format!("FROM a\n{long}{}", times(1500, |_| each.clone())),
    );
    let copies = format!("{}{RUN}", "COPY --from=s0 /a /b\n".repeat(100));
    let stages = times(400, |n| format!("FROM a AS s{}\n{copies}", n + 1));
    survives(
        "copies",
        "Dockerfile",
        format!("FROM a AS s0\n{RUN}{stages}"),
    );
}

/// Each mount of a cache was compared with all others of it: 16,000 took half a minute.
#[test]
fn mounts_in_one_run() {
    let same = |_| " \\\n--mount=type=cache,id=x,target=/x,sharing=locked".to_owned();
    grows("one cache", "Dockerfile", 2500, |count| {
        format!("FROM a\nRUN{} true\n", same(0).repeat(count))
    });
    let own = |n| format!(" \\\n--mount=type=cache,target=/c{n},sharing=locked");
    survives(
        "many caches",
        "Dockerfile",
        format!("FROM a\nRUN{} true\n", times(2000, own)),
    );
    let bind = |_| " \\\n--mount=type=bind,target=/x".to_owned();
    survives(
        "bind mounts",
        "Dockerfile",
        format!("FROM a\nRUN{} true\n", times(5000, bind)),
    );
}

/// What a lane needs to know of a file was found anew for each mount: the folders of a RUN that a lock serves, the file's own
/// values, and what an id is made of.
#[test]
fn lanes_of_many_mounts() {
    let mount = "type=cache,sharing=locked";
    grows(
        "locks that serve another folder",
        "Dockerfile",
        1000,
        |count| {
            let run = |n| {
                format!(
                    "RUN --mount=type=cache,id=c{n},target=/var/cache/apt --mount={mount},id=l{n},target=/var/lib/apt apt-get update\n"
                )
            };
            format!("FROM a\n{}", (0..count).map(run).collect::<String>())
        },
    );
    grows(
        "ids beside one that has a lane",
        "Dockerfile",
        1500,
        |count| {
            let run = |n| format!("RUN --mount={mount},id=${{X}}-{n},target=/v{n} make\n");
            let lane = format!("RUN --mount={mount},id=q-${{CACHE_ID}},target=/q x\n");
            format!(
                "FROM a\nARG X\nARG CACHE_ID=default\n{lane}{}",
                (0..count).map(run).collect::<String>()
            )
        },
    );
    grows("ids made of ARGs of ARGs", "Dockerfile", 800, |count| {
        let arg = |n| format!("ARG A{}=${{A{n}}}\n", n + 1);
        let run = |n| format!("RUN --mount={mount},id=${{A{count}}}-{n},target=/v{n} make\n");
        let (args, runs) = (
            (0..count).map(arg).collect::<String>(),
            (0..count).map(run).collect::<String>(),
        );
        format!("FROM a\nARG A0=x\n{args}{runs}")
    });
}

/// The last part of a path was looked through again for each part that comes to nothing.
#[test]
fn paths_of_many_parts() {
    let kinds = [
        ("dots", "/."),
        ("slashes", "//"),
        ("up", "/b/.."),
        ("above all", "/.."),
    ];
    for (what, part) in kinds {
        grows(what, "Dockerfile", 10_000, |count| {
            let lines = format!("{}\\\n", part.repeat(100)).repeat(count / 100);
            // The id that is made of it stands on one line, which BuildKit wants shorter than 64 KiB.
            let name = format!("{}\\\n", "a".repeat(100)).repeat((count / 100).min(500));
            let path = format!("/{name}\\\n{lines}");
            format!("FROM a\nRUN --mount=type=cache,sharing=locked,target={path} true\n")
        });
    }
}

/// All mounts of a cache were changed by the fix of each: memory grew with the square of their number.
#[test]
fn locks_that_nobody_needs() {
    let mount = "RUN --mount=type=cache,id=go-${CACHE_ID},target=/root/.cache/go-build,sharing=locked true\n";
    let text = format!(
        "FROM golang\nARG CACHE_ID=default\n{}",
        times(2000, |_| mount.into())
    );
    let folder = folder();
    put(folder.path(), "Dockerfile", text);
    let ran = run(folder.path(), &["check", "--statistics"]);
    assert!(
        ran.code == 0 && ran.out.contains("needless-lock"),
        "{}",
        ran.out
    );
    let ran = run(folder.path(), &["fix", "--unsafe", "--diff"]);
    let left = format!("nothing to fix, {} infos left", 2000 * factor());
    assert!(
        ran.code == 0 && ran.err.contains(&left),
        "{} {}",
        ran.code,
        ran.err
    );
}

/// For each RUN of a chain of stages, the whole chain was gone along: 4,000 stages took a minute.
#[test]
fn stages() {
    survives(
        "stages",
        "Dockerfile",
        times(2000, |n| format!("FROM a AS s{n}\n{RUN}")),
    );
    grows("a chain", "Dockerfile", 1000, |count| {
        let built = (0..count).map(|n| format!("FROM s{n} AS s{}\n{RUN}", n + 1));
        format!("FROM a AS s0\n{}", built.collect::<String>())
    });
    let copies = times(1000, |n| {
        format!("FROM a AS s{}\nCOPY --from=s{n} /a /a\n{RUN}", n + 1)
    });
    survives("copies", "Dockerfile", format!("FROM a AS s0\n{copies}"));
    let globals = "ARG CACHE_ID\n".repeat(500 * factor());
    survives(
        "one name",
        "Dockerfile",
        format!("{globals}{}", times(2000, |_| format!("FROM a\n{RUN}"))),
    );
}

/// Of a name that a stage declares again and again, every declaration was looked at for every RUN.
#[test]
fn variables() {
    let chain = |keyword: &str| {
        let lines = times(10_000, |n| format!("{keyword} V{}=${{V{n}}}\n", n + 1));
        let last = 10_000 * factor();
        format!(
            "FROM a\n{keyword} V0=x\n{lines}RUN --mount=type=cache,id=x-${{V{last}}},target=/x,sharing=locked true\n"
        )
    };
    survives("ARG of ARG", "Dockerfile", chain("ARG"));
    survives("ENV of ENV", "Dockerfile", chain("ENV"));
    let id = nested("${a:-\\\n", "x", "}", 10_000);
    let ran = survives(
        "nested",
        "Dockerfile",
        format!("FROM a\nRUN --mount=type=cache,id={id},target=/x true\n"),
    );
    assert_eq!(ran.code, 1);
    let again = format!("ARG CACHE_ID\n{}", RUN.replace("id=x", "id=x-${CACHE_ID}"));
    grows("again and again", "Dockerfile", 500, |count| {
        format!("FROM a\n{}", again.repeat(count))
    });
    let trigger = RUN.replace("id=x", "id=x-${CACHE_ID}");
    grows("triggers", "Dockerfile", 1000, |count| {
        format!(
            "FROM a\n{}{}",
            "ARG CACHE_ID\n".repeat(count),
            format!("ONBUILD {trigger}").repeat(count)
        )
    });
    // A stage with more than twenty such lines was passed over without a word.
    let lines = "ARG CACHE_ID=a\nRUN x\n".repeat(30);
    let ran = survives(
        "early ones",
        "Dockerfile",
        format!("FROM a\n{lines}{trigger}"),
    );
    assert_eq!(ran.out.matches("early-arg\n").count(), 30, "{}", ran.out);
}

/// Circles of locks: one of many, many of two, and all that a few RUNs with many locks make.
#[test]
fn lock_orders() {
    let taken = |first: &str, second: &str| {
        let mount =
            |id: &str, at: u8| format!("--mount=type=cache,id={id},target=/{at},sharing=locked");
        format!("RUN {} {} true\n", mount(first, 1), mount(second, 2))
    };
    grows("one circle", "Dockerfile", 1000, |count| {
        let next = |n: usize| taken(&format!("i{n}"), &format!("i{}", (n + 1) % count));
        format!("FROM a\n{}", (0..count).map(next).collect::<String>())
    });
    grows("circles of two", "Dockerfile", 500, |count| {
        let both = |n: usize| {
            taken(&format!("a{n}"), &format!("b{n}")) + &taken(&format!("b{n}"), &format!("a{n}"))
        };
        format!("FROM a\n{}", (0..count).map(both).collect::<String>())
    });
    grows("many locks", "Dockerfile", 20, |count| {
        let mount = |run: usize, at: usize| {
            format!(
                " --mount=type=cache,id=i{},target=/{at:02},sharing=locked",
                (run * 7919 + at * at * 31) % 199
            )
        };
        let run = |run: usize| {
            format!(
                "RUN{} true\n",
                (0..32).map(|at| mount(run, at)).collect::<String>()
            )
        };
        format!("FROM a\n{}", (0..count).map(run).collect::<String>())
    });
    // Two RUNs that can wait for each other, and a circle around them that cannot close: whoever is in it holds one lock.
    let gated = |first: &str, second: &str| {
        taken(first, second).replacen(
            "RUN ",
            "RUN --mount=type=cache,id=g,target=/0,sharing=locked ",
            1,
        )
    };
    for count in [3, 100, 1000] {
        let ring = |n: usize| gated(&format!("i{n}"), &format!("i{}", (n + 1) % count));
        let both = |one: &str, other: &str, taken: &dyn Fn(&str, &str) -> String| {
            taken(one, other) + &taken(other, one)
        };
        let ring: String = (0..count).map(ring).collect();
        let text = format!(
            "FROM a\n{ring}{}{}",
            both("i0", "x", &gated),
            both("x", "y", &taken)
        );
        let folder = folder();
        put(folder.path(), "Dockerfile", text);
        let ran = run(folder.path(), &["check", "--rules", "lock-order"]);
        assert_eq!((ran.code, found_by(&ran)), (1, 1), "{count}: {}", ran.out);
        assert!(
            ran.out.contains("`x` (at /1), then `y` (at /2)"),
            "{count}: {}",
            ran.out
        );
    }
}

/// Each branch was looked for among all declarations, for each of them and each RUN: 1,000 took minutes.
#[test]
fn templates() {
    for (open, close) in [
        ("{% if a %}\n", "{% endif %}\n"),
        ("{{ if .a }}\n", "{{ end }}\n"),
        ("@[if a]\n", "@[end if]\n"),
    ] {
        survives(
            open,
            "Dockerfile",
            format!("FROM a\n{}", nested(open, RUN, close, 10_000)),
        );
        survives(
            "never closed",
            "Dockerfile",
            format!("FROM a\n{}{RUN}", open.repeat(10_000 * factor())),
        );
    }
    let open = format!("{{% if a %}}\n{RUN}{{% else %}}\n");
    survives(
        "else",
        "Dockerfile",
        format!("FROM a\n{}", nested(&open, RUN, "{% endif %}\n", 500)),
    );
    let block = format!("{{% if a %}}\nARG X\n{{% else %}}\nARG CACHE_ID\n{{% endif %}}\n{RUN}");
    grows("one after the other", "Dockerfile", 100, |count| {
        format!("FROM a\n{}", block.repeat(count))
    });
    survives(
        "braces",
        "Dockerfile",
        format!("FROM a\n{RUN}RUN {}\n", "{{".repeat(1000)),
    );
}

#[test]
fn heredocs() {
    let (words, ends) = (
        times(5000, |n| format!(" <<E{n}")),
        times(5000, |n| format!("E{n}\n")),
    );
    survives(
        "of one RUN",
        "Dockerfile",
        format!("FROM a\n{}{words}\n{ends}", RUN.trim_end()),
    );
    survives(
        "many",
        "Dockerfile",
        format!(
            "FROM a\n{}",
            times(1000, |_| format!("{} <<E\na\nE\n", RUN.trim_end()))
        ),
    );
    survives(
        "within one",
        "Dockerfile",
        format!(
            "FROM a\n{} <<E\n{}E\n",
            RUN.trim_end(),
            "<<E\n".repeat(20_000 * factor())
        ),
    );
    let open = survives(
        "never closed",
        "Dockerfile",
        format!("FROM a\n{}{RUN}", "RUN <<E\n".repeat(20_000 * factor())),
    );
    assert!(
        open.code == 1 && open.out.contains("no line ends the heredoc"),
        "{}",
        open.out
    );
}

/// A suppressed mount asked all others of its cache whether they are: 4,000 took a minute.
#[test]
fn suppressions() {
    let comment = "# cachelane: ignore[shared-lock] why\n";
    survives(
        "above one",
        "Dockerfile",
        format!("FROM a\n{}{RUN}", comment.repeat(20_000 * factor())),
    );
    survives(
        "of the file",
        "Dockerfile",
        format!(
            "{}{RUN}",
            comment
                .replace("ignore[", "ignore-file[")
                .repeat(15_000 * factor())
        ),
    );
    let each = format!("{comment}{RUN}");
    grows("above each", "Dockerfile", 1000, |count| {
        format!("FROM a\n{}", each.repeat(count))
    });
    let list = "shared-lock,".repeat(5000 * factor());
    survives(
        "a long list",
        "Dockerfile",
        format!("FROM a\n# cachelane: ignore[{list}] why\n{RUN}"),
    );
}

#[test]
fn yaml() {
    let job = |text: &str| format!("on: push\njobs:\n  b:\n    runs-on: x\n    steps:\n{text}");
    let laughs = times(9, |n| {
        format!(
            "a{}: &a{} [{}]\n",
            n + 1,
            n + 1,
            vec![format!("*a{n}"); 9].join(",")
        )
    });
    let step = "      - run: docker build .\n";
    survives(
        "a billion laughs",
        WORKFLOW,
        format!("a0: &a0 [x]\n{laughs}{}", job(step)),
    );
    let folder = folder();
    put(
        folder.path(),
        WORKFLOW,
        format!("a0: &a0 [x]\n{laughs}{}", job(step)),
    );
    let limit = "with its aliases written out, this has more than 1000000 values";
    let ran = run(folder.path(), &["builds", "--verbose"]);
    assert!(ran.code == 2 && ran.out.contains(limit), "{}", ran.out);
    refuses(folder.path(), limit);
    put(
        folder.path(),
        WORKFLOW,
        nested("[", "docker build", "]", 1000),
    );
    refuses(
        folder.path(),
        "more than 100 values stand within one another",
    );
    put(
        folder.path(),
        WORKFLOW,
        "on: push\njobs: &j\n  b: *j\n  c:\n    steps:\n      - run: docker build .\n",
    );
    refuses(
        folder.path(),
        "this alias stands for a value that contains it",
    );
    // A template of a workflow is none yet: it is not for cachelane to judge it.
    put(
        folder.path(),
        WORKFLOW,
        "on: push\n{% if x %}\njobs: docker build .\n",
    );
    let ran = run(folder.path(), &["check"]);
    assert!(ran.code == 0 && ran.err.is_empty(), "{}", ran.err);
    for (what, text) in [
        ("brackets", nested("[", "docker build", "]", 100_000)),
        ("open brackets", "[".repeat(1_000_000)),
        ("braces", nested("{a: ", "docker build", "}", 100_000)),
        (
            "sequences",
            "- ".repeat(100_000 * factor()) + "docker build .",
        ),
        (
            "questions",
            "? ".repeat(100_000 * factor()) + "docker build .",
        ),
        (
            "indented",
            (0..3000)
                .map(|n| format!("{}a:\n", " ".repeat(n)))
                .collect::<String>()
                + &" ".repeat(3000)
                + "docker build .",
        ),
    ] {
        survives(what, WORKFLOW, text);
    }
    survives(
        "aliases of what is around",
        WORKFLOW,
        "on: push\njobs: &j\n  b: *j\n  c:\n    steps: &s\n      - *s\n      - run: docker build .\n",
    );
    survives(
        "merges",
        WORKFLOW,
        format!(
            "x0: &x0 {{a: 1}}\n{}{}",
            times(2000, |n| format!("x{}: &x{} {{<<: *x{n}}}\n", n + 1, n + 1)),
            job(step)
        ),
    );
    let axes = times(16, |n| format!("        a{n}: [{}]\n", "x, ".repeat(100)));
    let matrix = format!(
        "on: push\njobs:\n  b:\n    strategy:\n      matrix:\n{axes}        include:\n{}    runs-on: x\n    steps:\n      - run: docker build --build-arg CACHE_ID=${{{{ matrix.a0 }}}} .\n",
        times(2000, |n| format!("          - {{a0: v{n}, b: w}}\n"))
    );
    survives("a matrix", WORKFLOW, matrix);
    survives(
        "parentheses",
        WORKFLOW,
        job(&format!(
            "      - run: docker build --build-arg CACHE_ID=${{{{ {} }}}} .\n",
            nested("(", "a", ")", 10_000)
        )),
    );
    for (open, close) in [
        ("$(", ")"),
        ("{ ( ", " ) }"),
        ("sh -c \"", "\""),
        ("`", "`"),
    ] {
        survives(
            open,
            WORKFLOW,
            job(&format!(
                "      - run: |\n          {}\n",
                nested(open, "docker build .", close, 10_000)
            )),
        );
    }
}

/// A job, service or target was looked for among all others, for each that extends it.
#[test]
fn what_extends_itself() {
    let gitlab = |n: usize, of: usize| {
        format!("s{n}:\n  script: docker build .\n  extends: [s{of}, s{of}]\n")
    };
    survives(
        "a chain of jobs",
        ".gitlab-ci.yml",
        format!(
            "s0:\n  script: docker build .\n{}",
            times(60, |n| gitlab(n + 1, n))
        ),
    );
    survives(
        "a circle of jobs",
        ".gitlab-ci.yml",
        times(60, |n| gitlab(n, (n + 1) % (60 * factor()))),
    );
    let compose = |n: usize, of: usize| format!("  s{n}:\n    build: .\n    extends: s{of}\n");
    survives(
        "a circle of services",
        "compose.yaml",
        format!(
            "services:\n{}",
            times(60, |n| compose(n, (n + 1) % (60 * factor())))
        ),
    );
    let hcl = |n: usize, of: usize| {
        format!("target \"t{n}\" {{\n  inherits = [\"t{of}\", \"t{of}\"]\n}}\n")
    };
    survives(
        "a chain of targets",
        "docker-bake.hcl",
        times(500, |n| hcl(n + 1, n)),
    );
    survives(
        "a circle of targets",
        "docker-bake.hcl",
        times(500, |n| hcl(n, (n + 1) % (500 * factor()))),
    );
}

#[test]
fn bake() {
    let args = |value: &str| format!("target \"a\" {{\n  args = {{ CACHE_ID = {value} }}\n}}\n");
    for (what, value) in [
        ("parentheses", nested("(", "1", ")", 10_000)),
        ("lists", nested("[", "", "]", 10_000)),
        ("objects", nested("{a=", "1", "}", 10_000)),
        ("templates", nested("\"${", "1", "}\"", 10_000)),
        ("negations", "!".repeat(10_000 * factor()) + "1"),
        ("sums", "1 + ".repeat(10_000 * factor()) + "1"),
        ("conditions", "a ? b : ".repeat(10_000 * factor()) + "1"),
        ("calls", nested("f(", "1", ")", 10_000)),
        ("indices", "a".to_owned() + &"[0]".repeat(10_000 * factor())),
        ("loops", nested("[for a in ", "b", ": a]", 10_000)),
        (
            "directives",
            format!("\"{}\"", nested("%{ if a }", "x", "%{ endif }", 10_000)),
        ),
    ] {
        survives(what, "docker-bake.hcl", args(&value));
    }
    let deep = survives("said", "docker-bake.hcl", args(&nested("(", "1", ")", 100)));
    assert!(
        deep.code == 2 && deep.err.contains("invalid nesting depth"),
        "{}",
        deep.err
    );
    survives(
        "blocks",
        "docker-bake.hcl",
        nested("a {\n", "", "}\n", 10_000),
    );
    let axes = times(5, |n| format!("    x{n} = [{}]\n", "\"a\", ".repeat(100)));
    survives(
        "a matrix",
        "docker-bake.hcl",
        format!(
            "target \"a\" {{\n  name = \"a-${{x0}}\"\n  matrix = {{\n{axes}  }}\n  args = {{ CACHE_ID = x0 }}\n}}\n"
        ),
    );
    let doubled = times(60, |n| {
        format!(
            "variable \"v{}\" {{ default = \"${{v{n}}}${{v{n}}}\" }}\n",
            n + 1
        )
    });
    survives(
        "variables",
        "docker-bake.hcl",
        format!(
            "variable \"v0\" {{ default = \"x\" }}\n{doubled}{}",
            args("v60")
        ),
    );
    survives(
        "JSON lists",
        "docker-bake.json",
        format!("{{\"target\":{{\"a\":{}}}}}", nested("[", "", "]", 100_000)),
    );
    survives(
        "JSON objects",
        "docker-bake.json",
        nested("{\"a\":", "1", "}", 100_000),
    );
    survives("open JSON", "docker-bake.json", "[".repeat(1_000_000));
}

#[test]
fn configurations() {
    for (what, text) in [
        (
            "lists",
            format!("exclude = {}", nested("[", "", "]", 10_000)),
        ),
        ("tables", format!("[{}]", "a.".repeat(10_000) + "a")),
        (
            "braces",
            format!("exclude = [\"{}\"]", nested("{a,", "b", "}", 10_000)),
        ),
        ("stars", format!("exclude = [\"{}\"]", "**/*a".repeat(5000))),
    ] {
        survives(what, "cachelane.toml", text);
    }
    let folder = folder();
    put(folder.path(), "Dockerfile", RUN);
    File::create(folder.path().join("cachelane.toml"))
        .unwrap()
        .set_len(2 << 30)
        .unwrap();
    let ran = run(folder.path(), &["check"]);
    assert!(
        ran.code == 2 && ran.err.contains("it is no file of a configuration's size"),
        "{}",
        ran.err
    );
}

/// Whether `strace` is there, or could be fetched.
fn has_strace() -> bool {
    let runs = || {
        Command::new("strace")
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if !runs() {
        let _ = Command::new("apt-get")
            .args(["install", "-y", "-qq", "strace"])
            .output();
    }
    if !runs() {
        left_out("the system calls of check and fix", "there is no strace");
    }
    runs()
}

/// The system calls of a run of `args` in `folder` that start processes, reach out, or change files.
fn calls(folder: &Path, args: &[&str]) -> Vec<String> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let traced = "trace=process,network,open,openat,openat2,creat,?rename,renameat,renameat2,?unlink,unlinkat,?mkdir,mkdirat,\
        ?link,linkat,?symlink,symlinkat,?chmod,fchmodat,truncate,?mknod,mknodat";
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-s", "4096", "-e", traced, "-o"])
        .arg(log.path())
        .arg(env!("CARGO_BIN_EXE_cachelane"));
    let output = command
        .args(args)
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .output()
        .unwrap();
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let log = fs::read_to_string(log.path()).unwrap();
    // Each line begins with the thread.
    log.lines()
        .filter_map(|line| Some(line.split_once(' ')?.1.trim_start().to_owned()))
        .collect()
}

#[test]
fn nothing_is_started_and_nobody_is_called() {
    if !has_strace() {
        return;
    }
    let folder = folder();
    for n in 0..40 {
        put(folder.path(), &format!("d{n}/Dockerfile"), RUN);
    }
    put(folder.path(), "Dockerfile", RUN);
    put(
        folder.path(),
        WORKFLOW,
        "on: push\njobs:\n  b:\n    runs-on: x\n    steps:\n      - run: docker build .\n",
    );
    put(
        folder.path(),
        "docker-bake.hcl",
        "target \"a\" {\n  context = \"https://example.com/a.git\"\n}\n",
    );
    put(
        folder.path(),
        "compose.yaml",
        "services:\n  a:\n    build: .\n",
    );
    // Names that a shell would take for more than names.
    for name in [
        "$(touch owned).Dockerfile",
        "`touch owned`.Dockerfile",
        ";touch owned;.Dockerfile",
        "|touch owned.Dockerfile",
    ] {
        put(folder.path(), name, RUN);
    }
    symlink("/etc/passwd", folder.path().join("link.Dockerfile")).unwrap();
    symlink("/etc", folder.path().join("etc")).unwrap();
    // What git would run.
    put(
        folder.path(),
        ".git/config",
        "[core]\n\tfsmonitor = touch owned\n\tpager = touch owned\n",
    );
    put(folder.path(), ".git/HEAD", "ref: refs/heads/main\n");
    // With what may be changed: the named files, and those without a name yet.
    for (args, writes) in [
        (&["check"][..], &[][..]),
        (&["check", "--format", "json"], &[]),
        (&["check", "--embedded"], &[]),
        (&["list"], &[]),
        (&["builds"], &[]),
        (&["builds", "-v"], &[]),
        (&["fix", "--diff"], &[]),
        (
            &[
                "check",
                "--output",
                "report",
                "--report",
                "sarif=report.sarif",
            ],
            &["report", "report.sarif"],
        ),
        (&["check", "--add-ignores", "d39"], &["d39/Dockerfile"]),
        (
            &["fix"],
            &["Dockerfile", "ci.yml", "docker-bake.hcl", "compose.yaml"],
        ),
        (&["fix", "--unsafe"], &[]),
    ] {
        let calls = calls(folder.path(), args);
        let named = |names: &[&str]| -> Vec<&String> {
            calls
                .iter()
                .filter(|call| names.iter().any(|name| call.starts_with(name)))
                .collect()
        };
        assert_eq!(
            named(&["execve"]).len(),
            1,
            "{args:?} starts {:?}",
            named(&["execve"])
        );
        let children = named(&["fork", "vfork", "clone"]);
        assert!(
            children.iter().all(|call| call.contains("CLONE_THREAD")),
            "{args:?} starts {children:?}"
        );
        let network = named(&["socket", "connect", "bind", "send", "recv"]);
        assert!(network.is_empty(), "{args:?} calls {network:?}");
        let changes = calls.iter().filter(|call| {
            let opens = call.starts_with("open") || call.starts_with("creat");
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"]
                .iter()
                .any(|flag| call.contains(flag));
            let ends =
                call.starts_with("exit") || call.starts_with("+++") || call.starts_with("<...");
            let process = [
                "execve",
                "clone",
                "wait",
                "kill",
                "tgkill",
                "arch_prctl",
                "---",
            ];
            !ends
                && (if opens {
                    writes
                } else {
                    !process.iter().any(|name| call.starts_with(name))
                })
        });
        let mut count = 0;
        for call in changes {
            count += 1;
            let named = call.split('"').skip(1).step_by(2);
            let mine = |path: &str| writes.iter().any(|name| path.ends_with(name));
            let nameless = |path: &str| {
                call.contains("O_TMPFILE")
                    || path.starts_with("/proc/self/fd/")
                    || path.contains(".cachelane-")
            };
            assert!(
                !writes.is_empty() && named.clone().all(|path| mine(path) || nameless(path)),
                "{args:?} changes {call}"
            );
            // Every path in it is below the folder: relative, or by its whole name.
            for path in named {
                // A file that has no name yet is called by its number.
                let inside = !path.starts_with('/')
                    || Path::new(path).starts_with(folder.path())
                    || (call.starts_with("linkat") && path.starts_with("/proc/self/fd/"));
                assert!(inside && !path.contains(".."), "{args:?} changes {call}");
            }
        }
        assert_eq!(
            count > 0,
            !writes.is_empty(),
            "{args:?} made {count} changes"
        );
    }
    assert!(!folder.path().join("owned").exists());
}

/// One file with many builds is read once, not once for each.
#[test]
fn many_builds_in_one_file() {
    let lane = "FROM a\nARG CACHE_ID=default\nRUN --mount=type=cache,id=a-${CACHE_ID},target=/a,sharing=locked true\n";
    let target = |n| format!("target \"t{n}\" {{\n  context = \".\"\n}}\n");
    let service = |n| format!("  s{n}:\n    build: .\n");
    let job =
        |n| format!("  j{n}:\n    runs-on: self-hosted\n    steps:\n      - run: docker build .\n");
    let gitlab = |n| format!("j{n}:\n  script:\n    - docker build .\n");
    let all = |head: &str, each: &dyn Fn(usize) -> String, count| {
        head.to_owned() + &(0..count).map(each).collect::<Vec<_>>().concat()
    };
    let files = [
        ("docker-bake.hcl", "", &target as &dyn Fn(usize) -> String),
        ("compose.yaml", "services:\n", &service),
        (WORKFLOW, "on: push\njobs:\n", &job),
        (".gitlab-ci.yml", "", &gitlab),
    ];
    for (name, head, each) in files {
        for args in [&["check"][..], &["fix", "--diff", "--quiet"]] {
            let seconds = |count: usize| {
                let folder = folder();
                put(folder.path(), "Dockerfile", lane);
                put(folder.path(), name, all(head, each, count));
                let ran = run(folder.path(), args);
                assert!(
                    ran.out.contains("CACHE_ID"),
                    "{name}, {args:?}: nothing is found: {}",
                    ran.err
                );
                ran.seconds
            };
            let (once, four) = (seconds(250 * factor()), seconds(1000 * factor()));
            eprintln!("{name}, {args:?}: {once:.2} s, four times as many builds {four:.2} s");
            assert!(
                four < 8.0 * once + 0.3,
                "{name}, {args:?}: {once} s, but four times as many take {four} s"
            );
        }
    }
}
