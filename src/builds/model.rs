//! The model that all formats are read into: builds, their Dockerfiles and arguments.

use std::fmt;
use std::sync::Arc;

pub use super::args::{Arg, ArgName, Env, NAMESPACE, ValueSource};
use super::builder::{Builder, Builders};
pub use super::lane::{Joint, Lane, Parts};
pub use super::no_cache::NoCache;
use super::platforms::{PlatformText, Platforms};
pub use super::service::{PathsFrom, Service, TargetLeg};
pub use super::sources::{Extended, Source};
pub use super::tool::BuildTool;
use crate::text::marks::SAME;
use crate::text::{SourceMap, Span};

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
    /// Compose files from which this one takes services.
    pub sources: Vec<Source>,
    /// The caches that it fills before builds.
    pub fills: Vec<Fill>,
    /// The groups of targets that bake builds by one name.
    pub groups: Vec<Group>,
    /// Jobs, each with those that it waits for.
    pub order: Vec<(Ordered, Vec<Ordered>)>,
    pub triggers: Triggers,
    /// The builders behind the steps of an action.
    pub builders: Builders,
}

/// The ways in which a file starts, beside its calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Triggers {
    /// The name that other files know it by.
    pub name: Option<String>,
    /// True where something else than a call starts it.
    pub by_itself: bool,
    /// The names of the files of which one has to end before it starts; none where something else starts it, too.
    pub after: Vec<String>,
    /// Its inputs with the values that they have where a caller gives none.
    pub inputs: Vec<Arg>,
    /// Those of them that are no texts.
    pub untyped: Vec<String>,
}

/// Targets of a bake file that have one name together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    /// The names of targets and other groups.
    pub members: Vec<String>,
}

/// A job, or a group of jobs that end before the next begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ordered {
    Job(String),
    Stage(usize),
}

impl Unknown {
    /// Makes that of a file, all of it `span`, that is no pipeline.
    pub(super) fn no_mapping(span: Span) -> Self {
        let why = "the file has no mapping at its top".to_owned();
        Self { span, why }
    }
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
            && self.sources.is_empty()
            && self.fills.is_empty()
            && self.builders == Builders::default()
    }
}

/// A cache that a CI fills before builds, and keeps after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// The place that names it.
    pub span: Span,
    pub caches: Filled,
    /// The job that fills it; `None` in an action of steps.
    pub job: Option<String>,
    /// The way to write another id there, or the reason why a person has to.
    pub renaming: Result<Renaming, String>,
}

/// The place for the id of a cache that is filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renaming {
    pub span: Span,
    /// The text around the id there.
    pub before: String,
    pub behind: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The one that `--mount` with these options has.
    Mount(String),
    /// All that the Dockerfile at this path, from the repository's root, has.
    Dockerfile(String),
    /// Those whose id is one of these texts, which have expressions.
    Quoted(Vec<String>),
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
    /// The values that it hands to the inputs of that file.
    pub inputs: Vec<Arg>,
    /// The machine that each input names, if it is the label of a runner.
    pub machines: Vec<(String, Builder)>,
}

impl Call {
    /// Returns whether the jobs of that file are this one's own.
    pub const fn is_include(&self) -> bool {
        self.job.is_none() && self.legs.is_empty()
    }
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
    /// The same as written, where a command or an action names them.
    pub platform_texts: Vec<PlatformText>,
    pub args: Vec<Arg>,
    /// False where a variable or an expression may hold more.
    pub args_known: bool,
    /// The environment that the file sets for the build: the source of `${NAME}` in Compose and bake files.
    pub env: Env,
    /// False where what the command runs has nothing of its caller's environment.
    pub keeps_env: bool,
    pub runs: Runs,
    /// The jobs that run it: several where it stands in a template, behind an anchor, or in a shared command. Then it
    /// counts as several builds.
    pub jobs: Vec<String>,
    /// Its runs, one for each job and row of the job's matrix; none outside of jobs.
    pub legs: Vec<Leg>,
    pub service: Option<Service>,
    pub builder: Builder,
    pub no_cache: Option<NoCache>,
    /// True where it builds only the images that are not there.
    pub only_missing: bool,
    /// For one that runs the commands of another file: the builders that these see.
    pub builders: Option<Arc<Builders>>,
    /// The variables that make's command line sets; one without a value is known to a run only.
    pub given: Vec<(String, Option<String>)>,
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
            platform_texts: Vec::new(),
            args: Vec::new(),
            args_known: true,
            env: Env::default(),
            keeps_env: true,
            runs: Runs::Once,
            jobs: Vec::new(),
            legs: Vec::new(),
            service: None,
            builder: Builder::Shared,
            no_cache: None,
            only_missing: false,
            builders: None,
            given: Vec::new(),
        }
    }

    pub fn id(&self) -> Option<&str> {
        Some(self.service.as_ref()?.name.as_str())
    }

    /// Returns whether it is a command of a Makefile or a script, which somebody else runs.
    pub fn is_of_script(&self) -> bool {
        self.service
            .as_ref()
            .is_some_and(|service| service.of_script)
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
    /// The labels that its runner has, as written.
    pub labels: Vec<String>,
    /// The condition under which the job runs, as written.
    pub condition: Option<Arc<str>>,
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

    /// Returns `text` with the values of its expressions alone: what a shell makes of it stays as it is.
    fn filled(&self, text: &str) -> Option<String>;
}

/// The name that stands for the name of the workflow that a run belongs to.
pub const WORKFLOW: &str = "github.workflow";

/// The name that stands for the run of a workflow.
pub const RUN: &str = "github.run_id";

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The path of a Dockerfile, relative to the folder that the format starts from (the repository's root for
    /// pipelines, the file's own folder for Compose and bake), `/` between names, `.` and `..` resolved as far as
    /// possible.
    File(String),
    /// An index into [`BuildFile::inline`].
    Inline(usize),
    Files(Files),
    ByInputs(ByInputs),
    /// The snippets and templates of the repository, which rocker joins.
    Snippets,
}

/// A Dockerfile by inputs of the file, which its callers set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ByInputs {
    /// Paths as in [`Subject::File`], with the names of inputs between [`SAME`]: the first that is not empty counts.
    pub paths: Vec<String>,
    /// The reason why it is unknown where a caller does not say.
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Files {
    /// The files, each merged over those before it.
    pub paths: Vec<FilesAt>,
    /// The services or targets; none for the files' default.
    pub names: Vec<String>,
    /// The folder that the command runs in, where known.
    pub folder: Option<String>,
}

/// The place of a tool's files; paths are as in [`Subject::File`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FilesAt {
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
            Self::ByInputs(by) => f.write_str(&by.paths.join(" or ").replace(SAME, "$")),
            Self::Files(files) => {
                let path = |place: &FilesAt| match place {
                    FilesAt::File(path) => path.clone(),
                    FilesAt::Folder(path) => format!("{path}/"),
                };
                let paths: Vec<String> = files.paths.iter().map(path).collect();
                write!(f, "{}:{}", paths.join("+"), files.names.join("+"))
            }
        }
    }
}

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

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    pub span: Span,
    pub message: String,
}
