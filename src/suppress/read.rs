//! Finds suppressions in a file, and the code that each covers.

use std::sync::LazyLock;

use bstr::ByteSlice as _;
use memchr::memmem::Finder;

use crate::dockerfile::lines::{Line, Lines, trim_start};
use crate::dockerfile::{Dockerfile, Keyword, directives};
use crate::text::{BOM, Span};

use super::model::{Covers, Fault, Ignore};

/// The name in every suppression, behind the `#`; a colon follows, or else a known word.
const NAME: &str = "cachelane";
const WORD: &[u8] = b" ignore";

/// Words that users may write for `ignore`.
const OTHER_WORDS: &[&str] = &[
    "disable", "skip", "allow", "noqa", "nolint", "suppress", "off",
];

/// Returns whether `source` can hold a suppression.
pub fn is_marked(source: &[u8]) -> bool {
    marks(source).next().is_some()
}

/// Returns the places of suppression marks, and whether they have their colon.
fn marks(source: &[u8]) -> impl Iterator<Item = (usize, bool)> + '_ {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(NAME));
    FINDER.find_iter(source).filter_map(|at| {
        let behind = &source[at + NAME.len()..];
        let colon = behind.starts_with(b":");
        (colon || behind.starts_with(WORD)).then_some((at, colon))
    })
}

/// Returns the suppressions of a file, in order. `file` is `None` where BuildKit could not read it: then every line that
/// begins with `#` or `//` is a comment.
pub fn read(source: &[u8], file: Option<&Dockerfile<'_>>) -> Vec<Ignore> {
    let mut ignores = Vec::new();
    let mut done = 0;
    for (at, colon) in marks(source) {
        if at >= done {
            let start = memchr::memrchr(b'\n', &source[..at]).map_or(0, |newline| newline + 1);
            let newline = memchr::memchr(b'\n', &source[at..]);
            done = newline.map_or(source.len(), |newline| at + newline + 1);
            ignores.extend(read_line(source, file, Span::new(start, done), at, colon));
        }
    }
    if file.is_some() && !ignores.is_empty() {
        mark_guards(source, &mut ignores);
    }
    ignores
}

/// Reads the suppression of `line` whose mark is at byte `at`.
fn read_line(
    source: &[u8],
    file: Option<&Dockerfile<'_>>,
    line: Span,
    at: usize,
    colon: bool,
) -> Option<Ignore> {
    let before = &source[line.start..at];
    let before = before.strip_prefix(BOM).unwrap_or(before);
    let end = line.start + line.of(source).trim_end().len();
    let from = at + NAME.len() + usize::from(colon);
    let mark = before.trim();
    if mark == b"#" || (file.is_none() && mark == b"//") {
        let comment = Span::new(at - before.trim_start().len(), end);
        let covers = covers(file, comment.start)?;
        let found = parse(source, from, comment, line, covers)?;
        return match &found.fault {
            _ if colon => Some(found),
            None => Some(found.with(Fault::NoColon)),
            Some(_) => None,
        };
    }
    // Behind a command, perhaps.
    let hash = (at + before.trim_end().len()).saturating_sub(before.len() + 1);
    let file = file.filter(|_| colon && hash > line.start)?;
    let comment = Span::new(hash, end);
    let found = parse(source, from, comment, line, Covers::Nothing)?;
    let is_one = found.fault.is_none() && is_trailing(file, line.start, hash);
    is_one.then(|| found.with(Fault::Trailing))
}

/// Returns the code that a comment at byte `hash` covers; `None` where it is no comment, for example in a heredoc.
fn covers(file: Option<&Dockerfile<'_>>, hash: usize) -> Option<Covers> {
    let Some(file) = file else {
        return Some(Covers::Nothing);
    };
    if let Some(index) = file.instruction_at(hash) {
        let instruction = &file.instructions[index];
        let comments = &instruction.comments;
        let after = comments.partition_point(|comment| comment.start <= hash);
        let is_comment = after > 0 && hash < comments[after - 1].end;
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

/// Returns whether the `#` at byte `hash` of the line at byte `start` begins a shell comment in a RUN: behind a blank,
/// without a quote before it that could make it text.
fn is_trailing(file: &Dockerfile<'_>, start: usize, hash: usize) -> bool {
    let before = &file.source[start..hash];
    let run = file.instruction_at(hash).map(|at| &file.instructions[at]);
    file.source.get(hash) == Some(&b'#')
        && before.ends_with(b" ")
        && before.find_byteset(b"\"'`\\").is_none()
        && run.is_some_and(|run| {
            run.keyword == Keyword::Run && run.heredocs.is_empty() && run.lines.0 == run.lines.1
        })
}

/// Marks those of `ignores` whose removal would change the parser directives or put a byte-order mark first.
fn mark_guards(source: &[u8], ignores: &mut [Ignore]) {
    let is_comment = |line: &Line| {
        let text = trim_start(line.text.of(source));
        text.starts_with(b"#") || text.starts_with(b"//")
    };
    let top = Lines::new(source).take_while(is_comment).last();
    let top = top.map_or(0, |line| line.full.end);
    let count = ignores.partition_point(|ignore| ignore.line.end <= top);
    let ignores = &mut ignores[..count];
    if ignores.is_empty() {
        return;
    }
    // The line below the comments is never a directive.
    let newline = memchr::memchr(b'\n', &source[top..]);
    let head = &source[..newline.map_or(source.len(), |newline| top + newline)];
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

/// Reads the text behind the mark, from byte `from` on; `None` for prose.
fn parse(source: &[u8], from: usize, comment: Span, line: Span, covers: Covers) -> Option<Ignore> {
    let text = source[from..comment.end.max(from)].trim_start();
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let (word, after) = text.split_at(text.iter().take_while(|b| is_word(b)).count());
    let word = word.to_str_lossy();
    let mut ignore = Ignore {
        covers,
        comment,
        line,
        names: Vec::new(),
        fault: None,
        guards: false,
    };
    match &*word {
        "ignore" => {}
        "ignore-file" => ignore.covers = Covers::File,
        word => {
            let near = |known: &&str| strsim::damerau_levenshtein(word, known) <= 2;
            let meant = OTHER_WORDS.contains(&word) || ["ignore", "ignore-file"].iter().any(near);
            ignore.fault = Some(Fault::Unknown(word.into()));
            return meant.then_some(ignore);
        }
    }
    let list = after.trim_start().strip_prefix(b"[");
    ignore.fault = match list.map(|list| (list, list.find_byte(b']'))) {
        None => Some(Fault::NoList),
        Some((_, None)) => Some(Fault::Open),
        Some((list, Some(len))) => {
            let mut at = comment.end - list.len();
            for item in list[..len].split(|b| *b == b',') {
                let name = item.trim();
                if !name.is_empty() {
                    let start = at + (item.len() - item.trim_start().len());
                    let span = Span::new(start, start + name.len());
                    ignore.names.push((name.to_str_lossy().into_owned(), span));
                }
                at += item.len() + 1;
            }
            ignore.names.is_empty().then_some(Fault::NoList)
        }
    };
    Some(ignore)
}
