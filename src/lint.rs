//! The processing of a file: bytes, a [`Dockerfile`](crate::dockerfile::Dockerfile), findings, and, for fixes, new bytes
//! that are proved before they may be written.
//!
//! The command line, the tests and other programs all start here.

#[cfg(feature = "cli")]
mod add_ignores;
mod agree;
mod agreeing;
mod alone;
mod along;
mod apply;
mod check;
mod embedded;
mod fills;
mod finalize;
mod fixpoint;
mod generated;
mod inline;
#[cfg(feature = "cli")]
mod list;
pub mod matching;
mod model;
mod partition;
mod prove;
mod relate;
mod turn;
mod unread;

pub use check::is_of_interest;
pub use embedded::check_text;
pub use fixpoint::{fix, fix_together, hash};
pub use inline::{check_again, check_build_file, check_file};
pub use model::{Dropped, FileReport, Fixed, Made};
pub use relate::relate_reports;
#[cfg(feature = "cli")]
pub use {
    add_ignores::add_ignores,
    embedded::may_hold_locks,
    list::{Listed, ListedMount, list, list_inline},
    model::{KnownBuild, LaneStatus, MissingImages},
    unread::{Unread, find as find_unread},
};
#[cfg(feature = "internals")]
pub use {alone::check_alone, check::check};
