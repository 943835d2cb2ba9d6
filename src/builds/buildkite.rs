//! Buildkite: `.buildkite/*.yml`.
//!
//! `commands` are one script for one shell in the checkout. What Buildkite's reference says and this relies on: the values
//! of a `matrix` come into a command as `{{matrix}}` or `{{matrix.name}}`; `$NAME` is put in when the pipeline is
//! uploaded, unless that is switched off, and a step's own variables are not known by then. So a lane is written without
//! any variable: the step's key, and the values of its matrix.

use std::collections::HashSet;

use super::command;
use super::format::{FilePath, Format, Inserter, Open, OpenYaml};
use super::matrix::{MAX_ROWS, product};
use super::model::{Arg, BuildFile, Lane, ReadError, Runs};
use super::pipelines::{self, Found, Job, Language, Leg, Reader};
use super::shell::Need;
use super::yaml::{More, Node, Yaml};
use crate::budget;
use crate::text::Span;

const LANGUAGE: Language = Language {
    root: "BUILDKITE_BUILD_CHECKOUT_PATH",
    nested: false,
    axis,
    mask,
};

/// What `{{matrix}}` is called here.
const ONLY: &str = "matrix";
/// What tells the jobs of `parallelism: 5` apart.
const NUMBER: &str = "parallelism";

/// Matrix values are expressions, as [`mask`] leaves them.
fn axis(need: Need<'_>) -> Option<&str> {
    let Need::Expression(raw) = need else {
        return None;
    };
    let inner = raw.strip_prefix("${")?.strip_suffix(" }")?;
    let name = inner.trim().strip_prefix("matrix")?;
    Some(name.strip_prefix('.').unwrap_or(ONLY))
}

/// Buildkite.
#[derive(Debug)]
pub struct Buildkite;

impl Format for Buildkite {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        path.is_yaml_in(".buildkite")
    }

    fn folder(&self) -> Option<&'static str> {
        Some(".buildkite")
    }

    fn adds(&self) -> Option<More> {
        Some(More::Text)
    }

    fn read(&self, source: &str) -> Result<BuildFile, ReadError> {
        read(source)
    }

    fn open<'s>(&self, source: &'s str) -> Result<Box<dyn Open + 's>, ReadError> {
        OpenYaml::read(source, passer)
    }
}

fn read(source: &str) -> Result<BuildFile, ReadError> {
    if !command::may_build(source) {
        return Ok(BuildFile::default());
    }
    let yaml = Yaml::read(source)?;
    match yaml.root() {
        Some(root) if root.is_map() || root.is_list() => Ok(gather(root).wiring()),
        Some(root) if !root.is_null() => Err(pipelines::unlike(root)),
        _ => Ok(BuildFile::default()),
    }
}

/// What passes lanes: the step's key and the values of its matrix.
///
/// # Errors
/// Why it is none.
fn passer<'d>(yaml: &'d Yaml<'d>) -> Result<Inserter<'d>, String> {
    let found = gather(yaml.root().ok_or("it is no pipeline")?).finish();
    Ok(pipelines::passer(found, lane))
}

/// The lane of a build as the file's text can name it: the key of its step, where other steps build the same, and what its
/// matrix puts in, joined with `-`.
fn lane(found: &Found<'_>, lane: &Lane<'_>) -> Result<String, String> {
    if found.build.jobs.len() > 1 {
        return Err("several steps run it".to_owned());
    }
    if !found.all_listed() {
        return Err("its jobs run in parallel, and only a variable tells them apart".to_owned());
    }
    let axes = match &found.build.runs {
        Runs::Once => Vec::new(),
        Runs::Matrix(axes) => usable(found, axes)?,
    };
    let mut parts = Vec::new();
    if lane.shared || axes.is_empty() {
        // A job with a key is called by it; all others have a blank in theirs.
        let job = found.build.jobs.first().map_or("", String::as_str);
        let key = Some(job).filter(|job| pipelines::valid(job));
        parts.push(key.ok_or("the step has no `key`")?.to_owned());
    }
    parts.extend(axes.into_iter().map(|name| {
        if name == ONLY {
            "{{matrix}}".to_owned()
        } else {
            format!("{{{{matrix.{name}}}}}")
        }
    }));
    Ok(parts.join("-"))
}

/// Those of `axes` whose values can stand in a command and in a lane as they are: not a path, an image. They have to tell
/// the jobs apart.
fn usable<'f>(found: &'f Found<'_>, axes: &'f [String]) -> Result<Vec<&'f String>, String> {
    let legs: Vec<&Leg> = found.legs().flat_map(|(_, legs)| legs).collect();
    let value = |leg: &Leg, axis: &str| {
        let value = leg.iter().find(|(name, _)| name == axis)?.1.clone();
        Some(value).filter(|value| pipelines::valid(value))
    };
    let fits = |axis: &&String| {
        pipelines::valid(axis) && legs.iter().all(|leg| value(leg, axis).is_some())
    };
    let axes: Vec<&String> = axes.iter().filter(fits).collect();
    let lane =
        |leg: &&Leg| -> Vec<String> { axes.iter().filter_map(|axis| value(leg, axis)).collect() };
    let mut seen = HashSet::new();
    if axes.is_empty() || !legs.iter().all(|leg| seen.insert(lane(leg).join("-"))) {
        return Err(
            "what of its matrix can stand in a command and in a lane does not tell its jobs apart"
                .to_owned(),
        );
    }
    Ok(axes)
}

