//! Expressions: `${{ matrix.os }}`, as far as the file itself says what they stand for.

use super::super::model::Looked;
use super::super::shell::ROOT;
use super::super::yaml::Node;
use super::matrix::{Row, value};
use crate::budget;

/// What an expression of one step can see.
pub(super) struct Scope<'s, 'y> {
    /// The mappings `env` that hold, the nearest first.
    pub(super) env: &'s [Node<'y>],
    /// The job's id.
    pub(super) job: Option<&'s str>,
    /// The combination of the matrix, where that is known.
    pub(super) row: Option<&'s Row>,
}

impl<'y> Scope<'_, 'y> {
    /// What the variable `name` is set to, as written.
    pub(super) fn variable(&self, name: &str) -> Option<&'y str> {
        self.env
            .iter()
            .find_map(|env| env.get(name))
            .and_then(Node::text)
    }

    /// `text` with its expressions put in; `None` where one is not known.
    pub(super) fn known(&self, text: &str) -> Option<String> {
        self.filled(text, None)
    }

    /// The value of a variable in a script, where that is known.
    pub(super) fn known_variable(&self, name: &str) -> Option<String> {
        match self.variable(name) {
            Some(text) => self.known(text),
            None => (name == "GITHUB_WORKSPACE").then(|| ROOT.into()),
        }
    }

    /// `text` as written; where it is one variable that the file sets, what that is set to.
    pub(super) fn written(&self, text: &str) -> String {
        let inner = text
            .trim()
            .strip_prefix("${{")
            .and_then(|text| text.strip_suffix("}}"));
        let name = inner.and_then(|inner| inner.trim().strip_prefix("env."));
        name.and_then(|name| self.variable(name))
            .unwrap_or(text)
            .to_owned()
    }

    fn filled(&self, text: &str, looked: Option<&Looked<'_>>) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${{") {
            let (inner, behind) = behind.split_once("}}")?;
            filled.push_str(before);
            let value = self.evaluated(inner, looked)?;
            if !budget::spend(1 + before.len() + value.len()) {
                return None;
            }
            filled.push_str(&value);
            rest = behind;
        }
        filled.push_str(rest);
        Some(filled)
    }

    /// Names and texts, with `||` between them.
    fn evaluated(&self, expression: &str, looked: Option<&Looked<'_>>) -> Option<String> {
        let mut last = String::new();
        for operand in expression.split("||") {
            last = self.operand(operand.trim(), looked)?;
            if !last.is_empty() {
                break;
            }
        }
        Some(last)
    }

    fn operand(&self, operand: &str, outer: Option<&Looked<'_>>) -> Option<String> {
        if let Some(text) = operand
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''))
        {
            return (!text.contains('\'')).then(|| text.to_owned());
        }
        let is_name = |name: &str| name.bytes().all(is_name_byte);
        if let Some((name, "")) = operand.strip_prefix("matrix").and_then(property) {
            let value = value(self.row?, &name).unwrap_or_default();
            return (!value.contains("${{")).then(|| value.to_owned());
        }
        if let Some(name) = operand
            .strip_prefix("env.")
            .filter(|name| is_name(name) && !Looked::is_among(name, outer))
        {
            let text = self.variable(name)?;
            return budget::nested(|| self.filled(text, Some(&Looked { name, outer })))?;
        }
        match operand {
            "github.workspace" => Some(ROOT.into()),
            "github.job" => self.job.map(str::to_owned),
            _ => None,
        }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// How an expression gets at a property of this name, a dot before it left out: `os`, and `['py version']` for what is no
/// identifier.
pub(super) fn step(name: &str) -> String {
    if is_identifier(name) {
        name.to_owned()
    } else {
        format!("['{}']", name.replace('\'', "''"))
    }
}

/// The way from a value to one of its own: `config.os`, `config['py version']`.
pub(super) fn within(path: &str, name: &str) -> String {
    let step = step(name);
    if step.starts_with('[') {
        format!("{path}{step}")
    } else {
        format!("{path}.{step}")
    }
}

/// Whether each step of a way is one behind a dot.
pub(super) fn is_plain(path: &str) -> bool {
    path.split('.').all(is_identifier)
}

/// A way as people call it: `config.py version`.
pub(super) fn shown(path: &str) -> String {
    let mut path = path;
    let mut names: Vec<String> = Vec::new();
    while let Some((name, rest)) = next(path) {
        names.push(name);
        path = rest.strip_prefix('.').unwrap_or(rest);
    }
    names.join(".")
}

/// By GitHub's grammar of expressions.
fn is_identifier(name: &str) -> bool {
    let first = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && name.bytes().all(|byte| byte != b'.' && is_name_byte(byte))
}

/// The first name of a way, and what stands behind it.
fn next(path: &str) -> Option<(String, &str)> {
    let Some(inner) = path.strip_prefix('[') else {
        let length = path
            .bytes()
            .take_while(|byte| *byte != b'.' && is_name_byte(*byte))
            .count();
        return is_identifier(&path[..length])
            .then(|| (path[..length].to_owned(), &path[length..]));
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

/// What is taken of a context whose name stands before `text`, and what stands behind: `os` of `.os`, and of `['os']`.
fn property(text: &str) -> Option<(String, &str)> {
    let mut path = String::new();
    let mut rest = text;
    loop {
        let own = rest
            .strip_prefix('.')
            .or_else(|| rest.starts_with('[').then_some(rest));
        let Some((name, behind)) = own.and_then(next) else {
            break;
        };
        path = if path.is_empty() {
            step(&name)
        } else {
            within(&path, &name)
        };
        rest = behind;
    }
    (!path.is_empty()).then_some((path, rest))
}

/// The names that the expressions in `text` use of `context`, in order of their first use: `os` of `matrix.os`, and of
/// `matrix['os']`.
pub(super) fn mentioned(text: &str, context: &str) -> Vec<String> {
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
