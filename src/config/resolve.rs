//! The settings for one file, and the origin of each: the configuration or the command line.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;

use crate::finding::{RuleId, Severity};
use crate::rules::{Exemptions, Settings};
use crate::text::LineIndex;

use super::keys::{Level, Levels, Raw, SETTINGS, Unset, list, span, toml};
use super::model::{Origin, Overrides, Shown};
use super::values;

/// Returns the settings for a file with the `[[per-file]]` entries `own`.
pub fn settings(
    raw: &Raw,
    own: &[usize],
    overrides: &Overrides,
    exempt: &Arc<Exemptions>,
) -> Settings {
    let text = |typed: &Option<String>, file: &Option<Spanned<String>>| {
        let file = || file.as_ref().map(|value| value.get_ref().clone());
        typed.clone().or_else(file)
    };
    let is_set = |file: &Option<Spanned<bool>>| file.as_ref().is_some_and(|value| *value.get_ref());
    let built_in = Settings::default();
    let mut settings = Settings {
        arg: text(&overrides.arg, &raw.arg).unwrap_or(built_in.arg),
        default: text(&overrides.default, &raw.default).unwrap_or(built_in.default),
        isolating: raw
            .isolating_args
            .iter()
            .map(|name| name.get_ref().clone())
            .collect(),
        keep_default: overrides.keep_default.unwrap_or(is_set(&raw.keep_default)),
        namespace: is_set(&raw.namespace),
        require_syntax: is_set(&raw.require_syntax),
        profile: raw
            .profile
            .as_ref()
            .and_then(|name| values::profile(name.get_ref()).ok()),
        exempt: Arc::clone(exempt),
        rules: None,
        severities: BTreeMap::new(),
    };
    let mut on = Vec::new();
    for rule in RuleId::ALL {
        let said = level(*rule, raw, own, overrides);
        if said.is_off {
            continue;
        }
        on.push(*rule);
        // The level applies to all findings of the rule, also those of another severity than its own.
        if let Some(severity) = said.severity {
            settings.severities.insert(*rule, severity);
        }
    }
    settings.rules = (on.len() < RuleId::ALL.len()).then_some(on);
    settings
}

/// The level of a rule in configuration and command line.
struct Said<'r> {
    is_off: bool,
    /// The severity of all its findings, where set.
    severity: Option<Severity>,
    place: Place<'r>,
}

enum Place<'r> {
    BuiltIn,
    Entry(&'r Spanned<Level>),
    Option(&'static str),
}

fn level<'r>(rule: RuleId, raw: &'r Raw, own: &[usize], overrides: &Overrides) -> Said<'r> {
    let own = own.iter().rev().map(|index| &raw.per_file[*index].rules);
    let entry = |levels: &'r Levels| {
        let mut levels = levels.iter();
        levels.find(|(name, _)| name.get_ref() == rule.as_str())
    };
    let said = own.chain([&raw.rules]).find_map(entry);
    let severity = said.and_then(|(_, level)| level.get_ref().severity());
    let (is_off, place) = if overrides.ignore.contains(&rule) {
        (true, Place::Option("--ignore"))
    } else if !overrides.rules.is_empty() {
        // A rule asked for by name runs whatever the configuration says.
        let is_off = !overrides.rules.contains(&rule);
        (is_off, Place::Option("--rules"))
    } else {
        let place = said.map_or(Place::BuiltIn, |(_, level)| Place::Entry(level));
        (said.is_some() && severity.is_none(), place)
    };
    Said {
        is_off,
        severity,
        place,
    }
}

/// Returns every setting for a file with the `[[per-file]]` entries `own`, with its origin.
pub fn show(raw: &Raw, own: &[usize], overrides: &Overrides, lines: &LineIndex) -> Vec<Shown> {
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
        } else if let Some((at, value)) = (setting.written)(raw) {
            add(setting.key, value, line(at));
        } else if let Unset::Is(value) = setting.default {
            add(setting.key, value.into(), Origin::BuiltIn);
        }
    }
    if let Some(first) = raw.exempt.first() {
        add("exempt", exempt(raw), line(span(&first.id).start));
    }
    for rule in RuleId::ALL {
        let meta = rule.meta();
        let said = level(*rule, raw, own, overrides);
        let severity = said.severity.unwrap_or(meta.severity).as_str();
        let is_set = said.severity.is_some() || said.is_off;
        all.push(Shown {
            key: meta.name,
            value: toml(&if said.is_off { "off" } else { severity }),
            origin: match said.place {
                Place::BuiltIn => Origin::BuiltIn,
                Place::Entry(level) => line(span(level).start),
                Place::Option(option) => Origin::Option(option),
            },
            is_rule: true,
            varies: meta.other_severity.filter(|_| !is_set),
        });
    }
    all
}

fn exempt(raw: &Raw) -> String {
    let entries = raw.exempt.iter().map(|entry| {
        let rules = entry.rules.as_ref().map(|rules| list(rules.get_ref()));
        let rules = rules.map_or(String::new(), |rules| format!(", rules = {rules}"));
        let [id, reason] = [&entry.id, &entry.reason].map(|text| toml(text.get_ref()));
        format!("{{ id = {id}{rules}, reason = {reason} }}")
    });
    format!("[{}]", entries.collect::<Vec<_>>().join(", "))
}
