//! Builders with rules of their own about cache mounts.

use crate::finding::RuleId;

/// A builder that takes less, or other things, than BuildKit.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name in the configuration.
    pub name: &'static str,
    /// What to call it in messages.
    pub title: &'static str,
    /// Whether an id may hold variables. Where it may not, there are no lanes.
    pub variables: bool,
}

impl Profile {
    /// Whether `rule` has anything to say about files for this builder.
    #[must_use]
    pub fn applies(&self, rule: RuleId) -> bool {
        self.variables || !rule.meta().needs_variables
    }
}

/// Every profile.
pub static PROFILES: &[Profile] = &[Profile {
    name: "railway",
    title: "Railway",
    variables: false,
}];

/// The profile called `name`.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.name == name)
}
