//! Who builds which Dockerfile with which arguments: workflows, pipelines, Compose and bake files.
//!
//! A reader takes the text of one file and gives the builds in it, with their places; it knows no disk and no other file.
//! What cannot be known (a Dockerfile named by a variable) is [`Unknown`], never guessed.

pub mod argv;
pub mod bake;
pub mod buildkite;
pub mod ci;
pub mod command;
pub mod compose;
pub mod github;
pub mod gitlab;
pub mod inline;
mod matrix;
pub mod passing;
mod pipelines;
pub mod shell;
pub mod yaml;

use crate::budget;
use crate::text::Span;

pub use passing::{Opened, Passed, Passer, Passing, long_texts, pass, prove, prove_comments};

/// A kind of file that says what is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A workflow of GitHub Actions, or an action made of steps.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Buildkite.
    Buildkite,
    /// Docker Compose.
    Compose,
    /// Bake, in HCL.
    BakeHcl,
    /// Bake, in JSON.
    BakeJson,
}

/// What builds an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Front {
    /// `docker/build-push-action`
    BuildPushAction,
    /// `docker/bake-action`
    BakeAction,
    /// `docker build`, `docker image build`, `docker builder build`
    Docker,
    /// `docker buildx build`
    Buildx,
    /// `docker buildx bake`
    Bake,
    /// `docker compose build`, `docker compose up --build`, and a service of a Compose file
    Compose,
    /// `podman build`
    Podman,
    /// `buildah build`, `buildah bud`
    Buildah,
    /// `nerdctl build`
    Nerdctl,
    /// `devcontainer build`
    Devcontainer,
    /// `rocker`
    Rocker,
}

impl Front {
    /// What one types, or names, to have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BuildPushAction => "docker/build-push-action",
            Self::BakeAction => "docker/bake-action",
            Self::Docker => "docker build",
            Self::Buildx => "docker buildx build",
            Self::Bake => "docker buildx bake",
            Self::Compose => "docker compose",
            Self::Podman => "podman build",
            Self::Buildah => "buildah build",
            Self::Nerdctl => "nerdctl build",
            Self::Devcontainer => "devcontainer build",
            Self::Rocker => "rocker",
        }
    }
}

/// What a file says about builds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wiring {
    /// The builds, ordered by place.
    pub builds: Vec<Build>,
    /// Builds that are there, but of which nothing can be said.
    pub unknown: Vec<Unknown>,
    /// Dockerfiles within the file.
    pub inline: Vec<Inline>,
    /// Other files of the repository that it runs: what they build is built as this one says.
    pub calls: Vec<Call>,
    /// The jobs that wait for others to end, with the names of these; names that are no job's stand for groups of them.
    pub order: Vec<(String, Vec<String>)>,
}

/// A call of another file: a reusable workflow, an action of the same repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Where it stands.
    pub span: Span,
    /// The job that calls.
    pub job: Option<String>,
    /// The file's path from the repository's root; for an action its folder, in which `action.yml` stands.
    pub path: String,
    /// How often it runs at once.
    pub runs: Runs,
    /// Whether each run of the job has a machine of its own, and its builder there.
    pub own_machine: bool,
    /// The inputs that it passes, as written.
    pub with: Vec<Arg>,
}

impl Wiring {
    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.builds.is_empty()
            && self.unknown.is_empty()
            && self.inline.is_empty()
            && self.calls.is_empty()
    }
}

