//! How a command gets its lane: the words that a build command takes for it, and where they go.
//!
//! The words are those of a process, as `cachelane run` has them: no shell reads them any more.

mod find;
mod quote;

use std::ffi::{OsStr, OsString};

pub use quote::quoted;

use find::{Found, Takes};

/// BuildKit's own namespace for all cache mounts of a build.
pub const NAMESPACE: &str = "BUILDKIT_CACHE_MOUNT_NS";

/// What is to be passed.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The lane.
    pub lane: &'a str,
    /// The build argument that takes it, [`NAMESPACE`] among them.
    pub arg: &'a str,
}

/// A command with its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Its words.
    pub words: Vec<OsString>,
    /// What goes into its environment.
    pub set: Option<(String, String)>,
    /// What there is to say about it, for people, a sentence each.
    pub notes: Vec<String>,
}

/// The command `words` with its lane. `extended` says whether a program has rocker's extension `rocker-cachelane`.
///
/// # Errors
/// Why the command cannot get it, for people.
pub fn pass(words: &[OsString], ask: Ask<'_>, extended: impl Fn(&OsStr) -> bool) -> Result<Passed, String> {
    let found = find::find(words);
    let namespace = ask.arg == NAMESPACE;
    if namespace && let Takes::Argument { buildkit: false } | Takes::CacheId = found.takes {
        return Err(format!(
            "`{}` takes no {NAMESPACE}: only BuildKit knows it; leave out `--via namespace`",
            found.what
        ));
    }
    let mut passed = Passed { words: words.to_vec(), set: None, notes: Vec::new() };
    let value = format!("{}={}", ask.arg, ask.lane);
    let behind = words.get(found.at..).unwrap_or_default();
    match found.takes {
        Takes::Argument { .. } => {
            if let Some(word) = explicit(behind, "--build-arg", |word| names(word, ask.arg)) {
                passed.stands(&word, ask);
            } else {
                passed.insert(found.at, ["--build-arg", &value]);
            }
        }
        Takes::Set => {
            let end = format!(".args.{}", ask.arg);
            let is_it = |word: &str| word.split('=').next().is_some_and(|key| key.ends_with(&end));
            if let Some(word) = explicit(behind, "--set", is_it) {
                passed.stands(&word, ask);
            } else {
                passed.insert(found.at, ["--set", &format!("*.args.{value}")]);
            }
        }
        Takes::CacheId => {
            if let Some(word) = explicit(behind, "--cache-id", |_| true) {
                passed.notes.push(format!("the command says `--cache-id {word}` itself: that stands"));
            } else if words.get(found.at - 1).is_some_and(|program| extended(program)) {
                passed.insert(found.at, ["--cache-id", ask.lane]);
            } else {
                passed.by_environment(&found, ask, "has no extension `rocker-cachelane` that cachelane can see");
            }
        }
        Takes::Environment(why) => passed.by_environment(&found, ask, why),
    }
    Ok(passed)
}

impl Passed {
    fn insert(&mut self, at: usize, words: [&str; 2]) {
        self.words.splice(at..at, words.map(OsString::from));
    }

    /// The command has the argument itself; without a value, which it then takes from its environment.
    fn stands(&mut self, word: &str, ask: Ask<'_>) {
        if word == ask.arg {
            self.set = Some((ask.arg.into(), ask.lane.into()));
        } else {
            self.notes.push(format!("the command passes `{word}` itself: that stands"));
        }
    }

    fn by_environment(&mut self, found: &Found, ask: Ask<'_>, why: &str) {
        let Ask { lane, arg } = ask;
        self.set = Some((arg.into(), lane.into()));
        self.notes.push(format!("`{}` {why}: it gets the lane by its environment only, as {arg}={lane}", found.what));
        match found.what.as_str() {
            "devcontainer" => self.notes.push(format!(
                "devcontainer.json hands it on where it says `\"build\": {{ \"args\": {{ \"{arg}\": \"${{localEnv:{arg}:default}}\" }} }}`"
            )),
            _ if found.compose => self
                .notes
                .push(format!("the Compose file hands it on where it says `{arg}: ${{{arg}:-default}}` below `args`")),
            _ => {}
        }
        if let Some(wrapper) = &found.drops_environment {
            self.notes
                .push(format!("`{wrapper}` hands {arg} on only if it is told to: `{wrapper} --preserve-env={arg} …`"));
        }
    }
}

/// The value of the option `name` among `words`, in one word or two, if it is the one.
fn explicit(words: &[OsString], name: &str, is_it: impl Fn(&str) -> bool) -> Option<String> {
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        let value = match word.strip_prefix(name) {
            Some("") => words.next()?,
            Some(rest) if rest.starts_with('=') => rest[1..].to_owned().into(),
            _ => continue,
        };
        if is_it(&value) {
            return Some(value.into_owned());
        }
    }
    None
}

/// Whether `word` is a build argument called `name`, with a value or without.
fn names(word: &str, name: &str) -> bool {
    word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}
