//! `shadowed-arg`: an ENV stands between the lane argument and its use.

use crate::finding::{Finding, RuleId};

use super::context::Context;
use super::variables::shadowing_env;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let name = cx.settings.arg.as_str();
    for cache in cx.caches().iter().filter(|cache| cache.word.mentions(name)) {
        let Some(env) = shadowing_env(cx.file, name, cache.instruction) else {
            continue;
        };
        let line = cx.line(env.instruction);
        let trigger = cx.file.instructions[cache.instruction].onbuild;
        let keyword = if trigger { "ONBUILD ARG" } else { "ARG" };
        let message =
            format!("`{name}` is the ENV of line {line} here: what a job passes has no effect");
        findings.push(
            Finding::new(RuleId::ShadowedArg, cache.mount.id_span(), message)
                .help(format!(
                    "drop the ENV or rename it, or put `{keyword} {name}={}` above this RUN",
                    cx.settings.default
                ))
                .label(cx.name_span(env, name), "this value wins"),
        );
    }
}
