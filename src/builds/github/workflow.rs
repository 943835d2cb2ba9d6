//! The jobs of a workflow and their steps, or those of an action.

use std::collections::HashMap;
use std::rc::Rc;

use super::expression::mentioned;
use super::matrix::text_of;
use super::paths::{self, Checkout};
use super::{Github, actions, handed, matrix, runner};
use crate::builds::jobs::{Found, Gatherer, Job, Matrix, Scope, Step, variables};
use crate::builds::model::{BuildFile, Call, Env, Ordered, Place, Subject};
use crate::builds::shell::{self, Dialect};
use crate::builds::yaml::{Node, Yaml};

/// What is read of a file.
pub struct Read<'y> {
    gatherer: Gatherer<'y>,
    calls: Vec<Call>,
    order: Vec<(Ordered, Vec<Ordered>)>,
    source: &'y str,
    /// The workflow, or the action.
    root: Node<'y>,
    /// What it sets for all jobs.
    env: Env,
}

/// Where a step stands: what holds for it.
pub struct Around<'y> {
    pub step: Node<'y>,
    /// The job, or an action's `runs`.
    pub job: Node<'y>,
    pub root: Node<'y>,
}

impl<'y> Around<'y> {
    /// Finds what is around a step that stands in no other place, too.
    pub fn of(step: Node<'y>) -> Option<Self> {
        let job = step.parent()?.parent()?;
        let root = std::iter::successors(Some(job), |node| node.parent()).last()?;
        Some(Self { step, job, root })
    }

    /// Returns the mappings `env` that hold, the nearest first.
    pub fn env(&self) -> impl Iterator<Item = Node<'y>> {
        let all = [self.step, self.job, self.root].into_iter();
        all.filter_map(|node| node.get("env"))
    }

    /// Returns the mappings `defaults.run` that hold, the nearest first.
    fn defaults(&self) -> impl Iterator<Item = Node<'y>> {
        let all = [self.job, self.root].into_iter();
        all.filter_map(|node| node.get("defaults")?.get("run"))
    }

    /// Returns what the step says for `key`, or the job or the workflow for all its scripts.
    pub fn setting(&self, key: &str) -> Option<&'y str> {
        let default = || self.defaults().find_map(|defaults| defaults.get_text(key));
        self.step.get_text(key).or_else(default)
    }

    /// Returns the labels of `runs-on`, as written.
    pub fn runs_on(&self) -> String {
        self.job.get("runs-on").map(labels).unwrap_or_default()
    }

    /// Returns the grammar of the step's script; `None` where it is no shell's.
    fn dialect(&self, scope: &Scope<'_>) -> Option<Dialect> {
        let Some(shell) = self.setting("shell") else {
            let labels = scope.filled(&self.runs_on()).unwrap_or_default();
            let windows = labels.to_ascii_lowercase().contains("windows");
            return Some(if windows {
                Dialect::Windows
            } else {
                Dialect::Posix
            });
        };
        let known = shell.split_whitespace().filter_map(Dialect::of).next_back();
        // `shell: ${{ matrix.shell }}` is most often a Posix one; `python` is none.
        known.or_else(|| shell.contains("${{").then_some(Dialect::Posix))
    }

    /// Returns the folder that the step's script starts in.
    fn folder(&self, scope: &Scope<'_>) -> Option<String> {
        match self.setting("working-directory") {
            Some(folder) => shell::join("", &scope.filled(folder)?),
            None => Some(String::new()),
        }
    }

    /// Returns the names of the matrix that the step may use.
    fn names(&self, env: &Env, source: &str) -> Vec<String> {
        let texts = [self.step].into_iter().chain(self.defaults());
        let texts = texts.map(|node| text_of(node, source));
        let values = env.iter().filter_map(|arg| arg.value.as_deref());
        let mut names = mentioned(&self.runs_on(), "matrix");
        names.extend(
            texts
                .chain(values)
                .flat_map(|text| mentioned(text, "matrix")),
        );
        names
    }
}

/// Returns the labels of `runs-on`, as written.
fn labels(node: Node<'_>) -> String {
    let group = node.get("labels").unwrap_or(node);
    let labels = group.scalars().into_iter().filter_map(Node::text);
    labels.collect::<Vec<_>>().join(" ")
}

/// Reads the steps of a file; `None` for one that is empty.
pub fn read<'y>(yaml: &'y Yaml<'y>) -> Option<Read<'y>> {
    let root = yaml.root()?;
    let mut read = Read {
        gatherer: Gatherer::new(&Github),
        calls: Vec::new(),
        order: Vec::new(),
        source: yaml.source(),
        root,
        env: Env::default().with(variables(root.get("env"))),
    };
    for entry in root.get("jobs").map(Node::entries).unwrap_or_default() {
        read.job(entry.key.text().unwrap_or_default(), entry.value);
    }
    if let Some(runs) = root.get("runs") {
        // It may run in any matrix.
        let job = Job {
            matrix: Matrix::of(None, Vec::new()),
            ..Job::default()
        };
        read.steps(&Rc::new(job), runs);
    }
    Some(read)
}

