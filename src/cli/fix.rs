//! `cachelane fix`

use std::collections::HashMap;
use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf};
use std::sync::{Arc, Mutex};

use bstr::ByteSlice as _;
use similar::TextDiff;

use crate::budget;
use crate::finding::{Finding, RuleId, Severity};
use crate::fix::Applicability;
use crate::lint::{self, FileReport, Fixed};
use crate::report::{self, Summary, human};
use crate::text::{LineIndex, count, printable};
use crate::workspace::file;

use super::args::{FixArgs, SettingsArgs};
use super::run::{self, Given, Texts};
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
    /// How many of its builds pass the lane now that did not.
    passed: usize,
    /// Whether locks in its text are told of, where it says what is built.
    text: bool,
}

/// What goes where when all files are done.
#[derive(Default)]
struct Output {
    /// The fixed standard input, or the diffs.
    bytes: Vec<u8>,
    /// What is said about the files.
    text: String,
    /// Findings fixed, and in how many files; builds that pass the lane not among them.
    fixes: usize,
    files: usize,
    /// Builds that pass the lane now, and in how many files.
    passed: usize,
    passing_files: usize,
    trouble: bool,
}

pub(super) fn run(args: &FixArgs) -> Outcome {
    terminal::set_color(args.common.color);
    if let Err(problem) = args.common.check().and_then(|()| args.gate.select.check()) {
        terminal::complain(&problem);
        return Outcome::Trouble;
    }
    let overrides = args
        .common
        .settings
        .overrides(Some(&args.gate.select), args.keep_default);
    let Some(settled) = Settled::new(&args.common.settings, overrides) else {
        return Outcome::Trouble;
    };
    let roots = if args.common.paths.is_empty() {
        vec![".".into()]
    } else {
        args.common.paths.clone()
    };
    let found = if args.r#unsafe {
        compare(args, &settled)
    } else {
        HashMap::new()
    };
    let loose: Mutex<Vec<FileReport>> = Mutex::default();
    let texts = if args.common.quiet {
        Texts::None
    } else {
        Texts::Found
    };
    let ran = run::over_all(&args.common, &settled, texts, |given| {
        if given.text && given.kind.is_none() {
            let report = lint::check_text(given.path, given.source, given.settings);
            loose.lock().ok()?.extend(report);
            return None;
        }
        let found = found.get(given.path).map_or(&[][..], Vec::as_slice);
        fix_one(args, &roots, given, found)
    });
    let (mut reports, mut done): (Vec<FileReport>, Vec<Done>) = ran.results.into_iter().unzip();
    let world = World::new(&settled, &args.common);
    let mut too_much = world.relate(&mut reports, ran.whole).is_err();
    if !too_much && rewire(args, &roots, &mut reports, &mut done) {
        too_much = world.relate(&mut reports, ran.whole).is_err();
    }
    let summary = Summary::new(&reports, ran.files);
    let mut output = Output {
        trouble: ran.trouble || too_much || !world.unread().is_empty(),
        ..Output::default()
    };
    // What fails the gate is shown, the rest is counted.
    let least = args.gate.fail_on.least().unwrap_or(Severity::Warning);
    for (report, done) in reports.iter_mut().zip(&done) {
        output.add(args, report, done);
        report
            .checked
            .findings
            .retain(|finding| finding.severity >= least);
        explain(report, done, level(args));
    }
    let left = human::findings(&reports, terminal::style(true));
    if !output.text.is_empty() && !left.is_empty() {
        output.text.push('\n');
    }
    output.text.push_str(&left);
    let loose = loose_locks(loose.into_inner().unwrap_or_default(), &reports, &done);
    if ran.files > 0 && !args.common.quiet {
        let last = last_line(args.diff, &output, &summary, least, loose.is_empty());
        output.text.push_str(&last);
    }
    output.text.push_str(&told(
        &loose,
        summary.errors + summary.warnings + summary.infos + output.fixes > 0,
    ));
    hint_at_arg(args, &reports, &done);
    if !ran.whole {
        hint_at_builds(args, &done, &reports);
    }
    terminal::print(&output.bytes);
    // Where the fixed file or a diff goes to standard output, what is said about it goes beside.
    if args.diff
        || args
            .common
            .paths
            .iter()
            .any(|path| path.as_os_str() == run::STDIN)
    {
        terminal::say(&output.text);
    } else {
        terminal::tell(&output.text);
    }
    match (
        output.trouble,
        summary.fails(args.gate.fail_on.least()) || (args.diff && output.changes()),
    ) {
        (true, _) => Outcome::Trouble,
        (false, true) => Outcome::Findings,
        (false, false) => Outcome::Clean,
    }
}

