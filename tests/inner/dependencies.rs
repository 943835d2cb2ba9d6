//! Every dependency has a reason in `docs/dependencies.md`. Only where the page's numbers are from: other systems fetch other
//! crates.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Returns the dependencies that `docs/dependencies.md` gives a reason for, by the rows of its table, and how many crates it
/// says there are in all, and without the command line.
fn listed() -> (BTreeSet<String>, [usize; 2]) {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dependencies.md"))
            .unwrap();
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with("Crates"))
        .unwrap();
    let rows = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .skip(1);
    let names = rows.flat_map(|(names, _)| {
        names.split(|ch: char| !ch.is_ascii_alphanumeric() && !"-_".contains(ch))
    });
    let names = names
        .filter(|name| !name.is_empty() && *name != "with")
        .map(str::to_owned)
        .collect();
    let counts = [" crates in all", " without the command line"].map(|behind| {
        let before = section.split_once(behind).unwrap().0;
        let count = before.rsplit(char::is_whitespace).next().unwrap();
        count.parse().unwrap()
    });
    (names, counts)
}

#[test]
fn every_dependency_has_its_reason() {
    let tree = |depth: &str, options: &[&str]| -> BTreeSet<String> {
        let output = Command::new(env!("CARGO"))
            .args([
                "tree",
                "--locked",
                "--offline",
                "--edges",
                "normal",
                "--prefix",
                "none",
                "--depth",
                depth,
            ])
            .args(["--target", "x86_64-unknown-linux-gnu"])
            .args(options)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        // A package may stand several times; the crate itself is no dependency of its own.
        let lines = text.lines().filter(|line| !line.starts_with("cachelane "));
        lines
            .map(|line| line.trim_end_matches(" (*)").to_owned())
            .collect()
    };
    let name = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    let (reasons, counts) = listed();
    assert_eq!(reasons, tree("1", &[]).iter().map(name).collect());
    assert_eq!(
        counts,
        [&[][..], &["--no-default-features"]].map(|options| tree("100", options).len()),
        "the numbers of crates in docs/dependencies.md"
    );
}
