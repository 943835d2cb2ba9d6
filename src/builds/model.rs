//! The model that all formats are read into: builds, their Dockerfiles and arguments.

use std::fmt;
use std::sync::Arc;

use super::builder::{Builder, Builders};
use super::platforms::Platforms;
use crate::budget;
use crate::text::{SourceMap, Span};

pub use super::tool::BuildTool;

/// A file that builds images, as its format reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildFile {
    /// The builds, ordered by place.
    pub builds: Vec<Build>,
    /// Builds of which nothing can be said.
    pub unknown: Vec<Unknown>,
    /// Dockerfiles within the file.
    pub inline: Vec<Inline>,
    /// Other files of the repository that this file runs: they build as this one says.
    pub calls: Vec<Call>,
    /// The caches that it fills before builds.
    pub fills: Vec<Fill>,
    /// Jobs, each with those that it waits for.
    pub order: Vec<(Ordered, Vec<Ordered>)>,
}

/// A job, or a group of jobs that end before the next begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ordered {
    Job(String),
    Stage(usize),
}

impl Inline {
    /// Returns the place of `span` in the file; the whole Dockerfile where that is unclear.
    pub fn to_file(&self, span: Span) -> Span {
        self.map.to_source(span).unwrap_or(self.span)
    }
}

impl BuildFile {
    /// Adds a Dockerfile within the file, unless it is there already.
    pub(super) fn add_inline(&mut self, inline: Inline) -> Subject {
        let is_same = |other: &Inline| other.span == inline.span && other.text == inline.text;
        let index = self.inline.iter().position(is_same);
        Subject::Inline(index.unwrap_or_else(|| {
            self.inline.push(inline);
            self.inline.len() - 1
        }))
    }

    pub fn is_empty(&self) -> bool {
        self.builds.is_empty()
            && self.unknown.is_empty()
            && self.inline.is_empty()
            && self.calls.is_empty()
            && self.fills.is_empty()
    }
}

/// A cache that a CI fills before builds, and keeps after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The place that names it.
    pub span: Span,
    pub caches: Filled,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The one that `--mount` with these options has.
    Mount(String),
    /// All that the Dockerfile at this path, from the repository's root, has.
    Dockerfile(String),
}

/// A call of another file: a reusable workflow, or an action of the same repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub span: Span,
    pub job: Option<String>,
    /// The file's path from the repository's root; for an action the folder of its `action.yml`.
    pub path: String,
    pub runs: Runs,
    /// The builders that the caller's step sees; a step of an action sees them, too.
    pub builders: Builders,
    /// The runs of its job.
    pub legs: Vec<Leg>,
    /// What it hands to the inputs of that file.
    pub inputs: Vec<Arg>,
    /// The machine that each input names, if it is the label of a runner.
    pub machines: Vec<(String, Builder)>,
}

/// One build: a step, a command, a target, a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    pub tool: BuildTool,
    /// The name for messages: ``job `test`, step 3``, ``target `app` ``, ``service `web` ``.
    pub name: String,
    /// The place that a finding underlines.
    pub span: Span,
    pub subject: Subject,
    /// The last stage to build, where that is said and known.
    pub target: Option<String>,
    pub platforms: Platforms,
    pub args: Vec<Arg>,
    /// False where a variable or an expression may hold more.
    pub args_known: bool,
    /// The environment that the file sets for the build: the source of `${NAME}` in Compose and bake files.
    pub env: Env,
    pub runs: Runs,
    /// The jobs that run it: several where it stands in a template, behind an anchor, or in a shared command. Then it
    /// counts as several builds.
    pub jobs: Vec<String>,
    /// Its runs, one for each job and row of the job's matrix; none outside of jobs.
    pub legs: Vec<Leg>,
    pub service: Option<Service>,
    pub builder: Builder,
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
            platforms: Platforms::default(),
            args: Vec::new(),
            args_known: true,
            env: Env::default(),
            runs: Runs::Once,
            jobs: Vec::new(),
            legs: Vec::new(),
            service: None,
            builder: Builder::Shared,
        }
    }

    pub fn id(&self) -> Option<&str> {
        Some(self.service.as_ref()?.name.as_str())
    }

    pub fn is_partial(&self) -> bool {
        self.service.as_ref().is_some_and(|service| service.partial)
    }
}

/// A run of a build: a job, and one combination of its matrix.
#[derive(Clone, Debug)]
pub struct Leg {
    /// The job's name; `None` in an action of steps, which runs within the jobs that use it.
    pub job: Option<String>,
    /// Its number among the runs of the job.
    pub number: usize,
    /// The values that tell it apart, for messages: `py=3.10, os=jammy`.
    pub label: String,
    /// True where the runs of the job follow one another.
    pub sequential: bool,
    /// The queues in which it waits for its turn.
    pub queues: Vec<Queue>,
    pub values: Arc<dyn Values>,
}

impl PartialEq for Leg {
    fn eq(&self, other: &Self) -> bool {
        (&self.job, self.number, &self.label) == (&other.job, other.number, &other.label)
    }
}

impl Eq for Leg {}

/// A group of which one member runs at a time: GitHub's `concurrency`, GitLab's `resource_group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The group's name, as written.
    pub name: String,
    /// True where a whole run of the file is the member, whose own jobs run at once.
    pub whole: bool,
}

