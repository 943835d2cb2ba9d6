//! Runs the command in a folder.

use std::path::Path;
use std::process::Command;

/// Returns exit code, standard output, standard error.
pub fn cachelane(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
    let output = command
        .args(args)
        .current_dir(folder)
        .env_remove("GITHUB_ACTIONS")
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}
