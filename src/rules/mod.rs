//! The rules: one file each, one line each in [`RULES`].
//!
//! A rule sees one file through a [`Context`] and hands out findings; it knows no other rule, no disk and no terminal.
//! What several rules need stands here, in [`caches`] (the cache mounts of a file) and [`lane`] (how an id is made
//! isolated), [`declare`] (where an ARG line can stand), [`frontend`] (which frontend a file pins), [`profile`] (builders
//! with rules of their own), [`exempt`] (caches that may stay as they are) and [`values`] (when two variables of one name
//! are alike).

pub mod caches;
pub mod declare;
pub mod exempt;
pub mod frontend;
pub mod lane;
pub mod lanes;
pub mod profile;
pub mod values;
pub mod wired;

mod early_arg;
mod id_collision;
mod invalid_mount;
mod lane_never_reused;
mod lock_order;
mod missing_default;
mod mixed_sharing;
mod needless_lock;
mod old_frontend;
mod platform_lock;
mod platforms;
mod private_cache;
mod serial_stages;
mod shadowed_arg;
mod shared_lock;
mod split_cache;
mod syntax_error;
mod undeclared_arg;
mod unlock;
mod unlocked_apt;
mod unpassed_arg;
mod unused_ignore;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::budget;
use crate::dockerfile::{Dockerfile, Instruction, Keyword, SyntaxError};
use crate::finding::{Finding, LockKey, RuleMeta, Severity};
use crate::fix::Applicability;
use crate::index::{Index, Spread};
use crate::suppress::{self, Ignore};

pub use caches::Cache;
pub use exempt::Exemptions;
pub use profile::Profile;

/// What the user settled for a file.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The build argument that sets jobs apart.
    pub arg: String,
    /// Its value for builds that pass none.
    pub default: String,
    /// Further variables that set jobs apart.
    pub isolating: Vec<String>,
    /// Whether builds that pass nothing are to keep the id that they have: the lane goes in as `${ARG:+-${ARG}}`.
    pub keep_default: bool,
    /// Whether the pipeline passes `BUILDKIT_CACHE_MOUNT_NS`: every build is isolated then, whatever its ids.
    pub namespace: bool,
    /// Whether a file has to name its frontend, since the engine's own may be too old to expand ids.
    pub require_syntax: bool,
    /// The builder, where it has rules of its own.
    pub profile: Option<&'static Profile>,
    /// The caches that may stay as they are.
    pub exempt: Arc<Exemptions>,
    /// The rules to run, by name; `None` for all of them. Their order makes no difference.
    pub rules: Option<Vec<&'static str>>,
    /// Severities that differ from the rules' own.
    pub severities: BTreeMap<&'static str, Severity>,
}

impl Settings {
    /// The rules to run.
    fn chosen(&self) -> impl Iterator<Item = &'static dyn Rule> + '_ {
        let all = RULES.iter().copied().filter(|_| self.rules.is_none());
        let chosen = all.chain(self.rules.iter().flatten().filter_map(|name| by_name(name)));
        chosen.filter(|rule| {
            self.profile
                .is_none_or(|profile| profile.applies(rule.meta().name))
        })
    }

    /// Whether the rule called `name` is one of those to run.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.rules
            .as_ref()
            .is_none_or(|rules| rules.contains(&name))
            && self.profile.is_none_or(|profile| profile.applies(name))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            arg: "CACHE_ID".into(),
            default: "default".into(),
            isolating: Vec::new(),
            keep_default: false,
            namespace: false,
            require_syntax: false,
            profile: None,
            exempt: Arc::default(),
            rules: None,
            severities: BTreeMap::new(),
        }
    }
}

/// One file, as rules see it.
pub struct Context<'a> {
    /// The file.
    pub file: &'a Dockerfile<'a>,
    /// What the user settled.
    pub settings: &'a Settings,
    caches: OnceCell<Vec<Cache<'a>>>,
    groups: OnceCell<HashMap<Arc<LockKey>, Vec<usize>>>,
    /// A few: by a list they are found faster than by a table.
    plans: RefCell<Vec<(String, Applicability, Rc<declare::Plan>)>>,
    fills_in: OnceCell<bool>,
    values: OnceCell<values::Values<'a>>,
    ignores: Option<suppress::Table<'a>>,
}

impl<'a> Context<'a> {
    /// A view of `file`.
    #[must_use]
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

    /// The same with the suppressions of the file: what is not to be reported is not to be fixed along, either.
    #[must_use]
    pub fn with_ignores(mut self, ignores: &'a [Ignore]) -> Self {
        self.ignores = (!ignores.is_empty()).then(|| suppress::Table::new(ignores));
        self
    }

    /// Whether a comment suppresses the rule called `rule` for `cache`, or the configuration exempts the cache from it.
    pub fn is_suppressed(&self, rule: &str, cache: &Cache<'_>) -> bool {
        let table = self.ignores.as_ref();
        cache.is_exempt(rule)
            || table.is_some_and(|table| table.suppressing(rule, cache.mount.id_span()).is_some())
    }

    /// Whether `finding` is about a cache that is exempt from its rule.
    #[must_use]
    pub fn is_exempt(&self, finding: &Finding) -> bool {
        let at = finding.span.start;
        let after = self
            .caches()
            .partition_point(|cache| cache.mount.span.start <= at);
        let cache = after.checked_sub(1).map(|index| &self.caches()[index]);
        cache.is_some_and(|cache| at < cache.mount.span.end && cache.is_exempt(finding.rule))
    }

