//! How a text is written as a scalar.

use super::node::{Data, Node, Style};
use crate::builds::model::Piece;

/// Returns `value` as a scalar on one line: as it is where that is safe, else in double quotes.
#[must_use]
pub fn quoted(value: &str, in_brackets: bool) -> String {
    if !value_needs_quotes(value, in_brackets) {
        return value.to_owned();
    }
    let mut text = String::from("\"");
    for ch in value.chars() {
        match ch {
            '"' | '\\' => text.extend(['\\', ch]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            ch if ch.is_control() => text.push_str(&format!("\\U{:08X}", u32::from(ch))),
            ch => text.push(ch),
        }
    }
    text.push('"');
    text
}

/// Returns whether `value` would not be itself as a plain scalar.
#[must_use]
pub fn value_needs_quotes(value: &str, in_brackets: bool) -> bool {
    const WORDS: [&str; 10] = [
        "true", "false", "yes", "no", "on", "off", "y", "n", "null", "~",
    ];
    let first = value.chars().next().unwrap_or('~');
    first.is_ascii_digit()
        || "+-.?:,[]{}#&*!|>'\"%@`=<~".contains(first)
        || value.trim() != value
        || value.chars().any(char::is_control)
        || value.contains(": ")
        || value.contains(" #")
        || value.ends_with(':')
        || (in_brackets && value.contains([',', '[', ']', '{', '}']))
        || WORDS.contains(&value.to_ascii_lowercase().as_str())
}

impl Node<'_> {
    /// Returns where the bytes of a scalar's text stand in the file, in order: the stretches that run alike in both. What
    /// quotes, escapes, indentation and folding change lies between them. `indent` is what a line put into a block needs.
    #[must_use]
    pub fn pieces(self) -> Vec<Piece> {
        pieces(self.resolved())
    }
}

fn pieces(node: Node<'_>) -> Vec<Piece> {
    let item = node.item();
    let Data::Scalar(text, style) = &item.data else {
        return Vec::new();
    };
    // An alias can stand for a key, which is not to become another one.
    if item.anchored && is_key(node) {
        return Vec::new();
    }
    let source = node.yaml.source.get(..item.span.end).unwrap_or_default();
    match style {
        Style::Literal => literal(text, source, item.span.start),
        Style::Folded => aligned(text, source, line_after(source, item.span.start), *style),
        Style::Plain => aligned(text, source, item.span.start, *style),
        Style::Single | Style::Double => {
            let source = source
                .get(..source.len().saturating_sub(1))
                .unwrap_or_default();
            aligned(text, source, item.span.start + 1, *style)
        }
    }
}

fn is_key(node: Node<'_>) -> bool {
    let around = node.parent().map(|parent| &parent.item().data);
    matches!(around, Some(Data::Map(pairs)) if pairs.iter().any(|(key, _)| *key == node.id))
}

fn line_after(source: &str, at: usize) -> usize {
    memchr::memchr(b'\n', &source.as_bytes()[at..]).map_or(source.len(), |newline| at + newline + 1)
}

/// The lines of a literal block: those of the text are those of the file, without their indentation.
fn literal(text: &str, source: &str, start: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut indent = None;
    let mut file = line_after(source, start);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let raw = source[file..]
            .split_inclusive('\n')
            .next()
            .unwrap_or_default();
        let bare = raw.strip_suffix('\n').unwrap_or(raw);
        let bare = bare.strip_suffix('\r').unwrap_or(bare);
        let newline = usize::from(line.len() > content.len() && raw.len() == bare.len() + 1);
        if content.is_empty() && bare.trim_matches(' ').is_empty() {
            let missing = bare.len();
            pieces.extend((newline > 0).then_some(Piece {
                text: at,
                file: file + missing,
                len: 1,
                indent: 0,
                missing,
            }));
        } else {
            let indent = *indent.get_or_insert(bare.len().saturating_sub(content.len()));
            if bare.get(indent..) != Some(content) {
                return Vec::new();
            }
            let len = content.len() + newline;
            pieces.push(Piece {
                text: at,
                file: file + indent,
                len,
                indent,
                missing: 0,
            });
        }
        at += line.len();
        file += raw.len();
    }
    let indent = indent.unwrap_or(0);
    for piece in &mut pieces {
        // An empty line has put down how many blanks are there.
        piece.missing = if piece.indent == 0 {
            indent.saturating_sub(piece.missing)
        } else {
            0
        };
        piece.indent = indent;
    }
    pieces
}

fn push(pieces: &mut Vec<Piece>, text: usize, file: usize, len: usize) {
    match pieces.last_mut() {
        Some(last) if last.text + last.len == text && last.file + last.len == file => {
            last.len += len;
        }
        _ => pieces.push(Piece {
            text,
            file,
            len,
            indent: 0,
            missing: 0,
        }),
    }
}

/// Lays the text along the file's bytes from `file` on, where line ends are folded and quotes escape.
fn aligned(text: &str, source: &str, file: usize, style: Style) -> Vec<Piece> {
    let (text, source) = (text.as_bytes(), source.as_bytes());
    let blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let mut pieces = Vec::new();
    let (mut at, mut file) = (0, file);
    if style == Style::Folded {
        file += source[file..]
            .iter()
            .take_while(|&&byte| blank(byte))
            .count();
    }
    while at < text.len() && file < source.len() {
        let blanks = source[file..]
            .iter()
            .take_while(|&&byte| blank(byte))
            .count();
        if source[file..file + blanks].contains(&b'\n') {
            file += blanks;
            at += text[at..].iter().take_while(|&&byte| blank(byte)).count();
            continue;
        }
        let run = blanks.max(1);
        match source[file] {
            b'\\' if style == Style::Double => {
                let (source_len, text_len) = escape(&source[file..], &text[at..]);
                file += source_len;
                at += text_len;
            }
            _ if text.get(at..at + run) == source.get(file..file + run) => {
                push(&mut pieces, at, file, run);
                at += run;
                file += run;
                file += usize::from(style == Style::Single && source[file - 1] == b'\'');
            }
            _ => return Vec::new(),
        }
    }
    if text[at.min(text.len())..].iter().all(|&byte| blank(byte)) {
        pieces
    } else {
        Vec::new()
    }
}

/// How many bytes an escape takes in the file, and how many of the text it stands for.
fn escape(source: &[u8], text: &[u8]) -> (usize, usize) {
    let len = match source.get(1) {
        // The line goes on in the next, without its indentation.
        Some(b'\n' | b'\r') => {
            return (
                1 + source[1..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_whitespace())
                    .count(),
                0,
            );
        }
        Some(b'x') => 4,
        Some(b'u') => 6,
        Some(b'U') => 10,
        _ => 2,
    };
    let char_len = match text.first() {
        Some(0xC0..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..) => 4,
        _ => 1,
    };
    (len, char_len)
}
