//! The ARG lines that a file needs for one name, planned once for all rules.

use std::collections::HashMap;
use std::rc::Rc;

use crate::fix::{Applicability, Edit};

/// The ARG lines for one name.
#[derive(Debug)]
pub struct Plan {
    /// The declaration for each instruction that does not see the name.
    pub(super) needs: HashMap<usize, Rc<Declaring>>,
    /// The uses of the name outside of cache ids.
    pub(super) elsewhere: Uses,
    /// The index of the first mount with its own fix, for each cache by its group.
    pub(super) first: HashMap<usize, usize>,
    /// The caches that get no lane after all.
    pub(super) refused: HashMap<usize, Refusal>,
}

/// A reason why a cache gets no lane.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The index of the mount in the way.
    pub(super) at: usize,
    pub(super) reason: String,
}

/// The uses of a name, and of ARGs made of it, outside of cache ids.
#[derive(Debug)]
pub(super) struct Uses {
    /// For each stage, the last instruction that uses the name; beyond the file where a stage built from it does.
    pub(super) stages: Vec<Option<usize>>,
    /// True where a FROM line uses it, which sees global ARGs.
    pub(super) bases: bool,
    /// The same as for `stages`, of the RUNs that print all variables.
    pub(super) printing: Vec<Option<usize>>,
    /// True where one of those sees the name.
    pub(super) is_printed: bool,
}

impl Uses {
    pub(super) fn any(&self) -> bool {
        self.bases || self.is_printed || self.stages.iter().any(Option::is_some)
    }

    /// Returns whether an instruction from `at` on in `stage`, or a stage built from it, uses the name or prints it.
    pub(super) fn are_behind(&self, stage: usize, at: usize) -> bool {
        let last = self.stages[stage].max(self.printing[stage]);
        last.is_some_and(|last| last >= at)
    }
}

/// An ARG line that is needed.
#[derive(Debug)]
pub struct Declaring {
    /// The line without indentation and ending.
    pub line: String,
    /// The 1-based line of the instruction below it.
    pub above: usize,
    /// The edits that insert it.
    pub edits: Vec<Edit>,
    /// The 1-based line of a declaration in the stage that comes too late.
    pub late: Option<usize>,
    /// That line as it stands, where it is moved.
    pub moves: Option<String>,
    /// Safe where it affects only cache ids.
    pub applicability: Applicability,
}

impl Declaring {
    /// Returns the change, in the imperative.
    pub fn title(&self) -> String {
        let line = &self.line;
        let care = match self.applicability {
            Applicability::Safe => "",
            Applicability::Unsafe => " (check whether what else uses it may change)",
        };
        match &self.moves {
            None => format!("declare `{line}`{care}"),
            Some(old) if old == line => format!("move up `{line}`{care}"),
            Some(old) => format!("move up `{old}` as `{line}`{care}"),
        }
    }

    /// Returns the advice.
    pub fn advice(&self) -> String {
        let (line, above) = (&self.line, self.above);
        match (self.late, &self.moves) {
            (Some(late), Some(old)) if old == line => {
                format!("move `{line}` from line {late} to above line {above}")
            }
            (Some(late), Some(old)) => {
                format!("move `{old}` from line {late} to above line {above}, and make it `{line}`")
            }
            (Some(late), None) => {
                format!("put `{line}` above line {above} (the one on line {late} comes too late)")
            }
            (None, _) => format!("put `{line}` above line {above}"),
        }
    }
}
