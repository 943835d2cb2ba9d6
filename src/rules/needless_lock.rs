//! `needless-lock`: a lock on a cache that is made for several users at once.

use crate::dockerfile::Sharing;
use crate::dockerfile::mounts::clean;
use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::{Applicability, Edit, Fix};
use crate::text::Span;

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
Unsafe, since only you know what else the RUN does there: `sharing=locked` goes. It goes before other fixes: what is not
locked needs no lane.

## When to ignore it
When the RUN itself writes to the folder, beside the tool.
",
};

/// A tool, and how the folders that hold its cache end.
struct Tool {
    name: &'static str,
    folders: &'static [&'static str],
}

/// The tools whose own documentation says so; the table in the rule's text cites it.
const TOOLS: &[Tool] = &[
    Tool { name: "Go's build cache", folders: &["/.cache/go-build", "/go-build"] },
    Tool { name: "Go's module cache", folders: &["/go/pkg/mod", "${GOPATH}/pkg/mod", "$GOPATH/pkg/mod"] },
    Tool { name: "uv's cache", folders: &["/.cache/uv"] },
    Tool { name: "npm's cache", folders: &["/.npm", "/.npm/_cacache"] },
    Tool { name: "ccache's cache", folders: &["/.ccache", "/.cache/ccache"] },
];

impl Rule for NeedlessLock {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        for cache in cx.caches().iter().filter(|cache| cache.sharing == Some(Sharing::Locked)) {
            let Some(tool) = tool_of(cache) else { continue };
            let span = cache.mount.field("sharing").map_or(cache.mount.span, |field| cache.mount.value_span(field));
            let message =
                format!("{} is made for several builds at once: this lock makes them wait for nothing", tool.name);
            findings.push(
                Finding::new(&META, span, message)
                    .help("drop `sharing=locked`; the id needs no lane then")
                    .fix(unlocked(cx, cache)),
            );
        }
    }
}

fn tool_of(cache: &Cache<'_>) -> Option<&'static Tool> {
    let target = clean(&cache.mount.value("target")?);
    TOOLS.iter().find(|tool| tool.folders.iter().any(|folder| target.ends_with(folder.as_bytes())))
}

/// The fix that takes the sharing mode out of the option list, with a comma.
fn unlocked(cx: &Context<'_>, cache: &Cache<'_>) -> Result<Fix, String> {
    let mount = cache.mount;
    let fields = &mount.fields;
    let sharing: Vec<usize> = (0..fields.len()).filter(|&index| fields[index].option == Some("sharing")).collect();
    let [index] = sharing.as_slice() else { return Err("the sharing mode is given more than once".into()) };
    let span = match fields.get(index + 1) {
        Some(next) => {
            Span::new(mount.text.span(fields[*index].start, fields[*index].end).start, mount.text.source(next.start))
        }
        None if *index > 0 => {
            Span::new(fields[index - 1].next, mount.text.span(fields[*index].start, fields[*index].end).end)
        }
        None => return Err("it is the only option".into()),
    };
    if span.of(cx.file.source).iter().any(|b| matches!(b, b'"' | b'\'' | b'\n')) {
        return Err("quotes or line breaks stand in between: drop it by hand".into());
    }
    Ok(Fix::needs_review("drop `sharing=locked`", vec![Edit::delete(span)]))
}
