//! `split-cache`: one id that stands for several caches.

use std::collections::HashSet;

use crate::finding::{Finding, LockKey, RuleMeta, Severity};
use crate::index::{Index, Located, Point, Spread};

use super::Rule;

pub(super) struct SplitCache;

static META: RuleMeta = RuleMeta {
    name: "split-cache",
    severity: Severity::Info,
    fix: None,
    goes_first: false,
    summary: "one id with different from, uid, gid or mode: these are different caches",
    doc: r"## What it does
Finds, over all files of the run, one cache id with different `from`, `uid`, `gid` or `mode`.

## Why
These options make the directory that the cache starts as, and BuildKit keeps a cache, with a lock, for each (measured on
BuildKit 0.13: the same id with `uid=1000` is a second record). What one RUN downloads, the other does not find.

## Example
```dockerfile
RUN --mount=type=cache,id=pip,target=/root/.cache/pip pip download a
RUN --mount=type=cache,id=pip,target=/home/app/.cache/pip,uid=1000 pip install a
```

## Fix
None: use one set of options, or two ids that say what they are.

## When to ignore it
When two caches are what you want.
",
};

impl Rule for SplitCache {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn compares(&self) -> bool {
        true
    }

    fn across(&self, index: &Index<'_>, findings: &mut Vec<Spread>) {
        for (id, sites) in index.shared_ids() {
            let Some((first, rest)) = sites.split_first() else {
                continue;
            };
            let mut seen = HashSet::from([&first.1.key]);
            // One finding for each further cache, where it comes up first.
            findings.extend(
                rest.iter()
                    .filter(|site| seen.insert(&site.1.key))
                    .map(|site| split(id, *site, *first)),
            );
        }
    }
}

fn split(id: &[u8], (file, site): Located<'_>, first: Located<'_>) -> Spread {
    let id = String::from_utf8_lossy(id);
    let (own, other) = (base(&site.key), base(&first.1.key));
    let message = format!(
        "`{id}` with {own} is another cache than `{id}` with {other}: neither sees the other's files"
    );
    let finding =
        Finding::new(&META, site.span, message).help("use the same options everywhere, or two ids");
    Spread {
        file,
        finding,
        points: vec![Point::new(first, format!("with {other} here"))],
    }
}

/// The options that set a cache apart, as text.
fn base(key: &LockKey) -> String {
    let options = ["from", "uid", "gid", "mode"].iter().zip(&key.base);
    let given: Vec<String> = options
        .filter_map(|(name, value)| {
            value
                .as_ref()
                .map(|value| format!("{name}={}", String::from_utf8_lossy(value)))
        })
        .collect();
    if given.is_empty() {
        "no from, uid, gid or mode".into()
    } else {
        format!("`{}`", given.join(","))
    }
}
