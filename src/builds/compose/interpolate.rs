//! The variables that Compose puts into the values of a file, from the environment and `.env`.
//!
//! Compose's own rules (its `template` package): `$$` is a `$`; `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`,
//! `${NAME:?error}`, `${NAME?error}`, `${NAME:+other}`, `${NAME+other}`, with variables within defaults.

use crate::budget;

/// A stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// As it is.
    Literal(&'a str),
    /// `$$`, which stands for a `$`.
    Dollar,
    /// A variable, with its default where it has one.
    Variable(&'a str, Option<&'a str>),
}

/// The stretches of `text`, each with its first byte and its length.
#[must_use]
pub fn segments(text: &str) -> Vec<(usize, usize, Segment<'_>)> {
    let mut found = Vec::new();
    let mut literal = 0;
    let mut at = 0;
    while let Some(dollar) = memchr::memchr(b'$', &text.as_bytes()[at..]).map(|found| at + found) {
        let Some((len, segment)) = variable(&text[dollar..]) else {
            at = dollar + 1;
            continue;
        };
        if literal < dollar {
            found.push((
                literal,
                dollar - literal,
                Segment::Literal(&text[literal..dollar]),
            ));
        }
        found.push((dollar, len, segment));
        at = dollar + len;
        literal = at;
    }
    if literal < text.len() {
        found.push((
            literal,
            text.len() - literal,
            Segment::Literal(&text[literal..]),
        ));
    }
    found
}

/// What begins with the `$` at the start of `text`; `None` where that is none of Compose's.
fn variable(text: &str) -> Option<(usize, Segment<'_>)> {
    let rest = &text[1..];
    if rest.starts_with('$') {
        return Some((2, Segment::Dollar));
    }
    let Some(inner) = rest.strip_prefix('{') else {
        let name = name(rest)?;
        return Some((1 + name.len(), Segment::Variable(name, None)));
    };
    let close = closing(inner)?;
    let inner = &inner[..close];
    let name = name(inner)?;
    let default = inner[name.len()..]
        .strip_prefix(":-")
        .or_else(|| inner[name.len()..].strip_prefix('-'));
    Some((close + 3, Segment::Variable(name, default)))
}

fn name(text: &str) -> Option<&str> {
    let end = text
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_'))
        .unwrap_or(text.len());
    (end > 0 && !text.as_bytes()[0].is_ascii_digit()).then(|| &text[..end])
}

/// Where the brace that is open at the start of `text` closes.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0;
    for (at, &byte) in bytes.iter().enumerate().take_while(|_| budget::spend(1)) {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'\n' => return None,
            _ => {}
        }
    }
    None
}

/// The variables that `text` is made of, those within defaults included.
#[must_use]
pub fn variables(text: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![text]);
    while let Some(text) = open.pop() {
        for (_, _, segment) in segments(text) {
            let Segment::Variable(name, default) = segment else {
                continue;
            };
            found.push(name.to_owned());
            open.extend(default);
        }
    }
    found
}

/// `text` with its variables at their defaults.
///
/// # Errors
/// The first variable that has none.
pub fn interpolated(text: &str) -> Result<String, &str> {
    let mut made = String::new();
    for (_, _, segment) in segments(text) {
        match segment {
            Segment::Literal(text) => made.push_str(text),
            Segment::Dollar => made.push('$'),
            Segment::Variable(name, default) => {
                let default = default.and_then(|text| budget::nested(|| interpolated(text)));
                made.push_str(&default.ok_or(name)??);
            }
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_at_any_depth() {
        assert_eq!(variables("a$$b${X:-c${Y-d}}e$Z"), ["X", "Z", "Y"]);
        assert!(variables("plain $$X").is_empty());
    }

    #[test]
    fn defaults_are_put_in_and_what_has_none_is_named() {
        assert_eq!(
            interpolated("a$$b${X:-c${Y-d}}e$(f)$"),
            Ok("a$bcde$(f)$".to_owned())
        );
        assert_eq!(interpolated("a/${X:-y}/$Z"), Err("Z"));
        assert_eq!(interpolated("${X:?no}"), Err("X"));
        assert_eq!(interpolated("${X"), Ok("${X".to_owned()));
        assert!(interpolated(&format!("{}{}", "${A:-".repeat(5000), "}".repeat(5000))).is_err());
    }
}