/// One build: a step, a command, a target, a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// What runs it.
    pub front: Front,
    /// What to call it: ``job `test`, step 3``, ``target `app` ``, ``service `web` ``.
    pub name: String,
    /// Where it stands: what a finding underlines.
    pub span: Span,
    /// What it builds.
    pub what: What,
    /// The stage that it is built up to, where that is said and known.
    pub target: Option<String>,
    /// The build arguments that it passes.
    pub args: Vec<Arg>,
    /// Whether these are all: not where a variable or an expression may hold more.
    pub args_known: bool,
    /// What the file sets in the environment of the build: what a Compose or bake file makes of `${NAME}`.
    pub env: Vec<Arg>,
    /// How often it runs at once.
    pub runs: Runs,
    /// The job that it belongs to, where the format has jobs.
    pub job: Option<String>,
    /// The name of the target or service itself, where the format has such.
    pub id: Option<String>,
    /// Whether it only adds to a build of its name in another file: it says neither what is built nor from where.
    pub partial: bool,
    /// Whether each run of its job has a machine of its own, and its builder there.
    pub own_machine: bool,
    /// The other jobs that run it as well: it stands in a template, behind an anchor, in a command that several use. With
    /// any, it counts as several jobs.
    pub others: Vec<String>,
}

/// What a build builds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// The Dockerfile at this path: relative to the folder that the format starts from (the repository's root for
    /// pipelines, the file's own folder for Compose and bake), `/` between names, `.` and `..` taken out as far as they go.
    File(String),
    /// One of the file's own, by its index in [`Wiring::inline`].
    Inline(usize),
    /// What a Compose or bake file says: its path as in [`What::File`], the services or targets (none: its default), and the
    /// folder that the command runs in, where that is known.
    Files(Vec<String>, Vec<String>, Option<String>),
}

/// A build argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// Its name.
    pub name: String,
    /// Its value as written, expressions and variables in it; where it is one variable that the file itself sets (an
    /// `env:` of the step, the job or the workflow), what that is set to. `None` where the value comes from outside.
    pub value: Option<String>,
    /// Where it stands.
    pub span: Span,
    /// The variables of the environment that the value is made of, where the file is one that takes such.
    pub from: Vec<String>,
}

impl Arg {
    /// Pays for `count` of them in memory: each build has its own, and a few lines can hand thousands down to thousands of
    /// builds. Returns whether there may be so many.
    fn pay(count: usize) -> bool {
        budget::spend(count.saturating_mul(4 * size_of::<Self>()))
    }
}

/// The variables that are being looked up, each made of the next: one that is made of itself has no value.
#[derive(Clone, Copy)]
struct Looked<'l> {
    name: &'l str,
    outer: Option<&'l Self>,
}

impl Looked<'_> {
    fn is_among(name: &str, looked: Option<&Self>) -> bool {
        std::iter::successors(looked, |looked| looked.outer).any(|looked| looked.name == name)
    }
}

/// The name of an [`Arg`] that stands for the lane argument, whatever that is called: `cachelane run` passes it.
pub const ANY_LANE: &str = "*";

/// What [`Arg::from`] holds where the value is a name of the file's own that looks like a variable, and that no environment
/// sets.
pub const NO_VARIABLE: &str = "=";

/// How often a build runs at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runs {
    /// Once for each run of its job.
    Once,
    /// Once for each combination of these axes, of which each has at least two values.
    Matrix(Vec<String>),
}

/// A build of which nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Where it stands.
    pub span: Span,
    /// Why nothing can be said, for people.
    pub why: String,
}

/// A Dockerfile within another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline {
    /// Its text, as the engine gets it.
    pub text: String,
    /// Where its bytes stand in the file: pieces of `text`, in order, each with its first byte there and in the file.
    /// Within a piece both run alike. Empty where it cannot be edited in place (escapes, folded lines).
    pub pieces: Vec<Piece>,
    /// Where it stands in the file as a whole.
    pub span: Span,
    /// What has to be escaped in text that is put into it.
    pub escapes: Escapes,
    /// How its lines end in the file.
    pub newline: &'static str,
}

/// What a file would take for its own in the text of an [`Inline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// Compose puts variables in: a `$` is written `$$`.
    Dollar,
    /// HCL's templates: `${` and `%{` are written `$${` and `%%{`.
    Template,
}

