//! The imports that `docs/architecture.md` allows, checked by reading every path, and the length of files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cachelane::finding::RuleId;

use crate::circles::{Module, imports};

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

#[test]
fn walls_stand() {
    for (module, imported) in imports() {
        let Some(part) = module.first() else { continue };
        let wall = WALLS.iter().find(|(name, _)| name == part);
        let (_, allowed) =
            wall.unwrap_or_else(|| panic!("{part} has no line in WALLS: say what it may import"));
        // What the crate's root has is public.
        let imported: BTreeSet<&String> = imported.iter().filter_map(|to| to.first()).collect();
        for import in imported.into_iter().filter(|import| *import != part) {
            let file = module.join("/");
            assert!(
                allowed.contains(&import.as_str()),
                "{file} imports {import}, which {part} may not"
            );
        }
    }
}

#[test]
fn rules_do_not_know_each_other() {
    let names = RuleId::ALL.iter();
    let rules: Vec<Module> = names
        .map(|rule| vec!["rules".to_owned(), rule.as_str().replace('-', "_")])
        .collect();
    for (module, imported) in imports() {
        let file = module.join("/");
        if !module.starts_with(&["rules".into()]) || file == "rules/registry" || file == "rules" {
            continue;
        }
        let known = imported.iter().find(|to| rules.contains(to));
        assert!(known.is_none(), "{file} imports the rule {known:?}");
    }
}

#[test]
fn only_the_command_line_touches_the_world() {
    for (path, text) in files()
        .into_iter()
        .filter(|(path, _)| !path.starts_with("cli"))
    {
        let code = text.split("#[cfg(test)]").next().unwrap();
        let disk = path.starts_with("workspace");
        for word in ["println!", "eprintln!", "std::env", "process::exit"] {
            // (Where a repository's root is looked for, a variable of git's says.)
            let is_used = code.contains(word) && !(disk && word == "std::env");
            assert!(!is_used, "{} uses {word}", path.display());
        }
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
