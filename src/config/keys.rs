//! The keys of a configuration. Each that applies to all files is a row of [`SETTINGS`], from which its field in
//! [`Keys`], its place in the schema, in `config show` and in the text of `init` are made.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use toml::Spanned;

use crate::finding::{RuleId, Severity};
use crate::rules::exempt;
use crate::text::Span;

use super::model::Overrides;
use super::values;

/// A key at the top of a configuration, for all files.
#[cfg_attr(
    not(feature = "cli"),
    expect(dead_code, reason = "the command line shows it")
)]
pub struct Setting {
    pub key: &'static str,
    /// One line for the schema and for `init`.
    pub doc: &'static str,
    /// The value of an unset key.
    pub default: Unset,
    pub schema: fn() -> serde_json::Value,
    /// Fails where a text of its value is invalid.
    pub check: Option<Check>,
    pub texts: fn(&Keys) -> &[Spanned<String>],
    /// Returns its value in a configuration, as TOML, and the byte where that begins.
    pub written: fn(&Keys) -> Option<(usize, String)>,
    /// Returns the option that wins over a configuration, with its value as TOML.
    pub typed: fn(&Overrides) -> Option<(&'static str, String)>,
}

pub type Check = fn(&str) -> Result<(), String>;

/// The value of an unset key, as TOML.
#[cfg_attr(
    not(feature = "cli"),
    expect(dead_code, reason = "the command line shows it")
)]
#[derive(Clone, Copy)]
pub enum Unset {
    Default(&'static str),
    /// No value; this one is an example.
    Example(&'static str),
}

type Text = Option<Spanned<String>>;
type List = Vec<Spanned<String>>;
type Flag = Option<Spanned<bool>>;

macro_rules! settings {
    (@typed $field:ident) => { |_| None };
    (@typed $field:ident $option:literal) => {
        |overrides| Some(($option, toml(overrides.$field.as_ref()?)))
    };
    ($($field:ident: $type:ty, $key:literal = $default:expr, $check:expr, $doc:literal $(, $option:literal)?;)+) => {
        /// cachelane's configuration: `cachelane.toml` or `.cachelane.toml`, the nearest one upward from each Dockerfile.
        #[derive(Debug, Default, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Keys {
            $(pub $field: $type,)+
            pub rules: Levels,
            pub per_file: Vec<PerFile>,
            pub exempt: Vec<Exempt>,
        }

        /// Every setting, in the order in which they are shown.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            key: $key,
            doc: $doc,
            default: $default,
            schema: <$type as Field>::schema,
            check: $check,
            texts: |keys| keys.$field.texts(),
            written: |keys| keys.$field.written(),
            typed: settings!(@typed $field $($option)?),
        }),+];
    };
}

settings! {
    arg: Text, "arg" = Unset::Default("\"CACHE_ID\""), Some(|text| values::arg(text).map(drop)),
        "The build argument that sets jobs apart.", "--arg";
    default: Text, "default" = Unset::Default("\"default\""), Some(|text| values::default(text).map(drop)),
        "Its value for builds that pass none.", "--default";
    isolating_args: List, "isolating-args" = Unset::Default("[]"), Some(|text| values::variable(text).map(drop)),
        "Further build arguments that set your jobs apart, such as [\"ROS_DISTRO\"]: an id that holds one is isolated.";
    include: List, "include" = Unset::Default("[]"), None,
        "Files to check beside those that are called like a Dockerfile, such as [\"docker/*.tmpl\"].";
    exclude: List, "exclude" = Unset::Default("[]"), None,
        "Files and folders to leave alone, such as [\"vendor/\"]. Globs are relative to this file.";
    namespace: Flag, "namespace" = Unset::Default("false"), None,
        "true: the pipeline passes BUILDKIT_CACHE_MOUNT_NS, which isolates every cache; shared locks are not reported then.";
    require_syntax: Flag, "require-syntax" = Unset::Default("false"), None,
        "true: every file has to pin a frontend by `# syntax=`, as Docker 20.10 needs it for ids with variables.";
    keep_default: Flag, "keep-default" = Unset::Default("false"), None,
        "true: `fix` writes ids that stay as they are, with their warm caches, for builds that pass nothing.", "--keep-default";
    include_generated: Flag, "include-generated" = Unset::Default("false"), None,
        "true: `fix` changes files that say that they are generated, too; the next run of their generator takes that back.", "--include-generated";
    builders: Text, "builders" = Unset::Example("\"per-job\""), Some(|text| values::builders(text).map(drop)),
        "\"per-job\": each job has a builder of its own; a shared lock is an info, `fix` adds no lanes. \"shared\" says the opposite.";
    profile: Text, "profile" = Unset::Example("\"railway\""), Some(|text| values::profile(text).map(drop)),
        "The builder: \"railway\" (its ids hold no variables) or \"buildkit\". Default: BuildKit, unless there is a railway.toml.";
}

