//! `old-frontend`: a pinned Dockerfile frontend that does not expand variables in ids.

use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::Applicability;

use super::frontend::Frontend;
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
by digest or comes from another registry.

## When to ignore it
When the pinned frontend is a patched one that expands ids.
",
};

impl Rule for OldFrontend {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let Some((frontend, span)) = Frontend::old(cx.file) else { return };
        let Some(cache) = cx.caches().iter().find(|cache| cache.word.has_variable()) else { return };
        let message =
            format!("this frontend does not expand variables: every job uses the literal id `{}`", cache.id());
        findings.push(
            Finding::new(&META, span, message)
                .help(frontend.advice())
                .label(cache.mount.id_span(), "this id")
                .fix(frontend.newer(cx.file, span)),
        );
    }
}
