//! `cachelane check`

use std::sync::Arc;

use crate::finding::RuleMeta;
use crate::lint::{self, FileReport};
use crate::report::{self, Run, Summary, human};
use crate::rules::RULES;

use super::args::{CheckArgs, Format};
use super::output;
use super::run::{self, Given};
use super::settled::Settled;
use super::since::Since;
use super::world::World;
use super::{Outcome, adopt, terminal};

pub(super) fn run(args: &CheckArgs) -> Outcome {
    terminal::set_color(args.common.color);
    let overrides = args.common.settings.overrides(Some(&args.gate.select), false);
    let Some(settled) = Settled::new(&args.common.settings, overrides) else { return Outcome::Trouble };
    let since = match args.diff.as_deref().map(Since::new).transpose() {
        Ok(since) => since,
        Err(problem) => {
            terminal::complain(&problem);
            return Outcome::Trouble;
        }
    };
    let mut ran = run::over(&args.common, &settled, look);
    lint::relate_reports(&mut ran.results, ran.whole, report::path);
    World::new(&settled, &args.common).wire(&mut ran.results, ran.whole);
    let (mut reports, mut trouble) = (ran.results, ran.trouble);
    if let Some(since) = since
        && let Err(problem) = since.keep(&mut reports)
    {
        terminal::complain(&problem);
        return Outcome::Trouble;
    }
    if args.add_ignores {
        return adopt::run(args, &reports, trouble);
    }
    let summary = Summary::new(&reports, ran.files);
    let rules: Vec<&'static RuleMeta> = RULES.iter().map(|rule| rule.meta()).collect();
    trouble |= !print(args, &Run { reports: &reports, summary, rules: &rules });
    // The process is about to end: giving every string back one by one is work for nothing.
    std::mem::forget(reports);
    match (trouble, summary.fails(args.gate.fail_on.least())) {
        (true, _) => Outcome::Trouble,
        (false, true) => Outcome::Findings,
        (false, false) => Outcome::Clean,
    }
}

/// What is found in one file by itself; `None` where there is nothing to compare either.
pub(super) fn look(given: Given<'_>) -> Option<FileReport> {
    if let Some(kind) = given.kind {
        let report = lint::check_wiring(given.path, kind, given.source, given.settings);
        let nothing =
            report.wires.as_ref().is_none_or(|wires| wires.wiring.is_empty()) && report.checked.ignores.is_empty();
        return (!nothing).then_some(report);
    }
    let checked = lint::check(given.source, given.settings);
    let nothing = checked.findings.is_empty() && checked.sites.is_empty() && checked.ignores.is_empty();
    let settings = || Arc::clone(given.settings);
    let report = || FileReport {
        path: given.path.into(),
        source: given.source.to_vec(),
        settings: settings(),
        checked,
        wires: None,
    };
    (!nothing).then(report)
}

/// Prints and writes every report that is asked for; whether all could be written.
fn print(args: &CheckArgs, run: &Run<'_>) -> bool {
    let format = args.format.unwrap_or_else(output::default_format);
    let style = if args.output.is_some() { terminal::plain_style() } else { terminal::style(false) };
    let mut text = if args.statistics { output::statistics(format, run) } else { output::render(format, run, style) };
    if output::takes_summary(format) && run.summary.files > 0 && !args.common.quiet {
        text.push_str(&human::summary(&run.summary));
        text.push('\n');
    }
    let mut written = true;
    if let Some(path) = &args.output {
        written = output::write(path, &text);
    } else {
        terminal::print(text);
    }
    for (format, path) in &args.reports {
        written &= output::write(path, &output::render(*format, run, terminal::plain_style()));
    }
    if format == Format::Github {
        written &= output::add_to_step_summary(run);
    }
    written
}
