//! `missing-default`: the lane argument has no default, so builds that pass nothing get an id that ends in `-`.

use std::collections::HashSet;

use crate::finding::{Finding, RuleId};
use crate::fix::{Applicability, Edit, Fix};

use super::context::Context;
use super::declare::own_default;
use super::variables::needs_default;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let arg = cx.settings.arg.as_str();
    let given = own_default(cx.file, arg);
    let mut seen: HashSet<(usize, usize)> = HashSet::new();
    for cache in cx.caches() {
        let needs = needs_default(&cache.word, arg);
        if !needs || cx.file.valued(arg, cache.instruction).is_some() {
            continue;
        }
        let Some(own) = cx.file.visible(arg, cache.instruction) else {
            continue;
        };
        // One default for all stages, where a global declaration can carry it.
        let global = cx.file.global(arg).filter(|_| !own.onbuild);
        let declaration = global.unwrap_or(own);
        if !seen.insert((declaration.instruction, declaration.name_end)) {
            continue;
        }
        let short = cache.outcome(|name| name == arg).map_or_else(
            || "an id cut short".to_owned(),
            |id| format!("the cache id `{id}`"),
        );
        let message = format!("`{arg}` has no default: a build that passes none gets {short}");
        let span = cx.name_span(declaration, arg);
        let given = given.as_deref().filter(|_| !declaration.onbuild);
        let default = given.unwrap_or(cx.settings.default.as_str());
        let keyword = if declaration.onbuild {
            "ONBUILD ARG"
        } else {
            "ARG"
        };
        let edits = vec![Edit::insert(span.end, format!("={default}"))];
        let title = format!("write `{arg}={default}`");
        let applicability = if cx.used_outside_ids(arg, declaration.instruction) {
            Applicability::Unsafe
        } else {
            Applicability::Safe
        };
        let (help, fix) = if cx.settings.keeps_id(arg) {
            let help =
                format!("pass `--build-arg {arg}=…` in every build, or take the short id as it is");
            let why =
                "builds that pass nothing are to keep their ids: a default would give them others";
            (help, Err(why.into()))
        } else {
            let help = format!("write `{keyword} {arg}={default}`");
            (help, Ok(Fix::new(applicability, title, edits)))
        };
        findings.push(
            Finding::new(RuleId::MissingDefault, span, message)
                .help(help)
                .label(cache.mount.id_span(), "refers to it")
                .fix(fix),
        );
    }
}
