//! The variables that Compose replaces in the values of a file, from the environment and `.env`.
//!
//! Compose's own rules (its `template` package): `$$` is a `$`; `$NAME`, `${NAME}`, `${NAME:-default}`,
//! `${NAME-default}`, `${NAME:?error}`, `${NAME?error}`, `${NAME:+other}`, `${NAME+other}`, with variables within
//! defaults.

use super::variables::Variables;
use crate::budget;
use crate::text::name_prefix;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    Literal(&'a str),
    /// `$$`, which stands for a `$`.
    Dollar,
    /// A variable, with its default if any.
    Variable(&'a str, Option<&'a str>),
    /// Another text where a variable is set.
    Instead(&'a str),
}

/// Returns the segments of `text`, each with its first byte.
pub(super) fn segments(text: &str) -> Vec<(usize, Segment<'_>)> {
    let mut found = Vec::new();
    let mut literal = 0;
    for (dollar, _) in text.match_indices('$') {
        if dollar < literal {
            continue;
        }
        if let Some((len, segment)) = variable(&text[dollar..]) {
            if literal < dollar {
                found.push((literal, Segment::Literal(&text[literal..dollar])));
            }
            found.push((dollar, segment));
            literal = dollar + len;
        }
    }
    if literal < text.len() {
        found.push((literal, Segment::Literal(&text[literal..])));
    }
    found
}

/// Returns the segment at the `$` that starts `text`, and its length; `None` where it is none of Compose's.
fn variable(text: &str) -> Option<(usize, Segment<'_>)> {
    let rest = &text[1..];
    if rest.starts_with('$') {
        return Some((2, Segment::Dollar));
    }
    let Some(inner) = rest.strip_prefix('{') else {
        let name = name(rest)?;
        return Some((1 + name.len(), Segment::Variable(name, None)));
    };
    let inner = &inner[..closing(inner)?];
    let name = name(inner)?;
    let behind = &inner[name.len()..];
    let default = behind.strip_prefix(":-");
    let default = default.or_else(|| behind.strip_prefix('-'));
    let segment = if behind.trim_start_matches(':').starts_with('+') {
        Segment::Instead(name)
    } else {
        Segment::Variable(name, default)
    };
    Some((inner.len() + 3, segment))
}

fn name(text: &str) -> Option<&str> {
    Some(name_prefix(text)).filter(|name| !name.is_empty())
}

/// Returns the place of the brace that closes the one open at the start of `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut before = 0;
    for (at, byte) in text.bytes().enumerate().take_while(|_| budget::spend(1)) {
        match byte {
            b'{' if before == b'$' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'\n' => return None,
            _ => {}
        }
        before = byte;
    }
    None
}

/// Returns the variables in `text`, those within defaults included.
pub fn variables(text: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![text]);
    while let Some(text) = open.pop() {
        for (_, segment) in segments(text) {
            match segment {
                Segment::Variable(name, default) => {
                    found.push(name.to_owned());
                    open.extend(default);
                }
                Segment::Instead(name) => found.push(name.to_owned()),
                Segment::Literal(_) | Segment::Dollar => {}
            }
        }
    }
    found
}

/// Returns `text` with its variables as `known` has them, or at their defaults. Fails with the first variable that has
/// neither.
pub(super) fn interpolated<'t>(text: &'t str, known: &Variables) -> Result<String, &'t str> {
    let mut made = String::new();
    for (_, segment) in segments(text) {
        match segment {
            Segment::Literal(text) => made.push_str(text),
            Segment::Dollar => made.push('$'),
            Segment::Instead(name) => return Err(name),
            Segment::Variable(name, default) => match known.get(name) {
                Some(value) if !value.is_empty() || default.is_none() => made.push_str(value),
                _ => {
                    let inner = |text| budget::nested(|| interpolated(text, known));
                    made.push_str(&default.and_then(inner).ok_or(name)??);
                }
            },
        }
    }
    Ok(made)
}
