//! Buildkite: `.buildkite/*.yml`.
//!
//! `commands` are one script for one shell in the checkout. By Buildkite's reference, matrix values come into a command
//! as `{{matrix}}` or `{{matrix.name}}`, and `$NAME` is put in when the pipeline is uploaded (unless that is off),
//! before a step's own variables are known. So a lane is written without variables: the step's key and its matrix
//! values.

use std::collections::HashSet;
use std::sync::Arc;

use super::format::{FilePath, Format, Insertion, PathBase};
use super::jobs::{
    self, FoundBuild, Gatherer, Job, JobRuns, Language, Looked, MAX_ROWS, Matrix, MatrixRow,
    Pipeline, Source, Step, StepScope,
};
use super::model::{AxisPath, Env, Lane, Ordered, Queue, Runs, Unknown};
use super::paths::Text;
use super::shell::Lookup;
use super::yaml::{Addition, Node};
use crate::budget;
use crate::text::marks::same;

/// The name here of the one axis of `{{matrix}}`.
const ONLY: &str = "matrix";
/// The axis of the jobs of `parallelism: 5`.
const NUMBER: &str = "parallelism";

#[derive(Debug)]
pub struct Buildkite;

impl Format for Buildkite {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        path.is_yaml_in(".buildkite")
    }

    fn base(&self) -> PathBase {
        PathBase::Above(".buildkite")
    }

    fn adds(&self) -> Option<Addition> {
        Some(Addition::Text)
    }
}

impl Language for Buildkite {
    fn root(&self) -> &'static str {
        "BUILDKITE_BUILD_CHECKOUT_PATH"
    }

    fn axis(&self, need: Lookup<'_>) -> Option<AxisPath> {
        let Lookup::Expression(raw) = need else {
            return None;
        };
        let inner = raw.strip_prefix("{{")?.strip_suffix("}}")?;
        let name = inner.trim().strip_prefix("matrix")?;
        Some(name.strip_prefix('.').unwrap_or(ONLY).into())
    }

    fn predefined(&self, scope: &StepScope<'_>, name: &str) -> Option<String> {
        match name {
            "BUILDKITE_STEP_KEY" => scope.job.name.clone(),
            "BUILDKITE_LABEL"
            | "BUILDKITE_PARALLEL_JOB"
            | "BUILDKITE_JOB_ID"
            | "BUILDKITE_STEP_ID" => Some(scope.own_name()),
            _ if name.starts_with("BUILDKITE_AGENT") => None,
            _ => name.starts_with("BUILDKITE_").then(|| same(name)),
        }
    }

    fn filled(&self, scope: &StepScope<'_>, text: &str, _: Option<&Looked<'_>>) -> Option<Text> {
        if scope.run.is_some() {
            return in_run(scope, text).map(Text::from);
        }
        let is_known = !["$", "{{"].iter().any(|mark| text.contains(mark));
        is_known.then(|| text.into())
    }
}

impl Pipeline for Buildkite {
    fn gather<'y>(&self, source: &'y Source<'y>, gatherer: &mut Gatherer<'y>) {
        let Some(root) = source.root().filter(|root| !root.is_null()) else {
            return;
        };
        if !root.is_map() && !root.is_list() {
            gatherer.unknown.push(Unknown::no_mapping(root.span()));
        }
        let env = Env::default().with(jobs::variables(root.get("env")));
        let list = if root.is_list() {
            Some(root)
        } else {
            root.get("steps")
        };
        if let Some(list) = list {
            let mut steps = Steps {
                gatherer,
                env,
                count: 0,
                names: HashSet::new(),
            };
            steps.read(list, Vec::new());
        }
    }

    /// Passes the step's key, where other steps build the same, and its matrix values, joined with `-`.
    fn insert(&self, found: &FoundBuild<'_>, lane: &Lane<'_>) -> Result<Insertion, String> {
        let [name] = found.build.jobs.as_slice() else {
            return Err("several steps run it".to_owned());
        };
        if !found.all_listed() {
            return Err(
                "its jobs run in parallel, and only a variable tells them apart".to_owned(),
            );
        }
        let axes = match &found.build.runs {
            Runs::Once => Vec::new(),
            Runs::Matrix(axes) => usable(found, axes)?,
        };
        let mut parts = Vec::new();
        if lane.parts.job || axes.is_empty() {
            // A step with a key is called by it; all others have a blank in their names.
            let key = jobs::is_plain_value(name).then(|| name.clone());
            parts.push(key.ok_or("the step has no `key`")?);
        }
        parts.extend(
            axes.into_iter()
                .map(|axis| match axis.to_string().as_str() {
                    ONLY => "{{matrix}}".to_owned(),
                    name => format!("{{{{matrix.{name}}}}}"),
                }),
        );
        jobs::insertion(found, lane, parts.join(lane.parts.joint.as_str()))
    }
}

