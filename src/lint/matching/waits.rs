//! Finds the runs of builds that take one lock at once, and lanes that part them.

use std::collections::{BTreeMap, HashMap};

use super::contenders::{Apart, Contender, Contenders};
use super::graph::BuildGraph;
use super::passed::passed;
use super::platforms::of_run;
use super::resolved::ResolvedBuild;
use crate::budget;
use crate::builds::{Joint, NAMESPACE, Parts};
use crate::index::Base;
use crate::rules::build_context::Tells;
use crate::rules::caches::Cache;
use crate::rules::locks::{BuiltFor, Locks, Passed};
use crate::text::marks::show_known;

/// A lock, as a builder has it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) id: Vec<u8>,
    base: Base,
    pub(super) namespace: Option<String>,
    /// Podman and buildah have caches of their own.
    by_buildah: bool,
}

/// The runs that take a lock, and its id as one of them has it written.
struct Takers<'g> {
    written: String,
    runs: Vec<Taker<'g>>,
}

#[derive(PartialEq)]
struct Taker<'g> {
    /// The number of the run among the contenders.
    run: usize,
    args: Vec<&'g str>,
}

/// A build that takes a lock, and the arguments by any of which it would have a lane there.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LaneUse<'g> {
    pub(super) one: usize,
    pub(super) args: Vec<&'g str>,
}

/// A lock that a run takes.
pub(super) struct Taken<'g> {
    pub(super) key: Key,
    pub(super) cache: &'g Cache<'g>,
    /// The build arguments that are to part the jobs.
    args: Vec<&'g str>,
}

/// Two runs that take one lock at once.
pub(super) struct Wait {
    /// The run of the build in question, and the other one, by their numbers among the contenders.
    pub(super) own: usize,
    pub(super) other: usize,
    pub(super) apart: Apart,
    /// The id of the lock, for messages.
    pub(super) lock: String,
}

/// A lane that a build is to pass.
pub(super) struct PlannedLane<'g> {
    /// The build argument; may be the namespace.
    pub(super) arg: &'g str,
    pub(super) value: String,
}

/// The locks of all runs.
pub(super) struct Waits<'g> {
    pub(super) graph: &'g BuildGraph<'g>,
    pub(super) resolved: &'g [ResolvedBuild],
    /// The locks of each build's Dockerfile; `None` where it has none.
    pub(super) locks: &'g [Option<Locks<'g>>],
    pub(super) contenders: &'g Contenders<'g>,
    /// Returns whether each run of a build has a builder of its own.
    pub(super) is_alone: &'g dyn Fn(usize) -> bool,
}

