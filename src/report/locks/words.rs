//! The words for locks, RUNs and builds, in all formats.

use std::collections::{BTreeSet, HashSet};

use crate::lint::matching::{Follows, MappedBuild, MappedLock, MappedRun, TakingRun};
use crate::text::count;

/// Limits the lanes that are named.
const MAX_LANES: usize = 3;

/// Returns the cells of the row of a lock, line by line, with at most `most` places and builds.
pub fn cells(lock: &MappedLock, most: usize) -> [Vec<String>; 4] {
    let builds = lock.builds.iter();
    let builds = builds.map(|one| build(one, most == usize::MAX));
    let is_built = !lock.builds.is_empty();
    [
        vec![name(lock)],
        cut(lock.runs.iter().map(run), most),
        if is_built {
            cut(builds, most)
        } else {
            vec!["-".to_owned()]
        },
        vec![consequence(lock)],
    ]
}

/// Returns the first `most` of `lines`, and how many more there are.
pub(super) fn cut(lines: impl ExactSizeIterator<Item = String>, most: usize) -> Vec<String> {
    let all = lines.len();
    let mut shown: Vec<String> = lines.take(most).collect();
    if all > most {
        shown.push(format!("… and {} more", all - most));
    }
    shown
}

/// Returns the id of a lock, with what else tells it from others.
pub(super) fn name(lock: &MappedLock) -> String {
    let mut name = lock.ids.join(" = ");
    if !lock.base.is_empty() {
        name.push_str(&format!(" ({})", lock.base.join(" ")));
    }
    name
}

pub(super) fn run(run: &TakingRun) -> String {
    match &run.stage {
        Some(stage) => format!("{}:{} ({stage})", run.path, run.line),
        None => format!("{}:{}", run.path, run.line),
    }
}

/// Returns a build with the number of its legs, or all of them by name.
pub(super) fn build(build: &MappedBuild, all: bool) -> String {
    let what = build.job.as_ref().unwrap_or(&build.name);
    let place = format!("{}:{} {what}", build.path, build.line);
    match legs(&build.runs, all) {
        Some(legs) => format!("{place}, {legs}"),
        None => place,
    }
}

/// Returns the legs of a matrix that these runs are; `None` without one.
pub(super) fn legs(runs: &[MappedRun], all: bool) -> Option<String> {
    let legs = runs.iter().map(|run| run.leg.as_str());
    let legs: BTreeSet<&str> = legs.filter(|leg| !leg.is_empty()).collect();
    match legs.len() {
        0 => None,
        some if all => {
            let names = legs.into_iter().collect::<Vec<_>>().join("; ");
            Some(format!("{}: {names}", count(some, "leg")))
        }
        some => Some(count(some, "leg")),
    }
}

/// Returns what happens to the builds of a lock, in a few words.
pub(super) fn consequence(lock: &MappedLock) -> String {
    let runs = || lock.builds.iter().flat_map(|build| &build.runs);
    match lock.follows {
        Follows::Wait => {
            let waiting = |build: &&MappedBuild| build.runs.iter().any(|run| run.waits);
            let jobs = lock.builds.iter().filter(waiting);
            let jobs: HashSet<_> = jobs.map(|build| (&build.path, &build.job)).collect();
            let what = match jobs.len() {
                1 => "leg",
                jobs if jobs == lock.waiting => "job",
                _ => "run",
            };
            match lock.waiting {
                // The legs of a matrix that only a run knows, or two callers of one job.
                1 => format!("{what}s wait for each other"),
                some => format!("{} wait for each other", count(some, what)),
            }
        }
        Follows::OfCallers => "two builds at once wait".to_owned(),
        Follows::Unknown => "only a run knows".to_owned(),
        Follows::NoBuild => "no known build".to_owned(),
        Follows::OneCall => "builds of one call take it".to_owned(),
        Follows::InTurn if runs().count() == 1 => "one job".to_owned(),
        Follows::InTurn => "one after the other".to_owned(),
        Follows::OwnLanes => {
            let lane = |run: &MappedRun| {
                let id = run.id.clone()?;
                Some(match &run.namespace {
                    Some(namespace) => format!("{id} in namespace {namespace}"),
                    None => id,
                })
            };
            let lanes: BTreeSet<String> = runs().filter_map(lane).collect();
            let more = if lanes.len() > MAX_LANES { ", …" } else { "" };
            let lanes: Vec<String> = lanes.into_iter().take(MAX_LANES).collect();
            format!("a lane each: {}{more}", lanes.join(", "))
        }
        Follows::OwnBuilders => match runs().find_map(|run| run.builder.as_ref()) {
            Some(why) => format!("a builder each: {why}"),
            None => "a builder each".to_owned(),
        },
    }
}
