//! The runs that take one lock: which wait for each other, and what waits within one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::contenders::Contenders;
use super::super::waits::{Key, Taken};
use super::model::{MappedBuild, Within};
use crate::rules::caches::Cache;
use crate::rules::locks::Locks;

/// The runs that take each lock, by their numbers.
pub(super) type Takers = BTreeMap<Key, Vec<usize>>;

/// What comes of two runs that take one lock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Waits,
    /// One call makes both.
    OneCall,
    InTurn,
    /// They are on two machines or builders.
    Elsewhere,
}

#[derive(Default)]
pub(super) struct Ends {
    /// What comes of runs, by the lock and their numbers.
    pub(super) of: BTreeMap<(Key, usize), BTreeSet<End>>,
    /// The runs that wait for each other.
    pub(super) meets: BTreeMap<Key, Vec<(usize, usize)>>,
}

/// Returns what comes of runs that take one lock. Of those of one job nothing is said: a step may start several at once.
pub(super) fn ends(
    takers: &Takers,
    contenders: &Contenders<'_>,
    is_call: &dyn Fn(usize) -> bool,
) -> Ends {
    let mut ends = Ends::default();
    for (key, numbers) in takers {
        for (at, &own) in numbers.iter().enumerate() {
            for &other in numbers[at + 1..].iter().filter(|other| **other != own) {
                let (a, b) = (&contenders.all[own], &contenders.all[other]);
                let end = if contenders.overlap(a, b).is_some() {
                    let meets = ends.meets.entry(key.clone()).or_default();
                    meets.push((own, other));
                    End::Waits
                } else if Contenders::are_elsewhere(a, b) {
                    End::Elsewhere
                } else if !a.is_one_run(b) {
                    End::InTurn
                } else if is_call(a.one) && is_call(b.one) {
                    End::OneCall
                } else {
                    continue;
                };
                for number in [own, other] {
                    let known = ends.of.entry((key.clone(), number)).or_default();
                    known.insert(end);
                }
            }
        }
    }
    ends
}

/// Returns the number of runs that wait: the steps of a job follow one another.
pub(super) fn waiting(builds: &[MappedBuild]) -> usize {
    let runs = builds.iter().flat_map(|build| {
        let waiting = build.runs.iter().filter(|run| run.waits);
        waiting.map(move |run| (&build.path, &build.job, &run.leg))
    });
    runs.collect::<BTreeSet<_>>().len()
}

/// A run: the path of its file, its job and its leg.
type RunName = (String, Option<String>, String);

/// Returns the sizes of the sets of runs in which each waits for all others, the largest first; none where some wait for a part
/// of such a set only.
pub(super) fn sets(
    meets: &BTreeSet<(usize, usize)>,
    names: &HashMap<usize, RunName>,
) -> Vec<usize> {
    let mut near: BTreeMap<&RunName, BTreeSet<&RunName>> = BTreeMap::new();
    for (a, b) in meets {
        if let (Some(a), Some(b)) = (names.get(a), names.get(b)) {
            near.entry(a).or_default().extend([a, b]);
            near.entry(b).or_default().extend([a, b]);
        }
    }
    let mut sets: BTreeMap<&BTreeSet<&RunName>, usize> = BTreeMap::new();
    for set in near.values() {
        *sets.entry(set).or_default() += 1;
    }
    if sets.iter().any(|(set, runs)| set.len() != *runs) {
        return Vec::new();
    }
    let mut sizes: Vec<usize> = sets.into_values().collect();
    sizes.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
    sizes
}

/// Returns which parts of one build wait for each other at the lock `key`, where it takes all of `taken`, which has a cache once
/// for each platform. `known` has what was found of RUNs before.
pub(super) fn within(
    locks: &Locks<'_>,
    taken: &[Taken<'_>],
    key: &Key,
    known: &mut HashMap<Vec<usize>, Option<Within>>,
) -> Option<Within> {
    let same = taken.iter().filter(|taken| taken.key == *key);
    let caches: Vec<&Cache<'_>> = same.map(|taken| taken.cache).collect();
    let mut runs: Vec<usize> = caches.iter().map(|cache| cache.number).collect();
    runs.sort_unstable();
    let find = || {
        let is_again = |(at, cache): (usize, &&Cache<'_>)| {
            caches[..at]
                .iter()
                .any(|other| other.number == cache.number)
                && !locks.runs_once(cache)
        };
        if caches.iter().enumerate().any(is_again) {
            Some(Within::Platforms)
        } else {
            locks.run_side_by_side(&caches).then_some(Within::Stages)
        }
    };
    *known.entry(runs).or_insert_with(find)
}
