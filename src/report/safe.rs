//! Source text that is safe to show: no control character reaches the terminal raw.

use std::borrow::Cow;

use bstr::ByteSlice as _;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::text::{BOM, LineIndex, Span, is_unprintable, visible};

/// A file's text with stand-ins for what cannot be printed, and the way from the file's offsets to the text's.
pub(super) struct SafeSource<'a> {
    name: String,
    text: Cow<'a, [u8]>,
    lines: LineIndex,
    /// Where the distance between an offset of the file and one of the text changes: the former, and the latter. Ordered.
    shifts: Vec<(usize, usize)>,
}

impl<'a> SafeSource<'a> {
    pub(super) fn new(name: String, source: &'a [u8]) -> Self {
        let plain = |b: &u8| matches!(b, b'\t' | b'\n' | b' '..=b'~');
        if source.iter().all(plain) {
            return Self { name, text: Cow::Borrowed(source), lines: LineIndex::new(source), shifts: vec![(0, 0)] };
        }
        let mut text = Vec::with_capacity(source.len() + source.len() / 8);
        let mut shifts = vec![(0, 0)];
        for (start, end, ch) in source.char_indices() {
            let old = &source[start..end];
            let before = text.len();
            match ch {
                '\n' | '\t' => text.extend_from_slice(old),
                '\r' if source.get(end) == Some(&b'\n') => {}
                _ if start == 0 && old == BOM => {}
                _ => {
                    let ch = if is_unprintable(ch) { visible(ch) } else { ch };
                    text.extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            if text.len() - before != end - start {
                shifts.push((end, text.len()));
            }
        }
        let lines = LineIndex::new(&text);
        Self { name, text: Cow::Owned(text), lines, shifts }
    }

    /// The span of the text that stands for `span` of the file.
    pub(super) fn span(&self, span: Span) -> SourceSpan {
        let start = self.offset(span.start);
        (start, self.offset(span.end).saturating_sub(start)).into()
    }

    fn offset(&self, offset: usize) -> usize {
        let (old, new) = self.shifts[self.shifts.partition_point(|(old, _)| *old <= offset) - 1];
        (new + (offset - old)).min(self.text.len())
    }
}

impl SourceCode for SafeSource<'_> {
    fn read_span<'s>(
        &'s self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'s> + 's>, MietteError> {
        let end = span.offset() + span.len();
        if end > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        // A file's final newline opens a line that nobody sees.
        let count = self.lines.lines() - usize::from(self.text.ends_with(b"\n"));
        let first = self.lines.line(span.offset()).saturating_sub(lines_before).max(1);
        let last = (self.lines.line(end.saturating_sub(1).max(span.offset())) + lines_after).min(count.max(1));
        let from = self.lines.start_of(first);
        let to = if last < self.lines.lines() { self.lines.start_of(last + 1) } else { self.text.len() };
        let stretch = (from, to - from).into();
        // miette asks once without context for the place to print, and takes the column from that answer.
        let before = &self.text[self.lines.start_of(first)..span.offset()];
        let column = if lines_before == 0 { before.chars().count() } else { 0 };
        let contents = MietteSpanContents::new_named(
            self.name.clone(),
            &self.text[from..to],
            stretch,
            first - 1,
            column,
            last + 1 - first,
        );
        Ok(Box::new(contents))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_follow_the_stand_ins() {
        let source = b"\xEF\xBB\xBFa\x1b[2J\r\nRUN \xFFx";
        let safe = SafeSource::new(String::new(), source);
        assert_eq!(safe.text.to_str_lossy(), "a␛[2J\nRUN \u{FFFD}x");
        let x = source.find_byte(b'x').unwrap();
        let shown = safe.span(Span::new(x, x + 1));
        assert_eq!(&safe.text[shown.offset()..shown.offset() + shown.len()], b"x");
    }
}
