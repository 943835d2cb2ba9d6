//! The runs of builds, and which of them can overlap.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::rc::Rc;

use super::by_callers::builder_by;
use super::callers::{Caller, Callers, Inputs, JobRun, RunId, known, triggers};
use super::exclusive::exclude;
use super::graph::BuildGraph;
use super::machines::Machine;
use super::resolved::ResolvedBuild;
use crate::budget;
use crate::builds::{Build, Builder, Ordered, Queue, Triggers};
use crate::rules::build_context::Tells;

/// A run of a build.
pub(super) struct Contender<'g> {
    /// The index of its build among the resolved ones.
    pub(super) one: usize,
    /// True where the row of its caller's matrix gives it a builder of its own.
    pub(super) is_alone: bool,
    /// The jobs that it runs in: those of the files that call its own, the outermost first, then its own.
    runs: Vec<JobRun<'g>>,
    inputs: Rc<Inputs>,
    /// The queues in which it waits.
    queues: Vec<QueuePlace>,
    machine: Machine,
    builder: &'g Builder,
}

type Jobs<'g> = Rc<HashSet<&'g str>>;

/// A place in a queue.
#[derive(PartialEq, Eq)]
struct QueuePlace {
    /// The type of the file's format: each has its own queues.
    format: TypeId,
    /// The value of the queue's name.
    name: String,
    /// The number of jobs, the outermost first, that wait together among those that a run is in; 0 for the whole run of
    /// the first file.
    depth: usize,
}

/// A property by which two runs differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Apart {
    /// The row of a matrix.
    Row,
    Job,
    /// The file, whose job has the same name.
    File,
    /// The caller of their file.
    Caller,
}

/// Says what a person does where callers set no input to values of their own.
const CALLER: &str = "the file that calls this one tells its runs apart: give it an input for the lane, and pass that";

/// The runs of all builds of a run of the tool.
pub(super) struct Contenders<'g> {
    graph: &'g BuildGraph<'g>,
    pub(super) all: Vec<Contender<'g>>,
    callers: Callers<'g>,
    /// The names of the files that end before each file starts.
    files_before: HashMap<usize, HashSet<&'g String>>,
    /// The jobs before each job that was asked for.
    earlier: RefCell<HashMap<(usize, &'g str), Jobs<'g>>>,
}

impl<'g> Contenders<'g> {
    pub(super) fn new(graph: &'g BuildGraph<'g>, resolved: &'g [ResolvedBuild]) -> Self {
        let mut contenders = Self {
            graph,
            all: Vec::new(),
            callers: Callers::new(graph),
            files_before: files_before(graph),
            earlier: RefCell::default(),
        };
        for (index, one) in resolved.iter().enumerate() {
            let (file, builder) = (one.id.file, &one.builder);
            let build = graph.build(one.id);
            let callers = contenders.callers.of(file);
            let is_its = |number: &usize| {
                let own = one.callers.as_ref();
                own.is_none_or(|own| own.contains(number))
            };
            for (_, caller) in callers.iter().enumerate().filter(|(at, _)| is_its(at)) {
                let is_alone = is_alone(caller, graph, file, build);
                for leg in &build.legs {
                    let own = contenders.callers.job_run(file, leg);
                    let runs = [&caller.runs[..], &[own]].concat();
                    let mut one = Contender {
                        one: index,
                        is_alone,
                        runs,
                        inputs: Rc::clone(&caller.inputs),
                        queues: Vec::new(),
                        machine: Machine::default(),
                        builder,
                    };
                    if budget::spend(64 * one.runs.len()) {
                        one.queues = one.queues(graph);
                        if !matches!(builder, Builder::Elsewhere(_)) {
                            one.machine = one.machine();
                        }
                        contenders.all.push(one);
                    }
                }
            }
        }
        contenders
    }

