//! pre-commit, and what makes and installs packages, in a virtual environment of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The packages, pinned.
const PACKAGES: &[&str] = &[
    "pre-commit==4.7.0",
    "maturin==1.16.0",
    "uv==0.13.9",
    "pipx==1.18.4",
];

/// The folder for what these tests keep from one run to the next.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("precommit")
}

/// The environment's program that is called `name`.
pub fn program(name: &str) -> Command {
    Command::new(environment().join("bin").join(name))
}

/// The folder of the virtual environment, made on first use; every other thread waits.
fn environment() -> &'static Path {
    static ENVIRONMENT: OnceLock<PathBuf> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let folder = folder().join("venv");
        // Written last, so that an environment that was not finished is made anew.
        let (marker, wanted) = (folder.join("complete"), PACKAGES.join("\n"));
        if !fs::read_to_string(&marker).is_ok_and(|there| there == wanted) {
            run(
                Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder),
                "Install Python 3.10 or newer with its `venv` and `pip` modules (Debian: python3 and python3-venv).",
            );
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
            run(Command::new(folder.join("bin/python")).args(pip).args(PACKAGES), "pip has to reach a package index.");
            fs::write(&marker, wanted).unwrap();
        }
        folder
    })
}

/// Runs `command`; where it cannot start or fails, so does the test, with what the command said and with `help`.
pub fn run(command: &mut Command, help: &str) -> Vec<u8> {
    let output = command.output();
    let failed = match output {
        Ok(output) if output.status.success() => return output.stdout,
        Ok(output) => {
            String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
        }
        Err(error) => error.to_string(),
    };
    panic!(
        "The tests of hooks and packages need this, and it failed: {command:?}\n{failed}\n{help}"
    );
}
