//! Places in a text: byte spans, and the lines and columns that people count in.
//!
//! Everything inside cachelane speaks *bytes* ([`Span`]); only the edges (reports, JSON) turn them into lines and
//! columns ([`Pos`]), and they all do it here, so that no two reports can disagree about a column.

use bstr::ByteSlice as _;

/// The UTF-8 byte-order mark. BuildKit drops it from the first line, so no column counts it.
pub const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A half-open range of bytes, `start..end`, in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span `start..end`. An end before the start is taken as an empty span at `start`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        let end = if end < start { start } else { end };
        Self { start, end }
    }

    /// The empty span at `at`, where something could be inserted.
    #[must_use]
    pub const fn at(at: usize) -> Self {
        Self { start: at, end: at }
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the span covers no byte.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `offset` is one of the span's bytes.
    #[must_use]
    pub const fn contains(self, offset: usize) -> bool {
        self.start <= offset && offset < self.end
    }

    /// The bytes of `source` that the span covers; empty where it lies outside.
    #[must_use]
    pub fn of(self, source: &[u8]) -> &[u8] {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

/// A place as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Pos {
    /// 1-based line.
    pub line: usize,
    /// 1-based column, counted in characters (Unicode scalar values; an invalid sequence counts as one).
    pub column: usize,
    /// 0-based byte offset in the file.
    pub offset: usize,
}

/// Two places: the JSON form of a [`Span`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Range {
    /// Where it starts.
    pub start: Pos,
    /// Where it ends, exclusive.
    pub end: Pos,
}

/// Where the lines of a text begin. Building it reads the text once; a look-up is a binary search.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Finds the lines of `source`. Lines end at `\n`, as BuildKit has it; a lone `\r` ends none.
    #[must_use]
    pub fn new(source: &[u8]) -> Self {
        // Lines of real files have some thirty bytes.
        let mut starts = Vec::with_capacity(source.len() / 32 + 2);
        starts.push(0);
        starts.extend(memchr::memchr_iter(b'\n', source).map(|at| at + 1));
        Self { starts }
    }

    /// The 1-based line that holds byte `offset`; offsets past the end belong to the last line.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }

    /// How many lines there are; a final newline opens one more, empty line.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.starts.len()
    }

    /// The length of the longest line but the last, in bytes, its newline included.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.starts
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or(0)
    }

    /// The byte at which the 1-based `line` starts; the last line's start for any line beyond.
    #[must_use]
    pub fn start_of(&self, line: usize) -> usize {
        let last = self.starts.len() - 1;
        self.starts[line.saturating_sub(1).min(last)]
    }

    /// Line and column of byte `offset` of `source`, the text that the index was made from.
    #[must_use]
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

    /// Both ends of `span` in `source`.
    #[must_use]
    pub fn range(&self, source: &[u8], span: Span) -> Range {
        Range {
            start: self.pos(source, span.start),
            end: self.pos(source, span.end),
        }
    }
}

/// How the line that `source[..]` has at `offset` ends: `\r\n` or `\n`.
///
/// A last line without an end takes after the line above it; a text of one line without an end gets `\n`.
#[must_use]
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

/// `text` with every control character (and the marks that reorder text) replaced by a visible stand-in.
///
/// Names of files and ids come from repositories that nobody vetted; printed raw, they could move the cursor of a
/// terminal or forge a line of a log. Tabs and newlines count as control characters too: the callers print one line.
#[must_use]
pub fn printable(text: &str) -> std::borrow::Cow<'_, str> {
    if is_plain(text.as_bytes()) || !text.chars().any(is_unprintable) {
        return text.into();
    }
    text.chars()
        .map(|ch| if is_unprintable(ch) { visible(ch) } else { ch })
        .collect::<String>()
        .into()
}

