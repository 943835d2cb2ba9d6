//! Says of Dockerfiles what is known of their builds.

use std::collections::HashMap;

use super::graph::BuildGraph;
use super::resolved::{ResolvedBuild, called};
#[cfg(feature = "cli")]
use super::{
    model::FileAccess,
    resolve::{Lost, resolve},
};
#[cfg(feature = "cli")]
use crate::lint::model::FileReport;

/// Returns, by index, for each file whose builds are known whether podman or buildah do all of them.
pub(super) fn by_buildah(
    graph: &BuildGraph<'_>,
    resolved: &[ResolvedBuild],
) -> HashMap<usize, bool> {
    let called = called(graph, resolved);
    let mut by_buildah = HashMap::new();
    for one in resolved.iter().filter(|one| !called.contains(&one.id)) {
        if let Some(built) = one.built(graph) {
            *by_buildah.entry(built).or_insert(true) &= one.tool.is_buildah();
        }
    }
    by_buildah
}

/// Returns the absolute paths of the Dockerfiles that builds of `reports` lead to.
#[cfg(feature = "cli")]
pub fn dockerfiles(
    reports: Vec<&FileReport>,
    access: &FileAccess<'_>,
) -> std::collections::BTreeSet<std::path::PathBuf> {
    let graph = BuildGraph::new(reports, access);
    let resolved = resolve(&graph, &mut Lost::default()).into_iter();
    resolved.filter_map(|one| one.dockerfile).collect()
}
