//! Builders with their own rules for cache mounts.

/// A builder that differs from BuildKit.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name in the configuration.
    pub name: &'static str,
    /// The name in messages.
    pub title: &'static str,
    /// True where an id may hold variables; otherwise there are no lanes.
    pub variables: bool,
}

pub static PROFILES: &[Profile] = &[Profile {
    name: "railway",
    title: "Railway",
    variables: false,
}];

/// Returns the profile called `name`.
pub fn by_name(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.name == name)
}
