//! Variables and outputs that a step hands on to later ones, by the files that `GITHUB_ENV` and `GITHUB_OUTPUT` name.

use super::expression;
use crate::budget;
use crate::builds::command::{MATRIX_LANE, program_name};
use crate::builds::model::{Arg, ArgName};
use crate::builds::shell::{self, Dialect, Simple, Word};
use crate::builds::yaml::Node;
use crate::text::{Span, is_name};

/// The command by which a step set an output before `GITHUB_OUTPUT`.
const SET_OUTPUT: &str = "::set-output name=";

/// The contexts whose values are others in the job that needs one: an output that is made of them is not known there.
const OF_JOB: &[&str] = &["matrix", "env.", "steps.", "job", "strategy.", "runner."];

/// Returns what `step` sets for later ones, the last one first: variables by their names, outputs as
/// `steps.ID.outputs.NAME`. [`ArgName::Lane`] is the variable of `cachelane id --format github-env`. A value is `None`
/// where only a run knows it.
pub fn variables(step: Node<'_>) -> Vec<Arg> {
    let Some(run) = step.get("run") else {
        return Vec::new();
    };
    let text = run.text().unwrap_or_default();
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let has_output = has("GITHUB_OUTPUT") || has(SET_OUTPUT);
    let outputs = step.get_text("id").filter(|_| has_output);
    let has_env = has("GITHUB_ENV") || has("github-env");
    if !has_env && outputs.is_none() {
        return Vec::new();
    }
    let with_matrix = step
        .get("env")
        .is_some_and(|env| env.get("CACHELANE_MATRIX").is_some());
    let always = step.get("if").is_none();
    let commands = shell::read(text, None, Dialect::Posix, &|_| None);
    let mut set = Vec::new();
    for simple in commands.iter().rev() {
        if let Some(name) = lane(&texts(simple)) {
            set.push((name, with_matrix.then(|| MATRIX_LANE.to_owned())));
            continue;
        }
        for (name, value) in echoed(simple) {
            let value = value.filter(|_| always);
            if has_env && is_name(&name) {
                set.push((ArgName::from(&name), value.clone()));
            }
            if let Some(id) = outputs {
                let output = format!("steps.{id}.outputs.{name}");
                set.push((ArgName::from(&output), value));
            }
        }
    }
    set.into_iter()
        .map(|(name, value)| Arg::new(name, value, run.span()))
        .collect()
}

/// Returns the outputs of the jobs that `job` needs, as `needs.JOB.outputs.NAME`. A value is `None` where only a run knows it,
/// as with one that says something of the other job.
pub fn of_needs(job: Node<'_>, root: Node<'_>) -> Vec<Arg> {
    let (Some(needs), Some(jobs)) = (job.get("needs"), root.get("jobs")) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for name in needs.scalars().into_iter().filter_map(Node::text) {
        let Some(needed) = jobs.get(name) else {
            continue;
        };
        let outputs = needed.get("outputs").map(Node::entries);
        for output in outputs.unwrap_or_default() {
            let (Some(key), Some(text)) = (output.key.text(), output.value.text()) else {
                continue;
            };
            if !budget::spend(256 + text.len()) {
                return all;
            }
            let is_of_job = OF_JOB.iter().any(|word| text.contains(word));
            let value = match expression::variable(text).filter(|own| own.starts_with("steps.")) {
                Some(own) => of_step(needed, own),
                None => (!is_of_job).then(|| text.to_owned()),
            };
            let output = format!("needs.{name}.outputs.{key}");
            all.push(Arg::new(&output, value, output_span(job)));
        }
    }
    all
}

/// Returns the value of `steps.ID.outputs.NAME` in a job.
fn of_step(job: Node<'_>, output: &str) -> Option<String> {
    let id = output.split('.').nth(1)?;
    let steps = job.get("steps")?.items().into_iter();
    let mut set = steps
        .filter(|step| step.get_text("id") == Some(id))
        .flat_map(variables);
    let value = set.find(|set| set.name.is(output))?.value?;
    let is_of_job = OF_JOB.iter().any(|word| value.contains(word));
    (!is_of_job).then_some(value)
}

fn output_span(job: Node<'_>) -> Span {
    job.get("needs").map(Node::span).unwrap_or_default()
}

fn texts(simple: &Simple) -> Vec<&str> {
    simple.words.iter().filter_map(|word| word.text()).collect()
}

/// Returns the variable of `cachelane id --format github-env`, named by `--arg` or the configuration; `None` for
/// another command.
fn lane(words: &[&str]) -> Option<ArgName> {
    let has = |text: &str| words.contains(&text);
    let is_tool = |text: &&str| program_name(text) == "cachelane";
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
fn echoed(simple: &Simple) -> Vec<(String, Option<String>)> {
    let name = simple.words.first().and_then(Word::text);
    if !matches!(name, Some("echo" | "printf")) {
        return Vec::new();
    }
    let value = |value: Word| (name == Some("echo")).then(|| value.value(&|_| None));
    if let Some((name, word)) = simple.words.get(1).and_then(old_output) {
        return vec![(name, value(word))];
    }
    let assigned = simple.words[1..].iter().filter_map(Word::assignment);
    // An output's name can have a `-`.
    let assigned = assigned.filter(|(name, _)| is_name(&name.replace('-', "_")));
    assigned
        .map(|(set, word)| (set.to_owned(), value(word)))
        .collect()
}

/// Returns the name and the value of `::set-output name=NAME::value`.
fn old_output(word: &Word) -> Option<(String, Word)> {
    let (name, _) = word.head().strip_prefix(SET_OUTPUT)?.split_once("::")?;
    Some((
        name.to_owned(),
        word.behind(SET_OUTPUT.len() + name.len() + 2)?,
    ))
}
