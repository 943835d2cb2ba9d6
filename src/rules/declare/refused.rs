//! Caches that get no lane: all mounts of a cache get one or none, since a RUN whose cache is another one by then loses what
//! the others have fetched; and no two caches become one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bstr::ByteSlice as _;

use crate::finding::LockKey;
use crate::rules::caches::Cache;
use crate::rules::context::Context;
use crate::rules::lane::{lane_keys, obstacle};

/// Why a cache gets no lane.
#[derive(Debug)]
pub(in crate::rules) struct Refusal {
    /// The mount that is in the way, by its place among the caches.
    pub at: usize,
    /// What is, for people.
    pub reason: String,
}

/// Which of the caches that `first` names, each by its key and with the first of its mounts, get no `name` into their ids.
/// `takes` says whether a mount of such a cache would.
pub(super) fn refused(
    cx: &Context<'_>,
    name: &str,
    first: &HashMap<Arc<LockKey>, usize>,
    takes: impl Fn(&Cache<'_>) -> bool,
) -> HashMap<Arc<LockKey>, Refusal> {
    let mut refused: HashMap<Arc<LockKey>, Refusal> = HashMap::new();
    let mut refuse = |key: &Arc<LockKey>, at: usize, reason: String| {
        refused
            .entry(Arc::clone(key))
            .or_insert(Refusal { at, reason });
    };
    let caches = cx.caches();
    let (mut named, mut varied) = (false, Vec::new());
    for (at, cache) in caches.iter().enumerate() {
        if cache.word.mentions(name) {
            named = true;
        } else if cache.word.has_variable() && !cache.is_isolated {
            varied.push(at);
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
            refuse(
                key,
                at,
                format!("line {line} has another cache of that id: give this one an id of its own"),
            );
        }
    }
    for at in varied {
        let cache = &caches[at];
        let value = cache
            .word
            .expand(&mut |name| cx.file.default_value(name, cache.instruction));
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            continue;
        };
        let usual = LockKey {
            id: value,
            values: Vec::new(),
            base: cache.key.base.clone(),
        };
        if let Some((key, _)) = first
            .get_key_value(&usual)
            .filter(|_| !first.contains_key(&cache.key))
        {
            let (id, line) = (cache.id(), cx.file.instructions[cache.instruction].lines.0);
            let reason = format!(
                "`{id}` on line {line} is the same in most builds, and gets no lane: give both one id"
            );
            refuse(key, first[key], reason);
        }
    }
    refused
}

/// The line of a mount whose id is the one that `cache` would get, where that is another cache by its targets.
fn taken(cx: &Context<'_>, cache: &Cache<'_>, name: &str) -> Option<usize> {
    let keys = lane_keys(cx, cache, name);
    let there = keys.iter().flat_map(|key| cx.with_key(key));
    let one = there.clone().next()?;
    let targets: HashSet<&[u8]> = there.map(|other| other.target.as_bytes()).collect();
    let mut own = cx.same_cache(cache);
    let same = own.any(|cache| targets.contains(cache.target.as_bytes()));
    (!same).then(|| cx.file.instructions[one.instruction].lines.0)
}
