//! Workflows of GitHub Actions, and actions made of steps.
//!
//! Relied on, from GitHub's "Workflow syntax" and "Contexts": values of a matrix are only in expressions, not in the
//! environment; the nearest `env` counts; a script runs in the workspace unless `working-directory` says else, in `bash` or
//! `sh`, and on Windows in PowerShell, unless `shell` says else; `./` in `uses` is the repository's root.

mod expression;
mod handed;
mod inputs;
mod matrix;
mod pass;
mod paths;
mod runner;
mod step;

use std::collections::{HashMap, HashSet};

use super::command;
use super::format::{FilePath, Format, Inserter, Open, OpenYaml};
use super::model::{Arg, Build, BuildFile, Call, ReadError, Runs, Subject};
use super::yaml::{Node, Yaml};
use crate::text::Span;
use expression::Scope;
use matrix::{Matrix, Row};
use paths::Checkout;
use step::{Draft, Drafted, Kind};

/// Workflows of GitHub Actions, and actions made of steps.
#[derive(Debug)]
pub struct Github;

impl Format for Github {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        path.is_yaml_in(".github/workflows") || path.stem == Some("action")
    }

    fn folder(&self) -> Option<&'static str> {
        Some(".github")
    }

    fn read(&self, source: &str) -> Result<BuildFile, ReadError> {
        read(source)
    }

    fn open<'s>(&self, source: &'s str) -> Result<Box<dyn Open + 's>, ReadError> {
        OpenYaml::read(source, |yaml| Ok(passer(yaml)))
    }
}

fn read(source: &str) -> Result<BuildFile, ReadError> {
    // Actions that build, forks among them, and files that it calls.
    let others = ["build", "bake-action", "./"];
    let has = |word: &&str| memchr::memmem::find(source.as_bytes(), word.as_bytes()).is_some();
    if !command::may_build(source) && !others.iter().any(has) {
        return Ok(BuildFile::default());
    }
    let yaml = Yaml::read(source)?;
    let Found { sites, mut wiring } = Found::of(&yaml);
    wiring.builds = sites.into_iter().map(|site| site.build).collect();
    wiring.builds.sort_by_key(|build| build.span);
    wiring.unknown.sort_by_key(|unknown| unknown.span);
    Ok(wiring)
}

/// What passes lanes to the builds that [`read`] has found in `yaml`.
fn passer<'d>(yaml: &'d Yaml<'d>) -> Inserter<'d> {
    let found = Found::of(yaml);
    let mut places: HashMap<Span, Vec<usize>> = HashMap::new();
    for (index, site) in found.sites.iter().enumerate() {
        places.entry(site.build.span).or_default().push(index);
    }
    Box::new(move |build, lane| {
        let mut sites = places
            .get(&build.span)
            .into_iter()
            .flatten()
            .map(|index| &found.sites[*index]);
        let site = sites
            .find(|site| site.build == *build)
            .ok_or("it is not in this file")?;
        pass::pass(site, lane)
    })
}

/// A build with its place in the tree.
struct Site<'y> {
    source: &'y str,
    build: Build,
    step: Node<'y>,
    kind: Kind<'y>,
    /// What tells the runs of the build apart, as expressions get at it.
    axes: Vec<String>,
    /// Whether the values of the axes can be part of an id; `None` where they are not known.
    safe: Option<bool>,
    /// Whether a job on Windows runs it without saying which shell; `None` where only a run knows.
    windows: Option<bool>,
    /// The mappings `env` that hold, the nearest first.
    env: Vec<Node<'y>>,
}

/// What there is in a file.
#[derive(Default)]
struct Found<'y> {
    sites: Vec<Site<'y>>,
    wiring: BuildFile,
}

/// A job, or an action.
struct Job<'y> {
    source: &'y str,
    id: Option<&'y str>,
    matrix: Matrix,
    /// `env` of the job and of the workflow.
    env: Vec<Node<'y>>,
    /// `defaults.run` of the job and of the workflow.
    defaults: Vec<Node<'y>>,
    runs_on: String,
    /// Whether each run has a machine of its own, and its builder there.
    own_machine: bool,
    checkouts: Vec<Checkout>,
}

impl<'y> Found<'y> {
    fn of(yaml: &'y Yaml<'y>) -> Self {
        let mut found = Self::default();
        let Some(root) = yaml.root() else {
            return found;
        };
        for entry in root.get("jobs").map(Node::entries).unwrap_or_default() {
            found.job(
                root,
                entry.key.text().unwrap_or_default(),
                entry.value,
                yaml.source(),
            );
        }
        if let Some(steps) = root.get("runs").and_then(|runs| runs.get("steps")) {
            let checkouts = paths::checkouts(steps);
            let (env, defaults, runs_on) = (Vec::new(), Vec::new(), String::new());
            let source = yaml.source();
            let matrix = Matrix::unknown();
            let job = Job {
                source,
                id: None,
                matrix,
                env,
                defaults,
                runs_on,
                own_machine: false,
                checkouts,
            };
            found.steps(&job, steps);
        }
        found
    }