/// The fixes that are asked for.
fn level(args: &FixArgs) -> Applicability {
    if args.r#unsafe {
        Applicability::Unsafe
    } else {
        Applicability::Safe
    }
}

/// Says under each finding of `report` that was to be fixed why it was not.
fn explain(report: &mut FileReport, done: &Done, level: Applicability) {
    if done.unwritten.is_none() && done.fixed.dropped.is_empty() {
        return;
    }
    let before = LineIndex::new(if done.old.is_empty() {
        &report.source
    } else {
        &done.old
    });
    for finding in &mut report.checked.findings {
        if finding
            .fix
            .as_ref()
            .is_none_or(|fix| fix.applicability() > level)
        {
            continue;
        }
        let line = before.line(done.fixed.origin(finding.span.start));
        let dropped = done
            .fixed
            .dropped
            .iter()
            .filter(|dropped| dropped.rule == finding.rule);
        let dropped = dropped
            .min_by_key(|dropped| dropped.line.abs_diff(line))
            .map(|dropped| &dropped.reason);
        if let Some(why) = done.unwritten.as_ref().or(dropped) {
            (finding.fix, finding.unfixed) = (None, Some(why.clone()));
        }
    }
}

/// Says that a name which was typed has to be configured, where ids were written with it.
fn hint_at_arg(args: &FixArgs, reports: &[FileReport], done: &[Done]) {
    let Some(arg) = args
        .common
        .settings
        .arg
        .as_ref()
        .filter(|_| !args.common.quiet && !args.diff)
    else {
        return;
    };
    let written = reports
        .iter()
        .zip(done)
        .find(|(_, done)| !done.fixed.made.is_empty());
    let Some((report, _)) = written else { return };
    let typed = &args.common.settings;
    let plain = SettingsArgs {
        config: typed.config.clone(),
        no_config: typed.no_config,
        arg: None,
        default: None,
    };
    let configured = Settled::new(&plain, plain.overrides(None, false))
        .and_then(|settled| Some(settled.of(&report.path)?.settings(&report.path).arg == *arg));
    if configured == Some(false) {
        terminal::note(&format!(
            "Put `arg = \"{arg}\"` into cachelane.toml: a check without `--arg` knows no `{arg}`."
        ));
    }
}

/// Says that builds were looked for only in what was named, where Dockerfiles got lanes that somebody has to pass.
fn hint_at_builds(args: &FixArgs, done: &[Done], reports: &[FileReport]) {
    let is_declared = |(done, report): (&Done, &FileReport)| {
        let lanes = done
            .fixed
            .made
            .iter()
            .filter(|made| matches!(made.rule, RuleId::SharedLock | RuleId::UndeclaredArg));
        !done.stdin && report.wires.is_none() && lanes.count() > 0
    };
    if !args.common.quiet && done.iter().zip(reports).any(is_declared) {
        terminal::note(
            "Builds of these files were looked for in what you named only: `cachelane fix` at the repository's root passes \
             the lane in all of them.",
        );
    }
}

/// What comes of comparing the files before any is changed: findings whose fixes depend on another file. Only unsafe
/// fixes do.
fn compare(args: &FixArgs, settled: &Settled) -> HashMap<PathBuf, Vec<Finding>> {
    let mut ran = run::quietly(&args.common, settled, check::look);
    let bytes = ran.results.iter().map(|report| report.source.len()).sum();
    let relate = || lint::relate_reports(&mut ran.results, ran.whole, report::path);
    // It is said where the fixed files are compared.
    if budget::within(bytes, relate).is_err() {
        return HashMap::new();
    }
    let spread = |report: FileReport| {
        let found = report.checked.findings.into_iter();
        (
            report.path,
            found
                .filter(|finding| finding.fix.is_some() && finding.spans_files())
                .collect(),
        )
    };
    ran.results.into_iter().map(spread).collect()
}

