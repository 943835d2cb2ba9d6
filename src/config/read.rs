//! The keys of a configuration, as they are written.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::finding::RuleId;
use crate::finding::Severity;
use crate::rules::{exempt::WAITS, profile};
use crate::text::Span;

use super::{Problem, values};

/// cachelane's configuration: `cachelane.toml` or `.cachelane.toml`, the nearest one upward from each Dockerfile.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "cachelane.toml"))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Raw {
    /// The build argument that sets jobs apart. Default: `CACHE_ID`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) arg: Option<Spanned<String>>,
    /// The lane of builds that pass none. Default: `default`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) default: Option<Spanned<String>>,
    /// Further variables that set jobs apart: an id that holds one of them needs no lane.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) isolating_args: Vec<Spanned<String>>,
    /// Globs of files that are Dockerfiles although their names do not say so, relative to this file.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) include: Vec<Spanned<String>>,
    /// Globs of files and folders that are left out when folders are searched, relative to this file.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) exclude: Vec<Spanned<String>>,
    /// Whether the pipeline passes `BUILDKIT_CACHE_MOUNT_NS`, which isolates every build without lanes.
    #[cfg_attr(test, schemars(with = "bool"))]
    pub(super) namespace: Option<Spanned<bool>>,
    /// Whether a file with variables in ids has to have a `# syntax=` line, since engines as old as Docker 20.10 expand none.
    #[cfg_attr(test, schemars(with = "bool"))]
    pub(super) require_syntax: Option<Spanned<bool>>,
    /// Whether `fix` writes ids that stay as they were for builds that pass no lane.
    #[cfg_attr(test, schemars(with = "bool"))]
    pub(super) keep_default: Option<Spanned<bool>>,
    /// A builder with rules of its own: `railway`, whose ids may hold no variables.
    #[cfg_attr(test, schemars(schema_with = "tests::profiles"))]
    pub(super) profile: Option<Spanned<String>>,
    /// How bad the findings of a rule are, or `off`.
    #[cfg_attr(test, schemars(schema_with = "tests::rules"))]
    pub(super) rules: BTreeMap<Spanned<String>, Spanned<Level>>,
    /// What differs for some files.
    pub(super) per_file: Vec<PerFile>,
    /// Caches that may stay as they are, by their ids.
    pub(super) exempt: Vec<Exempt>,
}

/// Caches that some rules are silent about.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Exempt {
    /// A regular expression that matches the whole id, as `cachelane list` shows it.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) id: Spanned<String>,
    /// The rules that are silent. Default: those that say that somebody waits for the lock.
    #[serde(default)]
    #[cfg_attr(test, schemars(schema_with = "tests::exemptible"))]
    pub(super) rules: Option<Spanned<Vec<Spanned<String>>>>,
    /// Why these caches may stay as they are.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) reason: Spanned<String>,
}

impl Exempt {
    /// Returns the names of the rules that are silent.
    pub(super) fn rules(&self) -> Vec<RuleId> {
        let Some(rules) = &self.rules else {
            return WAITS.to_vec();
        };
        let rules = rules.get_ref().iter();
        rules
            .filter_map(|name| values::exemptible(name.get_ref()).ok())
            .collect()
    }
}

/// What differs for the files that a glob matches. Later entries win.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PerFile {
    /// A glob, or several, relative to the configuration.
    pub(super) path: Patterns,
    /// How bad the findings of a rule are there, or `off`.
    #[serde(default)]
    #[cfg_attr(test, schemars(schema_with = "tests::rules"))]
    pub(super) rules: BTreeMap<Spanned<String>, Spanned<Level>>,
}

/// One glob or several.
#[derive(Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(untagged))]
pub(super) enum Patterns {
    /// One.
    One(#[cfg_attr(test, schemars(with = "String"))] [Spanned<String>; 1]),
    /// Several.
    Several(#[cfg_attr(test, schemars(with = "Vec<String>"))] Vec<Spanned<String>>),
}

impl Patterns {
    pub(super) fn patterns(&self) -> &[Spanned<String>] {
        match self {
            Self::One(one) => one,
            Self::Several(several) => several,
        }
    }
}

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An untagged enum would lose the places.
        let value = Spanned::<Written>::deserialize(deserializer)?;
        let range = value.span();
        Ok(match value.into_inner() {
            Written::One(one) => Self::One([Spanned::new(range, one)]),
            Written::Several(several) => Self::Several(several),
        })
    }
}

