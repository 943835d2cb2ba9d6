//! Expressions: `${{ matrix.os }}`, by their letters.

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// Returns the access to a property of this name, without a leading dot: `os`, and `['py version']` for a name that is
/// no identifier.
pub fn accessor(name: &str) -> String {
    if is_identifier(name) {
        name.to_owned()
    } else {
        format!("['{}']", name.replace('\'', "''"))
    }
}

/// Joins a path and a property: `config.os`, `config['py version']`.
pub fn within(path: &str, name: &str) -> String {
    let accessor = accessor(name);
    let dot = if path.is_empty() || accessor.starts_with('[') {
        ""
    } else {
        "."
    };
    format!("{path}{dot}{accessor}")
}

/// Returns whether a path has dots alone, no brackets.
pub fn is_plain(path: &str) -> bool {
    path.split('.').all(is_identifier)
}

/// Returns a path as users call it: `config.py version`.
pub fn shown(path: &str) -> String {
    let mut path = path;
    let mut names: Vec<String> = Vec::new();
    while let Some((name, rest)) = next(path) {
        names.push(name);
        path = rest.strip_prefix('.').unwrap_or(rest);
    }
    names.join(".")
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

/// Splits the text behind a context into the property and the rest: `os` of `.os`, and of `['os']`.
pub fn property(text: &str) -> Option<(String, &str)> {
    let mut path = String::new();
    let mut rest = text;
    loop {
        let bracket = || rest.starts_with('[').then_some(rest);
        let own = rest.strip_prefix('.').or_else(bracket);
        let Some((name, behind)) = own.and_then(next) else {
            break;
        };
        path = within(&path, &name);
        rest = behind;
    }
    (!path.is_empty()).then_some((path, rest))
}

/// Returns the properties of `context` that the expressions in `text` use, in order of their first use: `os` of
/// `matrix.os`, and of `matrix['os']`.
pub fn mentioned(text: &str, context: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("${{") {
        let (inner, behind) = behind.split_once("}}").unwrap_or((behind, ""));
        for (at, _) in inner.match_indices(context) {
            let before = inner[..at].bytes().next_back();
            let Some((name, _)) = property(&inner[at + context.len()..]) else {
                continue;
            };
            if before.is_none_or(|byte| !is_name_byte(byte)) && !names.contains(&name) {
                names.push(name);
            }
        }
        rest = behind;
    }
    names
}
