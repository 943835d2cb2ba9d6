//! Expressions: `${{ matrix.os }}`, by their letters.

use crate::builds::model::AxisPath;

pub fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// Returns the expression for a property of `context`: `matrix.config.os`, and `matrix['py version']` for a name that is
/// no identifier.
pub fn access(context: &str, path: &AxisPath) -> String {
    let property = |name: &String| {
        if is_identifier(name) {
            format!(".{name}")
        } else {
            format!("['{}']", name.replace('\'', "''"))
        }
    };
    path.names()
        .iter()
        .map(property)
        .fold(context.to_owned(), |all, name| all + &name)
}

/// Returns whether the expression for a path has dots alone, no brackets.
pub fn is_plain(path: &AxisPath) -> bool {
    path.names().iter().all(|name| is_identifier(name))
}

/// Returns whether GitHub's grammar of expressions takes `name` for an identifier.
fn is_identifier(name: &str) -> bool {
    let first = |byte: char| byte.is_ascii_alphabetic() || byte == '_';
    name.starts_with(first) && name.bytes().all(|byte| byte != b'.' && is_name_byte(byte))
}

/// Splits a path into its first name and the rest.
fn next(path: &str) -> Option<(String, &str)> {
    let Some(inner) = path.strip_prefix('[') else {
        let mut bytes = path.bytes();
        let end = bytes.position(|byte| byte == b'.' || !is_name_byte(byte));
        let (name, behind) = path.split_at(end.unwrap_or(path.len()));
        return is_identifier(name).then(|| (name.to_owned(), behind));
    };
    let mut rest = inner.trim_start().strip_prefix('\'')?;
    let mut name = String::new();
    loop {
        let (text, behind) = rest.split_once('\'')?;
        name.push_str(text);
        let Some(more) = behind.strip_prefix('\'') else {
            return Some((name, behind.trim_start().strip_prefix(']')?));
        };
        name.push('\'');
        rest = more;
    }
}

/// Splits `.os` or `['os']` from what follows.
fn access_at(text: &str) -> Option<(String, &str)> {
    let bracket = || text.starts_with('[').then_some(text);
    next(text.strip_prefix('.').or_else(bracket)?)
}

/// Splits the text behind a context into the property and the rest: `os` of `.os`, and of `['os']`.
pub fn property(text: &str) -> Option<(AxisPath, &str)> {
    let (name, mut rest) = access_at(text)?;
    let mut path = AxisPath::from(&name);
    while let Some((name, behind)) = access_at(rest) {
        (path, rest) = (path.within(&name), behind);
    }
    Some((path, rest))
}

/// Splits a text at its first expression: what is before, within and behind it. A text in quotes ends none.
pub fn first(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${{")?;
    let mut is_quoted = false;
    for (at, byte) in rest.bytes().enumerate() {
        is_quoted ^= byte == b'\'';
        if byte == b'}' && !is_quoted && rest[at..].starts_with("}}") {
            return Some((before, &rest[..at], &rest[at + 2..]));
        }
    }
    None
}

/// Returns the properties of `context` that the expressions in `text` use, in order of their first use: `os` of
/// `matrix.os`, and of `matrix['os']`.
pub fn mentioned(text: &str, context: &str) -> Vec<AxisPath> {
    let mut paths: Vec<AxisPath> = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("${{") {
        let (_, inner, behind) = first(rest).unwrap_or(("", behind, ""));
        for (at, _) in inner.match_indices(context) {
            let before = inner[..at].bytes().next_back();
            let Some((path, _)) = property(&inner[at + context.len()..]) else {
                continue;
            };
            if before.is_none_or(|byte| !is_name_byte(byte)) && !paths.contains(&path) {
                paths.push(path);
            }
        }
        rest = behind;
    }
    paths
}

/// Returns the name under which an environment has the value of a text that is one expression.
pub fn variable(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("${{")?.strip_suffix("}}")?;
    set_by_name(inner.trim())
}

/// Returns the name under which an environment has the value of an expression: a variable's, or that of a step's or a job's
/// output as `handed` calls it.
pub fn set_by_name(expression: &str) -> Option<&str> {
    let is_output = ["steps.", "needs."]
        .iter()
        .any(|context| expression.starts_with(context));
    let output = || is_output.then_some(expression);
    expression.strip_prefix("env.").or_else(output)
}
