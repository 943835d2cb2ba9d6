//! The container of a release: its Dockerfile, with the program that needs no library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::Outcome;
use crate::engine::Engine;

use super::Record;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The only file of the repository that is checked.
const FILE: &str = "FROM debian\nRUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked apt-get update\n";

pub fn image(engine: &Engine, record: &mut Record) -> Outcome {
    let program = program().as_ref().map_err(Clone::clone)?;
    let put = |folder: &str, files: &[(&str, &Path)]| -> std::io::Result<()> {
        for (to, from) in files {
            let to = engine.state().join(folder).join(to);
            fs::create_dir_all(to.parent().unwrap_or(&to))?;
            fs::copy(from, to)?;
        }
        Ok(())
    };
    let dockerfile = Path::new(ROOT).join("packages/container/Dockerfile");
    let architecture = if cfg!(target_arch = "aarch64") {
        "arm64/cachelane"
    } else {
        "amd64/cachelane"
    };
    put(
        "container",
        &[("Dockerfile", &dockerfile), (architecture, program)],
    )
    .and_then(|()| fs::create_dir_all(engine.state().join("repository")))
    .and_then(|()| fs::write(engine.state().join("repository/Dockerfile"), FILE))
    .map_err(|error| format!("the files for the container: {error}"))?;
    engine.ask(&["build", "--tag=cachelane", "/srv/container"])?;
    let run = |arguments: &[&str]| {
        let docker = [
            "run",
            "--rm",
            "--network=none",
            "--volume=/srv/repository:/repo",
            "cachelane",
        ];
        engine.ask(&[&docker[..], arguments].concat())
    };
    let version = run(&["--version"])?;
    let expected = concat!("cachelane ", env!("CARGO_PKG_VERSION"));
    record.equal("`--version` prints", version.trim(), expected)?;
    let found = run(&["check", "--format", "concise", "--exit-zero"])?;
    let rule = found.lines().find(|line| line.contains("shared-lock"));
    let place = rule.and_then(|line| line.split(": ").next());
    record.equal(
        "`check` finds `shared-lock` at",
        place.unwrap_or_default(),
        "Dockerfile:2:27",
    )?;
    run(&["fix"])?;
    let fixed = fs::read_to_string(engine.state().join("repository/Dockerfile"));
    let fixed = fixed.map_err(|error| error.to_string())?;
    let id = fixed.split([',', ' ']).find(|word| word.starts_with("id="));
    record.equal("`fix` writes", id.unwrap_or_default(), "id=apt-${CACHE_ID}")
}

/// Returns the program for musl, built once, and not while others measure times: `main` asks for it first.
pub fn program() -> &'static Outcome<PathBuf> {
    static PROGRAM: OnceLock<Outcome<PathBuf>> = OnceLock::new();
    PROGRAM.get_or_init(build)
}

fn build() -> Outcome<PathBuf> {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = temporary.parent().unwrap_or(temporary);
    let triple = if cfg!(target_arch = "aarch64") {
        "aarch64-unknown-linux-musl"
    } else {
        "x86_64-unknown-linux-musl"
    };
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--target", triple])
        .current_dir(ROOT)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("rustup target add {triple}\n{why}"));
    }
    Ok(target.join(triple).join("debug/cachelane"))
}
