//! `cachelane fix`

use std::path::Path;

use similar::TextDiff;

use crate::fix::Applicability;
use crate::lint::{self, FileReport, Fixed};
use crate::report::{self, Summary, human};
use crate::text::{count, printable};
use crate::workspace::file;

use super::args::FixArgs;
use super::{Outcome, run, terminal};

/// One file, with what was done to it.
struct Done {
    report: FileReport,
    fixed: Fixed,
    /// The file as it was; empty where nothing was fixed.
    old: Vec<u8>,
    /// Why the new content could not be written.
    unwritten: Option<String>,
}

pub(super) fn run(args: &FixArgs) -> Outcome {
    let settings = args.common.settings();
    let level = if args.r#unsafe { Applicability::Unsafe } else { Applicability::Safe };
    let roots = if args.common.paths.is_empty() { vec![".".into()] } else { args.common.paths.clone() };
    let ran = run::over(&args.common.paths, |path, source| {
        if !lint::has_mount(source) {
            return (path.as_os_str() == run::STDIN).then(|| untouched(path, source));
        }
        let mut fixed = lint::fix(source, &settings, level);
        let changed = fixed.bytes != source;
        let mut unwritten = None;
        if changed && !args.diff && path.as_os_str() != run::STDIN {
            unwritten = file::replace(path, source, &fixed.bytes, &roots).err().map(|error| error.to_string());
        }
        if unwritten.is_some() {
            // The file is as it was, and so is what there is to find in it.
            fixed = Fixed { left: lint::check(source, &settings), bytes: source.to_vec(), made: Vec::new(), ..fixed };
        }
        let left = std::mem::replace(&mut fixed.left, lint::Checked { findings: Vec::new(), locks: Vec::new() });
        let report = FileReport { path: path.to_path_buf(), source: fixed.bytes.clone(), checked: left };
        let old = if changed { source.to_vec() } else { Vec::new() };
        Some(Done { report, fixed, old, unwritten })
    });
    let (mut reports, done): (Vec<FileReport>, Vec<_>) =
        ran.results.into_iter().map(|done| (done.report, (done.fixed, done.old, done.unwritten))).unzip();
    lint::relate(&mut reports, |report| report::path(&report.path));
    let summary = Summary::new(&reports, ran.files);
    let stdin = args.common.paths.iter().any(|path| path.as_os_str() == run::STDIN);
    let mut trouble = ran.trouble;
    let (mut out, mut diffs) = (Vec::new(), 0);
    let mut text = String::new();
    let (mut fixes, mut changed) = (0, 0);
    for (report, (fixed, old, unwritten)) in reports.iter().zip(&done) {
        let name = report::path(&report.path);
        if let Some(why) = unwritten {
            trouble = true;
            terminal::complain(&format!("{name}: {why}"));
            continue;
        }
        if report.path.as_os_str() == run::STDIN && !args.diff {
            out.extend_from_slice(&fixed.bytes);
        }
        for dropped in &fixed.dropped {
            let (rule, line, reason) = (dropped.rule, dropped.line, &dropped.reason);
            terminal::complain(&format!("{name}:{line}: the fix for {rule} was not made: {reason}"));
        }
        if fixed.made.is_empty() {
            continue;
        }
        fixes += fixed.made.len();
        changed += 1;
        if args.diff {
            diffs += 1;
            out.extend(diff(&name, old, &fixed.bytes));
        } else {
            text.push_str(&made(&name, fixed));
        }
    }
    // Where the fixed file or the diff goes to standard output, what is said about it goes beside.
    text.push_str(&human::findings(&reports, terminal::style(true), terminal::threads()));
    if ran.files > 0 {
        text.push_str(&last_line(args.diff, fixes, changed, &summary));
    }
    terminal::print(out);
    if args.diff || stdin {
        terminal::say(&text)
    } else {
        terminal::print(text)
    }
    match (trouble, summary.fails() || diffs > 0) {
        (true, _) => Outcome::Trouble,
        (false, true) => Outcome::Findings,
        (false, false) => Outcome::Clean,
    }
}

/// Standard input without a mount: it is printed as it came.
fn untouched(path: &Path, source: &[u8]) -> Done {
    let nothing = || lint::Checked { findings: Vec::new(), locks: Vec::new() };
    Done {
        report: FileReport { path: path.to_path_buf(), source: Vec::new(), checked: nothing() },
        fixed: Fixed { bytes: source.to_vec(), made: Vec::new(), left: nothing(), dropped: Vec::new() },
        old: Vec::new(),
        unwritten: None,
    }
}

/// What was fixed in one file.
fn made(name: &str, fixed: &Fixed) -> String {
    let mut text = format!("{}: {}\n", printable(name), count(fixed.made.len(), "change"));
    for made in &fixed.made {
        text.push_str(&format!("  line {}: {} ({})\n", made.line, printable(&made.title), made.rule));
    }
    text
}

fn last_line(diff: bool, fixes: usize, files: usize, summary: &Summary) -> String {
    let would = if diff { "would be " } else { "" };
    let left = summary.errors + summary.warnings + summary.infos;
    let fixed = match fixes {
        0 => "nothing to fix".to_owned(),
        n => format!("{} {would}fixed in {}", count(n, "finding"), count(files, "file")),
    };
    match left {
        0 => format!("{fixed}, nothing left.\n"),
        _ => format!("{fixed}, {} left.\n", human::severities(summary)),
    }
}

/// A unified diff, coloured on a terminal.
fn diff(name: &str, old: &[u8], new: &[u8]) -> Vec<u8> {
    let diff = TextDiff::from_lines(old, new);
    let path = name.trim_start_matches('/');
    let mut unified = diff.unified_diff();
    let mut bytes = Vec::new();
    // Writing into a Vec cannot fail.
    let _ = unified.header(&format!("a/{path}"), &format!("b/{path}")).to_writer(&mut bytes);
    if !terminal::is_terminal() {
        return bytes;
    }
    let color = terminal::color();
    let mut shown = Vec::with_capacity(bytes.len());
    for line in bytes.split(|&b| b == b'\n') {
        let code = match line.first() {
            _ if !color => "",
            Some(b'+') => "\x1b[32m",
            Some(b'-') => "\x1b[31m",
            Some(b'@') => "\x1b[36m",
            _ => "",
        };
        let reset = if code.is_empty() { "" } else { "\x1b[0m" };
        let text = String::from_utf8_lossy(line).replace('\t', "    ");
        let text = printable(text.trim_end_matches('\r')).into_owned();
        shown.extend_from_slice(format!("{code}{text}{reset}\n").as_bytes());
    }
    shown.pop();
    shown
}
