//! The jobs from which files run that others call, and what these hand to their inputs.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::graph::BuildGraph;
use crate::budget;
use crate::builds::{Arg, ByInputs, Call, Leg, Name, RUN, Triggers, WORKFLOW, computed, paths};
use crate::lint::model::FileReport;
use crate::text::marks::{SAME, same};

/// A run of a job, and the index of its file.
#[derive(Clone, Copy)]
pub(super) struct JobRun<'g> {
    pub(super) file: usize,
    /// The index of the first file with the name of its own.
    pub(super) named: usize,
    pub(super) leg: &'g Leg,
}

/// The values of the inputs of a called file.
#[derive(Default)]
pub(super) struct Inputs {
    /// The value of each; `None` for what only a run knows.
    pub(super) values: HashMap<String, Option<String>>,
    /// Those that are no texts.
    untyped: HashSet<String>,
}

impl Inputs {
    /// Returns what is known of a name in an expression; `workflow` and `run` stand for those of the outermost job.
    fn name(&self, name: &str, workflow: &str, run: &str) -> Name {
        let input = name.strip_prefix("inputs.");
        match input.and_then(|name| Some((self.values.get(name)?, self.untyped.contains(name)))) {
            Some((Some(value), false)) => Name::Is(value.clone()),
            Some((Some(value), true)) => Name::Untyped(value.clone()),
            Some((None, _)) => Name::Unknown,
            None if name == WORKFLOW => Name::Is(workflow.to_owned()),
            None if name == RUN => Name::Is(run.to_owned()),
            None => Name::Same,
        }
    }
}

/// The jobs from which a file runs.
#[derive(Clone, Default)]
pub(super) struct Caller<'g> {
    /// The last call.
    pub(super) call: Option<&'g Call>,
    pub(super) runs: Vec<JobRun<'g>>,
    pub(super) inputs: Rc<Inputs>,
}

/// The callers of all files, as far as they were asked for.
pub(super) struct Callers<'g> {
    graph: &'g BuildGraph<'g>,
    /// The calls of each file by others, by its index.
    calls: HashMap<usize, Vec<(usize, &'g Call)>>,
    known: RefCell<HashMap<usize, Rc<[Caller<'g>]>>>,
    /// The first file with each name that other files know one by.
    first_named: HashMap<&'g String, usize>,
}

impl<'g> Callers<'g> {
    pub(super) fn new(graph: &'g BuildGraph<'g>) -> Self {
        Self {
            graph,
            calls: graph.calls(),
            known: RefCell::default(),
            first_named: first_named(graph),
        }
    }

    /// Returns the jobs from which the file runs. Files that call one another in a circle run from nowhere else.
    pub(super) fn of(&self, file: usize) -> Rc<[Caller<'g>]> {
        if let Some(known) = self.known.borrow().get(&file) {
            return Rc::clone(known);
        }
        self.known.borrow_mut().insert(file, Rc::default());
        let mut callers = Vec::new();
        for (from, call) in self.calls.get(&file).into_iter().flatten() {
            let called = triggers(self.graph.report(file));
            for outer in &*self.of(*from) {
                let run = |leg| self.job_run(*from, leg);
                callers.extend(outer.calling(call, called, run));
            }
        }
        if callers.is_empty() || triggers(self.graph.report(file)).is_some_and(|of| of.by_itself) {
            callers.push(Caller::default());
        }
        let callers: Rc<[Caller<'g>]> = callers.into();
        self.known.borrow_mut().insert(file, Rc::clone(&callers));
        callers
    }

    pub(super) fn job_run(&self, file: usize, leg: &'g Leg) -> JobRun<'g> {
        let name = triggers(self.graph.report(file)).and_then(|of| of.name.as_ref());
        let first = name.and_then(|name| self.first_named.get(name));
        let file = self.graph.whole(file);
        JobRun {
            file,
            named: first.copied().unwrap_or(file),
            leg,
        }
    }

    /// Returns an input that each caller of the file sets to a value of its own.
    pub(super) fn splitting_input(&self, file: usize) -> Option<String> {
        let callers = self.of(file);
        let first = callers.first().filter(|_| callers.len() > 1)?;
        let mut names: Vec<&String> = first.inputs.values.keys().collect();
        names.sort();
        let splits = |name: &&&String| {
            let mut seen = HashSet::new();
            let value = |caller: &Caller<'_>| caller.inputs.values.get(**name).cloned().flatten();
            let plain = |ch: char| ch.is_ascii_alphanumeric() || "._-/".contains(ch);
            callers.iter().all(|caller| {
                value(caller).is_some_and(|value| {
                    !value.is_empty() && value.chars().all(plain) && seen.insert(value)
                })
            })
        };
        names.iter().find(splits).map(|name| (*name).clone())
    }
}

/// The identity of a run of a job, or of a whole file.
#[derive(PartialEq, Eq)]
pub(super) struct RunId<'g> {
    pub(super) file: usize,
    pub(super) job: Option<&'g str>,
    /// The number of the run among those of the job.
    pub(super) number: usize,
}

impl JobRun<'_> {
    pub(super) fn id(&self) -> RunId<'_> {
        RunId {
            file: self.file,
            job: self.leg.job.as_deref(),
            number: self.leg.number,
        }
    }
}

