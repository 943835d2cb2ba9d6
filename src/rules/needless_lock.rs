//! `needless-lock`: a lock on a cache that is made for several users at once.

use crate::finding::{Finding, RuleId};

use super::caches::Cache;
use super::context::Context;
use super::unlock::{bare_key, unlock};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    for cache in cx.caches().iter().filter(|cache| cache.is_locked()) {
        let Some(tool) = cache.concurrent_tool() else {
            continue;
        };
        // Where the same cache is mounted for another use too, only that can say.
        if cx
            .same_cache(cache)
            .any(|other| other.concurrent_tool().is_none())
        {
            continue;
        }
        let span = cache.option_span("sharing");
        let isolated = cache.is_isolated;
        let who = if isolated {
            "the builds of a lane"
        } else {
            "them"
        };
        let message = format!(
            "{tool} is made for several builds at once: this lock makes {who} wait for nothing"
        );
        let kept = kept(cx, cache);
        let help = if kept.is_some() {
            "drop `sharing=locked` from all mounts of this cache, or from none"
        } else if isolated {
            "drop `sharing=locked`; the lane does no harm then, but one cache for all jobs serves them better"
        } else {
            "drop `sharing=locked`; the id needs no lane then"
        };
        findings.push(
            Finding::new(RuleId::NeedlessLock, span, message)
                .help(help)
                .fix(kept.map_or_else(|| unlock(cx, cache), Err)),
        );
    }
}

/// Returns why the lock has to stay: another mount of the same cache keeps its lock, as a comment asks.
fn kept(cx: &Context<'_>, cache: &Cache<'_>) -> Option<String> {
    let keeps =
        |other: &&Cache<'_>| other.is_locked() && cx.is_suppressed(RuleId::NeedlessLock, other);
    // Without its lane it is one cache with the mounts that have none.
    let bare = bare_key(cx, cache);
    let bare = bare.iter().flat_map(|key| cx.with_key(key));
    let other = cx.same_cache(cache).chain(bare).find(keeps)?;
    let line = cx.line(other.instruction);
    Some(format!(
        "the same cache stays locked on line {line}, and two modes on one id lose it under contention"
    ))
}
