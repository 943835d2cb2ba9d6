//! Fuzzes the target that the environment variable `CACHELANE_TARGET` names.

#![no_main]

use std::sync::OnceLock;

use cachelane_fuzz::{TARGETS, Target};

static TARGET: OnceLock<Target> = OnceLock::new();

/// The target by its name, tried once: the official parser's environment takes longer to make than any input may.
fn chosen() -> Target {
    let name = std::env::var("CACHELANE_TARGET").unwrap_or_default();
    let known = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) =
        known.unwrap_or_else(|| panic!("CACHELANE_TARGET names no target, but {name:?}"));
    target(b"FROM a");
    *target
}

libfuzzer_sys::fuzz_target!(
    init: {
        TARGET.get_or_init(chosen);
    },
    |data: &[u8]| TARGET.get_or_init(chosen)(data)
);

/// What std asks the kernel for when it hashes: always the same, so that equal inputs cover equal code, and a round with a
/// seed goes the same way each time.
///
/// # Safety
/// As getrandom(2): `buffer` holds `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut u8, len: usize, _flags: u32) -> isize {
    // SAFETY: the caller's.
    unsafe { buffer.write_bytes(7, len) };
    len.cast_signed()
}
