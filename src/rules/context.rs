//! One file, as rules see it.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::budget;
use crate::dockerfile::{Declaration, Dockerfile, Instruction, Keyword};
use crate::finding::{Finding, LockKey, RuleId};
use crate::fix::Applicability;
use crate::suppress::{Ignore, Table};
use crate::text::Span;

use super::caches::{self, Cache};
use super::plan::Plan;
use super::settings::Settings;
use super::values::Values;

/// One file, as rules see it.
pub struct Context<'a> {
    /// The file.
    pub file: &'a Dockerfile<'a>,
    /// The settings that hold for it.
    pub settings: &'a Settings,
    caches: OnceCell<Vec<Cache<'a>>>,
    groups: OnceCell<HashMap<Arc<LockKey>, Vec<usize>>>,
    /// A few: by a list they are found faster than by a table.
    plans: RefCell<Vec<(String, Applicability, Rc<Plan>)>>,
    fills_in: OnceCell<bool>,
    values: OnceCell<Values<'a>>,
    ignores: Option<Table<'a>>,
}

impl<'a> Context<'a> {
    /// Returns a view of `file`.
    pub fn new(file: &'a Dockerfile<'a>, settings: &'a Settings) -> Self {
        Self {
            file,
            settings,
            caches: OnceCell::new(),
            groups: OnceCell::new(),
            plans: RefCell::default(),
            fills_in: OnceCell::new(),
            values: OnceCell::new(),
            ignores: None,
        }
    }

    /// Returns it with the suppressions of the file: what is not to be reported is not to be fixed along, either.
    pub fn with_ignores(mut self, ignores: &'a [Ignore]) -> Self {
        self.ignores = (!ignores.is_empty()).then(|| Table::new(ignores));
        self
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

    /// Returns whether `rule` has a say about `cache`: it runs, and nobody suppresses it there.
    pub fn may_speak(&self, rule: RuleId, cache: &Cache<'_>) -> bool {
        self.settings.is_on(rule) && !self.is_suppressed(rule, cache)
    }

    /// Returns the cache mounts of the file that BuildKit would accept, in order.
    pub fn caches(&self) -> &[Cache<'a>] {
        self.caches
            .get_or_init(|| caches::find(self.file, self.settings))
    }

    /// Returns the 1-based line on which the instruction `index` begins.
    pub fn line(&self, index: usize) -> usize {
        self.file.instructions[index].lines.0
    }

    /// Returns the place of the name that `declaration` declares.
    pub fn name_span(&self, declaration: &Declaration, name: &str) -> Span {
        let end = declaration.name_end;
        let text = &self.file.instructions[declaration.instruction].text;
        text.span(end - name.len(), end)
    }

    /// Returns whether the file is a template whose engine fills in `${…}` itself, as Mako and Terraform do: both have lines that
    /// begin with `%`.
    pub fn fills_in(&self) -> bool {
        let is_tag =
            |i: &Instruction<'_>| i.keyword == Keyword::Opaque && i.text.bytes().starts_with(b"%");
        *self
            .fills_in
            .get_or_init(|| self.file.instructions.iter().any(is_tag))
    }

    /// Returns the plan for `name` up to `level`; `make` makes it where it is not there yet.
    pub(super) fn plan_or(
        &self,
        name: &str,
        level: Applicability,
        make: impl FnOnce() -> Plan,
    ) -> Rc<Plan> {
        let is_it =
            |(of, up_to, _): &&(String, Applicability, Rc<Plan>)| of == name && *up_to == level;
        if let Some((_, _, plan)) = self.plans.borrow().iter().find(is_it) {
            return Rc::clone(plan);
        }
        let plan = Rc::new(make());
        let mut plans = self.plans.borrow_mut();
        plans.push((name.to_owned(), level, Rc::clone(&plan)));
        plan
    }

    /// Returns what is known of the values of the file's variables.
    pub(super) fn values(&self) -> &Values<'a> {
        self.values
            .get_or_init(|| Values::new(self.file, self.settings))
    }

    /// Returns the mounts of the file that are one cache with `cache`, itself included, in order.
    pub fn same_cache(&self, cache: &Cache<'_>) -> impl Iterator<Item = &Cache<'a>> {
        self.with_key(&cache.key)
    }

    /// Returns the mounts of the file that are the cache `key`, in order.
    pub fn with_key(&self, key: &LockKey) -> impl Iterator<Item = &Cache<'a>> + Clone {
        let groups = self.groups.get_or_init(|| {
            let mut groups: HashMap<Arc<LockKey>, Vec<usize>> = HashMap::new();
            for (index, cache) in self.caches().iter().enumerate() {
                groups
                    .entry(Arc::clone(&cache.key))
                    .or_default()
                    .push(index);
            }
            groups
        });
        groups
            .get(key)
            .into_iter()
            .flatten()
            .take_while(|_| budget::spend(1))
            .map(|index| &self.caches()[*index])
    }
}
