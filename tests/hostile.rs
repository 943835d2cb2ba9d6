//! Repositories that somebody made to hurt whoever looks at them. Each is looked at with little memory and little time, and
//! has to come to a documented exit code; a stack that overflows or memory that runs out would end in a signal.
//!
//! `CACHELANE_HOSTILE=10 cargo test --release --test hostile` makes everything ten times larger.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, clippy::format_collect, reason = "figures and gaps are said")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

const RUN: &str = "RUN --mount=type=cache,id=x,target=/x,sharing=locked true\n";
const DOCKERFILE: &str =
    "FROM debian\nARG CACHE_ID=default\nRUN --mount=type=cache,id=x-${CACHE_ID},target=/x,sharing=locked true\n";
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
    let limits = format!("ulimit -d {} && ulimit -t {} && exec \"$@\"", factor() << 20, 60 * factor());
    // The shell around tells how long the processor worked for the one inside.
    let script = format!("({limits}); code=$?; times > \"$TIMES\"; exit $code");
    let times = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_cachelane")]).args(args).env("TIMES", times.path());
    let output = command.current_dir(folder).env_remove("GITHUB_ACTIONS").stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let code = output.status.code();
    assert!(matches!(code, Some(0..=2)), "{args:?} ended with {}: {}", output.status, &err[..err.len().min(500)]);
    let times = fs::read_to_string(times.path()).unwrap();
    let of_child = times.lines().nth(1).unwrap().split_whitespace();
    let seconds = |time: &str| {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
    };
    Ran { code: code.unwrap_or(-1), out, err, seconds: of_child.map(seconds).sum() }
}

