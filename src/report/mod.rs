//! Reports for users ([`human`], [`concise`], [`statistics`]) and for programs (all others).
//!
//! They are written to a `String` that the command line prints. The formats for other tools have one shape,
//! `render(&Run) -> String`; [`Format`] is their table.

pub mod builds;
pub mod checkstyle;
pub mod concise;
pub mod fingerprint;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod junit;
pub mod rules;
pub mod safe;
pub mod sarif;
pub mod statistics;
pub mod table;

mod document;
mod format;
mod found;
mod model;
mod xml;

pub use format::Format;
pub use model::{Run, RunError, Summary, path};
