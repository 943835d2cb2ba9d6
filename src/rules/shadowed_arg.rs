//! `shadowed-arg`: an ENV stands between the lane argument and its use.

use crate::finding::{Finding, RuleMeta, Severity};

use super::caches::shadowing_env;
use super::{Context, Rule};

pub(super) struct ShadowedArg;

static META: RuleMeta = RuleMeta {
    name: "shadowed-arg",
    severity: Severity::Warning,
    fix: None,
    goes_first: false,
    summary: "an ENV of the lane argument's name decides the id: what a job passes has no effect",
    doc: r"## What it does
Finds an id that refers to the lane argument where the last thing that set the name is an ENV, in the stage or in one that
it is built from.

## Why
An ENV behind an ARG beats the ARG, its default and `--build-arg` alike (measured on BuildKit 0.13); an ARG behind an ENV
beats the ENV. So every job gets the ENV's value, and they all wait for each other.

## Example
```dockerfile
FROM debian
ARG CACHE_ID=default
ENV CACHE_ID=ci
RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update
```

## Fix
None: drop the ENV, give it another name, or declare the ARG behind it. `ENV CACHE_ID=${CACHE_ID}` behind the ARG hands the
argument on, and is not reported.

## When to ignore it
Never, as long as jobs are meant to have lanes.
",
};

impl Rule for ShadowedArg {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let name = cx.settings.arg.as_str();
        for cache in cx.caches().iter().filter(|cache| cache.word.mentions(name)) {
            let Some(env) = shadowing_env(cx.file, name, cache.instruction) else {
                continue;
            };
            let line = cx.file.instructions[env.instruction].lines.0;
            let text = &cx.file.instructions[env.instruction].text;
            let span = text.span(env.name_end - name.len(), env.name_end);
            let trigger = cx.file.instructions[cache.instruction].onbuild;
            let keyword = if trigger { "ONBUILD ARG" } else { "ARG" };
            let message =
                format!("`{name}` is the ENV of line {line} here: what a job passes has no effect");
            findings.push(
                Finding::new(&META, cache.mount.id_span(), message)
                    .help(format!(
                        "drop the ENV or rename it, or put `{keyword} {name}={}` behind it",
                        cx.settings.default
                    ))
                    .label(span, "this value wins"),
            );
        }
    }
}
