//! What variables, matrix values and expressions stand for, as far as the file says it.

use super::matrix::value;
use super::model::{Job, Language, MatrixRow};
use crate::budget;
use crate::builds::model::Env;
use crate::builds::shell::{Lookup, ROOT};

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
        let value = || self.env.get(name)?.value.clone();
        if self.is_axis(name) { None } else { value() }
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
        let looked = &Looked { name, outer };
        let filled =
            |text: &str| budget::nested(|| self.language.filled(self, text, Some(looked)))?;
        if need == Lookup::Variable(self.language.root()) {
            return Some(ROOT.to_owned());
        }
        if let Some(axis) = self.language.axis(need) {
            if let Some(value) = value(self.row, axis) {
                return filled(value);
            }
            if self.job.matrix.has(axis) {
                return None;
            }
        }
        match need {
            Lookup::Variable(name) => filled(self.env.get(name)?.value.as_deref()?),
            Lookup::Expression(raw) => self.language.filled(self, raw, outer),
        }
    }
}
