//! Where reports go: standard output, files, and what GitHub shows beside a job.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::report::{self, Run, checkstyle, concise, github, gitlab, human, json, junit, sarif, statistics};
use crate::workspace::file;

use super::args::Format;
use super::terminal;

/// The format where none is asked for.
pub(super) fn default_format() -> Format {
    if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") { Format::Github } else { Format::Human }
}

/// The findings of `run` in `format`, for a terminal or a file.
pub(super) fn render(format: Format, run: &Run<'_>, style: human::Style) -> String {
    match format {
        Format::Human => human::findings(run.reports, style, terminal::threads()),
        Format::Concise => concise::render(run),
        Format::Json => json::findings(run.reports, &run.summary),
        Format::Sarif => sarif::render(run),
        Format::Github => github::render(run),
        Format::Gitlab => gitlab::render(run),
        Format::Junit => junit::render(run),
        Format::Checkstyle => checkstyle::render(run),
    }
}

/// How many findings each rule has.
pub(super) fn statistics(format: Format, run: &Run<'_>) -> String {
    match format {
        Format::Json => statistics::json(run),
        _ => statistics::render(run),
    }
}

/// Whether a line for people may follow the report.
pub(super) fn takes_summary(format: Format) -> bool {
    matches!(format, Format::Human | Format::Concise)
}

/// Writes a report to `path`, as a whole or not at all; whether that went well. What went wrong is said.
pub(super) fn write(path: &Path, text: &str) -> bool {
    let written = file::put(path, text.as_bytes());
    if let Err(error) = &written {
        terminal::complain(&format!("{}: {error}", report::path(path)));
    }
    written.is_ok()
}

/// Adds a table of the findings to the page that GitHub shows for the job, where there is one.
pub(super) fn add_to_step_summary(run: &Run<'_>) -> bool {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return true };
    let path = PathBuf::from(path);
    let text = github::step_summary(run);
    let added = OpenOptions::new().append(true).create(true).open(&path).and_then(|mut f| f.write_all(text.as_bytes()));
    if let Err(error) = &added {
        terminal::complain(&format!("{}: cannot add the summary to it: {error}", report::path(&path)));
    }
    added.is_ok()
}
