//! Who builds which Dockerfile with which arguments: workflows, pipelines, Compose and bake files.
//!
//! A reader takes the text of one file and gives the builds in it, with their places; it knows no disk and no other file.
//! What cannot be known (a Dockerfile named by a variable) is [`Unknown`], never guessed.

pub mod argv;
pub mod bake;
pub mod buildkite;
pub mod ci;
pub mod command;
pub mod compose;
pub mod github;
pub mod gitlab;
pub mod inline;
mod matrix;
mod model;
pub mod passing;
mod pipelines;
mod registry;
pub mod shell;
pub mod yaml;

pub use model::{
    ANY_LANE, Arg, Build, BuildFile, BuildTool, Call, Escapes, Files, Inline, Kind, Lane,
    NO_VARIABLE, Piece, Place, ReadError, Runs, Service, Subject, Unknown,
};
pub use passing::{Opened, Passed, Passer, Passing, long_texts, pass, prove, prove_comments};
pub use registry::{kind, read};
