//! Workflows of GitHub's: jobs with a matrix, queues and an order, and a workflow that the jobs of others call.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use proptest::sample::select;

use super::reckon::{self, Queue, Sees, Turn, Within};
use super::world::{self, Part, Row, Source, Step, VALUES, Value, World};
use crate::ids::made::LANE;

mod text;

pub use text::read;

#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    /// How others can call it, if they can.
    pub called: Option<Called>,
    pub queue: Option<Value>,
    /// The lane in the environment of all its jobs.
    pub env: Option<Value>,
    pub jobs: Vec<Job>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Called {
    /// True where a person can start it, too.
    pub by_itself: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub machine: Value,
    /// The comparison of the event for which it runs.
    pub condition: Option<(&'static str, &'static str)>,
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
    /// What it calls in place of steps.
    pub call: Option<Call>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The number of the workflow.
    pub workflow: usize,
    pub input: Value,
}

fn row(axes: &'static [&'static str]) -> impl Strategy<Value = Row> {
    prop::collection::btree_map(select(axes), select(VALUES), 1..3).prop_map(|row| {
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        row.into_iter().map(text).collect()
    })
}

fn without_matrix() -> impl Strategy<Value = Value> {
    select(vec![
        Value::text("ci"),
        Value::text("q"),
        Value(vec![Part::Workflow]),
        Value::joined(vec![Value::text("q"), Value(vec![Part::Branch])]),
    ])
}

fn job() -> impl Strategy<Value = (Job, Vec<bool>)> {
    const BOTH: &[&str] = &["py", "os"];
    const ALL: &[&str] = &["py", "os", "more"];
    let matrix = (
        world::axes(),
        prop::collection::vec(row(BOTH), 0..2),
        prop::collection::vec(row(ALL), 0..2),
        prop::bool::weighted(0.1),
    );
    let condition = (select(vec!["==", "!="]), select(&world::EVENTS[..]));
    let parts = (
        (world::machine(), prop::option::weighted(0.2, condition)),
        prop::collection::btree_set(0..4_usize, 0..2),
        matrix,
        prop::option::weighted(
            0.1,
            prop_oneof![
                world::value().prop_map(|value| Value::joined(vec![Value::text("q"), value])),
                without_matrix(),
            ],
        ),
        prop::option::weighted(0.15, world::value()),
        prop::collection::vec(world::step(), 1..3),
        prop::option::weighted(0.5, world::value()),
    );
    parts.prop_map(
        |(
            (machine, condition),
            needs,
            (axes, exclude, include, is_sequential),
            queue,
            env,
            steps,
            input,
        )| {
            let (steps, takes) = steps.into_iter().unzip();
            let job = Job {
                machine,
                condition,
                needs: needs.into_iter().collect(),
                axes,
                exclude,
                include,
                is_sequential,
                queue,
                env,
                steps,
                call: input.map(|input| Call { workflow: 0, input }),
            };
            (job, takes)
        },
    )
}

