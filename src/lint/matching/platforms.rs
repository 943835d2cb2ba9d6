//! Finds the Dockerfiles that one build makes for several platforms.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::graph::{BuildGraph, BuildId};
use super::model::FileAccess;
use super::resolve::{ResolvedBuild, called, resolve};
use crate::budget;
use crate::builds::{Build, Platforms};
use crate::lint::check::check;
use crate::lint::model::FileReport;
use crate::rules::{BuiltFor, Settings};
use crate::text::LineIndex;

/// Gives the Dockerfiles among `reports` the settings that say which builds of these and the `others` make them for
/// several platforms at once, and checks those anew that had others.
pub fn note_platforms(reports: &mut [FileReport], others: &[FileReport], access: &FileAccess<'_>) {
    let mut found = built_for(reports.iter().chain(others).collect(), access);
    for (index, report) in reports.iter_mut().enumerate() {
        let built_for = found.remove(&index).unwrap_or_default();
        if report.builds.is_some() || report.settings.built_for == built_for {
            continue;
        }
        report.settings = Arc::new(Settings {
            built_for,
            ..Settings::clone(&report.settings)
        });
        let checked = budget::within(report.source.len(), || {
            check(&report.source, &report.settings)
        });
        // It was read before, and a platform adds little.
        if let Ok(checked) = checked {
            report.checked = checked;
        }
    }
}

/// Returns, by index, the files that a build makes for several platforms at once, with the first such build of each
/// target.
fn built_for(reports: Vec<&FileReport>, access: &FileAccess<'_>) -> BTreeMap<usize, Vec<BuiltFor>> {
    let mut found: BTreeMap<usize, Vec<BuiltFor>> = BTreeMap::new();
    let builds = |report: &FileReport| {
        let builds = report.builds.iter();
        builds
            .flat_map(|builds| &builds.file.builds)
            .any(is_for_several)
    };
    if !reports.iter().any(|report| builds(report)) {
        return found;
    }
    let graph = BuildGraph::new(reports, access);
    let resolved = resolve(&graph, &mut Vec::new());
    // A command says what platforms its services or targets are built for.
    let called = called(&graph, &resolved);
    for one in resolved.iter().filter(|one| !called.contains(&one.id)) {
        let index = one.dockerfile.as_ref().and_then(|path| graph.index(path));
        let Some((index, (id, platforms))) = index.zip(named(&graph, one)) else {
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

fn is_for_several(build: &Build) -> bool {
    build.platforms.several().is_some()
}

/// Returns the build that says for which several platforms `one` is made, and those.
fn named<'g>(graph: &'g BuildGraph<'_>, one: &ResolvedBuild) -> Option<(BuildId, &'g [String])> {
    let ids = std::iter::once(one.id).chain(one.layers.iter().rev().copied());
    let mut ids = ids.filter(|id| graph.build(*id).platforms != Platforms::Unnamed);
    let id = ids.next()?;
    Some((id, graph.build(id).platforms.several()?))
}
