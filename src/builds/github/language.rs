//! GitHub's names and texts, as far as the file itself gives their values.

use super::expression::property;
use super::matrix::axes;
use super::{runner, workflow};
use crate::builds::command;
use crate::builds::jobs::{Found, Job, Language, Looked, MatrixRow, Scope, value};
use crate::builds::model::{AxisPath, Build, RUN, Runs, SAME, WORKFLOW, same};
use crate::builds::paths::Text;
use crate::builds::shell::Lookup;
use crate::text::Span;

#[derive(Debug)]
pub struct Github;

impl Language for Github {
    fn root(&self) -> &'static str {
        "GITHUB_WORKSPACE"
    }

    fn filled(&self, scope: &Scope<'_>, text: &str, looked: Option<&Looked<'_>>) -> Option<Text> {
        let mut filled = Text::default();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${{") {
            let (inner, behind) = behind.split_once("}}")?;
            filled.push(&before.into())?;
            filled.push(&evaluated(scope, inner, looked)?)?;
            rest = behind;
        }
        filled.text.push_str(rest);
        Some(filled)
    }

    fn variable<'e>(&self, expression: &'e str) -> Option<&'e str> {
        let inner = expression.trim().strip_prefix("${{")?.strip_suffix("}}")?;
        set_by_name(inner.trim())
    }

    fn chosen(&self, scope: &Scope<'_>, text: &str) -> Vec<String> {
        runner::chosen(text, scope.job, None)
    }

    fn predefined(&self, scope: &Scope<'_>, name: &str) -> Option<String> {
        match name {
            "GITHUB_JOB" => scope.job.name.clone(),
            "GITHUB_WORKFLOW" => Some(same(WORKFLOW)),
            "GITHUB_RUN_ID" | "GITHUB_RUN_NUMBER" | "GITHUB_RUN_ATTEMPT" => Some(same(RUN)),
            _ => name.starts_with("GITHUB_").then(|| same(name)),
        }
    }

    /// Returns the lane as `builds::ci` makes it: the variables of a lane, or else the workflow, the job, and the matrix
    /// where it is handed over.
    fn lane(&self, scope: &Scope<'_>) -> Option<String> {
        let set = |name: &&str| {
            let set = scope.env.get(name).and_then(|set| set.value.as_deref());
            set.is_some_and(|value| !value.contains("cachelane"))
        };
        if let Some(name) = ["CACHE_ID", "ROCKER_CACHE_ID"].into_iter().find(set) {
            return scope.known(Lookup::Variable(name))?.plain();
        }
        let mut lane = format!("{} {}", same(WORKFLOW), scope.job.name.as_deref()?);
        if scope.env.get("CACHELANE_MATRIX").is_some() {
            lane += &scope.known(Lookup::Variable("CACHELANE_MATRIX"))?.plain()?;
        }
        Some(lane)
    }

    fn span(&self, found: &command::FoundCommand) -> Span {
        if found.command.tool.runs_others() {
            return found.command.span;
        }
        let words = &found.simple.words;
        let (tool, sub) = (
            &words[found.command.tool_at],
            &words[found.command.subcommand],
        );
        Span::new(tool.span.start, sub.span.end)
    }

    fn is_same_build(&self, a: &Build, b: &Build) -> bool {
        (&a.name, &a.subject, &a.target, &a.builder) == (&b.name, &b.subject, &b.target, &b.builder)
    }

    fn together(&self, found: &mut [Found<'_>]) {
        workflow::together(found);
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

/// Returns the name under which an environment has the value of an expression: a variable's, or that of a step's output as
/// `handed` calls it.
fn set_by_name(expression: &str) -> Option<&str> {
    let output = || expression.starts_with("steps.").then_some(expression);
    expression.strip_prefix("env.").or_else(output)
}

/// Returns the first operand of `||` that is not empty, or else the last; `None` where one before it is unknown.
fn evaluated(scope: &Scope<'_>, expression: &str, looked: Option<&Looked<'_>>) -> Option<Text> {
    let mut last = Text::default();
    let mut operands = expression.split("||").peekable();
    while let Some(operand) = operands.next() {
        last = operand_value(scope, operand.trim(), looked)?;
        // Whether an input is empty, its caller knows.
        if scope.keeps_inputs && last.text.contains(SAME) && operands.peek().is_some() {
            return None;
        }
        if !last.is_empty() {
            break;
        }
    }
    Some(last)
}

fn operand_value(scope: &Scope<'_>, operand: &str, looked: Option<&Looked<'_>>) -> Option<Text> {
    let quoted = operand.strip_prefix('\'');
    if let Some(text) = quoted.and_then(|text| text.strip_suffix('\'')) {
        return (!text.contains('\'')).then(|| text.into());
    }
    if let Some((name, "")) = operand.strip_prefix("matrix").and_then(property) {
        let value = value(scope.row, &name).map_or("", String::as_str);
        let known = !scope.job.matrix.open && !value.contains("${{");
        let unlisted = || scope.run.map(|_| scope.own_name());
        let value = known.then(|| value.to_owned()).or_else(unlisted);
        return value.map(Text::from);
    }
    if let Some(name) = set_by_name(operand) {
        scope.env.get(name)?;
        return scope.lookup(Lookup::Variable(name), looked);
    }
    match operand {
        "github.workspace" => Some(Text::root()),
        _ if scope.keeps_inputs && operand.starts_with("inputs.") => {
            in_run(scope, operand).map(Text::from)
        }
        "github.job" => scope.job.name.clone().map(Text::from),
        "strategy.job-index" => scope.run.map(|number| number.to_string().into()),
        _ => scope
            .run
            .and_then(|_| in_run(scope, operand))
            .map(Text::from),
    }
}

/// Returns the value of an expression in a run, as [`Values::value`](crate::builds::model::Values::value) does.
fn in_run(scope: &Scope<'_>, expression: &str) -> Option<String> {
    let has = |start: &str| expression.starts_with(start);
    match expression {
        "github.workflow" => Some(same(WORKFLOW)),
        "github.run_id" | "github.run_number" | "github.run_attempt" => Some(same(RUN)),
        _ if expression.eq_ignore_ascii_case("toJSON(matrix)") => Some(scope.own_name()),
        _ if ["github.", "inputs.", "vars.", "secrets."]
            .into_iter()
            .any(has) =>
        {
            let is_name = |ch: char| ch.is_ascii_alphanumeric() || "._-".contains(ch);
            expression.chars().all(is_name).then(|| same(expression))
        }
        _ => None,
    }
}
