//! Texts made of pieces of a file, with the place of each byte.
//!
//! BuildKit joins lines and drops quotes, YAML drops indentation, edits insert text. A [`SourceMap`] maps stretches of
//! the text to stretches of the file, for reports and edits.

use std::borrow::Cow;

use super::span::Span;

/// A stretch of a text that is copied from its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// First byte in the text.
    pub text: usize,
    /// First byte in the source.
    pub source: usize,
    /// Length in bytes.
    pub len: usize,
}

impl Run {
    pub const fn text_end(&self) -> usize {
        self.text + self.len
    }

    pub const fn source_end(&self) -> usize {
        self.source + self.len
    }
}

/// The places of a text's bytes in its source: the file, or another text made of it.
///
/// Bytes outside all runs have no place: a variable's value, text of an edit. A look-up is a binary search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    /// Ordered by both places.
    runs: Vec<Run>,
}

impl SourceMap {
    /// Returns the map of the text that is `span` of its source.
    pub fn of(span: Span) -> Self {
        let mut map = Self::default();
        map.push(0, span.start, span.len());
        map
    }

    /// Adds `len` bytes at byte `text` of the text and byte `source` of the source, both behind all others. An empty run
    /// only marks a place that [`SourceMap::near`] does not pass.
    pub fn push(&mut self, text: usize, source: usize, len: usize) {
        match self.runs.last_mut() {
            Some(last) if last.text_end() == text && last.source_end() == source => last.len += len,
            _ => self.runs.push(Run { text, source, len }),
        }
    }

    /// Appends `span` of another text at byte `text` of this one.
    pub fn append(&mut self, text: usize, other: &Self, span: Span) {
        let first = other
            .runs
            .partition_point(|run| run.text_end() <= span.start);
        for run in &other.runs[first..] {
            let (from, to) = (run.text.max(span.start), run.text_end().min(span.end));
            if run.text >= span.end {
                break;
            }
            if from < to {
                let source = run.source + (from - run.text);
                self.push(text + (from - span.start), source, to - from);
            }
        }
    }

    /// Returns the map from this text to the source of `outer`, which maps this one's source.
    pub fn compose(&self, outer: &Self) -> Self {
        let mut map = Self::default();
        for run in &self.runs {
            map.append(run.text, outer, Span::new(run.source, run.source_end()));
        }
        map
    }

    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Returns whether no byte of the text has a place.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Returns the place of byte `at` of the text.
    pub fn get(&self, at: usize) -> Option<usize> {
        let next = self.runs.partition_point(|run| run.text <= at);
        let run = self.runs.get(next.checked_sub(1)?)?;
        (at < run.text_end()).then(|| run.source + (at - run.text))
    }

    /// Returns the place of `span`; `None` where one of its ends has none.
    pub fn exact(&self, span: Span) -> Option<Span> {
        let last = self.get(span.end.checked_sub(1)?)?;
        let start = self.get(span.start)?;
        (start <= last).then(|| Span::new(start, last + 1))
    }

    /// Returns the place of `span` from its first to its last byte that has one, or else a place next to it; `None` for
    /// an empty map.
    pub fn to_source(&self, span: Span) -> Option<Span> {
        let next = self
            .runs
            .partition_point(|run| run.text_end() <= span.start);
        let first = self.runs.get(next).or(self.runs.last())?;
        let start = first.source + span.start.saturating_sub(first.text).min(first.len);
        let next = self.runs.partition_point(|run| run.text < span.end);
        let last = &self.runs[next.saturating_sub(1)];
        let end = last.source + span.end.saturating_sub(last.text).min(last.len);
        Some(Span::new(
            start,
            if span.is_empty() {
                start
            } else {
                end.max(start)
            },
        ))
    }

    /// Returns the place of byte `at`, or the nearest one: behind a run, places continue as in the run up to the next
    /// one.
    pub fn near(&self, at: usize) -> usize {
        nearest(&self.runs, at, |run| (run.text, run.source))
    }

    /// Returns the byte of the text at or next to byte `at` of the source, the inverse of [`SourceMap::near`].
    #[cfg(feature = "cli")]
    pub fn near_in_text(&self, at: usize) -> usize {
        nearest(&self.runs, at, |run| (run.source, run.text))
    }
}

fn nearest(runs: &[Run], at: usize, ends: impl Fn(&Run) -> (usize, usize)) -> usize {
    let next = runs.partition_point(|run| ends(run).0 <= at);
    let (from, to) = next.checked_sub(1).map_or((0, 0), |last| ends(&runs[last]));
    let limit = runs.get(next).map_or(usize::MAX, |run| ends(run).1);
    (to + (at - from)).min(limit)
}

/// Bytes of a file that were joined, each with its place; borrowed while they are one stretch of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped<'a> {
    text: Cow<'a, [u8]>,
    map: SourceMap,
}

impl<'a> Mapped<'a> {
    /// Returns the text `source[span]`.
    pub fn borrowed(source: &'a [u8], span: Span) -> Self {
        Self {
            text: Cow::Borrowed(span.of(source)),
            map: SourceMap::of(span),
        }
    }

    /// Returns an empty text at byte `source`.
    pub fn empty(source: usize) -> Self {
        Self::borrowed(&[], Span::at(source))
    }

    /// Appends `bytes`, which stand at byte `source` of the file.
    pub fn push(&mut self, bytes: &[u8], source: usize) {
        if bytes.is_empty() {
            return;
        }
        if self.text.is_empty() {
            self.map = SourceMap::default();
        }
        self.map.push(self.text.len(), source, bytes.len());
        self.text.to_mut().extend_from_slice(bytes);
    }

    /// Appends `other[start..end]`.
    pub fn append(&mut self, other: &Mapped<'a>, start: usize, end: usize) {
        if start >= end {
            return;
        }
        if self.text.is_empty() {
            self.map = SourceMap::default();
        }
        let span = Span::new(start, end);
        self.map.append(self.text.len(), &other.map, span);
        match &other.text {
            Cow::Borrowed(text) if self.text.is_empty() => self.text = span.of(text).into(),
            text => self.text.to_mut().extend_from_slice(span.of(text)),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// Returns the byte of the file at byte `at` of the text; one past the last byte for the text's end.
    pub fn source(&self, at: usize) -> usize {
        self.map.near(at)
    }

    /// Returns the bytes of the file that `text[start..end]` spans, joins and quotes between included. An empty piece
    /// follows the byte before it, so that insertions land inside its quotes.
    pub fn span(&self, start: usize, end: usize) -> Span {
        if end > start {
            return Span::new(self.source(start), self.source(end - 1) + 1);
        }
        let behind = |before| self.source(before) + 1;
        Span::at(start.checked_sub(1).map_or_else(|| self.source(0), behind))
    }

    /// Returns `text[start..end]` as a mapped text.
    pub fn slice(&self, start: usize, end: usize) -> Mapped<'a> {
        let mut piece = Self::empty(self.span(start, start).start);
        piece.append(self, start, end);
        piece
    }
}