    fn job(&mut self, root: Node<'y>, id: &'y str, node: Node<'y>, source: &'y str) {
        let matrix = Matrix::of(node, source);
        if let Some(needs) = node.get("needs") {
            let needs = needs
                .scalars()
                .into_iter()
                .filter_map(Node::text)
                .map(str::to_owned);
            self.wiring.order.push((id.to_owned(), needs.collect()));
        }
        if let Some(uses) = node.get("uses") {
            let rows = matrix
                .rows
                .as_ref()
                .map(|rows| rows.iter().collect::<Vec<_>>());
            self.call((Some(id), false), uses, matrix.runs(rows.as_deref()));
        }
        let Some(steps) = node.get("steps") else {
            return;
        };
        let run = |node: Node<'y>| {
            node.get("defaults")
                .and_then(|defaults| defaults.get("run"))
        };
        let runs_on = node.get("runs-on").map(labels).unwrap_or_default();
        let own_machine = !node.get("runs-on").is_some_and(Node::is_map)
            && runner::is_hosted(&runs_on, &matrix)
            && ![Some(node), root.get("env")]
                .into_iter()
                .flatten()
                .any(|node| {
                    let span = node.resolved().span();
                    runner::names_builder(source.get(span.start..span.end).unwrap_or_default())
                });
        let job = Job {
            source,
            id: Some(id),
            matrix,
            own_machine,
            env: [node.get("env"), root.get("env")]
                .into_iter()
                .flatten()
                .collect(),
            defaults: [run(node), run(root)].into_iter().flatten().collect(),
            runs_on,
            checkouts: paths::checkouts(steps),
        };
        self.steps(&job, steps);
    }

    /// A call of another file of the repository.
    fn call(&mut self, (job, own_machine): (Option<&str>, bool), uses: Node<'y>, runs: Runs) {
        let Some(path) = uses.text().and_then(|path| path.strip_prefix("./")) else {
            return;
        };
        let path = path.trim_end_matches('/').to_owned();
        let call = Call {
            span: uses.span(),
            job: job.map(str::to_owned),
            path,
            runs,
            own_machine,
        };
        self.wiring.calls.push(call);
    }

    fn steps(&mut self, job: &Job<'y>, steps: Node<'y>) {
        let mut handed = Vec::new();
        for (index, step) in steps.items().into_iter().enumerate() {
            let earlier = handed.len();
            handed.extend(handed::variables(step));
            if let Some(uses) = step
                .get("uses")
                .filter(|uses| uses.text().is_some_and(|text| text.starts_with("./")))
            {
                let rows = job
                    .matrix
                    .rows
                    .as_ref()
                    .map(|rows| rows.iter().collect::<Vec<_>>());
                self.call(
                    (job.id, job.own_machine),
                    uses,
                    job.matrix.runs(rows.as_deref()),
                );
            } else if step::may_build(step) {
                self.step(job, index, (step, &handed[..earlier]));
            }
        }
    }

    /// A step, once for each combination of the matrix that makes a difference to it.
    fn step(&mut self, job: &Job<'y>, index: usize, (step, handed): (Node<'y>, &[Arg])) {
        let env: Vec<Node<'y>> = step
            .get("env")
            .into_iter()
            .chain(job.env.iter().copied())
            .collect();
        let groups = groups(job, step, &env);
        let mut merged: Vec<(Draft<'y>, Vec<&Row>)> = Vec::new();
        for (row, rows) in &groups {
            let scope = Scope {
                env: &env,
                job: job.id,
                row: *row,
            };
            for drafted in step::drafts(step, job, &scope) {
                match drafted {
                    Drafted::Unknown(unknown) => {
                        if !self.wiring.unknown.contains(&unknown) {
                            self.wiring.unknown.push(unknown);
                        }
                    }
                    Drafted::Build(draft) => {
                        match merged.iter_mut().find(|(other, _)| other.is_like(&draft)) {
                            Some((other, all)) => {
                                other.take(&draft);
                                all.extend(rows);
                            }
                            None => merged.push((draft, rows.clone())),
                        }
                    }
                }
            }
        }
        let all: Vec<(Subject, Vec<&Row>)> = merged
            .iter()
            .map(|(draft, rows)| (draft.subject.clone(), rows.clone()))
            .collect();
        for (draft, rows) in merged {
            let rows = job
                .matrix
                .rows
                .is_some()
                .then(|| together(&draft.subject, rows, &all));
            let mut site = site(job, index, step, &env, draft, rows.as_deref());
            let known: HashSet<&String> = site.build.env.iter().map(|arg| &arg.name).collect();
            // The last one counts.
            let new = handed
                .iter()
                .rev()
                .filter(|arg| !known.contains(&arg.name))
                .take_while(|_| Arg::pay(1))
                .cloned();
            let new: Vec<Arg> = new.collect();
            site.build.env.extend(new);
            self.sites.push(site);
        }
    }
}

