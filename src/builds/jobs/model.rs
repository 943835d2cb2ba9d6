//! Jobs, their matrices and their steps; and what is found in these.

use std::rc::Rc;

use super::script::Script;
use crate::builds::command;
use crate::builds::model::{Arg, Build, Env};
use crate::builds::shell::{Dialect, Variable};
use crate::builds::yaml::{Entry, Node};

/// The values that tell one run of a job from another, by their names.
pub type MatrixRow = Vec<(String, String)>;

/// The matrix of a job.
#[derive(Debug, Default)]
pub struct Matrix {
    /// The combinations; a single one without values for a job that has no matrix, or one whose values only a run knows.
    pub rows: Vec<MatrixRow>,
    /// The names of its lists; for an open one those whose values the rows do not have.
    pub names: Vec<String>,
    /// Whether there are values that only a run knows.
    pub open: bool,
    /// Whether its jobs run one after the other.
    pub sequential: bool,
}

impl Matrix {
    /// Makes the matrix of a job that has none.
    pub fn none() -> Self {
        Self::of(Vec::new())
    }

    /// Makes one whose values are all listed; without any, the job runs once.
    pub fn of(mut rows: Vec<MatrixRow>) -> Self {
        if rows.is_empty() {
            rows.push(MatrixRow::new());
        }
        Self {
            rows,
            ..Self::default()
        }
    }

    /// Makes one of which only these names are known.
    pub fn open(names: Vec<String>) -> Self {
        Self {
            names,
            open: true,
            ..Self::none()
        }
    }

    /// Returns whether a value of it has this name.
    pub fn has(&self, name: &str) -> bool {
        let listed = self.rows.iter().flatten().map(|(name, _)| name);
        self.names.iter().chain(listed).any(|axis| axis == name)
    }
}

/// A job.
#[derive(Debug, Default)]
pub struct Job {
    /// Its name in the file; `None` for what is no job, an action of steps say.
    pub name: Option<String>,
    /// The variables that the file sets for it.
    pub env: Env,
    pub matrix: Matrix,
    /// Whether it is only a template: it counts where no job runs the place.
    pub template: bool,
    /// Whether each run has a machine of its own, and its builder there.
    pub own_machine: bool,
}

/// A step of a job.
pub struct Step<'s, 'y> {
    pub job: &'s Rc<Job>,
    /// What to call its builds: ``job `test` ``.
    pub title: String,
    pub node: Node<'y>,
    /// The variables that the file sets for it.
    pub env: Env,
    /// The variables that earlier steps hand on: only files that a build takes make something of them.
    pub handed: Env,
    /// The names of the matrix that it may use; `None` for those that stand in its script, in its environment or in values.
    pub names: Option<Vec<String>>,
}

impl<'s, 'y> Step<'s, 'y> {
    /// Makes a step that runs with what its job sets.
    pub fn new(job: &'s Rc<Job>, title: String, node: Node<'y>) -> Self {
        Self {
            job,
            title,
            node,
            env: job.env.clone(),
            handed: Env::default(),
            names: None,
        }
    }
}

/// A build, and what it takes to pass it something.
pub struct Found<'y> {
    /// The build; its runs and jobs are filled in at the end.
    pub build: Build,
    /// The step that it stands in.
    pub step: Node<'y>,
    /// The variables that the file sets for it, and those that earlier steps hand on.
    pub env: Env,
    pub handed: Env,
    /// The command, where it is one of a script.
    pub command: Option<InScript<'y>>,
    /// Each job that runs it.
    pub runs: Vec<JobRuns>,
}

/// A command in a script.
pub struct InScript<'y> {
    pub script: Rc<Script<'y>>,
    pub found: command::Found,
    /// The variables that the script sets.
    pub variables: Rc<[Variable]>,
    pub dialect: Dialect,
}

/// A job that runs a build.
pub struct JobRuns {
    pub job: Rc<Job>,
    /// The rows in which it does, by index.
    pub rows: Vec<usize>,
}

impl JobRuns {
    pub fn rows(&self) -> impl Iterator<Item = &MatrixRow> {
        self.rows.iter().map(|&row| &self.job.matrix.rows[row])
    }
}

impl Found<'_> {
    /// Returns whether the file lists all runs of it.
    pub fn all_listed(&self) -> bool {
        !self.runs.iter().any(|runs| runs.job.matrix.open)
    }
}

/// Returns the variables that a mapping sets, as written; those whose values are no texts have none.
pub fn variables(map: Option<Node<'_>>) -> Vec<Arg> {
    let entries = map.map(Node::entries).unwrap_or_default().into_iter();
    let variable = |entry: Entry<'_>| {
        let value = entry.value.text().map(str::to_owned);
        Some(Arg::new(entry.key.text()?, value, entry.value.span()))
    };
    entries.filter_map(variable).collect()
}
