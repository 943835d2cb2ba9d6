//! `cachelane check`

use crate::lint::{self, FileReport};
use crate::report::{self, Summary, human, json};

use super::args::{CheckArgs, Format};
use super::{Outcome, run, terminal};

pub(super) fn run(args: &CheckArgs) -> Outcome {
    let settings = args.common.settings();
    let ran = run::over(&args.common.paths, |path, source| {
        let checked = lint::check(source, &settings);
        if checked.findings.is_empty() && checked.locks.is_empty() {
            return None;
        }
        let source = if checked.findings.is_empty() { Vec::new() } else { source.to_vec() };
        Some(FileReport { path: path.to_path_buf(), source, checked })
    });
    let mut reports = ran.results;
    lint::relate(&mut reports, |report| report::path(&report.path));
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
    match (ran.trouble, summary.fails()) {
        (true, _) => Outcome::Trouble,
        (false, true) => Outcome::Findings,
        (false, false) => Outcome::Clean,
    }
}
