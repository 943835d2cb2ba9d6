//! The extension for rocker, by its own check: linters, types and tests, with rocker from `PyPI`.

use std::process::Command;

#[test]
fn the_extension_passes_its_check() {
    let check = concat!(env!("CARGO_MANIFEST_DIR"), "/integrations/rocker/check");
    let output = Command::new(check)
        .env("CACHELANE", env!("CARGO_BIN_EXE_cachelane"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{check} needs python3 with venv, and PyPI:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
