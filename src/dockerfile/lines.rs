//! Physical lines, as BuildKit's reader cuts and trims them (`frontend/dockerfile/parser/parser.go`).

use bstr::ByteSlice as _;

use crate::text::{BOM, Span};

/// The longest line BuildKit takes, in bytes, its newline included: the buffer of Go's `bufio.Scanner`.
pub const MAX_LINE: usize = 64 * 1024;

/// One physical line.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// 1-based number.
    pub number: usize,
    /// All of it, from its first byte (behind a byte-order mark) to one past its newline.
    pub full: Span,
    /// Without the newline and any carriage returns before it.
    pub text: Span,
}

/// Hands out the lines of a file, one by one.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    source: &'a [u8],
    at: usize,
    number: usize,
}

impl<'a> Lines<'a> {
    /// Returns the lines of `source`, from the top.
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

/// Returns `bytes` without leading white space, as Go's `unicode.IsSpace` has it (U+0085 and U+00A0 are white space there).
pub fn trim_start(bytes: &[u8]) -> &[u8] {
    bytes.trim_start_with(char::is_whitespace)
}

/// Returns `bytes` without trailing white space, counted as by [`trim_start`].
pub fn trim_end(bytes: &[u8]) -> &[u8] {
    bytes.trim_end_with(char::is_whitespace)
}

/// Returns where the words of a line part: BuildKit splits an instruction's name off at these.
pub const fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x0B | 0x0C | b'\r' | b' ')
}

/// Returns whether a line is a comment: its first byte that is not white space is `#`.
pub fn is_comment(line: &[u8]) -> bool {
    trim_start(line).first() == Some(&b'#')
}

/// Returns how much of `line` is its own when it goes on in the next one, or `None` when it ends here.
///
/// It goes on when its last byte that is neither space nor tab is the escape character, unless another escape character
/// stands right before that one.
pub fn continued(line: &[u8], escape: u8) -> Option<usize> {
    let last = line.iter().rposition(|&b| b != b' ' && b != b'\t')?;
    (line[last] == escape && (last == 0 || line[last - 1] != escape)).then_some(last)
}
