//! Builders with rules of their own about cache mounts.

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

/// The rules about lanes: they have nothing to say where an id may hold no variables.
const ABOUT_VARIABLES: &[&str] = &[
    "shared-lock",
    "undeclared-arg",
    "missing-default",
    "early-arg",
    "shadowed-arg",
    "old-frontend",
    "platform-lock",
];

impl Profile {
    /// Whether the rule called `rule` has anything to say about files for this builder.
    #[must_use]
    pub fn applies(&self, rule: &str) -> bool {
        self.variables || !ABOUT_VARIABLES.contains(&rule)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_profile_turns_off_is_a_rule() {
        for name in ABOUT_VARIABLES {
            assert!(crate::rules::by_name(name).is_some(), "{name}");
        }
        let railway = by_name("railway").unwrap();
        assert!(
            !railway.applies("shared-lock")
                && railway.applies("invalid-mount")
                && railway.applies("lock-order")
        );
    }
}
