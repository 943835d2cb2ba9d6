//! `private-cache`: builds that overlap start with an empty directory.

use crate::dockerfile::Sharing;
use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::Applicability;

use super::lane::{locked_lane, takes_variables};
use super::unlock::drop_sharing;
use super::{Context, Rule};

pub(super) struct PrivateCache;

static META: RuleMeta = RuleMeta {
    name: "private-cache",
    severity: Severity::Info,
    fix: Some(Applicability::Unsafe),
    goes_first: false,
    summary: "sharing=private: builds that overlap start with an empty cache",
    doc: r"## What it does
Finds `sharing=private`.

## Why
A private cache is used again by the next build as long as nobody holds it; a build that overlaps with another gets an
empty directory (measured on BuildKit 0.13). So the cache is cold just when there is most to do. A locked one with a lane
per job keeps the reuse, and no job waits for another.

## Example
```dockerfile
RUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=private apt-get update
```

## Fix
Unsafe, since builds of one lane will wait for each other: `sharing=locked` and an isolated id. A cache whose tool is made
for several processes at once (see `needless-lock`) is shared instead. With `namespace = true` or the profile `railway` in
`cachelane.toml` the id stays as it is.

## When to ignore it
When a cold start is better than any wait.
",
};

impl Rule for PrivateCache {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        for cache in cx
            .caches()
            .iter()
            .filter(|cache| cache.sharing == Some(Sharing::Private))
        {
            let span = cache
                .mount
                .field("sharing")
                .map_or(cache.mount.span, |field| cache.mount.value_span(field));
            let message = format!(
                "a build that overlaps with another starts with `{}` empty",
                cache.id()
            );
            if let Some(tool) = cache.concurrent_tool() {
                let help =
                    format!("drop `sharing=private`: {tool} is made for several builds at once");
                let fix = drop_sharing(cx.file, cache);
                findings.push(Finding::new(&META, span, message).help(help).fix(fix));
                continue;
            }
            let wait = if takes_variables(cx.settings) {
                "no job waits for another"
            } else {
                "builds that overlap wait for one another"
            };
            let help = format!(
                "write `{}`: it keeps the cache, and {wait}",
                locked_lane(cx, cache)
            );
            findings.push(
                Finding::new(&META, span, message)
                    .help(help)
                    .fix(cx.lock_and_isolate(cache)),
            );
        }
    }
}
