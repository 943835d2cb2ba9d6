//! Declares an argument by an `ARG` line.
//!
//! The line stands as late as possible, since an ARG in scope is part of the layer key of every later RUN of its stage:
//! directly before the first RUN that refers to it, above that RUN's comments, and never where a template block would
//! hide it from another RUN.

mod defaults;
mod lines;
mod names;
mod planned;
mod spots;

pub(super) use defaults::Defaulting;
pub(super) use lines::{has_variable, whole_line};
pub(super) use names::{count_word, mentions};
pub(super) use spots::{Spot, spots};
