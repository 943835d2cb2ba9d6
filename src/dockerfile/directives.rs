//! Parser directives: `# syntax=`, `# escape=`, `# check=` at the very top of a file.

use crate::text::{BOM, Span};

use super::lines::{Line, Lines, trim_start};

/// A directive that BuildKit knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Which frontend reads the file.
    Syntax,
    /// The escape and continuation character: `\` or a backtick.
    Escape,
    /// What BuildKit's own linter skips.
    Check,
}

/// One directive line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Which one.
    pub key: Key,
    /// Its value, white space around it taken off.
    pub value: Span,
    /// 1-based line.
    pub line: usize,
}

/// Reads `line` (a span of `source` without leading white space) as a directive behind `comment` (`#` or `//`).
///
/// `None` means that it is something else, and so that no directive can follow.
#[must_use]
pub fn parse(source: &[u8], line: Span, comment: &[u8], number: usize) -> Option<Directive> {
    let body = trim_start(line.of(source).strip_prefix(comment)?);
    let name = body.iter().position(|b| !b.is_ascii_alphanumeric())?;
    if !body.first()?.is_ascii_alphabetic() {
        return None;
    }
    let key = match body[..name].to_ascii_lowercase().as_slice() {
        b"syntax" => Key::Syntax,
        b"escape" => Key::Escape,
        b"check" => Key::Check,
        _ => return None,
    };
    let space = |bytes: &[u8]| {
        bytes
            .iter()
            .take_while(|b| matches!(b, b'\t' | b'\n' | 0x0C | b'\r' | b' '))
            .count()
    };
    let equals = name + space(&body[name..]);
    if body.get(equals) != Some(&b'=') {
        return None;
    }
    let value = equals + 1 + space(&body[equals + 1..]);
    let kept = body
        .iter()
        .rposition(|b| !matches!(b, b'\t' | b'\n' | 0x0C | b'\r' | b' '))?
        + 1;
    let start = line.end - body.len();
    (value < kept).then(|| Directive {
        key,
        value: Span::new(start + value, start + kept),
        line: number,
    })
}

/// Returns the frontend that `# syntax=` names, as BuildKit detects it before it reads anything else.
///
/// Here alone a first line `#!…` is skipped and `// syntax=` serves too; white space before the mark does not.
#[must_use]
pub fn syntax(source: &[u8]) -> Option<Directive> {
    [b"#".as_slice(), b"//"].into_iter().find_map(|comment| {
        Lines::new(source)
            .skip_while(|line| line.number == 1 && line.text.of(source).starts_with(b"#!"))
            .map_while(|line| parse(source, line.text, comment, line.number))
            .find(|directive| directive.key == Key::Syntax)
    })
}

/// Returns whether BuildKit takes other directives from `after` than from `before` (its parser, or whoever looks for
/// the frontend), or would take the first character of `after` for a byte-order mark, which it drops.
#[must_use]
pub fn differ(before: &[u8], after: &[u8]) -> bool {
    let value = |source: &[u8], directive: Directive| directive.value.of(source).to_vec();
    let parsed = |source: &[u8]| -> Vec<(Key, Vec<u8>)> {
        let of_line = |line: Line| {
            let text = trim_start(line.text.of(source));
            parse(
                source,
                Span::new(line.text.end - text.len(), line.text.end),
                b"#",
                line.number,
            )
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
