//! The variables behind the value of a word.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::budget;
use crate::builds::NAMESPACE;
use crate::dockerfile::{Declaration, DeclaredBy, Dockerfile, Form, Part, Variable, Word};

use super::settings::Settings;

/// The arguments that BuildKit sets itself, global until a stage declares them.
pub const PLATFORM_ARGS: &[&str] = &[
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETOSVERSION",
    "TARGETSTAGE",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "BUILDOSVERSION",
];

/// Returns whether the argument `name` of BuildKit's is empty on most platforms: no variant of amd64 or arm64, no
/// version of Linux.
pub(super) fn may_be_empty(name: &str) -> bool {
    name.ends_with("VARIANT") || name.ends_with("OSVERSION")
}

/// Returns the readable value that `declaration` gives.
pub(super) fn value(file: &Dockerfile<'_>, declaration: &Declaration) -> Option<Word> {
    Word::read(declaration.value.as_ref()?, file.escape).ok()
}

/// Returns whether the expansion of `word` at instruction `index` includes the value of `name`, directly or through ARGs
/// and ENVs, in a build that passes no other argument.
pub fn depends_on(file: &Dockerfile<'_>, word: &Word, index: usize, name: &str) -> bool {
    // An ENV hands an ARG on only where its value does. BuildKit's own need no ARG among the global ones.
    let is_passed = |of: &Declaration| {
        let seen = file.visible_above(name, of);
        seen.map_or_else(
            || of.stage.is_none() && PLATFORM_ARGS.contains(&name),
            |seen| seen.by == DeclaredBy::Arg,
        )
    };
    let is_it = |found: &Included<'_>| found.name == name && found.of.is_none_or(is_passed);
    any_included(file, word, index, name, &is_it)
}

/// Returns whether the expansion of `word` at instruction `index` includes a name to which the file gives no value, and
/// for which `is_it` is true, told its name and whether it is declared.
pub fn leaves_open(
    file: &Dockerfile<'_>,
    word: &Word,
    index: usize,
    is_it: &dyn Fn(&str, bool) -> bool,
) -> bool {
    let is_open = |found: &Included<'_>| {
        let seen = match found.of {
            Some(of) => file.visible_above(found.name, of),
            None => file.visible(found.name, index),
        };
        found.value.is_none() && is_it(found.name, seen.is_some())
    };
    any_included(file, word, index, "", &is_open)
}

/// A variable whose value an expansion includes.
struct Included<'d> {
    name: &'d str,
    /// The declaration whose value it is in; `None` for the word itself.
    of: Option<&'d Declaration>,
    /// The declaration that gives it a value.
    value: Option<&'d Declaration>,
}

/// Returns whether `is_it` holds for a variable that the expansion of `word` at instruction `index` includes, directly or
/// through ARGs and ENVs, in a build that passes `passed`. Each declaration is read once.
fn any_included(
    file: &Dockerfile<'_>,
    word: &Word,
    index: usize,
    passed: &str,
    is_it: &dyn Fn(&Included<'_>) -> bool,
) -> bool {
    let mut seen: HashSet<(usize, usize, usize)> = HashSet::new();
    // With each, the declaration whose value it is.
    let mut open: Vec<(Cow<'_, Word>, Option<&Declaration>)> = vec![(Cow::Borrowed(word), None)];
    while let Some((word, of)) = open.pop().filter(|_| budget::spend(1)) {
        // What has no default is there to be passed, and the base image may set what is not declared.
        let is_set = |other: &str, or_empty: bool| {
            let value = match of {
                Some(of) => file.value_above(other, of, &|_, _| None),
                None => file.default_value(other, index),
            };
            value.map(|value| !or_empty || !value.is_empty())
        };
        for variable in included(&word, passed, &is_set) {
            let name = variable.name.as_str();
            let value = match of {
                Some(of) => file.valued_above(name, of),
                None => file.valued(name, index),
            };
            if is_it(&Included { name, of, value }) {
                return true;
            }
            let fresh = value.filter(|it| seen.insert((it.at, it.instruction, it.name_end)));
            let word = fresh.and_then(|fresh| self::value(file, fresh));
            open.extend(word.map(|word| (Cow::Owned(word), fresh)));
        }
    }
    false
}

/// Returns the arguments any of which a build has to pass for a lane in the id `word` at instruction `index`: the lane
/// argument, or else all that isolate jobs and are the file's to declare (a base image may set others), or else the
/// namespace, where that takes the place of lanes.
pub fn lanes<'s>(
    file: &Dockerfile<'_>,
    settings: &'s Settings,
    word: &Word,
    index: usize,
) -> Vec<&'s str> {
    let is_in = |name: &str| word.mentions(name) || depends_on(file, word, index, name);
    let arg = settings.arg.as_str();
    if is_in(arg) {
        return vec![arg];
    }
    let is_declared = |name: &str| {
        file.visible(name, index).is_some() && shadowing_env(file, name, index).is_none()
    };
    let names = settings.isolating().map(String::as_str);
    let mut names: Vec<&str> = names
        .filter(|name| is_in(name) && (!word.mentions(name) || is_declared(name)))
        .collect();
    if names.is_empty() && settings.namespace {
        names.push(NAMESPACE);
    }
    names
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
    let mut seen: HashSet<(usize, usize, usize)> = HashSet::new();
    let mut open = vec![env];
    while let Some(env) = open.pop().filter(|_| budget::spend(1)) {
        for Variable { name, .. } in value(file, env).iter().flat_map(Word::variables) {
            match file.visible_above(name, env) {
                Some(next) if next.by == DeclaredBy::Arg => return true,
                Some(next) if seen.insert((next.at, next.instruction, next.name_end)) => {
                    open.push(next);
                }
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

/// Returns the variables whose values the expansion of `word` includes, in a build that passes `name`. `is_set` returns
/// whether another one has a value, with true one that is not empty, by which the word of `:-` or `:+` is left out.
fn included<'w>(
    word: &'w Word,
    name: &str,
    is_set: &dyn Fn(&str, bool) -> Option<bool>,
) -> Vec<&'w Variable> {
    let mut found = Vec::new();
    let mut open: Vec<&Variable> = references(word).collect();
    while let Some(variable) = open.pop().filter(|_| budget::spend(1)) {
        let form = &variable.form;
        if !matches!(form, Form::Alternative { .. }) {
            found.push(variable);
        }
        let is_left_out = match form {
            Form::Default { word, .. } if !word.has_variable() => true,
            Form::Default { or_empty, .. } => {
                variable.name == name || is_set(&variable.name, *or_empty) == Some(true)
            }
            Form::Alternative { or_empty, .. } => {
                variable.name != name && is_set(&variable.name, *or_empty) == Some(false)
            }
            Form::Required(_) => true,
            _ => false,
        };
        if !is_left_out {
            open.extend(form.word().into_iter().flat_map(references));
        }
    }
    found
}

/// Returns whether the expansion of `word` includes the value of the variable `name`: in any form but `${NAME+word}`,
/// unless its word names it.
#[cfg(feature = "cli")]
pub fn references_value(word: &Word, name: &str) -> bool {
    let mut found = included(word, name, &|_, _| None).into_iter();
    found.any(|variable| variable.name == name)
}

/// Returns whether `word` has text that is there only where the variable `name` has a value.
pub fn has_optional(word: &Word, name: &str) -> bool {
    let is_optional = |form: &Form| matches!(form, Form::Alternative { .. });
    references(word).any(|variable| variable.name == name && is_optional(&variable.form))
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
