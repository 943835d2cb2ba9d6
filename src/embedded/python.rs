//! The strings of Python code.
//!
//! Comments are none, and neither are docstrings: a string that is a statement of its own is read by people.

use super::{Holder, Piece, copy, has};
use crate::dockerfile::Mapped;
use crate::text::Span;

/// How deep braces are followed in an f-string's expression.
const MAX_DEPTH: usize = 16;

/// One literal.
#[derive(Clone, Copy, Debug)]
struct Literal {
    /// With prefix and quotes.
    whole: Span,
    /// What stands between the quotes.
    content: Span,
    raw: bool,
    format: bool,
}

/// Adds the strings of `code`; literals that Python or a `+` joins are one.
pub(super) fn find(code: &Mapped<'_>, pieces: &mut Vec<Piece>) {
    let bytes = code.bytes();
    let (mut at, mut depth, mut fresh) = (0, 0_usize, true);
    while at < bytes.len() {
        let byte = bytes[at];
        if let Some(first) = literal(bytes, at) {
            let group = group(bytes, first, depth > 0);
            at = group.last().map_or(at + 1, |last| last.whole.end);
            if !(fresh && depth == 0 && ends_statement(bytes, at)) {
                pieces.extend(piece(code, &group));
            }
            fresh = false;
            continue;
        }
        match byte {
            b'#' => at = line_end(bytes, at),
            b'\\' => at += 2,
            b'\n' => {
                fresh |= depth == 0;
                at += 1;
            }
            b' ' | b'\t' | b'\r' | 0x0C => at += 1,
            _ if is_word(byte) => {
                at += bytes[at..].iter().take_while(|b| is_word(**b)).count();
                fresh = false;
            }
            _ => {
                match byte {
                    b'(' | b'[' | b'{' => depth += 1,
                    b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                fresh = byte == b';' && depth == 0;
                at += 1;
            }
        }
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline)
}

/// Whether nothing more follows in the statement from byte `at` on.
fn ends_statement(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at..line_end(bytes, at)];
    rest.iter()
        .find(|b| !b.is_ascii_whitespace())
        .is_none_or(|b| matches!(b, b'#' | b';'))
}

/// `first` and the literals that are joined to it.
fn group(bytes: &[u8], first: Literal, nested: bool) -> Vec<Literal> {
    let mut group = vec![first];
    let mut end = first.whole.end;
    loop {
        let mut at = trivia(bytes, end, nested);
        if bytes.get(at) == Some(&b'+') {
            at = trivia(bytes, at + 1, nested);
        }
        let Some(next) = literal(bytes, at) else {
            return group;
        };
        end = next.whole.end;
        group.push(next);
    }
}

/// Behind white space and comments from byte `at` on; newlines count as such within brackets.
fn trivia(bytes: &[u8], mut at: usize, nested: bool) -> usize {
    loop {
        match bytes.get(at) {
            Some(b' ' | b'\t' | b'\r') => at += 1,
            Some(b'\n') if nested => at += 1,
            Some(b'#') if nested => at = line_end(bytes, at),
            Some(b'\\') if matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) => at += 2,
            _ => return at,
        }
    }
}

/// The literal that begins at byte `at`.
fn literal(bytes: &[u8], at: usize) -> Option<Literal> {
    let prefix = bytes
        .get(at..)?
        .iter()
        .take(3)
        .take_while(|b| b"rRbBuUfFtT".contains(b))
        .count();
    let has = |letter: u8| {
        bytes[at..at + prefix]
            .iter()
            .any(|b| b.to_ascii_lowercase() == letter)
    };
    let open = at + prefix;
    let quote = *bytes.get(open).filter(|b| matches!(b, b'"' | b'\''))?;
    let (raw, format) = (has(b'r'), has(b'f') || has(b't'));
    let triple = bytes[open..].starts_with(&[quote; 3]);
    let width = if triple { 3 } else { 1 };
    let start = open + width;
    let mut end = start;
    loop {
        let Some(byte) = bytes.get(end) else {
            return Some(Literal {
                whole: Span::new(at, end),
                content: Span::new(start, end),
                raw,
                format,
            });
        };
        match byte {
            b'\\' => end = (end + 2).min(bytes.len()),
            b'\n' if !triple => {
                return Some(Literal {
                    whole: Span::new(at, end),
                    content: Span::new(start, end),
                    raw,
                    format,
                });
            }
            b'{' if format => end = expression(bytes, end, triple).unwrap_or(end + 1),
            _ if *byte == quote && (!triple || bytes[end..].starts_with(&[quote; 3])) => {
                let whole = Span::new(at, end + width);
                return Some(Literal {
                    whole,
                    content: Span::new(start, end),
                    raw,
                    format,
                });
            }
            _ => end += 1,
        }
    }
}

