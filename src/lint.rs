//! The processing of a file: bytes, a [`Dockerfile`](crate::dockerfile::Dockerfile), findings, and, for fixes, new bytes
//! that are proved before they may be written.
//!
//! The command line, the tests and other programs all start here.

mod add_ignores;
mod apply;
mod check;
mod fixpoint;
mod inline;
mod list;
mod loose;
pub mod matching;
mod model;
mod prove;
mod relate;
mod settle;

pub use add_ignores::add_ignores;
pub use check::{check, check_alone, has_mount, is_of_interest};
pub use fixpoint::fix;
pub use inline::{check_build_file, fix_inline};
pub use list::{Listed, ListedMount, list};
pub use loose::{check_text, may_hold_locks};
pub use model::{BuildFileReport, Checked, Dropped, FileReport, Fixed, Made, MissingArg};
pub use relate::{Compared, relate, relate_reports};
