//! Variables that a step hands on to those behind it, by the file that `GITHUB_ENV` names.

use crate::builds::model::{ANY_LANE, Arg};
use crate::builds::shell::{self, Dialect, Simple, is_name};
use crate::builds::yaml::Node;

/// Returns the variables that `step` sets for later ones, the last one first. [`ANY_LANE`] is that of `cachelane id --format github-env`.
pub fn variables(step: Node<'_>) -> Vec<Arg> {
    let Some(run) = step.get("run") else {
        return Vec::new();
    };
    let text = run.text().unwrap_or_default();
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    if !has("GITHUB_ENV") && !has("github-env") {
        return Vec::new();
    }
    let commands = shell::read(text, None, Dialect::Posix, &|_| None);
    let set = commands.iter().rev().flat_map(|simple| {
        if is_lane(simple) {
            lane(simple)
        } else {
            echoed(simple)
        }
    });
    set.map(|(name, value)| Arg::new(name, value, run.span()))
        .collect()
}

fn is_lane(simple: &Simple) -> bool {
    let has = |text: &str| simple.words.iter().any(|word| word.text() == Some(text));
    let tool = |text: &str| text.rsplit('/').next() == Some("cachelane");
    simple
        .words
        .iter()
        .any(|word| word.text().is_some_and(tool))
        && has("id")
        && (has("github-env") || has("--format=github-env"))
}

/// The variable of `cachelane id --format github-env`, which is what `--arg` names or the configuration does.
fn lane(simple: &Simple) -> Vec<(String, Option<String>)> {
    let words: Vec<&str> = simple.words.iter().filter_map(|word| word.text()).collect();
    let behind = words
        .iter()
        .position(|word| *word == "--arg")
        .and_then(|at| words.get(at + 1))
        .copied();
    let name = behind.or_else(|| words.iter().find_map(|word| word.strip_prefix("--arg=")));
    vec![(name.unwrap_or(ANY_LANE).to_owned(), None)]
}

/// `echo NAME=value`; where it goes is not looked at: the script writes to that file somewhere.
fn echoed(simple: &Simple) -> Vec<(String, Option<String>)> {
    let name = simple
        .words
        .first()
        .and_then(|word| word.text())
        .unwrap_or_default();
    if !matches!(name, "echo" | "printf") {
        return Vec::new();
    }
    let assigned = simple
        .words
        .iter()
        .skip(1)
        .filter_map(shell::Word::assignment);
    let assigned = assigned.filter(|(name, _)| is_name(name));
    assigned
        .map(|(set, value)| (set.to_owned(), (name == "echo").then(|| value.written())))
        .collect()
}
