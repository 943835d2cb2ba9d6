//! Finds the Dockerfiles that one build makes for several platforms.

use std::collections::{BTreeMap, VecDeque};

use super::contenders::Contender;
use super::graph::{BuildGraph, BuildId};
use super::resolved::{ResolvedBuild, called};
use crate::budget;
use crate::builds::{Platform, PlatformText, Platforms};
use crate::rules::PlatformBuild;

/// Returns, by index, the files that a build makes for several platforms at once, with the first such build of each
/// target.
pub(super) fn built_for(
    graph: &BuildGraph<'_>,
    resolved: &[ResolvedBuild],
) -> BTreeMap<usize, Vec<PlatformBuild>> {
    let mut found: BTreeMap<usize, Vec<PlatformBuild>> = BTreeMap::new();
    if !resolved.iter().any(|one| is_for_several(graph, one)) {
        return found;
    }
    // A command says what platforms its services or targets are built for.
    let called = called(graph, resolved);
    for one in resolved.iter().filter(|one| !called.contains(&one.id)) {
        let Some((index, (id, platforms))) = one.built(graph).zip(named(graph, one)) else {
            continue;
        };
        let all = found.entry(index).or_default();
        let is_same = |other: &PlatformBuild| other.target == one.target;
        if !budget::spend(1 + all.len()) || all.iter().any(is_same) {
            continue;
        }
        all.push(PlatformBuild {
            build: graph.place(id),
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
    let (id, platforms) = said(graph, one, one.id)?;
    Some((id, platforms.several()?.to_vec()))
}

/// Returns the names of the targets that `one` is.
fn targets<'g>(graph: &'g BuildGraph<'_>, one: &ResolvedBuild) -> Vec<&'g str> {
    let services = one
        .layers
        .iter()
        .filter_map(|id| graph.build(*id).service.as_ref());
    let names = services.flat_map(|service| {
        let legs = service.legs.iter().map(|leg| leg.name.as_str());
        legs.chain([service.name.as_str()])
    });
    names.take_while(|_| budget::spend(1)).collect()
}

/// Returns the first build that says for which platforms `one` is made, from the build `first` on, and those.
fn said(
    graph: &BuildGraph<'_>,
    one: &ResolvedBuild,
    first: BuildId,
) -> Option<(BuildId, Platforms)> {
    let names = targets(graph, one);
    // Those of its file come first.
    let (mut by, mut lists) = (None, VecDeque::new());
    let ids = std::iter::once(one.id).chain(one.layers.iter().rev().copied());
    for id in ids.skip_while(|id| *id != first) {
        let (platforms, adds) = graph.build(id).platforms.of_target(&names);
        if platforms == Platforms::Unnamed {
            continue;
        }
        by.get_or_insert(id);
        lists.push_front(platforms);
        if !adds {
            break;
        }
    }
    Some((by?, Platforms::all(lists)))
}

/// Returns the platforms that a run makes; `None` where they are not known, and none for the builder's own.
pub(super) fn of_run(
    graph: &BuildGraph<'_>,
    one: &ResolvedBuild,
    run: &Contender<'_>,
) -> Option<Vec<Platform>> {
    let names = targets(graph, one);
    let texts = graph.build(one.id).platform_texts.iter();
    let texts: Vec<&PlatformText> = texts.filter(|text| text.is_of(&names)).collect();
    let own = texts.iter().map(|text| run.value(&text.text));
    let own = Platforms::of(own.collect::<Option<Vec<String>>>()?.into_iter().map(Some));
    let is_all = !texts.is_empty() && texts.iter().any(|text| !text.adds);
    let inner = one.layers.last().filter(|_| !is_all);
    let inner = inner.and_then(|last| Some(said(graph, one, *last)?.1));
    match Platforms::all([inner.unwrap_or_default(), own]) {
        Platforms::Unnamed => Some(Vec::new()),
        Platforms::Named(names) => names.iter().map(|name| Platform::read(name)).collect(),
        Platforms::OfTargets(_) | Platforms::Unknown => None,
    }
}
