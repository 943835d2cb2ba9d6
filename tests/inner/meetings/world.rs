//! Made-up repositories: Dockerfiles, and workflows whose jobs build them.

use std::collections::BTreeMap;
use std::fmt;

use proptest::prelude::*;
use proptest::sample::select;

use crate::ids::made::{File, LANE, Line, Mount, Stage};

/// The argument that some ids are made of, besides the lane.
pub const OWN: &str = "OWN";

/// The values of a matrix, or a combination of them.
pub type Row = BTreeMap<String, String>;

#[derive(Clone, PartialEq)]
pub struct World {
    /// Each is `d0/Dockerfile`, `d1/Dockerfile` and so on.
    pub files: Vec<File>,
    pub workflows: Vec<Workflow>,
}

impl fmt::Debug for World {
    /// Shows the texts of the files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, file) in self.files.iter().enumerate() {
            write!(f, "\n-- d{number}/Dockerfile\n{file}")?;
        }
        let mut workflows = self.workflows.iter().enumerate();
        workflows.try_for_each(|(number, it)| write!(f, "\n-- w{number}.yml\n{it}"))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    pub queue: Option<Value>,
    /// The lane in the environment of all its jobs.
    pub env: Option<Value>,
    pub jobs: Vec<Job>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The label of its runner: one of GitHub's, or of a machine that jobs share.
    pub machine: Value,
    /// The numbers of the jobs before it.
    pub needs: Vec<usize>,
    pub axes: BTreeMap<String, Vec<String>>,
    pub exclude: Vec<Row>,
    pub include: Vec<Row>,
    /// True where its runs follow one another.
    pub is_sequential: bool,
    pub queue: Option<Value>,
    pub env: Option<Value>,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub is_action: bool,
    /// The number of the Dockerfile.
    pub file: Value,
    /// The number of the stage to build; the last by default.
    pub target: Option<Value>,
    pub env: Option<Value>,
    pub args: BTreeMap<String, Value>,
}

/// A text as a workflow has it, with expressions.
#[derive(Clone, Debug, PartialEq)]
pub struct Value(pub Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    Matrix(String),
    Job,
    Workflow,
    /// The branch: the same for all that run at once.
    Branch,
    /// The lane in the environment.
    Env,
}

impl Value {
    pub fn text(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    fn matrix(axis: &str) -> Self {
        Self(vec![Part::Matrix(axis.to_owned())])
    }

    /// Returns these values with dashes in between.
    fn joined(values: Vec<Self>) -> Self {
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
}

/// The axis whose values are numbers of Dockerfiles.
const FILES: &str = "svc";

const VALUES: &[&str] = &["x", "x", "y", "x-y", "y-x", "3.10", "a/b", "ubuntu-x"];

fn row(axes: &'static [&'static str]) -> impl Strategy<Value = Row> {
    prop::collection::btree_map(select(axes), select(VALUES), 1..3).prop_map(|row| {
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        row.into_iter().map(text).collect()
    })
}

fn axes() -> impl Strategy<Value = BTreeMap<String, Vec<String>>> {
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
    )
        .prop_map(|(py, os, svc)| [py, os, svc].into_iter().flatten().collect())
}

/// A constant, or what tells jobs apart; a lane in the environment, where there is one.
fn value() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        3 => select(vec!["py", "py", "os"]).prop_map(Value::matrix),
        2 => select(vec!["ci", "x", "x-y", "default"]).prop_map(Value::text),
        1 => Just(Value(vec![Part::Job])),
        1 => Just(Value(vec![Part::Workflow])),
        1 => Just(Value(vec![Part::Branch])),
    ];
    prop::collection::vec(one, 1..4).prop_map(Value::joined)
}

fn without_matrix() -> impl Strategy<Value = Value> {
    select(vec![
        Value::text("ci"),
        Value::text("q"),
        Value(vec![Part::Workflow]),
        Value::joined(vec![Value::text("q"), Value(vec![Part::Branch])]),
    ])
}

/// A step, and whether it takes the lane from the environment where there is one.
fn step() -> impl Strategy<Value = (Step, bool)> {
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
    );
    parts.prop_map(
        |(is_action, file, target, env, lane, own, namespace, takes)| {
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
                env: env.filter(|_| !is_action),
                args: args
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                    .collect(),
            };
            (step, takes)
        },
    )
}

