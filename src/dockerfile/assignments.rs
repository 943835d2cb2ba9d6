//! Names and values of ARG and ENV.

use super::ast::{Dockerfile, Instruction, Keyword};
use super::expression::{self, Reach};
use super::lines::{is_blank, trim_end, trim_start};
use crate::text::is_name;

/// `NAME` or `NAME=value` in an ARG or ENV.
#[derive(Debug)]
pub(super) struct Assignment<'i> {
    pub(super) name: &'i str,
    pub(super) name_end: usize,
    pub(super) value: Option<&'i [u8]>,
}

impl Instruction<'_> {
    /// Returns the words of an ARG or ENV as BuildKit splits them, quotes and escapes kept; a template expression is one
    /// piece.
    pub fn words(&self, file: &Dockerfile<'_>) -> Vec<&[u8]> {
        let text = self.text.bytes();
        words(file, self)
            .into_iter()
            .map(|(start, end)| &text[start..end])
            .collect()
    }
}

/// Returns the names that an ARG or ENV declares, skipping words with other characters.
pub(super) fn assignments<'i>(
    file: &Dockerfile<'_>,
    instruction: &'i Instruction<'_>,
) -> Vec<Assignment<'i>> {
    assignments_in(instruction, &words(file, instruction))
}

/// Returns the names among the given `words` of an ARG or ENV.
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
    std::str::from_utf8(bytes).ok().filter(|name| is_name(name))
}

/// Returns the byte ranges of the words behind the flags, quotes and escapes kept (BuildKit's `parseWords`).
pub(super) fn words(file: &Dockerfile<'_>, instruction: &Instruction<'_>) -> Vec<(usize, usize)> {
    let (text, escape) = (trim_end(instruction.text.bytes()), file.escape);
    let end = text.len();
    let is_space = |at: usize| {
        let (ch, _) = bstr::decode_utf8(&text[at..]);
        ch.is_some_and(char::is_whitespace)
    };
    let mut words = Vec::new();
    let mut at = instruction.args;
    while at < end {
        at = end - trim_start(&text[at..]).len();
        let start = at;
        let mut quote = None;
        while at < end && (quote.is_some() || !is_space(at)) {
            // A template's expression is one piece, blanks and all.
            if file.template
                && quote.is_none()
                && let Some(Reach::Closed(behind)) = expression::at(text, at)
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