/// Fixes one file, and writes it unless a diff is asked for or it is standard input.
fn fix_one(
    args: &FixArgs,
    roots: &[PathBuf],
    given: Given<'_>,
    found: &[Finding],
) -> Option<(FileReport, Done)> {
    let Given {
        path,
        stdin,
        settings,
        source,
        kind,
        ..
    } = given;
    let level = level(args);
    if kind.is_none() && !lint::is_of_interest(source) {
        return stdin.then(|| untouched(given));
    }
    let mut fixed = match kind {
        Some(kind) => lint::fix_inline(kind, source, settings, level),
        None => lint::fix(source, settings, level, found),
    };
    let changed = fixed.bytes != source;
    if !changed {
        // One fix can undo another.
        fixed.made.clear();
    }
    let report = |fixed: &mut Fixed| {
        let left = std::mem::take(&mut fixed.left);
        match kind {
            Some(kind) => lint::check_wiring(path, kind, &fixed.bytes, settings),
            None => FileReport {
                path: path.to_path_buf(),
                source: fixed.bytes.clone(),
                settings: Arc::clone(settings),
                checked: left,
                wires: None,
            },
        }
    };
    let mut left = report(&mut fixed);
    let mut unwritten = None;
    // What is more than cachelane reads stays as it is.
    if changed && !args.diff && !stdin && !budget::is_spent() {
        unwritten = file::replace(path, source, &fixed.bytes, roots)
            .err()
            .map(|error| error.to_string());
    }
    if unwritten.is_some() {
        // The file is as it was, and so is what there is to find in it.
        fixed = Fixed {
            dropped: fixed.dropped,
            ..Fixed::nothing(source, lint::check(source, settings))
        };
        left = report(&mut fixed);
    }
    let old = if changed { source.to_vec() } else { Vec::new() };
    Some((
        left,
        Done {
            fixed,
            old,
            stdin,
            unwritten,
            passed: 0,
            text: given.text,
        },
    ))
}

/// Passes the lane in the workflows, pipelines, Compose and bake files of `reports`: their Dockerfiles have their lanes by
/// now. Whether anything changed; all findings are to be looked for again then.
fn rewire(
    args: &FixArgs,
    roots: &[PathBuf],
    reports: &mut [FileReport],
    done: &mut [Done],
) -> bool {
    let mut changed = false;
    for (report, done) in reports.iter_mut().zip(done) {
        let rewired = budget::within(report.source.len(), || {
            lint::wire::fix_wires(report, level(args))
        });
        let rewired = match rewired {
            Ok(Some(rewired)) => rewired,
            Ok(None) => continue,
            Err(spent) => {
                done.unwritten = Some(spent.to_string());
                continue;
            }
        };
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
        done.passed = rewired.made.len();
        done.fixed.made.extend(rewired.made);
        done.fixed.bytes.clone_from(&rewired.bytes);
        report.source = rewired.bytes;
        changed = true;
    }
    if changed {
        for report in reports {
            // All of them were read before, with little else in them.
            let _ = budget::within(report.source.len(), || {
                match report.wires.as_ref().map(|wires| wires.format) {
                    Some(kind) => {
                        *report = lint::check_wiring(
                            &report.path,
                            kind,
                            &report.source,
                            &report.settings,
                        );
                    }
                    None => report.checked = lint::check(&report.source, &report.settings),
                }
            });
        }
    }
    changed
}

impl Output {
    /// Whether any file is another one now, or would be.
    fn changes(&self) -> bool {
        self.files + self.passing_files > 0
    }

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
            terminal::complain(&format!(
                "{name}:{line}: the fix for {rule} was not made: {reason}"
            ));
        }
        if fixed.made.is_empty() {
            return;
        }
        let fixes = fixed.made.len() - done.passed;
        self.fixes += fixes;
        self.files += usize::from(fixes > 0);
        self.passed += done.passed;
        self.passing_files += usize::from(done.passed > 0);
        if args.diff {
            self.bytes
                .extend(diff(&report.path, &done.old, &fixed.bytes));
        } else {
            self.text.push_str(&made(&name, fixed));
        }
    }
}

/// Standard input without a mount: it is printed as it came.
fn untouched(given: Given<'_>) -> (FileReport, Done) {
    let (path, settings) = (given.path.to_path_buf(), Arc::clone(given.settings));
    let report = FileReport {
        path,
        source: Vec::new(),
        settings,
        checked: lint::Checked::default(),
        wires: None,
    };
    let fixed = Fixed::nothing(given.source, lint::Checked::default());
    (
        report,
        Done {
            fixed,
            old: Vec::new(),
            stdin: given.stdin,
            unwritten: None,
            passed: 0,
            text: false,
        },
    )
}

/// What was fixed in one file.
fn made(name: &str, fixed: &Fixed) -> String {
    let mut text = format!(
        "{}: {}\n",
        printable(name),
        count(fixed.made.len(), "change")
    );
    for made in &fixed.made {
        text.push_str(&format!(
            "  line {}: {} ({})\n",
            made.line,
            printable(&made.title),
            made.rule
        ));
    }
    text
}