/// Whether `bytes` are printable ASCII characters and blanks alone, as most text is.
#[must_use]
pub fn is_plain(bytes: &[u8]) -> bool {
    // Without an early exit, the compiler looks at many bytes at a time.
    bytes
        .iter()
        .fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// Whether `ch` must not reach a terminal as it is.
#[must_use]
pub fn is_unprintable(ch: char) -> bool {
    ch.is_control()
        || matches!(ch, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The stand-in for an unprintable character: its picture from Unicode's *Control Pictures*, or U+FFFD.
#[must_use]
pub fn visible(ch: char) -> char {
    match u32::from(ch) {
        code @ 0..=0x1F => char::from_u32(0x2400 + code).unwrap_or('\u{FFFD}'),
        0x7F => '\u{2421}',
        _ => '\u{FFFD}',
    }
}

/// `text`, which is for people, with no line that a build server's log takes for a command: GitHub's runner obeys lines that
/// start with `::`, blanks aside; it and Azure's and `TeamCity`'s agents obey `##[…]`, `##vso[…]` and `##teamcity[…]`, wherever
/// these stand. The former get a `./` before them, as most are paths, the latter a blank within.
#[must_use]
pub fn inert(text: &str) -> std::borrow::Cow<'_, str> {
    let starts = |line: &str| line.trim_start().starts_with("::");
    if !text.contains("##") && (!text.contains("::") || !text.lines().any(starts)) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start().len();
        let (margin, mut rest) = line.split_at(if starts(line) { blanks } else { 0 });
        out.push_str(margin);
        out.push_str(if starts(line) { "./" } else { "" });
        while let Some(at) = rest.find("##") {
            let word = rest[at + 2..].trim_start_matches(|ch: char| ch.is_ascii_alphabetic());
            let (before, after) = rest.split_at(at + if word.starts_with('[') { 2 } else { 1 });
            out.push_str(before);
            out.push_str(if word.starts_with('[') { " " } else { "" });
            rest = after;
        }
        out.push_str(rest);
    }
    out.into()
}

/// `n` with its noun, in the plural where it is not one.
#[must_use]
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_leave_out_the_byte_order_mark() {
        let source = "\u{FEFF}RUN ä\n\tß x".as_bytes();
        let index = LineIndex::new(source);
        assert_eq!(
            index.pos(source, 3),
            Pos {
                line: 1,
                column: 1,
                offset: 3
            }
        );
        assert_eq!(
            index.pos(source, 9),
            Pos {
                line: 1,
                column: 6,
                offset: 9
            }
        );
        assert_eq!(
            index.pos(source, 13),
            Pos {
                line: 2,
                column: 3,
                offset: 13
            }
        );
        assert_eq!(index.pos(source, 999).line, 2);
    }

    #[test]
    fn an_invalid_byte_is_one_column() {
        let source = b"a\xFFb";
        assert_eq!(LineIndex::new(source).pos(source, 2).column, 3);
    }

    #[test]
    fn a_line_without_an_end_takes_after_the_one_above() {
        assert_eq!(line_ending(b"a\r\nb", 3), "\r\n");
        assert_eq!(line_ending(b"a\nb\r\n", 0), "\n");
        assert_eq!(line_ending(b"b", 0), "\n");
    }

    #[test]
    fn a_log_takes_no_line_for_a_command() {
        for (text, expected) in [
            ("a::b # ## c ###", "a::b # ## c ###"),
            (
                "::error::x\n  ::set-output name=a::b",
                "./::error::x\n  ./::set-output name=a::b",
            ),
            ("x ##[add-mask]y", "x ## [add-mask]y"),
            (
                "###[a] ##VSO[task.setvariable]x ##teamcity[a]",
                "### [a] ## VSO[task.setvariable]x ## teamcity[a]",
            ),
            ("\u{3000}::debug::", "\u{3000}./::debug::"),
        ] {
            assert_eq!(inert(text), expected);
        }
    }

    #[test]
    fn control_characters_become_pictures() {
        assert_eq!(printable("a\u{1b}[2J\nb"), "a␛[2J␊b");
        assert_eq!(printable("größe"), "größe");
    }
}
