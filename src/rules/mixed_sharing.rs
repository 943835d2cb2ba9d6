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

    fn compares(&self) -> bool {
        true
    }

    fn across(&self, index: &Index<'_>, findings: &mut Vec<Spread>) {
        for (_, sites) in index.shared_ids() {
            if sites
                .iter()
                .all(|(_, site)| site.sharing == sites[0].1.sharing)
            {
                continue;
            }
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
    let Some(mode) = sites
        .iter()
        .map(|(_, site)| site.sharing)
        .max_by_key(|mode| strictness(*mode))
        .flatten()
    else {
        return;
    };
    let strict: Vec<Located<'_>> = sites
        .iter()
        .filter(|(_, site)| site.sharing == Some(mode))
        .copied()
        .collect();
    for (file, site) in sites.iter().filter(|(_, site)| site.sharing != Some(mode)) {
        // Within one RUN both mounts are the directory that the RUN holds: that is `id-collision`.
        let other_run = |(f, s): &&Located<'_>| (*f, s.instruction) != (*file, site.instruction);
        let Some(strict) = strict.iter().find(other_run) else {
            continue;
        };
        let (own, id) = (name(site.sharing), String::from_utf8_lossy(&site.key.id));
        let message = format!(
            "while a build holds `{id}` as {mode}, this mount ({own}) starts with an empty directory"
        );
        let unknown = || {
            "a variable names the sharing mode, or a template's expression is in the way".to_owned()
        };
        let fix = site.mode_edit.ok_or_else(unknown).map(|(span, before)| {
            let edits = vec![Edit::replace(span, format!("{before}{mode}"))];
            Fix::needs_review(format!("use `sharing={mode}`"), edits)
        });
        let finding = Finding::new(&META, site.span, message)
            .help(format!("use `sharing={mode}` here too"))
            .fix(fix);
        findings.push(Spread {
            file: *file,
            finding,
            points: vec![Point::new(*strict, format!("{mode} here"))],
        });
    }
}

fn name(mode: Option<&str>) -> &str {
    match mode {
        Some("shared") | None => "shared, as by default",
        Some(mode) => mode,
    }
}
