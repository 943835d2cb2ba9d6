//! Text that remembers where in the file each of its bytes stands.
//!
//! BuildKit joins continued lines and takes quotes and escapes off before it looks at an option, so what it reads is not
//! what the file says. The reader keeps both: the text as BuildKit sees it, and for every byte of it the byte of the
//! file that it came from. A span of the text can then be turned into the span of the file that an edit has to touch.

use std::borrow::Cow;

use crate::text::Span;

/// A run of bytes that stand side by side in the text and in the file alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// Where the run starts in the text.
    text: usize,
    /// Where it starts in the file.
    source: usize,
}

/// Bytes with the place each came from. Borrows from the file as long as the text is one stretch of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped<'a> {
    text: Cow<'a, [u8]>,
    /// Where the first run stands in the file.
    source: usize,
    /// The runs behind the first, ordered by both fields. Most texts are one run, and own no list.
    runs: Vec<Run>,
}

impl<'a> Mapped<'a> {
    /// The text `source[span]` as it stands.
    #[must_use]
    pub fn borrowed(source: &'a [u8], span: Span) -> Self {
        Self {
            text: Cow::Borrowed(span.of(source)),
            source: span.start,
            runs: Vec::new(),
        }
    }

    /// An empty text that will grow by [`Mapped::push`]; where nothing is pushed, it stands at byte `source`.
    #[must_use]
    pub fn empty(source: usize) -> Self {
        Self {
            text: Cow::Borrowed(&[]),
            source,
            runs: Vec::new(),
        }
    }

    /// Like [`Mapped::empty`], with room for `bytes` bytes.
    #[must_use]
    pub fn with_capacity(source: usize, bytes: usize) -> Self {
        Self {
            text: Cow::Owned(Vec::with_capacity(bytes)),
            source,
            runs: Vec::new(),
        }
    }

    /// Adds `bytes`, which stand in the file from byte `source` on.
    pub fn push(&mut self, bytes: &[u8], source: usize) {
        if bytes.is_empty() {
            return;
        }
        let text = self.text.len();
        let last = self.runs.last().copied().unwrap_or(Run {
            text: 0,
            source: self.source,
        });
        if text == 0 {
            self.source = source;
        } else if last.source + (text - last.text) != source {
            self.runs.push(Run { text, source });
        }
        self.text.to_mut().extend_from_slice(bytes);
    }

    /// The text, as BuildKit reads it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// The byte of the file where byte `at` of the text stands; one past the last byte for the text's end.
    #[must_use]
    pub fn source(&self, at: usize) -> usize {
        let behind = self.runs.partition_point(|run| run.text <= at);
        let run = behind.checked_sub(1).map_or(
            Run {
                text: 0,
                source: self.source,
            },
            |index| self.runs[index],
        );
        run.source + (at - run.text)
    }

    /// The bytes of the file from the first to the last byte of `text[start..end]`, joins and quotes between included.
    #[must_use]
    pub fn span(&self, start: usize, end: usize) -> Span {
        if end <= start {
            // An empty piece stands right behind the byte before it, so that an insertion lands inside its quotes.
            let at = if start == 0 {
                self.source(0)
            } else {
                self.source(start - 1) + 1
            };
            return Span::at(at);
        }
        Span::new(self.source(start), self.source(end - 1) + 1)
    }

    /// The piece `text[start..end]` as a mapped text of its own.
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> Mapped<'a> {
        let text = match &self.text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[start..end]),
            Cow::Owned(text) => Cow::Owned(text[start..end].to_vec()),
        };
        let within = |run: &&Run| start < run.text && run.text < end;
        let shifted = |run: &Run| Run {
            text: run.text - start,
            source: run.source,
        };
        let source = if start < end {
            self.source(start)
        } else {
            self.span(start, start).start
        };
        Mapped {
            text,
            source,
            runs: self.runs.iter().filter(within).map(shifted).collect(),
        }
    }

    /// The piece `text[start..end]`, borrowed from the file's bytes `source` where it is one stretch of them.
    #[must_use]
    pub fn stretch(&self, start: usize, end: usize, source: &'a [u8]) -> Mapped<'a> {
        let span = self.span(start, end);
        if span.len() == end - start {
            Mapped::borrowed(source, span)
        } else {
            self.slice(start, end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joined_text_points_back_into_the_file() {
        let source = b"ab\\\ncd";
        let mut text = Mapped::empty(0);
        text.push(&source[0..2], 0);
        text.push(&source[4..6], 4);
        assert_eq!(text.bytes(), b"abcd");
        assert_eq!(text.span(0, 4), Span::new(0, 6));
        assert_eq!(text.span(0, 2), Span::new(0, 2));
        assert_eq!(text.span(2, 3), Span::new(4, 5));
        assert_eq!(text.slice(1, 3).bytes(), b"bc");
        assert_eq!(text.slice(1, 3).span(1, 2), Span::new(4, 5));
    }

    #[test]
    fn an_empty_piece_stands_behind_the_byte_before_it() {
        let text = Mapped::borrowed(b"id=,x", Span::new(0, 5));
        assert_eq!(text.span(3, 3), Span::at(3));
    }
}
