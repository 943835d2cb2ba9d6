//! How a command gets its lane, as `cachelane run` gives it one.
//!
//! The words are those of a process: no shell reads them any more.

mod lane;
mod quote;

pub use lane::{Ask, Passed, pass};
pub use quote::quoted;
