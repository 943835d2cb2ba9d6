//! The jobs of GitHub Actions, GitLab and Buildkite: each format lowers its files to them, and all else is here: which
//! scripts build, in which rows of a matrix, who runs them, and how an argument gets into a command.
//!
//! A command stands once in a file but may be run by several jobs (a template, an anchor) and in several rows of a matrix.
//! [`Gatherer`] gathers them by place: one build for each place and each thing that is built there.

mod gather;
mod insert;
mod matrix;
mod model;
mod scope;
mod script;

pub(super) use gather::Gatherer;
pub(super) use insert::{in_command, inserter, insertion, is_plain_value};
pub(super) use matrix::{MAX_ROWS, product, value, varying};
pub(super) use model::{
    Found, InScript, Job, JobRuns, Language, Matrix, MatrixRow, Step, unlike, variables,
};
pub(super) use scope::{Looked, Scope};