fn job() -> impl Strategy<Value = (Job, Vec<bool>)> {
    const BOTH: &[&str] = &["py", "os"];
    const ALL: &[&str] = &["py", "os", "more"];
    let matrix = (
        axes(),
        prop::collection::vec(row(BOTH), 0..2),
        prop::collection::vec(row(ALL), 0..2),
        prop::bool::weighted(0.1),
    );
    let parts = (
        prop_oneof![
            7 => Just(Value::text("self-hosted")),
            1 => Just(Value::text("ubuntu-24.04")),
            2 => Just(Value::matrix("os")),
        ],
        prop::collection::btree_set(0..4_usize, 0..2),
        matrix,
        prop::option::weighted(
            0.1,
            prop_oneof![
                value().prop_map(|value| Value::joined(vec![Value::text("q"), value])),
                without_matrix(),
            ],
        ),
        prop::option::weighted(0.15, value()),
        prop::collection::vec(step(), 1..3),
    );
    parts.prop_map(
        |(machine, needs, (axes, exclude, include, is_sequential), queue, env, steps)| {
            let (steps, takes) = steps.into_iter().unzip();
            let job = Job {
                machine,
                needs: needs.into_iter().collect(),
                axes,
                exclude,
                include,
                is_sequential,
                queue,
                env,
                steps,
            };
            (job, takes)
        },
    )
}

fn workflow() -> impl Strategy<Value = Workflow> {
    let parts = (
        prop::option::weighted(0.1, without_matrix()),
        prop::option::weighted(0.1, without_matrix()),
        prop::collection::vec(job(), 1..4),
    );
    parts.prop_map(|(queue, env, jobs)| {
        let mut workflow = Workflow {
            queue,
            env,
            jobs: Vec::new(),
        };
        for (number, (mut job, takes)) in jobs.into_iter().enumerate() {
            job.needs.retain(|needed| *needed < number);
            // An exclude has to leave something, of values that are there; a matrix is needed for both.
            if job.axes.is_empty() || super::reckon::rows(&job).is_empty() {
                job.exclude.clear();
            }
            let is_known = |row: &Row| row.keys().all(|name| job.axes.contains_key(name));
            job.exclude.retain(is_known);
            // Without a label no job runs.
            let rows = super::reckon::rows(&job);
            if !rows.iter().all(|row| row.contains_key("os")) && job.machine == Value::matrix("os")
            {
                job.machine = Value::text("self-hosted");
            }
            for (step, takes) in job.steps.iter_mut().zip(takes) {
                let outer = job.env.as_ref().or(workflow.env.as_ref());
                let has_env = outer.is_some() || step.env.is_some();
                if takes && has_env {
                    step.args.insert(LANE.into(), Value(vec![Part::Env]));
                }
            }
            workflow.jobs.push(job);
        }
        workflow
    })
}

fn id() -> impl Strategy<Value = String> {
    let forms = vec![
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
    (select(vec!["apt", "apt", "pip"]), select(forms))
        .prop_map(|(text, form)| format!("{text}{form}"))
}

fn stage() -> impl Strategy<Value = (bool, Stage)> {
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
    let mount = (id(), prop::bool::weighted(0.85));
    let mounts = prop::collection::vec(mount, 1..3);
    (any::<bool>(), lane, own, mounts).prop_map(|(is_image, lane, own, mounts)| {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let mount = |(number, (id, is_locked)): (usize, (String, bool))| Mount {
            id: Some(id),
            target: format!("/t{number}"),
            sharing: is_locked.then(|| "locked".to_owned()),
        };
        let lines = vec![
            Line::Arg(LANE.into(), text(lane)),
            Line::Arg(OWN.into(), text(own)),
            Line::Run(mounts.into_iter().enumerate().map(mount).collect()),
        ];
        (is_image, Stage { base: None, lines })
    })
}

fn file() -> impl Strategy<Value = File> {
    prop::collection::vec(stage(), 1..3).prop_map(|stages| {
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

pub fn world() -> impl Strategy<Value = World> {
    let files = prop::collection::vec(file(), 3);
    let workflows = prop::collection::vec(workflow(), 1..3);
    (files, workflows).prop_map(|(files, workflows)| World { files, workflows })
}
