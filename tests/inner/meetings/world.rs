//! Made-up repositories: Dockerfiles, and files of several formats that build them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::select;

use super::github::{self, Workflow};
use super::gitlab::{self, Pipeline};
use crate::ids::made::{File, LANE, Line, Mount, Stage};

/// The argument that some ids are made of, besides the lane.
pub const OWN: &str = "OWN";

/// The values of a matrix, or a combination of them.
pub type Row = BTreeMap<String, String>;

#[derive(Clone, PartialEq)]
pub struct World {
    /// Each is `d0/Dockerfile`, `d1/Dockerfile` and so on.
    pub files: Vec<File>,
    pub sources: Vec<Source>,
    /// True where the configuration takes `OWN` for a lane, too.
    pub is_own_a_lane: bool,
}

/// What a made-up repository has.
#[derive(Clone)]
pub struct Kinds {
    pub workflows: Range<usize>,
    pub pipelines: Range<usize>,
    /// True where the last workflow is called by the others.
    pub has_calls: bool,
    /// True where builds name their platforms.
    pub has_platforms: bool,
    pub is_own_a_lane: bool,
}

impl Kinds {
    pub const NONE: Self = Self {
        workflows: 0..1,
        pipelines: 0..1,
        has_calls: false,
        has_platforms: false,
        is_own_a_lane: false,
    };
}

/// A file that builds.
#[derive(Clone, PartialEq)]
pub enum Source {
    Github(Workflow),
    Gitlab(Pipeline),
}

impl Source {
    pub fn path(&self, number: usize) -> String {
        match self {
            Self::Github(_) => format!(".github/workflows/w{number}.yml"),
            Self::Gitlab(_) => ".gitlab-ci.yml".to_owned(),
        }
    }

    /// Returns it with what the steps of `text` pass.
    pub fn read(&self, text: &str) -> Self {
        match self {
            Self::Github(it) => Self::Github(github::read(it, text)),
            Self::Gitlab(it) => Self::Gitlab(gitlab::read(it, text)),
        }
    }

    /// Returns the steps of each job.
    pub fn steps(&self) -> Vec<&[Step]> {
        match self {
            Self::Github(it) => it.jobs.iter().map(|job| &job.steps[..]).collect(),
            Self::Gitlab(it) => it.jobs.iter().map(|job| &job.steps[..]).collect(),
        }
    }

    /// Returns the numbers of the job and the step whose first line in `text` has this byte.
    pub fn step_at(&self, text: &str, at: usize) -> (usize, usize) {
        let above = &text[..text[at..].find('\n').map_or(text.len(), |end| at + end)];
        let starts = match self {
            Self::Github(_) => ["      - uses: docker/", "      - run: "],
            Self::Gitlab(_) => ["    - docker build"; 2],
        };
        let is_first = |line: &&str| starts.iter().any(|start| line.starts_with(start));
        let last = above.lines().last();
        assert!(last.as_ref().is_some_and(is_first), "{above}");
        let mut step = above.lines().filter(is_first).count() - 1;
        for (job, steps) in self.steps().into_iter().enumerate() {
            match step.checked_sub(steps.len()) {
                Some(left) => step = left,
                None => return (job, step),
            }
        }
        panic!("{text}");
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Github(it) => it.fmt(f),
            Self::Gitlab(it) => it.fmt(f),
        }
    }
}

impl fmt::Debug for World {
    /// Shows the texts of the files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, file) in self.files.iter().enumerate() {
            write!(f, "\n-- d{number}/Dockerfile\n{file}")?;
        }
        let mut sources = self.sources.iter().enumerate();
        sources.try_for_each(|(number, it)| write!(f, "\n-- {}\n{it}", it.path(number)))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The number of the Dockerfile.
    pub file: Value,
    /// The number of the stage to build; the last by default.
    pub target: Option<Value>,
    /// The platforms to build for.
    pub platforms: Option<Value>,
    pub args: BTreeMap<String, Value>,
    /// True for an action of GitHub's.
    pub is_action: bool,
    /// The lane in its environment, which only a step of GitHub's has.
    pub env: Option<Value>,
}

/// A text as a file of builds has it, with expressions or variables.
#[derive(Clone, Debug, PartialEq)]
pub struct Value(pub Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    Matrix(String),
    /// A value of the matrix, or else a text.
    Or(String, String),
    Job,
    Workflow,
    /// The branch: the same for all that run at once.
    Branch,
    /// The lane in the environment.
    Env,
    /// The input of a called workflow.
    Input,
}

