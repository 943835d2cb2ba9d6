//! Parser directives at the top of a file: `# syntax=`, `# escape=`, `# check=`.

use bstr::ByteSlice as _;

use crate::text::{BOM, Span};

use super::lines::{Line, Lines, trim_start};

/// A directive that BuildKit knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The frontend that reads the file.
    Syntax,
    /// The escape and continuation character.
    Escape,
    /// The checks that BuildKit's own linter skips.
    Check,
}

impl Key {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Escape => "escape",
            Self::Check => "check",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directive {
    pub key: Key,
    /// The trimmed value.
    pub value: Span,
}

/// Reads `line`, trimmed at its start, as a directive behind `comment` (`#` or `//`).
///
/// `None` means that no directive can follow.
pub fn parse(source: &[u8], line: Span, comment: &[u8]) -> Option<Directive> {
    let is_space = |ch: char| matches!(ch, '\t' | '\n' | '\x0C' | '\r' | ' ');
    let body = trim_start(line.of(source).strip_prefix(comment)?);
    let (name, rest) = body.split_at(body.iter().position(|b| !b.is_ascii_alphanumeric())?);
    let keys = [Key::Syntax, Key::Escape, Key::Check];
    let is_it = |key: &Key| name.eq_ignore_ascii_case(key.as_str().as_bytes());
    let key = keys.into_iter().find(is_it)?;
    let behind = rest.trim_start_with(is_space).strip_prefix(b"=")?;
    let value = behind.trim_start_with(is_space);
    let len = value.trim_end_with(is_space).len();
    let start = line.end - value.len();
    (len > 0).then(|| Directive {
        key,
        value: Span::new(start, start + len),
    })
}

/// Returns the frontend of `# syntax=`, as BuildKit detects it before it reads anything else.
///
/// Only here, a first line `#!…` is skipped and `// syntax=` counts; white space before the mark does not.
pub fn syntax(source: &[u8]) -> Option<Directive> {
    [b"#".as_slice(), b"//"].into_iter().find_map(|comment| {
        Lines::new(source)
            .skip_while(|line| line.number == 1 && line.text.of(source).starts_with(b"#!"))
            .map_while(|line| parse(source, line.text, comment))
            .find(|directive| directive.key == Key::Syntax)
    })
}

/// Returns whether BuildKit's parser or frontend detection finds other directives in `after` than in `before`, or would
/// drop the first character of `after` as a byte-order mark.
pub fn differ(before: &[u8], after: &[u8]) -> bool {
    let value = |source: &[u8], directive: Directive| directive.value.of(source).to_vec();
    let parsed = |source: &[u8]| -> Vec<(Key, Vec<u8>)> {
        let of_line = |line: Line| {
            let text = trim_start(line.text.of(source));
            let text = Span::new(line.text.end - text.len(), line.text.end);
            parse(source, text, b"#")
        };
        Lines::new(source)
            .map_while(of_line)
            .map(|directive| (directive.key, value(source, directive)))
            .collect()
    };
    let frontend = |source: &[u8]| syntax(source).map(|directive| value(source, directive));
    let marked = after.starts_with(BOM) && !before.starts_with(BOM);
    marked || parsed(before) != parsed(after) || frontend(before) != frontend(after)
}