    /// Returns what tells `a` and `b` apart where they can run at once.
    pub(super) fn overlap(&self, a: &Contender<'g>, b: &Contender<'g>) -> Option<Apart> {
        if queued(a, b) || Self::are_elsewhere(a, b) || !budget::spend(1) {
            return None;
        }
        let mut depths = a.runs.iter().zip(&b.runs).enumerate();
        let (depth, (own, other)) = depths.find(|(_, (own, other))| own.id() != other.id())?;
        if (depth > 0 || own.file == other.file) && Self::exclude(a, b) {
            return None;
        }
        let can = if own.file != other.file {
            // Steps of one job follow one another.
            (depth == 0 && !self.are_files_ordered(own.file, other.file))
                || (depth > 0 && own.leg.job.is_some() && other.leg.job.is_some())
        } else if own.leg.job != other.leg.job {
            !self.are_ordered(own, other)
        } else {
            !own.leg.sequential
        };
        can.then(|| apart(a, b)).flatten()
    }

    /// Returns whether `a` and `b` are known to build on two machines or builders.
    pub(super) fn are_elsewhere(a: &Contender<'g>, b: &Contender<'g>) -> bool {
        a.machine.is_other(b.machine) || a.builder.is_other(b.builder)
    }

    /// Returns whether the conditions of the jobs of `a` and `b` let only one of them run in one run of a workflow.
    fn exclude(a: &Contender<'g>, b: &Contender<'g>) -> bool {
        let conditions = |one: &Contender<'g>| {
            let all = one
                .runs
                .iter()
                .filter_map(|run| run.leg.condition.as_deref());
            all.collect::<Vec<&str>>()
        };
        let (own, others) = (conditions(a), conditions(b));
        let is_one_of = |own: &&str| {
            let mut others = others.iter();
            others.any(|other| budget::spend(16 + own.len()) && exclude(own, other))
        };
        own.iter().any(is_one_of)
    }

    /// Returns whether one of two files starts when the other has ended.
    fn are_files_ordered(&self, a: usize, b: usize) -> bool {
        let is_before = |file: usize, later: usize| {
            let name = triggers(self.graph.report(file)).and_then(|of| of.name.as_ref());
            let before = self.files_before.get(&later);
            name.zip(before)
                .is_some_and(|(name, before)| before.contains(name))
        };
        is_before(a, b) || is_before(b, a)
    }

    /// Returns whether one of two jobs of a file waits for the other.
    fn are_ordered(&self, a: &JobRun<'g>, b: &JobRun<'g>) -> bool {
        let (Some(one), Some(other)) = (&a.leg.job, &b.leg.job) else {
            return true;
        };
        let is_before = |job: &'g str, later: &'g str| self.earlier(a.file, later).contains(job);
        is_before(one, other) || is_before(other, one)
    }

    /// Returns the jobs for which `job` waits.
    fn earlier(&self, file: usize, job: &'g str) -> Jobs<'g> {
        if let Some(known) = self.earlier.borrow().get(&(file, job)) {
            return Rc::clone(known);
        }
        let order = self.graph.report(file).builds.iter();
        let order = order.flat_map(|builds| &builds.file.order);
        let after: HashMap<&Ordered, &Vec<Ordered>> =
            order.map(|(job, after)| (job, after)).collect();
        let all = before(&after, &Ordered::Job(job.to_owned()));
        let found = all.into_iter().filter_map(|before| match before {
            Ordered::Job(name) => Some(name.as_str()),
            Ordered::Stage(_) => None,
        });
        let found: Jobs<'g> = Rc::new(found.collect());
        let mut earlier = self.earlier.borrow_mut();
        earlier.insert((file, job), Rc::clone(&found));
        found
    }

    /// Returns what tells two runs apart in a value, by their numbers.
    pub(super) fn tells(&self, own: usize, other: usize, apart: Apart) -> Tells {
        let first = |run: usize| self.all[run].runs[0];
        match apart {
            Apart::Row => Tells::Matrix,
            Apart::Job => Tells::Job,
            Apart::File if first(own).named == first(other).named => {
                let of = triggers(self.graph.report(first(own).file));
                let name = of.and_then(|of| of.name.as_deref()).unwrap_or_default();
                Tells::Nothing(format!(
                    "two workflows are called `{name}`: give one of them another name"
                ))
            }
            Apart::File => Tells::Workflow,
            Apart::Caller => self.tells_callers(own, other),
        }
    }

    /// Returns what tells two runs of jobs of one name apart that one run of a file calls.
    fn tells_callers(&self, own: usize, other: usize) -> Tells {
        let last = |run: usize| self.all[run].runs.last().copied();
        let Some((own, other)) = last(own).zip(last(other)) else {
            return Tells::Nothing(CALLER.to_owned());
        };
        if own.file != other.file && own.leg.job.is_some() {
            let path = self.graph.report(own.file).path.file_stem();
            let name = path.and_then(|name| name.to_str()).unwrap_or_default();
            let is_plain = |ch: char| ch.is_ascii_alphanumeric() || "._-".contains(ch);
            if name.chars().all(is_plain) {
                return Tells::File(name.to_owned());
            }
        }
        let input = self.callers.splitting_input(own.file);
        input.map_or_else(|| Tells::Nothing(CALLER.to_owned()), Tells::Input)
    }
}