/// The places of locks in text that no fix touches: those of `texts`, and those in the files that say what is built.
fn loose_locks(mut texts: Vec<FileReport>, reports: &[FileReport], done: &[Done]) -> Vec<String> {
    lint::relate_reports(&mut texts, false, report::path);
    let texts = texts
        .iter()
        .map(|report| (report, &report.checked.findings));
    let wiring = reports.iter().zip(done).filter(|(_, done)| done.text);
    let wiring = wiring.filter_map(|(report, _)| Some((report, &report.wires.as_ref()?.loose)));
    let mut found: Vec<(&FileReport, &Vec<Finding>)> = texts.chain(wiring).collect();
    found.sort_by_key(|(report, _)| &report.path);
    let places = found.into_iter().flat_map(|(report, findings)| {
        let (name, lines) = (report::path(&report.path), LineIndex::new(&report.source));
        let places = findings
            .iter()
            .map(move |found| format!("{name}:{}", lines.line(found.span.start)));
        places.collect::<Vec<_>>()
    });
    places.collect()
}

/// What is said of the locks in text that is no Dockerfile, at these places; `more` says whether others were told of.
fn told(places: &[String], more: bool) -> String {
    /// How many are named.
    const NAMED: usize = 5;
    if places.is_empty() {
        return String::new();
    }
    let (named, rest) = places.split_at(places.len().min(NAMED));
    let locks = count(places.len(), if more { "more lock" } else { "lock" });
    let stand = if places.len() == 1 { "stands" } else { "stand" };
    let rest = match rest.len() {
        0 => String::new(),
        rest => format!(" … and {rest} more: `cachelane check --embedded` lists them"),
    };
    let named = named.join(", ");
    format!(
        "{locks} {stand} in text that fix does not touch: {}{rest}\n",
        printable(&named)
    )
}

fn last_line(diff: bool, output: &Output, summary: &Summary, least: Severity, all: bool) -> String {
    let would = if diff { "would be " } else { "" };
    let mut parts = Vec::new();
    if output.fixes > 0 {
        parts.push(format!(
            "{} {would}fixed in {}",
            count(output.fixes, "finding"),
            count(output.files, "file")
        ));
    }
    // `check` counts those builds only whose Dockerfile had its lanes before.
    if output.passed > 0 {
        let (builds, files) = (
            count(output.passed, "build"),
            count(output.passing_files, "file"),
        );
        parts.push(format!("the lane {would}passed in {builds} of {files}"));
    }
    let fixed = if parts.is_empty() {
        "nothing to fix".to_owned()
    } else {
        parts.join(", and ")
    };
    if summary.errors + summary.warnings + summary.infos == 0 {
        let nothing = if all { ", nothing left" } else { "" };
        return format!("{fixed}{nothing}.\n");
    }
    let hidden = summary.infos > 0 && least > Severity::Info;
    let shown = if hidden {
        " (`--fail-on info` shows infos)"
    } else {
        ""
    };
    format!("{fixed}, {} left{shown}.\n", human::severities(summary))
}

/// `path` below `side` as git and patch write it in a diff: what could be misread is quoted as in C, and a name with a
/// blank has a tab behind it.
fn name(side: &str, path: &[u8]) -> String {
    let text = std::str::from_utf8(path).ok();
    let plain = |ch: char| !ch.is_control() && !matches!(ch, '"' | '\\');
    if let Some(text) = text.filter(|text| text.chars().all(plain)) {
        let tab = if text.contains(' ') { "\t" } else { "" };
        return format!("{side}{text}{tab}");
    }
    let mut quoted = format!("\"{side}");
    for byte in path {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => quoted.push(char::from(*byte)),
            _ => quoted.push_str(&format!("\\{byte:03o}")),
        }
    }
    quoted + "\""
}

/// A unified diff, coloured on a terminal.
fn diff(path: &Path, old: &[u8], new: &[u8]) -> Vec<u8> {
    let diff = TextDiff::from_lines(old, new);
    let path = path.strip_prefix(".").unwrap_or(path).as_os_str();
    let path = path.as_encoded_bytes().replace(MAIN_SEPARATOR_STR, "/");
    let path = &path[path.iter().take_while(|byte| **byte == b'/').count()..];
    let mut unified = diff.unified_diff();
    let mut bytes = Vec::new();
    // Writing into a Vec cannot fail.
    let _ = unified
        .header(&name("a/", path), &name("b/", path))
        .to_writer(&mut bytes);
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
