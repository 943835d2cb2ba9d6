//! `split-cache`: one id that stands for several caches.

use std::collections::HashSet;

use crate::finding::{Finding, LockKey, RuleId};
use crate::index::{Index, Located};

pub(super) fn check(index: &Index<'_>, findings: &mut [Vec<Finding>]) {
    for (id, sites) in index.shared_ids() {
        let Some((first, rest)) = sites.split_first() else {
            continue;
        };
        let mut seen = HashSet::from([&first.1.key]);
        // One finding for each further cache, at its first mount.
        for site in rest.iter().filter(|site| seen.insert(&site.1.key)) {
            findings[site.0].push(split(index, id, *site, *first));
        }
    }
}

fn split(index: &Index<'_>, id: &[u8], (file, site): Located<'_>, first: Located<'_>) -> Finding {
    let id = String::from_utf8_lossy(id);
    let (own, other) = (base(&site.key), base(&first.1.key));
    let message = format!(
        "`{id}` with {own} is another cache than `{id}` with {other}: neither sees the other's files"
    );
    Finding::new(RuleId::SplitCache, site.span, message)
        .help("use the same options everywhere, or two ids")
        .point(index.location(file, first, format!("with {other} here")))
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
