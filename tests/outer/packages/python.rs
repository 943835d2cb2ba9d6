//! The wheel.

use std::process::Command;

use super::{assert_checks, bad, find_links, wheel};
use crate::precommit::tools;

#[test]
fn pip_installs_the_program() {
    let folder = bad("pip");
    let venv = folder.join("venv");
    tools::run(Command::new("python3").args(["-m", "venv"]).arg(&venv), "");
    let pip = ["-m", "pip", "install", "--quiet", "--no-index"];
    tools::run(
        Command::new(venv.join("bin/python")).args(pip).arg(wheel()),
        "",
    );
    let program = venv.join("bin/cachelane");
    assert_checks(Command::new(&program).current_dir(&folder));
    let version = tools::run(Command::new(program).arg("--version"), "");
    let expected = concat!("cachelane ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(String::from_utf8_lossy(&version), expected);
}

#[test]
fn uvx_and_pipx_run_it() {
    let folder = bad("uvx");
    let mut uvx = tools::program("uvx");
    assert_checks(
        uvx.arg("cachelane")
            .current_dir(&folder)
            .env("UV_FIND_LINKS", wheel().parent().unwrap())
            .env("UV_CACHE_DIR", folder.join("uv")),
    );
    let mut pipx = tools::program("pipx");
    assert_checks(
        pipx.args(["run", concat!("cachelane==", env!("CARGO_PKG_VERSION"))])
            .current_dir(&folder)
            .env("PIP_FIND_LINKS", find_links())
            .env("UV_FIND_LINKS", wheel().parent().unwrap())
            .env("PIPX_HOME", folder.join("pipx"))
            .env("UV_CACHE_DIR", folder.join("uv")),
    );
}
