//! The conditions of steps, `if`, in the rows of a matrix, and the builders that steps see by them.

use std::sync::Arc;

use crate::budget;
use crate::builds::builder::{Builders, CalledAction, Change};
use crate::builds::jobs::{Job, Language, StepScope};
use crate::builds::model::Env;
use crate::builds::yaml::Node;

/// The value of a condition in each row of the job's matrix; `None` where only a run knows it.
pub struct Condition {
    rows: Vec<Option<bool>>,
    /// The condition as written, where only a run knows it.
    open: Option<String>,
}

impl Condition {
    /// Reads that of a step or a job; `handed` are the variables that earlier steps hand on.
    pub fn of(node: Node<'_>, job: &Job, language: &dyn Language, handed: &Env) -> Self {
        let rows = &job.matrix.rows;
        let text = node.get_text("if").unwrap_or_default().trim();
        let whole = text
            .strip_prefix("${{")
            .and_then(|text| text.strip_suffix("}}"));
        let inner = whole.unwrap_or(text);
        let in_row = |row| {
            let scope = StepScope {
                language,
                env: &job.env,
                handed,
                job,
                row,
                run: None,
                keeps_inputs: false,
            };
            // What is written around an expression makes a text of it.
            let is_one = !inner.contains("${{") && budget::spend(64 + inner.len());
            let truth = format!("${{{{ ({inner}) && true || false }}}}");
            let truth = is_one.then(|| scope.filled(&truth))??;
            Some(truth.text == "true")
        };
        let rows: Vec<Option<bool>> = match text {
            "" => vec![Some(true); rows.len()],
            _ => rows.iter().map(in_row).collect(),
        };
        let open = rows.contains(&None).then(|| inner.trim().to_owned());
        Self { rows, open }
    }

    /// Returns the rows in which it is known not to hold.
    pub fn skipped(&self) -> Vec<usize> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, holds)| **holds == Some(false))
            .map(|(row, _)| row)
            .collect()
    }

    pub fn never_holds(&self) -> bool {
        self.rows.iter().all(|holds| *holds == Some(false))
    }

    /// Returns the reason why only a run knows what a step does.
    pub fn why(&self) -> Option<Arc<str>> {
        let open = self.open.as_ref()?;
        let why =
            format!("only a run knows whether a step that makes its builder runs: `if: {open}`");
        Some(why.into())
    }

    /// Returns the builders behind a step that sees `before` and leaves `behind` where it runs.
    fn passed(&self, before: &Builders, behind: &Builders, holds: bool) -> Builders {
        if before == behind || self.rows.iter().all(|row| row.unwrap_or(holds)) {
            return behind.clone();
        }
        let why = self.why().unwrap_or_default();
        let rows = self.rows.iter().enumerate();
        let rows = rows.take_while(|(at, _)| *at == 0 || budget::spend(64));
        let of_row = |(at, row): (usize, &Option<bool>)| match row.or(holds.then_some(true)) {
            Some(true) => behind.in_row(at),
            Some(false) => before.in_row(at),
            None => before.in_row(at).or(&behind.in_row(at), &why),
        };
        Builders::of_rows(&rows.map(of_row).collect::<Vec<_>>())
    }
}

/// The builders that the steps of a job see.
pub struct Seen {
    pub all: Builders,
    /// Those where a condition holds that only a run knows.
    under: Vec<(String, Builders)>,
}

impl Seen {
    pub const fn new(all: Builders) -> Self {
        let under = Vec::new();
        Self { all, under }
    }

    /// Returns those of a step with this condition.
    pub fn by(&self, condition: &Condition) -> &Builders {
        let mut under = self.under.iter();
        let own = under.find(|(text, _)| condition.open.as_ref() == Some(text));
        own.map_or(&self.all, |(_, builders)| builders)
    }

    /// Takes in the call of an action, which knows when it is run itself.
    pub fn call(&mut self, condition: &Condition, action: &CalledAction) {
        for (text, builders) in &mut self.under {
            let holds = condition.open.as_ref() == Some(&*text);
            let open = action.open.clone().filter(|_| !holds);
            builders.apply(&Change::Action(CalledAction {
                open,
                ..action.clone()
            }));
        }
        if let Some(open) = &condition.open
            && !self.under.iter().any(|(text, _)| text == open)
            && budget::spend(64 * (1 + self.under.len()))
        {
            let mut builders = self.all.clone();
            builders.apply(&Change::Action(CalledAction {
                open: None,
                ..action.clone()
            }));
            self.under.push((open.clone(), builders));
        }
        self.all.apply(&Change::Action(action.clone()));
    }

    /// Takes in a step with this condition, which changes the builders that it sees so.
    pub fn change(&mut self, condition: &Condition, change: impl Fn(&Builders) -> Builders) {
        let own = change(self.by(condition));
        if own == *self.by(condition) || !budget::spend(64 * (1 + self.under.len())) {
            return;
        }
        for (text, builders) in &mut self.under {
            let holds = condition.open.as_ref() == Some(&*text);
            *builders = condition.passed(builders, &change(builders), holds);
        }
        if let Some(open) = &condition.open
            && !self.under.iter().any(|(text, _)| text == open)
        {
            let behind = condition.passed(&self.all, &own, true);
            self.under.push((open.clone(), behind));
        }
        self.all = condition.passed(&self.all, &change(&self.all), false);
    }
}
