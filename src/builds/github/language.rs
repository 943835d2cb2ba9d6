//! GitHub's names and texts, as far as the file itself gives their values.

use super::evaluate;
use super::expression::{self, is_name_byte};
use super::matrix::{axes, value_in};
use super::value::{Operand, Value};
use super::{runner, workflow};
use crate::budget;
use crate::builds::command;
use crate::builds::jobs::{FoundBuild, Job, Language, Looked, MatrixRow, StepScope, value};
use crate::builds::model::{AxisPath, Build, RUN, Runs, WORKFLOW};
use crate::builds::paths::Text;
use crate::builds::shell::Lookup;
use crate::text::Span;
use crate::text::marks::same;

#[derive(Debug)]
pub struct Github;

impl Language for Github {
    fn root(&self) -> &'static str {
        "GITHUB_WORKSPACE"
    }

    fn filled(
        &self,
        scope: &StepScope<'_>,
        text: &str,
        looked: Option<&Looked<'_>>,
    ) -> Option<Text> {
        let mut filled = Text::default();
        let mut rest = text;
        while rest.contains("${{") {
            let (before, inner, behind) = expression::first(rest)?;
            filled.push(&before.into())?;
            filled.push(&evaluated(scope, inner, looked)?)?;
            rest = behind;
        }
        filled.text.push_str(rest);
        Some(filled)
    }

    fn variable<'e>(&self, expression: &'e str) -> Option<&'e str> {
        expression::variable(expression)
    }

    fn chosen(&self, scope: &StepScope<'_>, text: &str) -> Vec<String> {
        runner::chosen(text, scope.job, None)
    }

    fn predefined(&self, scope: &StepScope<'_>, name: &str) -> Option<String> {
        match name {
            "GITHUB_JOB" => scope.job.name.clone(),
            "GITHUB_WORKFLOW" => Some(same(WORKFLOW)),
            "GITHUB_RUN_ID" | "GITHUB_RUN_NUMBER" => Some(same(RUN)),
            _ => name.starts_with("GITHUB_").then(|| same(name)),
        }
    }

    /// Returns the lane as `builds::ci` makes it: the variables of a lane, or else the workflow, the job, and the matrix
    /// where it is handed over.
    fn lane(&self, scope: &StepScope<'_>) -> Option<String> {
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

    fn together(&self, found: &mut [FoundBuild<'_>]) {
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

/// Returns the value of an expression in `scope`; `None` where it is unknown.
fn evaluated(scope: &StepScope<'_>, expression: &str, looked: Option<&Looked<'_>>) -> Option<Text> {
    let resolve = |context: &str, path: Option<&AxisPath>| operand(scope, context, path, looked);
    evaluate::evaluated(expression, &resolve)?.value.text()
}

/// Returns the value of a property of a context.
fn operand(
    scope: &StepScope<'_>,
    context: &str,
    path: Option<&AxisPath>,
    looked: Option<&Looked<'_>>,
) -> Option<Operand> {
    let in_run = scope.run.is_some();
    let Some(path) = path else {
        return match context {
            "matrix" => in_run.then(|| Operand::text(scope.own_name(), true)),
            // What it computes, all jobs of one commit have.
            "hashfiles" => (in_run && !scope.job.has_own_files).then(Operand::unknown),
            _ => None,
        };
    };
    let name = format!("{context}.{path}");
    match (context, name.as_str()) {
        ("matrix", _) => of_matrix(scope, path, looked),
        ("env" | "steps" | "needs", name) => {
            let name = expression::set_by_name(name)?;
            // An earlier step may set another value.
            let set = scope
                .env
                .get(name)
                .filter(|_| in_run || scope.handed.get(name).is_none())?;
            let set = set.value.as_deref();
            let is_own = set.is_none_or(|value| value.contains("${{"));
            let value = scope.lookup(Lookup::Variable(name), looked)?;
            Some(Operand::text(value, is_own))
        }
        (_, "github.workspace") => Some(Operand::text(Text::root(), false)),
        (_, "github.job") => Some(Operand::text(scope.job.name.clone()?, true)),
        (_, "strategy.job-index") => {
            let number = scope.run.and_then(|number| u32::try_from(number).ok())?;
            Some(Operand::of(Value::Number(number.into()), true))
        }
        (_, "strategy.job-total") if !scope.job.matrix.open => {
            let total = u32::try_from(scope.job.matrix.rows.len()).ok()?;
            Some(Operand::of(Value::Number(total.into()), true))
        }
        ("runner", "runner.os" | "runner.arch") => {
            let labels = scope.job.labels.iter();
            let is_fixed =
                labels.clone().count() > 0 && !labels.clone().any(|label| label.contains("${{"));
            let of_labels = || labels.cloned().collect::<Vec<_>>().join(",");
            let name = format!(
                "{name}.{}",
                of_labels().replace(|ch: char| !ch.is_ascii_alphanumeric(), "_")
            );
            (in_run && is_fixed).then(|| Operand::same(&name, false))
        }
        ("inputs", name) if scope.keeps_inputs || in_run => of_run(name),
        ("github" | "vars" | "secrets", name) if in_run => of_run(name),
        _ => None,
    }
}

fn of_matrix(
    scope: &StepScope<'_>,
    path: &AxisPath,
    looked: Option<&Looked<'_>>,
) -> Option<Operand> {
    let matrix = &scope.job.matrix;
    let listed = value(scope.row, path).map(String::as_str);
    let is_known = !matrix.open && listed.is_none_or(|text| !text.contains("${{"));
    if is_known {
        let own = value_in(matrix, scope.row, path)?;
        return Some(Operand::of(own, true));
    }
    let filled = |text: &str| scope.language.filled(scope, text, looked);
    let filled = listed.and_then(|text| budget::nested(|| filled(text))?);
    // Another value than in other rows, for all one knows.
    let unlisted = || {
        let row = same(&format!("row {}", scope.run?));
        Some(Text::from(scope.own_name() + &row))
    };
    filled
        .or_else(unlisted)
        .map(|text| Operand::text(text, true))
}

/// Returns the value of a name in a run, as [`Values::value`](crate::builds::model::Values::value) does.
fn of_run(name: &str) -> Option<Operand> {
    let name = match name {
        "github.run_number" => RUN,
        _ => name,
    };
    name.bytes()
        .all(is_name_byte)
        .then(|| Operand::same(name, false))
}
