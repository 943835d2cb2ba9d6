//! Fuzzes the target that the environment variable `CACHELANE_TARGET` names.

#![no_main]

use std::sync::OnceLock;

use cachelane_fuzz::{TARGETS, Target};

static TARGET: OnceLock<Target> = OnceLock::new();

/// The target by its name, tried once: the official parser's environment takes longer to make than any input may.
fn chosen() -> Target {
    let name = std::env::var("CACHELANE_TARGET").unwrap_or_default();
    let known = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = known.unwrap_or_else(|| panic!("CACHELANE_TARGET names no target, but {name:?}"));
    target(b"FROM a");
    *target
}

libfuzzer_sys::fuzz_target!(
    init: {
        TARGET.get_or_init(chosen);
    },
    |data: &[u8]| TARGET.get_or_init(chosen)(data)
);
