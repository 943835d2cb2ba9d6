//! Finding suppressions, and what each speaks for.

use bstr::ByteSlice as _;

use crate::dockerfile::lines::{Line, Lines, trim_start};
use crate::dockerfile::{Dockerfile, Keyword, directives};
use crate::text::{BOM, Span};

use super::{Covers, Fault, Ignore, MARK, marks};

/// Words that people may write for `ignore`.
const OTHER_WORDS: &[&str] = &[
    "disable", "skip", "allow", "noqa", "nolint", "suppress", "off",
];

/// The suppressions of a file, in order. `file` is `None` where BuildKit could not read it: then every line that begins
/// with `#` or `//` counts as a comment.
#[must_use]
pub fn read(source: &[u8], file: Option<&Dockerfile<'_>>) -> Vec<Ignore> {
    let mut ignores = Vec::new();
    let mut done = 0;
    for (at, colon) in marks(source) {
        if at < done {
            continue;
        }
        let start = memchr::memrchr(b'\n', &source[..at]).map_or(0, |newline| newline + 1);
        let end =
            memchr::memchr(b'\n', &source[at..]).map_or(source.len(), |newline| at + newline + 1);
        done = end;
        let line = Span::new(start, end);
        let before = source[start..at]
            .strip_prefix(BOM)
            .unwrap_or(&source[start..at]);
        let mark = before.trim();
        if mark != b"#" && !(file.is_none() && mark == b"//") {
            let hash = (at + before.trim_end().len()).saturating_sub(before.len() + 1);
            if colon && file.is_some_and(|file| hash > start && is_trailing(file, start, hash)) {
                let comment =
                    Span::new(hash, start + source[line.start..line.end].trim_end().len());
                let found = parse(source, at + MARK.len(), comment, line, Covers::Nothing);
                let found = found.filter(|found| found.fault.is_none());
                ignores.extend(found.map(|found| Ignore {
                    fault: Some(Fault::Trailing),
                    names: Vec::new(),
                    ..found
                }));
            }
            continue;
        }
        let hash = at - before.trim_start().len();
        let comment = Span::new(hash, start + source[line.start..line.end].trim_end().len());
        if let Some(place) = place(file, hash) {
            let from = at + MARK.len() - usize::from(!colon);
            let found = parse(source, from, comment, line, place)
                .filter(|found| colon || found.fault.is_none());
            ignores.extend(found.map(|mut found| {
                if !colon {
                    (found.fault, found.names) = (Some(Fault::NoColon), Vec::new());
                }
                found
            }));
        }
    }
    if file.is_some() && !ignores.is_empty() {
        mark_guards(source, &mut ignores);
    }
    ignores
}

/// The suppressions of a file that is no Dockerfile (YAML, HCL), in order. Each speaks for the block below it: the next
/// line, and the lines behind it that are indented deeper.
#[must_use]
pub fn read_outline(source: &[u8]) -> Vec<Ignore> {
    let mut ignores = read(source, None);
    // What the suppression below speaks for: with nothing but comments between them, it is the same.
    let mut below: Option<(usize, Covers)> = None;
    for ignore in ignores
        .iter_mut()
        .rev()
        .filter(|ignore| ignore.covers == Covers::Nothing)
    {
        let from = ignore.line.end;
        let comments = |end: &usize| {
            source[from..*end]
                .lines()
                .all(|line| is_comment(line.trim_start()))
        };
        ignore.covers = match below.filter(|(start, _)| comments(start)) {
            Some((_, covers)) => covers,
            None => block_below(source, from).map_or(Covers::Nothing, Covers::Instruction),
        };
        below = Some((ignore.line.start, ignore.covers));
    }
    ignores
}

fn is_comment(text: &[u8]) -> bool {
    text.starts_with(b"#") || text.starts_with(b"//")
}

/// The block that begins with the first line from byte `from` on that is no comment.
fn block_below(source: &[u8], from: usize) -> Option<Span> {
    let indent = |line: &[u8]| line.iter().take_while(|b| **b == b' ').count();
    let is_item = |text: &[u8]| text == b"-" || text.starts_with(b"- ");
    // A list may stand as far to the left as the key that it belongs to; another item of a list belongs to none before it.
    let mut goes_on = false;
    let mut block: Option<(Span, usize)> = None;
    let mut at = from;
    for line in source[from..].split_inclusive(|b| *b == b'\n') {
        let text = line.trim();
        match &mut block {
            None if text.is_empty() => return None,
            None if is_comment(text) => {}
            None => {
                // What comes behind its colon is a comment at most.
                let key = text
                    .find(b" #")
                    .map_or(text, |comment| text[..comment].trim_end());
                goes_on = !is_item(text) && key.ends_with(b":");
                block = Some((Span::new(at, at + line.len()), indent(line)));
            }
            Some(_) if text.is_empty() => {}
            Some((span, depth))
                if indent(line) > *depth
                    || (goes_on && indent(line) == *depth && is_item(text)) =>
            {
                span.end = at + line.len();
            }
            Some(_) => break,
        }
        at += line.len();
    }
    block.map(|(span, _)| span)
}

