//! What a rule found, and what is known about every rule.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::fix::{Applicability, Fix};
use crate::text::{Range, Span};

/// How bad a finding is. Errors and warnings fail the gate, infos never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Costs time or cache.
    Warning,
    /// Builds wait for each other, or fail.
    Error,
}

impl Severity {
    /// The severity as reports name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a rule says about itself.
#[derive(Debug)]
pub struct RuleMeta {
    /// Its name, which never changes.
    pub name: &'static str,
    /// How bad its findings are.
    pub severity: Severity,
    /// Which fix it offers, if any.
    pub fix: Option<Applicability>,
    /// Whether its fix takes away the reason for other fixes, and so goes before them.
    pub goes_first: bool,
    /// One line on what it finds.
    pub summary: &'static str,
    /// What `cachelane explain` prints, as Markdown.
    pub doc: &'static str,
}

/// Another place in the same file that a finding has to do with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there.
    pub message: String,
}

/// A place in another file that a finding has to do with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The file, as it was named to cachelane.
    pub path: String,
    /// Where in it.
    pub range: Range,
    /// What is there.
    pub message: String,
}

/// One thing that a rule found in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub span: Span,
    /// What happens to the user's builds, in one sentence.
    pub message: String,
    /// What to do about it, with the text to write.
    pub help: Option<String>,
    /// Other places in the file.
    pub labels: Vec<Label>,
    /// Places in other files.
    pub elsewhere: Vec<Elsewhere>,
    /// The change that cures it.
    pub fix: Option<Fix>,
    /// Why there is no fix, where its rule as a rule offers one.
    pub unfixed: Option<String>,
    /// The cache lock that it is about: what other files are looked through for.
    pub lock: Option<Arc<LockKey>>,
}

/// What makes two locked mounts wait for each other: the id, and what the cache is based on (`from`, uid, gid, mode).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockKey {
    /// The id, or the cleaned target in its place. Variables stand as they are, but for those that an ENV has given a
    /// value once and for all.
    pub id: Vec<u8>,
    /// What the variables come from that are neither lanes nor platforms. Where that differs, so may their values, and
    /// two ids that read alike need not be one.
    pub values: Vec<u8>,
    /// `from`, `uid`, `gid` and `mode` as written.
    pub base: [Option<Vec<u8>>; 4],
}

impl Hash for LockKey {
    /// Most keys are an id and nothing else, and are hashed several times for each mount.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
        if !self.values.is_empty() || self.base.iter().any(Option::is_some) {
            // With their lengths: text that could be parted elsewhere would make keys that all meet.
            (&self.values, &self.base).hash(state);
        }
    }
}

impl Finding {
    /// A finding of `rule` at `span`.
    #[must_use]
    pub fn new(rule: &'static RuleMeta, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule: rule.name,
            severity: rule.severity,
            span,
            message: message.into(),
            help: None,
            labels: Vec::new(),
            elsewhere: Vec::new(),
            fix: None,
            unfixed: None,
            lock: None,
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points at another place in the file.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            message: message.into(),
        });
        self
    }

    /// Offers a fix, or says why there is none.
    #[must_use]
    pub fn fix(mut self, fix: Result<Fix, String>) -> Self {
        match fix {
            Ok(fix) => self.fix = Some(fix),
            Err(reason) => self.unfixed = Some(reason),
        }
        self
    }

    /// Names the lock that it is about.
    #[must_use]
    pub fn about(mut self, lock: Arc<LockKey>) -> Self {
        self.lock = Some(lock);
        self
    }

    /// Whether `cachelane fix` would cure it, without `--unsafe`.
    #[must_use]
    pub fn is_fixable(&self) -> bool {
        self.fix
            .as_ref()
            .is_some_and(|fix| fix.applicability() == Applicability::Safe)
    }
}
