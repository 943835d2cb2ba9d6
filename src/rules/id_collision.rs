//! `id-collision`: one id for different contents.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::budget;
use crate::finding::{Finding, LockKey, RuleId};
use crate::fix::{Edit, Fix};
use crate::index::{Index, Located, Site};

use super::tools::content;

pub(super) fn check(index: &Index<'_>, findings: &mut [Vec<Finding>]) {
    for (_, sites) in index.shared_ids() {
        if sites
            .iter()
            .all(|(_, site)| site.target == sites[0].1.target)
        {
            continue;
        }
        let mut bases: BTreeMap<&LockKey, Vec<Located<'_>>> = BTreeMap::new();
        for site in sites.iter().filter(|(_, site)| site.target.is_some()) {
            bases.entry(&site.1.key).or_default().push(*site);
        }
        for sites in bases
            .values()
            .filter(|sites| sites.iter().any(|(_, site)| site.named))
        {
            compare(index, sites, findings);
        }
    }
}

/// Looks at the sites of one cache. One target keeps the id, and what collides with it is named by its own, the same
/// everywhere: so RUNs that shared a cache still do.
fn compare(index: &Index<'_>, sites: &[Located<'_>], findings: &mut [Vec<Finding>]) {
    // A mount without an id of its own cannot give its target up.
    let Some(keeper) = sites.iter().find(|(_, site)| !site.named).or(sites.first()) else {
        return;
    };
    let keeper = sites
        .iter()
        .find(|site| kind(site.1).is_some() && kind(keeper.1).is_none())
        .unwrap_or(keeper);
    let mut colliding: BTreeSet<&[u8]> = BTreeSet::new();
    for run in sites.chunk_by(|a, b| (a.0, a.1.instruction) == (b.0, b.1.instruction)) {
        let targets: BTreeSet<&[u8]> = run
            .iter()
            .filter_map(|(_, site)| site.target.as_deref())
            .collect();
        if targets.len() > 1 {
            colliding.extend(
                targets
                    .into_iter()
                    .filter(|target| Some(*target) != keeper.1.target.as_deref()),
            );
        }
    }
    let other_kind = |site: &Site| {
        kind(site)
            .zip(kind(keeper.1))
            .is_some_and(|(own, kept)| own != kept)
    };
    colliding.extend(
        sites
            .iter()
            .filter(|(_, site)| other_kind(site))
            .filter_map(|(_, site)| site.target.as_deref()),
    );
    let targets: Vec<&[u8]> = colliding
        .iter()
        .copied()
        .chain(keeper.1.target.as_deref())
        .collect();
    let mut names: HashMap<&[u8], Option<(String, String)>> = HashMap::new();
    for (file, site) in sites {
        let Some(target) = site
            .target
            .as_deref()
            .filter(|target| colliding.contains(target))
        else {
            continue;
        };
        let id = id(site);
        let message = match kind(site).zip(kind(keeper.1)) {
            Some((own, kept)) if own != kept => {
                format!("`{id}` is one directory, for {kept} and for {own}: their files get mixed")
            }
            _ => format!(
                "`{id}` is one directory, mounted at several targets of one RUN: their files get mixed"
            ),
        };
        let name = names
            .entry(target)
            .or_insert_with(|| name(index, &id, target, &targets))
            .clone();
        let fix = match (&name, site.id_end) {
            (Some((name, suffix)), Some(end)) => Ok(Fix::needs_review(
                format!("use `id={name}`"),
                vec![Edit::insert(end, format!("-{suffix}"))],
            )),
            _ => Err("no name could be made of its target: give the mount an id of its own".into()),
        };
        let help = name.map_or_else(
            || "give the mount an id of its own".into(),
            |(name, _)| format!("write `id={name}`"),
        );
        let kept =
            String::from_utf8_lossy(keeper.1.target.as_deref().unwrap_or_default()).into_owned();
        findings[*file].push(
            Finding::new(RuleId::IdCollision, site.span, message)
                .help(help)
                .fix(fix)
                .point(index.location(*file, *keeper, format!("at `{kept}` here"))),
        );
    }
}

/// The id and as many of the last parts of `target` as set it apart from all other `targets` and make a name that no
/// other mount has: of `/var/lib/apt` beside `/var/cache/apt` that is `lib-apt`. The suffix comes with it.
fn name(index: &Index<'_>, id: &str, target: &[u8], targets: &[&[u8]]) -> Option<(String, String)> {
    let parts = |path: &[u8]| -> Vec<String> {
        let plain = |ch: &char| ch.is_ascii_alphanumeric() || "-_.".contains(*ch);
        let text = String::from_utf8_lossy(path).into_owned();
        let parts = text.split('/').map(|part| {
            part.trim_start_matches('.')
                .chars()
                .filter(plain)
                .collect::<String>()
        });
        parts.filter(|part| !part.is_empty()).collect()
    };
    let end = |parts: &[String], n: usize| parts[parts.len().saturating_sub(n)..].join("-");
    let own = parts(target);
    if !budget::spend(targets.iter().map(|target| target.len()).sum()) {
        return None;
    }
    let others: Vec<Vec<String>> = targets
        .iter()
        .filter(|other| **other != target)
        .map(|other| parts(other))
        .collect();
    (1..=own.len())
        .map(|n| (n, end(&own, n)))
        .find_map(|(n, suffix)| {
            let name = format!("{id}-{suffix}");
            let free = budget::spend(others.len())
                && others.iter().all(|other| end(other, n) != suffix)
                && !index.is_taken(&name);
            free.then_some((name, suffix))
        })
}

fn id(site: &Site) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(&site.key.id)
}

fn kind(site: &Site) -> Option<&'static str> {
    content(site.target.as_deref()?)
}
