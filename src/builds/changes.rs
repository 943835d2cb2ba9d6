//! The names of builders, and the changes that steps make to the builders of a job.

use std::sync::Arc;

use crate::text::{Span, variable};

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
    /// An action of the repository does what its steps do.
    Action(CalledAction),
}

/// A call of an action of the same repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledAction {
    pub folder: Arc<str>,
    /// The place that names it.
    pub span: Span,
    /// The rows of the job's matrix that skip it.
    pub skipped: Arc<[usize]>,
    /// The reason why only a run knows whether it runs.
    pub open: Option<Arc<str>>,
}

impl CalledAction {
    pub fn runs_in(&self, row: usize) -> bool {
        !self.skipped.contains(&row)
    }

    pub fn is_of_rows(&self) -> bool {
        !self.skipped.is_empty()
    }
}

impl Change {
    /// Returns the change with its addresses and drivers as `resolved` has them. (A name by an expression is one that nobody
    /// else has, whatever its value.)
    #[must_use]
    pub fn resolved(&self, resolved: &dyn Fn(&str) -> String) -> Self {
        // An expression may come to nothing.
        let known = |text: &Option<String>| {
            text.as_deref()
                .map(resolved)
                .filter(|text| !text.is_empty())
        };
        match self {
            Self::Create(create) => Self::Create(Create {
                driver: known(&create.driver),
                endpoint: known(&create.endpoint),
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

/// Returns whether only a run knows what `text`, as written, stands for.
pub fn is_open(text: &str) -> bool {
    ["$", "{{", "`"].iter().any(|mark| text.contains(mark))
}

/// Returns the name of the input that `text` is, by an expression and nothing else.
pub fn input(text: &str) -> Option<&str> {
    let name = inner(text).strip_prefix("inputs.")?;
    let is_name = |ch: char| ch.is_ascii_alphanumeric() || "_-".contains(ch);
    name.chars().all(is_name).then_some(name)
}

/// Returns the text within an expression; any other text as it is.
pub fn inner(text: &str) -> &str {
    let inner = text.trim().strip_prefix("${{");
    inner
        .and_then(|inner| inner.strip_suffix("}}"))
        .unwrap_or(text)
        .trim()
}

/// Returns the value of a variable; any other text as it is.
pub fn value_of(text: &str, env: &dyn Fn(&str) -> Option<String>) -> String {
    let value = variable(text).and_then(env);
    value.unwrap_or_else(|| text.to_owned())
}