impl<'g> Waits<'g> {
    /// Returns the first pair that waits, for each build that has one by its arguments, where the builds pass these
    /// `lanes` besides what they pass today.
    pub(super) fn find(
        &self,
        lanes: &HashMap<usize, PlannedLane<'_>>,
    ) -> BTreeMap<LaneUse<'g>, Wait> {
        let mut takers: BTreeMap<Key, Takers<'g>> = BTreeMap::new();
        for (number, run) in self.contenders.all.iter().enumerate() {
            if run.is_alone || (self.is_alone)(run.one) {
                continue;
            }
            for taken in self.taken(run, lanes.get(&run.one)) {
                let new = || Takers {
                    written: taken.cache.id(),
                    runs: Vec::new(),
                };
                let runs = &mut takers.entry(taken.key).or_insert_with(new).runs;
                // A build may take a lock by several mounts.
                let taker = Taker {
                    run: number,
                    args: taken.args,
                };
                if runs.last() != Some(&taker) {
                    runs.push(taker);
                }
            }
        }
        let mut waits = BTreeMap::new();
        for (key, Takers { written, runs }) in takers {
            for Taker { run: own, args } in &runs {
                let (own, one) = (*own, self.contenders.all[*own].one);
                let args = args.clone();
                let lane = LaneUse { one, args };
                if lane.args.is_empty() || waits.contains_key(&lane) {
                    continue;
                }
                let all = &self.contenders.all;
                let others = runs.iter().map(|taker| taker.run);
                let mut overlapping = others.filter(|other| *other != own).filter_map(|other| {
                    Some((other, self.contenders.overlap(&all[own], &all[other])?))
                });
                // Its own runs say more than those of others.
                let first = overlapping.next();
                let is_own = |(other, _): &(usize, Apart)| self.is_one_place(one, all[*other].one);
                if let Some((other, apart)) = first
                    .filter(is_own)
                    .or_else(|| overlapping.find(is_own))
                    .or(first)
                {
                    let lock = show_known(&key.id).unwrap_or_else(|| written.clone());
                    waits.insert(
                        lane,
                        Wait {
                            own,
                            other,
                            apart,
                            lock,
                        },
                    );
                }
            }
        }
        waits
    }

    /// Returns whether the two runs build by two Dockerfiles, or at two places.
    pub(super) fn is_of_two_files(&self, wait: &Wait) -> bool {
        let all = &self.contenders.all;
        let (own, other) = (all[wait.own].one, all[wait.other].one);
        let file = |one: usize| &self.resolved[one].dockerfile;
        !self.is_one_place(own, other) || file(own) != file(other)
    }

    /// Returns whether two builds stand at one place, which one fix changes.
    pub(super) fn is_one_place(&self, one: usize, other: usize) -> bool {
        let place = |one: usize| {
            let id = self.resolved[one].id;
            (id.file, self.graph.build(id).span)
        };
        place(one) == place(other)
    }

    /// Returns the locks that a run takes where its build passes `lane`.
    pub(super) fn taken(
        &self,
        run: &Contender<'g>,
        lane: Option<&PlannedLane<'_>>,
    ) -> Vec<Taken<'g>> {
        let one = &self.resolved[run.one];
        let locks = self.locks[run.one].as_ref();
        let Some(locks) = locks.filter(|locks| budget::spend(locks.size())) else {
            return Vec::new();
        };
        let arg = locks.settings.arg.as_str();
        let given = |name: &str| match lane.filter(|lane| name == lane.arg) {
            Some(lane) => run
                .value(&lane.value)
                .map_or(Passed::Unknown, Passed::Value),
            None => passed(one, self.graph, name, arg, run),
        };
        let namespace = match given(NAMESPACE) {
            // Only BuildKit knows it.
            _ if !one.tool.takes_namespace() => None,
            Passed::Value(value) => Some(value),
            Passed::Unknown if locks.settings.namespace || one.args_known(self.graph) => {
                return Vec::new();
            }
            Passed::Nothing | Passed::Unknown => None,
        };
        let platforms = of_run(self.graph, one, run);
        let built_for: Vec<BuiltFor<'_>> = match platforms.as_deref() {
            None => vec![BuiltFor::Unknown],
            Some([]) => vec![BuiltFor::Own],
            Some(all) => all.iter().map(BuiltFor::Named).collect(),
        };
        let target = one.target.as_deref();
        let all = built_for.into_iter();
        all.flat_map(|platform| locks.of_build(target, platform, &given))
            .map(|lock| Taken {
                key: Key {
                    id: lock.id,
                    base: lock.cache.key.base.clone(),
                    namespace: namespace.clone(),
                    by_buildah: one.tool.is_buildah(),
                },
                cache: lock.cache,
                args: lock.args,
            })
            .collect()
    }
}

/// Returns what a lane needs more to part two runs that it does not part yet. Fails where nothing more helps, with what
/// else would where that is known.
pub(super) fn more(parts: &Parts, tells: Tells) -> Result<Parts, Option<String>> {
    let mut more = parts.clone();
    match tells {
        Tells::Nothing(reason) => return Err(Some(reason)),
        Tells::Input(input) if parts.input.is_none() => more.input = Some(input),
        Tells::File(file) if parts.file.is_none() => more.file = Some(file),
        Tells::Job if !parts.job => more.job = true,
        Tells::Workflow if !parts.workflow => more.workflow = true,
        Tells::Matrix if !parts.other_files => more.other_files = true,
        _ if parts.joint == Joint::Short => more.joint = Joint::Long,
        // A value alone may meet what another id ends with.
        _ if !parts.job => more.job = true,
        _ => return Err(None),
    }
    Ok(more)
}
