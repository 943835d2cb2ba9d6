//! `cachelane check`

use std::collections::BTreeSet;

use crate::finding::{RuleId, Severity};
use crate::lint::FileReport;
use crate::lint::matching::LockMap;
use crate::report::notes::printed;
use crate::report::{Format, Note, Run as Reported, RunError, Summary, github, human};
use crate::text::inert;

use super::args::{CheckArgs, FixSettings, STDIN};
use super::notes::note_templates;
use super::outcome::{CommandResult, Error, Outcome};
use super::run::{Run, Texts};
use super::since::Since;
use super::{add_ignores, output, terminal};

pub fn run(args: &CheckArgs) -> CommandResult {
    let common = &args.common;
    let texts = if args.embedded {
        Texts::All
    } else {
        Texts::None
    };
    let fixes = FixSettings {
        include_generated: args.ignores.include_generated,
        ..FixSettings::default()
    };
    let run = Run::new(common, &args.gate.select, fixes, texts);
    check_args(args)?;
    // A report that is not written may leave an old one in place, so it is written of a run that fails, too; not
    // where what was typed does not go together.
    let failed = |error: Error| {
        let is_typed = matches!(error, Error::Input(_));
        if !args.ignores.add_ignores && !is_typed {
            let (summary, map) = (Summary::default(), LockMap::default());
            print(args, &mut [], summary, &map, &error.run_errors(), &[]);
        }
        error
    };
    let run = run.map_err(failed)?;
    output::check_targets(args, &run)?;
    let since = args.diff.as_deref();
    let since = since.map(|revision| Since::new(revision, &run));
    let since = since.transpose().map_err(|error| failed(error.into()))?;
    let (mut checked, _) = run.check();
    if args.gate.is_verbose() {
        note_templates(&checked.results);
    }
    let format = args.format.unwrap_or_else(output::default_format);
    let shows_map = format == Format::Github && output::step_summary().is_some();
    let (mut map, mut changed) = (LockMap::default(), BTreeSet::new());
    if shows_map {
        map = run.map_locks(&checked.results);
    }
    if let Some(mut since) = since {
        if shows_map {
            let found = since.changed(&checked.results);
            changed = found.map_err(|error| failed(error.into()))?;
        }
        let kept = since.keep(&mut checked);
        kept.map_err(|error| failed(error.into()))?;
    }
    checked.results.retain(|report| !report.is_context);
    let (mut reports, errors) = (checked.results, run.configs.errors());
    let map = github::touched(&reports, &changed, &map);
    if args.ignores.add_ignores {
        return add_ignores::run(args, &reports, !errors.is_empty());
    }
    let summary = Summary::new(&reports, checked.files);
    // What nobody has passed before is nothing new.
    let notes = run.notes(&reports, checked.whole && args.diff.is_none());
    let written = print(args, &mut reports, summary, &map, &errors, &notes);
    let has_failed = !written || !errors.is_empty();
    Ok(Outcome::new(has_failed, summary.fails(args.gate.least_failing())).into())
}

/// Fails for combinations of options that clap cannot check.
fn check_args(args: &CheckArgs) -> Result<(), Error> {
    let format = args.format.unwrap_or(Format::Human);
    if !args.statistics || matches!(format, Format::Human | Format::Json) {
        return Ok(());
    }
    let why = "--statistics is printed for people, or with `--format json`; `--report` adds other formats";
    Err(Error::Input(why.into()))
}

/// Writes and prints every requested report; returns whether all could be written. Findings that are not to be shown are
/// taken out of `reports` in between.
fn print(
    args: &CheckArgs,
    reports: &mut [FileReport],
    summary: Summary,
    map: &LockMap,
    errors: &[RunError],
    notes: &[Note],
) -> bool {
    let format = args.format.unwrap_or_else(output::default_format);
    // Who counts, or looks for locks in other text, asks for infos.
    let default = if args.statistics || args.embedded {
        Severity::Info
    } else {
        format.least()
    };
    let least = args.gate.least_shown(args.common.quiet, default);
    let parts = Reported {
        reports: &[],
        summary,
        rules: RuleId::ALL,
        errors,
        notes,
    };
    let run = Reported { reports, ..parts };
    let mut written = true;
    for (format, path) in &args.reports {
        let style = terminal::plain_style();
        written &= output::write(path, |to| format.write(&run, style, to));
    }
    if format == Format::Github {
        written &= output::add_to_step_summary(&run, map);
    }
    for report in &mut *reports {
        let findings = &mut report.checked.findings;
        findings.retain(|finding| least.is_some_and(|least| finding.severity >= least));
    }
    let run = Reported { reports, ..parts };
    let output = args.output.as_ref();
    let output = output.filter(|path| path.as_os_str() != STDIN);
    let style = if output.is_some() {
        terminal::plain_style()
    } else {
        terminal::style(false)
    };
    if let Some(path) = output.filter(|_| format == Format::Sarif) {
        return written & output::write(path, |to| format.write(&run, style, to));
    }
    let mut text = match format {
        _ if args.statistics => output::statistics(format, &run),
        _ => format.render(&run, style),
    };
    if format.takes_summary(output.is_some()) && summary.files > 0 && !args.common.quiet {
        let notes = if args.statistics { &[] } else { notes };
        for note in printed(notes, summary.found() > 0) {
            text.push_str(&inert(&format!("{}\n", note.message)));
        }
        text.push_str(&human::summary(&summary, least));
        text.push('\n');
    }
    match output {
        Some(path) => written &= output::write(path, |to| to.write_all(text.as_bytes())),
        None if format == Format::Human => terminal::print_text(&text),
        None => terminal::print(text),
    }
    written
}
