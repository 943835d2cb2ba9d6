//! `missing-default`: the lane argument has no default, so builds that pass nothing get an id that ends in `-`.

use std::collections::HashSet;

use crate::dockerfile::Declaration;
use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::{Applicability, Edit, Fix};

use super::caches::needs_value;
use super::declare::own_default;
use super::lane::keeps_id;
use super::{Context, Rule};

pub(super) struct MissingDefault;

static META: RuleMeta = RuleMeta {
    name: "missing-default",
    severity: Severity::Warning,
    fix: Some(Applicability::Safe),
    goes_first: false,
    summary: "the lane argument has no default: a build that passes nothing gets an id cut short",
    doc: r"## What it does
Finds a lane argument without a default, in the stage and globally, to which an id refers without `:-`.

## Why
A build that passes nothing gets an id that ends in `-`: it works, but nobody knows the lane by that name, and builds that
forgot to pass theirs share it unseen.

## Example
```dockerfile
FROM debian
ARG CACHE_ID
RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update
```

## Fix
Safe: `=default`, on the global declaration where there is one. Where other stages of the file have one default, it is that.
None with `keep-default = true` in `cachelane.toml`, or `fix --keep-default`: builds that pass nothing would get another id,
and a cold cache. It needs review (`--unsafe`) where something else uses the argument, a FROM line say.

## When to ignore it
When an empty lane is what you want; `${CACHE_ID:-default}` and `${CACHE_ID:?}` in the id are no findings, and neither is
`${CACHE_ID:+-${CACHE_ID}}`.
",
};

impl Rule for MissingDefault {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let arg = cx.settings.arg.as_str();
        let given = own_default(cx.file, arg);
        let mut seen: HashSet<(usize, usize)> = HashSet::new();
        for cache in cx
            .caches()
            .iter()
            .filter(|cache| needs_value(&cache.word, arg))
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
            let fix = match (keeps_id(cx.settings, arg), review) {
                (true, _) => {
                    Err("builds that pass nothing are to keep their ids: a default would give them others".into())
                }
                (_, true) => Ok(Fix::needs_review(title, edits)),
                (_, false) => Ok(Fix::safe(title, edits)),
            };
            findings.push(
                Finding::new(&META, span, message)
                    .help(if keeps_id(cx.settings, arg) {
                        format!("pass `--build-arg {arg}=…` in every build, or take the short id as it is")
                    } else {
                        format!("write `{keyword} {arg}={default}`")
                    })
                    .label(cache.mount.id_span(), "refers to it")
                    .fix(fix),
            );
        }
    }
}

fn name_span(cx: &Context<'_>, declaration: &Declaration, name: &str) -> crate::text::Span {
    let text = &cx.file.instructions[declaration.instruction].text;
    text.span(declaration.name_end - name.len(), declaration.name_end)
}
