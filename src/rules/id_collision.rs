//! `id-collision`: one id for different contents.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::budget;
use crate::finding::{Finding, RuleId};
use crate::fix::{Edit, Fix};
use crate::index::{CacheMount, Index, MountFindings};

use super::tools::content;

pub(super) fn check(index: &Index<'_>, findings: &mut [Vec<Finding>]) {
    let mut found = MountFindings::default();
    for shared in index.shared_ids() {
        for mounts in shared.caches(|mount| mount.target.is_some()) {
            // Each folder of a cache has files of its own.
            let mut folders: BTreeMap<Option<&[u8]>, Vec<&CacheMount>> = BTreeMap::new();
            for mount in mounts {
                let folder = folders.entry(mount.source.as_deref());
                folder.or_default().push(mount);
            }
            for mounts in folders.values() {
                compare(index, shared.when(), mounts, &mut found);
            }
        }
    }
    found.add_to(findings);
}

/// Compares the mounts of one cache. One target keeps the id; the others get ids by target, the same everywhere, so that
/// RUNs that shared a cache still do.
fn compare(index: &Index<'_>, when: &str, mounts: &[&CacheMount], found: &mut MountFindings) {
    // A mount whose id is its target cannot give it up.
    let is_target = |mount: &&&CacheMount| !mount.named || mount.became.is_empty;
    let Some(keeper) = mounts.iter().find(is_target).or(mounts.first()) else {
        return;
    };
    if mounts.iter().all(|mount| mount.target == keeper.target) {
        return;
    }
    let keeper = mounts
        .iter()
        .find(|mount| kind(mount).is_some() && kind(keeper).is_none())
        .unwrap_or(keeper);
    let (kept_id, kept) = (String::from_utf8_lossy(&keeper.key.id), target(keeper));
    let kept_kind = kind(keeper);
    let other_kind =
        |mount: &CacheMount| kind(mount).zip(kept_kind).filter(|(own, kept)| own != kept);
    let mut colliding: BTreeSet<&[u8]> = BTreeSet::from([kept]);
    for run in mounts.chunk_by(|a, b| (a.file, a.instruction) == (b.file, b.instruction)) {
        let targets: BTreeSet<&[u8]> = run.iter().map(|mount| target(mount)).collect();
        if targets.len() > 1 {
            colliding.extend(targets);
        }
    }
    let others = mounts.iter().filter(|mount| other_kind(mount).is_some());
    colliding.extend(others.map(|mount| target(mount)));
    let mut suffixes: HashMap<&[u8], Option<String>> = HashMap::new();
    for mount in mounts {
        let own = target(mount);
        if own == kept || !colliding.contains(own) {
            continue;
        }
        let id = String::from_utf8_lossy(&mount.key.id);
        let ids = if id == kept_id {
            format!("`{id}` is")
        } else {
            format!("`{kept_id}` and `{id}` are")
        };
        let what = match other_kind(mount) {
            Some((own, kept)) => format!("for {kept} and for {own}"),
            None => "mounted at several targets of one RUN".into(),
        };
        let message = format!("{when}{ids} one directory, {what}: their files get mixed");
        let suffix = suffixes.entry(own);
        let suffix = suffix.or_insert_with(|| suffix_of(index, &id, own, &colliding));
        let fix = match (&suffix, mount.id_end) {
            (Some(suffix), Some(end)) => Ok(Fix::needs_review(
                format!("use `id={id}-{suffix}`"),
                vec![Edit::insert(end, format!("-{suffix}"))],
            )),
            _ => Err("no name could be made of its target: give the mount an id of its own".into()),
        };
        let help = match suffix {
            Some(suffix) => format!("write `id={id}-{suffix}`"),
            None => "give the mount an id of its own".into(),
        };
        let kept = format!("at `{}` here", String::from_utf8_lossy(kept));
        let finding = Finding::new(RuleId::IdCollision, mount.span, message)
            .help(help)
            .fix(fix)
            .point(index.location(mount.file, keeper, kept));
        found.add(mount, finding);
    }
}

/// Returns the fewest last parts of `target` that separate it from all other `targets` and make a new id behind `id`:
/// for `/var/lib/apt` beside `/var/cache/apt`, `lib-apt`.
fn suffix_of(
    index: &Index<'_>,
    id: &str,
    target: &[u8],
    targets: &BTreeSet<&[u8]>,
) -> Option<String> {
    let parts = |path: &[u8]| -> Vec<String> {
        let plain = |ch: &char| ch.is_ascii_alphanumeric() || "-_.".contains(*ch);
        let text = String::from_utf8_lossy(path).into_owned();
        let parts = text.split('/').map(|part| part.trim_start_matches('.'));
        let parts = parts.map(|part| part.chars().filter(plain).collect::<String>());
        parts.filter(|part| !part.is_empty()).collect()
    };
    let end = |parts: &[String], n: usize| parts[parts.len().saturating_sub(n)..].join("-");
    if !budget::spend(targets.iter().map(|target| target.len()).sum()) {
        return None;
    }
    let own = parts(target);
    let others = targets.iter().filter(|other| **other != target);
    let others: Vec<Vec<String>> = others.map(|other| parts(other)).collect();
    let is_free = |n: &usize| {
        let suffix = end(&own, *n);
        budget::spend(others.len())
            && others.iter().all(|other| end(other, *n) != suffix)
            && !index.is_taken(&format!("{id}-{suffix}"))
    };
    (1..=own.len()).find(is_free).map(|n| end(&own, n))
}

fn target(mount: &CacheMount) -> &[u8] {
    mount.target.as_deref().unwrap_or_default()
}

fn kind(mount: &CacheMount) -> Option<&'static str> {
    content(target(mount))
}