impl<'y> Read<'y> {
    /// Returns the builds with their places. Of those of a step with targets of the same files each runs in the rows of
    /// all: they may be in one Dockerfile.
    pub fn found(mut self) -> Vec<Found<'y>> {
        let mut together: HashMap<(String, Vec<Place>), Vec<usize>> = HashMap::new();
        let files = |found: &Found<'_>| match &found.build.subject {
            Subject::Files(files) => Some((found.build.name.clone(), files.paths.clone())),
            _ => None,
        };
        for found in &self.gatherer.found {
            if let Some(files) = files(found) {
                together
                    .entry(files)
                    .or_default()
                    .extend(&found.runs[0].rows);
            }
        }
        for found in &mut self.gatherer.found {
            if let Some(rows) = files(found).and_then(|files| together.get(&files)) {
                found.runs[0].rows.clone_from(rows);
            }
        }
        self.gatherer.finish()
    }

    /// Returns what the file says.
    pub fn file(mut self) -> BuildFile {
        let mut unknown = std::mem::take(&mut self.gatherer.unknown);
        unknown.sort_by_key(|unknown| unknown.span);
        let calls = std::mem::take(&mut self.calls);
        let order = std::mem::take(&mut self.order);
        BuildFile {
            builds: self.found().into_iter().map(|found| found.build).collect(),
            unknown,
            calls,
            order,
            ..BuildFile::default()
        }
    }

    fn job(&mut self, name: &str, node: Node<'y>) {
        if let Some(needs) = node.get("needs") {
            let needs = needs.scalars().into_iter().filter_map(Node::text);
            let job = |name: &str| Ordered::Job(name.to_owned());
            self.order.push((job(name), needs.map(job).collect()));
        }
        let mut job = Job {
            name: Some(name.to_owned()),
            env: self.env.with(variables(node.get("env"))),
            matrix: matrix::read(node, self.source),
            ..Job::default()
        };
        if let Some(uses) = node.get("uses") {
            self.call(&job, uses);
        }
        let runs_on = node.get("runs-on").map(labels).unwrap_or_default();
        let mut texts = [Some(node), self.root.get("env")].into_iter().flatten();
        job.own_machine = !node.get("runs-on").is_some_and(Node::is_map)
            && runner::is_hosted(&runs_on, &job)
            && !texts.any(|node| runner::names_builder(text_of(node, self.source)));
        self.steps(&Rc::new(job), node);
    }

    /// Notes a call of another file of the repository.
    fn call(&mut self, job: &Job, uses: Node<'y>) {
        let Some(path) = uses.text().and_then(|path| path.strip_prefix("./")) else {
            return;
        };
        self.calls.push(Call {
            span: uses.span(),
            job: job.name.clone(),
            path: path.trim_end_matches('/').to_owned(),
            runs: job.runs(&Github),
            own_machine: job.own_machine,
        });
    }

    fn steps(&mut self, job: &Rc<Job>, node: Node<'y>) {
        let Some(steps) = node.get("steps") else {
            return;
        };
        let checkouts = paths::checkouts(steps);
        let mut handed = Env::default();
        for (index, step) in steps.items().into_iter().enumerate() {
            let around = Around {
                step,
                job: node,
                root: self.root,
            };
            let uses = step.get_text("uses");
            if uses.is_some_and(|uses| uses.starts_with("./")) {
                step.get("uses")
                    .into_iter()
                    .for_each(|uses| self.call(job, uses));
            } else if step.get("run").is_some() || uses.and_then(actions::tool).is_some() {
                self.step(job, &around, index, (&handed, &checkouts));
            }
            // The last one counts.
            handed = handed.with(handed::variables(step));
        }
    }

    fn step(
        &mut self,
        job: &Rc<Job>,
        around: &Around<'y>,
        index: usize,
        (handed, checkouts): (&Env, &[Checkout]),
    ) {
        let number = format!("step {}", index + 1);
        let title = job
            .name
            .as_ref()
            .map(|name| format!("job `{name}`, {number}"));
        let env = job.env.with(variables(around.step.get("env")));
        let names = around.names(&env, self.source);
        let step = Step {
            job,
            title: title.unwrap_or(number),
            node: around.step,
            env,
            handed: handed.clone(),
            names: Some(names.clone()),
            shell: &|scope| Some((around.folder(scope), around.dialect(scope)?)),
            placed: &|subject| paths::placed(subject, checkouts),
        };
        if let Some(uses) = around.step.get("uses") {
            self.gatherer
                .rows(&step, &names, |gatherer, rows, scope| match actions::build(
                    &step, uses, scope,
                ) {
                    Some(Ok(build)) => gatherer.add(build, None, &step, rows),
                    Some(Err(why)) => gatherer.doubt(uses.span(), why),
                    None => {}
                });
        } else if let Some(run) = around.step.get("run") {
            self.gatherer.script(&[run], &step);
        }
    }
}
