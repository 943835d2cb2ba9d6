//! What fuzzing starts from: the files of the fixtures, each as an input of every target that reads such a file.

use std::path::{Path, PathBuf};

use crate::pages;

/// A job of GitHub's, and a command that builds.
const LANE: &[u8] = b"\n\n\ntrue\nci\ntest\n\n\n\ndocker\nbuild\n.";

/// Returns the inputs, each with the name of its target.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds = vec![("lane", LANE.to_vec())];
    for (path, bytes) in files() {
        seeds.extend(inputs(&path, &bytes));
    }
    seeds
}

fn inputs(path: &Path, bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = |target| vec![(target, bytes.to_vec())];
    let behind = |start: &[u8]| [start, bytes].concat();
    match &*name {
        name if name.ends_with("Dockerfile") => vec![
            ("reader", bytes.to_vec()),
            ("parity", bytes.to_vec()),
            ("fix", behind(&[0, 0])),
            ("ignores", bytes.to_vec()),
        ],
        "cachelane.toml" => plain("config"),
        ".gitlab-ci.yml" => vec![("pipelines", behind(&[0]))],
        name if name.contains("compose") => plain("compose"),
        name if name.contains("bake") => plain("bake"),
        _ if path.iter().any(|part| part == ".github") => plain("github"),
        _ => Vec::new(),
    }
}

/// Returns every file of the fixtures, by its path in its case.
fn files() -> Vec<(PathBuf, Vec<u8>)> {
    let cases = ["rules", "builds"].into_iter().flat_map(pages::cases);
    let files = cases.flat_map(|case| case.files);
    files
        .map(|file| (PathBuf::from(&file.path), file.bytes()))
        .collect()
}