/// The values that texts of a file have in one run.
pub trait Values: fmt::Debug + Send + Sync {
    /// Returns `text` with the values that it has in this run. A name whose value is the same in all runs that can
    /// overlap stands between [`SAME`]. `None` where the value is unknown.
    fn value(&self, text: &str) -> Option<String>;

    /// Returns the lane that `cachelane id` gives this run, in the same way.
    fn lane(&self) -> Option<String>;
}

/// Stands around a name in a value; no text holds it.
pub const SAME: char = '\u{1}';

/// The name that stands for the workflow that a run belongs to, or the run of it.
pub const WORKFLOW: &str = "github.workflow";

/// Returns the value of a name that is the same in all runs that can overlap.
pub fn same(name: &str) -> String {
    format!("{SAME}{name}{SAME}")
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub name: String,
    /// True where it only adds to a build of its name in another file: it names neither Dockerfile nor context.
    pub partial: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The path of a Dockerfile, relative to the folder that the format starts from (the repository's root for
    /// pipelines, the file's own folder for Compose and bake), `/` between names, `.` and `..` resolved as far as
    /// possible.
    File(String),
    /// An index into [`BuildFile::inline`].
    Inline(usize),
    Files(Files),
    /// The snippets and templates of the repository, which rocker joins.
    Snippets,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Files {
    /// The files, each merged over those before it.
    pub paths: Vec<Place>,
    /// The services or targets; none for the files' default.
    pub names: Vec<String>,
    /// The folder that the command runs in, where known.
    pub folder: Option<String>,
}

/// The place of a tool's files; paths are as in [`Subject::File`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    File(String),
    /// The files with the usual names in this folder; empty for the folder that everything is relative to.
    Folder(String),
}

impl fmt::Display for Subject {
    /// Writes `Dockerfile`, `inline 0`, `a.yml+b.yml:web+db`, or `folder/:` for the usual files of a folder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(path),
            Self::Inline(index) => write!(f, "inline {index}"),
            Self::Snippets => f.write_str("snippets"),
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSource {
    /// Variables of the environment.
    Variables(Vec<String>),
    /// A name of the file's own that looks like a variable, and that no environment sets.
    Attribute,
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
}

impl Arg {
    pub fn new(name: impl Into<ArgName>, value: Option<String>, span: Span) -> Self {
        Self {
            name: name.into(),
            value,
            span,
            from: ValueSource::Variables(Vec::new()),
        }
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

/// The way to a value of a matrix: its name, and behind it those of nested values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AxisPath(Vec<String>);

impl AxisPath {
    pub(super) fn names(&self) -> &[String] {
        &self.0
    }

    /// Returns the way to the value `name` within this one.
    pub(super) fn within(&self, name: &str) -> Self {
        Self([&self.0[..], &[name.to_owned()]].concat())
    }
}

impl<N: AsRef<str> + ?Sized> From<&N> for AxisPath {
    fn from(name: &N) -> Self {
        Self(vec![name.as_ref().to_owned()])
    }
}

impl fmt::Display for AxisPath {
    /// Writes a path as users call it: `config.py version`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// The number of runs of a build at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runs {
    Once,
    /// Once for each combination of these axes, each of which has at least two values.
    Matrix(Vec<AxisPath>),
}

impl Runs {
    pub fn of(axes: Vec<AxisPath>) -> Self {
        if axes.is_empty() {
            Self::Once
        } else {
            Self::Matrix(axes)
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    pub span: Span,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline {
    /// The text, as the engine gets it.
    pub text: String,
    /// The place of each byte in the file; empty where the text cannot be edited in place (escapes, folded lines).
    pub map: SourceMap,
    pub span: Span,
    pub escapes: Escapes,
    pub newline: &'static str,
}

/// Text of an [`Inline`] that the file around would interpret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// Compose puts variables in: a `$` is written `$$`.
    Dollar,
    /// HCL's templates: `${` and `%{` are written `$${` and `%%{`.
    Template,
}

#[derive(Clone, Copy, Debug)]
pub struct Lane<'a> {
    pub arg: &'a str,
    /// The value for builds that pass none.
    pub default: &'a str,
    pub parts: &'a Parts,
}

/// What the value of a lane needs besides the values of the matrix, to differ between all runs that can overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The job's name.
    pub job: bool,
    /// The workflow's name: jobs of several files have one name.
    pub workflow: bool,
    /// An input that each caller of the file sets to another value.
    pub input: Option<String>,
    /// The values that choose the Dockerfile, too: runs that build another one take the same lock.
    pub other_files: bool,
    pub joint: Joint,
}

/// The sign between the values of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joint {
    /// `-`
    #[default]
    Short,
    /// `--`, where values can meet when `-` joins them: `x` and `y-z`, `x-y` and `z`.
    Long,
}

impl Joint {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Short => "-",
            Self::Long => "--",
        }
    }
}

impl Parts {
    /// Nothing more than the values of the matrix.
    #[cfg(feature = "internals")]
    pub const NONE: &'static Self = &Self {
        job: false,
        workflow: false,
        input: None,
        other_files: false,
        joint: Joint::Short,
    };
    /// The job's name.
    #[cfg(feature = "internals")]
    pub const JOB: &'static Self = &Self {
        job: true,
        workflow: false,
        input: None,
        other_files: false,
        joint: Joint::Short,
    };
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    pub span: Span,
    pub message: String,
}

impl ReadError {
    /// Makes the error of a file, all of it `span`, that is no pipeline.
    pub fn no_mapping(span: Span) -> Self {
        let message = "it has no mapping at its top".to_owned();
        Self { span, message }
    }
}
