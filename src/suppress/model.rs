//! The model of a suppression.

use crate::finding::RuleId;
use crate::fix::Edit;
use crate::text::Span;

/// A comment that suppresses, or tries to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The part of the file that it covers.
    pub covers: Covers,
    /// The comment, from its `#` to the end of its line.
    pub comment: Span,
    /// The whole line with its newline.
    pub line: Span,
    /// The names in its list; empty with a fault.
    pub names: Vec<(String, Span)>,
    /// The reason why it suppresses nothing.
    pub fault: Option<Fault>,
    /// True where the line below would become a parser directive or begin with a byte-order mark without this one.
    pub guards: bool,
}

impl Ignore {
    /// Sets a fault; it names nothing then.
    pub(super) fn with(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            names: Vec::new(),
            ..self
        }
    }

    /// Returns its part about `rule` at `span`, where it covers that.
    pub fn of(mut self, rule: RuleId, span: Span) -> Option<Self> {
        self.names.retain(|(name, _)| name == rule.as_str());
        self.names.truncate(1);
        let covers = match self.covers {
            Covers::File => true,
            Covers::Instruction(around) => around.contains(span.start),
            Covers::Nothing => false,
        };
        (covers && !self.names.is_empty()).then_some(self)
    }
}

/// The part of a file that a suppression covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Covers {
    File,
    /// The instruction at these bytes.
    Instruction(Span),
    /// Nothing: no instruction follows directly.
    Nothing,
}

/// A mistake in a suppression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No colon follows the name.
    NoColon,
    /// It stands behind a command, as the shell's text.
    Trailing,
    NoList,
    /// The list has no end.
    Open,
    /// An unknown word.
    Unknown(String),
}

/// Returns the edits that remove the names `unused` (ordered indices) from the list of `ignore`; a line without names
/// goes.
pub fn remove(ignore: &Ignore, unused: &[usize]) -> Vec<Edit> {
    let names = ignore.names.iter().enumerate();
    let kept = names.filter(|(index, _)| unused.binary_search(index).is_err());
    let kept: Vec<&str> = kept.map(|(_, (name, _))| name.as_str()).collect();
    match (ignore.names.first(), ignore.names.last()) {
        (Some((_, first)), Some((_, last))) if !kept.is_empty() => {
            let list = Span::new(first.start, last.end);
            vec![Edit::replace(list, kept.join(", "))]
        }
        _ => vec![Edit::delete(ignore.line)],
    }
}
