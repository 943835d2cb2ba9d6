//! What goes into a configuration and comes out of it.

use crate::finding::RuleId;
use crate::text::Span;

/// Something wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Its place in the configuration's text.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// Makes a problem without help.
    #[must_use]
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            help: None,
        }
    }
}

/// What was typed on the command line.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--arg`
    pub arg: Option<String>,
    /// `--default`
    pub default: Option<String>,
    /// `--keep-default`
    pub keep_default: Option<bool>,
    /// `--rules`: these and no others.
    pub rules: Vec<RuleId>,
    /// `--ignore`: not these.
    pub ignore: Vec<RuleId>,
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything else.
    BuiltIn,
    /// The configuration, on this 1-based line.
    File(usize),
    /// An option of this name.
    Option(&'static str),
}

/// A setting with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its key; a rule's name for those in `[rules]`.
    pub key: &'static str,
    /// Its value, as TOML.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it is one of the rules.
    pub is_rule: bool,
    /// Where the value does not hold, and which does there: of a rule whose severity nobody set.
    pub varies: Option<&'static str>,
}