impl Contender<'_> {
    /// Returns the value of `text` of the build's file in this run: the same text for the same value. `None` where it
    /// is unknown.
    pub(super) fn value(&self, text: &str) -> Option<String> {
        let own = self.runs.last()?;
        known(&own.leg.values.value(text)?, &self.runs[0], &self.inputs)
    }

    /// Returns the run's own name, for messages: `py=3.10`, or ``job `a` ``.
    pub(super) fn label(&self) -> String {
        let mut labels = self.runs.iter().rev().map(|run| run.leg.label.as_str());
        let label = labels.find(|label| !label.is_empty()).unwrap_or_default();
        label.to_owned()
    }

    /// Returns the index of the file that is run, which may call the build's own.
    pub(super) fn root(&self) -> Option<usize> {
        Some(self.runs.first()?.file)
    }

    /// Returns whether another file calls the build's own.
    #[cfg(feature = "cli")]
    pub(super) fn is_called(&self) -> bool {
        self.runs.len() > 1
    }

    /// Returns whether both are one run of one job.
    #[cfg(feature = "cli")]
    pub(super) fn is_one_run(&self, other: &Self) -> bool {
        let (own, others) = (self.runs.iter(), other.runs.iter());
        own.map(JobRun::id).eq(others.map(JobRun::id))
    }

    /// Returns the names of the jobs that it runs in, the outermost first.
    #[cfg(feature = "cli")]
    pub(super) fn job_names(&self) -> Vec<&str> {
        let jobs = self.runs.iter();
        jobs.filter_map(|run| run.leg.job.as_deref()).collect()
    }

    /// Returns the jobs that it runs in, for messages.
    pub(super) fn jobs(&self) -> String {
        let job = |run: &JobRun<'_>| {
            let (job, label) = (run.leg.job.as_ref()?, &run.leg.label);
            let row = if label.is_empty() {
                String::new()
            } else {
                format!(" ({label})")
            };
            Some(format!("job `{job}`{row}"))
        };
        let jobs: Vec<String> = self.runs.iter().filter_map(job).collect();
        jobs.join(" → ")
    }

    /// Returns the machine, by the labels that are known.
    fn machine(&self) -> Machine {
        let mut runs = self.runs.iter().rev();
        let Some(JobRun { leg, .. }) = runs.find(|run| !run.leg.labels.is_empty()) else {
            return Machine::default();
        };
        let values = leg.labels.iter();
        let values = values
            .filter_map(|label| known(&leg.values.value(label)?, &self.runs[0], &self.inputs));
        Machine::of(&values.collect::<Vec<_>>().join(","))
    }

    fn queues(&self, graph: &BuildGraph<'_>) -> Vec<QueuePlace> {
        let runs = self.runs.iter().enumerate();
        let all =
            runs.flat_map(|(at, run)| run.leg.queues.iter().map(move |queue| (at, run, queue)));
        let turn = |(at, run, queue): (usize, &JobRun<'_>, &Queue)| {
            let name = run.leg.values.value(&queue.name)?;
            let format = graph.report(run.file).builds.as_ref()?.format;
            Some(QueuePlace {
                format: format.type_id(),
                name: known(&name, &self.runs[0], &self.inputs)?,
                depth: at + usize::from(!queue.whole),
            })
        };
        all.filter_map(turn).collect()
    }

    /// Returns what waits as one in the queue.
    fn waits_as(&self, turn: &QueuePlace) -> impl Iterator<Item = RunId<'_>> {
        let file = self.root().map(|file| RunId {
            file,
            job: None,
            number: 0,
        });
        let jobs = self.runs.iter().take(turn.depth).map(JobRun::id);
        file.into_iter().chain(jobs)
    }
}