/// The same as it is read: one has its place around it.
enum Written {
    One(String),
    Several(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Written;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a glob or a list of globs")
            }

            fn visit_str<E>(self, one: &str) -> Result<Written, E> {
                Ok(Written::One(one.to_owned()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> Result<Written, A::Error> {
                let mut several = Vec::new();
                while let Some(item) = items.next_element()? {
                    several.push(item);
                }
                Ok(Written::Several(several))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// How bad a rule's findings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// It does not run.
    Off,
    /// Never fails the gate.
    Info,
    /// Fails the gate.
    Warning,
    /// Fails the gate.
    Error,
}

impl Level {
    pub(super) fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Info => Some(Severity::Info),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

/// The bytes of `value` in the configuration's text.
pub(super) fn span<T>(value: &Spanned<T>) -> Span {
    Span::new(value.span().start, value.span().end)
}

impl Raw {
    /// Reads the text of a configuration.
    pub(super) fn read(text: &str) -> Result<Self, Vec<Problem>> {
        toml::from_str(text).map_err(|error| {
            let span = error
                .span()
                .map_or(Span::at(0), |range| Span::new(range.start, range.end));
            let message = error.message().replace('\n', ", ");
            let word = span.of(text.as_bytes());
            let is_list = message.contains("expected a sequence");
            let list = || {
                format!(
                    "write a list: `[{}]`",
                    String::from_utf8_lossy(span.of(text.as_bytes()))
                )
            };
            let unknown = message
                .starts_with("unknown field")
                .then(|| String::from_utf8_lossy(word));
            let section = match &message {
                text if text.contains("`reason`") => Section::Exempt,
                text if text.contains("expected `path`") => Section::PerFile,
                _ => Section::Top,
            };
            let reason = || {
                let missing = message == "missing field `reason`";
                missing.then(|| "say why the caches may stay as they are: `reason = \"…\"`".into())
            };
            let help = unknown
                .and_then(|key| place(&key, section).or_else(|| near_key(&key)))
                .or_else(reason);
            vec![Problem {
                span,
                message,
                help: help.or_else(|| is_list.then(list)),
            }]
        })
    }

    /// What is wrong with the values, which have the right types.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let (mut problems, mut empty) = (Vec::new(), Vec::new());
        let mut check = |value: &Spanned<String>, verdict: Result<(), String>| {
            problems.extend(verdict.err().map(|message| Problem {
                span: span(value),
                message,
                help: None,
            }));
        };
        if let Some(arg) = &self.arg {
            check(arg, values::arg(arg.get_ref()).map(|_| ()));
        }
        if let Some(default) = &self.default {
            check(default, values::default(default.get_ref()).map(|_| ()));
        }
        for name in &self.isolating_args {
            check(name, values::variable(name.get_ref()).map(|_| ()));
        }
        if let Some(name) = &self.profile {
            let known: Vec<&str> = profile::PROFILES
                .iter()
                .map(|profile| profile.name)
                .collect();
            let unknown = || {
                format!(
                    "there is no profile `{}`: cachelane knows {}",
                    name.get_ref(),
                    known.join(", ")
                )
            };
            check(
                name,
                profile::by_name(name.get_ref())
                    .map(|_| ())
                    .ok_or_else(unknown),
            );
        }
        for entry in &self.exempt {
            if entry.reason.get_ref().trim().is_empty() {
                let blank = "say why the caches may stay as they are: the reason is blank";
                check(&entry.reason, Err(blank.into()));
            }
            let Some(rules) = &entry.rules else { continue };
            for name in rules.get_ref() {
                check(name, values::exemptible(name.get_ref()).map(|_| ()));
            }
            if rules.get_ref().is_empty() {
                let message = "an empty list silences no rule: name some, or take it out".into();
                empty.push(Problem {
                    span: span(rules),
                    message,
                    help: None,
                });
            }
        }
        problems.extend(empty);
        let names = self
            .rules
            .keys()
            .chain(self.per_file.iter().flat_map(|entry| entry.rules.keys()));
        for name in names {
            let wrong = values::rule(name.get_ref()).err();
            let help = place(name.get_ref(), Section::PerFile);
            problems.extend(wrong.map(|message| Problem {
                span: span(name),
                message,
                help,
            }));
        }
        problems
    }
}

/// Where in a configuration something stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Above the first `[…]`.
    Top,
    /// Below `[rules]` or `[[per-file]]`.
    PerFile,
    /// Below `[[exempt]]`.
    Exempt,
}

/// Where `key`, which is none in the `section` that it stands in, belongs.
fn place(key: &str, section: Section) -> Option<String> {
    let is_rule = RuleId::by_name(key).is_some();
    let inside = section != Section::Top;
    match key {
        _ if is_rule && section == Section::Exempt => {
            Some(format!("rules are a list here: `rules = [\"{key}\"]`"))
        }
        _ if is_rule && inside => Some(format!(
            "severities belong into `rules`: `rules = {{ {key} = \"…\" }}`"
        )),
        _ if is_rule => Some(format!(
            "severities belong under `[rules]`: put that above `{key}`"
        )),
        "path" if section != Section::PerFile => Some("`path` belongs under `[[per-file]]`".into()),
        "id" | "reason" => Some(format!("`{key}` belongs under `[[exempt]]`")),
        "path" | "rules" | "per-file" | "exempt" => None,
        _ if inside && KEYS.contains(&key) => Some(format!(
            "`{key}` is for all files: put it at the top, above the first `[…]`"
        )),
        _ => None,
    }
}

/// Every key.
const KEYS: &[&str] = &[
    "arg",
    "default",
    "isolating-args",
    "include",
    "exclude",
    "namespace",
    "require-syntax",
    "keep-default",
    "profile",
    "rules",
    "per-file",
    "path",
    "exempt",
    "reason",
];

/// Which key was probably meant by `word`.
fn near_key(word: &str) -> Option<String> {
    let score = |key: &&&str| strsim::jaro_winkler(word, key);
    let best = KEYS.iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(&best) >= 0.75 && *best != word).then(|| format!("did you mean `{best}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::exempt::EXEMPTIBLE;

    pub(super) fn profiles(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = profile::PROFILES
            .iter()
            .map(|profile| profile.name)
            .collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }

    pub(super) fn rules(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = RuleId::ALL.iter().map(|rule| rule.as_str()).collect();
        let level = generator.subschema_for::<Level>();
        schemars::json_schema!({
            "type": "object", "propertyNames": { "enum": names }, "additionalProperties": level
        })
    }

    pub(super) fn exemptible(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let rule = schemars::json_schema!({ "enum": EXEMPTIBLE });
        schemars::json_schema!({ "type": "array", "items": rule, "minItems": 1 })
    }

    #[test]
    fn the_schema_is_current() {
        let mut schema = schemars::schema_for!(Raw);
        // TOML has no null.
        let keys = schema
            .get_mut("properties")
            .and_then(|keys| keys.as_object_mut())
            .unwrap();
        for key in keys.values_mut().filter_map(|key| key.as_object_mut()) {
            key.retain(|_, value| !value.is_null());
        }
        let now = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cachelane.schema.json");
        if std::env::var_os("CACHELANE_BLESS").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            now,
            "docs/cachelane.schema.json is not what the code reads"
        );
    }

    #[test]
    fn each_key_is_one_that_is_suggested() {
        let schema = schemars::schema_for!(Raw);
        let keys = schema
            .get("properties")
            .and_then(|keys| keys.as_object())
            .unwrap();
        for key in keys.keys() {
            assert_eq!(
                near_key(&format!("{key}x")),
                Some(format!("did you mean `{key}`?")),
                "{key}"
            );
        }
    }
}
