//! Declaring an argument: where its `ARG` line stands.
//!
//! The line belongs as late as it can stand, since an ARG in scope is part of the layer key of every later RUN of its
//! stage: right before the first RUN that refers to it, above that RUN's own comments, and never where a template's
//! block would hide it from another RUN that needs it.

mod lines;
mod names;
mod planned;
mod refused;
mod spots;

pub(super) use lines::{has_variable, own_default, whole_line};
pub(super) use names::{count_word, mentions};
pub(super) use spots::spots;
