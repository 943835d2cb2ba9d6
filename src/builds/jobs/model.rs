//! Jobs, their matrices, steps and builds.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use super::script::Script;
use crate::builds::builder::Builders;
use crate::builds::command;
use crate::builds::model::{Arg, AxisPath, Build, Env, Queue};
use crate::builds::shell::{Dialect, Variable};
use crate::builds::yaml::{Entry, Node, Yaml};

/// A file of a format with jobs or commands.
pub enum Source<'s> {
    Yaml(Yaml<'s>),
    Text(&'s str),
}

impl Source<'_> {
    /// Returns the root of the first document; `None` for an empty file, and one that is not YAML.
    pub fn root(&self) -> Option<Node<'_>> {
        match self {
            Self::Yaml(yaml) => yaml.root(),
            Self::Text(_) => None,
        }
    }
}

/// A combination of a matrix.
pub type MatrixRow = Vec<(AxisPath, String)>;

#[derive(Debug, Default)]
pub struct Matrix {
    /// The combinations; a single one without values for a job that has no matrix, or one whose values only a run
    /// knows.
    pub rows: Vec<MatrixRow>,
    /// The names of its lists; for an open one those that the rows lack.
    pub names: Vec<AxisPath>,
    /// The values that are no texts: numbers, `true`, `false`.
    pub untyped: BTreeSet<(AxisPath, String)>,
    /// True where only a run knows some values.
    pub open: bool,
    /// True where its jobs run one after the other.
    pub sequential: bool,
}

impl Matrix {
    pub fn none() -> Self {
        Self::of(Vec::new())
    }

    /// Makes a matrix whose values are all listed; without any, the job runs once.
    pub fn of(mut rows: Vec<MatrixRow>) -> Self {
        if rows.is_empty() {
            rows.push(MatrixRow::new());
        }
        Self {
            rows,
            ..Self::default()
        }
    }

    /// Makes a matrix of which only these names are known.
    pub fn open(names: Vec<AxisPath>) -> Self {
        Self {
            names,
            open: true,
            ..Self::none()
        }
    }

    /// Returns the numbers of its rows.
    pub fn all(&self) -> Vec<usize> {
        (0..self.rows.len()).collect()
    }

    pub fn has(&self, path: &AxisPath) -> bool {
        let listed = self.rows.iter().flatten().map(|(path, _)| path);
        self.names.iter().chain(listed).any(|axis| axis == path)
    }
}

#[derive(Debug, Default)]
pub struct Job {
    /// The name in the file; `None` outside of jobs, for example in an action of steps.
    pub name: Option<String>,
    pub env: Env,
    pub matrix: Matrix,
    /// True for a template, which counts where no job runs the place.
    pub template: bool,
    pub builders: Builders,
    /// The queues in which its runs wait for their turn.
    pub queues: Vec<Queue>,
    /// The labels that its runner has, as written.
    pub labels: Vec<String>,
    /// The condition under which it runs, as written.
    pub condition: Option<Arc<str>>,
    /// True where each of its runs may have other files.
    pub has_own_files: bool,
}

pub struct Step<'s, 'y> {
    pub job: &'s Arc<Job>,
    /// The name for messages: ``job `test` ``.
    pub title: String,
    /// Its node; `None` in a file that is not YAML.
    pub node: Option<Node<'y>>,
    pub env: Env,
    /// The variables that earlier steps hand on, which only Compose and bake files use.
    pub handed: Env,
    /// The names of the matrix that it may use; `None` for those in its script, its environment or values.
    pub names: Option<Vec<AxisPath>>,
    /// The builders that it sees, by what steps before it did.
    pub builders: Builders,
    /// The rows of the job's matrix that do not run it.
    pub skipped: Vec<usize>,
}

impl<'s, 'y> Step<'s, 'y> {
    pub fn new(job: &'s Arc<Job>, title: String, node: impl Into<Option<Node<'y>>>) -> Self {
        Self {
            job,
            title,
            node: node.into(),
            env: job.env.clone(),
            handed: Env::default(),
            names: None,
            builders: job.builders.clone(),
            skipped: Vec::new(),
        }
    }

    /// Returns the variable that the file sets for it.
    pub fn variable(&self, name: &str) -> Option<&Arg> {
        self.env.get(name).or_else(|| self.handed.get(name))
    }
}

pub struct FoundBuild<'y> {
    /// The build, whose runs and jobs are filled in at the end.
    pub build: Build,
    pub step: Option<Node<'y>>,
    /// The variables that the file sets for it, and those that earlier steps hand on.
    pub env: Env,
    pub handed: Env,
    pub command: Option<InScript<'y>>,
    pub runs: Vec<JobRuns>,
    /// The rows in which its place builds anything, this or another Dockerfile: one fix is made for all.
    pub all_rows: Vec<usize>,
}

pub struct InScript<'y> {
    pub script: Rc<Script<'y>>,
    pub found: command::FoundCommand,
    pub variables: Rc<[Variable]>,
    pub dialect: Dialect,
}

pub struct JobRuns {
    pub job: Arc<Job>,
    pub rows: Vec<usize>,
}

impl JobRuns {
    pub fn rows(&self) -> impl Iterator<Item = &MatrixRow> {
        self.rows.iter().map(|&row| &self.job.matrix.rows[row])
    }
}

impl FoundBuild<'_> {
    pub fn all_listed(&self) -> bool {
        !self.runs.iter().any(|runs| runs.job.matrix.open)
    }
}

/// Returns the variables that a mapping sets, as written; without a value where that is no text.
pub fn variables(map: Option<Node<'_>>) -> Vec<Arg> {
    let entries = map.map(Node::entries).unwrap_or_default().into_iter();
    let variable = |entry: Entry<'_>| {
        let value = entry.value.text().map(str::to_owned);
        Some(Arg::new(entry.key.text()?, value, entry.value.span()))
    };
    entries.filter_map(variable).collect()
}
