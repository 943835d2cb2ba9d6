//! `CircleCI`: `.circleci/config.yml`.
//!
//! Each `run` is a script for a shell of its own. What the configuration reference says and this relies on: a workflow
//! runs a job once for each combination of its `matrix` of parameters, and `<< parameters.name >>` is put in before
//! anything runs, in a job the job's and in a command the command's own; `CIRCLE_JOB` is the name of the job.

use std::collections::HashMap;
use std::rc::Rc;

use super::pipelines::{self, Format, Job, Leg, MAX_LEGS, Reader, Script};
use super::shell::{Dialect, Need, join};
use super::yaml::{Node, Yaml};
use super::{Arg, Passer, Runs, Wiring, WiringError};

const FORMAT: Format = Format {
    roots: &["CIRCLE_WORKING_DIRECTORY"],
    nested: false,
    names,
};

/// How deep commands within commands, and conditions, are followed.
const MAX_DEPTH: usize = 12;
/// The most steps that are looked at, those of commands counted at each use.
const MAX_STEPS: usize = 10_000;
/// What tells the containers of `parallelism: 5` apart.
const NUMBER: &str = "parallelism";
/// What a workflow's entry says besides parameters.
const OPTIONS: &[&str] = &[
    "name",
    "context",
    "requires",
    "filters",
    "type",
    "matrix",
    "pre-steps",
    "post-steps",
    "when",
];

fn names(need: Need<'_>) -> (Option<&str>, Option<&str>) {
    match need {
        Need::Variable(name) => (None, Some(name)),
        Need::Expression(raw) => (parameter(raw), None),
    }
}

/// The name in `<< parameters.name >>`.
fn parameter(raw: &str) -> Option<&str> {
    raw.strip_prefix("<<")?
        .strip_suffix(">>")?
        .trim()
        .strip_prefix("parameters.")
}

/// Reads a configuration.
///
/// # Errors
/// Why it is no YAML that could be one.
pub fn read(source: &str) -> Result<Wiring, WiringError> {
    pipelines::read(source, |root| Wiring {
        order: order(root),
        ..gather(root).wiring()
    })
}

/// Which jobs require which, for those that stand in one place of the workflows only.
fn order(root: Node<'_>) -> Vec<(String, Vec<String>)> {
    let workflows = root.get("workflows").into_iter().flat_map(Node::entries);
    let uses = workflows
        .filter_map(|workflow| workflow.value.get("jobs"))
        .flat_map(Node::items);
    // Each use: the job, the name that it has there, and what it requires.
    let mut found: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for item in uses {
        if let Some(name) = item.text() {
            found.push((name, name, Vec::new()));
        }
        for entry in item.entries() {
            let Some(job) = entry.key.text() else {
                continue;
            };
            let requires = entry
                .value
                .get("requires")
                .map(Node::scalars)
                .unwrap_or_default();
            let name = entry.value.get_text("name").unwrap_or(job);
            found.push((
                job,
                name,
                requires.into_iter().filter_map(Node::text).collect(),
            ));
        }
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (job, ..) in &found {
        *counts.entry(job).or_default() += 1;
    }
    found.retain(|(job, ..)| counts.get(job) == Some(&1));
    let jobs: HashMap<&str, &str> = found.iter().map(|(job, name, _)| (*name, *job)).collect();
    let order = found.iter().map(|(job, _, requires)| {
        (
            (*job).to_owned(),
            requires
                .iter()
                .filter_map(|name| jobs.get(name))
                .map(|job| (*job).to_owned())
                .collect(),
        )
    });
    order.collect()
}

/// What passes lanes: `$CIRCLE_JOB`, in a matrix its parameters.
///
/// # Errors
/// Why it is none.
pub(super) fn passer<'d>(yaml: &'d Yaml<'d>) -> Result<Passer<'d>, String> {
    let found = gather(yaml.root().ok_or("it is no configuration")?).finish();
    Ok(pipelines::passer(found, |found, lane| {
        let is_matrix = matches!(found.build.runs, Runs::Matrix(_));
        if is_matrix && found.build.name.starts_with("command") {
            return Err("a command does not see the matrix of the job that runs it".to_owned());
        }
        if !found.all_listed() {
            return Err(
                "several containers run it, or in a matrix too large to look at".to_owned(),
            );
        }
        pipelines::joined(found, lane.shared, Ok("$CIRCLE_JOB"), |name| {
            format!("<< parameters.{name} >>")
        })
    }))
}

struct Walk<'y> {
    commands: Option<Node<'y>>,
    reader: Reader<'y>,
    left: usize,
}

