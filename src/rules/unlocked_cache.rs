//! `unlocked-cache`: caches without a lock whose tools need them for themselves.

use crate::finding::{Finding, RuleId};

use super::caches::Cache;
use super::context::Context;
use super::lane::locking_help;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    // In its lane, only builds of one job share it.
    let is_shared = |cache: &Cache<'_>| !cache.is_isolated && !cx.settings.namespace;
    for cache in cx.caches().iter().filter(|cache| is_shared(cache)) {
        let Some(tool) = cx.unguarded(cache).filter(|tool| !tool.is_apt()) else {
            continue;
        };
        let finding = Finding::new(
            RuleId::UnlockedCache,
            cache.option_span("target"),
            tool.fails,
        )
        .help(locking_help(cx, cache));
        findings.push(cx.name_others(finding, cache));
    }
}
