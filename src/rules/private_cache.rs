//! `private-cache`: builds that overlap start with an empty directory.

use crate::dockerfile::Sharing;
use crate::finding::{Finding, RuleId};

use super::context::Context;
use super::eligibility::profile_help;
use super::lane::locked_lane;
use super::unlock::drop_sharing;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    for cache in cx
        .caches()
        .iter()
        .filter(|cache| cache.sharing == Some(Sharing::Private) && !cx.is_alone(cache))
    {
        let span = cache.option_span("sharing");
        let message = format!(
            "a build that overlaps with another starts with `{}` empty",
            cache.id()
        );
        if let Some(tool) = cache.concurrent_tool() {
            let help = format!("drop `sharing=private`: {tool} is made for several builds at once");
            let fix = drop_sharing(cx.file, cache);
            findings.push(
                Finding::new(RuleId::PrivateCache, span, message)
                    .help(help)
                    .fix(fix),
            );
            continue;
        }
        let profile = profile_help(cx.settings, cache);
        let wait = if cx.settings.takes_variables() && profile.is_none() {
            "no job waits for another"
        } else {
            "builds that overlap wait for one another"
        };
        let mut help = format!(
            "write `{}`: it keeps the cache, and {wait}",
            locked_lane(cx, cache)
        );
        if let Some(profile) = profile {
            help.extend(["\n", &profile]);
        }
        findings.push(
            Finding::new(RuleId::PrivateCache, span, message)
                .help(help)
                .fix(cx.lock_and_isolate(cache)),
        );
    }
}
