//! Facts about single modules that no fixture shows.

mod budget;
mod dockerfile;
mod fix;
mod report;
mod rules;
mod suppress;
mod text;
