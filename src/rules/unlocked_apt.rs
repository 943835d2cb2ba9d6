//! `unlocked-apt`: apt's caches without a lock.

use crate::finding::{Finding, RuleId};

use super::context::Context;
use super::lane::locked_lane;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    for cache in cx
        .caches()
        .iter()
        .filter(|cache| cache.is_unlocked_apt(cx.file))
    {
        let target = cache.option_span("target");
        let message = "parallel builds fail here with \"Could not get lock\": apt's folder is shared without one";
        let wait = match cx.settings.namespace {
            _ if !cx.settings.takes_variables() => "builds wait instead of failing",
            true => "builds of one namespace wait and others do not",
            false => "builds of one lane wait and others do not",
        };
        let help = format!("write `{}`, so that {wait}", locked_lane(cx, cache));
        findings.push(
            Finding::new(RuleId::UnlockedApt, target, message)
                .help(help)
                .fix(cx.lock_and_isolate(cache)),
        );
    }
}
