//! Repositories that somebody made to hurt whoever looks at them. Each is looked at with little memory and little time, and
//! has to come to a documented exit code; a stack that overflows or memory that runs out would end in a signal.

#![expect(
    clippy::too_many_lines,
    reason = "a list of bombs is as long as there are bombs"
)]
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
use crate::made_reports::formats;

const RUN: &str = "RUN --mount=type=cache,id=x,target=/x,sharing=locked true\n";
const DOCKERFILE: &str = "FROM debian\nARG CACHE_ID=default\nRUN --mount=type=cache,id=x-${CACHE_ID},target=/x,sharing=locked true\n";
const WORKFLOW: &str = ".github/workflows/ci.yml";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// Runs cachelane in `folder` with at most 1 GiB of memory and five minutes of processor time. (A debug build takes twenty times
/// what a release build does, for which the goal is 500 MB and 5 s.)
fn run(folder: &Path, args: &[&str]) -> Ran {
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -d 1048576 && ulimit -t 300 && exec \"$@\"",
            "sh",
        ])
        .arg(env!("CARGO_BIN_EXE_cachelane"))
        .args(args)
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
    Ran {
        code: code.unwrap_or(-1),
        out,
        err,
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
        judge(target, "its .gitignore is ");
        fs::remove_file(&path).unwrap();
    }
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    judge("a pipe", "its .gitignore is not a regular file");
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
    // Git follows no such link either; one to a plain file of the repository does no harm.
    fs::create_dir(folder.path().join(".git")).unwrap();
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

