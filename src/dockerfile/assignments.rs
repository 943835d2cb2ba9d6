//! What an ARG or ENV says: names and their values.

use super::ast::{Dockerfile, Instruction, Keyword};
use super::expression::{self, Reach};
use super::lines::{is_blank, trim_end};

/// `NAME` or `NAME=value` in an ARG or ENV.
#[derive(Debug)]
pub(super) struct Assignment<'i> {
    pub(super) name: &'i str,
    pub(super) name_end: usize,
    pub(super) value: Option<&'i [u8]>,
}

impl Instruction<'_> {
    /// Returns the words of an ARG or ENV of `file` as BuildKit splits them, quotes and escapes kept; in a template, an
    /// expression is one piece.
    pub fn words(&self, file: &Dockerfile<'_>) -> Vec<&[u8]> {
        let text = self.text.bytes();
        words(file, self)
            .into_iter()
            .map(|(start, end)| &text[start..end])
            .collect()
    }
}

/// Returns the names that an ARG or ENV declares, words with other than name characters left out.
pub(super) fn assignments<'i>(
    file: &Dockerfile<'_>,
    instruction: &'i Instruction<'_>,
) -> Vec<Assignment<'i>> {
    assignments_in(instruction, &words(file, instruction))
}

/// [`assignments`], of the `words` of the instruction.
pub(super) fn assignments_in<'i>(
    instruction: &'i Instruction<'_>,
    words: &[(usize, usize)],
) -> Vec<Assignment<'i>> {
    let text = instruction.text.bytes();
    let legacy = instruction.keyword == Keyword::Env
        && words
            .first()
            .is_some_and(|&(start, end)| !text[start..end].contains(&b'='));
    if legacy {
        // `ENV NAME the rest of the line`
        let (start, _) = words[0];
        let end = text[start..]
            .iter()
            .position(|&b| is_blank(b))
            .map_or(text.len(), |at| start + at);
        let value = text[end..]
            .iter()
            .position(|&b| !is_blank(b))
            .map_or(&[][..], |at| trim_end(&text[end + at..]));
        return name_of(&text[start..end])
            .map(|name| Assignment {
                name,
                name_end: end,
                value: Some(value),
            })
            .into_iter()
            .collect();
    }
    let read = |&(start, end): &(usize, usize)| {
        let equals = memchr::memchr(b'=', &text[start..end]).map(|at| start + at);
        let name_end = equals.unwrap_or(end);
        let name = name_of(&text[start..name_end])?;
        Some(Assignment {
            name,
            name_end,
            value: equals.map(|at| &text[at + 1..end]),
        })
    };
    words.iter().filter_map(read).collect()
}

fn name_of(bytes: &[u8]) -> Option<&str> {
    let fits = bytes
        .first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if fits {
        std::str::from_utf8(bytes).ok()
    } else {
        None
    }
}

/// Returns the words behind the flags of `instruction`, quotes and escapes kept, as byte ranges of its text (BuildKit's
/// `parseWords`).
pub(super) fn words(file: &Dockerfile<'_>, instruction: &Instruction<'_>) -> Vec<(usize, usize)> {
    let (text, escape) = (instruction.text.bytes(), file.escape);
    let end = trim_end(text).len();
    let mut words = Vec::new();
    let mut at = instruction.args;
    while at < end {
        let blank = space(&text[at..end]);
        if blank > 0 {
            at += blank;
            continue;
        }
        let start = at;
        let mut quote = None;
        while at < end && (quote.is_some() || space(&text[at..end]) == 0) {
            // A template's expression is one piece, blanks and all.
            if file.template
                && quote.is_none()
                && let Some(Reach::Closed(behind)) = expression::at(&text[..end], at)
            {
                at = behind;
                continue;
            }
            let byte = text[at];
            if byte == escape && quote != Some(b'\'') {
                if at + 1 == end {
                    // An escape at the very end is dropped.
                    break;
                }
                at += 1;
            } else if quote == Some(byte) {
                quote = None;
            } else if quote.is_none() && matches!(byte, b'\'' | b'"') {
                quote = Some(byte);
            }
            at += 1;
        }
        let stop = at.min(end);
        if stop == start {
            break;
        }
        words.push((start, stop));
        if stop < end && text[stop] == escape {
            break;
        }
    }
    words
}

/// Returns the length of the white space character that `text` starts with, 0 if it starts with none.
fn space(text: &[u8]) -> usize {
    match text.first() {
        Some(b'\t'..=b'\r' | b' ') => 1,
        Some(0x80..) => match bstr::decode_utf8(text) {
            (Some(ch), len) if ch.is_whitespace() => len,
            _ => 0,
        },
        _ => 0,
    }
}
