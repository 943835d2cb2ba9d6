//! `cachelane check`

use std::path::Path;
use std::sync::Arc;

use crate::budget::{self, Spent};
use crate::finding::RuleId;
use crate::lint::{self, FileReport};
use crate::report::{Run, Summary, Trouble, human};

use super::args::{CheckArgs, Format};
use super::output;
use super::run::{self, Given, STDIN, Texts};
use super::settled::Settled;
use super::since::Since;
use super::world::World;
use super::{Outcome, adopt, terminal};

pub(super) fn run(args: &CheckArgs) -> Outcome {
    terminal::set_color(args.common.color);
    if let Err(problem) = refused(args) {
        terminal::complain(&problem);
        return Outcome::Trouble;
    }
    let overrides = args
        .common
        .settings
        .overrides(Some(&args.gate.select), false);
    let settled = match Settled::try_new(&args.common.settings, overrides) {
        Ok(settled) => settled,
        Err(troubles) => return give_up(args, &troubles),
    };
    if let Err(problem) = output::check_targets(args, &settled) {
        terminal::complain(&problem);
        return Outcome::Trouble;
    }
    let since = args
        .diff
        .as_deref()
        .map(|revision| Since::new(revision, &args.common, settled.here()))
        .transpose();
    let since = match since {
        Ok(since) => since,
        Err(problem) => return give_up(args, &[said(problem)]),
    };
    let texts = if args.embedded {
        Texts::All
    } else {
        Texts::None
    };
    let mut ran = run::over_all(&args.common, &settled, texts, look);
    let is_text = |path: &Path, source: &[u8]| {
        let loaded = settled.of(path);
        run::is_text(texts, &args.common, path, loaded.as_deref(), source)
    };
    let world = World::new(&settled, &args.common);
    let (mut reports, mut trouble) = (ran.results, ran.trouble);
    let related = world.relate(&mut reports, ran.whole);
    ran.troubles.extend(related.err());
    ran.troubles.extend(world.unread());
    if let Some(mut since) = since {
        let relate =
            |old: &mut [FileReport]| ran.troubles.extend(world.relate(old, ran.whole).err());
        if let Err(problem) = since.keep(&mut reports, is_text, relate) {
            return give_up(args, &[said(problem)]);
        }
    }
    trouble |= !ran.troubles.is_empty();
    if args.add_ignores {
        return adopt::run(args, &reports, trouble);
    }
    let summary = Summary::new(&reports, ran.files);
    trouble |= !print(
        args,
        &Run {
            reports: &reports,
            summary,
            rules: RuleId::ALL,
            troubles: &ran.troubles,
        },
    );
    match (trouble, summary.fails(args.gate.fail_on.least())) {
        (true, _) => Outcome::Trouble,
        (false, true) => Outcome::Findings,
        (false, false) => Outcome::Clean,
    }
}

/// Options that do not go together, where clap cannot tell.
fn refused(args: &CheckArgs) -> Result<(), String> {
    args.common.check()?;
    args.gate.select.check()?;
    let format = args.format.unwrap_or(Format::Human);
    if args.statistics && !matches!(format, Format::Human | Format::Json) {
        return Err("--statistics is printed for people, or with `--format json`; `--report` adds other formats".into());
    }
    Ok(())
}

/// A problem that stops the run, said.
fn said(problem: String) -> Trouble {
    terminal::complain(&problem);
    Trouble::of_run(problem)
}

/// Ends a run that could not begin. Its reports say so: one that is not written may leave an old one in place.
fn give_up(args: &CheckArgs, troubles: &[Trouble]) -> Outcome {
    if !args.add_ignores {
        print(
            args,
            &Run {
                reports: &[],
                summary: Summary::default(),
                rules: RuleId::ALL,
                troubles,
            },
        );
    }
    Outcome::Trouble
}

/// What is found in one file by itself; `None` where there is nothing to compare either.
pub(super) fn look(given: Given<'_>) -> Option<FileReport> {
    if let Some(kind) = given.kind {
        let mut report = lint::check_wiring(given.path, kind, given.source, given.settings);
        if let Some(wires) = report.wires.as_mut().filter(|_| given.text) {
            report.checked.findings.append(&mut wires.loose);
        }
        let nothing = report
            .wires
            .as_ref()
            .is_none_or(|wires| wires.wiring.is_empty())
            && report.checked.ignores.is_empty()
            && report.checked.findings.is_empty()
            && report.checked.sites.is_empty();
        return (!nothing).then_some(report);
    }
    if given.text {
        return lint::check_text(given.path, given.source, given.settings);
    }
    let checked = lint::check(given.source, given.settings);
    let nothing =
        checked.findings.is_empty() && checked.sites.is_empty() && checked.ignores.is_empty();
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

/// Does the same beside the run.
///
/// # Errors
/// Where the file is more than cachelane reads.
pub(super) fn look_aside(given: Given<'_>) -> Result<Option<FileReport>, Spent> {
    budget::within(given.source.len(), || look(given))
}

/// Prints and writes every report that is asked for; whether all could be written.
fn print(args: &CheckArgs, run: &Run<'_>) -> bool {
    let format = args.format.unwrap_or_else(output::default_format);
    let output = args
        .output
        .as_ref()
        .filter(|path| path.as_os_str() != STDIN);
    let style = if output.is_some() {
        terminal::plain_style()
    } else {
        terminal::style(false)
    };
    let mut text = match format {
        _ if args.statistics => output::statistics(format, run),
        _ => output::render(format, run, style),
    };
    if output::takes_summary(format, output.is_some())
        && run.summary.files > 0
        && !args.common.quiet
    {
        text.push_str(&human::summary(&run.summary));
        text.push('\n');
    }
    let mut written = true;
    if let Some(path) = output {
        written = output::write(path, &text);
    } else if format == Format::Human {
        terminal::tell(&text);
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
