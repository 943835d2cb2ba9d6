//! Says of Dockerfiles what is known of their builds.

use std::collections::HashMap;

use super::graph::BuildGraph;
use super::model::FileAccess;
use super::resolve::{Lost, called, resolve};
use crate::lint::model::FileReport;

/// Says of each Dockerfile among `reports` whether podman or buildah do all builds of it, where its builds are known.
pub fn mark_buildah(reports: &mut [FileReport], access: &FileAccess<'_>) {
    let builds = |report: &FileReport| {
        let builds = report.builds.iter().flat_map(|builds| &builds.file.builds);
        builds.into_iter().any(|build| build.tool.is_buildah())
    };
    if !reports.iter().any(builds) {
        return;
    }
    let mut by_buildah: HashMap<usize, bool> = HashMap::new();
    {
        let graph = BuildGraph::new(reports.iter().collect(), access);
        let resolved = resolve(&graph, &mut Lost::default());
        let called = called(&graph, &resolved);
        for one in resolved.iter().filter(|one| !called.contains(&one.id)) {
            let built = one.dockerfile.as_ref().and_then(|path| graph.index(path));
            if let Some(built) = built {
                let tool = graph.build(one.id).tool;
                *by_buildah.entry(built).or_insert(true) &= tool.is_buildah();
            }
        }
    }
    for (index, report) in reports.iter_mut().enumerate() {
        report.checked.by_buildah = by_buildah.get(&index).copied();
    }
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
