//! The configuration: the text of `cachelane.toml`, and the settings that it gives a file.
//!
//! The nearest configuration upward from a file applies to it, alone: nothing is merged. Options of the command line
//! ([`Overrides`]) win over it. [`workspace::config`](crate::workspace::config) finds the file.

mod config_file;
mod globs;
mod keys;
mod model;
mod read;
mod resolve;
#[cfg(feature = "cli")]
mod schema;
#[cfg(feature = "cli")]
mod show;
#[cfg(feature = "cli")]
mod template;
pub mod values;

pub use config_file::Config;
pub use model::{Overrides, Problem, Problems};
#[cfg(feature = "cli")]
pub use {
    schema::schema,
    show::{Origin, Shown},
    template::template,
};

/// The names of a configuration's file; the first wins where both are there.
#[cfg(feature = "cli")]
pub const NAMES: [&str; 2] = ["cachelane.toml", ".cachelane.toml"];

/// The file of Python's tools, whose table `[tool.cachelane]` is a configuration, too.
#[cfg(feature = "cli")]
pub const PYPROJECT: &str = "pyproject.toml";
