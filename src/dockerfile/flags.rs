//! An instruction's name and its flags: the words behind it that start with `--`.
//!
//! BuildKit splits them off byte by byte (`extractBuilderFlags` in `frontend/dockerfile/parser/split_command.go`),
//! taking each byte for a Latin-1 character. Quotes and escapes go here, before an option list is split at its commas
//! and before variables are expanded.

use crate::text::Span;

use super::lines::{is_blank, trim_end};
use super::mapped::Mapped;

/// One flag, `--name` or `--name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag<'a> {
    /// The flag as BuildKit reads it, its quotes and escapes gone: `--mount=type=cache,…`.
    pub text: Mapped<'a>,
    /// The flag as it stands in the file, quotes included.
    pub span: Span,
    /// Whether a quote in it is never closed, so that it runs to the end of the instruction.
    pub open_quote: bool,
}

impl<'a> Flag<'a> {
    /// The name behind `--`, up to an `=`.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        let text = self.text.bytes();
        &text[2.min(text.len())..memchr::memchr(b'=', text).unwrap_or(text.len()).max(2).min(text.len())]
    }

    /// The value behind the first `=`, or `None` where there is none.
    #[must_use]
    pub fn value(&self) -> Option<Mapped<'a>> {
        let text = self.text.bytes();
        memchr::memchr(b'=', text).map(|at| self.text.slice(at + 1, text.len()))
    }

    /// The flag with each byte taken for a Latin-1 character: the text that BuildKit goes on with. It differs from the
    /// file's text only where that is not ASCII.
    #[must_use]
    pub fn as_buildkit_reads_it(&self) -> String {
        self.text.bytes().iter().map(|&b| char::from(b)).collect()
    }
}

/// Splits `text[from..]` at the first blank: where the name ends, and where what follows it begins.
#[must_use]
pub fn split_name(text: &[u8], from: usize) -> (usize, usize) {
    let end = trim_end(text).len().max(from);
    let name = text[from..end].iter().position(|&b| is_blank(b)).map_or(end, |at| from + at);
    let rest = text[name..end].iter().position(|&b| !is_blank(b)).map_or(end, |at| name + at);
    (name, rest)
}

/// White space to BuildKit's flag splitter, which looks at single bytes: 0x85 and 0xA0 count, even inside a UTF-8
/// character.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xA0)
}

/// The flags in `text[from..]`, and where the rest begins (the text's end when there is none).
///
/// Flags end at the first word that does not start with `--`, or behind a lone `--`. Where `template` is set, an
/// expression such as `{{ name }}` or `@(name)` counts as part of the word it stands in, spaces and all: the text that
/// an engine puts there is not known here. `source` is the file that `text` is from.
#[must_use]
pub fn split<'a>(
    text: &Mapped<'a>,
    source: &'a [u8],
    from: usize,
    escape: u8,
    template: bool,
) -> (Vec<Flag<'a>>, usize) {
    let bytes = text.bytes();
    let mut flags = Vec::new();
    let blanks = bytes[from.min(bytes.len())..].iter().take_while(|&&b| is_space(b)).count();
    if !bytes[(from + blanks).min(bytes.len())..].starts_with(b"--") {
        return (flags, from + blanks);
    }
    let end = trim_end(bytes).len();
    let mut at = from;
    loop {
        at += bytes[at.min(end)..end].iter().take_while(|&&b| is_space(b)).count();
        if !bytes[at.min(end)..end].starts_with(b"--") {
            return (flags, at.min(end));
        }
        let start = at;
        let (word, quotes, stop) = word(text, source, start, end, escape, template);
        at = stop;
        if word.bytes() == b"--" {
            return (flags, at);
        }
        if quotes != Quotes::None || !word.bytes().is_empty() {
            let open_quote = quotes == Quotes::Open;
            flags.push(Flag { text: word, span: text.span(start, stop), open_quote });
        }
    }
}

/// The quotes of a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Closed,
    Open,
}

/// Reads one word from `start` on: its text, its quotes, and where it ends.
fn word<'a>(
    text: &Mapped<'a>,
    source: &'a [u8],
    start: usize,
    end: usize,
    escape: u8,
    template: bool,
) -> (Mapped<'a>, Quotes, usize) {
    let bytes = text.bytes();
    let special = |b: u8| is_space(b) || matches!(b, b'\'' | b'"') || b == escape || (template && b"{@".contains(&b));
    let plain = bytes[start..end].iter().position(|&b| special(b)).map_or(end, |at| start + at);
    let mut word = text.stretch(start, plain, source);
    let mut add = |from: usize, to: usize| (from..to).for_each(|at| word.push(&bytes[at..=at], text.source(at)));
    let mut quote = None;
    let mut quotes = Quotes::None;
    let mut at = plain;
    while at < end {
        let byte = bytes[at];
        if template && let Some(len) = template_expression(&bytes[at..end]) {
            add(at, at + len);
            at += len;
            continue;
        }
        if quote == Some(byte) {
            quote = None;
            quotes = Quotes::Closed;
        } else if quote.is_none() && matches!(byte, b'\'' | b'"') {
            quote = Some(byte);
            quotes = Quotes::Open;
        } else if quote.is_none() && is_space(byte) {
            break;
        } else {
            at += usize::from(byte == escape);
            if at < end {
                add(at, at + 1);
            }
        }
        at += 1;
    }
    (word, quotes, at.min(end))
}

/// The length of the template expression that `bytes` starts with, if it does: `{{ … }}`, `{% … %}`, `@(…)` or `@[…]`.
fn template_expression(bytes: &[u8]) -> Option<usize> {
    let (open, close): (&[u8], &[u8]) = match bytes {
        [b'{', b'{', ..] => (b"{{", b"}}"),
        [b'{', b'%', ..] => (b"{%", b"%}"),
        [b'@', b'(', ..] => (b"@(", b")"),
        [b'@', b'[', ..] => (b"@[", b"]"),
        _ => return None,
    };
    memchr::memmem::find(&bytes[open.len()..], close).map(|at| open.len() + at + close.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(line: &str) -> (Vec<String>, String) {
        let text = Mapped::borrowed(line.as_bytes(), Span::new(0, line.len()));
        let (_, from) = split_name(line.as_bytes(), 0);
        let (flags, rest) = split(&text, line.as_bytes(), from, b'\\', false);
        (flags.iter().map(Flag::as_buildkit_reads_it).collect(), line[rest..].trim_start().into())
    }

    #[test]
    fn quotes_and_escapes_come_off() {
        let (found, rest) = flags(r#"RUN --a='x y' --b="q\"r" --c=\$d  echo "hi""#);
        assert_eq!(found, ["--a=x y", "--b=q\"r", "--c=$d"]);
        assert_eq!(rest, r#"echo "hi""#);
    }

    #[test]
    fn a_lone_dash_dash_ends_them() {
        assert_eq!(flags("RUN --a -- --b x"), (vec!["--a".into()], "--b x".into()));
        assert_eq!(flags("RUN --"), (vec![], String::new()));
        assert_eq!(flags("RUN -x --a"), (vec![], "-x --a".into()));
    }

    #[test]
    fn the_splitter_looks_at_bytes() {
        // The second byte of `à` is 0xA0, white space to BuildKit.
        assert_eq!(flags("RUN --a=xà y").0, ["--a=x\u{C3}"]);
    }
}
