//! `cachelane check`

use std::sync::Arc;

use crate::lint::{self, FileReport};
use crate::report::{self, Summary, human};

use super::args::{CheckArgs, Format};
use super::output;
use super::run::{self, Given};
use super::settled::Settled;
use super::since::Since;
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
    trouble |= !print(args, &reports, &summary);
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
    let checked = lint::check(given.source, given.settings);
    let nothing = checked.findings.is_empty() && checked.sites.is_empty() && checked.ignores.is_empty();
    let settings = || Arc::clone(given.settings);
    let report =
        || FileReport { path: given.path.into(), source: given.source.to_vec(), settings: settings(), checked };
    (!nothing).then(report)
}

/// Prints and writes every report that is asked for; whether all could be written.
fn print(args: &CheckArgs, reports: &[FileReport], summary: &Summary) -> bool {
    let format = args.format.unwrap_or_else(output::default_format);
    let style = if args.output.is_some() { terminal::plain_style() } else { terminal::style(false) };
    let mut text = if args.statistics {
        output::statistics(format, reports)
    } else {
        output::render(format, reports, summary, style)
    };
    if output::takes_summary(format) && summary.files > 0 && !args.common.quiet {
        text.push_str(&human::summary(summary));
        text.push('\n');
    }
    let mut written = true;
    if let Some(path) = &args.output {
        written = output::write(path, &text);
    } else {
        terminal::print(text);
    }
    for (format, path) in &args.reports {
        written &= output::write(path, &output::render(*format, reports, summary, terminal::plain_style()));
    }
    if format == Format::Github {
        written &= output::add_to_step_summary(reports, summary);
    }
    written
}
