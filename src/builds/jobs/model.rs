//! What a format lowers its files to: jobs, their matrices, their steps; and what is found in these.

use std::rc::Rc;

use super::matrix::varying;
use super::scope::{Looked, Scope};
use super::script::Script;
use crate::builds::command;
use crate::builds::model::{Arg, Build, Env, ReadError, Runs, Subject};
use crate::builds::shell::{Dialect, Lookup, Variable};
use crate::builds::yaml::Node;
use crate::text::Span;

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
    /// Makes one of these rows, or of names alone where the rows are too many.
    pub fn of(rows: Option<Vec<MatrixRow>>, names: Vec<String>) -> Self {
        let open = rows.is_none();
        let mut rows = rows.unwrap_or_default();
        if rows.is_empty() {
            rows.push(MatrixRow::new());
        }
        Self {
            rows,
            names,
            open,
            sequential: false,
        }
    }

    /// Returns the names that tell these rows apart where they run at once.
    pub fn axes(&self, rows: &[usize], language: &dyn Language) -> Vec<String> {
        let rows: Vec<&MatrixRow> = rows.iter().map(|&row| &self.rows[row]).collect();
        match (self.sequential, self.open) {
            (true, _) => Vec::new(),
            (false, true) => [varying(&rows, &[]), self.names.clone()].concat(),
            (false, false) => language.axes(&rows, &self.names),
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
    /// The combinations that it runs in.
    pub matrix: Matrix,
    /// Whether it is only a template: it counts where no job runs the place.
    pub template: bool,
    /// Whether each run has a machine of its own, and its builder there.
    pub own_machine: bool,
}

impl Job {
    /// Returns how often it runs at once.
    pub fn runs(&self, language: &dyn Language) -> Runs {
        let all: Vec<usize> = (0..self.matrix.rows.len()).collect();
        language.runs(self, self.matrix.axes(&all, language))
    }
}

/// A step of a job: what it runs, and where.
pub struct Step<'s, 'y> {
    pub job: &'s Rc<Job>,
    /// What to call its builds: ``job `test` ``.
    pub title: String,
    /// The step itself, for a format that puts arguments there.
    pub node: Node<'y>,
    /// The variables that the file sets for it.
    pub env: Env,
    /// The variables that earlier steps hand on: they hold behind all others, where a build makes something of them.
    pub handed: Env,
    /// The names of the matrix that it may use; `None` for those that stand in its script, in its environment or in values.
    pub names: Option<Vec<String>>,
    /// Returns the folder that its script starts in and the script's grammar; `None` where that is no shell's.
    pub shell: &'s dyn Fn(&Scope<'_>) -> Option<(Option<String>, Dialect)>,
    /// Turns the paths of its folders into those of the repository.
    ///
    /// # Errors
    /// Fails when they lead to elsewhere.
    pub placed: &'s dyn Fn(Subject) -> Result<Subject, String>,
}

/// What a format makes of texts and names.
pub trait Language {
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

    /// Returns how often a build of a job runs at once whose runs differ in these axes.
    fn runs(&self, _job: &Job, axes: Vec<String>) -> Runs {
        Runs::of(axes)
    }

    /// Returns the names that tell rows apart; `lists` are those of the matrix's lists.
    fn axes(&self, rows: &[&MatrixRow], _lists: &[String]) -> Vec<String> {
        varying(rows, &[])
    }
}

/// A build, and what it takes to pass it something.
pub struct Found<'y> {
    /// The build; its runs and jobs are filled in at the end.
    pub build: Build,
    /// The step that it stands in.
    pub step: Node<'y>,
    /// The variables that the file sets for it.
    pub env: Env,
    /// The variables that earlier steps hand on.
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

/// A job that runs a build, with the rows in which it does.
pub struct JobRuns {
    pub job: Rc<Job>,
    /// Indices into the matrix's rows.
    pub rows: Vec<usize>,
}

impl JobRuns {
    /// Returns the rows.
    pub fn rows(&self) -> impl Iterator<Item = &MatrixRow> {
        self.rows.iter().map(|&row| &self.job.matrix.rows[row])
    }

    /// Returns the names that tell the runs of the build apart, as expressions get at them.
    pub fn axes(&self, language: &dyn Language) -> Vec<String> {
        self.job.matrix.axes(&self.rows, language)
    }
}

impl Found<'_> {
    /// Returns whether the file lists all runs of it.
    pub fn all_listed(&self) -> bool {
        !self.runs.iter().any(|runs| runs.job.matrix.open)
    }

    pub fn run_by(&mut self, job: &Rc<Job>, rows: &[usize]) {
        let known = self.runs.iter_mut().find(|runs| runs.job.name == job.name);
        if let Some(runs) = known {
            runs.rows.extend_from_slice(rows);
            runs.rows.sort_unstable();
            runs.rows.dedup();
            return;
        }
        self.runs.push(JobRuns {
            job: Rc::clone(job),
            rows: rows.to_vec(),
        });
    }

    /// Fills in who runs it and how often.
    pub fn finish(&mut self, language: &dyn Language) {
        let mut runs = self
            .runs
            .iter()
            .map(|runs| language.runs(&runs.job, runs.axes(language)));
        self.build.runs = runs.find(|runs| *runs != Runs::Once).unwrap_or(Runs::Once);
        let names = self.runs.iter().filter_map(|runs| runs.job.name.clone());
        self.build.jobs = names.collect();
    }
}

/// Returns the variables that a mapping sets, as written; those whose values are no texts have none.
pub fn variables(map: Option<Node<'_>>) -> Vec<Arg> {
    let entries = map.map(Node::entries).unwrap_or_default().into_iter();
    let variable = |entry: crate::builds::yaml::Entry<'_>| {
        let value = entry.value.text().map(str::to_owned);
        Some(Arg::new(entry.key.text()?, value, entry.value.span()))
    };
    entries.filter_map(variable).collect()
}

/// Fails with what is wrong with a file that has `root` at its top, which is none of a pipeline.
pub fn unlike(root: Node<'_>) -> ReadError {
    ReadError {
        span: root.span(),
        message: "it has no mapping at its top".to_owned(),
    }
}
