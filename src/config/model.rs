//! The input and output of a configuration.

use crate::finding::RuleId;
use crate::text::{Span, in_lines};

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

/// All problems with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", in_lines(.0))]
pub struct Problems(pub Vec<Problem>);

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
    pub include_generated: Option<bool>,
    /// `--via`
    pub namespace: Option<bool>,
    /// `--rules`: only these.
    pub rules: Vec<RuleId>,
    /// `--ignore`: not these.
    pub ignore: Vec<RuleId>,
}
