//! The arguments of builds, and the variables of their environments.

use std::sync::Arc;

use crate::budget;
use crate::text::Span;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSource {
    /// Variables of the environment.
    Variables(Vec<String>),
    /// A name of the file's own that looks like a variable, and that no environment sets.
    Attribute,
    /// A value that only a run knows: a command's output, or an argument of the script.
    Run,
    /// Nothing: the variable is taken out of the environment, by `env -u`, `unset` or make's `unexport`.
    Nowhere,
}

/// The name of an argument or a variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ArgName {
    Is(String),
    /// The lane argument's, which the configuration gives: `cachelane run` passes it.
    Lane,
}

impl ArgName {
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Is(name) => Some(name),
            Self::Lane => None,
        }
    }

    pub fn is(&self, name: &str) -> bool {
        self.as_str() == Some(name)
    }

    /// Returns whether it is the name of the lane argument `arg`.
    pub fn is_lane(&self, arg: &str) -> bool {
        *self == Self::Lane || self.is(arg)
    }
}

impl<N: AsRef<str> + ?Sized> From<&N> for ArgName {
    fn from(name: &N) -> Self {
        Self::Is(name.as_ref().to_owned())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    pub name: ArgName,
    /// The value as written, with its expressions and variables; for a single variable that the file itself sets (an
    /// `env:` of the step, the job or the workflow), its value there. `None` where the value comes from outside.
    pub value: Option<String>,
    pub span: Span,
    pub from: ValueSource,
    /// The expressions that make the value where nobody sets its variables, as written: of a bake file that does not tell it.
    pub default: Option<String>,
}

impl Arg {
    pub fn new(name: impl Into<ArgName>, value: Option<String>, span: Span) -> Self {
        Self {
            name: name.into(),
            value,
            span,
            from: ValueSource::Variables(Vec::new()),
            default: None,
        }
    }

    /// Makes that of a variable which the environment does not have any more.
    pub(super) fn taken(name: impl Into<ArgName>, span: Span) -> Self {
        Self {
            from: ValueSource::Nowhere,
            ..Self::new(name, None, span)
        }
    }

    /// Returns whether it has a variable's value where that is set, and its own where it is not.
    pub fn is_default_of(&self, name: &str) -> bool {
        matches!(&self.from, ValueSource::Variables(names) if names.iter().any(|own| own == name))
    }

    /// Pays for `count` arguments in memory, since a few lines can hand thousands down to thousands of builds; returns
    /// false where the budget is spent.
    pub(super) fn pay(count: usize) -> bool {
        budget::spend(count.saturating_mul(4 * size_of::<Self>()))
    }
}

/// The variables of an environment: lists that all who have them share, the nearest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env(Vec<Arc<[Arg]>>);

impl Env {
    pub fn with(&self, nearer: Vec<Arg>) -> Self {
        let nearer = if nearer.is_empty() {
            Self::default()
        } else {
            Self(vec![nearer.into()])
        };
        nearer.before(self)
    }

    pub fn before(&self, outer: &Self) -> Self {
        if !budget::spend(16 * (self.0.len() + outer.0.len())) {
            return Self::default();
        }
        Self([&self.0[..], &outer.0[..]].concat())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arg> {
        self.0.iter().flat_map(|list| list.iter())
    }

    pub fn get(&self, name: &str) -> Option<&Arg> {
        self.iter()
            .take_while(|_| budget::spend(1))
            .find(|arg| arg.name.is(name))
    }
}

/// BuildKit's own namespace for all cache mounts of a build.
pub const NAMESPACE: &str = "BUILDKIT_CACHE_MOUNT_NS";