trait Field {
    fn schema() -> serde_json::Value;

    /// Returns it as TOML, and the byte of the configuration where it begins.
    fn written(&self) -> Option<(usize, String)>;

    fn texts(&self) -> &[Spanned<String>] {
        &[]
    }
}

impl Field for Text {
    fn schema() -> serde_json::Value {
        json!({ "type": "string" })
    }

    fn written(&self) -> Option<(usize, String)> {
        let value = self.as_ref()?;
        Some((value.span().start, toml(value.get_ref())))
    }

    fn texts(&self) -> &[Spanned<String>] {
        self.as_slice()
    }
}

impl Field for List {
    fn schema() -> serde_json::Value {
        json!({ "type": "array", "items": { "type": "string" } })
    }

    fn written(&self) -> Option<(usize, String)> {
        Some((self.first()?.span().start, list(self)))
    }

    fn texts(&self) -> &[Spanned<String>] {
        self
    }
}

impl Field for Flag {
    fn schema() -> serde_json::Value {
        json!({ "type": "boolean" })
    }

    fn written(&self) -> Option<(usize, String)> {
        let value = self.as_ref()?;
        Some((value.span().start, toml(value.get_ref())))
    }
}

/// Returns a text or a flag as TOML, which spells both as JSON does.
pub fn toml(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

pub fn list(items: &[Spanned<String>]) -> String {
    let items: Vec<&String> = items.iter().map(Spanned::get_ref).collect();
    format!(
        "[{}]",
        items.into_iter().map(toml).collect::<Vec<_>>().join(", ")
    )
}

pub fn span<T>(value: &Spanned<T>) -> Span {
    Span::new(value.span().start, value.span().end)
}

pub type Levels = BTreeMap<Spanned<String>, Spanned<Level>>;

/// An `[[exempt]]` entry: caches that some rules are silent about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exempt {
    pub id: Spanned<String>,
    #[serde(default)]
    pub rules: Option<Spanned<List>>,
    pub reason: Spanned<String>,
}

impl Exempt {
    pub fn rules(&self) -> Vec<RuleId> {
        let Some(rules) = &self.rules else {
            return exempt::waits().collect();
        };
        let rules = rules.get_ref().iter();
        rules
            .filter_map(|name| values::exemptible(name.get_ref()).ok())
            .collect()
    }
}

/// A `[[per-file]]` entry. Later ones win.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PerFile {
    pub path: Spanned<Patterns>,
    #[serde(default)]
    pub rules: Levels,
}

#[derive(Debug)]
pub enum Patterns {
    One(String),
    Several(List),
}

impl PerFile {
    pub fn patterns(&self) -> List {
        match self.path.get_ref() {
            Patterns::One(one) => vec![Spanned::new(self.path.span(), one.clone())],
            Patterns::Several(several) => several.clone(),
        }
    }
}

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // An untagged enum would lose the places.
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Patterns;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a glob or a list of globs")
            }

            fn visit_str<E>(self, one: &str) -> Result<Patterns, E> {
                Ok(Patterns::One(one.to_owned()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                items: A,
            ) -> Result<Patterns, A::Error> {
                let items = serde::de::value::SeqAccessDeserializer::new(items);
                List::deserialize(items).map(Patterns::Several)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Off,
    Info,
    Warning,
    Error,
}

impl Level {
    /// Returns the severity; `None` for a rule that is off.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Info => Some(Severity::Info),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}
