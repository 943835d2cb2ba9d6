//! The values of variables, matrix values and expressions in a format.

use std::fmt;

use super::folders::is_folder;
use super::matrix::{value, varying};
use super::model::{FoundBuild, Job, MatrixRow};
use crate::budget;
use crate::builds::command;
use crate::builds::model::{AxisPath, Build, Env, Runs};
use crate::builds::paths::Text;
use crate::builds::shell::Lookup;
use crate::text::marks::same;
use crate::text::{Span, variable};

/// A format's rules for texts and names.
pub trait Language: fmt::Debug + Sync {
    /// Returns the variable that holds the folder of the checkout.
    fn root(&self) -> &'static str;

    /// Returns `text` with the values that the format puts in before any shell runs; `None` where one is unknown. By
    /// default it puts in none.
    fn filled(&self, _: &StepScope<'_>, text: &str, _: Option<&Looked<'_>>) -> Option<Text> {
        (!text.contains(['$', '`'])).then(|| text.into())
    }

    /// Returns the way to the matrix value that a need asks for.
    fn axis(&self, _need: Lookup<'_>) -> Option<AxisPath> {
        None
    }

    /// Returns the variable, where the expression is nothing else.
    fn variable<'e>(&self, _expression: &'e str) -> Option<&'e str> {
        None
    }

    /// Returns the values of which an expression chooses one in a run, as far as they are known.
    fn chosen(&self, _scope: &StepScope<'_>, _text: &str) -> Vec<String> {
        Vec::new()
    }

    /// Returns the place of a build for findings.
    fn span(&self, found: &command::FoundCommand) -> Span {
        found.command.span
    }

    /// Returns whether two runs of one place are one build.
    fn is_same_build(&self, a: &Build, b: &Build) -> bool {
        (&a.subject, &a.target, &a.args, &a.builder) == (&b.subject, &b.target, &b.args, &b.builder)
    }

    /// Gives builds that one edit changes the rows that its lane has to part, once their runs are known.
    fn together(&self, _found: &mut [FoundBuild<'_>]) {}

    /// Returns the names that tell rows apart; `lists` are those of the matrix's lists.
    fn axes(&self, rows: &[&MatrixRow], _lists: &[AxisPath]) -> Vec<AxisPath> {
        varying(rows, &[])
    }

    /// Returns the value that the CI gives the variable `name` in a run, where the file sets none; as
    /// [`Values::value`](crate::builds::model::Values::value) returns it.
    fn predefined(&self, _scope: &StepScope<'_>, _name: &str) -> Option<String> {
        None
    }

    /// Returns the lane that `cachelane id` gives a run, in the same way: by default each has its own.
    fn lane(&self, scope: &StepScope<'_>) -> Option<String> {
        Some(scope.own_name())
    }

    /// Returns whether others run its jobs, by their names, whenever they like.
    fn is_called(&self) -> bool {
        false
    }

    /// Returns the runs at once of a build, whose job runs differ in these axes.
    fn runs(&self, _job: &Job, axes: Vec<AxisPath>) -> Runs {
        Runs::of(axes)
    }
}

impl dyn Language {
    /// Returns the names that tell the concurrent runs of a job in these rows apart.
    pub fn job_axes(&self, job: &Job, rows: &[usize]) -> Vec<AxisPath> {
        let matrix = &job.matrix;
        let rows: Vec<&MatrixRow> = rows.iter().map(|&row| &matrix.rows[row]).collect();
        match (matrix.sequential, matrix.open) {
            (true, _) => Vec::new(),
            (false, true) => [varying(&rows, &[]), matrix.names.clone()].concat(),
            (false, false) => self.axes(&rows, &matrix.names),
        }
    }

    /// Returns the runs at once of a whole job in these rows.
    pub fn job_runs(&self, job: &Job, rows: &[usize]) -> Runs {
        self.runs(job, self.job_axes(job, rows))
    }
}

/// The values that a step sees in one row of its job's matrix.
pub struct StepScope<'s> {
    pub language: &'s dyn Language,
    pub env: &'s Env,
    /// The variables that earlier steps hand on. A value may hold a shell's words, so it tells only what is
    /// passed, never which file.
    pub handed: &'s Env,
    pub job: &'s Job,
    pub row: &'s MatrixRow,
    /// The number of the run among those of the job, where values are asked for in which runs may differ: then what the
    /// file does not set has the CI's value, and an unlisted matrix another one for each run.
    pub run: Option<usize>,
    /// True where inputs of the file stay, each by its name as [`Values::value`](crate::builds::model::Values::value) has it.
    pub keeps_inputs: bool,
}

