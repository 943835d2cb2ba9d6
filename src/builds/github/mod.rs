//! Workflows of GitHub Actions, and composite actions.
//!
//! By GitHub's "Workflow syntax" and "Contexts": values of a matrix are only in expressions, not in the environment;
//! the nearest `env` counts; a script runs in the workspace unless `working-directory` says else, in `bash` or `sh`,
//! and on Windows in PowerShell, unless `shell` says else; `./` in `uses` is the repository's root.

mod actions;
mod cache_dance;
mod expression;
mod format;
mod handed;
mod insert;
mod language;
mod matrix;
mod paths;
mod runner;
mod workflow;

pub use language::Github;