/// Four times as much as `make` makes of `count` may take eight times as long, and a bit: sixteen would be its square.
fn grows(what: &str, name: &str, count: usize, make: impl Fn(usize) -> String) {
    for args in [&["check"][..], &["fix", "--diff", "--quiet"]] {
        let seconds = |count: usize| {
            let folder = folder();
            if name != "Dockerfile" {
                put(folder.path(), "Dockerfile", DOCKERFILE);
            }
            put(folder.path(), name, make(count));
            run(folder.path(), args).seconds
        };
        let (once, four) = (seconds(count * factor()), seconds(4 * count * factor()));
        eprintln!("{what}, {args:?}: {once:.2} s, four times as much {four:.2} s");
        assert!(four < 8.0 * once + 0.3, "{what}, {args:?}: {once} s, but four times as much takes {four} s");
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

/// Checks and fixes `text` as the file `name`, beside a good Dockerfile.
fn survives(what: &str, name: &str, text: impl AsRef<[u8]>) -> Ran {
    let folder = folder();
    if name != "Dockerfile" {
        put(folder.path(), "Dockerfile", DOCKERFILE);
    }
    put(folder.path(), name, text);
    eprintln!("{what}");
    run(folder.path(), &["fix", "--diff", "--quiet"]);
    run(folder.path(), &["check"])
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
    assert!(Command::new("mkfifo").arg(at("Dockerfile")).status().unwrap().success());
    let _socket = UnixListener::bind(at("socket.Dockerfile")).unwrap();
    // Only root may make a device; `/dev/zero`, named, serves for the rest.
    let _ = Command::new("mknod").arg(at("zero.Dockerfile")).args(["c", "1", "5"]).stderr(Stdio::null()).status();
    fs::create_dir(at("Containerfile")).unwrap();
    let ran = run(folder.path(), &["check"]);
    assert!(ran.code == 1 && ran.out.contains("1 finding in 1 file"), "{}{}", ran.out, ran.err);
    for name in ["Dockerfile", "socket.Dockerfile", "/dev/zero"] {
        let ran = run(folder.path(), &["check", name]);
        assert!(ran.code == 2 && ran.err.contains("it is not a regular file"), "{name}: {}", ran.err);
    }
    for name in ["self.Dockerfile", "a.Dockerfile"] {
        let ran = run(folder.path(), &["check", name]);
        assert!(ran.code == 2 && ran.err.contains("cannot read it"), "{name}: {}", ran.err);
    }
    assert_eq!(run(folder.path(), &["fix"]).code, 0);
    assert_eq!(fs::read_to_string(outside.path().join("Dockerfile")).unwrap(), RUN);
}

#[test]
fn a_folder_of_many_files() {
    let (folder, count) = (folder(), 2000 * factor());
    for n in 0..count {
        fs::write(folder.path().join(format!("{n}.txt")), "").unwrap();
        fs::write(folder.path().join(format!("{n}.Dockerfile")), if n % 100 == 0 { RUN } else { "FROM a\n" }).unwrap();
    }
    let ran = run(folder.path(), &["check", "--format", "concise"]);
    assert_eq!(
        (ran.code, ran.out.lines().filter(|line| line.contains("[shared-lock]")).count()),
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
    for name in
        [&b"new\nline.Dockerfile"[..], b"\x1b]0;x\x07.Dockerfile", b"\xff\xfe.Dockerfile", b"\xe2\x80\xae.Dockerfile"]
    {
        fs::write(folder.path().join(OsStr::from_bytes(name)), RUN).unwrap();
    }
    for format in ["human", "concise", "json", "sarif", "github", "gitlab", "junit", "checkstyle"] {
        let ran = run(folder.path(), &["check", "--format", format]);
        assert_eq!(ran.code, 1, "{format}: {}", ran.err);
        assert!(!(ran.out.contains(['\x1b', '\x07', '\u{202e}'])), "{format} prints control characters");
    }
    let ran = run(folder.path(), &["fix"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(fs::read_to_string(deep.join("Dockerfile")).unwrap().contains("ARG CACHE_ID"));
}

#[test]
fn two_gigabytes() {
    let folder = folder();
    File::create(folder.path().join("Dockerfile")).unwrap().set_len(2 << 30).unwrap();
    let ran = run(folder.path(), &["check"]);
    assert!(
        ran.code == 2 && ran.err.contains("it is larger than 32 MiB: no Dockerfile is (`--max-size`"),
        "{}",
        ran.err
    );
    put(folder.path(), "Dockerfile", format!("{RUN}{}", "# a comment\n".repeat(100_000)));
    let ran = run(folder.path(), &["check", "--max-size", "1"]);
    assert!(ran.code == 2 && ran.err.contains("it is larger than 1 MiB"), "{}", ran.err);
    assert_eq!(run(folder.path(), &["check"]).code, 1);
    assert!(run(folder.path(), &["check", "--max-size", "0"]).err.contains("0 is not in 1..="));
}

/// Each mount of a cache was compared with all others of it: 16,000 took half a minute.
#[test]
fn mounts_in_one_run() {
    let same = |_| " \\\n--mount=type=cache,id=x,target=/x,sharing=locked".to_owned();
    grows("one cache", "Dockerfile", 2500, |count| format!("FROM a\nRUN{} true\n", same(0).repeat(count)));
    let own = |n| format!(" \\\n--mount=type=cache,target=/c{n},sharing=locked");
    survives("many caches", "Dockerfile", format!("FROM a\nRUN{} true\n", times(2000, own)));
    let bind = |_| " \\\n--mount=type=bind,target=/x".to_owned();
    survives("bind mounts", "Dockerfile", format!("FROM a\nRUN{} true\n", times(5000, bind)));
}

/// All mounts of a cache were changed by the fix of each: memory grew with the square of their number.
#[test]
fn locks_that_nobody_needs() {
    let mount = "RUN --mount=type=cache,id=go-${CACHE_ID},target=/root/.cache/go-build,sharing=locked true\n";
    let text = format!("FROM golang\nARG CACHE_ID=default\n{}", times(2000, |_| mount.into()));
    let folder = folder();
    put(folder.path(), "Dockerfile", text);
    assert_eq!(run(folder.path(), &["check", "--statistics"]).code, 0);
    assert_eq!(run(folder.path(), &["fix", "--unsafe", "--diff", "--quiet"]).code, 0);
}

/// For each RUN of a chain of stages, the whole chain was gone along: 4,000 stages took a minute.
#[test]
fn stages() {
    survives("stages", "Dockerfile", times(2000, |n| format!("FROM a AS s{n}\n{RUN}")));
    grows("a chain", "Dockerfile", 1000, |count| {
        let built = (0..count).map(|n| format!("FROM s{n} AS s{}\n{RUN}", n + 1));
        format!("FROM a AS s0\n{}", built.collect::<String>())
    });
    let copies = times(1000, |n| format!("FROM a AS s{}\nCOPY --from=s{n} /a /a\n{RUN}", n + 1));
    survives("copies", "Dockerfile", format!("FROM a AS s0\n{copies}"));
    let globals = "ARG CACHE_ID\n".repeat(500 * factor());
    survives("one name", "Dockerfile", format!("{globals}{}", times(2000, |_| format!("FROM a\n{RUN}"))));
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
    let ran = survives("nested", "Dockerfile", format!("FROM a\nRUN --mount=type=cache,id={id},target=/x true\n"));
    assert_eq!(ran.code, 1);
    let again = format!("ARG CACHE_ID\n{}", RUN.replace("id=x", "id=x-${CACHE_ID}"));
    grows("again and again", "Dockerfile", 500, |count| format!("FROM a\n{}", again.repeat(count)));
}

/// Each branch was looked for among all declarations, for each of them and each RUN: 1,000 took minutes.
#[test]
fn templates() {
    for (open, close) in
        [("{% if a %}\n", "{% endif %}\n"), ("{{ if .a }}\n", "{{ end }}\n"), ("@[if a]\n", "@[end if]\n")]
    {
        survives(open, "Dockerfile", format!("FROM a\n{}", nested(open, RUN, close, 10_000)));
        survives("never closed", "Dockerfile", format!("FROM a\n{}{RUN}", open.repeat(10_000 * factor())));
    }
    let open = format!("{{% if a %}}\n{RUN}{{% else %}}\n");
    survives("else", "Dockerfile", format!("FROM a\n{}", nested(&open, RUN, "{% endif %}\n", 500)));
    let block = format!("{{% if a %}}\nARG X\n{{% else %}}\nARG CACHE_ID\n{{% endif %}}\n{RUN}");
    grows("one after the other", "Dockerfile", 100, |count| format!("FROM a\n{}", block.repeat(count)));
    survives("braces", "Dockerfile", format!("FROM a\n{RUN}RUN {}\n", "{{".repeat(1000)));
}

#[test]
fn heredocs() {
    let (words, ends) = (times(5000, |n| format!(" <<E{n}")), times(5000, |n| format!("E{n}\n")));
    survives("of one RUN", "Dockerfile", format!("FROM a\n{}{words}\n{ends}", RUN.trim_end()));
    survives("many", "Dockerfile", format!("FROM a\n{}", times(1000, |_| format!("{} <<E\na\nE\n", RUN.trim_end()))));
    survives(
        "within one",
        "Dockerfile",
        format!("FROM a\n{} <<E\n{}E\n", RUN.trim_end(), "<<E\n".repeat(20_000 * factor())),
    );
    let open =
        survives("never closed", "Dockerfile", format!("FROM a\n{}{RUN}", "RUN <<E\n".repeat(20_000 * factor())));
    assert!(open.code == 1 && open.out.contains("no line ends the heredoc"), "{}", open.out);
}

/// A suppressed mount asked all others of its cache whether they are: 4,000 took a minute.
#[test]
fn suppressions() {
    let comment = "# cachelane: ignore[shared-lock] why\n";
    survives("above one", "Dockerfile", format!("FROM a\n{}{RUN}", comment.repeat(20_000 * factor())));
    survives(
        "of the file",
        "Dockerfile",
        format!("{}{RUN}", comment.replace("ignore[", "ignore-file[").repeat(20_000 * factor())),
    );
    let each = format!("{comment}{RUN}");
    grows("above each", "Dockerfile", 1000, |count| format!("FROM a\n{}", each.repeat(count)));
    let list = "shared-lock,".repeat(5000 * factor());
    survives("a long list", "Dockerfile", format!("FROM a\n# cachelane: ignore[{list}] why\n{RUN}"));
}

#[test]
fn yaml() {
    let job = |text: &str| format!("on: push\njobs:\n  b:\n    runs-on: x\n    steps:\n{text}");
    let laughs = times(9, |n| format!("a{}: &a{} [{}]\n", n + 1, n + 1, vec![format!("*a{n}"); 9].join(",")));
    let step = "      - run: docker build .\n";
    survives("a billion laughs", WORKFLOW, format!("a0: &a0 [x]\n{laughs}{}", job(step)));
    let folder = folder();
    put(folder.path(), WORKFLOW, format!("a0: &a0 [x]\n{laughs}{}", job(step)));
    let ran = run(folder.path(), &["builds", "--verbose"]);
    assert!(ran.out.contains("with its aliases written out, this has more than 1000000 values"), "{}", ran.out);
    for (what, text) in [
        ("brackets", nested("[", "docker build", "]", 100_000)),
        ("open brackets", "[".repeat(1_000_000)),
        ("braces", nested("{a: ", "docker build", "}", 100_000)),
        ("sequences", "- ".repeat(100_000 * factor()) + "docker build ."),
        ("questions", "? ".repeat(100_000 * factor()) + "docker build ."),
        (
            "indented",
            (0..3000).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>()
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
    for (open, close) in [("$(", ")"), ("{ ( ", " ) }"), ("sh -c \"", "\""), ("`", "`")] {
        survives(
            open,
            WORKFLOW,
            job(&format!("      - run: |\n          {}\n", nested(open, "docker build .", close, 10_000))),
        );
    }
}

/// A job, service or target was looked for among all others, for each that extends it.
#[test]
fn what_extends_itself() {
    let gitlab = |n: usize, of: usize| format!("s{n}:\n  script: docker build .\n  extends: [s{of}, s{of}]\n");
    survives(
        "a chain of jobs",
        ".gitlab-ci.yml",
        format!("s0:\n  script: docker build .\n{}", times(60, |n| gitlab(n + 1, n))),
    );
    survives("a circle of jobs", ".gitlab-ci.yml", times(60, |n| gitlab(n, (n + 1) % (60 * factor()))));
    let compose = |n: usize, of: usize| format!("  s{n}:\n    build: .\n    extends: s{of}\n");
    survives(
        "a circle of services",
        "compose.yaml",
        format!("services:\n{}", times(60, |n| compose(n, (n + 1) % (60 * factor())))),
    );
    let hcl = |n: usize, of: usize| format!("target \"t{n}\" {{\n  inherits = [\"t{of}\", \"t{of}\"]\n}}\n");
    survives("a chain of targets", "docker-bake.hcl", times(500, |n| hcl(n + 1, n)));
    survives("a circle of targets", "docker-bake.hcl", times(500, |n| hcl(n, (n + 1) % (500 * factor()))));
    let steps = times(40, |n| format!("  c{}:\n    steps:\n      - c{n}\n      - c{n}\n", n + 1));
    survives(
        "commands",
        ".circleci/config.yml",
        format!(
            "version: 2.1\ncommands:\n  c0:\n    steps:\n      - run: docker build .\n{steps}jobs:\n  b:\n    docker: [{{image: a}}]\n    steps:\n      - c40\n"
        ),
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
        ("directives", format!("\"{}\"", nested("%{ if a }", "x", "%{ endif }", 10_000))),
    ] {
        survives(what, "docker-bake.hcl", args(&value));
    }
    survives("blocks", "docker-bake.hcl", nested("a {\n", "", "}\n", 10_000));
    let axes = times(5, |n| format!("    x{n} = [{}]\n", "\"a\", ".repeat(100)));
    survives(
        "a matrix",
        "docker-bake.hcl",
        format!(
            "target \"a\" {{\n  name = \"a-${{x0}}\"\n  matrix = {{\n{axes}  }}\n  args = {{ CACHE_ID = x0 }}\n}}\n"
        ),
    );
    let doubled = times(60, |n| format!("variable \"v{}\" {{ default = \"${{v{n}}}${{v{n}}}\" }}\n", n + 1));
    survives(
        "variables",
        "docker-bake.hcl",
        format!("variable \"v0\" {{ default = \"x\" }}\n{doubled}{}", args("v60")),
    );
    survives("JSON lists", "docker-bake.json", format!("{{\"target\":{{\"a\":{}}}}}", nested("[", "", "]", 100_000)));
    survives("JSON objects", "docker-bake.json", nested("{\"a\":", "1", "}", 100_000));
    survives("open JSON", "docker-bake.json", "[".repeat(1_000_000));
}

#[test]
fn configurations() {
    for (what, text) in [
        ("lists", format!("exclude = {}", nested("[", "", "]", 10_000))),
        ("tables", format!("[{}]", "a.".repeat(10_000) + "a")),
        ("braces", format!("exclude = [\"{}\"]", nested("{a,", "b", "}", 10_000))),
        ("stars", format!("exclude = [\"{}\"]", "**/*a".repeat(5000))),
    ] {
        survives(what, "cachelane.toml", text);
    }
    let folder = folder();
    put(folder.path(), "Dockerfile", RUN);
    File::create(folder.path().join("cachelane.toml")).unwrap().set_len(2 << 30).unwrap();
    let ran = run(folder.path(), &["check"]);
    assert!(ran.code == 2 && ran.err.contains("it is no file of a configuration's size"), "{}", ran.err);
}

/// Whether `strace` is there, or could be fetched.
fn has_strace() -> bool {
    let runs = || Command::new("strace").arg("--version").output().is_ok_and(|output| output.status.success());
    if !runs() {
        let _ = Command::new("apt-get").args(["install", "-y", "-qq", "strace"]).output();
    }
    if !runs() {
        assert!(std::env::var_os("CI").is_none(), "strace is needed");
        eprintln!("LEFT OUT, since there is no strace");
    }
    runs()
}

/// The system calls of a run of `args` in `folder` that start processes, reach out, or change files.
fn calls(folder: &Path, args: &[&str]) -> Vec<String> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let traced = "trace=process,network,open,openat,openat2,creat,?rename,renameat,renameat2,?unlink,unlinkat,?mkdir,mkdirat,\
        ?link,linkat,?symlink,symlinkat,?chmod,fchmodat,truncate,?mknod,mknodat";
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-s", "4096", "-e", traced, "-o"]).arg(log.path()).arg(env!("CARGO_BIN_EXE_cachelane"));
    let output = command.args(args).current_dir(folder).env_remove("GITHUB_ACTIONS").output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    let log = fs::read_to_string(log.path()).unwrap();
    // Each line begins with the thread.
    log.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim_start().to_owned())).collect()
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
    put(folder.path(), WORKFLOW, "on: push\njobs:\n  b:\n    runs-on: x\n    steps:\n      - run: docker build .\n");
    put(folder.path(), "docker-bake.hcl", "target \"a\" {\n  context = \"https://example.com/a.git\"\n}\n");
    put(folder.path(), "compose.yaml", "services:\n  a:\n    build: .\n");
    // What git would run.
    put(folder.path(), ".git/config", "[core]\n\tfsmonitor = touch owned\n\tpager = touch owned\n");
    put(folder.path(), ".git/HEAD", "ref: refs/heads/main\n");
    for args in [&["check"][..], &["check", "--format", "json"], &["fix", "--diff"], &["fix"], &["fix", "--unsafe"]] {
        let calls = calls(folder.path(), args);
        let named = |names: &[&str]| -> Vec<&String> {
            calls.iter().filter(|call| names.iter().any(|name| call.starts_with(name))).collect()
        };
        assert_eq!(named(&["execve"]).len(), 1, "{args:?} starts {:?}", named(&["execve"]));
        let children = named(&["fork", "vfork", "clone"]);
        assert!(children.iter().all(|call| call.contains("CLONE_THREAD")), "{args:?} starts {children:?}");
        let network = named(&["socket", "connect", "bind", "send", "recv"]);
        assert!(network.is_empty(), "{args:?} calls {network:?}");
        let changes = calls.iter().filter(|call| {
            let opens = call.starts_with("open") || call.starts_with("creat");
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| call.contains(flag));
            let ends = call.starts_with("exit") || call.starts_with("+++") || call.starts_with("<...");
            let process = ["execve", "clone", "wait", "kill", "tgkill", "arch_prctl", "---"];
            !ends && (if opens { writes } else { !process.iter().any(|name| call.starts_with(name)) })
        });
        let mut count = 0;
        for call in changes {
            count += 1;
            assert!(args[0] == "fix" && !args.contains(&"--diff"), "{args:?} changes {call}");
            // Every path in it is below the folder: relative, or by its whole name.
            for path in call.split('"').skip(1).step_by(2) {
                let inside = !path.starts_with('/') || Path::new(path).starts_with(folder.path());
                assert!(inside && !path.contains(".."), "{args:?} changes {call}");
            }
        }
        assert_eq!(count > 0, *args == ["fix"], "{args:?} made {count} changes");
    }
    assert!(!folder.path().join("owned").exists());
}

/// One file with many builds is read once, not once for each.
#[test]
fn many_builds_in_one_file() {
    let lane = "FROM a\nARG CACHE_ID=default\nRUN --mount=type=cache,id=a-${CACHE_ID},target=/a,sharing=locked true\n";
    let target = |n| format!("target \"t{n}\" {{\n  context = \".\"\n}}\n");
    let service = |n| format!("  s{n}:\n    build: .\n");
    let job = |n| format!("  j{n}:\n    runs-on: self-hosted\n    steps:\n      - run: docker build .\n");
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
                assert!(ran.out.contains("CACHE_ID"), "{name}, {args:?}: nothing is found: {}", ran.err);
                ran.seconds
            };
            let (once, four) = (seconds(250 * factor()), seconds(1000 * factor()));
            eprintln!("{name}, {args:?}: {once:.2} s, four times as many builds {four:.2} s");
            assert!(four < 8.0 * once + 0.3, "{name}, {args:?}: {once} s, but four times as many take {four} s");
        }
    }
}
