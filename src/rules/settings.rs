//! The settings that hold for a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::dockerfile::Word;
use crate::finding::{RuleId, Severity};

use super::exempt::Exemptions;
use super::profile::Profile;

/// The settings of a file.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The build argument that sets jobs apart.
    pub arg: String,
    /// Its value for builds that pass none.
    pub default: String,
    /// Further variables that set jobs apart.
    pub isolating: Vec<String>,
    /// Set where builds that pass nothing are to keep the id that they have: the lane goes in as `${ARG:+-${ARG}}`.
    pub keep_default: bool,
    /// Set where the pipeline passes `BUILDKIT_CACHE_MOUNT_NS`: every build is isolated then, whatever its ids.
    pub namespace: bool,
    /// Set where a file has to name its frontend, since the engine's own may be too old to expand ids.
    pub require_syntax: bool,
    /// The builder, where it has rules of its own.
    pub profile: Option<&'static Profile>,
    /// The caches that may stay as they are.
    pub exempt: Arc<Exemptions>,
    /// The rules to run; `None` for all of them. Their order makes no difference.
    pub rules: Option<Vec<RuleId>>,
    /// Severities that differ from the rules' own.
    pub severities: BTreeMap<RuleId, Severity>,
}

impl Settings {
    /// Says whether `rule` is one of those to run.
    pub fn is_on(&self, rule: RuleId) -> bool {
        self.rules
            .as_ref()
            .is_none_or(|rules| rules.contains(&rule))
            && (self.takes_variables() || !rule.meta().needs_variables)
    }

    /// Returns whether the builder takes ids with variables.
    pub fn takes_variables(&self) -> bool {
        self.profile.is_none_or(|profile| profile.variables)
    }

    /// Returns whether a build that passes no `name` is to keep the id that it has.
    pub fn keeps_id(&self, name: &str) -> bool {
        self.keep_default && name == self.arg
    }

    /// Returns what goes behind an id so that builds with different values of `name` have caches of their own.
    ///
    /// For the lane argument, where builds that pass nothing are to keep the id that they have, it comes to nothing for them.
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

/// Returns the two forms in which `name` goes behind an id: always, and only where it has a value.
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
            namespace: false,
            require_syntax: false,
            profile: None,
            exempt: Arc::default(),
            rules: None,
            severities: BTreeMap::new(),
        }
    }
}
