//! Tells the reports on Dockerfiles what the builds of a run do with them.

use std::sync::Arc;

use super::fills::changeable;
use super::graph::{BuildGraph, has_shared_lock};
use super::known::by_buildah;
use super::model::FileAccess;
use super::own_lanes::own_lanes;
use super::platforms::built_for;
use super::resolve::{Lost, resolve};
use crate::budget;
use crate::builds::Build;
use crate::lint::check::check;
use crate::lint::model::{Checked, FileReport};
use crate::rules::{Learned, Settings};

/// Gives the Dockerfiles among `reports` the settings that say which builds make them for
/// several platforms at once, and by which variables they have lanes; checks those anew that had others. Says of them
/// whether podman or buildah do all builds, and of the caches that files fill whether `fix` can fill them by other ids.
pub fn note_builds(reports: &mut [FileReport], access: &FileAccess<'_>) {
    let (mut built_for, mut own_lanes, by_buildah, fills) = {
        let all: Vec<&FileReport> = reports.iter().collect();
        let builds = all.iter().filter_map(|report| report.builds.as_ref());
        let mut builds = builds.flat_map(|builds| &builds.file.builds);
        let tells = |build: &Build| build.tool.is_buildah() || build.platforms.may_be_several();
        if !builds.any(tells) && !all.iter().any(|report| has_shared_lock(report)) {
            return;
        }
        let graph = BuildGraph::new(all, access);
        let resolved = resolve(&graph, &mut Lost::default());
        let fills = 0..reports.len();
        let fills: Vec<_> = fills
            .map(|file| changeable(&graph, &resolved, file))
            .collect();
        (
            built_for(&graph, &resolved),
            own_lanes(&graph, &resolved),
            by_buildah(&graph, &resolved),
            fills,
        )
    };
    for ((index, report), fills) in reports.iter_mut().enumerate().zip(fills) {
        if let Some(builds) = &mut report.builds {
            builds.fills = fills;
        }
        let built_for = built_for.remove(&index).unwrap_or_default();
        let own_lanes = own_lanes.remove(&index).unwrap_or_default();
        let settings = &report.settings;
        let learned = &settings.learned;
        let is_known = learned.built_for == built_for && learned.own_lanes == own_lanes;
        let is_known = is_known || report.builds.is_some();
        let by_buildah = by_buildah.get(&index).copied();
        report.checked.by_buildah = by_buildah;
        if is_known {
            continue;
        }
        report.settings = Arc::new(Settings {
            learned: Learned {
                built_for,
                own_lanes,
                ..learned.clone()
            },
            ..Settings::clone(settings)
        });
        let checked = budget::within(report.source.len(), || {
            check(&report.source, &report.settings)
        });
        // It was read before, and what builds do adds little.
        if let Ok(checked) = checked {
            report.checked = Checked {
                by_buildah,
                ..checked
            };
        }
    }
}
