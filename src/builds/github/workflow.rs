use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::condition::{Condition, Seen};
use super::expression::mentioned;
use super::paths::{self, Checkout};
use super::{actions, cache_dance, handed, matrix, runner};
use crate::budget;
use crate::builds::builder::{Builder, Builders, CalledAction};
use crate::builds::jobs::{FoundBuild, Gatherer, Job, Matrix, Step, StepScope, of_job, variables};
use crate::builds::model::{Arg, AxisPath, Call, Env, Ordered, Queue, Subject, Triggers};
use crate::builds::shell::Dialect;
use crate::builds::yaml::{Entry, Node};
use crate::text::Span;

/// The nodes around a step, whose settings apply to it.
pub struct StepContext<'y> {
    pub step: Node<'y>,
    /// The job, or an action's `runs`.
    pub job: Node<'y>,
    pub root: Node<'y>,
}

impl<'y> StepContext<'y> {
    /// Finds the nodes around a step that is used nowhere else.
    pub fn of(step: Node<'y>) -> Option<Self> {
        let job = step.parent()?.parent()?;
        let root = std::iter::successors(Some(job), |node| node.parent()).last()?;
        Some(Self { step, job, root })
    }

    /// Returns the mappings `env` that apply, the nearest first.
    pub fn env(&self) -> impl Iterator<Item = Node<'y>> {
        let all = [self.step, self.job, self.root].into_iter();
        all.filter_map(|node| node.get("env"))
    }

    /// Returns the mappings `defaults.run` that apply, the nearest first.
    fn defaults(&self) -> impl Iterator<Item = Node<'y>> {
        let all = [self.job, self.root].into_iter();
        all.filter_map(|node| node.get("defaults")?.get("run"))
    }

    /// Returns the step's value for `key`, or the default of the job or the workflow.
    pub fn setting(&self, key: &str) -> Option<&'y str> {
        let default = || self.defaults().find_map(|defaults| defaults.get_text(key));
        self.step.get_text(key).or_else(default)
    }

    pub fn runs_on(&self) -> String {
        labels(self.job).join(" ")
    }

    /// Returns the grammar of the step's script; `None` where no shell runs it.
    fn dialect(&self, scope: &StepScope<'_>) -> Option<Dialect> {
        let Some(shell) = self.setting("shell") else {
            let labels = scope.filled(&self.runs_on()).unwrap_or_default();
            let windows = labels.text.to_ascii_lowercase().contains("windows");
            return Some(if windows {
                Dialect::Windows
            } else {
                Dialect::Posix
            });
        };
        let known = shell.split_whitespace().filter_map(Dialect::of).next_back();
        // `shell: ${{ matrix.shell }}` is most often a POSIX one; `python` is none.
        known.or_else(|| shell.contains("${{").then_some(Dialect::Posix))
    }

    fn folder(&self, scope: &StepScope<'_>) -> Option<String> {
        match self.setting("working-directory") {
            Some(folder) => scope.filled(folder)?.seen_from(Some("")),
            None => Some(String::new()),
        }
    }

    fn names(&self, env: &Env) -> Vec<AxisPath> {
        let texts = [self.step]
            .into_iter()
            .chain(self.defaults())
            .map(Node::raw);
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

/// Returns the path of what `uses` names in the same repository.
fn folder(uses: &str) -> &str {
    uses.trim_start_matches("./").trim_end_matches('/')
}

/// Returns the queue of a job, or of a workflow.
fn queue(node: Node<'_>, whole: bool) -> Option<Queue> {
    let group = node.get("concurrency")?;
    let name = group.get("group").unwrap_or(group).text()?.to_owned();
    Some(Queue { name, whole })
}

fn labels(job: Node<'_>) -> Vec<&str> {
    let on = job.get("runs-on");
    let labels = on.and_then(|on| on.get("labels")).or(on).map(Node::scalars);
    let labels = labels.unwrap_or_default().into_iter();
    labels.filter_map(Node::text).collect()
}

/// Returns the inputs of a called workflow, or of an action, with their values where a caller gives none.
fn inputs(called: Node<'_>) -> Vec<Arg> {
    let inputs = called.get("inputs").map(Node::entries).unwrap_or_default();
    let input = |input: Entry<'_>| {
        let default = match input.value.get_text("type") {
            Some("boolean") => "false",
            Some("number") => "0",
            _ => "",
        };
        let value = input.value.get_text("default").unwrap_or(default);
        let is_known = !value.contains("${{");
        let value = is_known.then(|| value.to_owned());
        Some(Arg::new(input.key.text()?, value, input.key.span()))
    };
    inputs.into_iter().filter_map(input).collect()
}

