//! The files of a run: finding, reading and writing them.

#[cfg(unix)]
mod attributes;
pub mod config;
pub mod discover;
pub mod file;
pub mod git;
mod temporary;
pub mod tree;
