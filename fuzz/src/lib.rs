//! What the targets do: one function each, which panics where something does not hold.
//!
//! The checks are those of the tests, by their files; `tests/fuzzed.rs` runs the checked-in corpus through the same
//! functions without any fuzzer.

#[path = "../../tests/parity/compare.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod compare;
#[path = "../../tests/invariants/mod.rs"]
mod invariants;
#[path = "../../tests/parity/newer.rs"]
mod newer;
#[path = "../../tests/parity/oracle.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod oracle;
#[path = "../../tests/parity/reading.rs"]
mod reading;
#[path = "../../tests/parity/shrink.rs"]
mod shrink;
mod targets;
mod wires;

pub use targets::{config, fix, ignores, lane, reader};
pub use wires::{bake, compose, github, pipelines};

/// Both readers read `data` alike.
///
/// # Panics
/// Where they do not.
pub fn parity(data: &[u8]) {
    // The package hands texts on as C does, which end there.
    if data.contains(&0) {
        return;
    }
    if let compare::Outcome::Differs(kind, both) = compare::compare(data) {
        panic!("{kind:?}\n{both}");
    }
}
