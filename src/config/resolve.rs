//! The settings for one file, by the configuration and the command line.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;

use crate::finding::{RuleId, Severity};
use crate::rules::{Exemptions, Settings};

use super::keys::{Level, Levels, Raw};
use super::model::Overrides;
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
        include_generated: overrides
            .include_generated
            .unwrap_or(is_set(&raw.include_generated)),
        namespace: is_set(&raw.namespace),
        require_syntax: is_set(&raw.require_syntax),
        profile: raw
            .profile
            .as_ref()
            .and_then(|name| values::profile(name.get_ref()).ok()),
        suspected: None,
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
pub struct Said {
    pub is_off: bool,
    /// The severity of all its findings, where set.
    pub severity: Option<Severity>,
}

pub fn level(rule: RuleId, raw: &Raw, own: &[usize], overrides: &Overrides) -> Said {
    let said = entry(rule, raw, own).map(|level| *level.get_ref());
    let is_off = if overrides.ignore.contains(&rule) {
        true
    } else if overrides.rules.is_empty() {
        said == Some(Level::Off)
    } else {
        // A rule asked for by name runs whatever the configuration says.
        !overrides.rules.contains(&rule)
    };
    Said {
        is_off,
        severity: said.and_then(Level::severity),
    }
}

/// Returns the level of a rule in the configuration.
pub fn entry<'r>(rule: RuleId, raw: &'r Raw, own: &[usize]) -> Option<&'r Spanned<Level>> {
    let own = own.iter().rev().map(|index| &raw.per_file[*index].rules);
    let entry = |levels: &'r Levels| {
        let mut levels = levels.iter();
        levels.find(|(name, _)| name.get_ref() == rule.as_str())
    };
    own.chain([&raw.rules])
        .find_map(entry)
        .map(|(_, level)| level)
}
