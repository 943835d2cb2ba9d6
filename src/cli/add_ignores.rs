//! `cachelane check --add-ignores`

use crate::budget;
use crate::finding::{Finding, RuleId};
use crate::lint::{self, FileReport};
use crate::report;
use crate::text::count;
use crate::workspace::file;

use super::args::CheckArgs;
use super::outcome::{CommandResult, Error, Outcome};
use super::terminal;

/// Suppresses the findings in `reports` that fail the gate, by comments in the files.
pub fn run(args: &CheckArgs, reports: &[FileReport], mut failed: bool) -> CommandResult {
    let Some(least) = args.gate.least_failing() else {
        let why = "with `--fail-on never` nothing fails the gate: there is nothing to suppress";
        return Err(Error::Input(why.into()));
    };
    let roots = args.common.roots();
    let stdin = args.common.stdin();
    let (mut suppressed, mut files, mut unused_left, mut bare_left) = (0, 0, false, false);
    for report in reports {
        let name = report::path(&report.path);
        let is_stdin = stdin.as_ref() == Some(&report.path);
        let failing = report.checked.findings.iter();
        let failing = failing.filter(|finding| finding.severity >= least);
        let (unused, open): (Vec<&Finding>, Vec<_>) =
            failing.partition(|finding| finding.rule == RuleId::UnusedIgnore);
        unused_left |= !unused.is_empty();
        let withheld = report.checked.keeps_out_comments();
        if let Some(why) = withheld.filter(|_| !open.is_empty()) {
            bare_left = true;
            let open = count(open.len(), "finding");
            terminal::print_note(&format!("{name}: {open} left: {why}"));
        }
        let added = budget::within(report.source.len(), || lint::add_ignores(report, least))
            .unwrap_or_else(|spent| Err(spent.to_string()));
        let written = added.and_then(|added| {
            for lint::Dropped { line, rule, reason } in &added.dropped {
                terminal::print_note(&format!("{name}:{line}: {rule} is left: {reason}"));
            }
            bare_left |= !added.dropped.is_empty();
            if is_stdin {
                terminal::print(&added.bytes);
            } else if !added.made.is_empty() {
                file::replace(&report.path, &report.source, &added.bytes, &roots)
                    .map_err(|error| error.to_string())?;
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
