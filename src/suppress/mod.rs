//! Suppressions: comments that tell cachelane to be silent about something.
//!
//! `# cachelane: ignore[shared-lock, lock-order] reason` speaks for the instruction below it, or for the one that it stands
//! in; `# cachelane: ignore-file[shared-lock] reason` for the whole file. A list of rules is asked for: what nobody named
//! is never hidden.

mod change;
mod model;
mod outline;
mod read;
mod table;

pub use change::{add, comment, remove};
pub use model::{Covers, Fault, Ignore};
pub use outline::read_outline;
pub use read::{is_marked, read};
pub use table::Table;
