//! Caches that their tools need for themselves, and the locks that keep other builds out.

use std::rc::Rc;
use std::sync::Arc;

use crate::budget;
use crate::dockerfile::Sharing;
use crate::finding::{Finding, LockKey, RuleId};

use super::caches::Cache;
use super::commands::{Command, commands};
use super::context::{Context, Guards};
use super::lane::locking_help;
use super::tools::{self, Tool};

/// The limit for other RUNs that a finding names.
const MAX_OTHERS: usize = 3;

/// The label at such a place.
pub const SILENT: &str = "the same cache without a lock: what runs here may call the same tool";

impl Context<'_> {
    /// Returns the commands of the RUN `instruction`.
    pub(super) fn commands(&self, instruction: usize) -> Rc<[Command]> {
        let mut known = self.commands.borrow_mut();
        let fresh = || commands(self.file, instruction).into();
        Rc::clone(known.entry(instruction).or_insert_with(fresh))
    }

    /// Returns the tool that needs `cache` for itself, where it is mounted without a lock of its own and its RUN calls
    /// the tool.
    fn rival(&self, cache: &Cache<'_>) -> Option<&'static Tool> {
        if cache.sharing != Some(Sharing::Shared) || cache.is_readonly() {
            return None;
        }
        let tool = tools::alone(&cache.target)?;
        let mut calls = tool.calls.iter();
        let commands = self.commands(cache.instruction);
        calls
            .any(|call| commands.iter().any(|command| call.is(command)))
            .then_some(tool)
    }

    /// Returns the tool that needs `cache` for itself, where no lock keeps other builds out: its own, or one that every
    /// RUN with the cache and the tool holds. The lock of a lane keeps out only builds of that lane.
    pub(super) fn unguarded(&self, cache: &Cache<'_>) -> Option<&'static Tool> {
        let tool = self.rival(cache)?;
        self.locks_beside(cache).is_empty().then_some(tool)
    }

    /// Returns the mounts without lock and lane that the lock of `cache` keeps other builds from.
    pub(super) fn guarded(&self, cache: &Cache<'_>) -> impl Iterator<Item = &Cache<'_>> {
        let is_open = |other: &Cache<'_>| !other.is_isolated && self.rival(other).is_some();
        let beside = self.run(cache.instruction).iter();
        beside.filter(move |other| {
            cache.is_locked()
                && budget::spend(1)
                && is_open(other)
                && self.locks_beside(other).contains(&cache.key)
        })
    }

    /// Returns the locks that every RUN with `cache` and its tool holds.
    fn locks_beside(&self, cache: &Cache<'_>) -> &[Arc<LockKey>] {
        let guards = self.guards.get_or_init(|| {
            let mut guards = Guards::new();
            for cache in self
                .caches()
                .iter()
                .filter(|cache| self.rival(cache).is_some())
            {
                let run = self.run(cache.instruction);
                budget::spend(run.len());
                let locks = run
                    .iter()
                    .filter(|lock| lock.is_locked() && (cache.is_isolated || !lock.is_isolated));
                let locks: Vec<_> = locks.map(|lock| Arc::clone(&lock.key)).collect();
                guards
                    .entry(Arc::clone(&cache.key))
                    .and_modify(|common| {
                        budget::spend(common.len() * locks.len());
                        common.retain(|lock| locks.contains(lock));
                    })
                    .or_insert(locks);
            }
            guards
        });
        guards.get(&cache.key).map_or(&[], Vec::as_slice)
    }

    /// Returns whether no two RUNs use `cache` at once: each job has a builder of its own, and one stage alone mounts it.
    pub(super) fn is_alone(&self, cache: &Cache<'_>) -> bool {
        let stage = |cache: &Cache<'_>| self.file.stage_of(cache.instruction);
        let own = stage(cache);
        self.settings.has_own_builders() && self.same_cache(cache).all(|other| stage(other) == own)
    }

    /// Returns the unguarded caches that `rule` is about, each with its finding.
    pub(super) fn unguarded_by(&self, rule: RuleId) -> impl Iterator<Item = (&Cache<'_>, Finding)> {
        self.caches().iter().filter_map(move |cache| {
            let tool = self.unguarded(cache).filter(|tool| tool.rule == rule)?;
            if self.is_alone(cache) {
                return None;
            }
            let finding = Finding::new(rule, cache.option_span("target"), tool.fails)
                .help(locking_help(self, cache));
            Some((cache, self.name_others(finding, cache)))
        })
    }

    /// Names the other RUNs that use `cache` without a lock, though they show no call of its tool; the first finding
    /// about a cache names them.
    fn name_others(&self, mut finding: Finding, cache: &Cache<'_>) -> Finding {
        let mut found = self
            .same_cache(cache)
            .filter(|other| self.unguarded(other).is_some());
        if !found
            .next()
            .is_some_and(|first| std::ptr::eq(first.mount, cache.mount))
        {
            return finding;
        }
        let is_other =
            |other: &&Cache<'_>| other.instruction != cache.instruction && self.is_silent(other);
        for other in self.same_cache(cache).filter(is_other).take(MAX_OTHERS) {
            finding = finding.label(other.option_span("target"), SILENT);
        }
        // Those of other files are named when the files are compared.
        finding.about(Arc::clone(&cache.key))
    }

    /// Returns whether its RUN uses `cache` without a lock, and shows no call of a tool that needs it for itself.
    pub fn is_silent(&self, cache: &Cache<'_>) -> bool {
        cache.sharing == Some(Sharing::Shared)
            && !cache.is_readonly()
            && self.rival(cache).is_none()
    }
}