/// What a comment at byte `hash` stands above or in; `None` where it is no comment but a heredoc's text, say.
fn place(file: Option<&Dockerfile<'_>>, hash: usize) -> Option<Covers> {
    let Some(file) = file else {
        return Some(Covers::Nothing);
    };
    if let Some(index) = file.instruction_at(hash) {
        let instruction = &file.instructions[index];
        let after = instruction
            .comments
            .partition_point(|comment| comment.start <= hash);
        let is_comment = after > 0 && hash < instruction.comments[after - 1].end;
        return is_comment.then_some(Covers::Instruction(instruction.span));
    }
    let next = file
        .instructions
        .partition_point(|instruction| instruction.span.start <= hash);
    let below = file
        .instructions
        .get(next)
        .filter(|below| below.lead <= hash);
    Some(below.map_or(Covers::Nothing, |below| Covers::Instruction(below.span)))
}

/// Whether the `#` at byte `hash` of the line at byte `start` begins a comment of the shell that a RUN starts: behind a
/// blank, and without a quote before it that could make it text.
fn is_trailing(file: &Dockerfile<'_>, start: usize, hash: usize) -> bool {
    let before = &file.source[start..hash];
    let is_comment = file.source.get(hash) == Some(&b'#') && before.ends_with(b" ");
    let run = file
        .instruction_at(hash)
        .map(|index| &file.instructions[index]);
    is_comment
        && !before
            .iter()
            .any(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\'))
        && run.is_some_and(|run| {
            run.keyword == Keyword::Run && run.heredocs.is_empty() && run.lines.0 == run.lines.1
        })
}

/// Marks those of `ignores` that keep lines below them from being read otherwise. Without those among the comments on top of
/// the file there would be other parser directives, or the first line begins with what there is a byte-order mark.
fn mark_guards(source: &[u8], ignores: &mut [Ignore]) {
    let is_comment = |line: &Line| {
        let text = trim_start(line.text.of(source));
        text.starts_with(b"#") || text.starts_with(b"//")
    };
    let top = Lines::new(source)
        .take_while(is_comment)
        .last()
        .map_or(0, |line| line.full.end);
    let count = ignores.partition_point(|ignore| ignore.line.end <= top);
    let ignores = &mut ignores[..count];
    if ignores.is_empty() {
        return;
    }
    // The line below the comments is no directive, whatever comes before it.
    let head = &source
        [..memchr::memchr(b'\n', &source[top..]).map_or(source.len(), |newline| top + newline)];
    let (mut without, mut at) = (Vec::with_capacity(head.len()), 0);
    for ignore in &*ignores {
        without.extend_from_slice(&head[at..ignore.line.start]);
        at = ignore.line.end;
    }
    without.extend_from_slice(&head[at..]);
    if directives::differ(head, &without) {
        for ignore in ignores {
            ignore.guards = true;
        }
    }
}

/// Reads what stands behind the mark at byte `from`; `None` where it is prose.
fn parse(source: &[u8], from: usize, comment: Span, line: Span, place: Covers) -> Option<Ignore> {
    let text = &source[from..comment.end.max(from)];
    let start = from + (text.len() - text.trim_start().len());
    let word = source[start..comment.end.max(start)]
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        .count();
    let name = source[start..start + word].to_str_lossy().into_owned();
    let after = &source[start + word..comment.end.max(start + word)];
    let ignore = |covers, names, fault| {
        Some(Ignore {
            covers,
            comment,
            line,
            names,
            fault,
            guards: false,
        })
    };
    let covers = match name.as_str() {
        "ignore" => place,
        "ignore-file" => Covers::File,
        _ => {
            let near = |known: &&str| strsim::damerau_levenshtein(&name, known) <= 2;
            let meant =
                OTHER_WORDS.contains(&name.as_str()) || ["ignore", "ignore-file"].iter().any(near);
            let fault = Some(Fault::Unknown(name.clone()));
            return if meant {
                ignore(place, Vec::new(), fault)
            } else {
                None
            };
        }
    };
    let Some(list) = after.trim_start().strip_prefix(b"[") else {
        return ignore(covers, Vec::new(), Some(Fault::NoList));
    };
    let Some(len) = list.find_byte(b']') else {
        return ignore(covers, Vec::new(), Some(Fault::Open));
    };
    let mut at = comment.end - list.len();
    let mut names = Vec::new();
    for item in list[..len].split(|b| *b == b',') {
        let name = item.trim();
        if !name.is_empty() {
            let start = at + (item.len() - item.trim_start().len());
            names.push((
                name.to_str_lossy().into_owned(),
                Span::new(start, start + name.len()),
            ));
        }
        at += item.len() + 1;
    }
    let fault = names.is_empty().then_some(Fault::NoList);
    ignore(covers, names, fault)
}
