//! Passing lanes to commands, for `cachelane run`.
//!
//! The words are those of a process: no shell reads them any more.

mod lane;
mod quote;

pub use lane::{LaneArg, LaneCommand, pass};
pub use quote::quoted;