/// Returns those of `axes` whose values can stand in a command and in a lane as they are (not a path or an image), if
/// they tell the jobs apart.
fn usable<'f>(
    found: &'f FoundBuild<'_>,
    axes: &'f [AxisPath],
) -> Result<Vec<&'f AxisPath>, String> {
    let rows = || found.runs.iter().flat_map(JobRuns::rows);
    let value = |row: &'f MatrixRow, axis: &AxisPath| {
        let value = jobs::value(row, axis).map(String::as_str);
        value.filter(|value| jobs::is_plain_value(value))
    };
    let fits = |axis: &&AxisPath| {
        jobs::is_plain_value(&axis.to_string()) && rows().all(|row| value(row, axis).is_some())
    };
    let axes: Vec<&AxisPath> = axes.iter().filter(fits).collect();
    let lane = |row| -> Vec<&str> { axes.iter().filter_map(|axis| value(row, axis)).collect() };
    let mut seen = HashSet::new();
    if axes.is_empty() || !rows().all(|row| seen.insert(lane(row))) {
        return Err("no value of its matrix that fits into a lane tells its jobs apart".to_owned());
    }
    Ok(axes)
}

/// Returns `text` with the values of the matrix.
fn in_run(scope: &StepScope<'_>, text: &str) -> Option<String> {
    let mut parts = text.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inner, behind) = part.split_once("}}")?;
        let axis = scope
            .language
            .axis(Lookup::Expression(&format!("{{{{{inner}}}}}")))?;
        let value = jobs::value(scope.row, &axis).cloned();
        filled += &value.unwrap_or_else(|| scope.own_name());
        filled += behind;
    }
    Some(filled)
}

/// The steps of a pipeline, and the order in which they run.
///
/// By Buildkite's "Managing step dependencies": a `wait` or `block` waits for all steps above it, and those below wait for
/// it; a step with `depends_on` waits for nothing else. A barrier within a group is one for the group's steps only.
struct Steps<'g, 'y> {
    gatherer: &'g mut Gatherer<'y>,
    env: Env,
    /// The number of steps so far.
    count: usize,
    names: HashSet<String>,
}

impl<'y> Steps<'_, 'y> {
    /// Reads the steps of `list`, which wait for `after`; returns what has ended when all of them have.
    fn read(&mut self, list: Node<'y>, mut after: Vec<Ordered>) -> Vec<Ordered> {
        let mut open = Vec::new();
        for step in list.items() {
            self.count += 1;
            let own = step.get("depends_on").map(dependencies);
            let key = text(step, &["key", "id", "identifier"]);
            if !budget::spend(64 * (1 + open.len() + after.len())) {
                break;
            }
            let ended = if let Some(group) = step.get("steps") {
                let after = own.unwrap_or_else(|| after.clone());
                budget::nested(|| self.read(group, after)).unwrap_or_default()
            } else if is_barrier(step) {
                // One with a condition is not always there.
                if ["if", "branches"].iter().any(|key| step.get(key).is_some()) {
                    continue;
                }
                let barrier = Ordered::Stage(self.count);
                let above = || [std::mem::take(&mut open), after.clone()].concat();
                let above = own.unwrap_or_else(above);
                self.gatherer.order.push((barrier.clone(), above));
                after = vec![barrier.clone()];
                vec![barrier]
            } else {
                let job = Ordered::Job(self.step(step, key));
                let after = own.unwrap_or_else(|| after.clone());
                self.gatherer.order.push((job.clone(), after));
                vec![job]
            };
            if let Some(key) = key.map(|key| Ordered::Job(key.to_owned()))
                && ended != [key.clone()]
            {
                self.gatherer.order.push((key, ended.clone()));
            }
            open.extend(ended);
        }
        open.extend(after);
        open
    }

    /// Reads a step of commands, and returns its name.
    fn step(&mut self, step: Node<'y>, key: Option<&str>) -> String {
        let label = text(step, &["label", "name"]);
        let number = format!("step {}", self.count);
        let title = label.map_or_else(|| number.clone(), |label| format!("step `{label}`"));
        let unnamed = || format!("step {}", label.unwrap_or(&number));
        let mut name = key.map_or_else(unnamed, str::to_owned);
        if !self.names.insert(name.clone()) {
            name = format!("{name} ({number})");
        }
        let job = Arc::new(Job {
            name: Some(name.clone()),
            env: self.env.with(jobs::variables(step.get("env"))),
            matrix: matrix(step),
            queues: queue(step).into_iter().collect(),
            ..Job::default()
        });
        let commands = Step::new(&job, title, step);
        for lines in ["command", "commands"]
            .iter()
            .filter_map(|key| step.get(key))
        {
            self.gatherer.script(&lines.scalars(), &commands);
        }
        // A mapping, or a list of such.
        let plugins = step.get("plugins").into_iter();
        let plugins = plugins.flat_map(|plugins| [&[plugins], &plugins.items()[..]].concat());
        for plugin in plugins.flat_map(Node::entries) {
            let name = plugin.key.text().unwrap_or_default();
            if name.contains("docker-compose#") && plugin.value.get("build").is_some() {
                self.gatherer
                    .add_unknown(plugin.key.span(), "a plugin builds it".to_owned());
            }
        }
        name
    }
}