/// Returns the inputs of a called workflow that are no texts.
fn untyped(called: Node<'_>) -> Vec<String> {
    let inputs = called.get("inputs").map(Node::entries).unwrap_or_default();
    let is_text =
        |input: &Entry<'_>| !matches!(input.value.get_text("type"), Some("boolean" | "number"));
    let untyped = inputs.iter().filter(|input| !is_text(input));
    untyped
        .filter_map(|input| input.key.text())
        .map(str::to_owned)
        .collect()
}

/// Returns what starts a workflow.
fn triggers(root: Node<'_>) -> Triggers {
    let texts = |node: Node<'_>| -> Vec<String> {
        let texts = node.scalars().into_iter().filter_map(Node::text);
        texts.map(str::to_owned).collect()
    };
    let Some(on) = root.get("on") else {
        return Triggers {
            inputs: inputs(root),
            ..Triggers::default()
        };
    };
    let mut events = texts(on);
    let keys = on
        .entries()
        .into_iter()
        .filter_map(|entry| entry.key.text());
    events.extend(keys.map(str::to_owned));
    events.retain(|event| event != "workflow_call");
    // Without types it starts along with them, too.
    let after = on.get("workflow_run").filter(|run| {
        let types = run.get("types").map(texts).unwrap_or_default();
        events == ["workflow_run"] && types == ["completed"]
    });
    Triggers {
        inputs: on.get("workflow_call").map(inputs).unwrap_or_default(),
        untyped: on.get("workflow_call").map(untyped).unwrap_or_default(),
        name: root.get_text("name").map(str::to_owned),
        by_itself: !events.is_empty(),
        after: after
            .and_then(|run| run.get("workflows"))
            .map(texts)
            .unwrap_or_default(),
    }
}

pub fn gather<'y>(root: Node<'y>, gatherer: &mut Gatherer<'y>) {
    gatherer.triggers = triggers(root);
    let mut workflow = Workflow {
        root,
        env: Env::default().with(variables(root.get("env"))),
        gatherer,
    };
    for entry in root.get("jobs").map(Node::entries).unwrap_or_default() {
        workflow.job(entry.key.text().unwrap_or_default(), entry.value);
    }
    if let Some(runs) = root.get("runs") {
        let job = Job {
            matrix: Matrix::open(Vec::new()),
            ..Job::default()
        };
        let builders = workflow.steps(&Arc::new(job), runs);
        workflow.gatherer.builders = builders;
    }
}

/// Gives each build at a place the rows of all builds there by the same files, of other targets or on other machines.
pub fn together(found: &mut [FoundBuild<'_>]) {
    let files = |found: &FoundBuild<'_>| {
        let mut subject = found.build.subject.clone();
        if let Subject::Files(files) = &mut subject {
            files.names.clear();
        }
        (found.build.span, found.build.name.clone(), subject)
    };
    let mut together: HashMap<(Span, String, Subject), BTreeSet<usize>> = HashMap::new();
    for found in &*found {
        let rows = together.entry(files(found)).or_default();
        rows.extend(&found.runs[0].rows);
    }
    for found in found {
        found.runs[0].rows = together[&files(found)].iter().copied().collect();
    }
}

