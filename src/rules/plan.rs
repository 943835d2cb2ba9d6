//! The ARG lines that a file needs for one name, as they are planned once for all rules.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::finding::LockKey;
use crate::fix::{Applicability, Edit};

/// The ARG lines that a file needs for one name.
#[derive(Debug)]
pub struct Plan {
    /// The line that declares it, for each instruction that would not see it.
    pub(super) needs: HashMap<usize, Rc<Declaring>>,
    /// The uses of the name outside of cache ids.
    pub(super) elsewhere: Uses,
    /// For each cache the first of its mounts that has a fix of its own, by its place among the caches.
    pub(super) first: HashMap<Arc<LockKey>, usize>,
    /// The caches that get none after all.
    pub(super) refused: HashMap<Arc<LockKey>, Refusal>,
}

/// A reason why a cache gets no lane.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The mount that is in the way, by its place among the caches.
    pub(super) at: usize,
    /// The reason, for people.
    pub(super) reason: String,
}

/// The uses of a name outside of cache ids, and of one that an ARG makes of it.
#[derive(Debug)]
pub(super) struct Uses {
    /// For each stage, whether it is used in it, or in one built from it.
    pub(super) stages: Vec<bool>,
    /// Set where a FROM line uses it, which sees what is global.
    pub(super) bases: bool,
}

impl Uses {
    /// Returns whether it is used at all.
    pub(super) fn any(&self) -> bool {
        self.bases || self.stages.contains(&true)
    }
}

/// One ARG line that is needed.
#[derive(Debug)]
pub struct Declaring {
    /// The line, without indentation and ending.
    pub line: String,
    /// The 1-based line of the instruction that it comes above.
    pub above: usize,
    /// The edits that put it where it belongs.
    pub edits: Vec<Edit>,
    /// The 1-based line on which the stage declares the name already, but too late.
    pub late: Option<usize>,
    /// Set where that line is the one that is moved.
    pub moves: bool,
    /// Safe where nothing but cache ids can change by it.
    pub applicability: Applicability,
}

impl Declaring {
    /// Returns what is done, in the imperative.
    pub fn title(&self) -> String {
        let what = if self.moves { "move up" } else { "declare" };
        let care = match self.applicability {
            Applicability::Safe => "",
            Applicability::Unsafe => " (look whether what else uses it may change)",
        };
        [what, " `", &self.line, "`", care].concat()
    }

    /// Returns what to write, for people.
    pub fn advice(&self) -> String {
        let (line, above) = (&self.line, self.above);
        match self.late {
            Some(late) if self.moves => {
                format!("move `{line}` from line {late} to above line {above}")
            }
            Some(late) => {
                format!("put `{line}` above line {above} (the one on line {late} comes too late)")
            }
            None => format!("put `{line}` above line {above}"),
        }
    }
}
