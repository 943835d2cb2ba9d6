//! How a command ends.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::Problem;
use crate::report::{self, RunError};
use crate::text::LineIndex;

use super::repository::GitError;

/// The three ends of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing that fails the gate.
    Clean,
    /// Findings that fail the gate, or a diff.
    Findings,
    /// Something could not be read, written or understood.
    Trouble,
}

impl Outcome {
    /// Returns [`Outcome::Trouble`] where there was `trouble`, or else whether something `fails` the gate.
    pub const fn new(trouble: bool, fails: bool) -> Self {
        match (trouble, fails) {
            (true, _) => Self::Trouble,
            (false, true) => Self::Findings,
            (false, false) => Self::Clean,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Clean => 0,
            Outcome::Findings => 1,
            Outcome::Trouble => 2,
        })
    }
}

/// The end of a command: its exit code, or why it could not do its work.
pub type Ended = Result<ExitCode, Error>;

/// Why a command could not do its work. [`main`](super::main()) prints it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Arguments or the environment cannot be understood.
    #[error("{0}")]
    Input(String),
    /// A configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Git has no answer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Something is wrong with a file.
    #[error("{0}: {1}")]
    File(String, String),
}

impl Error {
    /// Returns it as reports list it.
    pub fn run_errors(&self) -> Vec<RunError> {
        match self {
            Self::Config(error) => error.run_errors(),
            other => vec![RunError::of_run(other.to_string())],
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", report::path(path))]
pub struct ConfigError {
    /// The file, as messages name it.
    pub path: PathBuf,
    /// Its text; empty where it cannot be read.
    pub text: String,
    /// All that is wrong with it.
    pub problems: Vec<Problem>,
    /// The consequence, or why it cannot be read.
    pub message: String,
}

impl ConfigError {
    /// Returns it as reports list it.
    pub fn run_errors(&self) -> Vec<RunError> {
        let name = report::path(&self.path);
        if self.problems.is_empty() {
            return vec![RunError::with(name, &self.message)];
        }
        let lines = LineIndex::new(self.text.as_bytes());
        let trouble = |problem: &Problem| RunError {
            path: Some(name.clone()),
            line: Some(lines.line(problem.span.start)),
            message: problem.message.clone(),
        };
        self.problems.iter().map(trouble).collect()
    }
}
