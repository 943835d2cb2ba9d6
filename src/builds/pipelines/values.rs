//! What variables and matrix values stand for, as far as the file says it.

use super::super::model::Looked;
use super::super::shell::{Need, ROOT, is_name};
use super::{Job, Language, Leg};
use crate::budget;

/// What a script of a job sees in one of its legs.
pub(super) struct Scope<'v> {
    format: &'v Language,
    job: &'v Job<'v>,
    leg: Option<&'v Leg>,
}

impl<'v> Scope<'v> {
    pub(super) const fn new(format: &'v Language, job: &'v Job<'v>, leg: Option<&'v Leg>) -> Self {
        Self { format, job, leg }
    }

    /// What a need stands for, where the file says it.
    pub(super) fn known(&self, need: Need<'_>) -> Option<String> {
        self.lookup(need, None)
    }

    /// What the file sets it to, as written: `$CI_PIPELINE_ID` says more than nothing.
    pub(super) fn set(&self, need: Need<'_>) -> Option<String> {
        let axis = (self.format.axis)(need);
        if axis.is_some_and(|axis| self.is_axis(axis)) {
            return None;
        }
        self.variable(need).map(str::to_owned)
    }

    /// What the job's environment sets a variable to.
    fn variable(&self, need: Need<'_>) -> Option<&'v str> {
        let Need::Variable(name) = need else {
            return None;
        };
        let mut env = self.job.env.iter().take_while(|_| budget::spend(1));
        env.find(|arg| arg.name == name)?.value.as_deref()
    }

    /// Whether a variable's value comes from the matrix.
    pub(super) fn varies(&self, name: &str) -> bool {
        (self.format.axis)(Need::Variable(name)).is_some_and(|axis| self.is_axis(axis))
    }

    fn is_axis(&self, name: &str) -> bool {
        let listed = self.job.legs.iter().flatten().map(|(name, _)| name);
        self.job.axes.iter().chain(listed).any(|axis| axis == name)
    }

    fn lookup(&self, need: Need<'_>, outer: Option<&Looked<'_>>) -> Option<String> {
        let (Need::Variable(name) | Need::Expression(name)) = need;
        if Looked::is_among(name, outer) {
            return None;
        }
        let looked = Looked { name, outer };
        if need == Need::Variable(self.format.root) {
            return Some(ROOT.to_owned());
        }
        if let Some(axis) = (self.format.axis)(need) {
            let mut values = self.leg.into_iter().flatten();
            if let Some((_, value)) = values.find(|(name, _)| name == axis) {
                return self.expand(value, &looked);
            }
            if self.is_axis(axis) {
                return None;
            }
        }
        self.expand(self.variable(need)?, &looked)
    }

    /// `value` with the variables in it, where the format allows any; `None` where one is not known.
    fn expand(&self, value: &str, looked: &Looked<'_>) -> Option<String> {
        if !["$", "{{"].iter().any(|mark| value.contains(mark)) {
            return Some(value.to_owned());
        }
        if !self.format.nested {
            return None;
        }
        let mut text = String::new();
        let mut rest = value;
        while let Some(at) = rest.find('$') {
            text.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let plain = rest
                .find(|ch: char| !ch.is_ascii_alphanumeric() && ch != '_')
                .unwrap_or(rest.len());
            let (name, behind) = match rest.strip_prefix('{') {
                Some(braced) => braced.split_once('}')?,
                None => rest.split_at(plain),
            };
            let inner = budget::nested(|| self.lookup(Need::Variable(name), Some(looked)))?
                .filter(|_| is_name(name))?;
            // The root is one only at the beginning.
            if !budget::spend(1 + inner.len()) || (inner.starts_with(ROOT) && !text.is_empty()) {
                return None;
            }
            text.push_str(&inner);
            rest = behind;
        }
        text.push_str(rest);
        Some(text)
    }
}
