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

#[cfg(feature = "internals")]
pub use alone::check_alone;
pub use check::{check, is_of_interest};
pub use embedded::check_text;
pub use fixpoint::{REVERTED, fix, hash};
pub use inline::{check_build_file, fix_inline};
pub use model::{Checked, Dropped, FileReport, Fixed, Made, Shared};
pub use relate::relate_reports;
pub use turn::Turn;
#[cfg(feature = "cli")]
pub use {
    add_ignores::add_ignores,
    embedded::may_hold_locks,
    list::{Listed, ListedMount, list, list_inline},
    model::LaneStatus,
    unread::Unread,
};
