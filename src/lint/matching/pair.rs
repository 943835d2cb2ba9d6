//! Describes two runs that wait for each other.

use super::contenders::{Apart, Contender};
use super::graph::BuildGraph;
use super::resolved::ResolvedBuild;
use super::waits::{Wait, Waits};
use crate::rules::build_context::Pair;

/// Describes two runs that wait for each other.
pub(super) fn pair(
    graph: &BuildGraph<'_>,
    resolved: &[ResolvedBuild],
    wait: &Wait,
    waits: &Waits<'_>,
) -> Pair {
    let all = &waits.contenders.all;
    let (own, other) = (&all[wait.own], &all[wait.other]);
    let theirs = resolved[other.one].id;
    let is_same = waits.is_one_place(own.one, other.one);
    let is_one_file = own.root() == other.root();
    let jobs = |one: &Contender<'_>| match one.root() {
        Some(root) if !is_one_file => {
            let path = &graph.report(root).path;
            format!("{} of {}", one.jobs(), (graph.access.name)(path))
        }
        _ => one.jobs(),
    };
    Pair {
        lock: wait.lock.clone(),
        tells: waits.contenders.tells(wait.own, wait.other, wait.apart),
        own: own.label(),
        other: other.label(),
        jobs: (wait.apart != Apart::Row && has_no_labels(own, other))
            .then(|| (jobs(own), jobs(other))),
        place: (!is_same).then(|| (graph.build(theirs).name.clone(), graph.place(theirs))),
    }
}

/// Returns whether the labels of two runs do not tell them apart.
fn has_no_labels(own: &Contender<'_>, other: &Contender<'_>) -> bool {
    let (own, other) = (own.label(), other.label());
    own == other || own.is_empty() || other.is_empty()
}
