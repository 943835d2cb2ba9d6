//! The input and output of a configuration.

use crate::finding::RuleId;
use crate::text::Span;

/// A problem with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Its place in the configuration's text.
    pub span: Span,
    /// The problem, in a sentence.
    pub message: String,
    /// The text to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// Makes a problem without help.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            help: None,
        }
    }
}

/// Options of the command line.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub arg: Option<String>,
    pub default: Option<String>,
    pub keep_default: Option<bool>,
    /// `--rules`: only these.
    pub rules: Vec<RuleId>,
    /// `--ignore`: not these.
    pub ignore: Vec<RuleId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    BuiltIn,
    /// The configuration, on this 1-based line.
    File(usize),
    Option(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its key; a rule's name for those in `[rules]`.
    pub key: &'static str,
    /// As TOML.
    pub value: String,
    pub origin: Origin,
    pub is_rule: bool,
    /// The cases in which another value applies: of a rule with an unset severity.
    pub varies: Option<&'static str>,
}
