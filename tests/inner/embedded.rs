//! Locks in text outside of Dockerfiles: the findings of `check --embedded`, the messages of `fix`, and the text that
//! both leave alone.
//!
//! The cases are those of `fixtures/embedded.md`, with findings written by `tests/bless`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use cachelane::lint;
use cachelane::rules::Settings;
use cachelane::text::LineIndex;

use crate::command::cachelane;
use crate::{pages, record};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/embedded.md");

/// Returns the findings in `source`, a line each: line, column and id.
fn found(name: &str, source: &str) -> String {
    let settings = Arc::new(Settings::default());
    let Some(report) = lint::check_text(Path::new(name), source.as_bytes(), &settings) else {
        return String::new();
    };
    let mut reports = [report];
    lint::relate_reports(&mut reports, false, |path| path.display().to_string());
    let lines = LineIndex::new(source.as_bytes());
    let mut found = String::new();
    for finding in &reports[0].checked.findings {
        assert!(finding.fix.is_none(), "nothing of it is rewritten");
        let pos = lines.pos(source.as_bytes(), finding.span.start);
        let text = &source[finding.span.start..finding.span.end];
        writeln!(found, "{}:{} {text}", pos.line, pos.column).unwrap();
    }
    found
}

#[test]
fn every_case_is_as_recorded() {
    let mut records = Vec::new();
    for case in pages::cases("embedded.md") {
        let [file] = &case.files[..] else {
            panic!("{}: one file, with its path above", case.place());
        };
        let found = found(&file.path, str::from_utf8(&file.bytes()).unwrap());
        assert_eq!(
            case.is_near_miss(),
            found.is_empty(),
            "{}: {found}",
            case.place()
        );
        records.push((case, record::record(&found, "")));
    }
    let near_misses = records.iter().filter(|(case, _)| case.is_near_miss());
    assert!(near_misses.count() * 2 >= records.len());
    record::hold(&records);
}

#[test]
fn cut_anywhere_nothing_breaks() {
    let page = fs::read(PAGE).unwrap();
    for end in (0..page.len()).step_by(211) {
        let report = lint::check_text(Path::new("a.py"), &page[..end], &Arc::default());
        for finding in report.iter().flat_map(|report| &report.checked.findings) {
            assert!(finding.span.end <= end, "at {end}");
        }
    }
}

#[test]
fn every_encoding_of_a_line_s_end() {
    let text = "A = '''\r\nRUN --mount=type=cache,id=a,target=/a,sharing=locked \\\r\n  --mount=type=cache,id=b,target=/b,sharing=locked x\r\n'''";
    assert_eq!(found("a.sh", text), "2:27 a\n3:25 b\n");
    let latin = b"# caf\xE9\nRUN --mount=type=cache,id=a,target=/a,sharing=locked x\n";
    assert!(lint::check_text(Path::new("a.sh"), latin, &Arc::default()).is_some());
}

#[test]
fn lanes_that_are_configured() {
    let source = "RUN --mount=type=cache,target=/x/${LANE},sharing=locked x\nRUN --mount=type=cache,target=/x/$JOB,sharing=locked x\n";
    let count = |settings: Settings| {
        let report = lint::check_text(Path::new("a.sh"), source.as_bytes(), &Arc::new(settings));
        report.map_or(0, |report| report.checked.findings.len())
    };
    let arg = Settings {
        arg: "LANE".into(),
        ..Settings::default()
    };
    assert_eq!([count(Settings::default()), count(arg.clone())], [2, 1]);
    assert_eq!(
        count(Settings {
            isolating: vec!["JOB".into()],
            ..arg.clone()
        }),
        0
    );
    assert_eq!(
        count(Settings {
            namespace: true,
            ..arg
        }),
        0
    );
}

const LOCKED: &str =
    "RUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked apt-get update\n";

