//! What all formats are read into: the builds of a file, what they build and with which arguments.

use std::fmt;
use std::sync::Arc;

use crate::budget;
use crate::text::{SourceMap, Span};

/// What builds an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BuildTool {
    BuildPushAction,
    BakeAction,
    /// `docker build`, `docker image build`, `docker builder build`
    Docker,
    Buildx,
    Bake,
    /// `docker compose build`, `docker compose up --build`, and a service of a Compose file
    Compose,
    Podman,
    /// `buildah build`, `buildah bud`
    Buildah,
    Nerdctl,
    Devcontainer,
    Rocker,
}

impl BuildTool {
    /// Returns what one types, or names, to have it.
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

    /// Returns whether it builds the targets of bake files.
    pub const fn is_bake(self) -> bool {
        matches!(self, Self::Bake | Self::BakeAction)
    }

    /// Returns whether it takes Buildah's options, and looks for a `Containerfile` first.
    pub const fn is_buildah(self) -> bool {
        matches!(self, Self::Podman | Self::Buildah)
    }
}

/// What a file says about builds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildFile {
    /// The builds, ordered by place.
    pub builds: Vec<Build>,
    /// Builds that are there, but of which nothing can be said.
    pub unknown: Vec<Unknown>,
    pub inline: Vec<Inline>,
    /// Other files of the repository that it runs: what they build is built as this one says.
    pub calls: Vec<Call>,
    /// The jobs that wait for others to end, each with these.
    pub order: Vec<(Ordered, Vec<Ordered>)>,
}

/// What ends before others start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ordered {
    Job(String),
    /// All jobs of a stage, by its index.
    Stage(usize),
}

impl Inline {
    /// Returns where `span` of the text stands in the file; the Dockerfile as a whole where that cannot be said.
    pub fn to_file(&self, span: Span) -> Span {
        self.map.to_source(span).unwrap_or(self.span)
    }
}

impl BuildFile {
    /// Adds a Dockerfile within the file, unless that is there; returns what a build of it builds.
    pub(super) fn add_inline(&mut self, inline: Inline) -> Subject {
        let is_same = |other: &Inline| other.span == inline.span && other.text == inline.text;
        let index = self.inline.iter().position(is_same);
        Subject::Inline(index.unwrap_or_else(|| {
            self.inline.push(inline);
            self.inline.len() - 1
        }))
    }

    /// Returns whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        self.builds.is_empty()
            && self.unknown.is_empty()
            && self.inline.is_empty()
            && self.calls.is_empty()
    }
}

/// A call of another file: a reusable workflow, an action of the same repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub span: Span,
    pub job: Option<String>,
    /// The file's path from the repository's root; for an action its folder, in which `action.yml` stands.
    pub path: String,
    pub runs: Runs,
    /// Whether each run of the job has its builder on a machine of its own.
    pub own_machine: bool,
}

/// One build: a step, a command, a target, a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    pub tool: BuildTool,
    /// What to call it: ``job `test`, step 3``, ``target `app` ``, ``service `web` ``.
    pub name: String,
    /// Where it stands: what a finding underlines.
    pub span: Span,
    pub subject: Subject,
    /// The stage that it is built up to, where that is said and known.
    pub target: Option<String>,
    pub args: Vec<Arg>,
    /// Whether these are all: not where a variable or an expression may hold more.
    pub args_known: bool,
    /// What the file sets in the environment of the build: what a Compose or bake file makes of `${NAME}`.
    pub env: Env,
    pub runs: Runs,
    /// The jobs that run it, where the format has jobs: several where it stands in a template, behind an anchor, in a
    /// command that several use. Then it counts as several builds.
    pub jobs: Vec<String>,
    /// The target or service that it is, where the format has such.
    pub service: Option<Service>,
    /// As in [`Call::own_machine`].
    pub own_machine: bool,
}

impl Build {
    /// Makes a build that passes nothing, once and of no job.
    pub fn new(tool: BuildTool, name: impl Into<String>, span: Span, subject: Subject) -> Self {
        Self {
            tool,
            name: name.into(),
            span,
            subject,
            target: None,
            args: Vec::new(),
            args_known: true,
            env: Env::default(),
            runs: Runs::Once,
            jobs: Vec::new(),
            service: None,
            own_machine: false,
        }
    }

    /// Returns the name of the target or service that it is.
    pub fn id(&self) -> Option<&str> {
        Some(self.service.as_ref()?.name.as_str())
    }

    /// Returns whether it only adds to a build of its name in another file.
    pub fn is_partial(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.partial)
    }
}

/// A target of a bake file, or a service of a Compose file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub name: String,
    /// Whether it only adds to a build of its name in another file: it says neither what is built nor from where.
    pub partial: bool,
}

