//! Finds the Dockerfiles that one build makes for several platforms.

use std::collections::{BTreeMap, VecDeque};

use super::graph::{BuildGraph, BuildId};
use super::resolve::{ResolvedBuild, called};
use crate::budget;
use crate::builds::Platforms;
use crate::rules::BuiltFor;
use crate::text::LineIndex;

/// Returns, by index, the files that a build makes for several platforms at once, with the first such build of each
/// target.
pub(super) fn built_for(
    graph: &BuildGraph<'_>,
    resolved: &[ResolvedBuild],
) -> BTreeMap<usize, Vec<BuiltFor>> {
    let mut found: BTreeMap<usize, Vec<BuiltFor>> = BTreeMap::new();
    if !resolved.iter().any(|one| is_for_several(graph, one)) {
        return found;
    }
    // A command says what platforms its services or targets are built for.
    let called = called(graph, resolved);
    for one in resolved.iter().filter(|one| !called.contains(&one.id)) {
        let index = one.dockerfile.as_ref().and_then(|path| graph.index(path));
        let Some((index, (id, platforms))) = index.zip(named(graph, one)) else {
            continue;
        };
        let all = found.entry(index).or_default();
        let is_same = |other: &BuiltFor| other.target == one.target;
        if !budget::spend(1 + all.len()) || all.iter().any(is_same) {
            continue;
        }
        let report = graph.report(id.file);
        let line = LineIndex::new(&report.source).line(graph.build(id).span.start);
        let path = (graph.access.name)(&report.path);
        all.push(BuiltFor {
            build: format!("{path}:{line}"),
            platforms,
            target: one.target.clone(),
        });
    }
    found
}

fn is_for_several(graph: &BuildGraph<'_>, one: &ResolvedBuild) -> bool {
    let mut ids = std::iter::once(&one.id).chain(&one.layers);
    ids.any(|id| graph.build(*id).platforms.may_be_several())
}

/// Returns the build that says for which several platforms `one` is made, and those.
fn named(graph: &BuildGraph<'_>, one: &ResolvedBuild) -> Option<(BuildId, Vec<String>)> {
    let services = one
        .layers
        .iter()
        .filter_map(|id| graph.build(*id).service.as_ref());
    let names = services.flat_map(|service| {
        let legs = service.legs.iter().map(|leg| leg.name.as_str());
        legs.chain([service.name.as_str()])
    });
    let names: Vec<&str> = names.take_while(|_| budget::spend(1)).collect();
    // Those of its file come first.
    let (mut first, mut lists) = (None, VecDeque::new());
    for id in std::iter::once(one.id).chain(one.layers.iter().rev().copied()) {
        let (platforms, adds) = graph.build(id).platforms.of_target(&names);
        if platforms == Platforms::Unnamed {
            continue;
        }
        first.get_or_insert(id);
        lists.push_front(platforms);
        if !adds {
            break;
        }
    }
    Some((first?, Platforms::all(lists).several()?.to_vec()))
}