/// It panicked. Root has no limit of processes, so the test becomes somebody else.
#[test]
fn where_no_thread_can_be_started() {
    let folder = folder();
    put(folder.path(), "a/Dockerfile", RUN);
    put(folder.path(), "left/out/Dockerfile", RUN);
    put(folder.path(), "cachelane.toml", "exclude = [\"left\"]\n");
    let open = |path: &Path| {
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(path, all).unwrap();
    };
    open(folder.path());
    let program = folder.path().join("program");
    fs::copy(env!("CARGO_BIN_EXE_cachelane"), &program).unwrap();
    let ran = Command::new("prlimit")
        .args(["--nproc=1", "setpriv", "--reuid=54321", "--clear-groups"])
        .arg(&program)
        .args(["check", "--format", "concise"])
        .current_dir(folder.path())
        .output()
        .expect("this test needs prlimit and setpriv");
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.code() == Some(1) && text.contains("a/Dockerfile") && !text.contains("left"),
        "{ran:?}"
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
    let formats = formats();
    let checks = formats
        .iter()
        .map(|format| vec!["check", "--format", format]);
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
            let command = ["::error file=", "::warning file="];
            let is_command = command.iter().any(|name| line.starts_with(name));
            let ours = args.contains(&"github") && is_command;
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
    let (folder, count) = (folder(), 2000);
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
    for format in formats() {
        let ran = run(folder.path(), &["check", "--format", &format]);
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

/// What becomes of a bomb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// It is read, or is no file of its kind.
    Read,
    /// It is more than cachelane reads, and named once.
    Named,
}

use Ends::{Named, Read};

/// `count` times what `make` makes of each number.
fn times(count: usize, make: impl Fn(usize) -> String) -> String {
    (0..count).map(make).collect()
}

/// `open`, `count` times, then `inner`, then as many `close`.
fn nested(open: &str, inner: &str, close: &str, count: usize) -> String {
    [&open.repeat(count), inner, &close.repeat(count)].concat()
}

/// Dockerfiles that took minutes or all memory before there was a budget, or would without one.
fn dockerfiles() -> Vec<(&'static str, Ends, String)> {
    let mount = |id: &str, target: &str| {
        format!("--mount=type=cache,id={id},target={target},sharing=locked")
    };
    let two =
        |one: &str, other: &str| format!("RUN {} {} x\n", mount(one, "/1"), mount(other, "/2"));
    let chain = |count: usize| {
        let args = times(count, |n| format!("ARG V{}=${{V{n}}}${{V{n}}}\n", n + 1));
        format!(
            "ARG V0=x\n{args}RUN {} x\n",
            mount(&format!("${{V{count}}}"), "/x")
        )
    };
    let lane = RUN.replace("id=x", "id=x-${CACHE_ID}");
    let go = lane.replace("target=/x", "target=/root/.cache/go-build");
    let stages = |count: usize| times(count, |n| format!("FROM s{n} AS s{}\n{RUN}", n + 1));
    let copies = |count: usize| {
        let copies = "COPY --from=s0 /a /b\n".repeat(count);
        times(count, |n| format!("FROM a AS s{}\n{copies}{RUN}", n + 1))
    };
    let branch = format!("{{% if a %}}\nARG X\n{{% else %}}\nARG CACHE_ID\n{{% endif %}}\n{RUN}");
    let comment = "# cachelane: ignore[shared-lock] why\n";
    let apt = "RUN --mount=type=cache,target=/var/cache/apt";
    vec![
        (
            "mounts of one cache",
            Read,
            format!("RUN{} x\n", format!(" {}", mount("x", "/x")).repeat(300)),
        ),
        (
            "locks of one RUN",
            Read,
            format!(
                "RUN{} x\n",
                times(300, |n| format!(
                    " {}",
                    mount(&n.to_string(), &format!("/{n}"))
                ))
            ),
        ),
        ("RUNs of one cache", Read, go.repeat(100)),
        (
            "RUNs of one cache that each change all",
            Named,
            go.repeat(3000),
        ),
        (
            "one circle of locks",
            Read,
            times(1000, |n| two(&n.to_string(), &((n + 1) % 1000).to_string())),
        ),
        (
            "pairs of locks",
            Read,
            times(500, |n| {
                two(&n.to_string(), "x") + &two("x", &n.to_string())
            }),
        ),
        (
            "folders that a lock serves",
            Read,
            times(500, |n| {
                format!(
                    "{apt},id=c{n} {} apt-get update\n",
                    mount("l", "/var/lib/apt")
                )
            }),
        ),
        ("a chain of variables", Read, chain(15)),
        ("variables that double", Read, chain(60)),
        (
            "one variable again and again",
            Read,
            format!("ARG CACHE_ID\n{lane}").repeat(500),
        ),
        (
            "variables within one another",
            Named,
            format!(
                "RUN {} x\n",
                mount(&nested("${a:-\\\n", "x", "}", 10_000), "/x")
            ),
        ),
        (
            "a chain of stages",
            Read,
            format!("FROM a AS s0\n{RUN}{}", stages(300)),
        ),
        (
            "a long chain of stages",
            Named,
            format!("FROM a AS s0\nARG CACHE_ID\n{RUN}{}", stages(5000)),
        ),
        (
            "copies from stage to stage",
            Read,
            format!("FROM a AS s0\n{RUN}{}", copies(30)),
        ),
        (
            "triggers",
            Read,
            format!(
                "{}{}",
                "ARG CACHE_ID\n".repeat(500),
                format!("ONBUILD {lane}").repeat(500)
            ),
        ),
        ("blocks of a template", Read, branch.repeat(100)),
        (
            "blocks within blocks",
            Read,
            nested("{% if a %}\n", RUN, "{% endif %}\n", 10_000),
        ),
        (
            "expressions that nothing closes",
            Named,
            format!(
                "{RUN}{}",
                format!("RUN {}\n", "{{".repeat(30_000)).repeat(6)
            ),
        ),
        (
            "heredocs that nothing closes",
            Read,
            format!("{}{RUN}", "RUN <<E\n".repeat(20_000)),
        ),
        (
            "heredocs of one RUN",
            Read,
            format!(
                "{}{}\n{}",
                RUN.trim_end(),
                times(5000, |n| format!(" <<E{n}")),
                times(5000, |n| format!("E{n}\n"))
            ),
        ),
        ("suppressions", Read, format!("{comment}{RUN}").repeat(2000)),
        ("suppressions above one", Read, comment.repeat(20_000) + RUN),
        (
            "a path of many parts",
            Read,
            format!(
                "RUN --mount=type=cache,sharing=locked,target={} x\n",
                format!("{}\\\n", "/b/..".repeat(100)).repeat(100)
            ),
        ),
    ]
}

/// The same of files that say what is built.
fn builds() -> Vec<(&'static str, Ends, &'static str, String)> {
    let job = |text: &str| format!("on: push\njobs:\n  b:\n    runs-on: x\n    steps:\n{text}");
    let script = |text: &str| job(&format!("      - run: |\n          {text}\n"));
    let step = "      - run: docker build .\n";
    let laughs = |depth: usize| {
        let line = |n: usize| {
            format!(
                "a{}: &a{} [{}]\n",
                n + 1,
                n + 1,
                vec![format!("*a{n}"); 9].join(",")
            )
        };
        format!("a0: &a0 [x]\n{}{}", times(depth, line), job(step))
    };
    let env = |count: usize| format!("    env:\n{}", times(count, |n| format!("      E{n}: v\n")));
    let around = |count: usize| {
        job(&step.repeat(count)).replace("    steps:", &format!("{}    steps:", env(count)))
    };
    let axes = times(16, |n| format!("        a{n}: [{}]\n", "x, ".repeat(100)));
    let matrix = format!("    strategy:\n      matrix:\n{axes}    steps:");
    let include = times(300, |n| format!("          - {{a0: v{n}, b: w}}\n"));
    let include = format!("    strategy:\n      matrix:\n        include:\n{include}    steps:");
    let sets = |count: usize| times(count, |n| format!("A{}=$A{n}$A{n}\n          ", n + 1));
    let gitlab = |count: usize, of: &dyn Fn(usize) -> usize| {
        times(count, |n| {
            format!(
                "s{n}:\n  script: docker build .\n  extends: [s{}, s{0}]\n",
                of(n)
            )
        })
    };
    let services = |count: usize| {
        let args = times(count, |n| format!("        A{n}: v\n"));
        let others = times(count, |n| format!("  s{n}:\n    extends: b\n"));
        format!("services:\n  b:\n    build:\n      context: .\n      args:\n{args}{others}")
    };
    let inherits = |count: usize| {
        times(count, |n| {
            format!("target \"t{}\" {{\n  inherits = [\"t{n}\"]\n}}\n", n + 1)
        })
    };
    let arg = |value: &str| format!("target \"a\" {{\n  args = {{ CACHE_ID = {value} }}\n}}\n");
    let doubled = |count: usize| {
        let line = |n: usize| {
            format!(
                "variable \"v{}\" {{ default = \"${{v{n}}}${{v{n}}}\" }}\n",
                n + 1
            )
        };
        format!(
            "variable \"v0\" {{ default = \"x\" }}\n{}{}",
            times(count, line),
            arg(&format!("v{count}"))
        )
    };
    let inline = format!(
        "target \"t\" {{\n  dockerfile-inline = \"FROM a\\n{}\"\n}}\n",
        RUN.trim_end()
    );
    let bake = "docker-bake.hcl";
    vec![
        ("aliases", Read, WORKFLOW, laughs(3)),
        ("a billion laughs", Named, WORKFLOW, laughs(9)),
        (
            "an alias of what it stands in",
            Read,
            WORKFLOW,
            "on: push\njobs: &j\n  b: *j\n  c:\n    steps:\n      - run: docker build .\n".into(),
        ),
        (
            "brackets",
            Named,
            WORKFLOW,
            nested("[", "docker build", "]", 100_000),
        ),
        (
            "open brackets",
            Named,
            WORKFLOW,
            "[".repeat(1_000_000) + "docker build",
        ),
        (
            "dashes",
            Named,
            WORKFLOW,
            "- ".repeat(100_000) + "docker build .",
        ),
        ("variables of each step", Read, WORKFLOW, around(100)),
        ("many variables of many steps", Read, WORKFLOW, around(2000)),
        (
            "a matrix",
            Read,
            WORKFLOW,
            job(step).replace("    steps:", &matrix),
        ),
        (
            "rows of a matrix",
            Read,
            WORKFLOW,
            job(step).replace("    steps:", &include),
        ),
        (
            "a variable of itself",
            Read,
            WORKFLOW,
            job(
                "      - run: docker build -f $F .\n        env:\n          F: ${{ env.F }}${{ env.F }}\n",
            ),
        ),
        (
            "shells in shells",
            Read,
            WORKFLOW,
            script(&nested("sh -c \"", "docker build .", "\"", 10_000)),
        ),
        (
            "substitutions",
            Named,
            WORKFLOW,
            script(&nested("$(", "docker build .", ")", 10_000)),
        ),
        (
            "variables of a script",
            Read,
            WORKFLOW,
            script(&format!(
                "A0=x\n          {}docker build -f $A15 .",
                sets(15)
            )),
        ),
        (
            "variables of a script that double",
            Named,
            WORKFLOW,
            script(&format!(
                "A0=x\n          {}docker build -f $A60 .",
                sets(60)
            )),
        ),
        (
            "folders in folders",
            Named,
            WORKFLOW,
            script(&format!(
                "{}docker build .",
                "cd a\n          ".repeat(20_000)
            )),
        ),
        (
            "jobs of a workflow",
            Read,
            WORKFLOW,
            format!(
                "on: push\njobs:\n{}",
                times(1000, |n| format!(
                    "  j{n}:\n    runs-on: self-hosted\n    steps:\n{step}"
                ))
            ),
        ),
        (
            "jobs of a pipeline",
            Read,
            ".gitlab-ci.yml",
            times(1000, |n| format!("j{n}:\n  script: docker build .\n")),
        ),
        (
            "a chain of jobs",
            Read,
            ".gitlab-ci.yml",
            gitlab(60, &|n| n.saturating_sub(1)),
        ),
        (
            "a circle of jobs",
            Read,
            ".gitlab-ci.yml",
            gitlab(60, &|n| (n + 1) % 60),
        ),
        (
            "references of references",
            Named,
            ".gitlab-ci.yml",
            ".t0: {script: [docker build .]}\n".to_owned()
                + &times(9, |n| {
                    let one = format!("    - !reference [.t{n}, script]\n");
                    format!(".t{}:\n  script:\n{}", n + 1, one.repeat(10))
                }),
        ),
        (
            "a variable of a pipeline's own",
            Read,
            ".gitlab-ci.yml",
            "variables: {F: $F$F}\nj:\n  script: docker build -f $F .\n".into(),
        ),
        (
            "variables of a pipeline that double",
            Named,
            ".gitlab-ci.yml",
            format!(
                "variables:\n  A0: x\n{}j:\n  script: docker build -f $A60 .\n",
                times(60, |n| format!("  A{}: $A{n}$A{n}\n", n + 1))
            ),
        ),
        (
            "a circle of services",
            Read,
            "compose.yaml",
            format!(
                "services:\n{}",
                times(60, |n| format!(
                    "  s{n}:\n    build: .\n    extends: s{}\n",
                    (n + 1) % 60
                ))
            ),
        ),
        (
            "arguments that are handed down",
            Read,
            "compose.yaml",
            services(100),
        ),
        (
            "many arguments that are handed down",
            Named,
            "compose.yaml",
            services(2000),
        ),
        (
            "targets",
            Read,
            bake,
            times(1000, |n| format!("target \"t{n}\" {{}}\n")),
        ),
        (
            "targets that inherit",
            Read,
            bake,
            format!("target \"t0\" {{}}\n{}", inherits(500)),
        ),
        ("variables of bake", Read, bake, doubled(12)),
        ("variables of bake that double", Named, bake, doubled(60)),
        (
            "Dockerfiles within one file",
            Read,
            bake,
            times(50, |n| inline.replacen("\"t\"", &format!("\"t{n}\""), 1)),
        ),
        (
            "parentheses",
            Named,
            bake,
            arg(&nested("(", "1", ")", 10_000)),
        ),
        (
            "templates",
            Named,
            bake,
            arg(&nested("\"${", "1", "}\"", 10_000)),
        ),
        ("sums", Read, bake, arg(&("1 + ".repeat(1000) + "1"))),
        (
            "lists in JSON",
            Named,
            "docker-bake.json",
            format!("{{\"target\":{{\"a\":{}}}}}", nested("[", "", "]", 100_000)),
        ),
    ]
}

#[test]
fn bombs() {
    let mut failures = Vec::new();
    let dockerfiles = dockerfiles().into_iter();
    let dockerfiles = dockerfiles.map(|(what, ends, text)| {
        let text = if text.contains("FROM") {
            text
        } else {
            format!("FROM a\n{text}")
        };
        (what, ends, "Dockerfile", text)
    });
    for (what, ends, name, text) in dockerfiles.chain(builds()) {
        let folder = folder();
        put(folder.path(), "Dockerfile", DOCKERFILE);
        put(folder.path(), name, text);
        // What is named takes all its steps, in a debug build for many seconds: once is enough.
        let all = [&["check"][..], &["fix", "--unsafe", "--diff"]];
        for args in &all[..if ends == Named { 1 } else { 2 }] {
            let ran = run(folder.path(), args);
            let troubles: Vec<&str> = ran
                .err
                .lines()
                .filter(|line| line.starts_with("cachelane: "))
                .collect();
            let named = format!("cachelane: {name}: this is more than cachelane reads");
            let is_right = match ends {
                Read => ran.code < 2 && !ran.err.contains("than cachelane reads"),
                Named => ran.code == 2 && matches!(troubles[..], [one] if one.starts_with(&named)),
            };
            if !is_right {
                failures.push(format!("{what}, {args:?}: {} {troubles:?}", ran.code));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// A file that is too much is not written either, whatever its run does; one that a build leads to is named as well.
#[test]
fn what_is_too_much_is_left_alone() {
    let folder = folder();
    let (_, _, bomb) = dockerfiles()
        .into_iter()
        .find(|(what, ..)| *what == "variables that double")
        .unwrap();
    put(folder.path(), "bomb/Dockerfile", &bomb);
    put(folder.path(), "good/Dockerfile", RUN);
    put(
        folder.path(),
        "compose.yml",
        "services:\n  a:\n    build: bomb\n",
    );
    let path = Path::new("bomb").join("Dockerfile");
    let named = format!(
        "cachelane: {}: this is more than cachelane reads",
        path.display()
    );
    for args in [
        &["check", "--add-ignores"][..],
        &["fix"],
        &["check", "compose.yml"],
    ] {
        let ran = run(folder.path(), args);
        assert!(
            ran.code == 2 && ran.err.matches(&named).count() == 1,
            "{args:?}: {} {}",
            ran.code,
            ran.err
        );
        assert_eq!(fs::read_to_string(folder.path().join(&path)).unwrap(), bomb);
    }
    let good = fs::read_to_string(folder.path().join("good/Dockerfile")).unwrap();
    assert!(good.contains("# cachelane: ignore[shared-lock]"), "{good}");
}

#[test]
fn configurations() {
    let folder = folder();
    put(folder.path(), "Dockerfile", RUN);
    File::create(folder.path().join("cachelane.toml"))
        .unwrap()
        .set_len(2 << 30)
        .unwrap();
    let ran = run(folder.path(), &["check"]);
    assert!(
        ran.code == 2
            && ran
                .err
                .contains("it is not a regular file, or too large for a configuration"),
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
    // It gets a suppression below: were its cache that of the others, none of them would be fixed.
    put(folder.path(), "d39/Dockerfile", RUN.replace("id=x", "id=y"));
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
