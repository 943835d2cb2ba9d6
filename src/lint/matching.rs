//! Matches builds with Dockerfiles, and judges them.

mod concurrent;
mod graph;
mod insert;
mod judge;
mod model;
mod resolve;

pub use insert::insert_args;
pub use judge::{dockerfiles, match_builds};
pub use model::{BuildStatus, Builds, FileAccess, LaneStatus};