/// A stretch of an [`Inline`] that stands in the file byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its first byte in the Dockerfile's text.
    pub text: usize,
    /// Its first byte in the file.
    pub file: usize,
    /// Its length in bytes.
    pub len: usize,
    /// What every line that is put into it has to begin with, in columns of blanks.
    pub indent: usize,
    /// How many of these are missing before it: an empty line need not have them.
    pub missing: usize,
}

/// The argument that is to be passed.
#[derive(Clone, Copy, Debug)]
pub struct Lane<'a> {
    /// The name of the argument.
    pub arg: &'a str,
    /// Its value for builds that pass none.
    pub default: &'a str,
    /// Whether another job builds the same Dockerfile.
    pub shared: bool,
}

/// What is wrong with a file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WiringError {
    /// Where, as far as that is known.
    pub span: Span,
    /// What, for people.
    pub message: String,
}

/// What the file `source` says about builds.
///
/// # Errors
/// [`WiringError`] where it cannot be read as what it is.
pub fn read(kind: Kind, source: &str) -> Result<Wiring, WiringError> {
    match kind {
        Kind::Github => github::read(source),
        Kind::Compose => compose::read(source),
        Kind::BakeHcl | Kind::BakeJson => bake::read(source),
        Kind::Gitlab => gitlab::read(source),
        Kind::Buildkite => buildkite::read(source),
    }
}

/// The kind of the file at `path`, relative to the repository's root or to any folder, by its name and folder; `None`
/// for all others.
#[must_use]
pub fn kind(path: &str) -> Option<Kind> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name
        .strip_suffix(".yml")
        .or_else(|| name.strip_suffix(".yaml"));
    let is_in = |end: &str| {
        folder == end
            || folder
                .strip_suffix(end)
                .is_some_and(|rest| rest.ends_with('/'))
    };
    let is_compose = |stem: &str| {
        let words = ["compose", "docker-compose"];
        let rest = words.iter().find_map(|word| stem.strip_prefix(word));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    };
    match stem {
        Some(_) if is_in(".github/workflows") => return Some(Kind::Github),
        Some("action") => return Some(Kind::Github),
        Some(stem) if is_compose(stem) => return Some(Kind::Compose),
        Some(_) if is_in(".buildkite") => return Some(Kind::Buildkite),
        Some(".gitlab-ci") => return Some(Kind::Gitlab),
        Some(stem) if stem.ends_with(".gitlab-ci") || is_in(".gitlab/ci") => {
            return Some(Kind::Gitlab);
        }
        Some(_) => return None,
        None => {}
    }
    let bake = name
        .strip_prefix("docker-bake")
        .filter(|rest| rest.starts_with(['.', '-']))?;
    match bake.rsplit('.').next()? {
        "hcl" => Some(Kind::BakeHcl),
        "json" => Some(Kind::BakeJson),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_go_by_name_and_folder() {
        for (path, expected) in [
            (".github/workflows/ci.yml", Some(Kind::Github)),
            ("a/.github/workflows/ci.yaml", Some(Kind::Github)),
            ("x.github/workflows/ci.yml", None),
            ("build/action.yml", Some(Kind::Github)),
            (".gitlab-ci.yml", Some(Kind::Gitlab)),
            ("ci/build.gitlab-ci.yml", Some(Kind::Gitlab)),
            ("config.yml", None),
            (".buildkite/pipeline.yml", Some(Kind::Buildkite)),
            (".buildkite/docker-compose.yml", Some(Kind::Compose)),
            ("azure-pipelines.yml", None),
            ("docker-compose.yml", Some(Kind::Compose)),
            ("compose.prod.yaml", Some(Kind::Compose)),
            ("docker-compose-dev.yml", Some(Kind::Compose)),
            ("composer.yml", None),
            ("docker-bake.hcl", Some(Kind::BakeHcl)),
            ("docker-bake.override.json", Some(Kind::BakeJson)),
            ("docker-bake-ci.hcl", Some(Kind::BakeHcl)),
            ("docker-bakery.hcl", None),
            ("values.yaml", None),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }
}
