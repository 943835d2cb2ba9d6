//! The output of `cachelane fix` after all files.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::finding::{Finding, RuleId, Severity};
use crate::fix::Applicability;
use crate::lint::{self, FileReport, Fixed};
use crate::project::fix::FileFix;
use crate::report::{self, Summary, human};
use crate::text::{LineIndex, count, printable};

use super::run::Run;
use super::{diff, terminal};

/// The text for each stream, built up file by file.
#[derive(Default)]
pub struct Output {
    /// The fixed standard input, or the diffs.
    pub bytes: Vec<u8>,
    pub text: String,
    /// Fixed findings, without the builds that pass the lane.
    pub fixes: Changes,
    /// Builds that newly pass the lane.
    pub passed: Changes,
    /// Findings that are left, and have an unsafe fix.
    pub unsafe_left: usize,
    /// True where a file could not be written.
    pub failed: bool,
}

/// Changes of one kind, and the number of their files.
#[derive(Clone, Copy, Default)]
pub struct Changes {
    pub made: usize,
    pub files: usize,
}

impl Changes {
    fn add(&mut self, made: usize) {
        self.made += made;
        self.files += usize::from(made > 0);
    }
}

impl Output {
    /// Returns whether any file has changed, or would.
    pub fn changes(&self) -> bool {
        self.fixes.made + self.passed.made > 0
    }

    /// Adds the output about one file. `is_diff` says whether files stay as they are.
    pub fn add(&mut self, is_diff: bool, report: &FileReport, done: &FileFix) {
        let name = report::path(&report.path);
        let fixed = &done.fixed;
        if let Some(why) = &done.unwritten {
            self.failed = true;
            terminal::warn(&format!("{name}: {why}"));
        }
        if done.is_stdin && !is_diff {
            self.bytes.extend_from_slice(&fixed.bytes);
        }
        for lint::Dropped { rule, line, reason } in &fixed.dropped {
            terminal::warn(&format!(
                "{name}:{line}: the fix for {rule} was not made: {reason}"
            ));
        }
        if fixed.made.is_empty() {
            return;
        }
        let builds = |made: &&lint::Made| made.rule == RuleId::UnpassedArg;
        let passed = fixed.made.iter().filter(builds).count();
        self.fixes.add(fixed.made.len() - passed);
        self.passed.add(passed);
        if is_diff {
            let diff = diff::unified(&report.path, &done.old, &fixed.bytes);
            self.bytes.extend(diff);
        } else {
            self.text.push_str(&made(&name, fixed));
        }
    }

    /// Counts the findings of `report` that are left, and that more than `level` would fix.
    pub fn count_left(&mut self, report: &FileReport, level: Applicability) {
        let fixes = report.checked.findings.iter().flat_map(|one| &one.fix);
        self.unsafe_left += fixes.filter(|fix| fix.applicability() > level).count();
    }

    /// Returns the line that sums up a run. `all` says whether nothing is left that is not in `summary`.
    pub fn last_line(
        &self,
        is_diff: bool,
        summary: &Summary,
        least: Option<Severity>,
        all: bool,
    ) -> String {
        let would = if is_diff { "would be " } else { "" };
        let mut parts = Vec::new();
        if self.fixes.made > 0 {
            let Changes { made, files } = self.fixes;
            let (findings, files) = (count(made, "finding"), count(files, "file"));
            parts.push(format!("{findings} {would}fixed in {files}"));
        }
        // `check` counts those builds only whose Dockerfile had its lanes before.
        if self.passed.made > 0 {
            let Changes { made, files } = self.passed;
            let (builds, files) = (count(made, "build"), count(files, "file"));
            parts.push(format!("the lane {would}passed in {builds} of {files}"));
        }
        let fixed = match (parts.is_empty(), summary.found()) {
            (false, _) => parts.join(", and "),
            (true, 0) => return "nothing to fix.\n".to_owned(),
            (true, _) if is_diff => "nothing would be fixed".to_owned(),
            (true, _) => "nothing fixed".to_owned(),
        };
        if summary.found() == 0 {
            let nothing = if all { "; nothing is left" } else { "" };
            return format!("{fixed}{nothing}.\n");
        }
        let (left, shown) = (human::severities(summary), human::hidden(summary, least));
        let more = match (self.unsafe_left, summary.found()) {
            (0, _) => String::new(),
            (1, 1) => "; `--unsafe` would fix it".to_owned(),
            (some, found) if some == found => "; `--unsafe` would fix them".to_owned(),
            (some, _) => format!("; `--unsafe` would fix {some} of them"),
        };
        format!("{fixed}; left: {left}{shown}{more}.\n")
    }
}