/// The names in lookup, each for the next: a variable that is made of itself has no value.
#[derive(Clone, Copy)]
pub struct Looked<'l> {
    name: &'l str,
    outer: Option<&'l Self>,
}

impl StepScope<'_> {
    /// Returns the same values with the names of inputs, which the callers of the file know.
    pub fn with_inputs(&self) -> StepScope<'_> {
        StepScope {
            keeps_inputs: true,
            ..*self
        }
    }

    /// Returns a text that no other run has: of the job and the values of its matrix.
    pub fn own_name(&self) -> String {
        let values = self
            .row
            .iter()
            .map(|(name, value)| format!(" {name}={value}"));
        let number = self
            .job
            .matrix
            .open
            .then(|| same(&format!("row {}", self.run.unwrap_or_default())));
        self.job
            .name
            .iter()
            .cloned()
            .chain(values)
            .chain(number)
            .collect()
    }

    pub fn known(&self, need: Lookup<'_>) -> Option<Text> {
        self.lookup(need, None)
    }

    pub fn filled(&self, text: &str) -> Option<Text> {
        self.language.filled(self, text, None)
    }

    /// Returns the file's value of a variable, or of an expression that is one, as written: `$CI_PIPELINE_ID` says more
    /// than nothing.
    pub fn written(&self, need: Lookup<'_>) -> Option<String> {
        let name = match need {
            Lookup::Variable(name) => name,
            Lookup::Expression(raw) => self.language.variable(raw)?,
        };
        let set = self.env.get(name).or_else(|| self.handed.get(name));
        set.filter(|_| !self.is_axis(name))?.value.clone()
    }

    /// Returns whether the file's value of a variable is only a default, before which the environment's goes.
    pub fn is_default(&self, name: &str) -> bool {
        let set = self.env.get(name);
        set.is_some_and(|set| set.is_default_of(name))
    }

    /// Returns `text`, a variable of a script's or anything else as written, with its value where that is known.
    pub fn resolved(&self, text: &str) -> String {
        let known = match variable(text) {
            Some(name) => self.known(Lookup::Variable(name)),
            None => self.filled(text),
        };
        known
            .and_then(Text::plain)
            .unwrap_or_else(|| text.to_owned())
    }

    pub fn is_axis(&self, variable: &str) -> bool {
        let axis = self.language.axis(Lookup::Variable(variable));
        axis.is_some_and(|axis| self.job.matrix.has(&axis))
    }

    /// Looks up a part of `outer`.
    pub fn lookup(&self, need: Lookup<'_>, outer: Option<&Looked<'_>>) -> Option<Text> {
        let (Lookup::Variable(name) | Lookup::Expression(name)) = need;
        if std::iter::successors(outer, |looked| looked.outer).any(|looked| looked.name == name) {
            return None;
        }
        if need == Lookup::Variable(self.language.root())
            || matches!(need, Lookup::Variable(name) if is_folder(name))
        {
            return Some(Text::root());
        }
        let axis = self.language.axis(need);
        let axis = axis.as_ref();
        let is_axis = axis.is_some_and(|axis| self.job.matrix.has(axis));
        let text = match (axis.and_then(|axis| value(self.row, axis)), need) {
            (Some(value), _) => value,
            (None, _) if is_axis && self.job.matrix.open => {
                return self.run.map(|_| self.own_name()).map(Text::from);
            }
            // Other rows have it: in this one it is not set.
            (None, Lookup::Variable(name)) if is_axis && self.env.get(name).is_none() => {
                return self.run.map(|_| Text::default());
            }
            (None, Lookup::Variable(name)) if self.env.get(name).is_none() => {
                let value = self.run.and_then(|_| self.language.predefined(self, name));
                return value.map(Text::from);
            }
            (None, Lookup::Variable(name)) => self.env.get(name)?.value.as_deref()?,
            (None, Lookup::Expression(raw)) => return self.language.filled(self, raw, outer),
        };
        let looked = &Looked { name, outer };
        budget::nested(|| self.language.filled(self, text, Some(looked)))?
    }
}
