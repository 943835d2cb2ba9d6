//! Plans the ARG lines for a name: the caches that get it, and the declarations they need.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::dockerfile::Declaration;
use crate::fix::Applicability;
use crate::rules::caches::Cache;
use crate::rules::context::Context;
use crate::rules::eligibility::{gets_lane, goes_along, lacks_lane, may_change, obstacle};
use crate::rules::plan::{Declaring, Plan, Refusal};
use crate::rules::variables::needs_default;

use super::lines::{Ids, Lines};
use super::names::used_elsewhere;

impl Context<'_> {
    /// Returns the declaration that makes `name` visible at instruction `index`; `None` where it is visible.
    ///
    /// One line serves all RUNs of the stage that refer to the name, or will after fixes up to `level`.
    pub fn declaring(
        &self,
        name: &str,
        index: usize,
        level: Applicability,
    ) -> Option<Rc<Declaring>> {
        self.plan(name, level).needs.get(&index).cloned()
    }

    /// Returns whether `cache` is the first of its mounts with a fix up to `level` that puts `name` into its id.
    pub fn is_first(&self, cache: &Cache<'_>, name: &str, level: Applicability) -> bool {
        let plan = self.plan(name, level);
        let first = plan.first.get(&cache.group);
        first.is_some_and(|first| std::ptr::eq(self.caches()[*first].mount, cache.mount))
    }

    /// Returns the mounts that get `name` into their ids along with `cache`, whose lock serves them.
    pub fn served(&self, cache: &Cache<'_>, name: &str) -> impl Iterator<Item = &Cache<'_>> {
        let serves = name == self.settings.arg && lacks_lane(self.settings, cache);
        self.guarded(cache)
            .filter(move |other| serves && may_change(self, other, &self.settings.arg))
    }

    /// Returns why `cache` gets no `name` into its id by a fix up to `level`.
    pub fn refused(&self, cache: &Cache<'_>, name: &str, level: Applicability) -> Option<String> {
        let plan = self.plan(name, level);
        if plan.first.contains_key(&cache.group) {
            return None;
        }
        let Some(refusal) = plan.refused.get(&cache.group) else {
            return obstacle(self, cache, name);
        };
        let (other, reason) = (&self.caches()[refusal.at], &refusal.reason);
        if std::ptr::eq(other.mount, cache.mount) {
            return Some(reason.clone());
        }
        let line = self.line(other.instruction);
        Some(format!(
            "line {line} uses this cache, too, and gets no lane: {reason}"
        ))
    }

    /// Returns whether `name` is used outside of cache ids in the stage of instruction `index`; for a global
    /// instruction, in any.
    pub fn used_outside_ids(&self, name: &str, index: usize) -> bool {
        let plan = self.plan(name, Applicability::Safe);
        match self.file.stage_of(index) {
            Some(stage) => plan.elsewhere.are_behind(stage, index + 1),
            None => plan.elsewhere.any(),
        }
    }

    /// Returns whether the file uses `name` outside of cache ids, so that passing it may change the image.
    pub fn used_by_builds(&self, name: &str) -> bool {
        self.plan(name, Applicability::Safe).elsewhere.any()
    }

    /// Returns whether a safe fix moves the line `declaration` up and gives it the default that it lacks.
    pub(super) fn moves_with_default(&self, name: &str, declaration: &Declaration) -> bool {
        let line = self.line(declaration.instruction);
        let plan = self.plan(name, Applicability::Safe);
        let mut needs = plan.needs.values();
        needs.any(|need| {
            let old = need.moves.as_ref().filter(|_| need.late == Some(line));
            old.is_some_and(|old| *old != need.line)
        })
    }

    fn plan(&self, name: &str, level: Applicability) -> Rc<Plan> {
        self.plan_or(name, level, || plan(self, name, level))
    }
}

fn plan(cx: &Context<'_>, name: &str, level: Applicability) -> Plan {
    let mut first = wanted(cx, name, level);
    let mut refused: HashMap<usize, Refusal> = HashMap::new();
    for (at, cache) in cx.caches().iter().enumerate() {
        let takes = first.contains_key(&cache.group)
            && (goes_along(cx, cache, name) || gets_lane(cx, cache, name, level));
        if let Some(reason) = takes.then(|| obstacle(cx, cache, name)).flatten() {
            let refusal = Refusal { at, reason };
            refused.entry(cache.group).or_insert(refusal);
        }
    }
    first.retain(|key, _| !refused.contains_key(key));
    let goes_along =
        |cache: &Cache<'_>| first.contains_key(&cache.group) && goes_along(cx, cache, name);
    let refers = |cache: &&Cache<'_>| cache.word.mentions(name) || goes_along(cache);
    let uses = cx.caches().iter().filter(refers);
    let mut uses: Vec<usize> = uses.map(|cache| cache.instruction).collect();
    uses.dedup();
    let own = cx.own_default(name);
    // For builds that pass nothing, only a bare ARG changes nothing. Where the file has a default for the mounts of one
    // stage, those of another get it too, to stay one cache.
    let short = |cache: &&Cache<'_>| {
        if cx.settings.keeps_id(name) {
            own.is_some() && goes_along(cache)
        } else {
            goes_along(cache) || needs_default(&cache.word, name)
        }
    };
    let short = cx.caches().iter().filter(short);
    let short = short.map(|cache| cache.instruction).collect();
    let keeping = |cache: &&Cache<'_>| {
        cache.word.mentions(name) && !needs_default(&cache.word, name) && !goes_along(cache)
    };
    let keeping = cx.caches().iter().filter(keeping);
    let keeping = keeping.map(|cache| cache.instruction).collect();
    let default = (name == cx.settings.arg).then_some(cx.settings.default.as_str());
    let lines = Lines::new(
        cx.file,
        name,
        default,
        own.as_deref(),
        Ids { short, keeping },
        used_elsewhere(cx, name),
    );
    let (needs, elsewhere) = lines.plan(&uses);
    Plan {
        needs,
        elsewhere,
        first,
        refused,
    }
}

/// Returns the caches with a fix up to `level` that puts `name` into their ids, each with its first mount; folders that
/// another lock serves are included.
fn wanted(cx: &Context<'_>, name: &str, level: Applicability) -> HashMap<usize, usize> {
    let mut first: HashMap<usize, usize> = HashMap::new();
    let mut served = HashSet::new();
    for (index, cache) in cx.caches().iter().enumerate() {
        if !gets_lane(cx, cache, name, level) {
            continue;
        }
        first.entry(cache.group).or_insert(index);
        served.extend(cx.served(cache, name).map(|other| other.group));
    }
    for (index, cache) in cx.caches().iter().enumerate() {
        if served.contains(&cache.group) {
            first.entry(cache.group).or_insert(index);
        }
    }
    first
}
