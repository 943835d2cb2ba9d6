//! Commands that build images: tool, Dockerfile and arguments.
//!
//! [`read`](mod@read) takes the words of one simple command, from a script or from an `argv` ([`words`]); [`subject`](mod@subject) returns
//! what the command builds, where that can be known.

mod builders;
mod model;
mod named;
mod options;
mod platforms;
mod read;
mod scripts;
mod subject;
mod tables;

pub use model::{
    BuildArg, Command, FoundCommand, InsertMethod, MATRIX_LANE, OWN_LANE, ROCKER_ARG,
    ROCKER_VARIABLES,
};
pub use platforms::{platform_texts, platforms};
#[cfg(feature = "cli")]
pub use read::words;
pub use read::{all, may_build, names_builder, names_script, read};
pub use scripts::given;
pub use subject::subject;
pub use tables::{Prefix, Wrapped, before_program, program_name};
