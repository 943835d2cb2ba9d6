//! No imports form a circle, neither between files nor between folders.
//!
//! An import is every path that begins with `crate`, `super` or `self`, in a `use` or in the code, and every `mod` (a
//! module knows its children), outside of unit tests. A path counts for the deepest file that it names. Other names for
//! these three (`use crate as c`, `extern crate self as c`) would hide paths: they are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module by the names of its path: `["builds", "yaml"]`; the crate's root has none.
pub type Module = Vec<String>;
type Graph<T> = BTreeMap<T, BTreeSet<T>>;

fn modules() -> BTreeMap<Module, PathBuf> {
    fn walk(folder: &Path, at: &[String], found: &mut BTreeMap<Module, PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let below: Module = at.iter().cloned().chain([stem.clone()]).collect();
            if path.is_dir() {
                walk(&path, &below, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                match stem.as_str() {
                    "main" if at.is_empty() => {}
                    "lib" | "mod" => drop(found.insert(at.to_vec(), path)),
                    _ => drop(found.insert(below, path)),
                }
            }
        }
    }
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let mut found = BTreeMap::new();
    walk(&Path::new(&root).join("src"), &[], &mut found);
    found
}

/// Returns the words and signs of the code, without comments, texts and unit tests.
fn tokens(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(hashes) = raw(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let open = hashes + rest.find('"').unwrap() - hashes + 1;
            open + rest[open..].find(&end).unwrap() + end.len()
        } else if first == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|ch| {
                let is_end = ch == '"' && !escaped;
                escaped = ch == '\\' && !escaped;
                is_end
            });
            end.unwrap() + 2
        } else if first == '\'' {
            // A character; a lifetime is a sign and a word.
            let after = rest[1..].chars().next().unwrap();
            let plain = 1 + after.len_utf8();
            if after == '\\' {
                rest[3..].find('\'').unwrap() + 4
            } else if rest[plain..].starts_with('\'') {
                plain + 1
            } else {
                1
            }
        } else if first.is_alphanumeric() || first == '_' {
            let word = |ch: char| ch.is_alphanumeric() || ch == '_';
            let len = rest.find(|ch| !word(ch)).unwrap_or(rest.len());
            tokens.push(rest[..len].to_owned());
            len
        } else {
            let len = if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            if !first.is_whitespace() {
                tokens.push(rest[..len].to_owned());
            }
            len
        };
        rest = &rest[len..];
    }
    tokens
}

/// Returns whether `crate`, `super` or `self` gets another name, by which a path could begin.
fn renames(tokens: &[String]) -> bool {
    let is = |at: usize, words: &[&str]| {
        let token = tokens.get(at);
        token.is_some_and(|token| words.contains(&token.as_str()))
    };
    (0..tokens.len()).any(|at| {
        let is_extern = is(at, &["extern"]) && is(at + 1, &["crate"]) && is(at + 2, &["self"]);
        let is_start = is(at, &["crate", "super"]) || is(at, &["use"]) && is(at + 1, &["self"]);
        let at = at + usize::from(is(at, &["use"]));
        is_extern || is_start && is(at + 1, &["as"])
    })
}

/// Returns the number of `#` of a raw text that begins here.
fn raw(rest: &str) -> Option<usize> {
    let rest = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r')?;
    let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// Adds the paths of the tree that begins at `tokens[at]`, each put behind `before`; returns the index behind it.
fn paths(tokens: &[String], mut at: usize, before: &[String], found: &mut Vec<Module>) -> usize {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(at) {
        if token == "{" {
            at += 1;
            while tokens.get(at).is_some_and(|token| token != "}") {
                at = paths(tokens, at, &path, found);
                at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
            }
            return at + 1;
        }
        path.push(token.clone());
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            break;
        }
        at += 1;
    }
    found.push(path);
    if tokens.get(at).is_some_and(|token| token == "as") {
        at += 2;
    }
    at
}