fn text<'y>(step: Node<'y>, keys: &[&str]) -> Option<&'y str> {
    keys.iter().find_map(|key| step.get_text(key))
}

/// Returns the steps and groups that `depends_on` names.
fn dependencies(node: Node<'_>) -> Vec<Ordered> {
    let all = node.listed().into_iter();
    let names = all.filter_map(|one| one.text().or(one.get_text("step")));
    names.map(|name| Ordered::Job(name.to_owned())).collect()
}

fn is_barrier(step: Node<'_>) -> bool {
    let kinds = ["wait", "waiter", "block", "manual"];
    let kind = step.text().or(step.get_text("type"));
    kind.is_some_and(|kind| kinds.contains(&kind))
        || kinds.iter().any(|kind| step.get(kind).is_some())
}

/// Returns the queue of a step whose group runs one job at a time.
fn queue(step: Node<'_>) -> Option<Queue> {
    let name = step.get_text("concurrency_group")?.to_owned();
    let is_one = step.get_text("concurrency") == Some("1");
    is_one.then_some(Queue { name, whole: false })
}

fn matrix(step: Node<'_>) -> Matrix {
    let mut matrix = step.get("matrix").map_or_else(Matrix::none, listed_matrix);
    let number = step
        .get_text("parallelism")
        .and_then(|text| text.parse::<usize>().ok());
    if number.is_some_and(|number| number > 1) {
        matrix.names.push(NUMBER.into());
        matrix.open = true;
    }
    matrix
}

fn listed_matrix(node: Node<'_>) -> Matrix {
    let setup = if node.is_list() {
        node
    } else {
        node.get("setup").unwrap_or(node)
    };
    let axes = if setup.is_list() {
        vec![(ONLY.into(), jobs::values(setup))]
    } else {
        jobs::axes(setup)
    };
    let Some(mut rows) = jobs::product(&axes) else {
        return Matrix::open(axes.into_iter().map(|(name, _)| name).collect());
    };
    let adjustments = node.get("adjustments").map(Node::items).unwrap_or_default();
    for adjustment in adjustments {
        let Some(adjusted) = adjustment.get("with") else {
            continue;
        };
        let text = |node: Node<'_>| node.text().unwrap_or_default().to_owned();
        let entries = adjusted.entries().into_iter();
        let mut row: MatrixRow = entries
            .map(|entry| ((&text(entry.key)).into(), text(entry.value)))
            .collect();
        if adjusted.text().is_some() {
            row.push((ONLY.into(), text(adjusted)));
        }
        let same = |known: &MatrixRow| {
            known.len() == row.len() && row.iter().all(|value| known.contains(value))
        };
        // A reason counts as `true`.
        let skip = adjustment.get_text("skip");
        if skip.is_some_and(|skip| !matches!(skip, "false" | "")) {
            rows.retain(|known| !same(known));
        } else if !rows.iter().any(same) && rows.len() < MAX_ROWS {
            rows.push(row);
        }
    }
    Matrix::of(rows)
}
