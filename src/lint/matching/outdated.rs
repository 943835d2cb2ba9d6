//! Builds by an engine that expands no variables in ids.

use super::graph::BuildGraph;
use super::resolved::ResolvedBuild;
use crate::builds::OwnBuilder;
use crate::finding::Finding;
use crate::lint::model::{FileReport, LaneStatus};
use crate::rules::old_frontend;

/// Returns the finding on the engine of a build, where its Dockerfile, that of `report`, needs a newer one.
pub(super) fn check(
    graph: &BuildGraph<'_>,
    one: &ResolvedBuild,
    report: &FileReport,
    lane: LaneStatus,
) -> Option<Finding> {
    let Some(OwnBuilder::Service(image)) = one.builder.own() else {
        return None;
    };
    let needs = !matches!(lane, LaneStatus::NotNeeded | LaneStatus::NotThere);
    let is_open = report.checked.has_no_syntax_line && report.settings.takes_variables();
    let build = graph.build(one.id);
    let path = (graph.access.name)(&report.path);
    let outdated = || old_frontend::check_engine(image, build.span, &path);
    (needs && is_open).then(outdated)?
}
