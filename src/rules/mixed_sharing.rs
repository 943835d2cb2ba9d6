//! `mixed-sharing`: one id with different sharing modes.

use std::collections::BTreeMap;

use crate::finding::{Finding, LockKey, RuleMeta, Severity};
use crate::fix::{Applicability, Edit, Fix};
use crate::index::{Index, Located, Point, Spread};

use super::Rule;

pub(super) struct MixedSharing;

static META: RuleMeta = RuleMeta {
    name: "mixed-sharing",
    severity: Severity::Warning,
    fix: Some(Applicability::Unsafe),
    goes_first: false,
    summary: "one id with different sharing modes: under contention the others start empty",
    doc: r"## What it does
Finds, over all files of the run, one cache id with different sharing modes.

## Why
Beside a running holder of a locked cache, a `shared` or `private` mount of the same id gets a new, empty directory
(measured on BuildKit 0.13). So the cache is lost just when builds overlap, and nothing says so.

## Example
```dockerfile
RUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked apt-get update
RUN --mount=type=cache,id=apt,target=/var/cache/apt apt-get install -y gcc
```

## Fix
Unsafe: the strictest mode in use, for all.

## When to ignore it
When the files are never built on one builder.
",
};

impl Rule for MixedSharing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn across(&self, index: &Index<'_>, findings: &mut Vec<Spread>) {
        for (_, sites) in index.ids() {
            let mut bases: BTreeMap<&LockKey, Vec<Located<'_>>> = BTreeMap::new();
            for site in sites.iter().filter(|(_, site)| site.sharing.is_some()) {
                bases.entry(&site.1.key).or_default().push(*site);
            }
            for sites in bases.values() {
                compare(sites, findings);
            }
        }
    }
}

/// How strict a mode is.
fn strictness(mode: Option<&str>) -> u8 {
    match mode {
        Some("locked") => 2,
        Some("private") => 1,
        _ => 0,
    }
}

fn compare(sites: &[Located<'_>], findings: &mut Vec<Spread>) {
    let Some(strictest) = sites.iter().max_by_key(|(_, site)| strictness(site.sharing)) else { return };
    // The first of the strictest ones is the one to point at.
    let strictest = sites.iter().find(|(_, site)| site.sharing == strictest.1.sharing).unwrap_or(strictest);
    let mode = strictest.1.sharing.unwrap_or_default();
    for (file, site) in sites.iter().filter(|(_, site)| site.sharing != strictest.1.sharing) {
        let (own, id) = (site.sharing.unwrap_or_default(), String::from_utf8_lossy(&site.key.id));
        let message = format!("while a build holds `{id}` as {mode}, this {own} mount starts with an empty directory");
        let fix = match site.lock_edit {
            Some((span, text)) if mode == "locked" => {
                Ok(Fix::needs_review("use `sharing=locked`", vec![Edit::replace(span, text)]))
            }
            _ => Err(format!("say `sharing={mode}` by hand")),
        };
        let finding = Finding::new(&META, site.span, message).help(format!("use `sharing={mode}` here too")).fix(fix);
        findings.push(Spread { file: *file, finding, points: vec![Point::new(*strictest, format!("{mode} here"))] });
    }
}
