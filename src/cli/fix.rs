//! `cachelane fix`

use std::path::Path;
use std::sync::Mutex;

use crate::builds::NAMESPACE;
use crate::finding::{RuleId, Severity};
use crate::fix::Applicability;
use crate::lint::{self, FileReport};
use crate::project::fix::{FileFix, Fixing};
use crate::project::input::{self, InputFile};
use crate::report::fixes::{self, FileChanges};
use crate::report::notes::{NoteKind, printed};
use crate::report::{Note, Run as Reported, RunError, Summary, human};
use crate::workspace::file;

use super::args::{FixArgs, FixSettings, Plain, Select, SettingsArgs};
use super::config_resolver::ConfigResolver;
use super::fix_output::{Output, embedded_line, embedded_locks, explain};
use super::notes::note_templates;
use super::outcome::{CommandResult, Error, Outcome};
use super::run::{Run, Texts};
use super::terminal;

pub fn run(args: &FixArgs) -> CommandResult {
    let common = &args.common;
    if args.format == Plain::Json && common.reads_stdin() {
        let why = "`fix -` prints the fixed file: leave `--format json` out, or name the file";
        return Err(Error::Input(why.into()));
    }
    let texts = if common.quiet {
        Texts::None
    } else {
        Texts::Found
    };
    let run = Run::new(common, &args.gate.select, args.fixes, texts)?;
    let roots = common.roots();
    let write = |path: &Path, old: &[u8], new: &[u8]| {
        if args.diff {
            return Ok(());
        }
        file::replace(path, old, new, &roots).map_err(|error| error.to_string())
    };
    let level = if args.r#unsafe {
        Applicability::Unsafe
    } else {
        Applicability::Safe
    };
    let mut before = run.first_pass().over(input::check);
    run.add_context(&mut before);
    let whole = before.whole;
    let fixing =
        run.with_access(|access| Fixing::new(level, &write, before.results, whole, access));
    let embedded: Mutex<Vec<FileReport>> = Mutex::default();
    let fixed = run.over(|input: InputFile<'_>| {
        if input.text && input.format.is_none() {
            let report = lint::check_text(input.path, input.source, &input.settings);
            embedded.lock().ok()?.extend(report);
            return None;
        }
        fixing.file(input)
    });
    let (mut reports, fixes) = fixing.together(fixed.results, |reports| {
        run.relate(reports, whole).is_some()
    });
    if args.gate.is_verbose() {
        note_templates(&reports);
    }
    let summary = Summary::new(&reports, fixed.files);
    let mut output = Output::default();
    for (report, done) in reports.iter_mut().zip(&fixes) {
        output.add(args.diff, report, done);
        explain(report, done, level);
        output.count_left(report, level);
    }
    let errors = run.configs.errors();
    let failed = output.failed || !errors.is_empty();
    let fails = summary.fails(args.gate.least_failing()) || (args.diff && output.changes());
    if args.format == Plain::Json {
        let notes = run.notes(&reports, fixed.whole);
        print_json(args, (&reports, &fixes), summary, &errors, &notes);
        return Ok(Outcome::new(failed, fails).into());
    }
    // Findings that fail the gate are shown, the rest is counted.
    let least = args.gate.least_shown(common.quiet, Severity::Warning);
    for report in &mut reports {
        let findings = &mut report.checked.findings;
        findings.retain(|finding| least.is_some_and(|least| finding.severity >= least));
    }
    let left = human::findings(&reports, terminal::style(true));
    if !output.text.is_empty() && !left.is_empty() {
        output.text.push('\n');
    }
    output.text.push_str(&left);
    let mut embedded = embedded.into_inner().unwrap_or_default();
    // A build has made a Dockerfile of it since.
    embedded.retain(|text| {
        let at = reports.binary_search_by(|report| report.path.cmp(&text.path));
        at.is_err()
    });
    let embedded = embedded_locks(embedded, &reports, &run);
    let notes = run.notes(&reports, fixed.whole);
    if fixed.files > 0 && !common.quiet {
        for note in printed(&notes, output.changes() || summary.found() > 0) {
            output.text.push_str(&format!("{}\n", note.message));
        }
        let all = embedded.is_empty() && notes.is_empty() && !failed;
        let last = output.last_line(args.diff, &summary, least, all);
        output.text.push_str(&last);
    }
    let others = summary.found() + output.fixes.made;
    output.text.push_str(&embedded_line(&embedded, others > 0));
    if !common.quiet {
        hint_at_config(args, &reports, &fixes);
        // The note says it with a number.
        let is_noted = notes.iter().any(|note| note.kind == NoteKind::NotNamed);
        if !fixed.whole && !is_noted {
            hint_at_builds(&reports, &fixes);
        }
    }
    terminal::print(&output.bytes);
    // Standard output takes the fixed file or a diff, so messages go to standard error.
    if args.diff || common.reads_stdin() {
        terminal::warn_text(&output.text);
    } else {
        terminal::print_text(&output.text);
    }
    Ok(Outcome::new(failed, fails).into())
}

