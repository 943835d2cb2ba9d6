//! The settings for one file, by the configuration and the command line.

use std::sync::Arc;

use toml::Spanned;

use crate::finding::RuleId;
use crate::rules::{Exemptions, Settings};

use super::keys::{Keys, Level, Levels};
use super::model::Overrides;
use super::values;

/// Returns the settings for a file with the `[[per-file]]` entries `own`.
pub fn settings(
    keys: &Keys,
    own: &[usize],
    overrides: &Overrides,
    exempt: &Arc<Exemptions>,
) -> Settings {
    let names = keys.isolating_args.iter().map(Spanned::get_ref);
    let profile = keys.profile.as_ref().map(Spanned::get_ref);
    let builders = keys.builders.as_ref().map(Spanned::get_ref);
    let mut settings = Settings {
        isolating: names.cloned().collect(),
        profile: profile.and_then(|name| values::profile(name).ok()),
        own_builders: builders.and_then(|text| values::builders(text).ok()),
        exempt: Arc::clone(exempt),
        ..Settings::default()
    };
    set(&mut settings.arg, overrides.arg.as_ref(), keys.arg.as_ref());
    set(
        &mut settings.default,
        overrides.default.as_ref(),
        keys.default.as_ref(),
    );
    set(
        &mut settings.keep_default,
        overrides.keep_default.as_ref(),
        keys.keep_default.as_ref(),
    );
    set(
        &mut settings.include_generated,
        overrides.include_generated.as_ref(),
        keys.include_generated.as_ref(),
    );
    set(
        &mut settings.namespace,
        overrides.namespace.as_ref(),
        keys.namespace.as_ref(),
    );
    set(
        &mut settings.require_syntax,
        None,
        keys.require_syntax.as_ref(),
    );
    let mut on = Vec::new();
    for rule in RuleId::ALL {
        let level = level(*rule, keys, own, overrides);
        if level == Some(Level::Off) {
            continue;
        }
        on.push(*rule);
        // The level applies to all findings of the rule, also those of another severity than its own.
        if let Some(severity) = level.and_then(Level::severity) {
            settings.severities.insert(*rule, severity);
        }
    }
    settings.rules = (on.len() < RuleId::ALL.len()).then_some(on);
    settings
}

/// Sets `setting` to what was typed, or else to what the configuration has.
fn set<T: Clone>(setting: &mut T, typed: Option<&T>, written: Option<&Spanned<T>>) {
    if let Some(value) = typed.or(written.map(Spanned::get_ref)) {
        setting.clone_from(value);
    }
}

/// Returns the level of a rule in the command line and the configuration; `None` for its own.
pub fn level(rule: RuleId, keys: &Keys, own: &[usize], overrides: &Overrides) -> Option<Level> {
    let is_named = overrides.rules.contains(&rule);
    if overrides.ignore.contains(&rule) || !(is_named || overrides.rules.is_empty()) {
        return Some(Level::Off);
    }
    // A rule asked for by name runs whatever the configuration says.
    entry(rule, keys, own)
        .map(|level| *level.get_ref())
        .filter(|level| !is_named || *level != Level::Off)
}

/// Returns the level of a rule in the configuration.
pub fn entry<'r>(rule: RuleId, keys: &'r Keys, own: &[usize]) -> Option<&'r Spanned<Level>> {
    let own = own.iter().rev().map(|index| &keys.per_file[*index].rules);
    let entry = |levels: &'r Levels| {
        let mut levels = levels.iter();
        levels.find(|(name, _)| name.get_ref() == rule.as_str())
    };
    own.chain([&keys.rules])
        .find_map(entry)
        .map(|(_, level)| level)
}
