//! Template expressions: their starts and ends.
//!
//! Empy, Jinja, Go's `text/template`, Handlebars, ERB and others replace an expression by text that is unknown here, so
//! an expression is one piece: no blank, quote or comma in it means anything to the Dockerfile.

use crate::budget;
use crate::text::Mapped;

use super::lines::MAX_LINE;

/// The extent of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The first byte behind it.
    Closed(usize),
    Open,
}

/// Returns the expression that opens at byte `at` of `text`; it has to end on the same line.
pub fn at(text: &[u8], at: usize) -> Option<Reach> {
    let rest = text.get(at..)?;
    if !matches!(rest.first()?, b'{' | b'<' | b'[' | b'#' | b'@') {
        return None;
    }
    let rest = &rest[..rest.len().min(MAX_LINE)];
    let rest = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
    // Many can open on a line, and each searches to its end or the line's.
    if !budget::spend(1 + rest.len() / 32) {
        return None;
    }
    let len = match rest {
        // In a shell, `${#name}` is the length of a value.
        [b'{', b'#', ..] if at > 0 && text[at - 1] == b'$' => return None,
        [b'{', b'#', ..] => until(rest, b"#}"),
        [b'{', b'{', b'!', ..] | [b'{', b'{', b'/', b'*', ..] => until(rest, b"}}"),
        [b'{', b'{', b'{', ..] => {
            until_outside_quotes(rest, b"}}}").or_else(|| until_outside_quotes(rest, b"}}"))
        }
        [b'{', b'{', ..] => until_outside_quotes(rest, b"}}"),
        [b'{', b'%', ..] => until_outside_quotes(rest, b"%}"),
        [b'<', b'%', ..] => until(rest, b"%>"),
        [b'[', b'[', ..] => until_outside_quotes(rest, b"]]"),
        [b'#', b'{', ..] => balanced(&rest[1..]).map(|len| 1 + len),
        [b'@', b'(' | b'[' | b'{', ..] => balanced(&rest[1..]).map(|len| 1 + len),
        [b'@', b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => match chain(rest)? {
            Reach::Closed(len) => Some(len),
            Reach::Open => None,
        },
        _ => return None,
    };
    budget::spend(4 * len.unwrap_or(rest.len()));
    Some(len.map_or(Reach::Open, |len| Reach::Closed(at + len)))
}

/// Returns the length of the `@NAME@` that `text` begins with: `configure` and its kin fill it in.
pub fn filled_in(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(b"@")?;
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let len = rest.iter().take_while(|b| is_part(b)).count();
    (len > 0 && rest.get(len) == Some(&b'@')).then_some(len + 2)
}

/// Returns how far an expression reaches in `text` of joined lines, if one begins at `from`: an expression ends on its own line.
pub fn within(text: &Mapped<'_>, from: usize) -> Option<Reach> {
    Some(match at(text.bytes(), from)? {
        Reach::Closed(end) if text.span(from, end).len() == end - from => Reach::Closed(end),
        _ => Reach::Open,
    })
}

/// Returns the start and extent of every outermost expression of `text`, in order.
pub fn all(text: &[u8]) -> impl Iterator<Item = (usize, Reach)> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text[from..].iter().position(|b| b"{@<[#".contains(b))?;
            from = start + 1;
            if let Some(reach) = at(text, start) {
                if let Reach::Closed(end) = reach {
                    from = end;
                }
                return Some((start, reach));
            }
        }
    })
}

/// Returns the length including the first `close`.
fn until(rest: &[u8], close: &[u8]) -> Option<usize> {
    memchr::memmem::find(&rest[2..], close).map(|at| 2 + at + close.len())
}

/// Returns the length including the first `close` outside quotes; where quotes stay open, any `close` counts.
fn until_outside_quotes(rest: &[u8], close: &[u8]) -> Option<usize> {
    let mut at = 2;
    while at < rest.len() {
        if rest[at..].starts_with(close) {
            return Some(at + close.len());
        }
        at = behind_quotes(rest, at)?;
    }
    until(rest, close)
}

/// Returns the next byte, or the one behind the quotes that open at byte `at` where they close.
fn behind_quotes(rest: &[u8], at: usize) -> Option<usize> {
    let quote = *rest.get(at)?;
    if !matches!(quote, b'"' | b'\'') {
        return Some(at + 1);
    }
    let mut end = at + 1;
    while end < rest.len() && rest[end] != quote {
        end += if rest[end] == b'\\' { 2 } else { 1 };
    }
    Some(if end < rest.len() { end + 1 } else { at + 1 })
}

/// Returns the length of the bracket that `rest` starts with.
fn balanced(rest: &[u8]) -> Option<usize> {
    let open = *rest.first()?;
    let close = match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    };
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        depth += usize::from(rest[at] == open);
        if rest[at] == close {
            depth -= 1;
            if depth == 0 {
                return Some(at + 1);
            }
        }
        at = behind_quotes(rest, at)?;
    }
    None
}

/// Returns the length in bytes of empy's `@name.part(…)[…]`; `None` for a plain `@name`, which is harmless.
fn chain(rest: &[u8]) -> Option<Reach> {
    let name = |from: usize| {
        rest[from..]
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
            .count()
    };
    let (mut len, mut brackets) = (1 + name(1), false);
    loop {
        match rest.get(len) {
            Some(b'(' | b'[') => {
                brackets = true;
                match balanced(&rest[len..]) {
                    Some(more) => len += more,
                    None => return Some(Reach::Open),
                }
            }
            Some(b'.') if name(len + 1) > 0 => len += 1 + name(len + 1),
            _ => return brackets.then_some(Reach::Closed(len)),
        }
    }
}
