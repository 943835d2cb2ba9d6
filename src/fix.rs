//! Edits and fixes.
//!
//! The edits of a [`Fix`] never overlap, with one another or with those of an earlier fix. Only [`apply`] changes bytes
//! of a file.

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

    /// Deletes the bytes of `span`.
    pub fn delete(span: Span) -> Self {
        Self {
            span,
            text: String::new(),
        }
    }

    /// Replaces the bytes of `span` by `text`.
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: text.into(),
        }
    }

    /// Returns the replaced bytes.
    pub const fn span(&self) -> Span {
        self.span
    }

    /// Returns the new text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether the edits share bytes or put different text in one spot; edits that only touch do not conflict.
    fn conflicts(&self, other: &Self) -> bool {
        let (a, b) = (self.span, other.span);
        if a.is_empty() && b.is_empty() {
            return a == b && self.text != other.text;
        }
        a.start < b.end && b.start < a.end && self != other
    }
}

/// The conditions for applying a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// Safe for anyone to apply: the image cannot change, only which cache a RUN uses.
    Safe,
    /// To be reviewed by a person first.
    Unsafe,
}

/// Edits that are made together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    applicability: Applicability,
    title: String,
    edits: Vec<Edit>,
}

impl Fix {
    /// Returns a fix that cannot change the image.
    pub fn safe(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self::new(Applicability::Safe, title, edits)
    }

    /// Returns a fix that a person has to review.
    pub fn needs_review(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self::new(Applicability::Unsafe, title, edits)
    }

    /// Returns a fix of this `applicability`.
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

    /// Returns the conditions for applying the fix.
    pub const fn applicability(&self) -> Applicability {
        self.applicability
    }

    /// Returns what it does, in the imperative.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the edits, ordered by place.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }
}

/// A file with fixes made, which are named by their indices.
#[derive(Debug)]
pub struct Applied {
    /// The new bytes; the old ones where no fix was made.
    pub bytes: Vec<u8>,
    pub made: Vec<usize>,
    /// The fixes that overlap a made one, and wait for the next round.
    pub deferred: Vec<usize>,
    /// The fixes that failed a proof, with the reason.
    pub refused: Vec<(usize, String)>,
    /// The map from the new bytes to the old ones.
    pub origins: SourceMap,
}

/// Makes as many of `fixes` as do not overlap, the earlier ones first.
///
/// An identical edit that several fixes share (the ARG line that two mounts need) is made once.
pub fn apply(source: &[u8], fixes: &[&Fix]) -> Applied {
    let mut edits: BTreeMap<Span, &Edit> = BTreeMap::new();
    let mut made = Vec::new();
    let mut deferred = Vec::new();
    for (index, fix) in fixes.iter().enumerate() {
        let free = |edit: &Edit| {
            let before = edits.range(..=edit.span).next_back();
            let after = edits.range(edit.span..).next();
            // Accepted edits do not overlap, so only the neighbours can conflict.
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
        refused: Vec::new(),
        origins,
    }
}
