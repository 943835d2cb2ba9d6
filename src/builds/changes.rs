//! What names a builder, and what changes the builders of a job.

use std::sync::Arc;

/// The builder that the words of a command or the inputs of an action name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedBuilder {
    /// One of buildx's, by its name: `--builder`.
    Buildx(String),
    /// That of a daemon, by its address or context: `docker -H`, `docker --context`.
    Daemon(String),
    /// A service's, which the tool itself goes to: Depot's, or a farm of podman's.
    Service,
}

impl NamedBuilder {
    /// Returns the builder with its name or address as `resolved` has it.
    #[must_use]
    pub fn resolved(&self, resolved: &dyn Fn(&str) -> String) -> Self {
        match self {
            Self::Buildx(name) => Self::Buildx(resolved(name)),
            Self::Daemon(address) => Self::Daemon(resolved(address)),
            Self::Service => Self::Service,
        }
    }
}

/// Something that changes the builders of what comes behind it in a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Create(Create),
    /// `docker buildx use NAME`
    Choose(String),
    /// `docker context use NAME`
    Context(String),
    /// `docker buildx install`: `docker build` is buildx's from here on.
    Install,
    /// A service's builder becomes buildx's.
    Service,
    /// An action of the repository, in this folder, does what its steps do.
    Action(Arc<str>),
}

impl Change {
    /// Returns the change with its addresses and drivers as `resolved` has them. (A name by an expression is one that nobody
    /// else has, whatever its value.)
    #[must_use]
    pub fn resolved(&self, resolved: &dyn Fn(&str) -> String) -> Self {
        match self {
            Self::Create(create) => Self::Create(Create {
                driver: create.driver.as_deref().map(resolved),
                endpoint: create.endpoint.as_deref().map(resolved),
                ..create.clone()
            }),
            other => other.clone(),
        }
    }
}

/// `docker buildx create`, or an action that does it. Texts are as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    pub by: &'static str,
    pub name: Option<String>,
    /// The expression by which later steps name it.
    pub output: Option<String>,
    pub driver: Option<String>,
    pub endpoint: Option<String>,
    /// True where buildx uses it from here on.
    pub is_chosen: bool,
    /// True where `docker build` is buildx's from here on.
    pub is_installed: bool,
}