impl Value {
    pub fn text(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    pub fn matrix(axis: &str) -> Self {
        Self(vec![Part::Matrix(axis.to_owned())])
    }

    pub fn or(axis: &str, text: &str) -> Self {
        Self(vec![Part::Or(axis.to_owned(), text.to_owned())])
    }

    /// Returns these values with dashes in between.
    pub fn joined(values: Vec<Self>) -> Self {
        let mut all = Self(Vec::new());
        for value in values {
            if !all.0.is_empty() {
                all.push(Part::Text("-".to_owned()));
            }
            value.0.into_iter().for_each(|part| all.push(part));
        }
        all
    }

    pub fn push(&mut self, part: Part) {
        match (self.0.last_mut(), part) {
            (Some(Part::Text(text)), Part::Text(more)) => text.push_str(&more),
            (_, part) => self.0.push(part),
        }
    }

    /// Puts the platform in place where not all runs have an architecture.
    pub fn without_arch(&mut self) {
        if self.0.contains(&Part::Matrix(ARCH.to_owned())) {
            *self = Self::text("linux/arm64");
        }
    }

    /// Puts a text in place of each part that the file cannot have.
    pub fn keep(&mut self, is_kept: &dyn Fn(&Part) -> bool) {
        for part in std::mem::take(&mut self.0) {
            let kept = is_kept(&part);
            self.push(if kept { part } else { Part::Text("k".into()) });
        }
    }
}

/// The axis whose values are numbers of Dockerfiles.
pub const FILES: &str = "svc";

/// The events that start a workflow: one more than a condition on two of them tells apart, since `on` is not compared.
pub const EVENTS: [&str; 3] = ["push", "pull_request", "workflow_dispatch"];

/// The axis whose values are architectures.
pub const ARCH: &str = "arch";

pub const VALUES: &[&str] = &["x", "x", "y", "x-y", "y-x", "3.10", "a/b", "ubuntu-x"];

pub fn axes() -> impl Strategy<Value = BTreeMap<String, Vec<String>>> {
    let axis = |name: &'static str, values: &'static [&'static str]| {
        let values = prop::collection::btree_set(select(values), 1..4);
        let values = prop::option::weighted(0.5, values);
        values.prop_map(move |values| {
            let texts = |value: &str| value.to_owned();
            Some((name.to_owned(), values?.into_iter().map(texts).collect()))
        })
    };
    (
        axis("py", VALUES),
        axis("os", VALUES),
        axis(FILES, &["0", "1", "2"]),
        axis(ARCH, &["amd64", "arm64"]),
    )
        .prop_map(|(py, os, svc, arch)| [py, os, svc, arch].into_iter().flatten().collect())
}

/// A constant, or what tells jobs apart.
pub fn value() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        3 => select(vec!["py", "py", "os"]).prop_map(Value::matrix),
        2 => select(vec!["ci", "x", "x-y", "default"]).prop_map(Value::text),
        1 => select(vec![Part::Job, Part::Workflow, Part::Branch]).prop_map(|part| Value(vec![part])),
        1 => Just(Value(vec![Part::Input])),
        1 => select(vec!["py", "os", "more"]).prop_map(|axis| Value::or(axis, "y")),
    ];
    prop::collection::vec(one, 1..4).prop_map(Value::joined)
}

/// The label of a machine: of one that jobs share, or that each job has for itself.
pub fn machine() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => Just(Value::text("self-hosted")),
        1 => select(vec!["arm64-box", "linux_x64", "x64-arm64"]).prop_map(Value::text),
        1 => Just(Value::text("ubuntu-24.04")),
        2 => Just(Value::matrix("os")),
        1 => select(vec!["self-hosted", "ubuntu-24.04"]).prop_map(|text| Value::or("os", text)),
    ]
}

/// A step, and whether it takes the lane from the environment where there is one.
pub fn step() -> impl Strategy<Value = (Step, bool)> {
    let file = prop_oneof![
        2 => select(vec!["0", "1", "2"]).prop_map(Value::text),
        1 => Just(Value::matrix(FILES)),
    ];
    let target = prop_oneof![
        1 => select(vec!["0", "1"]).prop_map(Value::text),
        1 => Just(Value::matrix(FILES)),
    ];
    let parts = (
        any::<bool>(),
        file,
        prop::option::weighted(0.3, target),
        prop::option::weighted(0.1, value()),
        prop::option::weighted(0.3, value()),
        prop::option::weighted(0.2, value()),
        prop::option::weighted(0.05, value()),
        prop::bool::weighted(0.5),
        prop_oneof![
            select(vec![
                "linux/amd64",
                "linux/arm64/v8",
                "linux/amd64,linux/arm64"
            ])
            .prop_map(Value::text),
            Just(Value(vec![
                Part::Text("linux/".into()),
                Part::Matrix(ARCH.into())
            ])),
        ],
    );
    parts.prop_map(
        |(is_action, file, target, env, lane, own, namespace, takes, platforms)| {
            let args = [
                (LANE, lane),
                (OWN, own),
                ("BUILDKIT_CACHE_MOUNT_NS", namespace),
            ];
            let args = args.into_iter();
            let step = Step {
                is_action,
                file,
                target,
                platforms: Some(platforms),
                env: env.filter(|_| !is_action),
                args: args
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                    .collect(),
            };
            (step, takes)
        },
    )
}

