//! `unlocked-cache`: caches without a lock whose tools need them for themselves.

use crate::finding::{Finding, RuleId};

use super::caches::Cache;
use super::context::Context;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    // In its lane, only builds of one job share it. A mode that is written out is a decision.
    let is_shared = |cache: &Cache<'_>| {
        !cache.is_isolated && !cx.settings.namespace && cache.mount.field("sharing").is_none()
    };
    let found = cx.unguarded_by(RuleId::UnlockedCache);
    findings.extend(found.filter_map(|(cache, finding)| is_shared(cache).then_some(finding)));
}
