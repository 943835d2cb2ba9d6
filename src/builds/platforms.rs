//! The platforms of a build.

use crate::budget;

/// The platforms that one build makes at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Platforms {
    /// It names none: those of its files hold, or else the builder's own.
    #[default]
    Unnamed,
    Named(Vec<String>),
    /// Those that a call gives some of its targets.
    OfTargets(Vec<OfTargets>),
    /// They are not known, or do not share a builder.
    Unknown,
}

/// Platforms as a build's file has them written, each run with its own values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformText {
    /// The name of a target, or of several by a `*`.
    pub pattern: String,
    /// True where they are added to those that the targets have (`+=`).
    pub adds: bool,
    pub text: String,
}

impl PlatformText {
    /// Makes that of all that a build makes.
    pub fn of_all(text: String) -> Self {
        Self {
            pattern: "*".to_owned(),
            adds: false,
            text,
        }
    }

    /// Returns whether it is of a target with one of these names; of any where there are none.
    pub fn is_of(&self, names: &[&str]) -> bool {
        self.pattern == "*" || names.iter().any(|name| is_match(&self.pattern, name))
    }
}

/// The platform that a build is for, as BuildKit gives it to the Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    os: String,
    arch: String,
    variant: String,
}

impl Platform {
    /// Reads `linux/arm64/v8`, in the forms that BuildKit takes for one; `None` for a platform in part.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let mut parts = text.split('/').map(str::to_owned);
        let (os, arch) = (parts.next()?, parts.next()?);
        let variant = parts.next().unwrap_or_default();
        let (arch, variant) = match (arch.as_str(), variant.as_str()) {
            ("x86_64" | "x86-64" | "amd64", "" | "v1") => ("amd64", ""),
            ("aarch64" | "arm64", "" | "8" | "v8") => ("arm64", ""),
            ("armhf", _) | ("arm", "" | "7" | "v7") => ("arm", "v7"),
            ("armel", _) | ("arm", "6" | "v6") => ("arm", "v6"),
            ("i386", _) => ("386", ""),
            (arch, variant) => (arch, variant),
        };
        let is_whole = !os.is_empty() && !arch.is_empty() && parts.next().is_none();
        is_whole.then(|| Self {
            os,
            arch: arch.to_owned(),
            variant: variant.to_owned(),
        })
    }

    /// Returns the value of BuildKit's argument `name` that this decides.
    pub fn value(&self, name: &str) -> Option<String> {
        let Self { os, arch, variant } = self;
        Some(match name {
            "TARGETOS" => os.clone(),
            "TARGETARCH" => arch.clone(),
            "TARGETVARIANT" => variant.clone(),
            "TARGETPLATFORM" if variant.is_empty() => format!("{os}/{arch}"),
            "TARGETPLATFORM" => format!("{os}/{arch}/{variant}"),
            _ => return None,
        })
    }
}

/// The platforms that a call gives some of its targets: `--set app*.platform=linux/arm64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfTargets {
    /// The name of a target, or of several by a `*`.
    pub pattern: String,
    /// True where they are added to those that the targets have (`+=`).
    pub adds: bool,
    pub platforms: Platforms,
}

impl Platforms {
    /// Reads lists that are split at commas and line ends, `None` for an unknown one.
    pub fn of<T: AsRef<str>>(lists: impl IntoIterator<Item = Option<T>>) -> Self {
        let mut names: Vec<String> = Vec::new();
        for list in lists {
            let Some(list) = list else {
                return Self::Unknown;
            };
            for name in list.as_ref().split([',', '\n']).map(str::trim) {
                if !budget::spend(1 + names.len()) {
                    return Self::Unknown;
                }
                if !name.is_empty() && !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
            }
        }
        if names.is_empty() {
            Self::Unnamed
        } else {
            Self::Named(names)
        }
    }

    /// Returns all of these together.
    pub fn all(lists: impl IntoIterator<Item = Self>) -> Self {
        Self::of(lists.into_iter().map(|list| match list {
            Self::Unnamed => Some(String::new()),
            Self::Named(names) => Some(names.join(",")),
            Self::OfTargets(_) | Self::Unknown => None,
        }))
    }

    /// Returns those of a value, or of lists one of which a run chooses: where one has several, that counts.
    pub fn one_of(value: Option<String>, choices: impl IntoIterator<Item = String>) -> Self {
        if value.is_some() {
            return Self::of([value]);
        }
        let mut platforms = Self::Unknown;
        for list in choices {
            platforms.merge(Self::of([Some(list)]));
        }
        platforms
    }

    /// Returns the platforms where they are more than one.
    pub fn several(&self) -> Option<&[String]> {
        match self {
            Self::Named(names) if names.len() > 1 => Some(names),
            _ => None,
        }
    }

    /// Returns whether it may name several.
    pub fn may_be_several(&self) -> bool {
        let is_more = |of: &OfTargets| of.adds || of.platforms.several().is_some();
        match self {
            Self::OfTargets(all) => all.len() > 1 || all.iter().any(is_more),
            _ => self.several().is_some(),
        }
    }

    /// Returns those of a target with one of these names, and whether they are added to its own.
    pub fn of_target(&self, names: &[&str]) -> (Self, bool) {
        let Self::OfTargets(all) = self else {
            return (self.clone(), false);
        };
        let is_it = |of: &&OfTargets| {
            budget::spend(names.len()) && names.iter().any(|name| is_match(&of.pattern, name))
        };
        let own: Vec<&OfTargets> = all.iter().filter(is_it).collect();
        let adds = own.iter().all(|of| of.adds);
        (Self::all(own.iter().map(|of| of.platforms.clone())), adds)
    }

    /// Adds those of the same build in other rows of its matrix: where one makes several at once, that counts.
    pub fn merge(&mut self, other: Self) {
        if !self.may_be_several() {
            *self = other;
        }
    }
}

/// Returns whether `name` is what `pattern` says, whose one `*` stands for any text.
fn is_match(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, behind)) => {
            let rest = name.strip_prefix(before);
            rest.is_some_and(|rest| rest.ends_with(behind))
        }
        None => pattern == name,
    }
}
