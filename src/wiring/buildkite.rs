//! Buildkite: `.buildkite/*.yml`.
//!
//! `commands` are one script for one shell in the checkout. What Buildkite's reference says and this relies on: the values
//! of a `matrix` come into a command as `{{matrix}}` or `{{matrix.name}}`; `$NAME` is put in when the pipeline is
//! uploaded, unless that is switched off, and a step's own variables are not known by then. So a lane is written without
//! any variable: the step's key, and the values of its matrix.

use std::rc::Rc;

use super::pipelines::{self, Format, Job, Leg, MAX_LEGS, Reader, Script};
use super::shell::Need;
use super::yaml::{Node, Yaml};
use super::{Arg, Passer, Wiring, WiringError};
use crate::text::Span;

const FORMAT: Format = Format {
    roots: &["BUILDKITE_BUILD_CHECKOUT_PATH"],
    nested: false,
    names,
};

/// How deep groups may nest.
const MAX_DEPTH: usize = 8;
/// What `{{matrix}}` is called here.
const ONLY: &str = "matrix";
/// What tells the jobs of `parallelism: 5` apart.
const NUMBER: &str = "parallelism";

fn names(need: Need<'_>) -> (Option<&str>, Option<&str>) {
    match need {
        Need::Variable(name) => (None, Some(name)),
        // As `mask` leaves it.
        Need::Expression(raw) => {
            let inner = raw
                .strip_prefix("${")
                .and_then(|raw| raw.strip_suffix('}'))
                .map(str::trim);
            let name = inner
                .filter(|_| raw.ends_with(" }"))
                .and_then(|inner| inner.strip_prefix("matrix"));
            (
                name.map(|name| name.strip_prefix('.').unwrap_or(ONLY)),
                None,
            )
        }
    }
}

/// Reads a pipeline.
///
/// # Errors
/// Why it is no YAML that could be one.
pub fn read(source: &str) -> Result<Wiring, WiringError> {
    pipelines::read(source, |root| gather(root).wiring())
}

/// What passes lanes: the step's key and the values of its matrix.
///
/// # Errors
/// Why it is none.
pub(super) fn passer<'d>(yaml: &'d Yaml<'d>) -> Result<Passer<'d>, String> {
    let found = gather(yaml.root().ok_or("it is no pipeline")?).finish();
    Ok(pipelines::passer(found, |found, lane| {
        if !found.build.others.is_empty() {
            return Err("several steps run it".to_owned());
        }
        if !found.all_listed() {
            return Err(
                "its jobs run in parallel, and only a variable tells them apart".to_owned(),
            );
        }
        let job = found.build.job.as_deref().unwrap_or_default();
        // A job with a key is called by it; all others have a blank in theirs.
        let own = if pipelines::valid(job) {
            Ok(job)
        } else {
            Err("the step has no `key`".to_owned())
        };
        let axis = |name: &str| {
            if name == ONLY {
                "{{matrix}}".to_owned()
            } else {
                format!("{{{{matrix.{name}}}}}")
            }
        };
        pipelines::joined(found, lane.shared, own, axis)
    }))
}

fn gather(root: Node<'_>) -> Reader<'_> {
    let mut reader = Reader::new(&FORMAT);
    let env = pipelines::variables(root.get("env"), Vec::new());
    let list = if root.is_list() {
        Some(root)
    } else {
        root.get("steps")
    };
    if let Some(list) = list {
        steps(list, &env, 0, &mut 0, &mut reader);
    }
    reader
}

fn steps<'y>(
    list: Node<'y>,
    env: &[Arg],
    depth: usize,
    count: &mut usize,
    reader: &mut Reader<'y>,
) {
    for step in list.items() {
        *count += 1;
        if depth < MAX_DEPTH
            && let Some(group) = step.get("steps")
        {
            steps(group, env, depth + 1, count, reader);
        }
        let label = ["label", "name"].iter().find_map(|key| step.get_text(key));
        let key = ["key", "id", "identifier"]
            .iter()
            .find_map(|key| step.get_text(key));
        let number = format!("step {count}");
        let title = label.map_or_else(|| number.clone(), |label| format!("step `{label}`"));
        let name = key.map_or(format!("step {}", label.unwrap_or(&number)), str::to_owned);
        let (legs, mut axes) = step.get("matrix").map(matrix).unwrap_or_default();
        if step
            .get_text("parallelism")
            .and_then(|text| text.parse::<usize>().ok())
            .is_some_and(|count| count > 1)
        {
            axes.push(NUMBER.to_owned());
        }
        let job = Job {
            env: pipelines::variables(step.get("env"), env.to_vec()).into(),
            legs: legs.into(),
            axes,
            ..Job::new(&name, title)
        };
        for lines in ["command", "commands"]
            .iter()
            .filter_map(|key| step.get(key))
        {
            reader.script(&Rc::new(Script::new(&lines.scalars(), Some(&mask))), &job);
        }
        for plugin in step.get("plugins").into_iter().flat_map(entries) {
            let is_compose = plugin
                .0
                .text()
                .is_some_and(|name| name.contains("docker-compose#"));
            if is_compose && plugin.1.get("build").is_some() {
                reader.doubt(plugin.0.span(), "a plugin builds it".to_owned());
            }
        }
    }
}

