//! Source text that is safe to show: no control character reaches the terminal raw.

use std::borrow::Cow;

use bstr::ByteSlice as _;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::text::{BOM, LineIndex, SourceMap, Span, is_unprintable, visible};

/// Limits a line, in characters, because of minified scripts.
const MAX_COLUMNS: usize = 400;

/// Limits the lines of a finding: all of them would be printed for each finding in them.
const MAX_LINES: usize = 30;

/// The columns that miette gives a tab, at most.
const TAB: usize = 4;

/// A file's text with stand-ins for unprintable characters.
#[derive(Debug)]
pub(super) struct SafeSource<'a> {
    name: String,
    text: Cow<'a, [u8]>,
    lines: LineIndex,
    /// From the text to the file.
    map: SourceMap,
}

/// The columns of a line that are shown, counted from 1 in characters.
#[derive(Clone, Copy)]
struct Window {
    first: usize,
    last: usize,
}

impl<'a> SafeSource<'a> {
    pub(super) fn new(name: String, source: &'a [u8]) -> Self {
        Self::cut(name, source, MAX_COLUMNS, &[])
    }

    /// Cuts lines to `room` characters, around the first of the `kept` spans in a line.
    pub(super) fn cut(name: String, source: &'a [u8], room: usize, kept: &[Span]) -> Self {
        let room = room.min(MAX_COLUMNS);
        let lines = LineIndex::new(source);
        // Without an early exit, the compiler makes one pass of wide registers of it.
        let plain = source.iter().fold(true, |plain, b| {
            plain & matches!(b, b'\t' | b'\n' | b' '..=b'~')
        });
        let last = source.len() - lines.start_of(lines.lines());
        if plain && lines.longest().max(last) <= room {
            return Self {
                name,
                text: Cow::Borrowed(source),
                lines,
                map: SourceMap::of(Span::new(0, source.len())),
            };
        }
        let window = |start: usize| {
            let end = source[start..].find_byte(b'\n');
            let line = Span::new(start, end.map_or(source.len(), |len| start + len));
            let mut kept = kept.iter();
            let span = kept.find(|span| line.start <= span.start && span.start <= line.end);
            let kept = span.map(|span| (span.start - start, span.end - start));
            window(&source[line.start..line.end], kept, room)
        };
        let mut text = Vec::with_capacity(source.len() + source.len() / 8);
        let mut map = SourceMap::default();
        let (mut column, mut shown) = (0, window(0));
        for (start, end, ch) in source.char_indices() {
            let old = &source[start..end];
            let before = text.len();
            column = if ch == '\n' { 0 } else { column + 1 };
            match ch {
                '\n' => {
                    text.push(b'\n');
                    shown = window(end);
                }
                _ if column < shown.first || column > shown.last => {
                    if column == 1 || column == shown.last + 1 {
                        text.extend_from_slice("…".as_bytes());
                        // Everything cut off stands behind the mark.
                        map.push(text.len(), start, 0);
                    }
                    continue;
                }
                '\t' => text.push(b'\t'),
                '\r' if source.get(end) == Some(&b'\n') => {}
                _ if start == 0 && old == BOM => {}
                _ => {
                    let ch = if is_unprintable(ch) { visible(ch) } else { ch };
                    text.extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            if text.len() - before == end - start {
                map.push(before, start, end - start);
            }
        }
        map.push(text.len(), source.len(), 0);
        let lines = LineIndex::new(&text);
        Self {
            name,
            text: Cow::Owned(text),
            lines,
            map,
        }
    }

    /// Returns the number of characters, or bytes where that is more, of the longest line.
    pub(super) fn longest(&self) -> usize {
        let last = self.text.len() - self.lines.start_of(self.lines.lines());
        self.lines.longest().max(last)
    }

    /// Returns the span of the text for `span` of the file, cut to the first [`MAX_LINES`].
    pub(super) fn span(&self, span: Span) -> SourceSpan {
        let (start, end) = (
            self.map.near_in_text(span.start),
            self.map.near_in_text(span.end),
        );
        let last = self.lines.line(start) + MAX_LINES;
        let shown = if last < self.lines.lines() {
            end.min(self.lines.start_of(last) - 1)
        } else {
            end
        };
        (start, shown.saturating_sub(start)).into()
    }

    /// Returns the line of a span of the text, 1-based, and the column before its middle, a tab counted as four.
    pub(super) fn middle(&self, span: SourceSpan) -> (usize, usize) {
        let line = self.lines.line(span.offset());
        let before = &self.text[self.lines.start_of(line)..span.offset()];
        let own = &self.text[span.offset()..span.offset() + span.len()];
        let columns = |text: &[u8]| {
            let columns = text.chars().map(|ch| if ch == '\t' { TAB } else { 1 });
            columns.sum::<usize>()
        };
        let own = own.lines().next().map_or(0, columns);
        (line, columns(before) + own / 2)
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
        // A file's final newline opens an invisible line.
        let count = self.lines.lines() - usize::from(self.text.ends_with(b"\n"));
        let first = self
            .lines
            .line(span.offset())
            .saturating_sub(lines_before)
            .max(1);
        let last = (self.lines.line(end.saturating_sub(1).max(span.offset())) + lines_after)
            .min(count.max(1));
        let from = self.lines.start_of(first);
        let to = if last < self.lines.lines() {
            self.lines.start_of(last + 1)
        } else {
            self.text.len()
        };
        let stretch = (from, to - from).into();
        // miette asks once without context for the place to print, and takes the column from that answer.
        let before = &self.text[self.lines.start_of(first)..span.offset()];
        let column = if lines_before == 0 {
            before.chars().count()
        } else {
            0
        };
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

/// Returns the columns of `line` to show, where at most `room` fit and `kept` is to be among them.
fn window(line: &[u8], kept: Option<(usize, usize)>, room: usize) -> Window {
    let all = line.chars().count();
    if all <= room {
        return Window {
            first: 1,
            last: all,
        };
    }
    let columns = |bytes: &[u8]| bytes.chars().count();
    let (from, to) = kept.map_or((0, 0), |(start, end)| {
        (
            columns(&line[..start]),
            columns(&line[..end.min(line.len())]),
        )
    });
    // A mark stands at each end that is cut.
    if to < room {
        return Window {
            first: 1,
            last: room - 1,
        };
    }
    // What stands before the id says what it belongs to; its beginning is shown where it is longer than the line.
    let before = room / 3;
    let first = (from + 1).saturating_sub(before).max(2);
    let last = first + room - 3;
    if last >= all {
        return Window {
            first: all + 2 - room,
            last: all,
        };
    }
    Window { first, last }
}
