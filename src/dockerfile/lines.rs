//! Physical lines, cut and trimmed as in BuildKit (`frontend/dockerfile/parser/parser.go`).

use bstr::ByteSlice as _;

use crate::text::{BOM, Span};

/// The longest line BuildKit takes, in bytes with its newline: the buffer of Go's `bufio.Scanner`.
pub const MAX_LINE: usize = 64 * 1024;

#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// 1-based number.
    pub number: usize,
    /// The line with its newline, without a byte-order mark.
    pub full: Span,
    /// The line without newline and the carriage returns before it.
    pub text: Span,
}

/// An iterator over the lines of a file.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    source: &'a [u8],
    at: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    pub fn new(source: &'a [u8]) -> Self {
        Self {
            source,
            at: 0,
            number: 0,
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        if self.at >= self.source.len() {
            return None;
        }
        let end = memchr::memchr(b'\n', &self.source[self.at..])
            .map_or(self.source.len(), |n| self.at + n + 1);
        let mut start = self.at;
        if start == 0 && self.source[..end].starts_with(BOM) {
            start = BOM.len();
        }
        self.at = end;
        self.number += 1;
        let full = Span::new(start, end);
        let bytes = full.of(self.source);
        let kept = bytes
            .iter()
            .rposition(|&b| b != b'\r' && b != b'\n')
            .map_or(0, |last| last + 1);
        Some(Line {
            number: self.number,
            full,
            text: Span::new(start, start + kept),
        })
    }
}

/// Trims leading white space like Go's `unicode.IsSpace`, which includes U+0085 and U+00A0.
pub fn trim_start(bytes: &[u8]) -> &[u8] {
    bytes.trim_start_with(char::is_whitespace)
}

/// Trims trailing white space like [`trim_start`].
pub fn trim_end(bytes: &[u8]) -> &[u8] {
    bytes.trim_end_with(char::is_whitespace)
}

/// Returns whether BuildKit splits an instruction's name off at this byte.
pub const fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x0B | 0x0C | b'\r' | b' ')
}

/// Returns whether the first byte other than white space is `#`.
pub fn is_comment(line: &[u8]) -> bool {
    trim_start(line).first() == Some(&b'#')
}

/// Returns the length of `line` without its continuation character; `None` where it does not continue.
///
/// A line continues where its last byte other than space and tab is an escape character without another one before it.
pub fn continued(line: &[u8], escape: u8) -> Option<usize> {
    let last = line.iter().rposition(|&b| b != b' ' && b != b'\t')?;
    (line[last] == escape && (last == 0 || line[last - 1] != escape)).then_some(last)
}
