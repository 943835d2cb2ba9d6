//! The caches that a build without cache empties.

use super::graph::BuildGraph;
use super::resolved::ResolvedBuild;
use crate::budget;
use crate::builds::{BuildTool, Builder, NoCache, Subject};
use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, Location, Place};
use crate::lint::model::FileReport;
use crate::rules::build_context::Clearing;
use crate::rules::{Settings, context::Context, registry};
use crate::text::{LineIndex, Span};

/// Returns the findings on the build `one` of the Dockerfile that `report` is about, or that stands within its file.
pub(super) fn check(
    graph: &BuildGraph<'_>,
    one: &ResolvedBuild,
    report: &FileReport,
) -> Vec<Finding> {
    let build = graph.build(one.id);
    let Some(no_cache) = &build.no_cache else {
        return Vec::new();
    };
    let inline = match (&one.dockerfile, &build.subject, &report.builds) {
        (None, Subject::Inline(index), Some(builds)) => builds.file.inline.get(*index),
        _ => None,
    };
    let source = inline.map_or(&report.source[..], |inline| inline.text.as_bytes());
    let cleared = cleared(source, &report.settings, one.target.as_deref(), no_cache);
    let Some(Cleared {
        id: first, span, ..
    }) = cleared.first()
    else {
        return Vec::new();
    };
    let place = match inline {
        Some(inline) => Place::Here(inline.to_file(*span)),
        None => Place::There {
            path: (graph.access.name)(&report.path),
            range: LineIndex::new(source).range(source, *span),
        },
    };
    let mut findings = Vec::new();
    let message = format!("takes the cache `{first}`");
    let clearing = Clearing {
        build,
        no_cache,
        is_locked: cleared.iter().any(|one| one.is_locked),
        place: Location { place, message },
        own_builder: own_builder(graph, one),
        ids: cleared.into_iter().map(|one| one.id).collect(),
    };
    registry::check_clearing(&clearing, &mut findings);
    findings
}

/// Returns what makes a builder for the job of `one`: nothing for a service elsewhere, whose builders it makes itself.
fn own_builder(graph: &BuildGraph<'_>, one: &ResolvedBuild) -> Option<&'static str> {
    let build = graph.build(one.id);
    if matches!(one.builder, Builder::Elsewhere(_)) || build.tool == BuildTool::Nerdctl {
        return None;
    }
    let path = (graph.access.name)(&graph.report(one.id.file).path);
    let is_github = path.contains(".github/") || path.ends_with("action.yml");
    Some(if is_github {
        "docker/setup-buildx-action"
    } else {
        "`docker buildx create --use`"
    })
}

/// A cache that a build empties.
struct Cleared {
    id: String,
    span: Span,
    is_locked: bool,
}

/// Returns the caches that a build of `source` up to `target` empties, each id once with its first place.
fn cleared(
    source: &[u8],
    settings: &Settings,
    target: Option<&str>,
    no_cache: &NoCache,
) -> Vec<Cleared> {
    if !budget::spend(source.len()) {
        return Vec::new();
    }
    let Ok(file) = Dockerfile::read(source) else {
        return Vec::new();
    };
    let needed = file.needed_by(target).unwrap_or_default();
    let cx = Context::new(&file, settings);
    let mut cleared: Vec<Cleared> = Vec::new();
    for cache in cx.caches() {
        let stage = file.stage_of(cache.instruction);
        let Some(stage) = stage.filter(|stage| needed.get(*stage) == Some(&true)) else {
            continue;
        };
        let label = file.stages[stage].label().unwrap_or_default();
        let mut stages = no_cache.stages.iter();
        let is_it =
            no_cache.stages.is_empty() || stages.any(|name| name.eq_ignore_ascii_case(&label));
        if !is_it || !budget::spend(1 + cleared.len()) {
            continue;
        }
        let (id, is_locked) = (cache.id(), cache.is_locked());
        match cleared.iter_mut().find(|one| one.id == id) {
            Some(one) => one.is_locked |= is_locked,
            None => cleared.push(Cleared {
                id,
                span: cache.mount.id_span(),
                is_locked,
            }),
        }
    }
    cleared
}