pub fn workflow() -> impl Strategy<Value = Workflow> {
    let parts = (
        prop::option::weighted(0.1, without_matrix()),
        prop::option::weighted(0.1, without_matrix()),
        prop::collection::vec(job(), 1..4),
        prop::bool::weighted(0.2),
    );
    parts.prop_map(|(queue, env, jobs, by_itself)| {
        let mut workflow = Workflow {
            called: Some(Called { by_itself }),
            queue,
            env,
            jobs: Vec::new(),
        };
        for (mut job, takes) in jobs {
            // Nor does a job run where one before it does not.
            let jobs = &workflow.jobs;
            let always = |job: &usize| jobs.get(*job).is_some_and(|job| job.condition.is_none());
            job.needs.retain(always);
            // An exclude has to leave something, of values that are there; a matrix is needed for both.
            if job.axes.is_empty() || rows(&job).is_empty() {
                job.exclude.clear();
            }
            let is_known = |row: &Row| row.keys().all(|name| job.axes.contains_key(name));
            job.exclude.retain(is_known);
            // Without a label no job runs.
            let rows = rows(&job);
            if !rows.iter().all(|row| row.contains_key("os")) && job.machine == Value::matrix("os")
            {
                job.machine = Value::text("self-hosted");
            }
            let has_arch = rows.iter().all(|row| row.contains_key(world::ARCH));
            for (step, takes) in job.steps.iter_mut().zip(takes) {
                let platforms = step.platforms.iter_mut().filter(|_| !has_arch);
                platforms.for_each(Value::without_arch);
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

/// Makes the last one the one that others call, where there are calls.
pub fn connect(workflows: &mut [Workflow], has_calls: bool) {
    let last = workflows.len().checked_sub(1);
    let callee = last.filter(|last| has_calls && *last > 0);
    for (number, workflow) in workflows.iter_mut().enumerate() {
        let is_callee = callee == Some(number);
        if is_callee {
            // It waits as a part of its callers.
            workflow.queue = None;
        } else {
            workflow.called = None;
        }
        for job in &mut workflow.jobs {
            // That of the caller may be another one.
            job.condition = job.condition.take_if(|_| !is_callee);
            match callee.filter(|_| !is_callee) {
                Some(callee) => job.call.iter_mut().for_each(|call| call.workflow = callee),
                None => job.call = None,
            }
            if job.call.is_some() {
                job.steps.clear();
                job.env = None;
            }
            let is_kept = |part: &Part| *part != Part::Input || is_callee;
            job.each_value(&mut |value| value.keep(&is_kept));
        }
    }
}

impl Job {
    fn events(&self) -> Vec<&'static str> {
        let is_for = |event: &&str| match self.condition {
            Some((sign, of)) => (sign == "==") == (*event == of),
            None => true,
        };
        world::EVENTS.into_iter().filter(is_for).collect()
    }

    fn each_value(&mut self, keep: &mut dyn FnMut(&mut Value)) {
        let own = [&mut self.queue, &mut self.env];
        own.into_iter().flatten().for_each(&mut *keep);
        for step in &mut self.steps {
            step.env.iter_mut().for_each(&mut *keep);
            step.args.values_mut().for_each(&mut *keep);
        }
        self.call.iter_mut().for_each(|call| keep(&mut call.input));
    }
}

impl Workflow {
    /// Returns whether a lane can be written for a step of the job.
    pub fn can_have_lane(&self, job: usize, step: &Step) -> bool {
        let job = &self.jobs[job];
        let has_env = step.env.is_some() || job.env.is_some() || self.env.is_some();
        let is_plain = |value: &String| !value.is_empty() && !value.contains('/');
        let rows = rows(job);
        let mut names = rows.iter().flat_map(Row::keys);
        let is_safe = names.all(|name| rows.iter().all(|row| row.get(name).is_some_and(is_plain)));
        is_safe && (step.is_action || !has_env)
    }
}

/// Returns the combinations of a job's matrix, as GitHub's documents have them.
pub fn rows(job: &Job) -> Vec<Row> {
    let mut rows = product(&job.axes);
    let has_all = |row: &Row, some: &Row| {
        some.iter()
            .all(|(name, value)| row.get(name) == Some(value))
    };
    rows.retain(|row| !job.exclude.iter().any(|excluded| has_all(row, excluded)));
    if job.axes.is_empty() && !job.include.is_empty() {
        return job.include.clone();
    }
    let own = rows.clone();
    for more in &job.include {
        let is_own = |name: &String| job.axes.contains_key(name);
        let fits = |row: &Row| {
            more.iter()
                .all(|(name, value)| !is_own(name) || row.get(name) == Some(value))
        };
        let mut found = false;
        for (row, _) in rows.iter_mut().zip(&own).filter(|(_, own)| fits(own)) {
            found = true;
            row.extend(more.clone());
        }
        if !found {
            rows.push(more.clone());
        }
    }
    rows
}

/// Returns each combination of values.
pub fn product(axes: &BTreeMap<String, Vec<String>>) -> Vec<Row> {
    let mut rows = vec![Row::new()];
    for (name, values) in axes {
        let with = |row: &Row, value: &String| {
            let mut row = row.clone();
            row.insert(name.clone(), value.clone());
            row
        };
        let longer = rows
            .iter()
            .flat_map(|row| values.iter().map(move |value| with(row, value)));
        rows = longer.collect();
    }
    rows
}

/// What runs a workflow: an event, or a run of a job that calls it.
struct Caller {
    within: Vec<Within>,
    queues: Vec<Queue>,
    root: usize,
    input: String,
}

/// Returns the runs of the jobs of the workflow `source`, by all its callers.
pub fn turns(world: &World, source: usize) -> Vec<Turn<'_>> {
    let workflow = of(world, source).expect("it is one");
    let mut callers = calls(world, source);
    // Where nobody here calls it, another repository may.
    if callers.is_empty() || workflow.called.is_some_and(|called| called.by_itself) {
        callers.push(Caller {
            within: Vec::new(),
            queues: Vec::new(),
            root: source,
            input: "<input>".to_owned(),
        });
    }
    let all = callers.iter();
    all.flat_map(|caller| jobs(workflow, source, caller))
        .map(|(_, turn)| turn)
        .collect()
}

fn of(world: &World, source: usize) -> Option<&Workflow> {
    match &world.sources[source] {
        Source::Github(it) => Some(it),
        Source::Gitlab(_) => None,
    }
}

/// Returns the runs of jobs that call the workflow `callee`.
fn calls(world: &World, callee: usize) -> Vec<Caller> {
    let mut calls = Vec::new();
    for root in 0..world.sources.len() {
        let push = Caller {
            within: Vec::new(),
            queues: Vec::new(),
            root,
            input: String::new(),
        };
        let Some(workflow) = of(world, root).filter(|_| root != callee) else {
            continue;
        };
        for (job, turn) in jobs(workflow, root, &push) {
            if let Some(call) = job.call.as_ref().filter(|call| call.workflow == callee) {
                calls.push(Caller {
                    input: turn.sees.text(&call.input),
                    within: turn.within,
                    queues: turn.queues,
                    root,
                });
            }
        }
    }
    calls
}

/// Returns the runs of all jobs of a workflow by one caller.
fn jobs<'w>(workflow: &'w Workflow, source: usize, caller: &Caller) -> Vec<(&'w Job, Turn<'w>)> {
    let mut turns = Vec::new();
    for (number, job) in workflow.jobs.iter().enumerate() {
        let needs = |job: usize| workflow.jobs[job].needs.clone();
        for (row_number, row) in rows(job).into_iter().enumerate() {
            let sees = Sees {
                job: format!("j{number}"),
                root: caller.root,
                row,
                input: caller.input.clone(),
                env: job.env.as_ref().or(workflow.env.as_ref()),
            };
            let own = Within {
                source,
                job: number,
                row: row_number,
                is_sequential: job.is_sequential,
                before: reckon::before(number, &needs),
                events: job.events(),
            };
            let within = [&caller.within[..], &[own]].concat();
            let queue = |(queue, depth): (&Value, usize)| Queue {
                is_github: true,
                name: sees.text(queue),
                depth,
            };
            let own = job.queue.as_ref().map(|queue| (queue, within.len()));
            let whole = workflow.queue.as_ref().map(|queue| (queue, 0));
            let queues: Vec<Queue> = own.into_iter().chain(whole).map(queue).collect();
            let machine = sees.text(&job.machine);
            let turn = Turn {
                within,
                queues: [&caller.queues[..], &queues].concat(),
                is_alone: machine.starts_with("ubuntu-"),
                machine,
                steps: &job.steps,
                sees,
            };
            turns.push((job, turn));
        }
    }
    turns
}

/// Returns the lane that a run can have: of the values of its matrix, the workflow that was started, and the input, where
/// all callers have another one.
pub fn lane(workflow: &Workflow, world: &World, run: &Within, sees: &Sees<'_>) -> String {
    let mut lane = format!("<lane {} {}>", run.row, sees.root);
    if workflow.called.is_some_and(|called| !called.by_itself) {
        let callers = calls(world, run.source);
        let mut seen = HashSet::new();
        let is_plain = |text: &str| !text.is_empty() && !text.contains('<');
        let mut inputs = callers.iter().map(|caller| caller.input.as_str());
        if inputs.all(|input| is_plain(input) && seen.insert(input)) {
            lane += &sees.input;
        }
    }
    lane
}
