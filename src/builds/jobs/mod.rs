//! The jobs of GitHub Actions, GitLab and Buildkite. Each format only says which jobs and steps a file has, and what it makes
//! of names; all else is here: which scripts build, in which rows of a matrix, who runs them, and how an argument gets in.
//!
//! A command stands once in a file but may be run by several jobs (a template, an anchor) and in several rows of a matrix.
//! [`Gatherer`] gathers them by place: one build for each place and each thing that is built there.

mod gather;
mod insert;
mod matrix;
mod model;
mod scope;
mod script;

pub use gather::{Gatherer, Pipeline, inserter, read};
pub use insert::{in_command, insertion, is_plain_value};
pub use matrix::{MAX_ROWS, axes, product, value, values, varying};
pub use model::{Found, InScript, Job, JobRuns, Matrix, MatrixRow, Step, variables};
pub use scope::{Language, Looked, Scope};
