//! Workflows of GitHub Actions, and composite actions.
//!
//! By GitHub's "Workflow syntax" and "Contexts": values of a matrix are only in expressions, not in the environment;
//! the nearest `env` counts; a script runs in the workspace unless `working-directory` says else, in `bash` or `sh`,
//! and on Windows in PowerShell, unless `shell` says else; `./` in `uses` is the repository's root.

mod actions;
mod cache_dance;
mod condition;
mod evaluate;
mod expression;
mod format;
mod functions;
mod handed;
mod insert;
mod known;
mod language;
mod matrix;
mod paths;
mod runner;
mod value;
mod workflow;

pub use known::{Name, computed};
pub use language::Github;
