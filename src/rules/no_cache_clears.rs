//! `no-cache-clears`: a build without cache that empties the cache mounts of a builder that others use.

use crate::builds::BuildTool;
use crate::finding::{Finding, RuleId};

use super::build_context::Clearing;

/// The number of ids that a message names.
const NAMED: usize = 3;

pub(super) fn check(cx: &Clearing<'_>, findings: &mut Vec<Finding>) {
    let named: Vec<String> = cx
        .ids
        .iter()
        .take(NAMED)
        .map(|id| format!("`{id}`"))
        .collect();
    let more = cx.ids.len() - named.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let (caches, start, them) = match cx.ids.len() {
        1 => ("cache", "starts", "it"),
        _ => ("caches", "start", "them"),
    };
    let lock = if cx.is_locked {
        format!(", and a lock on {them} is not waited for")
    } else {
        String::new()
    };
    let stages: Vec<String> = cx
        .no_cache
        .stages
        .iter()
        .map(|stage| format!("`{stage}`"))
        .collect();
    let what = if stages.is_empty() {
        "runs all steps anew".into()
    } else {
        format!("runs all steps of {} anew", stages.join(" and "))
    };
    let message = format!(
        "{} {what}: the {caches} {}{more} of its builder {start} empty for everybody{lock}",
        cx.build.name,
        named.join(", "),
    );
    let by_argument =
        "to keep them, pass a build argument whose value changes: RUNs below its ARG are run anew";
    let filter = match cx.build.tool {
        _ if !stages.is_empty() => "",
        BuildTool::Compose => "",
        BuildTool::Bake | BuildTool::BakeAction => {
            "\nor name stages without cache mounts: `no-cache-filter = [\"STAGE\"]`"
        }
        BuildTool::BuildPushAction => {
            "\nor name stages without cache mounts: `no-cache-filters: STAGE`"
        }
        _ => "\nor name stages without cache mounts: `--no-cache-filter STAGE`",
    };
    let own = cx
        .own_builder
        .map(|by| format!("\nor give the job a builder of its own, for example by {by}"));
    let own = own.unwrap_or_default();
    let finding = Finding::new(RuleId::NoCacheClears, cx.no_cache.span, message)
        .help(format!("{by_argument}{filter}{own}"));
    findings.push(finding.point(cx.place.clone()));
}
