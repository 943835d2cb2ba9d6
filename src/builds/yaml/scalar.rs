use super::node::{Data, Node, Style};
use crate::builds::lines;
use crate::text::SourceMap;

/// Returns `value` as a scalar on one line: plain where that is safe, else in double quotes.
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
    /// Maps the bytes of a scalar's text to the file. Bytes that quotes, escapes, indentation or folding change have no
    /// place.
    pub fn map(self) -> SourceMap {
        let node = self.resolved();
        let item = node.item();
        let Data::Scalar(text, style) = &item.data else {
            return SourceMap::default();
        };
        // An alias can stand for a key, which must not change.
        if item.anchored && item.key.is_none() && node.parent().is_some_and(Self::is_map) {
            return SourceMap::default();
        }
        let source = node.yaml.source.get(..item.span.end).unwrap_or_default();
        let start = item.span.start;
        let map = match style {
            Style::Literal => literal(text, source, start),
            Style::Folded => aligned(
                text,
                source,
                start + lines::rest(source, start).len(),
                *style,
            ),
            Style::Plain => aligned(text, source, start, *style),
            Style::Single | Style::Double => {
                let within = source.get(..source.len().saturating_sub(1));
                aligned(text, within.unwrap_or_default(), start + 1, *style)
            }
        };
        map.unwrap_or_default()
    }
}

/// Maps a literal block, which begins at byte `start`: its text has the lines of the file without their indentation.
fn literal(text: &str, source: &str, start: usize) -> Option<SourceMap> {
    let line_of = |at: usize| {
        source[at..]
            .split_inclusive('\n')
            .next()
            .unwrap_or_default()
    };
    let mut map = SourceMap::default();
    let mut indent = None;
    let mut at = 0;
    let mut file = start + line_of(start).len();
    for line in text.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let raw = line_of(file);
        let bare = raw.strip_suffix('\n').unwrap_or(raw);
        let newline = usize::from(
            line.len() > content.len() && !bare.ends_with('\r') && raw.len() > bare.len(),
        );
        let bare = bare.strip_suffix('\r').unwrap_or(bare);
        if content.is_empty() && bare.trim_matches(' ').is_empty() {
            if newline > 0 {
                map.push(at, file + bare.len(), newline);
            }
        } else {
            let indent = *indent.get_or_insert(bare.len().saturating_sub(content.len()));
            if bare.get(indent..) != Some(content) {
                return None;
            }
            map.push(at, file + indent, content.len() + newline);
        }
        at += line.len();
        file += raw.len();
    }
    Some(map)
}

/// Aligns the text with the file's bytes from `file` on, where line ends are folded and quotes escape.
fn aligned(text: &str, source: &str, mut file: usize, style: Style) -> Option<SourceMap> {
    let (text, source) = (text.as_bytes(), source.as_bytes());
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let blanks = |bytes: &[u8]| bytes.iter().take_while(is_blank).count();
    let mut map = SourceMap::default();
    let mut at = 0;
    if style == Style::Folded {
        file += blanks(&source[file..]);
    }
    while at < text.len() && file < source.len() {
        let run = blanks(&source[file..]);
        if source[file..file + run].contains(&b'\n') {
            file += run;
            at += blanks(&text[at..]);
            continue;
        }
        let run = run.max(1);
        if style == Style::Double && source[file] == b'\\' {
            let (source_len, text_len) = escape(&source[file..], &text[at..]);
            file += source_len;
            at += text_len;
        } else if text.get(at..at + run)? == source.get(file..file + run)? {
            map.push(at, file, run);
            at += run;
            file += run;
            file += usize::from(style == Style::Single && source[file - 1] == b'\'');
        } else {
            return None;
        }
    }
    let rest = &text[at.min(text.len())..];
    (blanks(rest) == rest.len()).then_some(map)
}

/// Returns the lengths in bytes of an escape in the file, and of its text.
fn escape(source: &[u8], text: &[u8]) -> (usize, usize) {
    let is_char = |byte: &u8| (0x80..0xC0).contains(byte);
    let char_len = 1 + text.iter().skip(1).take_while(|byte| is_char(byte)).count();
    match source.get(1) {
        // The next line continues this one, without its indentation.
        Some(b'\n' | b'\r') => {
            let blanks = source[1..]
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace());
            (1 + blanks.count(), 0)
        }
        Some(b'x') => (4, char_len),
        Some(b'u') => (6, char_len),
        Some(b'U') => (10, char_len),
        _ => (2, char_len),
    }
}