struct Workflow<'w, 'y> {
    root: Node<'y>,
    env: Env,
    gatherer: &'w mut Gatherer<'y>,
}

impl<'y> Workflow<'_, 'y> {
    fn job(&mut self, name: &str, node: Node<'y>) {
        if let Some(needs) = node.get("needs") {
            let needs = needs.scalars().into_iter().filter_map(Node::text);
            let job = |name: &str| Ordered::Job(name.to_owned());
            let order = (job(name), needs.map(job).collect());
            self.gatherer.order.push(order);
        }
        let mut job = Job {
            name: Some(name.to_owned()),
            env: self.env.with(variables(node.get("env"))),
            matrix: matrix::read(node),
            labels: labels(node).into_iter().map(str::to_owned).collect(),
            has_own_files: paths::are_of_row(node),
            condition: node.get_text("if").map(Arc::from),
            ..Job::default()
        };
        let queues = [(node, false), (self.root, true)].into_iter();
        job.queues = queues
            .filter_map(|(node, whole)| queue(node, whole))
            .collect();
        job.builders = runner::builders(node, &job, self.root);
        let job = Arc::new(job);
        let condition = Condition::of(node, &job, self.gatherer.language, &Env::default());
        if condition.never_holds() {
            return;
        }
        if let Some(uses) = node.get_text("uses") {
            self.call(&job, node, uses, &job.builders, &[]);
            if actions::tool(uses).is_some() {
                let root = self.root;
                let (env, around) = (
                    Env::default(),
                    StepContext {
                        step: node,
                        job: node,
                        root,
                    },
                );
                let step = Step {
                    names: Some(around.names(&env)),
                    env,
                    builders: job.builders.clone(),
                    ..Step::new(&job, format!("job `{name}`"), node)
                };
                self.step(&step, &around, &[]);
            }
        }
        self.steps(&job, node);
    }

    /// Records that a job or a step `uses` another file of the repository, in all rows of the matrix but those `skipped`.
    fn call(
        &mut self,
        job: &Arc<Job>,
        node: Node<'y>,
        uses: &str,
        builders: &Builders,
        skipped: &[usize],
    ) {
        let mut rows = job.matrix.all();
        rows.retain(|row| !skipped.contains(row));
        if let (true, Some(place)) = (uses.starts_with("./"), node.get("uses")) {
            self.gatherer.calls.push(Call {
                span: place.span(),
                job: job.name.clone(),
                path: folder(uses).to_owned(),
                runs: self.gatherer.language.job_runs(job, &rows),
                builders: self.in_rows(job, &job.env, builders, |own, scope| {
                    let env = |name: &str| {
                        let value = job.env.get(name)?.value.as_deref()?;
                        Some(scope.resolved(value))
                    };
                    *own = own.within(&env);
                }),
                legs: of_job(self.gatherer.language, job, rows),
                inputs: variables(node.get("with")),
                machines: self.machines(job, node),
            });
        }
    }

    /// Returns the machine that each input of a call names, if it is a label.
    fn machines(&self, job: &Job, node: Node<'_>) -> Vec<(String, Builder)> {
        let with = node.get("with").map(Node::entries).unwrap_or_default();
        let input = |entry: Entry<'_>| {
            let name = entry.key.text()?.to_owned();
            let label = entry.value.text()?;
            Some((name, runner::machine(&[label], &job.matrix, self.root)))
        };
        with.into_iter().filter_map(input).collect()
    }

    /// Returns the builders of a job after `change`, which gets them for each row of its matrix.
    fn in_rows(
        &self,
        job: &Job,
        env: &Env,
        builders: &Builders,
        change: impl Fn(&mut Builders, &StepScope<'_>),
    ) -> Builders {
        let handed = Env::default();
        let rows = job.matrix.rows.iter().enumerate();
        let rows = rows.take_while(|(at, _)| *at == 0 || budget::spend(64));
        let changed = rows.map(|(at, row)| {
            let scope = StepScope {
                language: self.gatherer.language,
                env,
                handed: &handed,
                job,
                row,
                run: None,
                keeps_inputs: false,
            };
            let mut own = builders.in_row(at);
            change(&mut own, &scope);
            own
        });
        Builders::of_rows(&changed.collect::<Vec<_>>())
    }

    /// Reads the steps of a job, or of an action; returns the builders behind them.
    fn steps(&mut self, job: &Arc<Job>, node: Node<'y>) -> Builders {
        let Some(steps) = node.get("steps") else {
            return job.builders.clone();
        };
        let checkouts = paths::checkouts(steps);
        let mut handed = Env::default().with(handed::of_needs(node, self.root));
        let mut builders = Seen::new(job.builders.clone());
        for (index, step) in steps.items().into_iter().enumerate() {
            let uses = step.get_text("uses").unwrap_or_default();
            let condition = Condition::of(step, job, self.gatherer.language, &handed);
            if condition.never_holds() {
                continue;
            }
            let fills = cache_dance::fills(step, uses, job.name.as_deref());
            self.gatherer.fills.extend(fills);
            if uses.starts_with("./") {
                let skipped = condition.skipped();
                self.call(job, step, uses, builders.by(&condition), &skipped);
                let action = CalledAction {
                    folder: folder(uses).into(),
                    span: step.get("uses").map(Node::span).unwrap_or_default(),
                    skipped: skipped.into(),
                    open: condition.why(),
                };
                builders.call(&condition, &action);
            } else if let Some(change) = actions::change(step, uses) {
                let env = job.env.with(variables(step.get("env")));
                builders.change(&condition, |builders| {
                    self.in_rows(job, &env, builders, |own, scope| {
                        own.apply(&change.resolved(&|text| scope.resolved(text)));
                    })
                });
            } else if step.get("run").is_some() || actions::tool(uses).is_some() {
                let number = format!("step {}", index + 1);
                let name = job.name.as_ref();
                let title = name.map(|name| format!("job `{name}`, {number}"));
                let env = job.env.with(variables(step.get("env")));
                let (job_node, root) = (node, self.root);
                let around = StepContext {
                    step,
                    job: job_node,
                    root,
                };
                let step = Step {
                    names: Some(around.names(&env)),
                    env,
                    handed: handed.clone(),
                    builders: builders.by(&condition).clone(),
                    skipped: condition.skipped(),
                    ..Step::new(job, title.unwrap_or(number), step)
                };
                let behind = self.step(&step, &around, &checkouts);
                if behind != step.builders {
                    builders.change(&condition, |_| behind.clone());
                }
            }
            // The last one counts.
            handed = handed.with(handed::variables(step));
        }
        builders.all
    }

    /// Returns the builders that the steps behind it see.
    fn step(
        &mut self,
        step: &Step<'_, 'y>,
        around: &StepContext<'y>,
        checkouts: &[Checkout],
    ) -> Builders {
        let in_repository = |subject| paths::in_repository(subject, checkouts);
        if let Some(uses) = around.step.get("uses") {
            let names = step.names.clone().unwrap_or_default();
            self.gatherer.rows(step, &names, |gatherer, rows, scope| {
                match actions::build(step, uses, scope, &in_repository) {
                    Some(Ok(build)) => gatherer.add(build, None, step, rows),
                    Some(Err(why)) => gatherer.add_unknown(uses.span(), why),
                    None => {}
                }
            });
        } else if let Some(run) = around.step.get("run") {
            let start = |scope: &StepScope<'_>| {
                Some((around.folder(&scope.with_inputs()), around.dialect(scope)?))
            };
            return self
                .gatherer
                .script_from(&[run], step, &start, &in_repository);
        }
        step.builders.clone()
    }
}