fn files_before<'g>(graph: &'g BuildGraph<'g>) -> HashMap<usize, HashSet<&'g String>> {
    let starts = graph
        .own_reports()
        .filter_map(|(file, report)| Some((file, triggers(report)?)));
    let starts: Vec<(usize, &Triggers)> = starts.collect();
    let named = starts
        .iter()
        .filter_map(|(_, start)| Some((start.name.as_ref()?, &start.after)));
    let right_before: HashMap<&String, &Vec<String>> = named.collect();
    let chained = starts.iter().filter(|(_, start)| !start.after.is_empty());
    let all = |(file, start): &(usize, &'g Triggers)| {
        let before = start
            .after
            .iter()
            .flat_map(|name| [name].into_iter().chain(before(&right_before, name)));
        (*file, before.collect())
    };
    chained.map(all).collect()
}

/// Returns all that comes before `last`, by what comes right before each.
fn before<'g, T: Eq + Hash>(right_before: &HashMap<&T, &'g Vec<T>>, last: &T) -> HashSet<&'g T> {
    let mut found = HashSet::new();
    let mut open: Vec<&'g T> = right_before
        .get(last)
        .copied()
        .into_iter()
        .flatten()
        .collect();
    while let Some(next) = open.pop().filter(|_| budget::spend(1)) {
        if found.insert(next) {
            open.extend(right_before.get(next).copied().into_iter().flatten());
        }
    }
    found
}

/// Returns whether a caller gives the build of a called file a builder of its own, or one that only a run knows.
fn is_alone(caller: &Caller<'_>, graph: &BuildGraph<'_>, file: usize, build: &Build) -> bool {
    let run = caller.runs.last().filter(|_| caller.call.is_some());
    run.is_some_and(|run| {
        let builder = builder_by(graph, build, file, caller).in_row(run.leg.number);
        builder.own().is_some() || builder.unknown().is_some()
    })
}

/// Returns what tells two runs apart that are not the same.
fn apart(a: &Contender<'_>, b: &Contender<'_>) -> Option<Apart> {
    let (own, other) = (a.runs.last()?, b.runs.last()?);
    let outer = a.runs.iter().rev().skip(1).map(JobRun::id);
    let is_called = !outer.eq(b.runs.iter().rev().skip(1).map(JobRun::id));
    Some(if own.leg.job != other.leg.job {
        Apart::Job
    } else if a.runs[0].file != b.runs[0].file {
        Apart::File
    } else if is_called {
        Apart::Caller
    } else {
        Apart::Row
    })
}

/// Returns whether two runs wait in one queue, each by itself.
fn queued(a: &Contender<'_>, b: &Contender<'_>) -> bool {
    let meet = |own: &QueuePlace, other: &QueuePlace| {
        (&own.format, &own.name) == (&other.format, &other.name)
            && !a.waits_as(own).eq(b.waits_as(other))
    };
    a.queues
        .iter()
        .any(|own| b.queues.iter().any(|other| meet(own, other)))
}
