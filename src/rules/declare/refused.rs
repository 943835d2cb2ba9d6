//! Finds caches that get no lane: all mounts of a cache get one or none, since a RUN with another cache loses what the
//! others have fetched; and two caches never become one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bstr::ByteSlice as _;

use crate::finding::LockKey;
use crate::rules::caches::Cache;
use crate::rules::context::Context;
use crate::rules::eligibility::obstacle;
use crate::rules::plan::Refusal;

/// Returns the caches of `first` (keys with their first mounts) that get no `name` into their ids. `takes` returns
/// whether a mount of such a cache would.
pub(super) fn refused(
    cx: &Context<'_>,
    name: &str,
    first: &HashMap<Arc<LockKey>, usize>,
    takes: impl Fn(&Cache<'_>) -> bool,
) -> HashMap<Arc<LockKey>, Refusal> {
    let mut refused: HashMap<Arc<LockKey>, Refusal> = HashMap::new();
    let mut refuse = |key: &Arc<LockKey>, at: usize, reason: String| {
        let refusal = Refusal { at, reason };
        refused.entry(Arc::clone(key)).or_insert(refusal);
    };
    let caches = cx.caches();
    let (mut named, mut varied) = (false, Vec::new());
    for (at, cache) in caches.iter().enumerate() {
        if cache.word.mentions(name) {
            named = true;
        } else if cache.word.has_variable() && !cache.is_isolated {
            varied.push(cache);
        }
        if first.contains_key(&cache.key)
            && takes(cache)
            && let Some(reason) = obstacle(cx, cache, name)
        {
            refuse(&cache.key, at, reason);
        }
    }
    for (key, &at) in first.iter().filter(|_| named) {
        if let Some(line) = taken(cx, &caches[at], name) {
            let reason =
                format!("line {line} has another cache of that id: give this one an id of its own");
            refuse(key, at, reason);
        }
    }
    for cache in varied {
        let usual = |name: &str| cx.file.default_value(name, cache.instruction);
        let Some(id) = cache
            .word
            .expand(&mut { usual })
            .filter(|id| !id.is_empty())
        else {
            continue;
        };
        let usual = LockKey {
            id,
            values: Vec::new(),
            base: cache.key.base.clone(),
        };
        if let Some((key, at)) = first.get_key_value(&usual)
            && !first.contains_key(&cache.key)
        {
            let (id, line) = (cache.id(), cx.line(cache.instruction));
            let reason = format!(
                "`{id}` on line {line} is the same in most builds, and gets no lane: give both one id"
            );
            refuse(key, *at, reason);
        }
    }
    refused
}

/// Returns the line of a mount that has the future id of `cache` already, but other targets.
fn taken(cx: &Context<'_>, cache: &Cache<'_>, name: &str) -> Option<usize> {
    // Builds that pass a lane get the same id from both forms.
    let plain = cache.word.clone().with_suffix(name);
    let optional = cache.word.clone().with_optional_suffix(name);
    let keys = [plain, optional].map(|word| cx.values().key(cache.mount, &word, cache.instruction));
    let there = keys.iter().flat_map(|key| cx.with_key(key));
    let one = there.clone().next()?;
    let targets: HashSet<&[u8]> = there.map(|other| other.target.as_bytes()).collect();
    let mut own = cx.same_cache(cache);
    let same = own.any(|cache| targets.contains(cache.target.as_bytes()));
    (!same).then(|| cx.line(one.instruction))
}
