//! Expressions: `${{ matrix.os }}`, as far as the file itself says what they stand for.

use super::Github;
use super::matrix::axes;
use crate::budget;
use crate::builds::command;
use crate::builds::jobs::{Job, Language, Looked, MatrixRow, Scope, value};
use crate::builds::model::{Build, Runs};
use crate::builds::shell::{Lookup, ROOT};
use crate::text::Span;

impl Language for Github {
    fn root(&self) -> &'static str {
        "GITHUB_WORKSPACE"
    }

    fn filled(&self, scope: &Scope<'_>, text: &str, looked: Option<&Looked<'_>>) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${{") {
            let (inner, behind) = behind.split_once("}}")?;
            filled.push_str(before);
            let value = evaluated(scope, inner, looked)?;
            if !budget::spend(1 + before.len() + value.len()) {
                return None;
            }
            filled.push_str(&value);
            rest = behind;
        }
        filled.push_str(rest);
        Some(filled)
    }

    fn variable<'e>(&self, expression: &'e str) -> Option<&'e str> {
        let inner = expression.trim().strip_prefix("${{")?.strip_suffix("}}")?;
        inner.trim().strip_prefix("env.")
    }

    /// From the tool's name to the subcommand.
    fn span(&self, found: &command::Found) -> Span {
        let words = &found.simple.words;
        let (tool, sub) = (&words[found.command.tool], &words[found.command.behind]);
        Span::new(tool.span.start, sub.span.end)
    }

    fn is_one(&self, a: &Build, b: &Build) -> bool {
        (&a.name, &a.subject) == (&b.name, &b.subject)
    }

    fn runs(&self, job: &Job, axes: Vec<String>) -> Runs {
        let names: Vec<String> = axes.iter().map(|axis| shown(axis)).collect();
        let matrix = &job.matrix;
        // Nothing says a name of it.
        let nameless = matrix.open && matrix.names.is_empty() && !matrix.sequential;
        if nameless && job.name.is_some() {
            return Runs::Matrix(names);
        }
        Runs::of(names)
    }

    fn axes(&self, rows: &[&MatrixRow], lists: &[String]) -> Vec<String> {
        axes(rows, lists)
    }
}

/// Evaluates names and texts, with `||` between them.
fn evaluated(scope: &Scope<'_>, expression: &str, looked: Option<&Looked<'_>>) -> Option<String> {
    let mut last = String::new();
    for operand in expression.split("||") {
        last = operand_value(scope, operand.trim(), looked)?;
        if !last.is_empty() {
            break;
        }
    }
    Some(last)
}

fn operand_value(scope: &Scope<'_>, operand: &str, looked: Option<&Looked<'_>>) -> Option<String> {
    let quoted = operand.strip_prefix('\'');
    if let Some(text) = quoted.and_then(|text| text.strip_suffix('\'')) {
        return (!text.contains('\'')).then(|| text.to_owned());
    }
    if let Some((name, "")) = operand.strip_prefix("matrix").and_then(property) {
        let value = value(scope.row, &name).unwrap_or_default();
        let known = !scope.job.matrix.open && !value.contains("${{");
        return known.then(|| value.to_owned());
    }
    if let Some(name) = operand.strip_prefix("env.") {
        scope.env.get(name)?;
        return scope.lookup(Lookup::Variable(name), looked);
    }
    match operand {
        "github.workspace" => Some(ROOT.into()),
        "github.job" => scope.job.name.clone(),
        _ => None,
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// How an expression gets at a property of this name, a dot before it left out: `os`, and `['py version']` for what is no
/// identifier.
pub fn accessor(name: &str) -> String {
    if is_identifier(name) {
        name.to_owned()
    } else {
        format!("['{}']", name.replace('\'', "''"))
    }
}

/// The way from a value to one of its own: `config.os`, `config['py version']`.
pub fn within(path: &str, name: &str) -> String {
    let accessor = accessor(name);
    let dot = if accessor.starts_with('[') { "" } else { "." };
    format!("{path}{dot}{accessor}")
}

/// Whether each step of a way is one behind a dot.
pub fn is_plain(path: &str) -> bool {
    path.split('.').all(is_identifier)
}

/// A way as people call it: `config.py version`.
pub fn shown(path: &str) -> String {
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
            accessor(&name)
        } else {
            within(&path, &name)
        };
        rest = behind;
    }
    (!path.is_empty()).then_some((path, rest))
}

/// The names that the expressions in `text` use of `context`, in order of their first use: `os` of `matrix.os`, and of
/// `matrix['os']`.
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
