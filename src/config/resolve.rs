//! What a configuration and the command line come out as for one file, and where each value comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;

use crate::finding::{RuleId, Severity};
use crate::rules::{Exemptions, Settings, profile};
use crate::text::LineIndex;

use super::read::{Level, Raw, span};

/// What was typed on the command line.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--arg`
    pub arg: Option<String>,
    /// `--default`
    pub default: Option<String>,
    /// `--keep-default`
    pub keep_default: Option<bool>,
    /// `--rules`: these and no others.
    pub rules: Vec<RuleId>,
    /// `--ignore`: not these.
    pub ignore: Vec<RuleId>,
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything else.
    BuiltIn,
    /// The configuration, on this 1-based line.
    File(usize),
    /// An option of this name.
    Option(&'static str),
}

/// A setting with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its key; a rule's name for those in `[rules]`.
    pub key: &'static str,
    /// Its value, as TOML.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it is one of the rules.
    pub is_rule: bool,
    /// Where the value does not hold, and which does there: of a rule whose severity nobody set.
    pub varies: Option<&'static str>,
}

/// What holds for a file that the `[[per-file]]` entries `own` speak about.
pub(super) fn settings(
    raw: &Raw,
    own: &[usize],
    overrides: &Overrides,
    exempt: &Arc<Exemptions>,
) -> Settings {
    let built_in = Settings::default();
    let mut settings = Settings {
        arg: text(overrides.arg.as_ref(), raw.arg.as_ref())
            .cloned()
            .unwrap_or(built_in.arg),
        default: text(overrides.default.as_ref(), raw.default.as_ref())
            .cloned()
            .unwrap_or(built_in.default),
        isolating: raw
            .isolating_args
            .iter()
            .map(|name| name.get_ref().clone())
            .collect(),
        keep_default: overrides
            .keep_default
            .unwrap_or_else(|| is_set(raw.keep_default.as_ref())),
        namespace: is_set(raw.namespace.as_ref()),
        require_syntax: is_set(raw.require_syntax.as_ref()),
        profile: raw
            .profile
            .as_ref()
            .and_then(|name| profile::by_name(name.get_ref())),
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
        // What is said holds for all findings of the rule, those of another severity than its own among them.
        if let Some(severity) = said.severity {
            settings.severities.insert(*rule, severity);
        }
    }
    settings.rules = (on.len() < RuleId::ALL.len()).then_some(on);
    settings
}

fn text<'a>(typed: Option<&'a String>, file: Option<&'a Spanned<String>>) -> Option<&'a String> {
    typed.or_else(|| file.map(Spanned::get_ref))
}

fn is_set(value: Option<&Spanned<bool>>) -> bool {
    value.is_some_and(|value| *value.get_ref())
}

/// What is said about a rule.
struct Said<'r> {
    /// Whether it does not run.
    is_off: bool,
    /// How bad all of its findings are, where somebody set that.
    severity: Option<Severity>,
    /// The place that decides.
    place: Place<'r>,
}

/// What is said about `rule`.
fn level<'r>(rule: RuleId, raw: &'r Raw, own: &[usize], overrides: &Overrides) -> Said<'r> {
    let entry = |rules: &'r BTreeMap<Spanned<String>, Spanned<Level>>| {
        rules
            .iter()
            .find(|(name, _)| name.get_ref() == rule.as_str())
            .map(|(_, level)| level)
    };
    let entries = own
        .iter()
        .rev()
        .filter_map(|index| entry(&raw.per_file[*index].rules));
    let said = entries.chain(entry(&raw.rules)).next();
    let severity = said.and_then(|level| level.get_ref().severity());
    if overrides.ignore.contains(&rule) {
        return Said {
            is_off: true,
            severity,
            place: Place::Option("--ignore"),
        };
    }
    if overrides.rules.is_empty() {
        let is_off = said.is_some() && severity.is_none();
        return Said {
            is_off,
            severity,
            place: said.map_or(Place::BuiltIn, Place::Entry),
        };
    }
    // Asked for by name, it runs whatever the configuration says.
    Said {
        is_off: !overrides.rules.contains(&rule),
        severity,
        place: Place::Option("--rules"),
    }
}

