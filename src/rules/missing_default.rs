//! `missing-default`: the lane argument has no default, so builds that pass nothing get an id that ends in `-`.

use crate::dockerfile::{Declaration, DeclaredBy};
use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::{Applicability, Edit, Fix};

use super::caches::needs_value;
use super::{Context, Rule};

pub(super) struct MissingDefault;

static META: RuleMeta = RuleMeta {
    name: "missing-default",
    severity: Severity::Warning,
    fix: Some(Applicability::Safe),
    summary: "the lane argument has no default: a build that passes nothing gets an id cut short",
};

impl Rule for MissingDefault {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let (arg, default) = (cx.settings.arg.as_str(), cx.settings.default.as_str());
        let mut seen: Vec<(usize, usize)> = Vec::new();
        for cache in cx.caches().iter().filter(|cache| needs_value(&cache.word, arg)) {
            let Some(own) = cx.file.visible(arg, cache.instruction) else { continue };
            let global = if own.onbuild { None } else { cx.file.global(arg) };
            if own.by == DeclaredBy::Env || own.value.is_some() || global.is_some_and(|g| g.value.is_some()) {
                continue;
            }
            // One default for all stages, where there is a global declaration to carry it.
            let declaration = global.unwrap_or(own);
            let at = (declaration.instruction, declaration.name_end);
            if seen.contains(&at) {
                continue;
            }
            seen.push(at);
            let id = cache.id();
            let short = cache.word.expand(&mut |name| (name != arg).then(|| format!("${{{name}}}").into_bytes()));
            let short = short.map_or_else(String::new, |id| format!(" `{}`", String::from_utf8_lossy(&id)));
            let message = format!("`{arg}` has no default: a build that passes none gets the cache id{short}");
            let span = name_span(cx, declaration, arg);
            findings.push(
                Finding::new(&META, span, message)
                    .help(format!("write `ARG {arg}={default}`"))
                    .label(cache.mount.id_span(), format!("`{id}` refers to it"))
                    .fix(Ok(Fix::safe(
                        format!("write `{arg}={default}`"),
                        vec![Edit::insert(span.end, format!("={default}"))],
                    ))),
            );
        }
    }
}

fn name_span(cx: &Context<'_>, declaration: &Declaration, name: &str) -> crate::text::Span {
    let text = &cx.file.instructions[declaration.instruction].text;
    text.span(declaration.name_end - name.len(), declaration.name_end)
}
