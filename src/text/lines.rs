//! The lines of a text, and its line and column numbers.

use bstr::ByteSlice as _;

use super::span::{BOM, Span};

/// A position in a file, as line, column and byte offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Pos {
    /// 1-based line.
    pub line: usize,
    /// 1-based column, counted in characters (Unicode scalar values; an invalid sequence counts as one).
    pub column: usize,
    /// 0-based byte offset in the file.
    pub offset: usize,
}

/// The JSON form of a [`Span`]: two positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Range {
    /// The start.
    pub start: Pos,
    /// The end, exclusive.
    pub end: Pos,
}

/// The starts of a text's lines. Building it reads the text once; a look-up is a binary search.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Finds the lines of `source`, which end at `\n` as in BuildKit; a lone `\r` ends none.
    pub fn new(source: &[u8]) -> Self {
        // Real lines have some thirty bytes.
        let mut starts = Vec::with_capacity(source.len() / 32 + 2);
        starts.push(0);
        starts.extend(memchr::memchr_iter(b'\n', source).map(|at| at + 1));
        Self { starts }
    }

    /// Returns the 1-based line of byte `offset`; offsets past the end belong to the last line.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }

    /// Returns the number of lines; a final newline opens one more, empty line.
    pub fn lines(&self) -> usize {
        self.starts.len()
    }

    /// Returns the length in bytes of the longest line but the last, with its newline.
    pub fn longest(&self) -> usize {
        self.starts
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or(0)
    }

    /// Returns the start of the 1-based `line`, or of the last line for any beyond.
    pub fn start_of(&self, line: usize) -> usize {
        let last = self.starts.len() - 1;
        self.starts[line.saturating_sub(1).min(last)]
    }

    /// Returns the position of byte `offset` of `source`, the indexed text.
    pub fn pos(&self, source: &[u8], offset: usize) -> Pos {
        let offset = offset.min(source.len());
        let line = self.line(offset);
        let mut before = &source[self.start_of(line)..offset];
        if line == 1 {
            before = before.strip_prefix(BOM).unwrap_or(before);
        }
        Pos {
            line,
            column: before.chars().count() + 1,
            offset,
        }
    }

    /// Returns the positions of both ends of `span` in `source`.
    pub fn range(&self, source: &[u8], span: Span) -> Range {
        Range {
            start: self.pos(source, span.start),
            end: self.pos(source, span.end),
        }
    }
}

/// Returns the ending of the line at `offset`: `\r\n` or `\n`.
///
/// A last line without an end follows the line above it; a single line without an end gets `\n`.
pub fn line_ending(source: &[u8], offset: usize) -> &'static str {
    let offset = offset.min(source.len());
    let newline = memchr::memchr(b'\n', &source[offset..])
        .map(|at| at + offset)
        .or_else(|| memchr::memrchr(b'\n', &source[..offset]));
    match newline {
        Some(at) if at > 0 && source[at - 1] == b'\r' => "\r\n",
        _ => "\n",
    }
}

/// Returns the spaces and tabs at the start of the line at byte `start`.
pub fn indentation(source: &[u8], start: usize) -> &str {
    let line = &source[start..];
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let end = line.iter().position(|byte| !is_blank(byte));
    std::str::from_utf8(&line[..end.unwrap_or(line.len())]).unwrap_or_default()
}