enum Place<'r> {
    BuiltIn,
    Entry(&'r Spanned<Level>),
    Option(&'static str),
}

/// Every setting for such a file, with its origin.
pub(super) fn show(
    raw: &Raw,
    own: &[usize],
    overrides: &Overrides,
    lines: &LineIndex,
) -> Vec<Shown> {
    let settings = settings(raw, own, overrides, &Arc::default());
    let mut all = Vec::new();
    let file = |at: Option<usize>| at.map_or(Origin::BuiltIn, |at| Origin::File(lines.line(at)));
    let at = |value: Option<&Spanned<String>>| value.map(|value| span(value).start);
    let flag = |value: Option<&Spanned<bool>>| file(value.map(|value| span(value).start));
    let typed = |option: &'static str, is_typed: bool, origin: Origin| {
        if is_typed {
            Origin::Option(option)
        } else {
            origin
        }
    };
    let mut add = |key, value: String, origin| {
        all.push(Shown {
            key,
            value,
            origin,
            is_rule: false,
            varies: None,
        });
    };
    add(
        "arg",
        quoted(&settings.arg),
        typed("--arg", overrides.arg.is_some(), file(at(raw.arg.as_ref()))),
    );
    let origin = typed(
        "--default",
        overrides.default.is_some(),
        file(at(raw.default.as_ref())),
    );
    add("default", quoted(&settings.default), origin);
    add(
        "isolating-args",
        list(&raw.isolating_args),
        file(at(raw.isolating_args.first())),
    );
    add("include", list(&raw.include), file(at(raw.include.first())));
    add("exclude", list(&raw.exclude), file(at(raw.exclude.first())));
    add(
        "namespace",
        settings.namespace.to_string(),
        flag(raw.namespace.as_ref()),
    );
    add(
        "require-syntax",
        settings.require_syntax.to_string(),
        flag(raw.require_syntax.as_ref()),
    );
    let origin = typed(
        "--keep-default",
        overrides.keep_default.is_some(),
        flag(raw.keep_default.as_ref()),
    );
    add("keep-default", settings.keep_default.to_string(), origin);
    if let Some(profile) = &raw.profile {
        add(
            "profile",
            quoted(profile.get_ref()),
            file(Some(span(profile).start)),
        );
    }
    if let Some(first) = raw.exempt.first() {
        let at = span(&first.id).start;
        add("exempt", exempt(raw), file(Some(at)));
    }
    for rule in RuleId::ALL {
        let meta = rule.meta();
        let said = level(*rule, raw, own, overrides);
        let origin = match said.place {
            Place::BuiltIn => Origin::BuiltIn,
            Place::Entry(level) => Origin::File(lines.line(span(level).start)),
            Place::Option(option) => Origin::Option(option),
        };
        let severity = said.severity.unwrap_or(meta.severity).as_str();
        let value = quoted(if said.is_off { "off" } else { severity });
        let varies = meta
            .other_severity
            .filter(|_| said.severity.is_none() && !said.is_off);
        all.push(Shown {
            key: meta.name,
            value,
            origin,
            is_rule: true,
            varies,
        });
    }
    all
}

/// Returns `text` as TOML: a string in JSON is the same there.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list(items: &[Spanned<String>]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item.get_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// Returns the `[[exempt]]` entries of `raw` as a value on one line.
fn exempt(raw: &Raw) -> String {
    let entries = raw.exempt.iter().map(|entry| {
        let rules = entry.rules.as_ref().map(|rules| list(rules.get_ref()));
        let rules = rules.map_or(String::new(), |rules| format!(", rules = {rules}"));
        let [id, reason] = [&entry.id, &entry.reason].map(|text| quoted(text.get_ref()));
        format!("{{ id = {id}{rules}, reason = {reason} }}")
    });
    format!("[{}]", entries.collect::<Vec<_>>().join(", "))
}
