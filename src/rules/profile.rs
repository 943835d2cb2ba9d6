//! Builders with rules of their own about cache mounts.

/// A builder that takes less, or other things, than BuildKit.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Its name in messages.
    pub title: &'static str,
    /// Set where an id may hold variables. Where it may not, there are no lanes.
    pub variables: bool,
}

/// Every profile.
pub static PROFILES: &[Profile] = &[Profile {
    name: "railway",
    title: "Railway",
    variables: false,
}];

/// Returns the profile called `name`.
pub fn by_name(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.name == name)
}
