//! Where reports go: standard output, files, and what GitHub shows beside a job.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::config::NAMES;
use crate::report::{
    self, Run, checkstyle, concise, github, gitlab, human, json, junit, sarif, statistics,
};
use crate::workspace::{discover, file};

use super::args::{CheckArgs, Format};
use super::run::{self, STDIN};
use super::settled::{Settled, absolute};
use super::terminal;

/// The format where none is asked for.
pub(super) fn default_format() -> Format {
    if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        Format::Github
    } else {
        Format::Human
    }
}

/// The findings of `run` in `format`, for a terminal or a file.
pub(super) fn render(format: Format, run: &Run<'_>, style: human::Style) -> String {
    match format {
        Format::Human => human::findings(run.reports, style),
        Format::Concise => concise::render(run),
        Format::Json => json::findings(run),
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

/// Whether a line for people may follow the report, which goes to a file or not.
pub(super) fn takes_summary(format: Format, file: bool) -> bool {
    matches!(format, Format::Human | Format::Concise) || (format == Format::Github && !file)
}

/// Looks whether what is to be written may be: no file that the run reads, and no file twice.
///
/// # Errors
/// What is wrong, for people.
pub(super) fn check_targets(args: &CheckArgs, settled: &Settled) -> Result<(), String> {
    let real = |path: &Path| {
        let path = absolute(settled.here(), path);
        let whole = std::fs::canonicalize(&path);
        let folder = || {
            path.parent()
                .and_then(|folder| std::fs::canonicalize(folder).ok())
        };
        whole.unwrap_or_else(|_| {
            folder()
                .zip(path.file_name())
                .map_or(path.clone(), |(f, name)| f.join(name))
        })
    };
    let output = args.output.iter().filter(|path| path.as_os_str() != STDIN);
    let targets: Vec<&PathBuf> = output
        .chain(args.reports.iter().map(|(_, path)| path))
        .collect();
    let mut seen = HashSet::new();
    for target in targets {
        let (name, at) = (report::path(target), real(target));
        if args
            .common
            .paths
            .iter()
            .any(|path| real(path) == at && !path.is_dir())
            || is_read(target, settled)
        {
            return Err(format!(
                "{name}: this run reads it; the report needs a file of its own"
            ));
        }
        if !seen.insert(at) {
            return Err(format!(
                "{name}: two reports would go into it; each needs a file of its own"
            ));
        }
    }
    Ok(())
}

/// Whether the file at `path` is there and is one that runs read; or would be, as a Dockerfile. (A repository can have a
/// file named `--output=…/a.Dockerfile`, which something that passes names without `--` makes an option of.)
fn is_read(path: &Path, settled: &Settled) -> bool {
    let name = path.file_name().unwrap_or_default();
    if discover::is_dockerfile(name.as_encoded_bytes()) {
        return true;
    }
    let is_config = || NAMES.iter().any(|known| name == *known);
    let is_input = || run::kind(path).is_some() || is_config();
    path.is_file() && (is_input() || settled.of(path).is_some_and(|loaded| loaded.includes(path)))
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
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return true;
    };
    let path = PathBuf::from(path);
    let text = github::step_summary(run);
    let added = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut f| f.write_all(text.as_bytes()));
    if let Err(error) = &added {
        terminal::complain(&format!(
            "{}: cannot add the summary to it: {error}",
            report::path(&path)
        ));
    }
    added.is_ok()
}