/// Returns the files that each file imports.
pub fn imports() -> Graph<Module> {
    let modules = modules();
    let mut graph = Graph::new();
    for (module, file) in &modules {
        let tokens = tokens(&fs::read_to_string(file).unwrap());
        assert!(
            !renames(&tokens),
            "{}: crate, super or self by another name",
            file.display()
        );
        let mut found = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            let next = tokens.get(at + 1).map(String::as_str);
            let is_first = at == 0 || tokens[at - 1] != "::";
            match token.as_str() {
                "mod" if tokens.get(at + 2).is_some_and(|token| token == ";") => {
                    found.push(vec!["self".to_owned(), tokens[at + 1].clone()]);
                }
                // A macro's argument can name every file beside this one.
                "super" if tokens.get(at + 2).is_some_and(|token| token == "$") => {
                    let beside = |other: &&Module| {
                        other.len() == module.len()
                            && other.split_last().map(|(_, folder)| folder)
                                == module.split_last().map(|(_, folder)| folder)
                    };
                    let names = modules
                        .keys()
                        .filter(beside)
                        .filter_map(|other| other.last());
                    found.extend(names.map(|name| vec!["super".to_owned(), name.clone()]));
                }
                "crate" | "super" | "self" if is_first && next == Some("::") => {
                    paths(&tokens, at, &[], &mut found);
                }
                _ => {}
            }
        }
        let targets = found.iter().map(|path| target(module, path, &modules));
        let others = targets.filter(|target| target != module).collect();
        graph.insert(module.clone(), others);
    }
    graph
}

/// Returns the module of the file that `path` leads to from `module`.
fn target(module: &Module, path: &[String], modules: &BTreeMap<Module, PathBuf>) -> Module {
    let mut target = module.clone();
    for name in path {
        match name.as_str() {
            "crate" => target.clear(),
            "self" => {}
            "super" => drop(target.pop()),
            name => {
                target.push(name.to_owned());
                if !modules.contains_key(&target) {
                    target.pop();
                    break;
                }
            }
        }
    }
    target
}

/// Returns the groups of several members that reach each other.
fn circles<T: Ord + Clone>(graph: &Graph<T>) -> BTreeSet<BTreeSet<T>> {
    let reach = |from: &T| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&T> = graph[from].iter().collect();
        while let Some(next) = open.pop() {
            if seen.insert(next.clone()) {
                open.extend(graph.get(next).into_iter().flatten());
            }
        }
        seen
    };
    let all: BTreeMap<&T, BTreeSet<T>> = graph.keys().map(|from| (from, reach(from))).collect();
    let mut groups = BTreeSet::new();
    for (from, to) in &all {
        let back = |other: &&T| all.get(other).is_some_and(|reach| reach.contains(from));
        let group: BTreeSet<T> = to.iter().filter(back).cloned().collect();
        if group.len() > 1 {
            groups.insert(group);
        }
    }
    groups
}

#[test]
fn files_do_not_import_each_other() {
    let circles: Vec<Vec<String>> = circles(&imports())
        .iter()
        .map(|group| group.iter().map(|module| module.join("/")).collect())
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn folders_do_not_import_each_other() {
    let imports = imports();
    let folders: BTreeSet<&[String]> = imports
        .keys()
        .filter_map(|module| module.split_last())
        .map(|(_, folder)| folder)
        .collect();
    let mut found = Vec::new();
    for folder in folders {
        let member = |module: &Module| module.strip_prefix(folder)?.first().cloned();
        let mut graph: Graph<String> = Graph::new();
        for (from, targets) in &imports {
            let Some(from) = member(from) else { continue };
            let others = targets.iter().filter_map(member).filter(|to| *to != from);
            graph.entry(from.clone()).or_default().extend(others);
        }
        found.extend(circles(&graph).into_iter().map(|group| (folder, group)));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_circle_is_seen_in_every_spelling() {
    let words = |source: &str| {
        let tokens = tokens(source);
        let mut found = Vec::new();
        let at = tokens.iter().position(|token| token == "crate").unwrap();
        paths(&tokens, at, &[], &mut found);
        found.iter().map(|path| path.join("::")).collect::<Vec<_>>()
    };
    assert_eq!(
        words("'a' '\\'' \"crate\" r#\"crate\"# use crate::{a::{self, B as C}, d::*};"),
        ["crate::a::self", "crate::a::B", "crate::d::*"]
    );
    let is_renamed = |source: &str| renames(&tokens(source));
    for source in [
        "use crate as c;",
        "use {super as c};",
        "use self as c;",
        "extern crate self as c;",
        "extern crate self;",
    ] {
        assert!(is_renamed(source), "{source}");
    }
    for source in ["use crate::a::{self as b, C as D};", "self as usize"] {
        assert!(!is_renamed(source), "{source}");
    }
    let graph = |edges: &[(u8, u8)]| {
        let mut graph: Graph<u8> = Graph::new();
        for (from, to) in edges {
            graph.entry(*from).or_default().insert(*to);
            graph.entry(*to).or_default();
        }
        circles(&graph).len()
    };
    assert_eq!(graph(&[(1, 2), (2, 3), (1, 3)]), 0);
    assert_eq!(graph(&[(1, 2), (2, 3), (3, 1), (4, 5), (5, 4)]), 2);
}
