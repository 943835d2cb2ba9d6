//! Documents that are made from the code: they must say what it says.
//!
//! `CACHELANE_BLESS=1 cargo test --test docs` writes them anew.

use std::fs;
use std::path::Path;

use cachelane::report::rules;
use cachelane::rules::RULES;

/// What `docs/rules.md` says before the rules' own texts.
const INTRODUCTION: &str = "\
# The rules

The *id* of a cache mount is its `id` option, or else its target path, cleaned (`/var/cache/a/../b/` is `/var/cache/b`).
The *lane argument* is the build argument that sets jobs apart: `CACHE_ID`, or what `--arg` names. An id is *isolated*
when it refers to the lane argument in any form.

A *safe* fix cannot change the files of the image, only which cache a RUN uses (an ARG shows in the image's history, and the
RUNs behind it have it in their environment); `cachelane fix` applies it. An *unsafe* fix needs a person who looks at the result; `cachelane fix --unsafe` applies it. Errors and warnings fail the gate, infos never
do. `cachelane explain RULE` prints the text below.

";

#[test]
fn the_rules_page_is_what_explain_prints() {
    let pages: Vec<String> = RULES.iter().map(|rule| rules::page(rule.meta(), 2)).collect();
    let now = format!("{INTRODUCTION}{}", pages.join("\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    if std::env::var_os("CACHELANE_BLESS").is_some() {
        fs::write(&path, &now).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), now, "docs/rules.md is not what the rules say");
}

#[test]
fn the_readme_lists_every_rule() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for rule in RULES.iter().map(|rule| rule.meta()) {
        let fix = rule.fix.map_or("–".to_owned(), |fix| format!("{fix:?}").to_lowercase());
        let start = format!("| `{}` | {} | {fix} |", rule.name, rule.severity.as_str());
        assert!(readme.contains(&start), "README.md has no line that starts with {start}");
    }
}

#[test]
fn every_rule_explains_itself_in_the_same_parts() {
    for rule in RULES.iter().map(|rule| rule.meta()) {
        let heads: Vec<&str> = rule.doc.lines().filter(|line| line.starts_with("## ")).collect();
        let parts = ["## What it does", "## Why", "## Example", "## Fix", "## When to ignore it"];
        assert_eq!(heads, parts, "{}", rule.name);
        assert!(rule.doc.ends_with('\n') && rule.doc.lines().all(|line| line.chars().count() <= 125), "{}", rule.name);
    }
}
