//! The files of a run: which there are, and how they are read and written.

mod attributes;
pub mod config;
pub mod discover;
pub mod file;
mod temporary;
