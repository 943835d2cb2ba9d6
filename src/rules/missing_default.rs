//! `missing-default`: the lane argument has no default, so builds that pass nothing get an id that ends in `-`.

use std::collections::HashSet;

use crate::dockerfile::Declaration;
use crate::finding::{Finding, RuleId};
use crate::fix::{Edit, Fix};

use super::context::Context;
use super::declare::own_default;
use super::variables::needs_default;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let arg = cx.settings.arg.as_str();
    let given = own_default(cx.file, arg);
    let mut seen: HashSet<(usize, usize)> = HashSet::new();
    for cache in cx
        .caches()
        .iter()
        .filter(|cache| needs_default(&cache.word, arg))
    {
        if cx.file.valued(arg, cache.instruction).is_some() {
            continue;
        }
        let Some(own) = cx.file.visible(arg, cache.instruction) else {
            continue;
        };
        let global = if own.onbuild {
            None
        } else {
            cx.file.global(arg)
        };
        // One default for all stages, where there is a global declaration to carry it.
        let declaration = global.unwrap_or(own);
        let at = (declaration.instruction, declaration.name_end);
        if !seen.insert(at) {
            continue;
        }
        let short = cache.outcome(|name| name == arg).map_or_else(
            || "an id cut short".to_owned(),
            |id| format!("the cache id `{id}`"),
        );
        let message = format!("`{arg}` has no default: a build that passes none gets {short}");
        let span = name_span(cx, declaration, arg);
        let given = given.as_deref().filter(|_| !declaration.onbuild);
        let default = given.unwrap_or(cx.settings.default.as_str());
        let keyword = if declaration.onbuild {
            "ONBUILD ARG"
        } else {
            "ARG"
        };
        let edits = vec![Edit::insert(span.end, format!("={default}"))];
        let title = format!("write `{arg}={default}`");
        let review = cx.used_outside_ids(arg, declaration.instruction);
        let fix = match (cx.settings.keeps_id(arg), review) {
            (true, _) => Err(
                "builds that pass nothing are to keep their ids: a default would give them others"
                    .into(),
            ),
            (_, true) => Ok(Fix::needs_review(title, edits)),
            (_, false) => Ok(Fix::safe(title, edits)),
        };
        findings.push(
            Finding::new(RuleId::MissingDefault, span, message)
                .help(if cx.settings.keeps_id(arg) {
                    format!(
                        "pass `--build-arg {arg}=…` in every build, or take the short id as it is"
                    )
                } else {
                    format!("write `{keyword} {arg}={default}`")
                })
                .label(cache.mount.id_span(), "refers to it")
                .fix(fix),
        );
    }
}

fn name_span(cx: &Context<'_>, declaration: &Declaration, name: &str) -> crate::text::Span {
    let text = &cx.file.instructions[declaration.instruction].text;
    text.span(declaration.name_end - name.len(), declaration.name_end)
}
