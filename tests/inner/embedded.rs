//! Dockerfile text in files that are none: what `check --embedded` sees, and what it leaves alone.
//!
//! Each file of `fixtures/embedded` is a case: what is found stands beside it, in a file that ends with `.expected`; one
//! named `ok-…` must be silent. `tests/bless` writes what is found.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use cachelane::rules::Settings;
use cachelane::text::LineIndex;
use cachelane::{embedded, lint};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/embedded");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension != "expected")
        })
        .collect();
    files.sort();
    files
}

/// What is found in `source`, a line each: place, severity, rule, the text that is underlined, message and help.
fn found(path: &Path, source: &str) -> String {
    let kind = embedded::kind(path.file_name().unwrap().as_encoded_bytes()).unwrap();
    let settings = Arc::new(Settings::default());
    let Some(report) = lint::check_embedded(path, kind, source.as_bytes(), &settings) else {
        return String::new();
    };
    let mut reports = [report];
    lint::relate_reports(&mut reports, false, |path| path.display().to_string());
    let lines = LineIndex::new(source.as_bytes());
    let line = |finding: &cachelane::finding::Finding| {
        assert!(finding.fix.is_none(), "nothing of it is rewritten");
        let pos = lines.pos(source.as_bytes(), finding.span.start);
        let text = &source[finding.span.start..finding.span.end];
        let help = finding
            .help
            .as_deref()
            .unwrap_or_default()
            .replace('\n', "\n    ");
        let (severity, rule) = (finding.severity.as_str(), finding.rule);
        format!(
            "{}:{}: {severity}[{rule}] `{text}` {}\n    {help}\n",
            pos.line, pos.column, finding.message
        )
    };
    reports[0].checked.findings.iter().map(line).collect()
}

