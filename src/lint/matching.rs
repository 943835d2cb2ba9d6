//! Matches builds with Dockerfiles, and judges them.

mod by_callers;
mod callers;
mod calls;
mod clearing;
mod contenders;
mod exclusive;
mod fills;
mod graph;
mod handed;
mod insert;
mod joined;
mod judge;
mod known;
mod machines;
#[cfg(feature = "cli")]
mod map;
mod members;
mod model;
mod named;
mod names;
mod note;
mod outdated;
#[cfg(feature = "cli")]
mod own_builders;
mod own_lanes;
mod pair;
mod passed;
mod plans;
mod platforms;
mod resolve;
mod resolved;
mod scripts;
mod waits;

pub use fills::rename_fills;
pub use insert::insert_args;
pub use joined::join_files;
pub use judge::match_builds;
#[cfg(feature = "cli")]
pub use known::dockerfiles;
#[cfg(feature = "cli")]
pub use map::{Follows, LockMap, MappedBuild, MappedLock, MappedRun, TakingRun, Within, map_locks};
pub use model::{BuildStatus, FileAccess};
pub use note::note_builds;
#[cfg(feature = "cli")]
pub use own_builders::OwnBuilders;