impl<'g> Caller<'g> {
    /// Returns the jobs from which a file runs, started by `called`, that this caller's file calls; `run` is a run of a job
    /// of the caller's.
    fn calling(
        &self,
        call: &'g Call,
        called: Option<&Triggers>,
        run: impl Fn(&'g Leg) -> JobRun<'g>,
    ) -> Vec<Self> {
        // An included file's jobs are the includer's own.
        if call.is_include() {
            let can = budget::spend(64 * (1 + self.runs.len()));
            return can.then(|| self.clone()).into_iter().collect();
        }
        let legs = call.legs.iter();
        let legs =
            legs.take_while(|leg| budget::spend(64 * (1 + self.runs.len()) + leg.label.len()));
        legs.map(|leg| {
            let own = run(leg);
            let default =
                |input: &Arg| Some((input.name.as_str()?.to_owned(), input.value.clone()));
            let given = |input: &Arg| {
                let value = input.value.as_deref();
                let value = value.and_then(|text| self.value(&own, text));
                Some((input.name.as_str()?.to_owned(), value))
            };
            let defaults = called.iter().flat_map(|of| &of.inputs).filter_map(default);
            let given = call.inputs.iter().filter_map(given);
            let untyped = called.iter().flat_map(|of| &of.untyped).cloned();
            Self {
                call: Some(call),
                inputs: Rc::new(Inputs {
                    values: defaults.chain(given).collect(),
                    untyped: untyped.collect(),
                }),
                runs: [&self.runs[..], &[own]].concat(),
            }
        })
        .collect()
    }

    /// Returns the path that counts for this caller, from the repository's root; `None` where it is unknown.
    pub(super) fn path(&self, by: &ByInputs) -> Option<String> {
        let root = self.runs.first()?;
        let mut paths = by.paths.iter();
        let first = paths.find_map(|path| match known(path, root, &self.inputs) {
            Some(path) if path.is_empty() => None,
            // A context that is left empty is the repository.
            Some(path) if path == "/Dockerfile" => Some(Some("Dockerfile".to_owned())),
            path => Some(path),
        });
        let is_odd = |path: &String| {
            let has = |ch: char| ch.is_whitespace() || ch == SAME || "${".contains(ch);
            paths::is_remote(path) || path.contains(has)
        };
        let path = paths::join("", &first?.filter(|path| !is_odd(path))?)?;
        (!path.starts_with("../")).then_some(path)
    }

    /// Returns the value of a text in a run of a job of this caller, as [`Contender::value`].
    fn value(&self, own: &JobRun<'g>, text: &str) -> Option<String> {
        let root = self.runs.first().unwrap_or(own);
        known(&own.leg.values.value(text)?, root, &self.inputs)
    }
}

pub(super) fn triggers(report: &FileReport) -> Option<&Triggers> {
    Some(&report.builds.as_ref()?.file.triggers)
}

fn first_named<'g>(graph: &'g BuildGraph<'g>) -> HashMap<&'g String, usize> {
    let mut first = HashMap::new();
    for (file, report) in graph.own_reports() {
        if let Some(name) = triggers(report).and_then(|of| of.name.as_ref()) {
            first.entry(name).or_insert(file);
        }
    }
    first
}

/// Returns `value` with the inputs and the workflow of a run put in; `root` is the run of the outermost job.
pub(super) fn known(value: &str, root: &JobRun<'_>, inputs: &Inputs) -> Option<String> {
    let (workflow, run) = (
        same(&root.named.to_string()),
        same(&format!("run {}", root.file)),
    );
    let mut known = String::new();
    for (number, part) in value.split(SAME).enumerate() {
        if number % 2 == 0 {
            known.push_str(part);
            continue;
        }
        match inputs.name(part, &workflow, &run) {
            Name::Is(value) | Name::Untyped(value) => known.push_str(&value),
            Name::Unknown => return None,
            Name::Same if part.contains(['(', ' ', '!']) => {
                known += &computed(part, &|name| inputs.name(name, &workflow, &run))?;
            }
            Name::Same => known += &same(part),
        }
    }
    Some(known)
}