#[test]
fn every_case_is_as_expected() {
    let cases = cases();
    let near = cases
        .iter()
        .filter(|path| name(path).starts_with("ok-"))
        .count();
    assert!(
        cases.len() >= 30 && near * 2 >= cases.len() - 1,
        "{near} of {} cases are near misses",
        cases.len()
    );
    for path in cases {
        let found = found(&path, &fs::read_to_string(&path).unwrap());
        let beside = PathBuf::from(format!("{}.expected", path.display()));
        if name(&path).starts_with("ok-") {
            assert_eq!(found, "", "{}", path.display());
            continue;
        }
        if std::env::var_os("CACHELANE_BLESS").is_some() {
            fs::write(&beside, &found).unwrap();
        }
        assert!(!found.is_empty(), "{}: nothing is found", path.display());
        assert_eq!(
            found,
            fs::read_to_string(&beside).unwrap_or_default(),
            "{}",
            path.display()
        );
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// With the lane written as the help says, every case falls silent.
#[test]
fn what_the_help_says_cures() {
    for path in cases()
        .into_iter()
        .filter(|path| !name(path).starts_with("ok-"))
    {
        let mut source = fs::read_to_string(&path).unwrap();
        let count = found(&path, &source).matches("[shared-lock]").count();
        for _ in 0..count {
            let kind = embedded::kind(path.file_name().unwrap().as_encoded_bytes()).unwrap();
            let report =
                lint::check_embedded(&path, kind, source.as_bytes(), &Arc::default()).unwrap();
            let Some(finding) = report
                .checked
                .findings
                .iter()
                .find(|found| found.rule == "shared-lock")
            else {
                break;
            };
            let help = finding.help.clone().unwrap();
            let id = help
                .strip_prefix("write `")
                .unwrap()
                .split_once('`')
                .unwrap()
                .0;
            source.replace_range(finding.span.start..finding.span.end, id);
        }
        assert_eq!(
            found(&path, &source).matches("[shared-lock]").count(),
            0,
            "{}:\n{source}",
            path.display()
        );
    }
}

/// Cut anywhere, no file makes a reader fail, and no place lies outside.
#[test]
fn cut_anywhere_nothing_breaks() {
    for path in cases() {
        let source = fs::read(&path).unwrap();
        for kind in [
            embedded::Kind::Python,
            embedded::Kind::Shell,
            embedded::Kind::Yaml,
            embedded::Kind::Markdown,
        ] {
            for end in 0..=source.len() {
                for piece in embedded::find(kind, &source[..end]) {
                    assert!(
                        piece.extent.end <= end,
                        "{}: {kind:?} at {end}",
                        path.display()
                    );
                    for region in embedded::regions(&piece) {
                        assert!(
                            region.span(0, region.bytes().len()).end <= end,
                            "{}: {kind:?} at {end}",
                            path.display()
                        );
                    }
                }
                if end % 16 == 0 {
                    drop(lint::check_embedded(
                        &path,
                        kind,
                        &source[..end],
                        &Arc::default(),
                    ));
                }
            }
        }
    }
}

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

const LOCKED: &str =
    "RUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked apt-get update\n";

/// Places that `check --embedded` names.
fn places(folder: &Path, more: &[&str]) -> Vec<String> {
    let (code, out, err) = cachelane(
        folder,
        &[
            &["check", "--embedded", "--format", "concise", "--quiet"],
            more,
        ]
        .concat(),
    );
    assert!(code < 2, "{err}");
    out.lines()
        .map(|line| line.split(": ").next().unwrap().to_owned())
        .collect()
}

#[test]
fn only_the_flag_looks_into_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(
        here.join("make.sh"),
        format!("cat > Dockerfile <<EOF\n{LOCKED}EOF\n"),
    )
    .unwrap();
    fs::write(here.join("binary.py"), b"RUN --mount=type=cache\0").unwrap();
    fs::write(here.join("Dockerfile"), format!("FROM debian\n{LOCKED}")).unwrap();
    let (code, out, _) = cachelane(here, &["check", "--format", "concise", "--quiet"]);
    assert_eq!((code, out.lines().count()), (1, 1), "{out}");
    assert_eq!(places(here, &[]), ["Dockerfile:2:27", "make.sh:2:27"]);
    // Each counts the other.
    let (_, out, _) = cachelane(here, &["check", "--embedded"]);
    assert_eq!(
        out.matches("1 other RUN in 2 files takes this lock too")
            .count(),
        2,
        "{out}"
    );
    // A file that is named is looked into by its name; one that cannot be read is told of then.
    assert_eq!(places(here, &["make.sh"]), ["make.sh:2:27"]);
    assert_eq!(cachelane(here, &["check", "--embedded", "binary.py"]).0, 2);
    // Nothing of it is rewritten.
    cachelane(here, &["fix"]);
    assert_eq!(places(here, &[]), ["make.sh:2:27"]);
}

#[test]
fn what_the_configuration_says_holds() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("a.py"), format!("X = '''\n{LOCKED}'''\n")).unwrap();
    fs::write(here.join("b.md"), format!("```\n{LOCKED}```\n")).unwrap();
    // A Dockerfile, whatever it is called.
    fs::write(here.join("c.sh"), format!("FROM debian\n{LOCKED}")).unwrap();
    fs::write(here.join("d.sh"), format!("FROM debian\n{LOCKED}")).unwrap();
    let config = "include = ['c.sh']\n[rules]\nshared-lock = 'error'\n";
    fs::write(here.join("cachelane.toml"), config).unwrap();
    let run = |more: &[&str]| {
        cachelane(
            here,
            &[
                &["check", "--embedded", "--format", "concise", "--quiet"],
                more,
            ]
            .concat(),
        )
    };
    let (_, out, _) = run(&[]);
    let severity = |name: &str| {
        let line = out
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default();
        line.split(": ")
            .nth(1)
            .unwrap_or_default()
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        [
            severity("a.py"),
            severity("b.md"),
            severity("c.sh"),
            severity("d.sh")
        ],
        [
            "error[shared-lock]",
            "info[shared-lock]",
            "error[shared-lock]",
            ""
        ]
    );
    assert_eq!(run(&["b.md"]).0, 0, "an example fails no gate");
    fs::write(
        here.join("cachelane.toml"),
        "exclude = ['a.py', 'c.sh']\n[rules]\nshared-lock = 'off'\n",
    )
    .unwrap();
    assert_eq!(run(&[]).1, "");
    assert_eq!(run(&["--rules", "undeclared-arg"]).1, "");
    let (code, _, err) = run(&["--add-ignores"]);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn wiring_files_are_not_reported_twice() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let indented = |depth: usize| format!("{}{LOCKED}", " ".repeat(depth));
    let compose = format!(
        "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM debian\n{}    x-note: |\n{}",
        indented(8),
        indented(6)
    );
    fs::write(here.join("compose.yml"), compose).unwrap();
    fs::create_dir_all(here.join(".github/workflows")).unwrap();
    let script = format!(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n          docker build - <<EOF\n          FROM debian\n{}          EOF\n      # cachelane: ignore[shared-lock] alone\n      - run: |\n          docker build - <<EOF\n{}          EOF\n",
        indented(10),
        indented(10)
    );
    fs::write(here.join(".github/workflows/a.yml"), script).unwrap();
    let without: Vec<String> = {
        let (_, out, _) = cachelane(here, &["check", "--format", "concise", "--quiet"]);
        out.lines()
            .filter(|line| line.contains("[shared-lock]"))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(without.len(), 1, "{without:?}");
    assert_eq!(
        places(here, &["--rules", "shared-lock"]),
        [
            ".github/workflows/a.yml:9:37",
            "compose.yml:6:35",
            "compose.yml:8:33"
        ]
    );
}

