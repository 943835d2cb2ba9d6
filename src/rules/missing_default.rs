//! `missing-default`: the lane argument has no default, so builds that pass nothing get an id that ends in `-`.

use std::collections::HashSet;

use crate::finding::{Finding, RuleId};
use crate::fix::Fix;

use super::context::Context;
use super::declare::Defaulting;
use super::eligibility::{profile_help, suspicion};
use super::variables::needs_default;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let arg = cx.settings.arg.as_str();
    let mut seen: HashSet<(usize, usize)> = HashSet::new();
    for cache in cx
        .caches()
        .iter()
        .filter(|cache| needs_default(&cache.word, arg))
    {
        let Some(defaulting) = cx.defaulting(arg, cache.instruction) else {
            continue;
        };
        let Defaulting {
            declaration,
            text,
            edit,
            applicability,
        } = defaulting;
        if !seen.insert((declaration.instruction, declaration.name_end)) {
            continue;
        }
        let short = cache.outcome(|name| name == arg).map_or_else(
            || "an id cut short".to_owned(),
            |id| format!("the cache id `{id}`"),
        );
        let message = format!("`{arg}` has no default: a build that passes none gets {short}");
        // Where a builder takes no variables in one id, it takes none in any.
        let refused = cx.caches().iter().find_map(|cache| {
            let help = profile_help(cx.settings, cache)?;
            Some((help, Err(suspicion(cx.settings, cache)?)))
        });
        let (help, fix) = if let Some(refused) = refused {
            refused
        } else if cx.settings.keeps_id(arg) {
            let help =
                format!("pass `--build-arg {arg}=…` in every build, or take the short id as it is");
            let why = "with `keep-default`, builds that pass nothing keep their ids: a default would change them";
            (help, Err(why.into()))
        } else {
            let keyword = if declaration.onbuild {
                "ONBUILD ARG"
            } else {
                "ARG"
            };
            let fix = Fix::new(applicability, format!("write `{text}`"), vec![edit]);
            (format!("write `{keyword} {text}`"), Ok(fix))
        };
        findings.push(
            Finding::new(
                RuleId::MissingDefault,
                cx.name_span(declaration, arg),
                message,
            )
            .help(help)
            .label(cache.mount.id_span(), "refers to it")
            .fix(fix),
        );
    }
}
