//! The variables behind the value of a word.

use std::collections::HashSet;

use crate::budget;
use crate::dockerfile::{Declaration, DeclaredBy, Dockerfile, Form, Part, Variable, Word};

/// The arguments that BuildKit sets itself, global until a stage declares them.
pub const PLATFORM_ARGS: &[&str] = &[
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
];

/// Returns the readable value that `declaration` gives.
pub(super) fn value(file: &Dockerfile<'_>, declaration: &Declaration) -> Option<Word> {
    Word::read(declaration.value.as_ref()?, file.escape).ok()
}

/// Returns whether the expansion of `word` at instruction `index` includes the value of `name`, directly or through ARGs
/// and ENVs. Each declaration is read once.
pub fn depends_on(file: &Dockerfile<'_>, word: &Word, index: usize, name: &str) -> bool {
    if references_value(word, name) {
        return true;
    }
    let asked = |word: &Word, at: Option<usize>| -> Vec<(String, Option<usize>)> {
        word.variables()
            .map(|variable| (variable.name.clone(), at))
            .collect()
    };
    let declared = |name: &str, at: Option<usize>| match at {
        Some(at) => file.valued(name, at),
        None => file.global(name),
    };
    let mut seen: HashSet<(usize, usize)> = HashSet::new();
    // With each, the instruction that refers to it; `None` among the global ones.
    let mut open = asked(word, Some(index));
    while let Some((variable, at)) = open.pop().filter(|_| budget::spend(1)) {
        let declared = declared(&variable, at);
        let Some(declared) = declared.filter(|it| seen.insert((it.instruction, it.name_end)))
        else {
            continue;
        };
        let Some(word) = value(file, declared) else {
            continue;
        };
        let at = declared.stage.map(|_| declared.instruction);
        let is_there = || match at {
            Some(at) => file.visible(name, at).is_some(),
            None => file.global(name).is_some(),
        };
        if references_value(&word, name) && is_there() {
            return true;
        }
        open.extend(asked(&word, at));
    }
    false
}

/// Returns the ENV that fixes `name` at instruction `index`. An ENV whose value comes from an ARG passes that on, and
/// does not count.
pub fn shadowing_env<'f>(
    file: &'f Dockerfile<'_>,
    name: &str,
    index: usize,
) -> Option<&'f Declaration> {
    file.visible(name, index)
        .filter(|seen| seen.by == DeclaredBy::Env && !comes_from_arg(file, seen))
}

/// Returns whether the value of `env` refers to an ARG, perhaps through other ENVs. Each declaration is read once.
fn comes_from_arg(file: &Dockerfile<'_>, env: &Declaration) -> bool {
    let mut seen: HashSet<(usize, usize)> = HashSet::new();
    let mut open = vec![env];
    while let Some(env) = open.pop().filter(|_| budget::spend(1)) {
        for Variable { name, .. } in value(file, env).iter().flat_map(Word::variables) {
            match file.visible(name, env.instruction) {
                Some(next) if next.by == DeclaredBy::Arg => return true,
                Some(next) if seen.insert((next.instruction, next.name_end)) => open.push(next),
                _ => {}
            }
        }
    }
    false
}

/// Returns the outermost references in `word`.
fn references(word: &Word) -> impl Iterator<Item = &Variable> {
    word.parts.iter().filter_map(|part| match part {
        Part::Variable(variable) => Some(variable),
        Part::Text(_) => None,
    })
}

/// Returns whether the expansion of `word` includes the value of the variable `name`: in any form but `${NAME+word}`,
/// unless its word names it.
pub fn references_value(word: &Word, name: &str) -> bool {
    references(word).any(|variable| {
        let form = &variable.form;
        let is_it = variable.name == name && !matches!(form, Form::Alternative { .. });
        is_it || form.word().is_some_and(|word| references_value(word, name))
    })
}

/// Returns whether `word` gets shorter where the variable `name` is empty: it is referred to without `:-` and outside
/// its own `:+`.
pub fn needs_default(word: &Word, name: &str) -> bool {
    references(word).any(|variable| {
        let is_it = variable.name == name;
        let within = || {
            variable
                .form
                .word()
                .is_some_and(|word| needs_default(word, name))
        };
        match variable.form {
            Form::Plain | Form::Other(_) => is_it || within(),
            _ => !is_it && within(),
        }
    })
}
