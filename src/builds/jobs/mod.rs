//! The jobs of GitHub Actions, GitLab and Buildkite. Each format only gives its jobs, steps and names; this folder
//! finds the scripts that build, their matrix rows and jobs, and the place for an argument.
//!
//! A command stands once in a file but may be run by several jobs (a template, an anchor) and in several rows of a
//! matrix. [`Gatherer`] makes one build for each place and each subject there.

mod command;
mod folders;
mod gather;
mod insert;
mod legs;
mod matrix;
mod model;
mod pipeline;
mod scope;
mod script;

pub use folders::{OWN_FOLDER, paths_from};
pub use gather::{Gatherer, by_inputs};
pub use insert::{from_environment, in_command, insertion, is_plain_value};
pub use legs::of_job;
pub use matrix::{MAX_ROWS, axes, product, value, values, varying};
pub use model::{FoundBuild, InScript, Job, JobRuns, Matrix, MatrixRow, Source, Step, variables};
pub use pipeline::Pipeline;
pub use scope::{Language, Looked, StepScope};
pub use script::Piece;
