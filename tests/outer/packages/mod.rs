//! The packages of other registries, made of the working tree and installed as people do, without a registry that has them.

mod npm;
mod python;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::precommit::tools;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Builds of it wait for each other.
const BAD: &str = "FROM debian:12\n\
    RUN --mount=type=cache,id=apt-cache,target=/var/cache/apt,sharing=locked apt-get update\n";

/// Returns the wheel for this machine, which is made once, with the profile of the tests.
fn wheel() -> &'static Path {
    static WHEEL: OnceLock<PathBuf> = OnceLock::new();
    WHEEL.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheels");
        empty(&folder);
        let profile = if cfg!(debug_assertions) {
            "dev"
        } else {
            "release"
        };
        tools::run(
            tools::program("maturin")
                .args(["build", "--quiet", "--profile", profile, "--out"])
                .arg(&folder)
                .current_dir(Path::new(ROOT).join("packages/python"))
                .env(
                    "CARGO_TARGET_DIR",
                    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap(),
                ),
            "",
        );
        let mut made = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        made.next().expect("maturin made no wheel")
    })
}

/// Returns where pip looks for wheels beside its index: in the wheel's folder, and where it does on this machine.
pub fn find_links() -> OsString {
    let mut folders = wheel().parent().unwrap().as_os_str().to_owned();
    if let Some(others) = std::env::var_os("PIP_FIND_LINKS") {
        folders.push(" ");
        folders.push(others);
    }
    folders
}

fn empty(folder: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    fs::create_dir_all(folder).unwrap();
}

/// Returns an empty folder of this name with a Dockerfile that fails the gate.
fn bad(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("packages")
        .join(name);
    empty(&folder);
    fs::write(folder.join("Dockerfile"), BAD).unwrap();
    folder
}

/// Fails unless `command`, which ends with cachelane's name, finds what is wrong in the folder that it runs in.
fn assert_checks(command: &mut Command) {
    let output = command.args(["check", "--color", "never"]).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{command:?}\n{text}{said}");
    assert!(
        text.contains("shared-lock") && text.contains("id=apt-cache-${CACHE_ID}"),
        "{command:?}\n{text}{said}"
    );
}