fn id(has_platforms: bool) -> impl Strategy<Value = String> {
    let mut forms = vec![
        "",
        "",
        "-$CACHE_ID",
        "-${CACHE_ID}",
        "-${CACHE_ID}",
        "-${CACHE_ID:-d}",
        "${CACHE_ID:+-${CACHE_ID}}",
        "-${OWN}",
        "-${OWN:-o}-${CACHE_ID}",
    ];
    if has_platforms {
        forms.extend([
            "-$TARGETARCH",
            "-${TARGETARCH}-${CACHE_ID}",
            "-${CACHE_ID}-${TARGETPLATFORM}",
        ]);
    }
    (select(vec!["apt", "apt", "pip"]), select(forms))
        .prop_map(|(text, form)| format!("{text}{form}"))
}

fn stage(has_platforms: bool) -> impl Strategy<Value = (bool, Stage)> {
    let lane = select(vec![
        Some("default"),
        Some("default"),
        Some("main"),
        Some("x"),
        None,
    ]);
    let own = select(vec![
        Some("1"),
        Some("x"),
        None,
        Some("$CACHE_ID"),
        Some("k-${CACHE_ID}"),
    ]);
    let mount = (id(has_platforms), prop::bool::weighted(0.85));
    let mounts = prop::collection::vec(mount, 1..3);
    (any::<bool>(), lane, own, mounts).prop_map(move |(is_image, lane, own, mounts)| {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let mount = |(number, (id, is_locked)): (usize, (String, bool))| Mount {
            id: Some(id),
            target: format!("/t{number}"),
            sharing: is_locked.then(|| "locked".to_owned()),
        };
        let mut lines = vec![
            Line::Arg(LANE.into(), text(lane)),
            Line::Arg(OWN.into(), text(own)),
        ];
        if has_platforms {
            lines.extend(PLATFORM.map(|name| Line::Arg(name.into(), None)));
        }
        lines.push(Line::Run(
            mounts.into_iter().enumerate().map(mount).collect(),
        ));
        (is_image, Stage { base: None, lines })
    })
}

/// BuildKit's arguments that ids are made of.
pub const PLATFORM: [&str; 2] = ["TARGETARCH", "TARGETPLATFORM"];

fn file(has_platforms: bool) -> impl Strategy<Value = File> {
    prop::collection::vec(stage(has_platforms), 1..3).prop_map(|stages| {
        let stages = stages
            .into_iter()
            .enumerate()
            .map(|(index, (is_image, stage))| Stage {
                base: index.checked_sub(1).filter(|_| !is_image),
                ..stage
            });
        File {
            globals: Vec::new(),
            stages: stages.collect(),
        }
    })
}

/// A repository of these kinds.
pub fn world(kinds: &Kinds) -> impl Strategy<Value = World> + use<> {
    let (has_calls, has_platforms) = (kinds.has_calls, kinds.has_platforms);
    let is_own_a_lane = kinds.is_own_a_lane;
    let files = prop::collection::vec(file(has_platforms), 3);
    let workflows = prop::collection::vec(github::workflow(), kinds.workflows.clone());
    let pipelines = prop::collection::vec(gitlab::pipeline(), kinds.pipelines.clone());
    (files, workflows, pipelines).prop_map(move |(files, mut workflows, mut pipelines)| {
        github::connect(&mut workflows, has_calls);
        let jobs = workflows.iter_mut().flat_map(|it| &mut it.jobs);
        let steps = jobs.flat_map(|job| &mut job.steps);
        let jobs = pipelines.iter_mut().flat_map(|it| &mut it.jobs);
        for step in steps.chain(jobs.flat_map(|job| &mut job.steps)) {
            step.platforms = step.platforms.take().filter(|_| has_platforms);
        }
        let workflows = workflows.into_iter().map(Source::Github);
        let pipelines = pipelines.into_iter().map(Source::Gitlab);
        World {
            files,
            sources: workflows.chain(pipelines).collect(),
            is_own_a_lane,
        }
    })
}