/// Prints what was changed, and what is left, as a document.
fn print_json(
    args: &FixArgs,
    (reports, fixes): (&[FileReport], &[FileFix]),
    summary: Summary,
    errors: &[RunError],
    notes: &[Note],
) {
    let left = Reported {
        reports,
        summary,
        rules: RuleId::ALL,
        errors,
        notes,
    };
    let changes = fixes.iter().map(|done| FileChanges {
        fixed: &done.fixed,
        is_lost: done.unwritten.is_some(),
    });
    let changes: Vec<FileChanges<'_>> = changes.collect();
    terminal::print(fixes::json(&left, &changes, !args.diff));
}

/// Notes what was typed that later checks have to know from the configuration, where something was fixed with it.
fn hint_at_config(args: &FixArgs, reports: &[FileReport], fixes: &[FileFix]) {
    let typed = &args.common.settings;
    let mut made = fixes.iter().flat_map(|done| &done.fixed.made);
    let has_namespace = made.any(|made| made.passes.as_deref() == Some(NAMESPACE));
    let mut fixed = reports.iter().zip(fixes);
    let fixed = fixed.find(|(_, done)| !done.fixed.made.is_empty());
    let is_asked = !args.diff && (typed.arg.is_some() || has_namespace);
    let Some((report, _)) = fixed.filter(|_| is_asked) else {
        return;
    };
    let plain = SettingsArgs {
        config: typed.config.clone(),
        no_config: typed.no_config,
        ..SettingsArgs::default()
    };
    let configs = ConfigResolver::new(&plain, &Select::default(), FixSettings::default());
    let Ok(configured) = configs.and_then(|configs| configs.at(&report.path)) else {
        return;
    };
    let configured = configured.settings(&report.path);
    if let Some(arg) = typed.arg.as_ref().filter(|arg| configured.arg != **arg) {
        terminal::print_note(&format!(
            "Put `arg = \"{arg}\"` into cachelane.toml: a check without `--arg` knows no `{arg}`."
        ));
    }
    if has_namespace {
        terminal::print_note(
            "A namespace gives each lane caches of its own, so each lane starts cold once. A step whose cache mount has no id and no \
             lock is run anew in each lane, with all steps after it.",
        );
        if !configured.namespace {
            terminal::print_note(
                "Put `namespace = true` into cachelane.toml: a check without it asks the Dockerfiles for lanes.",
            );
        }
    }
}

/// Notes that only named files were changed, where Dockerfiles got lanes that builds have to pass.
fn hint_at_builds(reports: &[FileReport], fixes: &[FileFix]) {
    let is_declared = |(report, done): (&FileReport, &FileFix)| {
        let mut made = done.fixed.made.iter();
        let has_lane =
            made.any(|made| matches!(made.rule, RuleId::SharedLock | RuleId::UndeclaredArg));
        !done.is_stdin && report.builds.is_none() && has_lane
    };
    if reports.iter().zip(fixes).any(is_declared) {
        terminal::print_note(
            "Only what you named was changed: `cachelane fix` at the repository's root passes the lane in all builds of these \
             files.",
        );
    }
}
