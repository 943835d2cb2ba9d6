//! `platform-lock`: the platforms of one build wait for each other.

use memchr::memmem::Finder;

use crate::dockerfile::Keyword;
use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::Applicability;

use super::declare::count_word;
use super::platforms::lacks_platform;
use super::{Context, Rule};

pub(super) struct PlatformLock;

static META: RuleMeta = RuleMeta {
    name: "platform-lock",
    severity: Severity::Info,
    fix: Some(Applicability::Unsafe),
    goes_first: false,
    summary: "a multi-platform build locks one id for all platforms: they wait, and mix their files",
    doc: r"## What it does
Finds a locked id that names no platform, in a file that is built for several: one that uses `TARGETARCH`,
`TARGETPLATFORM` or `BUILDPLATFORM`.

## Why
The platforms of one build are stages side by side, and one locked id makes them run one after the other (measured with
two stages of one build on BuildKit 0.13: twice the time of one with one id, the time of one with two). A lane does not
help: it is the same for all platforms of a job. And the files of one architecture end up in the cache of the other.

## Example
```dockerfile
FROM debian
ARG TARGETARCH
RUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked apt-get install gcc-$TARGETARCH
```

## Fix
Unsafe, since every platform starts with a cold cache: `-${TARGETARCH}` behind the id, and a bare `ARG TARGETARCH` above the
RUN where it is not visible.

## When to ignore it
When the cache holds nothing that depends on the platform, and its RUN is short. A stage that is pinned to the build
platform and sees no target platform runs once for all of them, and is not reported. With the profile `railway` in
`cachelane.toml` the rule is off: ids hold no variables there.
",
};

impl Rule for PlatformLock {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        if !is_multi_platform(cx) {
            return;
        }
        for cache in cx.caches().iter().filter(|cache| lacks_platform(cx, cache)) {
            let id = cache.id();
            let message = format!(
                "the platforms of one build wait for each other here, and mix their files in `{id}`"
            );
            let mut help = format!("write `id={id}-${{TARGETARCH}}`");
            if let Some(need) = cx.declaring("TARGETARCH", cache.instruction, Applicability::Unsafe)
            {
                help.push_str(&format!(", and {}", need.advice()));
            }
            findings.push(
                Finding::new(&META, cache.mount.id_span(), message)
                    .help(help)
                    .fix(cx.part_platforms(cache)),
            );
        }
    }
}

/// Whether the file says that it is built for several platforms.
fn is_multi_platform(cx: &Context<'_>) -> bool {
    let names = ["TARGETARCH", "TARGETPLATFORM", "BUILDPLATFORM"].map(Finder::new);
    if names.iter().all(|name| name.find(cx.file.source).is_none()) {
        return false;
    }
    let known = cx
        .file
        .instructions
        .iter()
        .filter(|i| i.keyword != Keyword::Opaque);
    known.into_iter().any(|i| {
        names
            .iter()
            .any(|name| count_word(i.text.bytes(), name) > 0)
    })
}
