//! An instruction's name and flags (the words behind it that start with `--`).
//!
//! BuildKit splits them byte by byte (`extractBuilderFlags` in `frontend/dockerfile/parser/split_command.go`), each byte
//! a Latin-1 character. It removes quotes and escapes before it splits option lists at commas and expands variables.

use crate::text::Mapped;

use super::ast::Flag;
use super::expression::{self, Reach};
use super::lines::{is_blank, trim_end};
use super::template::{Tag, skip_tags, tag_of};

impl<'a> Flag<'a> {
    /// Returns the name behind `--`, up to an `=`.
    pub fn name(&self) -> &[u8] {
        let text = self.text.bytes();
        let end = memchr::memchr(b'=', text).unwrap_or(text.len());
        text.get(2..end).unwrap_or_default()
    }

    /// Returns the value behind the first `=`.
    pub fn value(&self) -> Option<Mapped<'a>> {
        let text = self.text.bytes();
        memchr::memchr(b'=', text).map(|at| self.text.slice(at + 1, text.len()))
    }
}

/// Splits `text[from..]` at the first blank: returns the end of the name, and the start of the rest.
pub fn split_name(text: &[u8], from: usize) -> (usize, usize) {
    let end = trim_end(text).len().max(from);
    let name = text[from..end]
        .iter()
        .position(|&b| is_blank(b))
        .map_or(end, |at| from + at);
    let rest = text[name..end]
        .iter()
        .position(|&b| !is_blank(b))
        .map_or(end, |at| name + at);
    (name, rest)
}

/// Returns whether BuildKit's flag splitter, which reads single bytes, takes `byte` for white space: 0x85 and 0xA0
/// count, even inside a UTF-8 character.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xA0)
}

/// Returns the flags in `text[from..]` and the start of the rest.
///
/// Flags end at the first word without `--`, or behind a lone `--`. In a `template`, an expression such as `{{ name }}`
/// or `@(name)` is part of its word, spaces included, and tags such as `{% if x %}` may stand between flags.
pub fn split<'a>(
    text: &Mapped<'a>,
    from: usize,
    escape: u8,
    template: bool,
) -> (Vec<Flag<'a>>, usize) {
    let bytes = text.bytes();
    let mut flags = Vec::new();
    let end = trim_end(bytes).len();
    let behind_blanks = |at: usize| {
        at + bytes[at.min(end)..end]
            .iter()
            .take_while(|&&b| is_space(b))
            .count()
    };
    let mut conditional = false;
    let mut at = from;
    loop {
        at = behind_blanks(at);
        let mut start = at;
        if template {
            start = behind_blanks(skip_tags(&bytes[..end], at.min(end)).0);
            conditional |= start > at;
        }
        if !bytes[start.min(end)..end].starts_with(b"--") {
            let blanks = bytes[at.min(bytes.len())..].iter();
            let blanks = blanks.take_while(|&&b| is_space(b)).count();
            let rest = if flags.is_empty() {
                at + blanks
            } else {
                at.min(end)
            };
            return (flags, rest);
        }
        let word = word(text, start, end, escape, template);
        at = word.end;
        // A tag right behind it makes an unknown word of it.
        if word.text.bytes() == b"--" && bytes[at..end].first().is_none_or(|&b| is_space(b)) {
            return (flags, at);
        }
        if word.quotes != Quotes::None || !word.text.bytes().is_empty() {
            flags.push(Flag {
                span: text.span(start, word.end),
                open_quote: word.quotes == Quotes::Open,
                text: word.text,
                conditional,
            });
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Closed,
    Open,
}

struct FlagWord<'a> {
    /// The word without quotes and escapes.
    text: Mapped<'a>,
    quotes: Quotes,
    /// The byte behind it.
    end: usize,
}

/// Reads the word at `start`, before `end`.
fn word<'a>(
    text: &Mapped<'a>,
    start: usize,
    end: usize,
    escape: u8,
    template: bool,
) -> FlagWord<'a> {
    let bytes = text.bytes();
    let is_special = |b: &u8| {
        is_space(*b)
            || matches!(b, b'\'' | b'"')
            || *b == escape
            || (template && b"{@<[#".contains(b))
    };
    let mut word = Mapped::empty(text.source(start));
    let (mut quote, mut quotes) = (None, Quotes::None);
    let mut at = start;
    while at < end {
        let byte = bytes[at];
        if template && let Some(Reach::Closed(behind)) = expression::within(text, at) {
            let whole = behind_blocks(text, at, behind)
                .or(quote.map(|_| behind))
                .filter(|behind| *behind <= end);
            let Some(behind) = whole else { break };
            word.append(text, at, behind);
            at = behind;
        } else if quote == Some(byte) {
            (quote, quotes) = (None, Quotes::Closed);
            at += 1;
        } else if quote.is_none() && matches!(byte, b'\'' | b'"') {
            (quote, quotes) = (Some(byte), Quotes::Open);
            at += 1;
        } else if quote.is_none() && is_space(byte) {
            break;
        } else {
            at += usize::from(byte == escape);
            let rest = bytes.get(at + 1..end).unwrap_or_default();
            let next = at + 1 + rest.iter().position(is_special).unwrap_or(rest.len());
            word.append(text, at, next.min(end));
            at = next;
        }
    }
    FlagWord {
        text: word,
        quotes,
        end: at.min(end),
    }
}

/// Returns the end of the expression `text[at..end]` of a word, or of the block that it opens; `None` where it is a tag
/// of a block that reaches beyond the word.
fn behind_blocks(text: &Mapped<'_>, at: usize, end: usize) -> Option<usize> {
    let bytes = text.bytes();
    let (mut at, mut end, mut depth) = (at, end, 0_usize);
    loop {
        match tag_of(&bytes[at..end]) {
            Some(Tag::Open) => depth += 1,
            Some(Tag::Else { .. }) if depth == 0 => return None,
            Some(Tag::Close) => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(end);
        }
        // On to the next expression of the same word.
        at = end;
        end = loop {
            match expression::within(text, at) {
                Some(Reach::Closed(end)) => break end,
                _ if bytes.get(at).is_none_or(|b| is_space(*b)) => return None,
                _ => at += 1,
            }
        };
    }
}