/// Adds to each finding of `report` with a fix up to `level` the reason why it was not made.
pub fn explain(report: &mut FileReport, done: &FileFix, level: Applicability) {
    if done.unwritten.is_none() && done.fixed.dropped.is_empty() {
        return;
    }
    for finding in &mut report.checked.findings {
        let mut fix = finding.fix.iter();
        if !fix.any(|fix| fix.applicability() <= level) {
            continue;
        }
        let line = done.fixed.line(finding.span.start);
        let dropped = done.fixed.dropped.iter();
        let nearest = dropped
            .filter(|dropped| dropped.rule == finding.rule)
            .min_by_key(|dropped| dropped.line.abs_diff(line));
        let dropped = nearest.map(|dropped| &dropped.reason);
        if let Some(why) = done.unwritten.as_ref().or(dropped) {
            (finding.fix, finding.unfixed) = (None, Some(why.clone()));
        }
    }
}

fn made(name: &str, fixed: &Fixed) -> String {
    let changes = count(fixed.made.len(), "change");
    let mut text = format!("{}: {changes}\n", printable(name));
    // What is the same in several lines is said once.
    let mut said: Vec<((RuleId, &str), Vec<usize>)> = Vec::new();
    let mut known: HashMap<_, usize> = HashMap::new();
    for lint::Made {
        rule, line, title, ..
    } in &fixed.made
    {
        let at = *known.entry((*rule, &**title)).or_insert(said.len());
        if at == said.len() {
            said.push(((*rule, title), Vec::new()));
        }
        said[at].1.push(*line);
    }
    for ((rule, title), mut lines) in said {
        lines.dedup();
        let word = if lines.len() == 1 { "line" } else { "lines" };
        let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
        let (lines, title) = (lines.join(", "), printable(title));
        let _ = writeln!(text, "  {word} {lines}: {title} ({rule})");
    }
    text
}

/// Returns the places of locks in text outside of Dockerfiles: those of `texts`, and those in build files.
pub fn embedded_locks(
    mut texts: Vec<FileReport>,
    reports: &[FileReport],
    run: &Run<'_>,
) -> Vec<String> {
    lint::relate_reports(&mut texts, false, report::path);
    let texts = texts.iter();
    let texts = texts.map(|report| (report, &report.checked.findings));
    let builds = reports.iter().filter(|report| run.searches(report));
    let builds = builds.filter_map(|report| Some((report, &report.builds.as_ref()?.embedded)));
    let mut found: Vec<(&FileReport, &Vec<Finding>)> = texts.chain(builds).collect();
    found.sort_by_key(|(report, _)| &report.path);
    let places = found.into_iter().flat_map(|(report, findings)| {
        let (name, lines) = (report::path(&report.path), LineIndex::new(&report.source));
        let line = move |found: &Finding| lines.line(found.span.start);
        findings
            .iter()
            .map(move |found| format!("{name}:{}", line(found)))
    });
    places.collect()
}

/// Returns the line on locks in text outside of Dockerfiles at these places; `more` says whether others were reported.
pub fn embedded_line(places: &[String], more: bool) -> String {
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
    let named = printable(&named);
    format!("{locks} {stand} in text that fix does not touch: {named}{rest}\n")
}
