//! A pipeline of GitLab's: jobs in stages or by `needs`, with a matrix of variables, a queue, and a daemon of their own.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::{self, Display, Write as _};

use proptest::prelude::*;
use proptest::sample::select;
use yaml_serde::Value as Yaml;

use super::github::product;
use super::reckon::{self, Queue, Sees, Turn, Within};
use super::world::{self, Part, Row, Step, Value};
use crate::ids::made::LANE;

/// The names of values, in the order of the text.
const NAMES: &[&str] = &["py", "os", world::FILES, world::ARCH];

/// An axis of a second list of combinations, with values that no other has.
const MORE: (&str, &[&str]) = ("more", &["m1", "m2"]);

#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// True where all jobs have a daemon of their own by default.
    pub has_daemons: bool,
    /// The lane in the environment of all its jobs.
    pub env: Option<Value>,
    pub jobs: Vec<Job>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub machine: Value,
    pub stage: usize,
    /// The numbers of the jobs that it waits for in place of the stages before its own.
    pub needs: Option<BTreeSet<usize>>,
    /// The lists of combinations.
    pub matrix: Vec<BTreeMap<String, Vec<String>>>,
    pub queue: Option<Value>,
    pub env: Option<Value>,
    /// Whether it has a daemon of its own, if it says so.
    pub has_daemon: Option<bool>,
    pub steps: Vec<Step>,
}

fn job() -> impl Strategy<Value = (Job, Vec<bool>)> {
    let more = prop::collection::btree_set(select(MORE.1), 1..3);
    let parts = (
        world::machine(),
        0..3_usize,
        prop::option::weighted(0.4, prop::collection::btree_set(0..4_usize, 0..2)),
        (world::axes(), prop::option::weighted(0.3, more)),
        prop::option::weighted(0.1, world::value()),
        prop::option::weighted(0.15, world::value()),
        prop::option::weighted(0.15, any::<bool>()),
        prop::collection::vec(world::step(), 1..3),
    );
    parts.prop_map(
        |(machine, stage, needs, (axes, more), queue, env, has_daemon, steps)| {
            let (steps, takes) = steps.into_iter().unzip();
            let more = more.map(|values| {
                let values = values.into_iter().map(str::to_owned).collect();
                BTreeMap::from([(MORE.0.to_owned(), values)])
            });
            let lists = [Some(axes), more].into_iter().flatten();
            let job = Job {
                machine,
                stage,
                needs,
                matrix: lists.filter(|axes| !axes.is_empty()).collect(),
                queue: queue.map(|value| Value::joined(vec![Value::text("q"), value])),
                env,
                has_daemon,
                steps,
            };
            (job, takes)
        },
    )
}

pub fn pipeline() -> impl Strategy<Value = Pipeline> {
    let parts = (
        prop::bool::weighted(0.1),
        prop::option::weighted(
            0.1,
            select(vec![Value::text("ci"), Value(vec![Part::Branch])]),
        ),
        prop::collection::vec(job(), 1..4),
    );
    parts.prop_map(|(has_daemons, env, jobs)| {
        let mut pipeline = Pipeline {
            has_daemons,
            env,
            jobs: Vec::new(),
        };
        for (number, (mut job, takes)) in jobs.into_iter().enumerate() {
            let earlier = &pipeline.jobs;
            // A job can need those of its stage and of the ones before.
            let may_need = |needed: &usize| *needed < number && earlier[*needed].stage <= job.stage;
            job.needs
                .iter_mut()
                .for_each(|needs| needs.retain(may_need));
            for (step, takes) in job.steps.iter_mut().zip(takes) {
                (step.is_action, step.env) = (false, None);
                let rows = job.matrix.iter().all(|axes| axes.contains_key(world::ARCH));
                let has_arch = rows && !job.matrix.is_empty();
                let platforms = step.platforms.iter_mut().filter(|_| !has_arch);
                platforms.for_each(Value::without_arch);
                if takes && (job.env.is_some() || pipeline.env.is_some()) {
                    step.args.insert(LANE.into(), Value(vec![Part::Env]));
                }
            }
            job.keep();
            pipeline.jobs.push(job);
        }
        pipeline
    })
}

