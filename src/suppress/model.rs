//! A suppression, and what it speaks for.

use crate::finding::RuleId;
use crate::text::Span;

/// A comment that suppresses, or tries to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The part of the file that it speaks for.
    pub covers: Covers,
    /// The comment, from its `#` to the end of its line.
    pub comment: Span,
    /// The whole line, its newline included.
    pub line: Span,
    /// The names in its list, in order. Empty where there is a fault.
    pub names: Vec<(String, Span)>,
    /// The reason why it suppresses nothing whatever it names.
    pub fault: Option<Fault>,
    /// Set where a line below would be a parser directive, or begin with a byte-order mark, if this one were not there.
    pub guards: bool,
}

impl Ignore {
    /// Returns it with a fault: it names nothing then.
    pub(super) fn with(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            names: Vec::new(),
            ..self
        }
    }

    /// Returns the part of it that is about `rule`, where there is one and it is for the whole file.
    pub fn of(mut self, rule: RuleId) -> Option<Self> {
        self.names.retain(|(name, _)| name == rule.as_str());
        self.names.truncate(1);
        (self.covers == Covers::File && !self.names.is_empty()).then_some(self)
    }
}

/// The part of a file that a suppression speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Covers {
    /// The whole file.
    File,
    /// The instruction of these bytes.
    Instruction(Span),
    /// Nothing: no instruction follows right below it.
    Nothing,
}

/// A mistake in a suppression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no colon behind the name.
    NoColon,
    /// It stands behind a command, where it is the shell's.
    Trailing,
    /// It names no rule.
    NoList,
    /// The list has no end.
    Open,
    /// It is none of the words that cachelane knows.
    Unknown(String),
}
