//! Variables that a step hands on to later ones, by the file that `GITHUB_ENV` names.

use crate::builds::command::MATRIX_LANE;
use crate::builds::model::{Arg, ArgName};
use crate::builds::shell::{self, Dialect, Simple, Word, is_name};
use crate::builds::yaml::Node;

/// Returns the variables that `step` sets for later ones, the last one first. [`ArgName::Lane`] is that of
/// `cachelane id --format github-env`.
pub fn variables(step: Node<'_>) -> Vec<Arg> {
    let Some(run) = step.get("run") else {
        return Vec::new();
    };
    let text = run.text().unwrap_or_default();
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    if !has("GITHUB_ENV") && !has("github-env") {
        return Vec::new();
    }
    let with_matrix = step
        .get("env")
        .is_some_and(|env| env.get("CACHELANE_MATRIX").is_some());
    let commands = shell::read(text, None, Dialect::Posix, &|_| None);
    let set = commands.iter().rev().flat_map(|simple| {
        let words = texts(simple);
        let lanes = |name| vec![(name, with_matrix.then(|| MATRIX_LANE.to_owned()))];
        lane(&words).map_or_else(|| echoed(simple), lanes)
    });
    set.map(|(name, value)| Arg::new(name, value, run.span()))
        .collect()
}

fn texts(simple: &Simple) -> Vec<&str> {
    simple.words.iter().filter_map(|word| word.text()).collect()
}

/// Returns the variable of `cachelane id --format github-env`, named by `--arg` or the configuration; `None` for
/// another command.
fn lane(words: &[&str]) -> Option<ArgName> {
    let has = |text: &str| words.contains(&text);
    let is_tool = |text: &&str| text.rsplit('/').next() == Some("cachelane");
    let to_env = has("github-env") || has("--format=github-env");
    if !words.iter().any(is_tool) || !has("id") || !to_env {
        return None;
    }
    let behind = words.iter().position(|word| *word == "--arg");
    let behind = behind.and_then(|at| words.get(at + 1)).copied();
    let joined = || words.iter().find_map(|word| word.strip_prefix("--arg="));
    let named = behind.or_else(joined);
    Some(named.map_or(ArgName::Lane, ArgName::from))
}

/// Returns the assignment of `echo NAME=value`; its target is not checked: the script writes to that file somewhere.
fn echoed(simple: &Simple) -> Vec<(ArgName, Option<String>)> {
    let name = simple.words.first().and_then(Word::text);
    if !matches!(name, Some("echo" | "printf")) {
        return Vec::new();
    }
    let value = |value: Word| (name == Some("echo")).then(|| value.written());
    let assigned = simple.words[1..].iter().filter_map(Word::assignment);
    let assigned = assigned.filter(|(name, _)| is_name(name));
    assigned
        .map(|(set, word)| (set.into(), value(word)))
        .collect()
}