impl Job {
    /// Puts texts in place of what the job has not: variables that are not set are the runner's.
    fn keep(&mut self) {
        let axes = self.matrix.clone();
        let is_axis = |axis: &str| axes.iter().any(|axes| axes.contains_key(axis));
        let is_kept = |part: &Part| match part {
            Part::Matrix(axis) => is_axis(axis),
            Part::Workflow | Part::Input | Part::Or(..) => false,
            _ => true,
        };
        let own = [&mut self.queue, &mut self.env].into_iter().flatten();
        own.chain([&mut self.machine])
            .for_each(|value| value.keep(&is_kept));
        // A stage by a variable that a row lacks is one that the file has not.
        let is_set = |part: &Part| match part {
            Part::Matrix(axis) => axes.iter().all(|axes| axes.contains_key(axis)),
            _ => true,
        };
        for step in &mut self.steps {
            step.target.take_if(|target| !target.0.iter().all(is_set));
            let target = step.target.iter_mut().chain([&mut step.file]);
            target.for_each(|value| value.keep(&is_kept));
            step.args
                .values_mut()
                .for_each(|value| value.keep(&is_kept));
        }
    }

    fn rows(&self) -> Vec<Row> {
        if self.matrix.is_empty() {
            return vec![Row::new()];
        }
        self.matrix.iter().flat_map(product).collect()
    }
}

/// Returns the name by which GitLab tells the runs of a job apart, of letters, digits and dashes.
fn slug(job: usize, row: &Row) -> String {
    let names = NAMES.iter().copied().chain([MORE.0]);
    let values: Vec<&str> = names
        .filter_map(|name| Some(row.get(name)?.as_str()))
        .collect();
    let name = match &values[..] {
        [] => format!("j{job}"),
        values => format!("j{job}: [{}]", values.join(", ")),
    };
    let sign = |sign: char| {
        if sign.is_ascii_alphanumeric() {
            sign
        } else {
            '-'
        }
    };
    let slug: String = name.chars().map(sign).take(63).collect();
    slug.trim_matches('-').to_owned()
}

/// Returns whether no lane can be written for a job: the names of two runs are one.
pub fn has_one_name(pipeline: &Pipeline, job: usize) -> bool {
    let mut seen = HashSet::new();
    let rows = pipeline.jobs[job].rows();
    !rows.iter().all(|row| seen.insert(slug(job, row)))
}

/// Returns the runs of the jobs of the pipeline, the file `source`.
pub fn turns(pipeline: &Pipeline, source: usize) -> Vec<Turn<'_>> {
    let right_before = |job: usize| -> Vec<usize> {
        let it = &pipeline.jobs[job];
        let earlier = |other: &usize| pipeline.jobs[*other].stage < it.stage;
        match &it.needs {
            Some(needs) => needs.iter().copied().collect(),
            None => (0..pipeline.jobs.len()).filter(earlier).collect(),
        }
    };
    let mut turns = Vec::new();
    for (number, job) in pipeline.jobs.iter().enumerate() {
        for (row_number, row) in job.rows().into_iter().enumerate() {
            let sees = Sees {
                job: slug(number, &row),
                root: source,
                row,
                input: String::new(),
                env: job.env.as_ref().or(pipeline.env.as_ref()),
            };
            let queue = job.queue.iter().map(|queue| Queue {
                is_github: false,
                name: sees.text(queue),
                depth: 1,
            });
            let machine = sees.text(&job.machine);
            turns.push(Turn {
                within: vec![Within {
                    source,
                    job: number,
                    row: row_number,
                    is_sequential: false,
                    before: reckon::before(number, &right_before),
                    events: super::world::EVENTS.to_vec(),
                }],
                queues: queue.collect(),
                is_alone: job.has_daemon.unwrap_or(pipeline.has_daemons)
                    || machine.starts_with("saas-"),
                machine,
                steps: &job.steps,
                sees,
            });
        }
    }
    turns
}

fn variable(axis: &str) -> String {
    axis.to_uppercase()
}

struct Shown<'v>(&'v Value);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.iter().try_for_each(|part| match part {
            Part::Text(text) => write!(f, "{text}"),
            Part::Matrix(axis) => write!(f, "${}", variable(axis)),
            Part::Job => write!(f, "$CI_JOB_NAME_SLUG"),
            Part::Branch => write!(f, "$CI_COMMIT_REF_SLUG"),
            Part::Env => write!(f, "${LANE}"),
            Part::Workflow | Part::Input | Part::Or(..) => Err(fmt::Error),
        })
    }
}

