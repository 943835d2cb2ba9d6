//! `cachelane fix`

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use similar::TextDiff;

use crate::finding::Finding;
use crate::fix::Applicability;
use crate::lint::{self, FileReport, Fixed};
use crate::report::{self, Summary, human};
use crate::text::{count, printable};
use crate::workspace::file;

use super::args::FixArgs;
use super::run::{self, Given};
use super::settled::Settled;
use super::world::World;
use super::{Outcome, check, terminal};

/// What was done to one file, beside its report.
struct Done {
    fixed: Fixed,
    /// The file as it was; empty where nothing was fixed.
    old: Vec<u8>,
    stdin: bool,
    /// Why the new content could not be written.
    unwritten: Option<String>,
}

/// What goes where when all files are done.
#[derive(Default)]
struct Output {
    /// The fixed standard input, or the diffs.
    bytes: Vec<u8>,
    /// What is said about the files.
    text: String,
    fixes: usize,
    files: usize,
    trouble: bool,
}

pub(super) fn run(args: &FixArgs) -> Outcome {
    terminal::set_color(args.common.color);
    let overrides = args.common.settings.overrides(Some(&args.gate.select), args.keep_default);
    let Some(settled) = Settled::new(&args.common.settings, overrides) else { return Outcome::Trouble };
    let roots = if args.common.paths.is_empty() { vec![".".into()] } else { args.common.paths.clone() };
    let found = if args.r#unsafe { compare(args, &settled) } else { HashMap::new() };
    let ran = run::over(&args.common, &settled, |given| {
        let found = found.get(given.path).map_or(&[][..], Vec::as_slice);
        fix_one(args, &roots, given, found)
    });
    let (mut reports, mut done): (Vec<FileReport>, Vec<Done>) = ran.results.into_iter().unzip();
    let world = World::new(&settled, &args.common);
    let relate = |reports: &mut [FileReport]| {
        lint::relate_reports(reports, ran.whole, report::path);
        world.wire(reports, ran.whole);
    };
    relate(&mut reports);
    if rewire(args, &roots, &mut reports, &mut done) {
        relate(&mut reports);
    }
    let summary = Summary::new(&reports, ran.files);
    let mut output = Output { trouble: ran.trouble, ..Output::default() };
    for (report, done) in reports.iter().zip(&done) {
        output.add(args, report, done);
    }
    output.text.push_str(&human::findings(&reports, terminal::style(true), terminal::threads()));
    if ran.files > 0 && !args.common.quiet {
        output.text.push_str(&last_line(args.diff, &output, &summary));
    }
    terminal::print(&output.bytes);
    // Where the fixed file or a diff goes to standard output, what is said about it goes beside.
    if args.diff || args.common.paths.iter().any(|path| path.as_os_str() == run::STDIN) {
        terminal::say(&output.text);
    } else {
        terminal::print(&output.text);
    }
    match (output.trouble, summary.fails(args.gate.fail_on.least()) || (args.diff && output.files > 0)) {
        (true, _) => Outcome::Trouble,
        (false, true) => Outcome::Findings,
        (false, false) => Outcome::Clean,
    }
}

/// What comes of comparing the files before any is changed: findings whose fixes depend on another file. Only unsafe
/// fixes do.
fn compare(args: &FixArgs, settled: &Settled) -> HashMap<PathBuf, Vec<Finding>> {
    let mut ran = run::quietly(&args.common, settled, check::look);
    lint::relate_reports(&mut ran.results, ran.whole, report::path);
    let spread = |report: FileReport| {
        let found = report.checked.findings.into_iter();
        (report.path, found.filter(|finding| finding.fix.is_some() && !finding.elsewhere.is_empty()).collect())
    };
    ran.results.into_iter().map(spread).collect()
}

/// Fixes one file, and writes it unless a diff is asked for or it is standard input.
fn fix_one(args: &FixArgs, roots: &[PathBuf], given: Given<'_>, found: &[Finding]) -> Option<(FileReport, Done)> {
    let Given { path, stdin, settings, source, kind } = given;
    let level = if args.r#unsafe { Applicability::Unsafe } else { Applicability::Safe };
    if kind.is_none() && !lint::is_of_interest(source) {
        return stdin.then(|| untouched(given));
    }
    let mut fixed = match kind {
        Some(kind) => lint::fix_inline(kind, source, settings, level),
        None => lint::fix(source, settings, level, found),
    };
    let changed = fixed.bytes != source;
    let mut unwritten = None;
    if changed && !args.diff && !stdin {
        unwritten = file::replace(path, source, &fixed.bytes, roots).err().map(|error| error.to_string());
    }
    if unwritten.is_some() {
        // The file is as it was, and so is what there is to find in it.
        fixed = Fixed { left: lint::check(source, settings), bytes: source.to_vec(), made: Vec::new(), ..fixed };
    }
    let left = std::mem::take(&mut fixed.left);
    let report = if let Some(kind) = kind {
        lint::check_wiring(path, kind, &fixed.bytes, settings)
    } else {
        let (path, source, settings) = (path.to_path_buf(), fixed.bytes.clone(), Arc::clone(settings));
        FileReport { path, source, settings, checked: left, wires: None }
    };
    let old = if changed { source.to_vec() } else { Vec::new() };
    Some((report, Done { fixed, old, stdin, unwritten }))
}

