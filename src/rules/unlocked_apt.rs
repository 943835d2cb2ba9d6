//! `unlocked-apt`: apt's caches without a lock.

use crate::finding::{Finding, RuleId};

use super::context::Context;
use super::lane::locking_help;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    for cache in cx.caches() {
        let Some(tool) = cx.unguarded(cache).filter(|tool| tool.is_apt()) else {
            continue;
        };
        let finding = Finding::new(RuleId::UnlockedApt, cache.option_span("target"), tool.fails)
            .help(locking_help(cx, cache))
            .fix(cx.lock_and_isolate(cache));
        findings.push(cx.name_others(finding, cache));
    }
}
