//! `unlocked-apt`: apt's caches without a lock.

use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::Applicability;

use super::lane::{locked_lane, takes_variables};
use super::{Context, Rule};

pub(super) struct UnlockedApt;

static META: RuleMeta = RuleMeta {
    name: "unlocked-apt",
    severity: Severity::Warning,
    fix: Some(Applicability::Unsafe),
    goes_first: false,
    summary: "apt's cache without a lock: parallel builds fail on apt's own",
    doc: r"## What it does
Finds a cache mount on `/var/cache/apt` or `/var/lib/apt` (or below) without `sharing=locked`, in a RUN that calls apt or
apt-get. (dpkg takes no lock in these folders.) A lock on the other folder in the same RUN serves for both, unless it has a
lane and this one has none.

## Why
apt takes locks in these folders and gives up when they are taken: a parallel build fails with `Could not get lock
/var/lib/apt/lists/lock`. Docker's own documentation asks for `sharing=locked` here.

## Example
```dockerfile
RUN --mount=type=cache,target=/var/cache/apt apt-get update
```

## Fix
Unsafe, since builds will wait instead of failing: `sharing=locked` and an isolated id, so that they wait only within a
lane. With `namespace = true` or the profile `railway` in `cachelane.toml` the id stays as it is.

## When to ignore it
When the builder never runs two builds at once. `sharing=private` is no finding: nobody shares the directory then.
",
};

impl Rule for UnlockedApt {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        for cache in cx
            .caches()
            .iter()
            .filter(|cache| cache.is_unlocked_apt(cx.file))
        {
            let target = cache
                .mount
                .field("target")
                .map_or(cache.mount.span, |field| cache.mount.value_span(field));
            let message = "parallel builds fail here with \"Could not get lock\": apt's folder is shared without one";
            let wait = match cx.settings.namespace {
                _ if !takes_variables(cx.settings) => "builds wait instead of failing",
                true => "builds of one namespace wait and others do not",
                false => "builds of one lane wait and others do not",
            };
            let help = format!("write `{}`, so that {wait}", locked_lane(cx, cache));
            findings.push(
                Finding::new(&META, target, message)
                    .help(help)
                    .fix(cx.lock_and_isolate(cache)),
            );
        }
    }
}
