//! The settings for one file with the origin of each: the configuration or the command line.

use crate::finding::{OtherSeverity, RuleId};
use crate::text::LineIndex;

use super::keys::{Keys, Level, SETTINGS, Unset, list, span, toml};
use super::model::Overrides;
use super::resolve::{entry, level};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    BuiltIn,
    /// The configuration, on this 1-based line.
    File(usize),
    Option(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its key; a rule's name for those in `[rules]`.
    pub key: &'static str,
    /// As TOML.
    pub value: String,
    pub origin: Origin,
    pub is_rule: bool,
    /// The cases in which another value applies: of a rule with an unset severity.
    pub varies: Option<OtherSeverity>,
}

/// Returns every setting for a file with the `[[per-file]]` entries `own`, with its origin.
pub fn show(keys: &Keys, own: &[usize], overrides: &Overrides, text: &str) -> Vec<Shown> {
    let lines = LineIndex::new(text.as_bytes());
    let line = |at: usize| Origin::File(lines.line(at));
    let mut all = Vec::new();
    let mut add = |key, value, origin| {
        all.push(Shown {
            key,
            value,
            origin,
            is_rule: false,
            varies: None,
        });
    };
    for setting in SETTINGS {
        if let Some((option, value)) = (setting.typed)(overrides) {
            add(setting.key, value, Origin::Option(option));
        } else if let Some((at, value)) = (setting.written)(keys) {
            add(setting.key, value, line(at));
        } else if let Unset::Default(value) = setting.default {
            add(setting.key, value.into(), Origin::BuiltIn);
        }
    }
    if let Some(first) = keys.exempt.first() {
        add("exempt", exempt(keys), line(span(&first.id).start));
    }
    for rule in RuleId::ALL {
        let meta = rule.meta();
        let level = level(*rule, keys, own, overrides);
        let severity = level.and_then(Level::severity).unwrap_or(meta.severity);
        all.push(Shown {
            key: meta.name,
            value: toml(&match level {
                Some(Level::Off) => "off",
                _ => severity.as_str(),
            }),
            origin: match entry(*rule, keys, own) {
                _ if overrides.ignore.contains(rule) => Origin::Option("--ignore"),
                _ if !overrides.rules.is_empty() => Origin::Option("--rules"),
                Some(level) => line(span(level).start),
                None => Origin::BuiltIn,
            },
            is_rule: true,
            varies: meta.other_severity.filter(|_| level.is_none()),
        });
    }
    all
}

fn exempt(keys: &Keys) -> String {
    let entries = keys.exempt.iter().map(|entry| {
        let rules = entry.rules.as_ref().map(|rules| list(rules.get_ref()));
        let rules = rules.map_or(String::new(), |rules| format!(", rules = {rules}"));
        let [id, reason] = [&entry.id, &entry.reason].map(|text| toml(text.get_ref()));
        format!("{{ id = {id}{rules}, reason = {reason} }}")
    });
    format!("[{}]", entries.collect::<Vec<_>>().join(", "))
}
