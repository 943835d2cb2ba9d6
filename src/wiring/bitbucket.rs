//! Bitbucket Pipelines: `bitbucket-pipelines.yml`.
//!
//! A step's `script` is one script for one shell in the checkout. Steps of a `parallel` group run at once. No variable
//! holds a step's name (of those that Bitbucket's reference lists, `BITBUCKET_STEP_UUID` is a new one each time), so the
//! lane is the name itself.

use std::collections::HashMap;
use std::rc::Rc;

use super::pipelines::{self, Format, Found, Job, Reader, Script};
use super::shell::Need;
use super::yaml::{Node, Yaml};
use super::{Passer, What, Wiring, WiringError};
use crate::text::Span;

const FORMAT: Format = Format {
    roots: &["BITBUCKET_CLONE_DIR"],
    nested: false,
    names,
};

/// How deep groups and stages may nest.
const MAX_DEPTH: usize = 8;

fn names(_: Need<'_>) -> (Option<&str>, Option<&str>) {
    (None, None)
}

/// Reads a pipeline.
///
/// # Errors
/// Why it is no YAML that could be one.
pub fn read(source: &str) -> Result<Wiring, WiringError> {
    pipelines::read(source, |root| gather(root).wiring())
}

fn gather(root: Node<'_>) -> Reader<'_> {
    let mut reader = Reader::new(&FORMAT);
    for pipelines in root.get("pipelines").into_iter().flat_map(Node::entries) {
        let kind = pipelines.key.text().unwrap_or_default();
        if pipelines.value.is_list() {
            steps(pipelines.value, kind, 0, &mut 0, &mut reader);
            continue;
        }
        for pipeline in pipelines.value.entries() {
            steps(
                pipeline.value,
                pipeline.key.text().unwrap_or(kind),
                0,
                &mut 0,
                &mut reader,
            );
        }
    }
    reader
}

/// The steps of a pipeline, a group or a stage.
fn steps<'y>(
    node: Node<'y>,
    pipeline: &str,
    depth: usize,
    count: &mut usize,
    reader: &mut Reader<'y>,
) {
    if depth > MAX_DEPTH {
        return;
    }
    for item in node.items() {
        if let Some(step) = item.get("step") {
            *count += 1;
            // One step that several pipelines share by an alias is one job when it has a name.
            let (name, title) = match step.get_text("name") {
                Some(name) => (name.to_owned(), format!("step `{name}`")),
                None => (
                    format!("{pipeline}/{count}"),
                    format!("pipeline `{pipeline}`, step {count}"),
                ),
            };
            let lines = |key| step.get(key).map(Node::scalars).unwrap_or_default();
            for lines in [lines("script"), lines("after-script")] {
                reader.script(
                    &Rc::new(Script::new(&lines, None)),
                    &Job::new(&name, title.clone()),
                );
            }
        }
        for group in ["parallel", "stage"].iter().filter_map(|key| item.get(key)) {
            let listed = if group.is_map() {
                group.get("steps").unwrap_or(group)
            } else {
                group
            };
            steps(listed, pipeline, depth + 1, count, reader);
        }
    }
}

/// What passes lanes: the step's name.
///
/// # Errors
/// Why it is none.
pub(super) fn passer<'d>(yaml: &'d Yaml<'d>) -> Result<Passer<'d>, String> {
    let found = gather(yaml.root().ok_or("it is no pipeline")?).finish();
    // What each step builds, and whether it stands in several places under that name.
    let mut steps: HashMap<(Option<String>, What), Option<Span>> = HashMap::new();
    for Found { build, .. } in &found {
        let place = steps
            .entry((build.job.clone(), build.what.clone()))
            .or_insert(Some(build.span));
        *place = place.filter(|place| *place == build.span);
    }
    Ok(pipelines::passer(found, move |found, lane| {
        let build = &found.build;
        let name = build.job.as_deref().unwrap_or_default();
        let alone = steps
            .get(&(build.job.clone(), build.what.clone()))
            .is_none_or(Option::is_some);
        if !pipelines::valid(name) || !alone || !build.others.is_empty() {
            return Err(format!(
                "the step has no name that could be a lane: write `--build-arg {}=…`",
                lane.arg
            ));
        }
        Ok(name.to_owned())
    }))
}
