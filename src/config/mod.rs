//! The configuration: what `cachelane.toml` says, and what it comes out as for a file.
//!
//! The nearest configuration upward from a file holds for it, alone: nothing is merged. What was typed on the command
//! line ([`Overrides`]) wins over it. Reading takes text and gives settings; finding the file is
//! [`workspace::config`](crate::workspace::config)'s.

mod config_file;
mod globs;
mod keys;
mod model;
mod read;
mod resolve;
mod schema;
mod template;
pub mod values;

pub use config_file::Config;
pub use model::{Origin, Overrides, Problem, Shown};
pub use schema::schema;
pub use template::template;

/// The names that a configuration may have, the one that counts first where both are there.
pub const NAMES: [&str; 2] = ["cachelane.toml", ".cachelane.toml"];
