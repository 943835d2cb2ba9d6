//! `cachelane check`

use std::path::Path;
use std::sync::Arc;

use crate::lint::{self, FileReport};
use crate::report::{self, Summary, human, json};
use crate::rules::Settings;

use super::args::{CheckArgs, Format};
use super::{Outcome, run, terminal};

pub(super) fn run(args: &CheckArgs) -> Outcome {
    let settings = Arc::new(args.common.settings());
    let mut ran = run::over(&args.common.paths, |path, source| look(&settings, path, source));
    lint::relate_reports(&mut ran.results, true, report::path);
    let reports = ran.results;
    let summary = Summary::new(&reports, ran.files);
    match args.format {
        Format::Json => terminal::print(json::findings(&reports, summary)),
        Format::Human => {
            let mut text = human::findings(&reports, terminal::style(false), terminal::threads());
            if ran.files > 0 {
                text.push_str(&human::summary(&summary));
                text.push('\n');
            }
            terminal::print(text);
        }
    }
    // The process is about to end: giving every string back one by one is work for nothing.
    std::mem::forget(reports);
    match (ran.trouble, summary.fails()) {
        (true, _) => Outcome::Trouble,
        (false, true) => Outcome::Findings,
        (false, false) => Outcome::Clean,
    }
}

/// What is found in one file by itself; `None` where there is nothing to compare either.
pub(super) fn look(settings: &Arc<Settings>, path: &Path, source: &[u8]) -> Option<FileReport> {
    let checked = lint::check(source, settings);
    let nothing = checked.findings.is_empty() && checked.sites.is_empty();
    (!nothing).then(|| FileReport {
        path: path.to_path_buf(),
        source: source.to_vec(),
        settings: Arc::clone(settings),
        checked,
    })
}
