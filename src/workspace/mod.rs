//! The files of a run: which there are, how they are read and written, and what their locks have in common.

pub mod discover;
pub mod file;
pub mod index;
