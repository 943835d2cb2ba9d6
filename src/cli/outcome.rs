//! The end of a command.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::Problem;
use crate::report::{self, RunError};
use crate::text::LineIndex;

use super::repository::GitError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing fails the gate.
    Clean,
    /// Findings that fail the gate, or a diff.
    Findings,
    /// Something could not be read, written or understood.
    Failed,
}

impl Outcome {
    pub const fn new(failed: bool, fails: bool) -> Self {
        match (failed, fails) {
            (true, _) => Self::Failed,
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
            Outcome::Failed => 2,
        })
    }
}

/// The exit code, or the error that stopped the command.
pub type CommandResult = Result<ExitCode, Error>;

/// The reason why a command could not do its work, printed by [`main`](super::main()).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Input(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("{}: {why}", report::path(path))]
    File { path: PathBuf, why: String },
}

impl Error {
    pub fn of_file(path: &Path, why: impl Into<String>) -> Self {
        Self::File {
            path: path.to_path_buf(),
            why: why.into(),
        }
    }

    pub fn run_errors(&self) -> Vec<RunError> {
        match self {
            Self::Config(error) => error.run_errors(),
            other => vec![RunError::of_run(other.to_string())],
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", report::path(path))]
pub struct ConfigError {
    /// As messages name it.
    pub path: PathBuf,
    /// Empty where it cannot be read.
    pub text: String,
    pub problems: Vec<Problem>,
    /// The consequence, or why it cannot be read.
    pub message: String,
}

impl ConfigError {
    pub fn run_errors(&self) -> Vec<RunError> {
        let name = report::path(&self.path);
        if self.problems.is_empty() {
            return vec![RunError::with(name, &self.message)];
        }
        let lines = LineIndex::new(self.text.as_bytes());
        let error = |problem: &Problem| RunError {
            path: Some(name.clone()),
            line: Some(lines.line(problem.span.start)),
            message: problem.message.clone(),
        };
        self.problems.iter().map(error).collect()
    }
}
