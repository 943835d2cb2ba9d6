//! The platforms of a build.

use crate::budget;

/// The platforms that one build makes at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Platforms {
    /// It names none: those of its files hold, or else the builder's own.
    #[default]
    Unnamed,
    Named(Vec<String>),
    /// They are not known, or do not share a builder.
    Unknown,
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

    /// Returns the platforms where they are more than one.
    pub fn several(&self) -> Option<&[String]> {
        match self {
            Self::Named(names) if names.len() > 1 => Some(names),
            _ => None,
        }
    }

    /// Adds those of the same build in other rows of its matrix: where one makes several at once, that counts.
    pub fn merge(&mut self, other: Self) {
        if self.several().is_none() {
            *self = other;
        }
    }
}
