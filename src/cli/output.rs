//! Where reports go: standard output, files, and what GitHub shows beside a job.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::lint::FileReport;
use crate::report::{self, Summary, human, json};
use crate::workspace::file;

use super::args::Format;
use super::terminal;

/// The format where none is asked for.
pub(super) fn default_format() -> Format {
    if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") { Format::Github } else { Format::Human }
}

/// The findings of `reports` in `format`, for a terminal or a file.
pub(super) fn render(format: Format, reports: &[FileReport], summary: &Summary, style: human::Style) -> String {
    match format {
        Format::Human => human::findings(reports, style, terminal::threads()),
        Format::Json => json::findings(reports, summary),
        _ => String::new(),
    }
}

/// How many findings each rule has.
pub(super) fn statistics(format: Format, reports: &[FileReport]) -> String {
    match format {
        Format::Json => json::findings(reports, &Summary::new(reports, 0)),
        _ => json::findings(reports, &Summary::new(reports, 0)),
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
pub(super) fn add_to_step_summary(reports: &[FileReport], summary: &Summary) -> bool {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return true };
    let path = PathBuf::from(path);
    let text = json::findings(reports, summary);
    let added = OpenOptions::new().append(true).create(true).open(&path).and_then(|mut f| f.write_all(text.as_bytes()));
    if let Err(error) = &added {
        terminal::complain(&format!("{}: cannot add the summary to it: {error}", report::path(&path)));
    }
    added.is_ok()
}
