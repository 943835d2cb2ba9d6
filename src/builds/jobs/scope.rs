//! What a format makes of variables, matrix values and expressions.

use super::matrix::{value, varying};
use super::model::{Job, MatrixRow};
use crate::budget;
use crate::builds::command;
use crate::builds::model::{Build, Env, Runs};
use crate::builds::paths::ROOT;
use crate::builds::shell::Lookup;
use crate::text::Span;

/// What a format makes of texts and names.
pub trait Language: Sync {
    /// Returns the variable that holds the folder of the checkout.
    fn root(&self) -> &'static str;

    /// Returns `text` with what the format puts into it before any shell runs; `None` where that is not known.
    fn filled(&self, scope: &Scope<'_>, text: &str, looked: Option<&Looked<'_>>) -> Option<String>;

    /// Returns the name of the matrix value that a need asks for.
    fn axis<'n>(&self, _need: Lookup<'n>) -> Option<&'n str> {
        None
    }

    /// Returns the variable that an expression is, and nothing else.
    fn variable<'e>(&self, _expression: &'e str) -> Option<&'e str> {
        None
    }

    /// Finds what has to be taken for an expression: the bytes of the first one in a text, and what to read instead, of the
    /// same length.
    fn mask(&self, _text: &str) -> Option<(Span, String)> {
        None
    }

    /// Returns the bytes of a script to underline for a command.
    fn span(&self, found: &command::Found) -> Span {
        found.command.span
    }

    /// Returns whether two runs of one place are one build; where its stages differ, none is known.
    fn is_one(&self, a: &Build, b: &Build) -> bool {
        (&a.subject, &a.target, &a.args) == (&b.subject, &b.target, &b.args)
    }

    /// Returns the names that tell rows apart; `lists` are those of the matrix's lists.
    fn axes(&self, rows: &[&MatrixRow], _lists: &[String]) -> Vec<String> {
        varying(rows, &[])
    }

    /// Returns how often a build of a job runs at once whose runs differ in these axes.
    fn runs(&self, _job: &Job, axes: Vec<String>) -> Runs {
        Runs::of(axes)
    }
}

impl dyn Language {
    /// Returns the names that tell the runs of a job in these rows apart, where they run at once.
    pub fn job_axes(&self, job: &Job, rows: &[usize]) -> Vec<String> {
        let matrix = &job.matrix;
        let rows: Vec<&MatrixRow> = rows.iter().map(|&row| &matrix.rows[row]).collect();
        match (matrix.sequential, matrix.open) {
            (true, _) => Vec::new(),
            (false, true) => [varying(&rows, &[]), matrix.names.clone()].concat(),
            (false, false) => self.axes(&rows, &matrix.names),
        }
    }

    /// Returns how often a job runs at once.
    pub fn job_runs(&self, job: &Job) -> Runs {
        let all: Vec<usize> = (0..job.matrix.rows.len()).collect();
        self.runs(job, self.job_axes(job, &all))
    }
}

/// What a step sees in one row of its job's matrix.
pub struct Scope<'s> {
    pub language: &'s dyn Language,
    pub env: &'s Env,
    pub job: &'s Job,
    pub row: &'s MatrixRow,
}

/// The names that are being looked up, each for the next: one that is made of itself has no value.
#[derive(Clone, Copy)]
pub struct Looked<'l> {
    name: &'l str,
    outer: Option<&'l Self>,
}

impl Scope<'_> {
    /// Returns what a need stands for, where the file says it.
    pub fn known(&self, need: Lookup<'_>) -> Option<String> {
        self.lookup(need, None)
    }

    /// Returns `text` with all that the format puts into it; `None` where something is not known.
    pub fn filled(&self, text: &str) -> Option<String> {
        self.language.filled(self, text, None)
    }

    /// Returns what the file sets a variable, or an expression that is one, to, as written: `$CI_PIPELINE_ID` says more than
    /// nothing.
    pub fn written(&self, need: Lookup<'_>) -> Option<String> {
        let name = match need {
            Lookup::Variable(name) => name,
            Lookup::Expression(raw) => self.language.variable(raw)?,
        };
        let set = self.env.get(name).filter(|_| !self.is_axis(name))?;
        set.value.clone()
    }

    /// Returns whether a variable's value comes from the matrix.
    pub fn is_axis(&self, variable: &str) -> bool {
        let axis = self.language.axis(Lookup::Variable(variable));
        axis.is_some_and(|axis| self.job.matrix.has(axis))
    }

    /// Looks up what `outer` is made of.
    pub fn lookup(&self, need: Lookup<'_>, outer: Option<&Looked<'_>>) -> Option<String> {
        let (Lookup::Variable(name) | Lookup::Expression(name)) = need;
        if std::iter::successors(outer, |looked| looked.outer).any(|looked| looked.name == name) {
            return None;
        }
        if need == Lookup::Variable(self.language.root()) {
            return Some(ROOT.to_owned());
        }
        let axis = self.language.axis(need);
        let text = match (axis.and_then(|axis| value(self.row, axis)), need) {
            (Some(value), _) => value,
            (None, _) if axis.is_some_and(|axis| self.job.matrix.has(axis)) => return None,
            (None, Lookup::Variable(name)) => self.env.get(name)?.value.as_deref()?,
            (None, Lookup::Expression(raw)) => return self.language.filled(self, raw, outer),
        };
        let looked = &Looked { name, outer };
        budget::nested(|| self.language.filled(self, text, Some(looked)))?
    }
}
