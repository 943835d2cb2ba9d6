//! Builders with their own rules for cache mounts.

/// A builder.
#[derive(Debug)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Profile {
    /// The name in the configuration.
    pub name: &'static str,
    /// The name in messages.
    pub title: &'static str,
    /// The files beside a Dockerfile that are for it.
    pub files: &'static [&'static str],
    /// The form of its ids, where they may hold no variables: there are no lanes then.
    pub fixed: Option<IdForm>,
}

/// The ids that a builder takes.
#[derive(Debug)]
pub struct IdForm {
    /// Their beginning, as messages show it.
    pub prefix: &'static str,
    /// Returns whether an id begins so.
    pub has_prefix: fn(&[u8]) -> bool,
}

/// The builders that a configuration can name.
pub static PROFILES: &[Profile] = &[
    Profile {
        name: "railway",
        title: "Railway",
        files: &["railway.toml", "railway.json"],
        fixed: Some(IdForm {
            prefix: "s/<service id>-",
            has_prefix: is_of_service,
        }),
    },
    Profile {
        name: "buildkit",
        title: "BuildKit",
        files: &[],
        fixed: None,
    },
];

impl Profile {
    /// Returns the profile that a configuration calls `name`.
    ///
    /// ```
    /// use cachelane::{Profile, Settings};
    ///
    /// let mut settings = Settings::default();
    /// settings.profile = Profile::by_name("railway");
    /// assert!(settings.profile.is_some());
    /// ```
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }
}

/// Returns the profile of the builder whose ids look like `id`.
pub fn by_id(id: &[u8]) -> Option<&'static Profile> {
    let fits = |form: &IdForm| (form.has_prefix)(id);
    let mut all = PROFILES.iter();
    all.find(|profile| profile.fixed.as_ref().is_some_and(fits))
}

/// Returns the profile of the builder that one of the files beside a Dockerfile is for; `is_there` says whether there is
/// one of a name.
#[cfg(feature = "cli")]
pub fn by_file(is_there: impl Fn(&str) -> bool) -> Option<&'static Profile> {
    let mut all = PROFILES.iter();
    all.find(|profile| profile.files.iter().any(|name| is_there(name)))
}

/// Returns whether `id` begins with `s/`, a UUID and `-`.
fn is_of_service(id: &[u8]) -> bool {
    let Some(id) = id.strip_prefix(b"s/") else {
        return false;
    };
    let is_hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23 | 36);
    id.len() >= 37
        && id[..37].iter().enumerate().all(|(at, byte)| {
            if is_hyphen(at) {
                *byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}
