//! The texts of YAML files: blocks behind `|` and `>`, and values on one line that begin with a RUN.
//!
//! Lines and their indentation are all that is looked at: charts are templates, which no reader of YAML can read.

use bstr::ByteSlice as _;

use super::{Holder, Piece, copy, lines, script};
use crate::dockerfile::Mapped;
use crate::text::Span;

/// Adds the texts of `file`.
pub(super) fn find(file: &Mapped<'_>, pieces: &mut Vec<Piece>) {
    let bytes = file.bytes();
    let lines: Vec<Span> = lines(bytes).collect();
    let mut at = 0;
    while let Some(span) = lines.get(at) {
        let line = span.of(bytes);
        at += 1;
        if line.trim_start().starts_with(b"#") {
            continue;
        }
        if !opens_block(line) {
            pieces.extend(value(file, *span));
            continue;
        }
        let parent = indent(line);
        let block = lines[at..].iter().take_while(|span| {
            let line = span.of(bytes);
            line.trim().is_empty() || indent(line) > parent
        });
        let block: Vec<Span> = block.copied().collect();
        at += block.len();
        let (Some(first), Some(last)) = (block.first(), block.last()) else {
            continue;
        };
        let whole = Span::new(first.start, last.end);
        if super::has(whole.of(bytes), "--mount") {
            script(
                dedented(file, &block),
                file.span(whole.start, whole.end),
                Holder::Yaml,
                pieces,
            );
        }
    }
}

/// How far a line is indented; the dash of a list counts as a blank, as YAML has it for what stands behind.
fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|b| **b == b' ').count()
}

/// Whether a block begins behind `line`.
fn opens_block(line: &[u8]) -> bool {
    let line = line
        .find(b" #")
        .map_or(line, |comment| &line[..comment])
        .trim_end();
    let mark = line
        .rfind_byteset(b" :-")
        .map_or(line, |before| &line[before + 1..]);
    let Some(mark) = line
        .rfind_byteset(b"|>")
        .map(|at| &line[at..])
        .filter(|found| !mark.is_empty() || found.len() > 1)
    else {
        return false;
    };
    let before = line[..line.len() - mark.len()].trim_end();
    mark[1..]
        .iter()
        .all(|b| matches!(b, b'+' | b'-' | b'0'..=b'9'))
        && (before.ends_with(b":") || before.ends_with(b"-") || before.is_empty())
}

/// The text of a block: its lines without the indentation of the first.
fn dedented(file: &Mapped<'_>, block: &[Span]) -> Mapped<'static> {
    let bytes = file.bytes();
    let first = block
        .iter()
        .map(|span| span.of(bytes))
        .find(|line| !line.trim().is_empty());
    let depth = first.map_or(0, indent);
    let mut text = Mapped::empty(0);
    for span in block {
        let own = indent(span.of(bytes)).min(depth);
        copy(file, span.start + own, span.end, &mut text);
    }
    text
}

/// A value on one line that begins with a RUN, in quotes or not.
fn value(file: &Mapped<'_>, line: Span) -> Option<Piece> {
    let bytes = line.of(file.bytes());
    let at = bytes.find(b"RUN --mount")?;
    let before = bytes[..at].trim_start();
    let quote = before.last().copied().filter(|b| matches!(b, b'"' | b'\''));
    let before = if quote.is_some() {
        &before[..before.len() - 1]
    } else {
        before
    };
    let is_key = |key: &[u8]| {
        key.iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b))
    };
    let key = before
        .trim_start_with(|ch| ch == '-' || ch == ' ')
        .trim_end();
    if !(key.is_empty() && before.ends_with(b"- ") || key.strip_suffix(b":").is_some_and(is_key)) {
        return None;
    }
    let start = line.start + at;
    let end = line.start + bytes.trim_end().len();
    let mut text = Mapped::empty(file.source(start));
    let mut at = start;
    while at < end {
        let next = file.bytes().get(at + 1).copied().unwrap_or_default();
        match (quote, file.bytes()[at]) {
            (Some(b'"'), b'\\') => {
                let made: &[u8] = match &next {
                    b'n' => b"\n",
                    other => std::slice::from_ref(other),
                };
                text.push(made, file.source(at));
                at += 2;
            }
            (Some(quote), byte) if byte == quote && next != quote => break,
            (Some(b'\''), b'\'') => {
                text.push(b"'", file.source(at));
                at += 2;
            }
            _ => {
                copy(file, at, at + 1, &mut text);
                at += 1;
            }
        }
    }
    Some(Piece {
        text,
        extent: file.span(start, end),
        holder: Holder::Yaml,
    })
}
