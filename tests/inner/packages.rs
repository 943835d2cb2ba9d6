//! What is published: one version in all packages and documents, and a crate that holds what it needs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What stands before a version of cachelane in documents, and in the packages that need another one.
const MARKS: &[&str] = &[
    "cachelane@v",
    "cachelane==",
    "--tag v",
    "rev: v",
    "cachelane:v",
    "like `v",
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Returns the pages of `docs`, without those of rules.
fn documents() -> Vec<String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = fs::read_dir(docs).unwrap().map(|entry| entry.unwrap());
    names
        .map(|entry| format!("docs/{}", entry.file_name().to_str().unwrap()))
        .filter(|path| Path::new(path).extension().is_some_and(|end| end == "md"))
        .collect()
}

#[test]
fn every_package_and_document_has_the_version_of_the_crate() {
    for path in ["pyproject.toml", "integrations/rocker/pyproject.toml"] {
        let line = format!("\nversion = \"{VERSION}\"\n");
        assert!(read(path).contains(&line), "{path} needs{line}");
    }
    // These get theirs from Cargo.toml, when they are made.
    assert!(read("packages/python/pyproject.toml").contains("\ndynamic = [\"version\"]\n"));
    assert!(!read("packages/npm/cachelane/package.json").contains("\"version\""));
    let more = [
        "README.md",
        "action.yml",
        "pyproject.toml",
        "integrations/rocker/README.md",
    ];
    let mut seen = 0;
    for path in documents().into_iter().chain(more.map(str::to_owned)) {
        let text = read(&path);
        for mark in MARKS {
            for (at, _) in text.match_indices(mark) {
                let rest = &text[at + mark.len()..];
                let end = rest.find(|ch: char| !ch.is_ascii_digit() && ch != '.');
                let found = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
                if found.starts_with(|ch: char| ch.is_ascii_digit()) {
                    assert_eq!(found, VERSION, "{path}: {mark}{found}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 5, "only {seen} versions in documents");
}

/// `cargo package` takes these and no more: what compiles, what people read, and the licences.
#[test]
fn the_crate_is_clean_and_small() {
    let output = Command::new(env!("CARGO"))
        .args([
            "package",
            "--list",
            "--locked",
            "--offline",
            "--allow-dirty",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap().replace('\\', "/");
    let (mut tops, mut size) = (BTreeSet::new(), 0);
    for path in text.lines() {
        let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
        let top = folder.split('/').next().unwrap();
        let ends = Path::new(path).extension().and_then(|end| end.to_str());
        let fits = match top {
            "src" | "examples" => ends == Some("rs"),
            "docs" => folder == "docs/rules" && ends == Some("md"),
            _ => true,
        };
        assert!(fits, "{path} has nothing to do in the crate");
        tops.insert(top);
        size += fs::metadata(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
            .map_or(0, |metadata| metadata.len());
    }
    // Cargo makes this one in a repository that it knows.
    tops.remove(".cargo_vcs_info.json");
    let expected = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "Cargo.toml.orig",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "docs",
        "examples",
        "src",
    ];
    assert_eq!(tops, BTreeSet::from(expected));
    assert!(size < 3_000_000, "{size} bytes");
}
