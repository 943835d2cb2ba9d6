//! Readers of the files that build Dockerfiles: workflows, pipelines, Compose and bake files.
//!
//! A reader takes the text of one file and returns its builds with their places; it knows no disk and no other file.
//! What cannot be known (a Dockerfile named by a variable) is [`Unknown`], never guessed.

pub mod argv;
mod bake;
mod buildkite;
pub mod ci;
pub mod command;
pub mod compose;
mod format;
mod github;
mod gitlab;
pub mod inline;
mod jobs;
mod lines;
mod model;
pub mod paths;
mod prove;
mod registry;
pub mod shell;
pub mod yaml;

pub use bake::Bake;
pub use buildkite::Buildkite;
pub use compose::Compose;
pub use format::{Format, Inserter, Insertion, Open};
pub use github::Github;
pub use gitlab::Gitlab;
pub use model::{
    ANY_LANE, Arg, Build, BuildFile, BuildTool, Call, Env, Escapes, Files, Inline, Lane, NAMESPACE,
    Ordered, Place, ReadError, Runs, Service, Subject, Unknown, ValueSource,
};
pub use prove::{PassedArg, is_same, prove, prove_comments};
pub use registry::{FormatRef, format, named_format};
