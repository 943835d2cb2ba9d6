//! The settings of a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dockerfile::Word;
use crate::finding::{RuleId, Severity};

use super::exempt::Exemptions;
use super::profile::Profile;

/// The settings of a file.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Settings {
    /// The build argument that sets jobs apart.
    pub arg: String,
    /// Its value for builds that pass none.
    pub default: String,
    /// Further variables that set jobs apart.
    pub isolating: Vec<String>,
    /// True where builds that pass nothing keep their id: the lane is added as `${ARG:+-${ARG}}`.
    pub keep_default: bool,
    /// True where generated files are fixed, too.
    pub include_generated: bool,
    /// True where the pipeline passes `BUILDKIT_CACHE_MOUNT_NS`, which isolates every build.
    pub namespace: bool,
    /// True where each job has a builder of its own, so that none waits for another and ids need no lanes; `None` where
    /// nobody says.
    pub own_builders: Option<bool>,
    /// True where a file has to name its frontend, since the engine's own may be too old to expand ids.
    pub require_syntax: bool,
    /// The builder, where one is configured.
    pub profile: Option<&'static Profile>,
    /// The facts that the files around this one tell, which nobody sets.
    #[cfg(not(feature = "internals"))]
    pub(crate) learned: Learned,
    /// The same, open to tests.
    #[cfg(feature = "internals")]
    pub learned: Learned,
    /// The caches that may stay as they are.
    pub exempt: Arc<Exemptions>,
    /// The rules to run; `None` for all of them.
    pub rules: Option<Vec<RuleId>>,
    /// The severities that differ from the rules' own.
    pub severities: BTreeMap<RuleId, Severity>,
}

/// The facts about a Dockerfile that the files around it tell.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// The builder that a file beside the Dockerfile is for, where none is configured.
    pub suspected: Option<&'static Profile>,
    /// The builds of the run that make the Dockerfile for several platforms at once.
    pub built_for: Vec<PlatformBuild>,
    /// The lanes that the builds of the run have by variables which no configuration names.
    pub own_lanes: OwnLanes,
}

/// A build of a Dockerfile for several platforms at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformBuild {
    /// The build as messages name it: its place or its name.
    pub build: String,
    /// The platforms, at least two.
    pub platforms: Vec<String>,
    /// The last stage that it builds, where it names one.
    pub target: Option<String>,
}

/// Variables in the ids of a Dockerfile's locks by which its builds have lanes, though no configuration names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnLanes {
    /// Those by which no two runs that are known take one lock at once.
    pub names: Vec<String>,
    /// The line of `cachelane.toml` that makes lanes of them.
    pub setting: String,
    /// Those that some builds pass, and others do not.
    pub unpassed: Vec<Unpassed>,
}

/// A variable that a build does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpassed {
    pub name: String,
    /// The build as messages name it, with its place.
    pub build: String,
}

impl Settings {
    /// Returns the variables other than the lane argument that set jobs apart.
    pub fn isolating(&self) -> impl Iterator<Item = &String> {
        self.isolating.iter().chain(&self.learned.own_lanes.names)
    }

    /// Returns whether `rule` runs.
    pub fn is_on(&self, rule: RuleId) -> bool {
        self.rules
            .as_ref()
            .is_none_or(|rules| rules.contains(&rule))
            && (self.takes_variables() || !rule.meta().needs_variables)
    }

    /// Returns whether the builder takes ids with variables.
    pub fn takes_variables(&self) -> bool {
        self.profile.is_none_or(|profile| profile.fixed.is_none())
    }

    /// Returns whether each job is said to have a builder of its own.
    pub fn has_own_builders(&self) -> bool {
        self.own_builders == Some(true)
    }

    /// Returns whether a build that passes no `name` keeps its id.
    pub fn keeps_id(&self, name: &str) -> bool {
        self.keep_default && name == self.arg
    }

    /// Returns the suffix of an id that gives builds with different values of `name` different caches.
    ///
    /// For the lane argument with `keep_default`, it is empty in builds that pass nothing.
    pub fn suffix(&self, name: &str) -> String {
        let [plain, optional] = suffixes(name);
        if self.keeps_id(name) { optional } else { plain }
    }

    /// Returns `word` with [`Settings::suffix`] behind it.
    pub(crate) fn with_suffix(&self, word: Word, name: &str) -> Word {
        if self.keeps_id(name) {
            word.with_optional_suffix(name)
        } else {
            word.with_suffix(name)
        }
    }
}

/// Returns the two suffixes for `name`: always, and only with a value.
pub(super) fn suffixes(name: &str) -> [String; 2] {
    [
        format!("-${{{name}}}"),
        format!("${{{name}:+-${{{name}}}}}"),
    ]
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            arg: "CACHE_ID".into(),
            default: "default".into(),
            isolating: Vec::new(),
            keep_default: false,
            include_generated: false,
            namespace: false,
            own_builders: None,
            require_syntax: false,
            profile: None,
            learned: Learned::default(),
            exempt: Arc::default(),
            rules: None,
            severities: BTreeMap::new(),
        }
    }
}
