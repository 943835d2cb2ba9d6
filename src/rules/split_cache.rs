//! `split-cache`: one id that stands for several caches.

use std::collections::HashSet;

use crate::budget;
use crate::finding::{Finding, LockKey, RuleId};
use crate::index::{CacheMount, Index, MountFindings};

pub(super) fn check(index: &Index<'_>, findings: &mut [Vec<Finding>]) {
    let mut found = MountFindings::default();
    for shared in index.shared_ids() {
        // One finding for each further cache, at its first mount.
        let (mut seen, mut caches) = (HashSet::new(), Vec::new());
        let mounts = shared.mounts.iter();
        for mount in mounts.filter(|mount| seen.insert(&mount.key.base)) {
            let other =
                |other: &&&CacheMount| budget::spend(1) && !has_own_seed(&mount.key, &other.key);
            if let Some(other) = caches.iter().find(other) {
                found.add(mount, split(index, shared.when(), mount, other));
            }
            caches.push(*mount);
        }
    }
    found.add_to(findings);
}

/// Returns whether both caches start as a copy of something, and not of the same: then they are two on purpose.
fn has_own_seed(a: &LockKey, b: &LockKey) -> bool {
    let ([a, ..], [b, ..]) = (&a.base, &b.base);
    a.is_some() && b.is_some() && a != b
}

fn split(index: &Index<'_>, when: &str, mount: &CacheMount, first: &CacheMount) -> Finding {
    let [id, others] = [mount, first].map(|mount| String::from_utf8_lossy(&mount.key.id));
    let (own, other) = (base(&mount.key), base(&first.key));
    let message = format!(
        "{when}`{id}` with {own} is another cache than `{others}` with {other}: neither sees the other's files"
    );
    Finding::new(RuleId::SplitCache, mount.span, message)
        .help("use the same options everywhere, or two ids")
        .point(index.location(mount.file, first, format!("with {other} here")))
}

/// Returns the options that make a cache separate, as text.
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