/// The entries of a mapping, or of the mappings in a list.
fn entries(node: Node<'_>) -> Vec<(Node<'_>, Node<'_>)> {
    let maps = if node.is_list() {
        node.items()
    } else {
        vec![node]
    };
    maps.into_iter()
        .flat_map(Node::entries)
        .map(|entry| (entry.key, entry.value))
        .collect()
}

/// The legs of a matrix, or its axes where they are too many.
fn matrix(node: Node<'_>) -> (Vec<Leg>, Vec<String>) {
    let setup = if node.is_list() {
        node
    } else {
        node.get("setup").unwrap_or(node)
    };
    let axes: Vec<(&str, Vec<&str>)> = if setup.is_list() {
        vec![(
            ONLY,
            setup.scalars().into_iter().filter_map(Node::text).collect(),
        )]
    } else {
        setup
            .entries()
            .into_iter()
            .filter_map(|entry| {
                Some((
                    entry.key.text()?,
                    entry
                        .value
                        .scalars()
                        .into_iter()
                        .filter_map(Node::text)
                        .collect(),
                ))
            })
            .collect()
    };
    let count = axes.iter().fold(1_usize, |count, (_, values)| {
        count.saturating_mul(values.len())
    });
    if count > MAX_LEGS {
        return (
            Vec::new(),
            axes.into_iter().map(|(name, _)| name.to_owned()).collect(),
        );
    }
    let mut legs: Vec<Leg> = vec![Vec::new()];
    for (name, values) in &axes {
        legs = legs
            .iter()
            .flat_map(|leg| {
                values
                    .iter()
                    .map(|value| with(leg, name, value))
                    .collect::<Vec<_>>()
            })
            .collect();
    }
    for adjusted in node
        .get("adjustments")
        .into_iter()
        .flat_map(Node::items)
        .filter_map(|item| item.get("with"))
    {
        let mut leg = Leg::new();
        for entry in adjusted.entries() {
            leg = with(
                &leg,
                entry.key.text().unwrap_or_default(),
                entry.value.text().unwrap_or_default(),
            );
        }
        if let Some(value) = adjusted.text() {
            leg = with(&leg, ONLY, value);
        }
        let same =
            |known: &Leg| known.len() == leg.len() && leg.iter().all(|value| known.contains(value));
        if !legs.iter().any(same) && legs.len() < MAX_LEGS {
            legs.push(leg);
        }
    }
    (legs, Vec::new())
}

fn with(leg: &Leg, name: &str, value: &str) -> Leg {
    let mut leg = leg.clone();
    leg.push((name.to_owned(), value.to_owned()));
    leg
}

/// `{{matrix.os}}` as something that a shell's lexer takes for one unknown piece of the same length: `${matrix.os }`.
fn mask(text: &str) -> Option<(Span, String)> {
    let start =
        memchr::memmem::find(text.as_bytes(), b"{{matrix").or_else(|| text.find("{{ matrix"))?;
    let len = text[start..].lines().next()?.find("}}")? + 2;
    let inner = text.get(start + 2..start + len - 2)?;
    Some((Span::new(start, start + len), format!("${{{inner} }}")))
}
