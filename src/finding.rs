//! Findings, and the other places that they name.

mod rule;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::fix::{Applicability, Fix};
use crate::text::{Range, Span};

pub(crate) use rule::each_rule;
pub use rule::{Exempt, OtherSeverity, RuleId, RuleMeta, Severity, Subject};

/// Another place that concerns a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Location {
    /// Its place.
    pub place: Place,
    /// The message about it.
    pub message: String,
}

/// A place, as seen from a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub enum Place {
    /// In the same file.
    Here(Span),
    /// In another file.
    There {
        /// The path, as reports print it.
        path: String,
        /// The lines and columns in it.
        range: Range,
    },
}

/// A problem that a rule found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// Its severity.
    pub severity: Severity,
    /// Its place.
    pub span: Span,
    /// The consequence for the user's builds, in one sentence.
    pub message: String,
    /// The advice, with the text to write.
    pub help: Option<String>,
    /// The advice that is the same for all findings of its kind.
    pub tip: Option<String>,
    /// The line above the advice, which stays where the advice goes.
    pub note: Option<String>,
    /// Other places: those in the same file first.
    pub related: Vec<Location>,
    /// The change that cures it.
    pub fix: Option<Fix>,
    /// The reason why there is no fix, for a rule that usually offers one.
    pub unfixed: Option<String>,
    /// The cache lock that it is about, for comparing files.
    pub(crate) lock: Option<Arc<LockKey>>,
    /// True where podman and buildah take what BuildKit refuses.
    pub(crate) only_buildkit: bool,
}

/// The identity of a lock: mounts with the same id and base (`from`, uid, gid, mode) wait for each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct LockKey {
    /// The id or the cleaned target; of its variables, only those that an ENV fixes are expanded.
    pub id: Vec<u8>,
    /// The origin of the variables other than lanes and platforms: where it differs, ids that read alike may have
    /// different values.
    pub values: Vec<u8>,
    /// `from`, `uid`, `gid` and `mode` in a build without arguments, or as written.
    pub base: [Option<Vec<u8>>; 4],
}

impl Hash for LockKey {
    /// Hashes fast what most keys are, an id alone: each is hashed several times for a mount.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
        if !self.values.is_empty() || self.base.iter().any(Option::is_some) {
            // Hashed with lengths: otherwise texts split elsewhere would collide.
            (&self.values, &self.base).hash(state);
        }
    }
}

impl Finding {
    /// Returns a finding of `rule` at `span`.
    #[must_use]
    pub fn new(rule: RuleId, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.meta().severity,
            span,
            message: message.into(),
            help: None,
            tip: None,
            note: None,
            related: Vec::new(),
            fix: None,
            unfixed: None,
            lock: None,
            only_buildkit: false,
        }
    }

    /// Adds the advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns the lines of the advice and of the tip.
    #[cfg(feature = "cli")]
    pub(crate) fn advice(&self) -> impl Iterator<Item = &str> {
        let texts = self.help.iter().chain(&self.tip);
        texts.flat_map(|text| text.lines())
    }

    /// Points at another place in the file.
    #[must_use]
    pub fn label(self, span: Span, message: impl Into<String>) -> Self {
        self.point(Location {
            place: Place::Here(span),
            message: message.into(),
        })
    }

    /// Points at another place.
    #[must_use]
    pub fn point(mut self, location: Location) -> Self {
        self.relate(location);
        self
    }

    /// Adds another place.
    pub fn relate(&mut self, location: Location) {
        let is_here = |other: &Location| matches!(other.place, Place::Here(_));
        let at = if is_here(&location) {
            self.related.partition_point(is_here)
        } else {
            self.related.len()
        };
        self.related.insert(at, location);
    }

    /// Adds a fix, or the reason why there is none.
    #[must_use]
    pub(crate) fn fix(mut self, fix: Result<Fix, String>) -> Self {
        match fix {
            Ok(fix) => self.fix = Some(fix),
            Err(reason) => self.unfixed = Some(reason),
        }
        self
    }

    /// Sets the lock that it is about.
    #[must_use]
    pub(crate) fn about(mut self, lock: Arc<LockKey>) -> Self {
        self.lock = Some(lock);
        self
    }

    /// Returns whether it concerns another file.
    #[must_use]
    pub fn spans_files(&self) -> bool {
        let last = self.related.last();
        last.is_some_and(|last| matches!(last.place, Place::There { .. }))
    }

    /// Returns whether `cachelane fix` would cure it, without `--unsafe`.
    #[must_use]
    pub fn is_fixable(&self) -> bool {
        let fix = self.fix.as_ref();
        fix.is_some_and(|fix| fix.applicability() == Applicability::Safe)
    }
}