impl Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "stages: [s0, s1, s2]")?;
        if self.has_daemons {
            writeln!(f, "default:\n  services: [docker:dind]")?;
        }
        variables(f, "", self.env.as_ref())?;
        self.jobs.iter().enumerate().try_for_each(|(number, job)| {
            writeln!(f, "j{number}:")?;
            write!(f, "{job}")
        })
    }
}

fn variables(f: &mut fmt::Formatter<'_>, indent: &str, value: Option<&Value>) -> fmt::Result {
    let Some(value) = value else { return Ok(()) };
    writeln!(
        f,
        "{indent}variables:\n{indent}  {LANE}: \"{}\"",
        Shown(value)
    )
}

impl Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  stage: s{}", self.stage)?;
        writeln!(f, "  tags: [\"{}\"]", Shown(&self.machine))?;
        match self.has_daemon {
            Some(true) => writeln!(f, "  services: [docker:27-dind]")?,
            Some(false) => writeln!(f, "  services: []")?,
            None => {}
        }
        if let Some(needs) = &self.needs {
            let needs: Vec<String> = needs.iter().map(|job| format!("j{job}")).collect();
            writeln!(f, "  needs: {needs:?}")?;
        }
        if let Some(queue) = &self.queue {
            writeln!(f, "  resource_group: \"{}\"", Shown(queue))?;
        }
        variables(f, "  ", self.env.as_ref())?;
        if !self.matrix.is_empty() {
            writeln!(f, "  parallel:\n    matrix:")?;
        }
        for axes in &self.matrix {
            let names = NAMES.iter().copied().chain([MORE.0]);
            let axes = names.filter_map(|name| Some((name, axes.get(name)?)));
            let mut start = "-";
            for (name, values) in axes {
                writeln!(f, "      {start} {}: {values:?}", variable(name))?;
                start = " ";
            }
        }
        writeln!(f, "  script:")?;
        for step in &self.steps {
            write!(f, "    - docker build")?;
            if let Some(platforms) = &step.platforms {
                write!(f, " --platform {}", Shown(platforms))?;
            }
            if let Some(target) = &step.target {
                write!(f, " --target s{}", Shown(target))?;
            }
            for (name, value) in &step.args {
                write!(f, " --build-arg {name}={}", Shown(value))?;
            }
            writeln!(f, " d{}", Shown(&step.file))?;
        }
        f.write_char('\n')
    }
}

fn value(text: &str) -> Value {
    let text = text.trim_matches('"');
    let mut value = Value(Vec::new());
    let mut parts = text.split('$');
    let first = parts.next().unwrap();
    if !first.is_empty() {
        value.push(Part::Text(first.to_owned()));
    }
    for part in parts {
        let is_end = |sign: char| !sign.is_ascii_alphanumeric() && sign != '_';
        let (name, behind) = part.split_at(part.find(is_end).unwrap_or(part.len()));
        value.push(match name {
            LANE => Part::Env,
            "CI_JOB_NAME_SLUG" => Part::Job,
            "CI_COMMIT_REF_SLUG" => Part::Branch,
            axis => Part::Matrix(axis.to_lowercase()),
        });
        if !behind.is_empty() {
            value.push(Part::Text(behind.to_owned()));
        }
    }
    value
}

/// Returns `pipeline` with what the steps of `text` pass.
pub fn read(pipeline: &Pipeline, text: &str) -> Pipeline {
    let root: Yaml = yaml_serde::from_str(text).unwrap();
    let mut pipeline = pipeline.clone();
    for (number, job) in pipeline.jobs.iter_mut().enumerate() {
        let script = root[format!("j{number}").as_str()]["script"].as_sequence();
        let script = script.unwrap();
        assert_eq!(script.len(), job.steps.len());
        for (step, command) in job.steps.iter_mut().zip(script) {
            let command = command.as_str().unwrap();
            let args = command.split(" --build-arg ").skip(1).map(|rest| {
                let (name, behind) = rest.split_once('=').unwrap();
                let text = behind.split(' ').next().unwrap();
                (name.to_owned(), value(text))
            });
            step.args = args.collect();
        }
    }
    pipeline
}