#[test]
fn what_is_new_since_a_revision() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(args);
        assert!(
            command
                .current_dir(here)
                .output()
                .expect("this test needs git")
                .status
                .success(),
            "git {args:?}"
        );
    };
    let string = |name: &str| format!("{name} = '''\n{LOCKED}'''\n");
    fs::write(here.join("a.py"), string("A")).unwrap();
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    assert_eq!(places(here, &["--diff", "HEAD"]), Vec::<String>::new());
    fs::write(
        here.join("a.py"),
        format!("import os\n{}{}", string("A"), string("B")),
    )
    .unwrap();
    assert_eq!(places(here, &["--diff", "HEAD"]), ["a.py:6:27"]);
}

/// The version that `integrations/rocker` is tested with.
const DEPS_ROCKER: &str = "deps-rocker==0.23.2";

/// The folder of the package `deps_rocker` as pip installs it, in the build's folder. A test that cannot have it fails.
fn deps_rocker() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deps-rocker");
    // Written last, so that an installation that was not finished is made anew.
    let marker = folder.join(DEPS_ROCKER);
    if !marker.exists() {
        let run = |command: &mut Command| {
            let output = command.output().expect("this test needs python3");
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                output.status.success(),
                "this test needs {DEPS_ROCKER} from a package index: {command:?}\n{text}"
            );
        };
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder));
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            DEPS_ROCKER,
        ];
        run(Command::new(folder.join("bin/python")).args(pip));
        fs::write(&marker, "").unwrap();
    }
    let lib = fs::read_dir(folder.join("lib"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    lib.join("site-packages/deps_rocker")
}

/// Every file below `folder` that ends with `end`.
fn below(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(below(&path, end));
        } else if name(&path).ends_with(end) {
            files.push(path);
        }
    }
    files
}

#[test]
fn deps_rocker_leaves_nothing_behind_unseen() {
    let package = deps_rocker();
    // By the look of its lines alone.
    let mut expected: Vec<String> = Vec::new();
    for path in below(&package, ".py") {
        let text = fs::read_to_string(&path).unwrap();
        let relative = path.strip_prefix(&package).unwrap().display();
        let locked = text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains("sharing=locked"));
        expected.extend(locked.map(|(at, _)| format!("{relative}:{}", at + 1)));
    }
    assert_eq!(expected.len(), 2, "what {DEPS_ROCKER} holds: {expected:?}");
    let (_, out, err) = cachelane(
        &package,
        &[
            "check",
            "--embedded",
            "--no-config",
            "--format",
            "concise",
            "--quiet",
            ".",
        ],
    );
    let in_python = out.lines().filter(|line| line.contains(".py:"));
    let found: Vec<String> = in_python
        .map(|line| {
            assert!(
                line.contains("error[shared-lock]")
                    && line.ends_with("(in a Python format string)"),
                "{line}"
            );
            line.splitn(3, ':').take(2).collect::<Vec<_>>().join(":")
        })
        .collect();
    assert_eq!(found, expected, "{out}{err}");
    // Its snippets lock the same, and count them; once they are fixed, these are what is left.
    let (_, out, _) = cachelane(&package, &["check", "--embedded", "--no-config", "."]);
    assert!(
        out.contains("takes this lock too") || out.contains("take this lock too"),
        "{out}"
    );
    assert!(
        out.contains("`id=apt-cache-${{CACHE_ID}}`")
            && out.contains("`id=apt-lists-${{CACHE_ID}}`"),
        "{out}"
    );
}
