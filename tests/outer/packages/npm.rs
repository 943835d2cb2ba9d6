//! The packages of npm: one that starts the program, and one with the program.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{ROOT, assert_checks, bad};
use crate::precommit::tools;

const HELP: &str = "Install Node.js and npm (Debian: nodejs and npm).";

/// Returns the machine's target for npm, whose program is one that needs no library. This one will do here.
const TARGET: &str = if cfg!(target_arch = "aarch64") {
    "aarch64-unknown-linux-musl"
} else {
    "x86_64-unknown-linux-musl"
};

/// Returns the files of the packages: the launcher, and the program's.
fn packed(folder: &Path, program: &Path) -> [PathBuf; 2] {
    let output = tools::run(
        Command::new("node")
            .arg(Path::new(ROOT).join("packages/npm/pack.js"))
            .arg(folder)
            .arg(format!("{TARGET}={}", program.display())),
        HELP,
    );
    let names = String::from_utf8(output).unwrap();
    let names: Vec<&str> = names.lines().collect();
    let [program, launcher] = names[..] else {
        panic!("{names:?}")
    };
    [folder.join(launcher), folder.join(program)]
}

/// Installs these files in `folder`, with no registry to ask.
fn install(folder: &Path, files: &[PathBuf]) {
    fs::write(folder.join("package.json"), "{\"private\": true}\n").unwrap();
    let npm = ["install", "--offline", "--no-audit", "--no-fund", "--cache"];
    tools::run(
        Command::new("npm")
            .args(npm)
            .arg(folder.join("cache"))
            .args(files)
            .current_dir(folder),
        HELP,
    );
}

#[test]
fn npm_installs_the_program_and_npx_runs_it() {
    let folder = bad("npm");
    let files = packed(
        &folder.join("packed"),
        Path::new(env!("CARGO_BIN_EXE_cachelane")),
    );
    install(&folder, &files);
    assert_checks(
        Command::new("npx")
            .args(["--offline", "cachelane"])
            .current_dir(&folder),
    );
    let version = tools::run(
        Command::new(folder.join("node_modules/.bin/cachelane")).arg("--version"),
        "",
    );
    let expected = concat!("cachelane ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(String::from_utf8_lossy(&version), expected);
}

#[test]
fn a_missing_program_is_named() {
    let folder = bad("npm-alone");
    let [launcher, _] = packed(
        &folder.join("packed"),
        Path::new(env!("CARGO_BIN_EXE_cachelane")),
    );
    install(&folder, &[launcher]);
    let output = Command::new(folder.join("node_modules/.bin/cachelane"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("the package @cachelane/linux-") && text.contains("npm install @cachelane/"),
        "{text}"
    );
}

/// A job that is cancelled ends the program too, and whoever waits for the launcher sees how it ended.
#[test]
fn signals_and_exit_codes_pass_through() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::ExitStatusExt as _;

    let folder = bad("npm-signals");
    let script = folder.join("script");
    let text = "#!/bin/sh\n[ \"$1\" != code ] || exit 7\n\
                trap 'echo ended; trap - TERM; kill -TERM $$' TERM\necho started\nwhile :; do sleep 0.1; done\n";
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    install(&folder, &packed(&folder.join("packed"), &script));
    let program = folder.join("node_modules/.bin/cachelane");
    let status = Command::new(&program).arg("code").status().unwrap();
    assert_eq!(status.code(), Some(7));

    let mut running = Command::new(&program)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = running.stdout.take().unwrap();
    let mut started = [0; "started\n".len()];
    output.read_exact(&mut started).unwrap();
    let pid = running.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "ended\n");
    assert_eq!(running.wait().unwrap().signal(), Some(15));
}
