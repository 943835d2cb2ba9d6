//! What the targets do: one function each, which panics where something does not hold.
//!
//! The checks are those of the tests, by their files; `tests/inner/fuzzed.rs` runs what fuzzing starts from through the same
//! functions without any fuzzer.

#[path = "../../tests/outer/parity/compare.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod compare;
mod formats;
#[path = "../../tests/common/invariants/mod.rs"]
mod invariants;
#[path = "../../tests/outer/parity/newer.rs"]
mod newer;
#[path = "../../tests/outer/parity/oracle.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod oracle;
#[path = "../../tests/common/pages.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod pages;
mod pass;
#[path = "../../tests/outer/parity/reading.rs"]
mod reading;
pub mod seeds;
#[path = "../../tests/common/shrink.rs"]
mod shrink;
mod targets;
mod trees;

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// The targets by their names.
pub const TARGETS: &[(&str, Target)] = &[
    ("reader", targets::reader),
    ("parity", parity),
    ("fix", targets::fix),
    ("config", targets::config),
    ("ignores", targets::ignores),
    ("lane", targets::lane),
    ("github", formats::github),
    ("pipelines", formats::pipelines),
    ("compose", formats::compose),
    ("bake", formats::bake),
];

/// Both readers read `data` alike.
///
/// # Panics
/// Where they do not.
fn parity(data: &[u8]) {
    // The package hands texts on as C does, which end there.
    if data.contains(&0) {
        return;
    }
    if let compare::Outcome::Differs(kind, both) = compare::compare(data) {
        panic!("{kind:?}\n{both}");
    }
}
