//! The strings and heredocs of shell code, and what `echo` gets without quotes. Comments are none.

use super::{Holder, Piece, copy, lines};
use crate::dockerfile::Mapped;
use crate::text::Span;

/// How deep substitutions are followed.
const MAX_DEPTH: usize = 32;

/// How many heredocs that do not end are looked for.
const MAX_OPEN: usize = 64;

/// Adds the strings and heredocs of `code`.
pub(super) fn find(code: &Mapped<'_>, pieces: &mut Vec<Piece>) {
    let mut reader = Reader {
        code,
        bytes: code.bytes(),
        pieces,
        waiting: Vec::new(),
        open_ended: 0,
    };
    let mut at = 0;
    while at < reader.bytes.len() {
        // A `)` too many ends nothing.
        at = reader.code(at, 0);
    }
}

/// A heredoc whose body comes behind the line.
struct Waiting {
    /// Its operator.
    at: usize,
    word: Span,
    expands: bool,
    strips: bool,
}

struct Reader<'c, 'm, 'p> {
    code: &'c Mapped<'m>,
    bytes: &'c [u8],
    pieces: &'p mut Vec<Piece>,
    waiting: Vec<Waiting>,
    open_ended: usize,
}

impl Reader<'_, '_, '_> {
    /// Reads code from byte `at` on, up to the `)` that is too many; gives the byte behind it.
    fn code(&mut self, mut at: usize, depth: usize) -> usize {
        let (mut nested, mut word) = (0_usize, true);
        while let Some(byte) = self.bytes.get(at) {
            let starts = word;
            word = byte.is_ascii_whitespace() || b";&|(".contains(byte);
            match byte {
                b'#' if starts => at = self.line_end(at),
                b'\\' => at += 2,
                b'\'' => at = self.single(at),
                b'$' if self.bytes.get(at + 1) == Some(&b'\'') => at = self.escaped(at),
                b'"' => at = self.double(at, depth),
                b'<' if self.bytes[at..].starts_with(b"<<<") => at += 3,
                b'<' if self.bytes[at..].starts_with(b"<<") => at = self.operator(at),
                b'\n' => at = self.bodies(at + 1),
                b'(' => (nested, at) = (nested + 1, at + 1),
                b')' if nested == 0 => return at + 1,
                b')' => (nested, at) = (nested - 1, at + 1),
                b'e' if starts && self.bytes[at..].starts_with(b"echo RUN ") => at = self.echo(at),
                _ => at += 1,
            }
        }
        self.bytes.len()
    }

    fn line_end(&self, at: usize) -> usize {
        memchr::memchr(b'\n', &self.bytes[at..]).map_or(self.bytes.len(), |newline| at + newline)
    }

    /// A string in single quotes.
    fn single(&mut self, at: usize) -> usize {
        let start = at + 1;
        let end = memchr::memchr(b'\'', &self.bytes[start..])
            .map_or(self.bytes.len(), |quote| start + quote);
        // What prints it makes newlines of `\n`.
        let escapes: &[u8] = if self.is_one_line(start, end) {
            b"\\n"
        } else {
            b""
        };
        self.add(
            Span::new(at, end),
            &[Span::new(start, end)],
            escapes,
            Holder::ShellString,
        );
        end + 1
    }

    /// A string of the form `$'…'`.
    fn escaped(&mut self, at: usize) -> usize {
        let start = at + 2;
        let mut end = start;
        while self.bytes.get(end).is_some_and(|b| *b != b'\'') {
            end += if self.bytes[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(self.bytes.len());
        self.add(
            Span::new(at, end),
            &[Span::new(start, end)],
            b"\\n'\"",
            Holder::ShellString,
        );
        end + 1
    }

    /// A string in double quotes; what is substituted in it is code of its own.
    fn double(&mut self, at: usize, depth: usize) -> usize {
        let mut parts = Vec::new();
        let (mut start, mut end) = (at + 1, at + 1);
        while let Some(byte) = self.bytes.get(end).filter(|b| **b != b'"') {
            match byte {
                b'\\' => end += 2,
                b'$' if self.bytes.get(end + 1) == Some(&b'(') && depth < MAX_DEPTH => {
                    let behind = self.code(end + 2, depth + 1).min(self.bytes.len());
                    if behind - end > 1000 || self.bytes[end..behind].contains(&b'\n') {
                        // It is the string, not a word in it.
                        parts.push(Span::new(start, end));
                        start = behind;
                    }
                    end = behind;
                }
                _ => end += 1,
            }
        }
        let end = end.min(self.bytes.len());
        parts.push(Span::new(start.min(end), end));
        let escapes: &[u8] = if self.is_one_line(at, end) {
            b"\\n$`\"\n"
        } else {
            b"\\$`\"\n"
        };
        self.add(
            Span::new(at, end),
            &parts,
            escapes,
            Holder::ShellExpandingString,
        );
        end + 1
    }

    /// What `echo` gets without quotes.
    fn echo(&mut self, at: usize) -> usize {
        let start = at + b"echo ".len();
        let mut end = start;
        while self
            .bytes
            .get(end)
            .is_some_and(|b| !b">|;&\n\"'".contains(b))
        {
            end += if self.bytes[end] == b'\\' && self.bytes.get(end + 1) != Some(&b'\n') {
                2
            } else {
                1
            };
        }
        let end = end.min(self.bytes.len());
        self.add(
            Span::new(at, end),
            &[Span::new(start, end)],
            b"\\$`\"",
            Holder::ShellExpandingString,
        );
        end
    }

    fn is_one_line(&self, start: usize, end: usize) -> bool {
        memchr::memchr(b'\n', &self.bytes[start..end]).is_none()
    }

    /// The operator `<<` and its word.
    fn operator(&mut self, at: usize) -> usize {
        let strips = self.bytes.get(at + 2) == Some(&b'-');
        let mut start = at + 2 + usize::from(strips);
        while matches!(self.bytes.get(start), Some(b' ' | b'\t')) {
            start += 1;
        }
        let quote = self
            .bytes
            .get(start)
            .copied()
            .filter(|b| matches!(b, b'"' | b'\'' | b'\\'));
        start += usize::from(quote.is_some());
        let len = self.bytes.get(start..).unwrap_or_default().iter();
        let len = len
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'!'))
            .count();
        if len == 0 {
            return at + 2;
        }
        let word = Span::new(start, start + len);
        self.waiting.push(Waiting {
            at,
            word,
            expands: quote.is_none(),
            strips,
        });
        word.end + usize::from(matches!(quote, Some(b'"' | b'\'')))
    }

    /// The bodies that begin at byte `at`, where a line does. What does not end is none: a shift, say.
    fn bodies(&mut self, mut at: usize) -> usize {
        for waiting in std::mem::take(&mut self.waiting) {
            if self.open_ended == MAX_OPEN {
                break;
            }
            let word = waiting.word.of(self.bytes);
            let mut parts = Vec::new();
            let closing = lines(&self.bytes[at..]).find_map(|span| {
                let line = Span::new(at + span.start, at + span.end);
                let text = line.of(self.bytes);
                let tabs = if waiting.strips {
                    text.iter().take_while(|b| **b == b'\t').count()
                } else {
                    0
                };
                let bare = text.strip_suffix(b"\n").unwrap_or(text);
                if bare.strip_suffix(b"\r").unwrap_or(bare).get(tabs..) == Some(word) {
                    return Some(line);
                }
                parts.push(Span::new(line.start + tabs, line.end));
                None
            });
            let Some(closing) = closing else {
                self.open_ended += 1;
                continue;
            };
            let (escapes, holder): (&[u8], _) = if waiting.expands {
                (b"\\$`\n", Holder::ExpandingHeredoc)
            } else {
                (b"", Holder::Heredoc)
            };
            self.add(
                Span::new(waiting.at, closing.end - 1),
                &parts,
                escapes,
                holder,
            );
            at = closing.end;
        }
        at
    }

    /// Adds the text of `parts`. A backslash goes before what is among `escapes`: `n` is a newline then, and a newline is
    /// nothing.
    fn add(&mut self, whole: Span, parts: &[Span], escapes: &[u8], holder: Holder) {
        if !super::has(whole.of(self.bytes), "--mount") {
            return;
        }
        let mut text = Mapped::empty(self.code.source(whole.start));
        for part in parts {
            let (mut at, mut plain) = (part.start, part.start);
            while at < part.end {
                let next = self.bytes.get(at + 1).filter(|_| at + 1 < part.end);
                let Some(next) =
                    next.filter(|next| self.bytes[at] == b'\\' && escapes.contains(next))
                else {
                    at += 1;
                    continue;
                };
                copy(self.code, plain, at, &mut text);
                let made: &[u8] = match next {
                    b'n' => b"\n",
                    b'\n' => b"",
                    _ => std::slice::from_ref(next),
                };
                text.push(made, self.code.source(at));
                at += 2;
                plain = at;
            }
            copy(self.code, plain, part.end, &mut text);
        }
        let end = (whole.end + 1).min(self.bytes.len());
        self.pieces.push(Piece {
            text,
            extent: self.code.span(whole.start, end),
            holder,
        });
    }
}
