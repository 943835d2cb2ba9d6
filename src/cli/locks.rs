//! `cachelane locks`

use std::collections::HashSet;

use crate::budget;
use crate::lint::FileReport;
use crate::lint::matching::{LockMap, map_locks};
use crate::project::input;
use crate::report;
use crate::report::RunError;
use crate::report::locks::{Extent, MapFormat, render};

use super::args::LocksArgs;
use super::outcome::{CommandResult, Outcome};
use super::run::Run;
use super::terminal;

pub fn run(args: &LocksArgs) -> CommandResult {
    let run = Run::reading(&args.common)?;
    let mut checked = run.over(input::check);
    let unread = run.add_context(&mut checked);
    run.relate(&mut checked.results, checked.whole);
    warn_of(&unread);
    let named = checked.results.iter().filter(|report| !report.is_context);
    let named: HashSet<String> = named.map(|report| report::path(&report.path)).collect();
    let map = run.map_locks(&checked.results).only(|lock| {
        let builds = lock.builds.iter().map(|build| &build.path);
        let mut places = lock.runs.iter().map(|run| &run.path).chain(builds);
        places.any(|path| named.contains(path))
    });
    let extent = Extent {
        width: terminal::width(),
        all: args.verbose,
        quiet: args.common.quiet,
    };
    let text = render(&map, args.format, checked.files, extent);
    if args.format == MapFormat::Table {
        terminal::print_text(&text);
    } else {
        terminal::print(text);
    }
    let failed = !run.configs.errors().is_empty();
    Ok(Outcome::new(failed, false).into())
}

/// Says that a part of the repository, which was not named, could not be read: builds may be missing from the map.
fn warn_of(unread: &[RunError]) {
    let Some((first, others)) = unread.split_first() else {
        return;
    };
    let more = match others.len() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    terminal::warn(&format!(
        "not all of the repository around the named paths was read, so builds may be missing: {first}{more}"
    ));
}

impl Run<'_> {
    /// Returns the map of the locks of `reports`; an empty one, with an error, where that is too much to compare.
    pub fn map_locks(&self, reports: &[FileReport]) -> LockMap {
        let size = reports.iter().map(|report| report.source.len()).sum();
        let map = self.with_access(|access| budget::within(size, || map_locks(reports, access)));
        map.unwrap_or_else(|spent| {
            self.configs.warn(RunError::of_run(format!(
                "the map of locks is left out: {spent}"
            )));
            LockMap::default()
        })
    }
}