/// What a build builds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The Dockerfile at this path: relative to the folder that the format starts from (the repository's root for
    /// pipelines, the file's own folder for Compose and bake), `/` between names, `.` and `..` taken out as far as they go.
    File(String),
    /// One of the file's own, by its index in [`BuildFile::inline`].
    Inline(usize),
    /// What Compose or bake files say.
    Files(Files),
}

/// What a command takes of Compose or bake files.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Files {
    /// The files, each laid over those before it.
    pub paths: Vec<Place>,
    /// The services or targets; none for the files' default.
    pub names: Vec<String>,
    /// The folder that the command runs in, where that is known.
    pub folder: Option<String>,
}

/// Where a tool finds its files; paths are as in [`Subject::File`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    File(String),
    /// Those with their usual names in this folder; empty for the one that everything is relative to.
    Folder(String),
}

impl fmt::Display for Subject {
    /// Writes `Dockerfile`, `inline 0`, `a.yml+b.yml:web+db`, or `folder/:` for the usual files of a folder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(path),
            Self::Inline(index) => write!(f, "inline {index}"),
            Self::Files(files) => {
                let path = |place: &Place| match place {
                    Place::File(path) => path.clone(),
                    Place::Folder(path) => format!("{path}/"),
                };
                let paths: Vec<String> = files.paths.iter().map(path).collect();
                write!(f, "{}:{}", paths.join("+"), files.names.join("+"))
            }
        }
    }
}

/// Where the value of an argument comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSource {
    /// These variables of the environment, where the file is one that takes such.
    Variables(Vec<String>),
    /// A name of the file's own that looks like a variable, and that no environment sets.
    Attribute,
}

/// A build argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    pub name: String,
    /// Its value as written, expressions and variables in it; where it is one variable that the file itself sets (an
    /// `env:` of the step, the job or the workflow), what that is set to. `None` where the value comes from outside.
    pub value: Option<String>,
    pub span: Span,
    pub from: ValueSource,
}

impl Arg {
    /// Makes one that has its value from no environment.
    pub fn new(name: impl Into<String>, value: Option<String>, span: Span) -> Self {
        Self {
            name: name.into(),
            value,
            span,
            from: ValueSource::Variables(Vec::new()),
        }
    }

    /// Pays for `count` of them in memory: each build has its own, and a few lines can hand thousands down to thousands of
    /// builds. Returns whether there may be so many.
    pub(super) fn pay(count: usize) -> bool {
        budget::spend(count.saturating_mul(4 * size_of::<Self>()))
    }
}

/// The variables of an environment: lists of them, the nearest first, that all who have them share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env(Vec<Arc<[Arg]>>);

impl Env {
    /// Returns it with nearer variables before its own.
    pub fn with(&self, nearer: Vec<Arg>) -> Self {
        let nearer = if nearer.is_empty() {
            Self::default()
        } else {
            Self(vec![nearer.into()])
        };
        nearer.before(self)
    }

    /// Returns it with `outer` behind its own.
    pub fn before(&self, outer: &Self) -> Self {
        if !budget::spend(16 * (self.0.len() + outer.0.len())) {
            return Self::default();
        }
        Self([&self.0[..], &outer.0[..]].concat())
    }

    /// Returns all of them, the nearest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arg> {
        self.0.iter().flat_map(|list| list.iter())
    }

    /// Returns the nearest one of this name.
    pub fn get(&self, name: &str) -> Option<&Arg> {
        self.iter()
            .take_while(|_| budget::spend(1))
            .find(|arg| arg.name == name)
    }
}

/// The name of an [`Arg`] that stands for the lane argument, whatever that is called: `cachelane run` passes it.
pub const ANY_LANE: &str = "*";

/// The build argument that is BuildKit's own namespace for all cache mounts of a build.
pub const NAMESPACE: &str = "BUILDKIT_CACHE_MOUNT_NS";

/// How often a build runs at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runs {
    /// Once for each run of its job.
    Once,
    /// Once for each combination of these axes, of which each has at least two values.
    Matrix(Vec<String>),
}

impl Runs {
    /// Returns how often a build runs at once whose runs differ in these axes.
    pub fn of(axes: Vec<String>) -> Self {
        if axes.is_empty() {
            Self::Once
        } else {
            Self::Matrix(axes)
        }
    }
}

/// A build of which nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    pub span: Span,
    /// Why nothing can be said, for people.
    pub why: String,
}

/// A Dockerfile within another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline {
    /// Its text, as the engine gets it.
    pub text: String,
    /// Where its bytes stand in the file; empty where it cannot be edited in place (escapes, folded lines).
    pub map: SourceMap,
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

/// A file cannot be read as what its name says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    /// Where, as far as that is known.
    pub span: Span,
    /// What is wrong, for people.
    pub message: String,
}

impl ReadError {
    /// Fails with a file, of which `span` is all, that is none of a pipeline.
    pub fn no_mapping(span: Span) -> Self {
        let message = "it has no mapping at its top".to_owned();
        Self { span, message }
    }
}