/// The combinations that build what may be in one Dockerfile: for targets of the same files, those of all targets.
fn together<'m>(
    subject: &Subject,
    rows: Vec<&'m Row>,
    all: &[(Subject, Vec<&'m Row>)],
) -> Vec<&'m Row> {
    let Subject::Files(files) = subject else {
        return rows;
    };
    let same = all
        .iter()
        .filter(|(other, _)| matches!(other, Subject::Files(other) if other.paths == files.paths));
    same.flat_map(|(_, rows)| rows.iter().copied()).collect()
}

/// The combinations of the matrix, put together where the step does not tell them apart: one of them, and all of them.
fn groups<'m, 'y>(
    job: &'m Job<'y>,
    step: Node<'y>,
    env: &[Node<'y>],
) -> Vec<(Option<&'m Row>, Vec<&'m Row>)> {
    let Some(rows) = &job.matrix.rows else {
        return vec![(None, Vec::new())];
    };
    let mut names = expression::mentioned(&job.runs_on, "matrix");
    for node in [step].iter().chain(env).chain(&job.defaults) {
        let span = node.resolved().span();
        names.extend(expression::mentioned(
            job.source.get(span.start..span.end).unwrap_or_default(),
            "matrix",
        ));
    }
    let mut groups: Vec<(Option<&Row>, Vec<&Row>)> = Vec::new();
    let mut keys: Vec<Vec<Option<&str>>> = Vec::new();
    for row in rows {
        let key: Vec<Option<&str>> = names.iter().map(|name| matrix::value(row, name)).collect();
        if let Some(at) = keys.iter().position(|other| *other == key) {
            groups[at].1.push(row);
        } else {
            keys.push(key);
            groups.push((Some(row), vec![row]));
        }
    }
    groups
}

fn site<'y>(
    job: &Job<'y>,
    index: usize,
    step: Node<'y>,
    env: &[Node<'y>],
    draft: Draft<'y>,
    rows: Option<&[&Row]>,
) -> Site<'y> {
    let step_name = format!("step {}", index + 1);
    let name = job
        .id
        .map_or(step_name.clone(), |id| format!("job `{id}`, {step_name}"));
    let axes = job.matrix.axes(rows);
    let safe = if axes.is_empty() {
        Some(true)
    } else {
        job.matrix.is_safe(&axes)
    };
    let build = Build {
        target: draft.target,
        args: draft.args,
        args_known: draft.args_known,
        env: variables(draft.env, env),
        runs: job.matrix.runs(rows),
        jobs: job.id.into_iter().map(str::to_owned).collect(),
        own_machine: job.own_machine,
        ..Build::new(draft.tool, name, draft.span, draft.subject)
    };
    let windows = if step::shell(step, job).is_some() {
        Some(false)
    } else {
        is_windows(job)
    };
    Site {
        source: job.source,
        build,
        step,
        kind: draft.kind,
        axes,
        safe,
        windows,
        env: env.to_vec(),
    }
}

/// What is `own`, and what the mappings set, the nearest of a name only.
fn variables(own: Vec<Arg>, env: &[Node<'_>]) -> Vec<Arg> {
    let mut found = own;
    let mut seen: HashSet<String> = found.iter().map(|arg| arg.name.clone()).collect();
    let entries = env.iter().flat_map(|env| env.entries());
    for entry in entries.take_while(|_| Arg::pay(1)) {
        let name = entry.key.text().unwrap_or_default();
        if seen.insert(name.to_owned()) {
            let value = entry.value.text().map(str::to_owned);
            found.push(Arg::new(name, value, entry.key.span()));
        }
    }
    found
}

/// The labels of `runs-on`, as written.
fn labels(node: Node<'_>) -> String {
    let group = node.get("labels").unwrap_or(node);
    group
        .scalars()
        .iter()
        .filter_map(|label| label.text())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether any of the job's combinations runs on Windows; `None` where only a run knows.
fn is_windows(job: &Job<'_>) -> Option<bool> {
    const OUTSIDE: [&str; 4] = ["inputs.", "needs.", "vars.", "fromJ"];
    let has = |text: &str| text.to_ascii_lowercase().contains("windows");
    let names = expression::mentioned(&job.runs_on, "matrix");
    let mut rows = job.matrix.rows.iter().flatten().flatten();
    if has(&job.runs_on) || rows.any(|(name, value)| names.contains(name) && has(value)) {
        return Some(true);
    }
    let is_open =
        job.runs_on.contains("${{") && OUTSIDE.iter().any(|name| job.runs_on.contains(name));
    let is_known = !is_open && (names.is_empty() || job.matrix.rows.is_some());
    is_known.then_some(false)
}
