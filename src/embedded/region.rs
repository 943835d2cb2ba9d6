//! The lines of a text that are instructions.

use bstr::ByteSlice as _;

use super::{Holder, Piece, copy, has, lines};
use crate::dockerfile::Mapped;
use crate::text::Span;

/// What an instruction begins with. In other files than Dockerfiles, small letters are prose or shell.
const KEYWORDS: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// How many heredocs that do not end are looked for in one text.
const MAX_OPEN: usize = 64;

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// It begins an instruction.
    Instruction,
    /// It begins with a cache mount: the RUN that it is for is put together elsewhere.
    Flag,
    /// It may stand between instructions: empty, a comment, a template's.
    Between,
    /// None of these.
    Other,
}

/// The stretches of `piece` that are instructions, those that hold a cache mount. A mount flag that stands by itself in a
/// string gets a RUN before it.
#[must_use]
pub fn regions(piece: &Piece) -> Vec<Mapped<'static>> {
    let text = &piece.text;
    let bytes = text.bytes();
    let mut open = Region::default();
    let mut done = Vec::new();
    let mut continued = false;
    let (mut behind, mut open_ended) = (0, 0);
    for span in lines(bytes) {
        let line = span.of(bytes);
        if span.start < behind {
            open.lines.push((span, false));
            continue;
        }
        let trimmed = line.trim();
        let kind = match kind(trimmed) {
            _ if continued => Line::Instruction,
            // Elsewhere it is an option of some other command.
            Line::Flag if !is_string(piece.holder) => Line::Other,
            kind => kind,
        };
        match kind {
            Line::Other => open.close(text, &mut done),
            Line::Between if open.lines.is_empty() => {}
            _ => open.lines.push((span, kind == Line::Flag)),
        }
        let is_between = trimmed.is_empty() || trimmed.starts_with(b"#");
        continued = match kind {
            Line::Instruction | Line::Flag => trimmed.ends_with(b"\\") || (continued && is_between),
            Line::Between | Line::Other => false,
        };
        if matches!(kind, Line::Instruction)
            && !continued
            && has(trimmed, "<<")
            && open_ended < MAX_OPEN
        {
            behind = heredocs(bytes, trimmed, span.end);
            open_ended += usize::from(behind == span.end);
        }
    }
    open.close(text, &mut done);
    done
}

#[derive(Default)]
struct Region {
    /// Its lines, and whether each needs a RUN.
    lines: Vec<(Span, bool)>,
}

impl Region {
    fn close(&mut self, text: &Mapped<'_>, done: &mut Vec<Mapped<'static>>) {
        let lines = std::mem::take(&mut self.lines);
        let bytes = text.bytes();
        let mounts = |(span, _): &(Span, bool)| has(span.of(bytes), "--mount");
        if !lines.iter().any(mounts) {
            return;
        }
        let mut region = Mapped::empty(0);
        for (span, is_flag) in lines {
            if is_flag {
                region.push(b"RUN ", text.source(span.start));
            }
            copy(text, span.start, span.end, &mut region);
        }
        done.push(region);
    }
}

const fn is_string(holder: Holder) -> bool {
    match holder {
        Holder::PythonString
        | Holder::PythonFormat
        | Holder::ShellString
        | Holder::ShellExpandingString => true,
        Holder::Heredoc | Holder::ExpandingHeredoc | Holder::Yaml | Holder::Fence => false,
    }
}

fn kind(line: &[u8]) -> Line {
    let word = line.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let behind = line.get(word);
    if KEYWORDS
        .iter()
        .any(|keyword| keyword.as_bytes() == &line[..word])
        && behind.is_some_and(|b| b" \t\\".contains(b))
    {
        return Line::Instruction;
    }
    if line.starts_with(b"--mount=") && has(line, "type=cache") {
        return Line::Flag;
    }
    let marks: [&[u8]; 6] = [b"#", b"{{", b"{%", b"@(", b"@[", b"@{"];
    if line.is_empty() || marks.iter().any(|mark| line.starts_with(mark)) {
        Line::Between
    } else {
        Line::Other
    }
}

/// Where the heredocs end that `line` opens; `from` where it opens none, or one that does not end.
fn heredocs(bytes: &[u8], line: &[u8], from: usize) -> usize {
    let mut end = from;
    for at in line.find_iter(b"<<") {
        let rest = line[at + 2..].strip_prefix(b"-").unwrap_or(&line[at + 2..]);
        let rest = rest
            .strip_prefix(b"\"")
            .or(rest.strip_prefix(b"'"))
            .unwrap_or(rest);
        let word = &rest[..rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
            .count()];
        if word.is_empty() || (at > 0 && line[at - 1] == b'<') {
            continue;
        }
        let closing = lines(&bytes[end..]).find(|span| span.of(&bytes[end..]).trim() == word);
        end = closing.map_or(end, |closing| end + closing.end);
    }
    end
}
