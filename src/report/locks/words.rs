//! The words for locks, RUNs and builds, in all formats.

use std::collections::{BTreeSet, HashSet};

use crate::lint::matching::{Follows, MappedBuild, MappedLock, MappedRun, TakingRun, Within};
use crate::text::count;

/// Limits the lanes that are named.
const MAX_LANES: usize = 3;

/// Limits the sets of runs whose sizes are named.
const MAX_SETS: usize = 3;

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
    let said = between(lock);
    match within(lock).filter(|_| lock.follows != Follows::Wait) {
        Some(Within::Platforms) => format!("{said}; the platforms of a build wait for each other"),
        Some(Within::Stages) => format!("{said}; the stages of a build wait for each other"),
        None => said,
    }
}

/// Returns what waits within one build.
pub(super) fn within(lock: &MappedLock) -> Option<Within> {
    let runs = lock.builds.iter().flat_map(|build| &build.runs);
    runs.filter_map(|run| run.within).min()
}

/// Returns what happens between the builds of a lock.
fn between(lock: &MappedLock) -> String {
    let runs = || lock.builds.iter().flat_map(|build| &build.runs);
    match lock.follows {
        Follows::Wait => waits(lock),
        Follows::OfCallers if lock.has_lane => "two builds of one lane wait".to_owned(),
        Follows::OfCallers => "two builds at once wait".to_owned(),
        Follows::Unknown => "only a run knows".to_owned(),
        Follows::NoBuild => "no known build".to_owned(),
        Follows::OneCall => "builds of one call take it".to_owned(),
        Follows::OneJob => "one job".to_owned(),
        Follows::InTurn => {
            let jobs = lock.builds.iter().map(|build| (&build.path, &build.job));
            let whose = if jobs.collect::<HashSet<_>>().len() == 1 {
                "legs "
            } else {
                ""
            };
            let lanes = lanes(lock);
            if runs().any(|run| run.builder.is_some()) {
                "one after the other, or a builder each".to_owned()
            } else if lanes.len() > 1 {
                format!("{whose}one after the other in each lane: {}", named(&lanes))
            } else {
                format!("{whose}one after the other")
            }
        }
        Follows::OwnLanes => format!("a lane each: {}", named(&lanes(lock))),
        Follows::OwnBuilders => match runs().find_map(|run| run.builder.as_ref()) {
            Some(why) => format!("a builder each: {why}"),
            None => "a builder each".to_owned(),
        },
    }
}

/// Returns how many of the runs wait, and whether all of them do so at once.
fn waits(lock: &MappedLock) -> String {
    let waiting = |build: &&MappedBuild| build.runs.iter().any(|run| run.waits);
    let jobs = lock.builds.iter().filter(waiting);
    let jobs: HashSet<_> = jobs.map(|build| (&build.path, &build.job)).collect();
    let what = match jobs.len() {
        1 => "leg",
        jobs if jobs == lock.waiting => "job",
        _ => "run",
    };
    match lock.at_once.as_slice() {
        // The legs of a matrix that only a run knows, or two callers of one job.
        _ if lock.waiting == 1 => format!("{what}s wait for each other"),
        [_] => format!("{} wait for each other", count(lock.waiting, what)),
        [sizes @ .., last] if sizes.len() < MAX_SETS => {
            let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
            let sizes = sizes.join(", ");
            format!("{sizes} and {} wait for each other", count(*last, what))
        }
        _ => format!(
            "{} wait for each other, not all at once",
            count(lock.waiting, what)
        ),
    }
}

/// Returns the ids of a lock in its builds, each with its namespace.
fn lanes(lock: &MappedLock) -> BTreeSet<String> {
    let runs = lock.builds.iter().flat_map(|build| &build.runs);
    let lane = |run: &MappedRun| {
        let id = run.id.clone()?;
        Some(match &run.namespace {
            Some(namespace) => format!("{id} in namespace {namespace}"),
            None => id,
        })
    };
    runs.filter_map(lane).collect()
}

/// Returns the first of the lanes.
fn named(lanes: &BTreeSet<String>) -> String {
    let more = if lanes.len() > MAX_LANES { ", …" } else { "" };
    let lanes: Vec<&str> = lanes.iter().map(String::as_str).take(MAX_LANES).collect();
    format!("{}{more}", lanes.join(", "))
}
