//! `cachelane list`

use std::collections::HashSet;

use crate::dockerfile::SyntaxError;
use crate::lint::{self, FileReport, Listed, ListedMount};
use crate::project::input::{self, InputFile};
use crate::report::table::table;
use crate::report::{self, json};
use crate::text::{LineIndex, count};

use super::args::{ListArgs, Plain};
use super::outcome::{CommandResult, Outcome};
use super::run::{Run, Visited};
use super::terminal;

pub fn run(args: &ListArgs) -> CommandResult {
    let common = &args.common;
    let run = Run::reading(common)?;
    let listed = run.over(list);
    let (mut failed, files) = (!run.configs.errors().is_empty(), listed.files);
    let mut all = Listed::default();
    for result in listed.results {
        let found: Vec<Result<Listed, String>> = match result {
            Made::Builds(report) => {
                let name = report::path(&report.path);
                let within = lint::list_inline(&name, &report).into_iter();
                within.map(|made| of(&name, &report.source, made)).collect()
            }
            Made::Mounts(found) => vec![found],
        };
        for one in found {
            match one {
                Ok(found) => {
                    all.mounts.extend(found.mounts);
                    all.refused += found.refused;
                    all.made += found.made;
                }
                Err(message) => {
                    failed = true;
                    terminal::warn(&message);
                }
            }
        }
    }
    match args.format {
        Plain::Json => terminal::print(json::list(&all.mounts)),
        Plain::Human if files > 0 => {
            terminal::print_text(&page(&all, files, common.quiet));
        }
        Plain::Human => {}
    }
    Ok(Outcome::new(failed, false).into())
}

/// The result of one file.
enum Made {
    /// Its mounts, or why it cannot be read.
    Mounts(Result<Listed, String>),
    /// A file that may lead to Dockerfiles.
    Builds(Box<FileReport>),
}

impl Visited for Made {
    fn report(&self) -> Option<&FileReport> {
        match self {
            Self::Builds(report) => Some(report),
            Self::Mounts(_) => None,
        }
    }
}

/// Returns what `list` needs of one file; `None` where that is nothing.
fn list(input: InputFile<'_>) -> Option<Made> {
    if input.format.is_some() {
        return input::check(input).map(Box::new).map(Made::Builds);
    }
    let name = report::path(input.path);
    let made = lint::list(&name, input.source, &input.settings);
    let is_empty =
        |found: &Listed| found.mounts.is_empty() && found.refused == 0 && found.made == 0;
    let is_told = !made.as_ref().is_ok_and(is_empty);
    is_told.then(|| Made::Mounts(of(&name, input.source, made)))
}

/// Returns `made`, or a message on why the file `source`, which is called `name`, cannot be read.
fn of(name: &str, source: &[u8], made: Result<Listed, SyntaxError>) -> Result<Listed, String> {
    made.map_err(|error| {
        let line = LineIndex::new(source).line(error.span.start);
        format!("{name}:{line}: {error}")
    })
}

/// Returns the mounts as a table; `files` is the number of files checked.
fn page(listed: &Listed, files: usize, quiet: bool) -> String {
    let Listed {
        mounts,
        refused,
        made,
    } = listed;
    let all = count(files, "file");
    let hidden = match made {
        0 => String::new(),
        made => format!(
            " Templates make flags of {}: those are not listed.",
            count(*made, "RUN")
        ),
    };
    if mounts.is_empty() {
        let but = match (refused, made) {
            (0, 0) => "",
            (0, _) => " that shows",
            _ => " that BuildKit accepts",
        };
        return format!("{all}, no cache mount{but}.{hidden}\n");
    }
    let head = [
        "PLACE", "STAGE", "ID", "TARGET", "SHARING", "BASE", "ISOLATED",
    ];
    let text = table(head, mounts.iter().map(row), terminal::width());
    if quiet {
        return text;
    }
    let with: HashSet<&str> = mounts.iter().map(|mount| mount.path.as_str()).collect();
    let all = if with.len() < files {
        format!("{} of {all}", with.len())
    } else {
        all
    };
    let mounts = || mounts.iter();
    let isolated = mounts().filter(|mount| mount.isolated).count();
    let locked = mounts().filter(|mount| mount.sharing == "locked").count();
    let caches = count(mounts().len(), "cache mount");
    let their = if isolated == 1 { "its" } else { "their" };
    format!(
        "{text}\n{caches} in {all}: {locked} locked, {isolated} with a lane of {their} own.{hidden}\n"
    )
}

fn row(mount: &ListedMount) -> [String; 7] {
    let base = [
        ("from", &mount.from),
        ("uid", &mount.uid),
        ("gid", &mount.gid),
        ("mode", &mount.mode),
    ];
    let base = base.iter().filter_map(|(name, value)| {
        let value = value.as_ref()?;
        Some(format!("{name}={value}"))
    });
    let base = base.collect::<Vec<_>>().join(" ");
    let id = mount.id.clone();
    [
        format!("{}:{}", mount.path, mount.line),
        mount.stage.clone().unwrap_or("-".into()),
        id.unwrap_or_else(|| format!("({})", mount.effective_id)),
        mount.target.clone(),
        mount.sharing.clone(),
        if base.is_empty() { "-".into() } else { base },
        if mount.isolated { "yes" } else { "no" }.into(),
    ]
}