fn gather(root: Node<'_>) -> Reader<'_> {
    let mut reader = Reader::new(&LANGUAGE);
    let env = variables(root.get("env"), &[]);
    let list = if root.is_list() {
        Some(root)
    } else {
        root.get("steps")
    };
    if let Some(list) = list {
        steps(list, &env, &mut 0, &mut reader);
    }
    reader
}

fn steps<'y>(list: Node<'y>, env: &[Arg], count: &mut usize, reader: &mut Reader<'y>) {
    for step in list.items() {
        *count += 1;
        if let Some(group) = step.get("steps") {
            let _ = budget::nested(|| steps(group, env, count, reader));
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
            name: &name,
            title,
            env: variables(step.get("env"), env),
            legs: legs.into(),
            axes,
            template: false,
        };
        for lines in ["command", "commands"]
            .iter()
            .filter_map(|key| step.get(key))
        {
            reader.script(&lines.scalars(), &job);
        }
        // A mapping, or a list of such.
        let plugins = step.get("plugins").into_iter();
        let plugins = plugins.flat_map(|plugins| [&[plugins], &plugins.items()[..]].concat());
        for plugin in plugins.flat_map(Node::entries) {
            let name = plugin.key.text().unwrap_or_default();
            if name.contains("docker-compose#") && plugin.value.get("build").is_some() {
                reader.doubt(plugin.key.span(), "a plugin builds it".to_owned());
            }
        }
    }
}

/// What a step sets in its environment, before what is set for all.
fn variables(own: Option<Node<'_>>, all: &[Arg]) -> Vec<Arg> {
    let own = own.into_iter().flat_map(Node::entries);
    let own = own.filter_map(|entry| {
        let value = entry.value.text().map(str::to_owned);
        Some(Arg::new(entry.key.text()?, value, entry.value.span()))
    });
    let mut variables: Vec<Arg> = own.collect();
    let names: HashSet<String> = variables.iter().map(|arg| arg.name.clone()).collect();
    let rest = all.iter().filter(|arg| !names.contains(&arg.name));
    let rest = rest.take_while(|_| Arg::pay(1));
    variables.extend(rest.cloned());
    variables
}

/// The legs of a matrix, or its axes where they are too many.
fn matrix(node: Node<'_>) -> (Vec<Leg>, Vec<String>) {
    let setup = if node.is_list() {
        node
    } else {
        node.get("setup").unwrap_or(node)
    };
    let values = |list: Node<'_>| -> Vec<String> {
        let values = list.scalars().into_iter().filter_map(Node::text);
        values.map(str::to_owned).collect()
    };
    let axes: Vec<(String, Vec<String>)> = if setup.is_list() {
        vec![(ONLY.to_owned(), values(setup))]
    } else {
        let axes = setup.entries().into_iter();
        axes.filter_map(|axis| Some((axis.key.text()?.to_owned(), values(axis.value))))
            .collect()
    };
    let Some(mut legs) = product(&axes) else {
        return (Vec::new(), axes.into_iter().map(|(name, _)| name).collect());
    };
    for adjusted in node
        .get("adjustments")
        .into_iter()
        .flat_map(Node::items)
        .filter_map(|item| item.get("with"))
    {
        let text = |node: Node<'_>| node.text().unwrap_or_default().to_owned();
        let entries = adjusted.entries().into_iter();
        let mut leg: Leg = entries
            .map(|entry| (text(entry.key), text(entry.value)))
            .collect();
        if adjusted.text().is_some() {
            leg.push((ONLY.to_owned(), text(adjusted)));
        }
        let same =
            |known: &Leg| known.len() == leg.len() && leg.iter().all(|value| known.contains(value));
        if !legs.iter().any(same) && legs.len() < MAX_ROWS {
            legs.push(leg);
        }
    }
    (legs, Vec::new())
}

/// `{{matrix.os}}` as something that a shell's lexer takes for one unknown piece of the same length: `${matrix.os }`.
fn mask(text: &str) -> Option<(Span, String)> {
    let start =
        memchr::memmem::find(text.as_bytes(), b"{{matrix").or_else(|| text.find("{{ matrix"))?;
    let len = text[start..].lines().next()?.find("}}")? + 2;
    let inner = text.get(start + 2..start + len - 2)?;
    Some((Span::new(start, start + len), format!("${{{inner} }}")))
}
