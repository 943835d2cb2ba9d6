//! GitHub's names and texts, as far as the file itself gives their values.

use super::expression::property;
use super::matrix::axes;
use crate::budget;
use crate::builds::command;
use crate::builds::jobs::{Job, Language, Looked, MatrixRow, Scope, value};
use crate::builds::model::{AxisPath, Build, Runs};
use crate::builds::paths::ROOT;
use crate::builds::shell::Lookup;
use crate::text::Span;

#[derive(Debug)]
pub struct Github;

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

    fn span(&self, found: &command::Found) -> Span {
        let words = &found.simple.words;
        let (tool, sub) = (
            &words[found.command.tool_at],
            &words[found.command.subcommand],
        );
        Span::new(tool.span.start, sub.span.end)
    }

    fn is_same_build(&self, a: &Build, b: &Build) -> bool {
        (&a.name, &a.subject) == (&b.name, &b.subject)
    }

    fn runs(&self, job: &Job, axes: Vec<AxisPath>) -> Runs {
        let matrix = &job.matrix;
        // No name of it is known.
        let nameless = matrix.open && matrix.names.is_empty() && !matrix.sequential;
        if nameless && job.name.is_some() {
            return Runs::Matrix(axes);
        }
        Runs::of(axes)
    }

    fn axes(&self, rows: &[&MatrixRow], lists: &[AxisPath]) -> Vec<AxisPath> {
        axes(rows, lists)
    }
}

/// Returns the first operand of `||` that is not empty, or else the last; `None` where one before it is unknown.
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
        let value = value(scope.row, &name).map_or("", String::as_str);
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