/// Behind the expression, or the doubled brace, that begins at byte `at`; `None` where it does not end.
fn expression(bytes: &[u8], at: usize, triple: bool) -> Option<usize> {
    if bytes.get(at + 1) == Some(&b'{') {
        return Some(at + 2);
    }
    let (mut depth, mut end) = (0, at);
    loop {
        match bytes.get(end)? {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'\n' if !triple => return None,
            // A string in the expression; quotes of the literal itself are allowed there since Python 3.12.
            quote @ (b'"' | b'\'') => {
                let close = memchr::memchr2(*quote, b'\n', &bytes[end + 1..])?;
                end += 1 + close;
                if bytes[end] == b'\n' {
                    return None;
                }
            }
            _ => {}
        }
        end += 1;
        if depth == 0 {
            return Some(end);
        }
        if depth > MAX_DEPTH {
            return None;
        }
    }
}

fn piece(code: &Mapped<'_>, group: &[Literal]) -> Option<Piece> {
    let (first, last) = (group.first()?, group.last()?);
    if !has(
        Span::new(first.whole.start, last.whole.end).of(code.bytes()),
        "--mount",
    ) {
        return None;
    }
    let called = code.bytes()[last.whole.end..].starts_with(b".format(");
    let mut text = Mapped::empty(code.source(first.content.start));
    for literal in group {
        decode(code, literal, called || literal.format, &mut text);
    }
    let extent = code.span(first.whole.start, last.whole.end);
    let format = called || group.iter().any(|literal| literal.format);
    let holder = if format {
        Holder::PythonFormat
    } else {
        Holder::PythonString
    };
    Some(Piece {
        text,
        extent,
        holder,
    })
}

/// Adds what Python makes of `literal`.
fn decode(code: &Mapped<'_>, literal: &Literal, format: bool, text: &mut Mapped<'static>) {
    let bytes = &code.bytes()[..literal.content.end];
    let (mut at, mut plain) = (literal.content.start, literal.content.start);
    while at < bytes.len() {
        let (end, made): (usize, &[u8]) = match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(next)) if !literal.raw => match next {
                b'n' => (at + 2, b"\n"),
                b't' => (at + 2, b"\t"),
                b'\n' => (at + 2, b""),
                b'\r' if bytes.get(at + 2) == Some(&b'\n') => (at + 3, b""),
                b'\\' | b'"' | b'\'' => (at + 2, &bytes[at + 1..at + 2]),
                _ => {
                    at += 2;
                    continue;
                }
            },
            (b'{', Some(b'{')) if format => (at + 2, b"{"),
            (b'}', Some(b'}')) if format => (at + 2, b"}"),
            (b'{', _) if format => {
                let Some(end) = expression(bytes, at, true) else {
                    at += 1;
                    continue;
                };
                copy(code, plain, at, text);
                // To whoever reads the Dockerfile it is a template's expression.
                text.push(b"{{", code.source(at));
                copy(code, at + 1, end - 1, text);
                text.push(b"}}", code.source(end - 1).saturating_sub(1));
                (at, plain) = (end, end);
                continue;
            }
            _ => {
                at += 1;
                continue;
            }
        };
        copy(code, plain, at, text);
        // What ends with a brace ends with both of them.
        text.push(made, code.source(if made == b"}" { end - 1 } else { at }));
        (at, plain) = (end, end);
    }
    copy(code, plain.min(bytes.len()), bytes.len(), text);
}
