//! Edits, and the fixes made of them.
//!
//! An [`Edit`] can only be built in ways that make sense; a [`Fix`] whose edits overlap, with one another or with those of
//! an earlier fix, is never made. [`apply`] is the one place where bytes of a file change.

use std::collections::BTreeMap;

use crate::text::{SourceMap, Span};

/// One change: the bytes of `span` become `text`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edit {
    span: Span,
    text: String,
}

impl Edit {
    /// Puts `text` before byte `at`.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self {
            span: Span::at(at),
            text: text.into(),
        }
    }

    /// Takes the bytes of `span` away.
    pub fn delete(span: Span) -> Self {
        Self {
            span,
            text: String::new(),
        }
    }

    /// Puts `text` in the place of the bytes of `span`.
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: text.into(),
        }
    }

    /// Returns the bytes that go.
    pub const fn span(&self) -> Span {
        self.span
    }

    /// Returns the text that comes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether both cannot be made at once: they share bytes, or put different text in one spot. Edits that
    /// only touch can.
    fn conflicts(&self, other: &Self) -> bool {
        let (a, b) = (self.span, other.span);
        if a.is_empty() && b.is_empty() {
            return a == b && self.text != other.text;
        }
        a.start < b.end && b.start < a.end && self != other
    }
}

/// Who may apply a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// Anyone: what the image contains cannot change, only which cache a RUN uses.
    Safe,
    /// A person who has looked at it.
    Unsafe,
}

/// Edits that belong together: all are made, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    applicability: Applicability,
    title: String,
    edits: Vec<Edit>,
}

impl Fix {
    /// Returns a fix that cannot change what the image contains.
    pub fn safe(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self::new(Applicability::Safe, title, edits)
    }

    /// Returns a fix that needs a person's judgement.
    pub fn needs_review(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self::new(Applicability::Unsafe, title, edits)
    }

    /// A fix that `applicability` says who may apply.
    pub fn new(
        applicability: Applicability,
        title: impl Into<String>,
        mut edits: Vec<Edit>,
    ) -> Self {
        edits.sort();
        edits.dedup();
        Self {
            applicability,
            title: title.into(),
            edits,
        }
    }

    /// Returns who may apply it.
    pub const fn applicability(&self) -> Applicability {
        self.applicability
    }

    /// Returns what it does, in the imperative, for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its edits, ordered by place.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }
}

/// What [`apply`] did.
#[derive(Debug)]
pub struct Applied {
    /// The new bytes.
    pub bytes: Vec<u8>,
    /// The fixes that were made, by their index.
    pub made: Vec<usize>,
    /// The fixes that overlap one that was made, by their index: they have to wait for the next round.
    pub deferred: Vec<usize>,
    /// Where the new bytes stand in the old ones.
    pub origins: SourceMap,
}

/// Makes as many of `fixes` in `source` as do not overlap, the earlier ones first.
///
/// An edit that several fixes share to the letter (the ARG line that two mounts need) is made once.
pub fn apply(source: &[u8], fixes: &[&Fix]) -> Applied {
    let mut edits: BTreeMap<Span, &Edit> = BTreeMap::new();
    let mut made = Vec::new();
    let mut deferred = Vec::new();
    for (index, fix) in fixes.iter().enumerate() {
        let free = |edit: &Edit| {
            let before = edits.range(..=edit.span).next_back();
            let after = edits.range(edit.span..).next();
            // Accepted edits do not overlap one another, so only the neighbours can be in the way.
            edit.span.end <= source.len()
                && before
                    .into_iter()
                    .chain(after)
                    .all(|(_, other)| !edit.conflicts(other))
        };
        let whole = fix
            .edits
            .windows(2)
            .all(|pair| !pair[0].conflicts(&pair[1]));
        if whole && fix.edits.iter().all(free) {
            edits.extend(fix.edits.iter().map(|edit| (edit.span, edit)));
            made.push(index);
        } else {
            deferred.push(index);
        }
    }
    let mut bytes = Vec::with_capacity(
        source.len() + edits.values().map(|edit| edit.text.len()).sum::<usize>(),
    );
    let mut at = 0;
    let mut origins = SourceMap::default();
    for edit in edits.values() {
        origins.push(bytes.len(), at, edit.span.start - at);
        bytes.extend_from_slice(&source[at..edit.span.start]);
        bytes.extend_from_slice(edit.text.as_bytes());
        at = edit.span.end;
    }
    origins.push(bytes.len(), at, source.len() - at);
    bytes.extend_from_slice(&source[at..]);
    Applied {
        bytes,
        made,
        deferred,
        origins,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(source: &str, fixes: &[Fix]) -> (String, Vec<usize>) {
        let applied = apply(source.as_bytes(), &fixes.iter().collect::<Vec<_>>());
        (String::from_utf8(applied.bytes).unwrap(), applied.deferred)
    }

    #[test]
    fn a_shared_edit_is_made_once() {
        let line = || Edit::insert(0, "ARG\n");
        let fixes = [
            Fix::safe("", vec![line(), Edit::insert(2, "x")]),
            Fix::safe("", vec![line(), Edit::insert(3, "y")]),
        ];
        assert_eq!(applied("abc", &fixes), ("ARG\nabxcy".into(), vec![]));
    }

    #[test]
    fn every_byte_knows_where_it_comes_from() {
        let fix = Fix::safe(
            "",
            vec![Edit::insert(1, "xy"), Edit::delete(Span::new(2, 4))],
        );
        let applied = apply(b"abcdef", &[&fix]);
        assert_eq!(applied.bytes, b"axybef");
        let origins: Vec<usize> = (0..6).map(|at| applied.origins.near(at)).collect();
        assert_eq!(origins, [0, 1, 1, 1, 4, 5]);
    }

    #[test]
    fn an_overlap_waits() {
        let fixes = [
            Fix::safe("", vec![Edit::replace(Span::new(0, 2), "X")]),
            Fix::safe("", vec![Edit::delete(Span::new(1, 3))]),
            Fix::safe("", vec![Edit::insert(1, "y")]),
            Fix::safe("", vec![Edit::insert(2, "z")]),
        ];
        assert_eq!(applied("abc", &fixes), ("Xzc".into(), vec![1, 2]));
    }

    #[test]
    fn different_text_in_one_spot_waits() {
        let fixes = [
            Fix::safe("", vec![Edit::insert(1, "x")]),
            Fix::safe("", vec![Edit::insert(1, "y")]),
        ];
        assert_eq!(applied("ab", &fixes), ("axb".into(), vec![1]));
    }
}
