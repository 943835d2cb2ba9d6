//! The `[[exempt]]` entries of a configuration: caches that may stay as they are.

use std::sync::atomic::{AtomicBool, Ordering};

use regex::bytes::{RegexBuilder, RegexSet, RegexSetBuilder};

use crate::finding::{Exempt, RuleId};
use crate::text::in_lines;

/// Returns the rules that an entry may name: those about sharing a cache.
pub fn exemptible() -> impl Iterator<Item = RuleId> {
    let is_one = |rule: &RuleId| rule.meta().exempt != Exempt::Never;
    RuleId::ALL.iter().copied().filter(is_one)
}

/// Returns the rules of an entry without names: those that report waiting for a lock.
pub fn waits() -> impl Iterator<Item = RuleId> {
    exemptible().filter(|rule| rule.meta().exempt == Exempt::Always)
}

/// The limit in bytes for the compiled patterns of an untrusted configuration, and again for matching them.
const MAX_SIZE: usize = 1 << 20;

/// The limit for the entries of a configuration, and for the bytes of their patterns, because reading each takes time.
const MAX_ENTRIES: usize = 1000;
const MAX_LEN: usize = 64 * 1024;

/// A pattern of ids that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
#[non_exhaustive]
pub struct PatternError {
    /// The index of its entry.
    pub entry: usize,
    /// The fault, in one line.
    pub fault: String,
}

/// All patterns of ids that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", in_lines(.0))]
pub struct PatternErrors(pub Vec<PatternError>);

/// Patterns of ids, with the rules that each silences and whether it ever matched.
#[derive(Debug, Default)]
pub struct Exemptions {
    ids: RegexSet,
    rules: Vec<Vec<RuleId>>,
    matched: Vec<AtomicBool>,
}

impl Exemptions {
    /// Reads `entries`: regular expressions that match a whole id, each with the rules that it silences.
    ///
    /// # Errors
    /// Fails with each bad entry.
    pub fn new(entries: Vec<(&str, Vec<RuleId>)>) -> Result<Self, PatternErrors> {
        let error = |entry, fault| PatternError { entry, fault };
        let (patterns, rules): (Vec<&str>, Vec<_>) = entries.into_iter().unzip();
        let len: usize = patterns.iter().map(|pattern| pattern.len()).sum();
        if patterns.len() > MAX_ENTRIES || len > MAX_LEN {
            let why = format!("all together are more than {MAX_ENTRIES}, or {MAX_LEN} bytes");
            return Err(PatternErrors(vec![error(0, why)]));
        }
        let wrong = |(index, pattern): (usize, &&str)| Some(error(index, fault(pattern)?));
        let wrong: Vec<_> = patterns.iter().enumerate().filter_map(wrong).collect();
        if !wrong.is_empty() {
            return Err(PatternErrors(wrong));
        }
        let whole = patterns.iter().map(|pattern| format!(r"\A(?:{pattern})\z"));
        // Ids are bytes: letters and digits are those of ASCII.
        let ids = RegexSetBuilder::new(whole)
            .unicode(false)
            .size_limit(MAX_SIZE)
            .dfa_size_limit(MAX_SIZE)
            .build()
            .map_err(|fault| PatternErrors(vec![error(0, in_one_line(&fault))]))?;
        let matched = rules.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(Self {
            ids,
            rules,
            matched,
        })
    }

    /// Returns the rules that are silent about a cache with the id `id`.
    pub fn of(&self, id: &[u8]) -> Vec<RuleId> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let matches = self.ids.matches(id);
        let silent = matches.iter().flat_map(|index| {
            self.matched[index].store(true, Ordering::Relaxed);
            &self.rules[index]
        });
        silent.copied().collect()
    }

    /// Returns the entries that have matched no id so far.
    pub fn idle(&self) -> impl Iterator<Item = usize> {
        let idle = |index: &usize| !self.matched[*index].load(Ordering::Relaxed);
        (0..self.matched.len()).filter(idle)
    }
}

/// Returns the syntax fault of `pattern`, without allocating its automaton.
fn fault(pattern: &str) -> Option<String> {
    let read = RegexBuilder::new(pattern)
        .unicode(false)
        .size_limit(0)
        .build();
    match read {
        Err(error @ regex::Error::Syntax(_)) => Some(in_one_line(&error)),
        _ => None,
    }
}

/// Returns the message of `error` without its picture.
fn in_one_line(error: &regex::Error) -> String {
    match error {
        regex::Error::Syntax(text) => {
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
        regex::Error::CompiledTooBig(_) => {
            "all together take too much memory: write fewer repetitions".into()
        }
        other => other.to_string(),
    }
}
