//! A file, as rules see it.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::budget;
use crate::dockerfile::{Declaration, Dockerfile, Instruction, Keyword};
use crate::finding::{Finding, LockKey, RuleId};
use crate::fix::Applicability;
use crate::suppress::{Ignore, Table};
use crate::text::Span;

use super::caches::{self, Cache};
use super::commands::Command;
use super::plan::Plan;
use super::settings::Settings;
use super::values::Values;

/// For each cache that is mounted without a lock where its tool is called, the locks beside it in all of those RUNs.
pub(super) type Guards = HashMap<Arc<LockKey>, Vec<Arc<LockKey>>>;

/// A file with its settings, and what several rules ask about it, found once.
pub struct Context<'a> {
    pub file: &'a Dockerfile<'a>,
    /// The settings for the file.
    pub settings: &'a Settings,
    caches: OnceCell<Vec<Cache<'a>>>,
    /// The mounts of each group of caches.
    groups: OnceCell<Vec<Vec<usize>>>,
    keys: OnceCell<HashMap<Arc<LockKey>, Vec<usize>>>,
    plans: RefCell<HashMap<(String, Applicability), Rc<Plan>>>,
    fills_in: OnceCell<bool>,
    /// The commands of RUNs, by instruction.
    pub(super) commands: RefCell<HashMap<usize, Rc<[Command]>>>,
    pub(super) guards: OnceCell<Guards>,
    values: OnceCell<Values<'a>>,
    ignores: Option<Table<'a>>,
    /// The numbers of mounts whose cache gets a lane in another file.
    along: BTreeSet<usize>,
}

impl<'a> Context<'a> {
    pub fn new(file: &'a Dockerfile<'a>, settings: &'a Settings) -> Self {
        Self {
            file,
            settings,
            caches: OnceCell::new(),
            groups: OnceCell::new(),
            keys: OnceCell::new(),
            plans: RefCell::default(),
            fills_in: OnceCell::new(),
            commands: RefCell::default(),
            guards: OnceCell::new(),
            values: OnceCell::new(),
            ignores: None,
            along: BTreeSet::new(),
        }
    }

    /// Adds the suppressions of the file: a suppressed finding is not fixed along with others.
    pub fn with_ignores(mut self, ignores: &'a [Ignore]) -> Self {
        self.ignores = (!ignores.is_empty()).then(|| Table::new(ignores));
        self
    }

    /// Adds the numbers of mounts whose cache gets a lane in another file: they get it, too.
    pub fn with_along(mut self, along: impl IntoIterator<Item = usize>) -> Self {
        self.along.extend(along);
        self
    }

    /// Returns whether the cache gets a lane in another file.
    pub fn is_along(&self, cache: &Cache<'_>) -> bool {
        self.along.contains(&cache.number)
    }

    /// Returns whether a comment suppresses `rule` for `cache`, or the configuration exempts the cache from it.
    pub fn is_suppressed(&self, rule: RuleId, cache: &Cache<'_>) -> bool {
        let table = self.ignores.as_ref();
        cache.is_exempt(rule)
            || table.is_some_and(|table| table.suppressing(rule, cache.mount.id_span()).is_some())
    }

    /// Returns whether `finding` is about a cache that is exempt from its rule.
    pub fn is_exempt(&self, finding: &Finding) -> bool {
        let at = finding.span.start;
        let after = self
            .caches()
            .partition_point(|cache| cache.mount.span.start <= at);
        let cache = after.checked_sub(1).map(|index| &self.caches()[index]);
        cache.is_some_and(|cache| at < cache.mount.span.end && cache.is_exempt(finding.rule))
    }

    /// Returns whether `rule` runs and is not suppressed for `cache`.
    pub fn may_speak(&self, rule: RuleId, cache: &Cache<'_>) -> bool {
        self.settings.is_on(rule) && !self.is_suppressed(rule, cache)
    }

    /// Returns the cache mounts of the file that BuildKit accepts, in order.
    pub fn caches(&self) -> &[Cache<'a>] {
        self.caches
            .get_or_init(|| caches::find(self.file, self.settings))
    }

    /// Returns the cache mounts of the RUN `instruction`.
    pub(super) fn run(&self, instruction: usize) -> &[Cache<'a>] {
        let caches = self.caches();
        let start = caches.partition_point(|cache| cache.instruction < instruction);
        let end = caches.partition_point(|cache| cache.instruction <= instruction);
        &caches[start..end]
    }

    pub fn line(&self, index: usize) -> usize {
        self.file.instructions[index].lines.0
    }

    pub fn name_span(&self, declaration: &Declaration, name: &str) -> Span {
        let end = declaration.name_end;
        let text = &self.file.instructions[declaration.instruction].text;
        text.span(end - name.len(), end)
    }

    /// Returns whether the file is a template whose engine expands `${…}` itself, as Mako and Terraform do: both have
    /// lines that begin with `%`.
    pub fn fills_in(&self) -> bool {
        let is_tag =
            |i: &Instruction<'_>| i.keyword == Keyword::Opaque && i.text.bytes().starts_with(b"%");
        *self
            .fills_in
            .get_or_init(|| self.file.instructions.iter().any(is_tag))
    }

    /// Returns the plan for `name` up to `level`, made by `make` the first time.
    pub(super) fn plan_or(
        &self,
        name: &str,
        level: Applicability,
        make: impl FnOnce() -> Plan,
    ) -> Rc<Plan> {
        let key = (name.to_owned(), level);
        if let Some(plan) = self.plans.borrow().get(&key) {
            return Rc::clone(plan);
        }
        // The plans of others may be asked for while this one is made.
        let plan = Rc::new(make());
        self.plans.borrow_mut().insert(key, Rc::clone(&plan));
        plan
    }

    pub(super) fn values(&self) -> &Values<'a> {
        self.values
            .get_or_init(|| Values::new(self.file, self.settings))
    }

    /// Returns the mounts of the file that are one cache with `cache` in some build, itself included.
    pub fn same_cache(&self, cache: &Cache<'_>) -> impl Iterator<Item = &Cache<'a>> + Clone {
        let groups = self.groups.get_or_init(|| {
            let mut groups = vec![Vec::new(); self.caches().len()];
            for (index, cache) in self.caches().iter().enumerate() {
                groups[cache.group].push(index);
            }
            groups
        });
        groups[cache.group]
            .iter()
            .take_while(|_| budget::spend(1))
            .map(|index| &self.caches()[*index])
    }

    /// Returns the mounts with the identity `key`.
    pub fn with_key(&self, key: &LockKey) -> impl Iterator<Item = &Cache<'a>> {
        let keys = self.keys.get_or_init(|| {
            let mut keys: HashMap<Arc<LockKey>, Vec<usize>> = HashMap::new();
            for (index, cache) in self.caches().iter().enumerate() {
                keys.entry(Arc::clone(&cache.key)).or_default().push(index);
            }
            keys
        });
        let same = keys.get(key).into_iter().flatten();
        let same = same.take_while(|_| budget::spend(1));
        same.map(|index| &self.caches()[*index])
    }
}
