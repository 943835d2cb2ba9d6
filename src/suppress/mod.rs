//! Suppressions: comments that silence rules.
//!
//! `# cachelane: ignore[shared-lock, lock-order] reason` covers the instruction below or around it, and
//! `# cachelane: ignore-file[shared-lock] reason` the whole file. The list is required, so that nothing is hidden unnamed.

#[cfg(feature = "cli")]
mod change;
mod model;
mod outline;
mod read;
mod table;

#[cfg(feature = "cli")]
pub use change::{add, comment};
pub use model::{Covers, Fault, Ignore, remove};
pub use outline::read_outline;
pub use read::{is_marked, read};
pub use table::Table;