    /// Whether the rule called `rule` has a say about `cache`: it runs, and nobody suppresses it there.
    pub fn may_speak(&self, rule: &str, cache: &Cache<'_>) -> bool {
        self.settings.is_on(rule) && !self.is_suppressed(rule, cache)
    }

    /// The cache mounts of the file that BuildKit would accept, in order.
    pub fn caches(&self) -> &[Cache<'a>] {
        self.caches
            .get_or_init(|| caches::find(self.file, self.settings))
    }

    /// Whether the file is a template whose engine fills in `${…}` itself, as Mako and Terraform do: both have lines that
    /// begin with `%`.
    pub fn fills_in(&self) -> bool {
        let is_tag =
            |i: &Instruction<'_>| i.keyword == Keyword::Opaque && i.text.bytes().starts_with(b"%");
        *self
            .fills_in
            .get_or_init(|| self.file.instructions.iter().any(is_tag))
    }

    /// What is known of the values of the file's variables.
    fn values(&self) -> &values::Values<'a> {
        self.values
            .get_or_init(|| values::Values::new(self.file, self.settings))
    }

    /// The mounts of the file that are one cache with `cache`, itself included, in order.
    pub fn same_cache(&self, cache: &Cache<'_>) -> impl Iterator<Item = &Cache<'a>> {
        self.with_key(&cache.key)
    }

    /// The mounts of the file that are the cache `key`, in order.
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

/// How a lock is used in all files of a run.
#[derive(Clone, Debug)]
pub struct LockUse {
    /// How many RUNs take it.
    pub runs: usize,
    /// In how many files.
    pub files: usize,
    /// Another place that takes it.
    pub other: Other,
}

/// Another place, relative to a finding.
#[derive(Clone, Debug)]
pub enum Other {
    /// In the same file.
    Here(crate::text::Span),
    /// In another file.
    There(String, crate::text::Range),
}

/// A rule.
pub trait Rule: Sync {
    /// What it says about itself.
    fn meta(&self) -> &'static RuleMeta;

    /// Where its findings are of another severity than its own unless one is configured, and of which.
    fn other_severity(&self) -> Option<&'static str> {
        None
    }

    /// Looks at one file.
    fn check(&self, _cx: &Context<'_>, _findings: &mut Vec<Finding>) {}

    /// Looks at a build of a Dockerfile with lanes, in a workflow, pipeline, Compose or bake file.
    fn wired(&self, _wired: &wired::Wired<'_>) -> Option<Finding> {
        None
    }

    /// Whether what it finds in one file may depend on the others of the run.
    fn compares(&self) -> bool {
        false
    }

    /// Compares the cache mounts of all files of a run.
    fn across(&self, _index: &Index<'_>, _findings: &mut Vec<Spread>) {}

    /// Adds to one of its findings, which named a lock, what other RUNs and files have to do with it. Called only when
    /// there are any.
    fn relate(&self, _finding: &mut Finding, _lock: &LockUse) {}
}

/// Every rule. A new one is a file beside this one and a line here.
pub static RULES: &[&dyn Rule] = &[
    &shared_lock::SharedLock,
    &undeclared_arg::UndeclaredArg,
    &missing_default::MissingDefault,
    &early_arg::EarlyArg,
    &shadowed_arg::ShadowedArg,
    &old_frontend::OldFrontend,
    &private_cache::PrivateCache,
    &lock_order::LockOrder,
    &mixed_sharing::MixedSharing,
    &serial_stages::SerialStages,
    &needless_lock::NeedlessLock,
    &unlocked_apt::UnlockedApt,
    &platform_lock::PlatformLock,
    &id_collision::IdCollision,
    &split_cache::SplitCache,
    &invalid_mount::InvalidMount,
    &unpassed_arg::UnpassedArg,
    &lane_never_reused::LaneNeverReused,
    &unused_ignore::UnusedIgnore,
    &syntax_error::SyntaxErrorRule,
];

/// What every rule finds by comparing the files of a run.
pub fn across(index: &Index<'_>, findings: &mut Vec<Spread>) {
    for rule in RULES {
        rule.across(index, findings);
    }
}

/// What every rule finds about one build.
pub fn wired(wired: &wired::Wired<'_>, findings: &mut Vec<Finding>) {
    findings.extend(RULES.iter().filter_map(|rule| rule.wired(wired)));
}

/// The rule called `name`.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Rule> {
    RULES.iter().copied().find(|rule| rule.meta().name == name)
}

/// The names nearest to `name`, which is none, the nearest first.
#[must_use]
pub fn nearest(name: &str) -> Vec<&'static str> {
    let mut near: Vec<(f64, &str)> = RULES
        .iter()
        .map(|rule| {
            (
                strsim::jaro_winkler(name, rule.meta().name),
                rule.meta().name,
            )
        })
        .filter(|(score, _)| *score >= 0.75)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// The finding for a file that could not be read.
#[must_use]
pub fn unreadable(error: &SyntaxError) -> Finding {
    syntax_error::finding(error)
}

/// What is wrong with a suppression; `unused` says which of its names suppress nothing.
pub use unused_ignore::finding as unused;

/// The findings of every rule on one file, ordered by place.
#[must_use]
pub fn check(cx: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in cx.settings.chosen() {
        rule.check(cx, &mut findings);
    }
    findings.sort_by_key(|finding| (finding.span, finding.rule));
    findings
}
