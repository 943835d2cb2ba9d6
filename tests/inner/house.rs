//! The imports that `docs/architecture.md` allows, checked by reading the `use crate::` lines, and the length of files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cachelane::finding::RuleId;

const WALLS: &[(&str, &[&str])] = &[
    ("budget", &[]),
    ("text", &[]),
    ("fix", &["text"]),
    ("dockerfile", &["budget", "text"]),
    ("finding", &["fix", "text"]),
    ("index", &["dockerfile", "finding", "text"]),
    ("init", &["builds", "fix", "text"]),
    (
        "suppress",
        &["budget", "dockerfile", "finding", "fix", "text"],
    ),
    (
        "rules",
        &[
            "budget",
            "dockerfile",
            "finding",
            "fix",
            "index",
            "suppress",
            "text",
            "builds",
        ],
    ),
    ("builds", &["budget", "fix", "text"]),
    ("workspace", &["text"]),
    (
        "lint",
        &[
            "budget",
            "dockerfile",
            "finding",
            "fix",
            "index",
            "rules",
            "suppress",
            "text",
            "builds",
        ],
    ),
    ("report", &["finding", "fix", "lint", "text"]),
    ("config", &["budget", "finding", "rules", "text"]),
    (
        "project",
        &[
            "budget",
            "builds",
            "config",
            "dockerfile",
            "finding",
            "fix",
            "lint",
            "rules",
            "text",
        ],
    ),
    (
        "cli",
        &[
            "budget",
            "config",
            "dockerfile",
            "finding",
            "init",
            "fix",
            "lint",
            "project",
            "report",
            "rules",
            "text",
            "builds",
            "workspace",
        ],
    ),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn files() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            (
                path.strip_prefix(&root).unwrap().to_path_buf(),
                fs::read_to_string(path).unwrap(),
            )
        })
        .collect()
}

/// Returns the names behind every `crate::` in `text`, without tests and comments.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let parts = lines.flat_map(|line| {
        line.split("crate::")
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    parts
        .map(|rest| {
            rest.chars()
                .take_while(|ch| ch.is_alphanumeric() || *ch == '_')
                .collect()
        })
        .collect()
}

#[test]
fn walls_stand() {
    for (path, text) in files() {
        let part = path
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .replace(".rs", "");
        if part == "lib" || part == "main" {
            continue;
        }
        let wall = WALLS.iter().find(|(name, _)| *name == part);
        let (_, allowed) =
            wall.unwrap_or_else(|| panic!("{part} has no line in WALLS: say what it may import"));
        for import in imports(&text).into_iter().filter(|import| *import != part) {
            assert!(
                allowed.contains(&import.as_str()),
                "{} imports {import}, which {part} may not",
                path.display()
            );
        }
    }
}

#[test]
fn rules_do_not_know_each_other() {
    let names = RuleId::ALL.iter();
    let names: Vec<String> = names.map(|rule| rule.as_str().replace('-', "_")).collect();
    let rules = files()
        .into_iter()
        .filter(|(path, _)| path.starts_with("rules") && !path.ends_with("registry.rs"));
    for (path, text) in rules {
        for name in &names {
            assert!(
                !text.contains(&format!("super::{name}")),
                "{} imports the rule {name}",
                path.display()
            );
        }
    }
}

#[test]
fn only_the_command_line_touches_the_world() {
    for (path, text) in files()
        .into_iter()
        .filter(|(path, _)| !path.starts_with("cli"))
    {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for word in ["println!", "eprintln!", "std::env", "process::exit"] {
            assert!(!code.contains(word), "{} uses {word}", path.display());
        }
        let disk = path.starts_with("workspace");
        assert!(
            disk || !code.contains("std::fs"),
            "{} touches the disk",
            path.display()
        );
    }
}

#[test]
fn files_are_short() {
    for (path, text) in files() {
        let lines = text.lines().count();
        assert!(
            lines <= 500,
            "{} has {lines} lines: split it",
            path.display()
        );
    }
}
