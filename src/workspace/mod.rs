//! The files of a run: which there are, and how they are read and written.

#[cfg(unix)]
mod attributes;
pub mod config;
pub mod discover;
pub mod file;
mod temporary;
