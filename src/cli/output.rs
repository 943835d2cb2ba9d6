//! The targets of reports: standard output, files, and GitHub's page of a job.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::NAMES;
use crate::lint::matching::LockMap;
use crate::project::input::format_of;
use crate::project::names::may_be_dockerfile;
use crate::report::{self, Format, Run as Reported, github, statistics};
use crate::workspace::file;

use super::args::{CheckArgs, STDIN};
use super::outcome::Error;
use super::run::Run;
use super::terminal;

pub fn default_format() -> Format {
    if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        Format::Github
    } else {
        Format::Human
    }
}

pub fn statistics(format: Format, run: &Reported<'_>) -> String {
    match format {
        Format::Json => statistics::json(run),
        _ => statistics::render(run, terminal::width()),
    }
}

/// Fails where a target is a file that the run reads, or is named twice.
pub fn check_targets(args: &CheckArgs, run: &Run<'_>) -> Result<(), Error> {
    let output = args.output.iter().filter(|path| path.as_os_str() != STDIN);
    let targets = output.chain(args.reports.iter().map(|(_, path)| path));
    let mut seen = HashSet::new();
    for target in targets {
        let at = run.real(target);
        let mut read = args.common.paths.iter().filter(|path| !path.is_dir());
        if read.any(|path| run.real(path) == at) || is_read(target, run) {
            let why = "this run reads it; the report needs a file of its own";
            return Err(Error::of_file(target, why));
        }
        if !seen.insert(at) {
            let why = "two reports would go into it; each needs a file of its own";
            return Err(Error::of_file(target, why));
        }
    }
    Ok(())
}

/// Returns whether the file at `path` exists and is one that runs read, or would be as a Dockerfile. (A repository can
/// have a file named `--output=…/a.Dockerfile`, which becomes an option where a tool passes names without `--`.)
fn is_read(path: &Path, run: &Run<'_>) -> bool {
    let name = path.file_name().unwrap_or_default();
    if may_be_dockerfile(name.as_encoded_bytes()) {
        return true;
    }
    let is_config = || NAMES.iter().any(|known| name == *known);
    let is_input = || format_of(path).is_some() || is_config();
    path.is_file()
        && (is_input()
            || run
                .configs
                .of(path)
                .is_some_and(|loaded| loaded.includes(path)))
}

/// Writes a report to `path`, as a whole or not at all; returns success, and warns of an error.
pub fn write(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> bool {
    let written = file::put_by(path, write);
    if let Err(error) = &written {
        terminal::warn(&format!("{}: {error}", report::path(path)));
    }
    written.is_ok()
}

/// Returns the file of GitHub's page of the job, if any.
pub fn step_summary() -> Option<PathBuf> {
    let path = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
    path.map(PathBuf::from)
}

/// Adds the locks and a table of the findings to GitHub's page of the job, if any; returns success.
pub fn add_to_step_summary(run: &Reported<'_>, map: &LockMap) -> bool {
    let Some(path) = step_summary() else {
        return true;
    };
    let text = github::step_summary(run, map);
    let added = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut f| f.write_all(text.as_bytes()));
    if let Err(error) = &added {
        let name = report::path(&path);
        terminal::warn(&format!("{name}: cannot add the summary to it: {error}"));
    }
    added.is_ok()
}
