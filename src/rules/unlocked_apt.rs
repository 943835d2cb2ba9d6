//! `unlocked-apt`: apt's caches without a lock.

use crate::finding::{Finding, RuleId};

use super::context::Context;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    for (cache, finding) in cx.unguarded_by(RuleId::UnlockedApt) {
        findings.push(finding.fix(cx.lock_and_isolate(cache)));
    }
}
