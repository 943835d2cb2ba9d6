//! `cachelane check --add-ignores`

use std::path::PathBuf;

use crate::budget;
use crate::finding::RuleId;
use crate::lint::{self, FileReport};
use crate::report;
use crate::text::count;
use crate::workspace::file;

use super::args::CheckArgs;
use super::run::STDIN;
use super::{Outcome, terminal};

/// Suppresses what fails the gate in `reports`, by comments in the files.
pub(super) fn run(args: &CheckArgs, reports: &[FileReport], trouble: bool) -> Outcome {
    let Some(least) = args.gate.fail_on.least() else {
        terminal::complain("with `--fail-on never` nothing fails, and nothing is to be suppressed");
        return Outcome::Trouble;
    };
    let roots: Vec<PathBuf> = if args.common.paths.is_empty() {
        vec![".".into()]
    } else {
        args.common.paths.clone()
    };
    let (mut suppressed, mut files, mut trouble, mut left, mut bare_left) =
        (0, 0, trouble, false, false);
    let stdin = args
        .common
        .paths
        .iter()
        .any(|path| path.as_os_str() == STDIN);
    for report in reports {
        let (name, checked) = (report::path(&report.path), &report.checked);
        left |= checked
            .findings
            .iter()
            .any(|finding| finding.rule == RuleId::UnusedIgnore && finding.severity >= least);
        let adopt = || {
            if report.wires.is_some() {
                lint::adopt_wires(report, least).map(|(added, bare)| {
                    for lint::Left { line, rule } in &bare {
                        terminal::note(&format!(
                            "{name}:{line}: {rule} is left: no comment can stand above it"
                        ));
                    }
                    bare_left |= !bare.is_empty();
                    added
                })
            } else {
                lint::adopt(&report.source, &checked.findings, &report.settings, least)
            }
        };
        let added = budget::within(report.source.len(), adopt)
            .unwrap_or_else(|spent| Err(spent.to_string()));
        let written = added.and_then(|added| {
            let Some(added) = added else { return Ok(0) };
            if stdin {
                terminal::print(&added.bytes);
            } else {
                let write = file::replace(&report.path, &report.source, &added.bytes, &roots);
                write.map_err(|error| error.to_string())?;
            }
            Ok(added.suppressed)
        });
        match written {
            Ok(0) => {}
            Ok(here) => {
                suppressed += here;
                files += 1;
                terminal::note(&format!("{name}: {} suppressed", count(here, "finding")));
            }
            Err(why) => {
                trouble = true;
                terminal::complain(&format!("{name}: no suppression was added: {why}"));
            }
        }
    }
    terminal::note(&format!(
        "{} suppressed in {}.",
        count(suppressed, "finding"),
        count(files, "file")
    ));
    if left {
        terminal::note("What `unused-ignore` finds is left: `cachelane fix` removes it.");
    }
    match (trouble, left || bare_left) {
        (true, _) => Outcome::Trouble,
        (false, true) => Outcome::Findings,
        (false, false) => Outcome::Clean,
    }
}
