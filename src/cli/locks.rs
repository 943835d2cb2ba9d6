//! `cachelane locks`

use std::collections::HashSet;
use std::path::Path;

use crate::budget;
use crate::lint::FileReport;
use crate::lint::matching::{LockMap, MappedLock, map_locks};
use crate::project::input;
use crate::report;
use crate::report::RunError;
use crate::report::locks::{Extent, MapFormat, render};

use super::args::{Common, FixSettings, LocksArgs, Select};
use super::outcome::{CommandResult, Outcome};
use super::run::{Run, Texts};
use super::terminal;

pub fn run(args: &LocksArgs) -> CommandResult {
    let run = Run::new(
        &args.common,
        &Select::default(),
        FixSettings::default(),
        Texts::None,
    )?;
    let (checked, _) = run.check();
    let map = match run.whole(checked.whole) {
        Some(whole) => run.map_locks(&whole).only(|lock| is_at(lock, &args.common)),
        None => run.map_locks(&checked.results),
    };
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

/// Returns whether a RUN that takes the lock, or a build that reaches it, stands at or below a named path.
fn is_at(lock: &MappedLock, common: &Common) -> bool {
    let named: Vec<String> = common
        .roots()
        .iter()
        .map(|path| report::path(path))
        .collect();
    let is_named = |path: &String| {
        let mut named = named.iter();
        named.any(|name| {
            if matches!(name.as_str(), "" | ".") {
                return !path.starts_with("../") && Path::new(path).is_relative();
            }
            let rest = path.strip_prefix(name.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let builds = lock.builds.iter().map(|build| &build.path);
    let mut places = lock.runs.iter().map(|run| &run.path).chain(builds);
    places.any(is_named)
}

impl Run<'_> {
    /// Returns the reports on the repositories around the named paths, which say who builds what is there; `None` where
    /// these are all there is.
    fn whole(&self, is_whole: bool) -> Option<Vec<FileReport>> {
        let roots = self.repositories();
        if is_whole || roots.is_empty() || self.common.reads_stdin() {
            return None;
        }
        // What was named is read even where the repository's configuration excludes it.
        let paths = self.common.roots().into_iter().chain(roots).collect();
        let all = self.first_pass();
        let mut reports = all.over_paths(paths, input::check).results;
        // A file may have been found twice: by its path from here, and by that from the root.
        let mut seen = HashSet::new();
        reports.sort_by_key(|report| report.path.is_absolute());
        reports.retain(|report| seen.insert(self.real(&report.path)));
        reports.sort_by(|a, b| a.path.cmp(&b.path));
        all.relate(&mut reports, &mut [], true)?;
        Some(reports)
    }

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
