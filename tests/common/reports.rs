//! Findings and errors to report: of one tree of Dockerfiles (`reports-tree`), and of paths and ids made to break out
//! of a format.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use cachelane::finding::RuleId;
use cachelane::index::CacheMount;
use cachelane::lint::matching::{Follows, LockMap, MappedBuild, MappedLock, MappedRun, TakingRun};
use cachelane::lint::{self, FileReport};
use cachelane::report::{self, Format, Run, RunError, Summary, github};
use cachelane::rules::Settings;
use cachelane::text::printable;
use clap::ValueEnum as _;

/// The tree's files, in the order of a run.
const TREE: &[&str] = &[
    "apt.Dockerfile",
    "broken.Dockerfile",
    "fine.Dockerfile",
    "grün, 100%.Dockerfile",
    "sub/py/Dockerfile",
];

pub fn formats() -> Vec<String> {
    let names = Format::value_variants()
        .iter()
        .filter_map(Format::to_possible_value);
    names.map(|name| name.get_name().to_owned()).collect()
}

/// Checks `files`, each a path and its bytes.
pub fn check(files: &[(&str, Vec<u8>)]) -> Vec<FileReport> {
    let settings = Arc::new(Settings::default());
    let one = |(path, source): &(&str, Vec<u8>)| {
        FileReport::new(
            path.as_ref(),
            source,
            &settings,
            lint::check(source, &settings),
        )
    };
    let mut reports: Vec<FileReport> = files.iter().map(one).collect();
    lint::relate_reports(&mut reports, true, report::path);
    reports
}

/// Returns the summary page of GitHub, with a lock for each cache mount.
pub fn summary_page(run: &Run<'_>) -> String {
    let mounts = run.reports.iter().flat_map(|report| {
        let path = report::path(&report.path);
        let mounts = report.checked.mounts.iter();
        mounts.map(move |mount| (path.clone(), mount))
    });
    let lock = |(path, mount): (String, &CacheMount)| {
        let id = String::from_utf8_lossy(&mount.key.id).into_owned();
        MappedLock {
            ids: vec![id.clone()],
            base: Vec::new(),
            follows: Follows::Wait,
            waiting: 2,
            at_once: vec![2],
            has_lane: false,
            runs: vec![TakingRun {
                path: path.clone(),
                line: 1,
                stage: Some(id.clone()),
            }],
            builds: vec![MappedBuild {
                path,
                line: 1,
                name: id.clone(),
                job: Some(id.clone()),
                runs: vec![MappedRun {
                    leg: id.clone(),
                    id: Some(id),
                    namespace: None,
                    builder: None,
                    waits: true,
                    within: None,
                }],
            }],
        }
    };
    let locks: Vec<MappedLock> = mounts.map(lock).collect();
    let circles = if locks.len() > 1 {
        vec![vec![0, 1]]
    } else {
        Vec::new()
    };
    let map = LockMap { locks, circles };
    let map = github::touched(run.reports, &BTreeSet::new(), &map);
    github::step_summary(run, &map)
}

pub fn tree() -> Vec<FileReport> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/reports-tree");
    let files: Vec<(&str, Vec<u8>)> = TREE
        .iter()
        .map(|path| (*path, fs::read(folder.join(path)).unwrap()))
        .collect();
    check(&files)
}

pub fn rendered(render: fn(&Run<'_>) -> String, reports: &[FileReport]) -> String {
    let spoke: BTreeSet<RuleId> = reports
        .iter()
        .flat_map(|report| &report.checked.findings)
        .map(|finding| finding.rule)
        .collect();
    let all = RuleId::ALL.iter().copied();
    let rules: Vec<RuleId> = all.filter(|rule| spoke.contains(rule)).collect();
    render(&Run {
        reports,
        summary: Summary::new(reports, reports.len()),
        rules: &rules,
        errors: &[],
        notes: &[],
    })
}

/// Paths that a hostile repository could have.
pub const PATHS: &[&str] = &[
    "a\nb/Dockerfile",
    "::error::x/Dockerfile",
    " ::stop-commands::x",
    "##[add-mask]x/Dockerfile",
    "a,line=9:b%0A::debug::/Dockerfile",
    "<a href=\"x\">&amp;]]>'/Dockerfile",
    "\u{1b}[2J\u{7}\u{7f}\u{9b}31m/Dockerfile",
    "\u{202E}\u{FFFE}\u{FFFF}|`*_~$x$/Dockerfile",
    "[x](https://example.org)/Dockerfile",
    "a\\b\\|/Dockerfile",
    "x\t| y |\r\n| z",
];

/// Awkward characters of an id.
const IDS: &[&str] = &[
    "\u{1b}[2J",
    "::error::",
    "%0A::error::",
    "%25%0D",
    "<script>&lt;",
    "]]>",
    "|a|b|",
    "`code`",
    "``",
    "\u{1}\u{8}\u{e}\u{1f}",
    "\u{7f}\u{9b}",
    "\u{202E}\u{2066}",
    "\u{FFFE}\u{FFFF}",
    "[x](https://example.org)",
    "[x](1)",
    "##[warning]",
    "{0}",
    "![x](y)",
    "<!--",
    "@someone",
    "$x$",
];

/// A target without an id, which the fix writes to the letter.
pub const TARGET: &str = "/t\u{1b}\u{7f}\u{9b}\u{202E}z";

pub fn hostile() -> Vec<FileReport> {
    let run = |(n, id): (usize, &&str)| {
        format!("RUN --mount=type=cache,id=a{id}z,target=/t{n},sharing=locked make\n")
    };
    let mut source: String = ["FROM debian\n".to_owned()]
        .into_iter()
        .chain(IDS.iter().enumerate().map(run))
        .collect();
    source.push_str(&format!(
        "RUN --mount=type=cache,target={TARGET},sharing=locked make\n"
    ));
    let files: Vec<(&str, Vec<u8>)> = PATHS
        .iter()
        .map(|path| (*path, source.clone().into_bytes()))
        .collect();
    let reports = check(&files);
    let said: Vec<&str> = reports
        .iter()
        .flat_map(|report| &report.checked.findings)
        .map(|finding| finding.message.as_str())
        .collect();
    for id in IDS {
        assert!(
            said.iter()
                .any(|message| message.contains(&format!("a{id}z"))),
            "no message with {id:?}"
        );
    }
    assert!(said.len() >= PATHS.len() * IDS.len());
    reports
}

/// Returns the path and the message of every finding in printable form.
pub fn shown(reports: &[FileReport]) -> Vec<(String, String)> {
    let all = reports.iter().flat_map(|report| {
        report
            .checked
            .findings
            .iter()
            .map(move |finding| (report, finding))
    });
    all.map(|(report, finding)| {
        (
            printable(report.path.to_str().unwrap()).into_owned(),
            printable(&finding.message).into_owned(),
        )
    })
    .collect()
}

fn errors() -> Vec<RunError> {
    let odd = "a\n::error::<b a=\"x\">\u{1b}[2J,%0A]]>|";
    vec![
        RunError::of_run("git knows no revision `x`"),
        RunError {
            path: Some("cachelane.toml".into()),
            line: Some(3),
            message: "there is no rule `x`".into(),
        },
        RunError::with(odd.into(), odd),
    ]
}

pub fn rendered_troubles(render: fn(&Run<'_>) -> String) -> String {
    let (reports, errors) = (tree(), errors());
    render(&Run {
        reports: &reports,
        summary: Summary::new(&reports, reports.len()),
        rules: &[],
        errors: &errors,
        notes: &[],
    })
}