/// Returns the findings of `check --embedded`, a line each: place, severity and rule.
fn places(folder: &Path, more: &[&str]) -> Vec<String> {
    let args = ["check", "--embedded", "--format", "concise", "--quiet"];
    let all = ["--min-severity", "info"];
    let (code, out, err) = cachelane(folder, &[&args[..], &all, more].concat());
    assert!(code < 2, "{err}");
    let place = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    out.lines().map(place).collect()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn only_the_flag_looks_into_other_files() {
    let heredoc = format!("cat > Dockerfile <<EOF\n{LOCKED}EOF\n");
    let large = format!("{heredoc}{}", "#\n".repeat(600_000));
    let dockerfile = format!("FROM debian\n{LOCKED}");
    let markdown = format!("```dockerfile\n{dockerfile}```\n");
    let folder = folder(&[
        ("Dockerfile", &dockerfile),
        ("make.sh", &heredoc),
        ("bin/make", &heredoc),
        ("tests/make.sh", &heredoc),
        ("src/make_test.go", &heredoc),
        (
            "binary.py",
            "RUN --mount=type=cache,target=/x,sharing=locked x\0",
        ),
        ("large.sh", &large),
        ("README.md", &markdown),
        // A Dockerfile when named, and text when found.
        ("image", &dockerfile),
    ]);
    let here = folder.path();
    let (code, out, _) = cachelane(here, &["check", "--format", "concise", "--quiet"]);
    assert_eq!((code, out.lines().count()), (1, 1), "{out}");
    let found = [
        "Dockerfile:2:27: error[shared-lock]",
        "bin/make:2:27: info[shared-lock]",
        "image:2:27: info[shared-lock]",
        "make.sh:2:27: info[shared-lock]",
    ];
    assert_eq!(places(here, &[]), found);
    assert_eq!(places(here, &["bin/make"]), [found[1]]);
    assert_eq!(places(here, &["tests/make.sh"]).len(), 1);
    assert_eq!(places(here, &["image"]), ["image:2:27: error[shared-lock]"]);
    assert_eq!(places(here, &["README.md"]), [""; 0]);
    // An unreadable file is reported when named.
    assert_eq!(cachelane(here, &["check", "--embedded", "binary.py"]).0, 2);
    assert_eq!(cachelane(here, &["check", "--embedded", "make.sh"]).0, 0);
}

#[test]
fn fix_ends_with_what_it_does_not_touch() {
    let dockerfile = format!("FROM debian\n{LOCKED}");
    let script = format!("X = '''\n{LOCKED}'''\n");
    let folder = folder(&[
        ("Dockerfile", &dockerfile),
        ("b.py", &script),
        ("a.md", &dockerfile),
    ]);
    let here = folder.path();
    let (code, out, err) = cachelane(here, &["fix", "--diff"]);
    assert!(code == 1 && out.contains("+ARG CACHE_ID"), "{out}");
    let end = "1 finding would be fixed in 1 file.\n1 more lock stands in text that fix does not touch: b.py:2\n";
    assert!(err.ends_with(end), "{err}");
    // Neither for named files, nor without findings.
    let (_, out, _) = cachelane(here, &["fix", "Dockerfile"]);
    assert!(
        out.ends_with("1 finding fixed in 1 file; nothing is left.\n"),
        "{out}"
    );
    assert_eq!(
        cachelane(here, &["fix", "--quiet"]),
        (0, String::new(), String::new())
    );
    let nothing = (
        0,
        "no build is known of 1 Dockerfile: whoever builds it must pass `CACHE_ID`\nnothing to fix.\n1 lock stands in text that \
         fix does not touch: b.py:2\n"
            .to_owned(),
        String::new(),
    );
    assert_eq!(cachelane(here, &["fix"]), nothing);
    assert_eq!(fs::read_to_string(here.join("b.py")).unwrap(), script);
    fs::write(here.join("b.py"), script.repeat(7)).unwrap();
    let (_, out, _) = cachelane(here, &["fix"]);
    let end = "7 locks stand in text that fix does not touch: b.py:2, b.py:5, b.py:8, b.py:11, b.py:14 … and 2 more: `cachelane check \
               --embedded` lists them\n";
    assert!(out.ends_with(end), "{out}");
    // Suppressions, `exclude` and the choice of rules apply here, too.
    fs::write(
        here.join("b.py"),
        format!("# cachelane: ignore[shared-lock] one at a time\n{script}"),
    )
    .unwrap();
    let clean = "no build is known of 1 Dockerfile: whoever builds it must pass `CACHE_ID`\nnothing to fix.\n";
    assert_eq!(cachelane(here, &["fix"]).1, clean);
    fs::write(here.join("b.py"), &script).unwrap();
    assert_eq!(
        cachelane(here, &["fix", "--ignore", "shared-lock"]).1,
        clean
    );
    fs::write(here.join("cachelane.toml"), "exclude = ['b.py']\n").unwrap();
    assert_eq!(cachelane(here, &["fix"]).1, clean);
    // Text does not count as a Dockerfile found.
    fs::remove_file(here.join("cachelane.toml")).unwrap();
    fs::remove_file(here.join("Dockerfile")).unwrap();
    let (code, out, err) = cachelane(here, &["fix"]);
    assert_eq!(
        (code, out.as_str()),
        (0, "1 lock stands in text that fix does not touch: b.py:2\n")
    );
    assert!(err.contains("no Dockerfile below"), "{err}");
}

#[test]
fn what_the_configuration_says_holds() {
    let (string, dockerfile) = (
        format!("X = '''\n{LOCKED}'''\n"),
        format!("FROM debian\n{LOCKED}"),
    );
    let folder = folder(&[
        ("a.py", &string),
        ("c.sh", &dockerfile),
        ("d.sh", &dockerfile),
    ]);
    let here = folder.path();
    let config = |text: &str| fs::write(here.join("cachelane.toml"), text).unwrap();
    // A Dockerfile by the configuration, under any name.
    config("include = ['c.sh']\n[rules]\nshared-lock = 'warning'\n");
    let found = [
        "a.py:2:27: warning[shared-lock]",
        "c.sh:2:27: warning[shared-lock]",
        "d.sh:2:27: warning[shared-lock]",
    ];
    assert_eq!(places(here, &[]), found);
    config("exclude = ['a.py', 'c.sh', 'd.sh']\n");
    assert_eq!(places(here, &[]), [""; 0]);
    config("[rules]\nshared-lock = 'off'\n");
    assert_eq!(places(here, &[]), [""; 0]);
    assert_eq!(places(here, &["--rules", "undeclared-arg"]), [""; 0]);
    assert_eq!(
        cachelane(here, &["check", "--embedded", "--add-ignores"]).0,
        2
    );
}

#[test]
fn files_on_builds_are_not_reported_twice() {
    let indented = |depth: usize| format!("{}{LOCKED}", " ".repeat(depth));
    let compose = format!(
        "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM debian\n{}    x-note: |\n{}",
        indented(8),
        indented(6)
    );
    let script = format!(
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n          docker build - <<EOF\n          FROM debian\n{}          EOF\n      # cachelane: ignore[shared-lock] alone\n      - run: |\n          docker build - <<EOF\n{}          EOF\n",
        indented(10),
        indented(10)
    );
    let folder = folder(&[
        ("compose.yml", &compose),
        (".github/workflows/a.yml", &script),
    ]);
    let here = folder.path();
    let check = ["check", "--format", "concise", "--quiet"];
    let (_, out, _) = cachelane(here, &check);
    assert_eq!(out.matches("[shared-lock]").count(), 1, "{out}");
    assert!(!out.contains("unused-ignore"), "{out}");
    assert_eq!(
        places(here, &["--rules", "shared-lock"]),
        [
            ".github/workflows/a.yml:9:37: info[shared-lock]",
            "compose.yml:6:35: error[shared-lock]",
            "compose.yml:8:33: info[shared-lock]"
        ]
    );
    let (_, out, _) = cachelane(here, &["fix"]);
    assert!(out.contains("2 more locks stand in text that fix does not touch: .github/workflows/a.yml:9, compose.yml:"), "{out}");
    assert_eq!(
        fs::read_to_string(here.join(".github/workflows/a.yml")).unwrap(),
        script
    );
}
