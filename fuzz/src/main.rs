//! Fuzzes the target that the environment variable `CACHELANE_TARGET` names; with `CACHELANE_SEEDS`, writes what all of them
//! start from below the folder that it names.

#![no_main]

use std::path::Path;
use std::sync::OnceLock;
use std::{fs, process};

use cachelane_fuzz::{TARGETS, Target, seeds};

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

fn write_seeds(below: &Path) {
    for (number, (target, input)) in seeds::seeds().into_iter().enumerate() {
        let folder = below.join(target);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{number:05}")), input).unwrap();
    }
}

libfuzzer_sys::fuzz_target!(
    init: {
        if let Some(below) = std::env::var_os("CACHELANE_SEEDS") {
            write_seeds(Path::new(&below));
            process::exit(0);
        }
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
