//! Matches builds with Dockerfiles, and judges them.

mod calls;
mod contenders;
mod graph;
mod insert;
mod judge;
mod known;
mod model;
mod note;
mod own_lanes;
mod passed;
mod plans;
mod platforms;
mod resolve;
mod waits;

pub use insert::insert_args;
pub use judge::match_builds;
pub use known::mark_buildah;
#[cfg(feature = "cli")]
pub use known::{OwnBuilders, dockerfiles};
pub use model::{BuildStatus, FileAccess};
pub use note::note_builds;
