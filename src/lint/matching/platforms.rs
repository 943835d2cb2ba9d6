//! Finds the Dockerfiles that one build makes for several platforms.

use std::collections::BTreeMap;

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
            platforms: platforms.to_vec(),
            target: one.target.clone(),
        });
    }
    found
}

fn is_for_several(graph: &BuildGraph<'_>, one: &ResolvedBuild) -> bool {
    let mut ids = std::iter::once(&one.id).chain(&one.layers);
    ids.any(|id| graph.build(*id).platforms.several().is_some())
}

/// Returns the build that says for which several platforms `one` is made, and those.
fn named<'g>(graph: &'g BuildGraph<'_>, one: &ResolvedBuild) -> Option<(BuildId, &'g [String])> {
    let ids = std::iter::once(one.id).chain(one.layers.iter().rev().copied());
    let mut ids = ids.filter(|id| graph.build(*id).platforms != Platforms::Unnamed);
    let id = ids.next()?;
    Some((id, graph.build(id).platforms.several()?))
}