/// Where steps stand.
#[derive(Clone, Copy)]
struct At<'a> {
    job: &'a str,
    /// ``job `test` ``, ``command `build` ``.
    title: &'a str,
    env: &'a Rc<[Arg]>,
    legs: &'a Rc<[Leg]>,
    axes: &'a [String],
    /// What the job calls its folder.
    home: &'a str,
    depth: usize,
}

fn gather(root: Node<'_>) -> Reader<'_> {
    let mut walk = Walk {
        commands: root.get("commands"),
        reader: Reader::new(&FORMAT),
        left: MAX_STEPS,
    };
    for entry in root.get("jobs").into_iter().flat_map(Node::entries) {
        let (Some(name), job) = (entry.key.text(), entry.value) else {
            continue;
        };
        let executor = job
            .get("executor")
            .and_then(|executor| executor.text().or_else(|| executor.get_text("name")));
        let executor = executor.and_then(|name| root.get("executors")?.get(name));
        let env = pipelines::variables(
            job.get("environment"),
            pipelines::variables(
                executor.and_then(|node| node.get("environment")),
                Vec::new(),
            ),
        );
        let (legs, mut axes) = legs(root, name, job);
        if job
            .get_text("parallelism")
            .and_then(|text| text.parse::<usize>().ok())
            .is_some_and(|count| count > 1)
        {
            axes.push(NUMBER.to_owned());
        }
        let home = job.get_text("working_directory").unwrap_or("~/project");
        let title = format!("job `{name}`");
        let (env, legs) = (Rc::from(env), Rc::from(legs));
        let at = At {
            job: name,
            title: &title,
            env: &env,
            legs: &legs,
            axes: &axes,
            home,
            depth: 0,
        };
        walk.steps(job.get("steps"), at, &mut 0);
    }
    walk.reader
}

impl<'y> Walk<'y> {
    fn steps(&mut self, list: Option<Node<'y>>, at: At<'_>, count: &mut usize) {
        for step in list.into_iter().flat_map(Node::items) {
            let Some(left) = self.left.checked_sub(1).filter(|_| at.depth < MAX_DEPTH) else {
                return;
            };
            self.left = left;
            *count += 1;
            if let Some(name) = step.text() {
                self.command(name, None, at);
                continue;
            }
            for entry in step.entries() {
                match entry.key.text().unwrap_or_default() {
                    "run" => self.run(entry.value, at, *count),
                    "when" | "unless" => {
                        self.steps(
                            entry.value.get("steps"),
                            At {
                                depth: at.depth + 1,
                                ..at
                            },
                            count,
                        );
                    }
                    name => self.command(name, Some(entry.value), at),
                }
            }
        }
    }

    /// The steps of a command of the file, with the parameters that it is given.
    fn command(&mut self, name: &str, given: Option<Node<'y>>, at: At<'_>) {
        let Some(command) = self.commands.and_then(|commands| commands.get(name)) else {
            return;
        };
        let defaults = command
            .get("parameters")
            .into_iter()
            .flat_map(Node::entries);
        let declared: Vec<(&str, Option<&str>)> = defaults
            .filter_map(|entry| {
                let name = entry.key.text()?;
                Some((
                    name,
                    given
                        .and_then(|given| given.get_text(name))
                        .or_else(|| entry.value.get_text("default")),
                ))
            })
            .collect();
        let value = |leg: &Leg, text: &str| match parameter(text) {
            Some(outer) => leg
                .iter()
                .find(|(name, _)| name == outer)
                .map(|(_, value)| value.clone()),
            None => Some(text.to_owned()),
        };
        let of = |leg: &Leg| {
            // A parameter of the job that the command has one of the same name for still tells legs apart.
            let renamed = |name: &str| {
                declared
                    .iter()
                    .any(|(own, _)| *own == name)
                    .then(|| format!("{name} of the job"))
            };
            let mut own: Leg = leg
                .iter()
                .map(|(name, value)| (renamed(name).unwrap_or_else(|| name.clone()), value.clone()))
                .collect();
            own.extend(
                declared
                    .iter()
                    .filter_map(|(name, text)| Some(((*name).to_owned(), value(leg, (*text)?)?))),
            );
            own
        };
        let legs: Vec<Leg> = if at.legs.is_empty() {
            vec![of(&Leg::new())]
        } else {
            at.legs.iter().map(of).collect()
        };
        let title = format!("command `{name}`");
        let at = At {
            title: &title,
            legs: &Rc::from(legs),
            depth: at.depth + 1,
            ..at
        };
        self.steps(command.get("steps"), at, &mut 0);
    }

    fn run(&mut self, run: Node<'y>, at: At<'_>, number: usize) {
        let Some(command) = (if run.is_map() {
            run.get("command")
        } else {
            Some(run)
        }) else {
            return;
        };
        let shell = run.get_text("shell").unwrap_or_default();
        let windows = ["powershell", "pwsh", "cmd"]
            .iter()
            .any(|name| shell.contains(name));
        let folder = match run.get_text("working_directory") {
            None => Some(String::new()),
            Some(path) => {
                let within = path
                    .strip_prefix(at.home)
                    .map(|path| path.trim_start_matches('/'));
                let known = !path.contains(['$', '<']);
                join("", within.unwrap_or(path)).filter(|_| known)
            }
        };
        let env = match run.get("environment") {
            Some(own) => pipelines::variables(Some(own), at.env.to_vec()).into(),
            None => Rc::clone(at.env),
        };
        let job = Job {
            env,
            legs: Rc::clone(at.legs),
            axes: at.axes.to_vec(),
            folder,
            dialect: if windows {
                Dialect::Windows
            } else {
                Dialect::Posix
            },
            ..Job::new(at.job, format!("{}, step {number}", at.title))
        };
        self.reader
            .script(&Rc::new(Script::new(&[command], None)), &job);
    }
}

/// The parameters that a job is run with by all workflows, or the names of them where they are too many.
fn legs(root: Node<'_>, name: &str, job: Node<'_>) -> (Vec<Leg>, Vec<String>) {
    let mut defaults = Leg::new();
    for entry in job.get("parameters").into_iter().flat_map(Node::entries) {
        if let (Some(name), Some(value)) = (entry.key.text(), entry.value.get_text("default")) {
            defaults.push((name.to_owned(), value.to_owned()));
        }
    }
    let workflows = root.get("workflows").into_iter().flat_map(Node::entries);
    let uses = workflows
        .filter_map(|workflow| workflow.value.get("jobs"))
        .flat_map(Node::items);
    let mut legs: Vec<Leg> = Vec::new();
    for usage in uses.filter_map(|item| {
        if item.is_map() {
            item.get(name)
        } else {
            (item.text() == Some(name)).then_some(item)
        }
    }) {
        let mut own = vec![defaults.clone()];
        let given = usage
            .entries()
            .into_iter()
            .filter(|entry| !OPTIONS.contains(&entry.key.text().unwrap_or_default()));
        let matrix = usage
            .get("matrix")
            .and_then(|matrix| matrix.get("parameters"));
        for entry in given.chain(matrix.into_iter().flat_map(Node::entries)) {
            let Some(name) = entry.key.text() else {
                continue;
            };
            let values: Vec<&str> = entry
                .value
                .scalars()
                .into_iter()
                .filter_map(Node::text)
                .collect();
            if own.len().saturating_mul(values.len().max(1)) > MAX_LEGS {
                return (Vec::new(), vec!["matrix".to_owned()]);
            }
            let put = |leg: &Leg, value: &str| {
                let mut leg: Leg = leg
                    .iter()
                    .filter(|(known, _)| known != name)
                    .cloned()
                    .collect();
                leg.push((name.to_owned(), value.to_owned()));
                leg
            };
            if !values.is_empty() {
                own = own
                    .iter()
                    .flat_map(|leg| {
                        values
                            .iter()
                            .map(|value| put(leg, value))
                            .collect::<Vec<_>>()
                    })
                    .collect();
            }
        }
        let excluded = usage
            .get("matrix")
            .and_then(|matrix| matrix.get("exclude"))
            .map(Node::items)
            .unwrap_or_default();
        let is_excluded = |leg: &Leg| {
            excluded.iter().any(|map| {
                leg.iter()
                    .all(|(name, value)| map.get_text(name).is_none_or(|text| text == value))
                    && !map.entries().is_empty()
            })
        };
        legs.extend(own.into_iter().filter(|leg| !is_excluded(leg)));
        legs.dedup();
        if legs.len() > MAX_LEGS {
            return (Vec::new(), vec!["matrix".to_owned()]);
        }
    }
    let mut seen = std::collections::HashSet::new();
    legs.retain(|leg| seen.insert(leg.clone()));
    (legs, Vec::new())
}