/// Passes the lane in the workflows, pipelines, Compose and bake files of `reports`: their Dockerfiles have their lanes by
/// now. Whether anything changed; all findings are to be looked for again then.
fn rewire(args: &FixArgs, roots: &[PathBuf], reports: &mut [FileReport], done: &mut [Done]) -> bool {
    let mut changed = false;
    for (report, done) in reports.iter_mut().zip(done) {
        let Some(rewired) = lint::wire::fix_wires(report) else { continue };
        done.fixed.dropped.extend(rewired.dropped);
        if rewired.made.is_empty() {
            continue;
        }
        if !args.diff && !done.stdin {
            let written = file::replace(&report.path, &report.source, &rewired.bytes, roots);
            if let Err(error) = written {
                done.unwritten = Some(error.to_string());
                continue;
            }
        }
        if done.fixed.made.is_empty() {
            done.old = std::mem::take(&mut report.source);
        }
        done.fixed.made.extend(rewired.made);
        done.fixed.bytes.clone_from(&rewired.bytes);
        report.source = rewired.bytes;
        changed = true;
    }
    if changed {
        for report in reports {
            match report.wires.as_ref().map(|wires| wires.kind) {
                Some(kind) => *report = lint::check_wiring(&report.path, kind, &report.source, &report.settings),
                None => report.checked = lint::check(&report.source, &report.settings),
            }
        }
    }
    changed
}

impl Output {
    /// Adds what there is to say and print about one file.
    fn add(&mut self, args: &FixArgs, report: &FileReport, done: &Done) {
        let name = report::path(&report.path);
        let fixed = &done.fixed;
        if let Some(why) = &done.unwritten {
            self.trouble = true;
            terminal::complain(&format!("{name}: {why}"));
        }
        if done.stdin && !args.diff {
            self.bytes.extend_from_slice(&fixed.bytes);
        }
        for dropped in &fixed.dropped {
            let (rule, line, reason) = (dropped.rule, dropped.line, &dropped.reason);
            terminal::complain(&format!("{name}:{line}: the fix for {rule} was not made: {reason}"));
        }
        if fixed.made.is_empty() {
            return;
        }
        self.fixes += fixed.made.len();
        self.files += 1;
        if args.diff {
            self.bytes.extend(diff(&name, &done.old, &fixed.bytes));
        } else {
            self.text.push_str(&made(&name, fixed));
        }
    }
}

/// Standard input without a mount: it is printed as it came.
fn untouched(given: Given<'_>) -> (FileReport, Done) {
    let (path, settings) = (given.path.to_path_buf(), Arc::clone(given.settings));
    let report = FileReport { path, source: Vec::new(), settings, checked: lint::Checked::default(), wires: None };
    let bytes = given.source.to_vec();
    let fixed = Fixed { bytes, made: Vec::new(), left: lint::Checked::default(), dropped: Vec::new() };
    (report, Done { fixed, old: Vec::new(), stdin: given.stdin, unwritten: None })
}

/// What was fixed in one file.
fn made(name: &str, fixed: &Fixed) -> String {
    let mut text = format!("{}: {}\n", printable(name), count(fixed.made.len(), "change"));
    for made in &fixed.made {
        text.push_str(&format!("  line {}: {} ({})\n", made.line, printable(&made.title), made.rule));
    }
    text
}

fn last_line(diff: bool, output: &Output, summary: &Summary) -> String {
    let would = if diff { "would be " } else { "" };
    let fixed = match output.fixes {
        0 => "nothing to fix".to_owned(),
        n => format!("{} {would}fixed in {}", count(n, "finding"), count(output.files, "file")),
    };
    match summary.errors + summary.warnings + summary.infos {
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
    let color = terminal::color();
    if !terminal::is_terminal() && !color {
        return bytes;
    }
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
