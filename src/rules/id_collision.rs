//! `id-collision`: one id for different contents.

use std::collections::BTreeMap;

use crate::finding::{Finding, LockKey, RuleMeta, Severity};
use crate::fix::{Applicability, Edit, Fix};
use crate::index::{Index, Located, Point, Spread};

use super::Rule;

pub(super) struct IdCollision;

static META: RuleMeta = RuleMeta {
    name: "id-collision",
    severity: Severity::Error,
    fix: Some(Applicability::Unsafe),
    goes_first: false,
    summary: "one id for different contents: their files end up in one directory",
    doc: r"## What it does
Finds one cache id at two different targets of one RUN, and, over all files of the run, one id for two kinds of content:
apt's archives and its lists, pip's cache and npm's.

## Why
An id is one directory. At two targets of one RUN it is seen twice (measured on BuildKit 0.13): apt's archives and lists
get mixed, and a RUN that cleans one cleans both.

## Example
```dockerfile
RUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,id=apt,target=/var/lib/apt,sharing=locked \
    apt-get update
```

## Fix
Unsafe, since the renamed cache starts cold: as much of the target's end as sets it apart is put behind the id, here
`apt-lib-apt`.

## When to ignore it
Never for two targets of one RUN. The same kind of cache in another home (`/root/.cache/pip`, `/home/app/.cache/pip`) is no
collision and not reported.
",
};

/// Kinds of content, by how the target ends or starts.
const KINDS: &[(&str, &str)] = &[
    ("apt's archives", "/var/cache/apt"),
    ("apt's lists", "/var/lib/apt"),
    ("pip's cache", "/.cache/pip"),
    ("uv's cache", "/.cache/uv"),
    ("npm's cache", "/.npm"),
    ("yarn's cache", "/.cache/yarn"),
    ("pnpm's store", "/pnpm/store"),
    ("Go's build cache", "/.cache/go-build"),
    ("Go's module cache", "/go/pkg/mod"),
    ("cargo's registry", "/cargo/registry"),
    ("cargo's registry", "/.cargo/registry"),
    ("cargo's git checkouts", "/cargo/git"),
    ("cargo's git checkouts", "/.cargo/git"),
    ("Maven's repository", "/.m2"),
    ("Gradle's cache", "/.gradle"),
    ("ccache's cache", "/.ccache"),
    ("dnf's cache", "/var/cache/dnf"),
    ("apk's cache", "/var/cache/apk"),
];

impl Rule for IdCollision {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn across(&self, index: &Index<'_>, findings: &mut Vec<Spread>) {
        for (_, sites) in index.ids() {
            let mut bases: BTreeMap<&LockKey, Vec<Located<'_>>> = BTreeMap::new();
            for site in sites.iter().filter(|(_, site)| site.named && site.target.is_some()) {
                bases.entry(&site.1.key).or_default().push(*site);
            }
            for sites in bases.values() {
                compare(sites, findings);
            }
        }
    }
}

/// Compares the sites of one cache: each with those of its RUN, and with the first of another kind.
fn compare(sites: &[Located<'_>], findings: &mut Vec<Spread>) {
    // The first site of the whole run keeps the id, and its kind is what the id stands for.
    let known = sites.iter().find_map(|site| Some((kind(site.1)?, *site)));
    let mut start = 0;
    for (at, (file, site)) in sites.iter().enumerate() {
        let run = |at: usize| (sites[at].0, sites[at].1.instruction);
        if run(at) != run(start) {
            start = at;
        }
        let first = sites[start];
        let in_run = first.1.target != site.target;
        let other_kind = known.filter(|(known, _)| kind(site).is_some_and(|kind| kind != *known));
        let message = match (in_run, other_kind) {
            (true, _) => {
                format!("`{}` is one directory, seen at two targets of this RUN: their files get mixed", id(site))
            }
            (false, Some((known, _))) => {
                let own = kind(site).unwrap_or_default();
                format!("`{}` holds {known} elsewhere and {own} here: their files get mixed", id(site))
            }
            (false, None) => continue,
        };
        let other = if in_run { first } else { other_kind.map_or(first, |(_, other)| other) };
        let suffix = suffix(site.target.as_deref(), other.1.target.as_deref());
        let fix = site.id_end.ok_or("the id is not written out".to_owned()).map(|end| {
            Fix::needs_review(format!("use `id={}-{suffix}`", id(site)), vec![Edit::insert(end, format!("-{suffix}"))])
        });
        let finding =
            Finding::new(&META, site.span, message).help(format!("write `id={}-{suffix}`", id(site))).fix(fix);
        let target = String::from_utf8_lossy(other.1.target.as_deref().unwrap_or_default()).into_owned();
        findings.push(Spread { file: *file, finding, points: vec![Point::new(other, format!("at `{target}` here"))] });
    }
}

fn id(site: &crate::index::Site) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(&site.key.id)
}

fn kind(site: &crate::index::Site) -> Option<&'static str> {
    let target = site.target.as_deref()?;
    let fits = |path: &str| {
        let path = path.as_bytes();
        let absolute = path.starts_with(b"/var/");
        if absolute {
            target.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        } else {
            target.ends_with(path)
        }
    };
    KINDS.iter().find(|(_, path)| fits(path)).map(|(kind, _)| *kind)
}

/// As many of the last parts of `target` as set it apart from `other`, joined by `-`: of `/var/lib/apt` beside
/// `/var/cache/apt` it takes `lib-apt`.
fn suffix(target: Option<&[u8]>, other: Option<&[u8]>) -> String {
    let parts = |path: Option<&[u8]>| -> Vec<String> {
        let text = String::from_utf8_lossy(path.unwrap_or_default()).into_owned();
        text.split('/').filter(|part| !part.is_empty()).map(|part| part.trim_start_matches('.').to_owned()).collect()
    };
    let (own, other) = (parts(target), parts(other));
    let end = |parts: &[String], n: usize| parts[parts.len().saturating_sub(n)..].join("-");
    let needed = (1..=own.len()).find(|&n| end(&own, n) != end(&other, n)).unwrap_or(own.len());
    let plain = |ch: char| ch.is_ascii_alphanumeric() || "-_.".contains(ch);
    end(&own, needed).chars().filter(|ch| plain(*ch)).collect()
}
