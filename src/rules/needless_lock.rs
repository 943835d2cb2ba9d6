//! `needless-lock`: a lock on a cache that is made for several users at once.

use crate::dockerfile::Sharing;
use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::Applicability;

use super::unlock::{bare_key, unlock};
use super::{Cache, Context, Rule};

pub(super) struct NeedlessLock;

static META: RuleMeta = RuleMeta {
    name: "needless-lock",
    severity: Severity::Info,
    fix: Some(Applicability::Unsafe),
    goes_first: true,
    summary: "a lock on a cache whose tool needs none",
    doc: r"## What it does
Finds `sharing=locked` on a cache whose tool says of itself that several processes may use it at once:

| Cache | Who says so |
|---|---|
| Go's build cache (`…/.cache/go-build`) | `go help cache` |
| Go's module cache (`…/pkg/mod`) | Go Modules Reference, section Module cache |
| uv (`…/.cache/uv`) | uv documentation, Caching, section Cache safety |
| npm (`…/.npm`) | npm's cacache, README |
| ccache (`…/.ccache`, `…/.cache/ccache`) | ccache manual, section Sharing a cache |

Not in the list, on purpose: sccache (its documentation says that two servers on one local cache race and break builds),
pip (parallel installs on one cache have failed, pypa/pip issues 9470 and 12361), cargo's registry and Gradle (both fail in
practice), pnpm and yarn (their documentation does not say).

## Why
Without the lock nobody waits, with or without lanes, and all jobs fill one cache.

## Example
```dockerfile
RUN --mount=type=cache,target=/root/.cache/go-build,sharing=locked go build ./...
```

## Fix
Unsafe, since only you know what else the RUN does there: `sharing=locked` goes, and a lane behind the id with it. It goes
before other fixes: what is not locked needs no lane.

## When to ignore it
When the RUN itself writes to the folder, beside the tool.
",
};

impl Rule for NeedlessLock {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        for cache in cx
            .caches()
            .iter()
            .filter(|cache| cache.sharing == Some(Sharing::Locked))
        {
            let Some(tool) = cache.concurrent_tool() else {
                continue;
            };
            // Where the same cache is mounted for something else, too, only that can say.
            if cx
                .same_cache(cache)
                .any(|other| other.concurrent_tool().is_none())
            {
                continue;
            }
            let span = cache
                .mount
                .field("sharing")
                .map_or(cache.mount.span, |field| cache.mount.value_span(field));
            let isolated = cache.is_isolated;
            let who = if isolated {
                "the builds of a lane"
            } else {
                "them"
            };
            let message = format!(
                "{tool} is made for several builds at once: this lock makes {who} wait for nothing"
            );
            let help = if isolated {
                "drop `sharing=locked`; the lane does no harm then, but one cache for all jobs serves them better"
            } else {
                "drop `sharing=locked`; the id needs no lane then"
            };
            findings.push(
                Finding::new(&META, span, message)
                    .help(help)
                    .fix(kept(cx, cache).map_or_else(|| unlock(cx, cache), Err)),
            );
        }
    }
}

/// Why the lock has to stay: another mount of the same cache keeps its own, as its comment asks.
fn kept(cx: &Context<'_>, cache: &Cache<'_>) -> Option<String> {
    let keeps = |other: &&Cache<'_>| {
        other.sharing == Some(Sharing::Locked) && cx.is_suppressed(META.name, other)
    };
    // Without its lane it is one cache with those that have none.
    let bare = bare_key(cx, cache);
    let bare = bare.iter().flat_map(|key| cx.with_key(key));
    let other = cx.same_cache(cache).chain(bare).find(keeps)?;
    let line = cx.file.instructions[other.instruction].lines.0;
    Some(format!(
        "the same cache stays locked on line {line}, and two modes on one id lose it under contention"
    ))
}
