//! `cachelane check --add-ignores`

use std::path::PathBuf;

use crate::budget;
use crate::finding::RuleId;
use crate::lint::{self, FileReport};
use crate::report;
use crate::text::count;
use crate::workspace::file;

use super::args::CheckArgs;
use super::outcome::{CommandResult, Error, Outcome};
use super::terminal;

/// Suppresses the findings in `reports` that fail the gate, by comments in the files.
pub fn run(args: &CheckArgs, reports: &[FileReport], mut failed: bool) -> CommandResult {
    let Some(least) = args.gate.fail_on.least() else {
        let why = "with `--fail-on never` nothing fails, and nothing is to be suppressed";
        return Err(Error::Input(why.into()));
    };
    let roots = args.common.roots();
    let is_stdin = args.common.reads_stdin();
    let (mut suppressed, mut files, mut unused_left, mut bare_left) = (0, 0, false, false);
    for report in reports {
        let name = report::path(&report.path);
        let mut findings = report.checked.findings.iter();
        unused_left |= findings
            .any(|finding| finding.rule == RuleId::UnusedIgnore && finding.severity >= least);
        let added = budget::within(report.source.len(), || lint::add_ignores(report, least))
            .unwrap_or_else(|spent| Err(spent.to_string()));
        let written = added.and_then(|added| {
            for lint::Dropped { line, rule, reason } in &added.dropped {
                terminal::print_note(&format!("{name}:{line}: {rule} is left: {reason}"));
            }
            bare_left |= !added.dropped.is_empty();
            if !added.made.is_empty() {
                write(report, &added.bytes, is_stdin, &roots)?;
            }
            Ok(added.made.len())
        });
        match written {
            Ok(0) => {}
            Ok(here) => {
                suppressed += here;
                files += 1;
                let here = count(here, "finding");
                terminal::print_note(&format!("{name}: {here} suppressed"));
            }
            Err(why) => {
                failed = true;
                terminal::warn(&format!("{name}: no suppression was added: {why}"));
            }
        }
    }
    let (suppressed, files) = (count(suppressed, "finding"), count(files, "file"));
    terminal::print_note(&format!("{suppressed} suppressed in {files}."));
    if unused_left {
        terminal::print_note("What `unused-ignore` finds is left: `cachelane fix` removes it.");
    }
    Ok(Outcome::new(failed, unused_left || bare_left).into())
}

fn write(
    report: &FileReport,
    bytes: &[u8],
    is_stdin: bool,
    roots: &[PathBuf],
) -> Result<(), String> {
    if is_stdin {
        terminal::print(bytes);
        return Ok(());
    }
    let written = file::replace(&report.path, &report.source, bytes, roots);
    written.map_err(|error| error.to_string())
}
