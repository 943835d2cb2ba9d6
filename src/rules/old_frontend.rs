//! `old-frontend`: a pinned Dockerfile frontend that does not expand variables in ids.

use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::Applicability;

use super::frontend::{Frontend, SYNTAX_LINE, is_left_open, name_one};
use super::{Context, Rule};

pub(super) struct OldFrontend;

static META: RuleMeta = RuleMeta {
    name: "old-frontend",
    severity: Severity::Error,
    fix: Some(Applicability::Unsafe),
    goes_first: false,
    summary: "the pinned frontend does not expand variables in ids: lanes silently do nothing",
    doc: r"## What it does
Finds `# syntax=docker/dockerfile:` with a version before 1.3 (also `experimental` and `1.x-experimental`) in a file with a
variable in a cache id. (Where a lock needs a lane in such a file, its fix names the newer frontend, too.)

With `require-syntax = true` in `cachelane.toml` it also finds such a file that has a FROM and no `# syntax=` line: it is
read by the engine's own frontend, which on Docker 20.10 is that old.

## Why
Variables in a mount's id are expanded since Dockerfile frontend 1.3. An older one prints the expanded text in its log but
mounts the literal id, `apt-${CACHE_ID}`, for every job (measured on Docker 20.10, whose built-in frontend is that old: two
jobs with different CACHE_ID waited for each other).

## Example
```dockerfile
# syntax=docker/dockerfile:1.2
FROM debian
ARG CACHE_ID=default
RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update
```

## Fix
Unsafe, since a newer frontend may read other things differently: `docker/dockerfile:1`. None where the frontend is pinned
by digest or comes from another registry. A file without the line gets it at the top, above other directives.

## When to ignore it
When the pinned frontend is a patched one that expands ids. `require-syntax` is for fleets with old engines: leave it off
where every engine is Docker 23 or later, or where builders cannot fetch a frontend from a registry. With
the profile `railway` the rule is off: ids hold no variables there.
",
};

impl Rule for OldFrontend {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let Some(cache) = cx.caches().iter().find(|cache| cache.word.has_variable()) else {
            return;
        };
        if cx.settings.require_syntax && is_left_open(cx.file) {
            let message = format!(
                "Docker 20.10's own frontend expands no variables: every job there uses the literal id `{}`",
                cache.id()
            );
            let help =
                format!("write `{SYNTAX_LINE}` at the top: the engine fetches that frontend then");
            findings.push(
                Finding::new(&META, cache.mount.id_span(), message)
                    .help(help)
                    .fix(name_one(cx.file)),
            );
            return;
        }
        let Some((frontend, span)) = Frontend::old(cx.file) else {
            return;
        };
        let message = format!(
            "this frontend does not expand variables: every job uses the literal id `{}`",
            cache.id()
        );
        findings.push(
            Finding::new(&META, span, message)
                .help(frontend.advice())
                .label(cache.mount.id_span(), "this id")
                .fix(frontend.newer(cx.file, span)),
        );
    }
}
