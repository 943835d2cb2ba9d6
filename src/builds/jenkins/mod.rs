//! Jenkinsfiles: the `sh` steps of stages, and `docker.build`.
//!
//! By Jenkins' "Pipeline Syntax": stages follow one another, those of `parallel` run at once, and those of a `matrix` once for
//! each combination of its axes, which are variables; a text in double quotes has Groovy's `${…}`, one in three quotes has
//! several lines; `docker.build(image, arguments)` runs `docker build -t image` with these arguments, which end in the context.

mod groovy;
mod read;

use super::command;
use super::format::{FilePath, Format, Insertion, PathBase};
use super::jobs::{self, FoundBuild, Gatherer, Language, Pipeline, Source, StepScope};
use super::model::{AxisPath, Lane, Runs};
use super::shell::Lookup;
use super::yaml::Addition;
use crate::text::marks::same;

#[derive(Debug)]
pub struct Jenkins;

impl Format for Jenkins {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        let rest = path.name.strip_prefix("Jenkinsfile");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
            || path.name.to_ascii_lowercase().ends_with(".jenkinsfile")
    }

    /// Returns the checkout, where steps begin, wherever the file is.
    fn base(&self) -> PathBase {
        PathBase::Repository
    }

    fn may_build(&self, source: &[u8]) -> bool {
        command::names_builder(source) || command::names_script(source)
    }

    fn adds(&self) -> Option<Addition> {
        None
    }

    #[cfg(feature = "cli")]
    fn takes_comments(&self) -> bool {
        false
    }
}

impl Language for Jenkins {
    fn root(&self) -> &'static str {
        "WORKSPACE"
    }

    fn axis(&self, need: Lookup<'_>) -> Option<AxisPath> {
        match need {
            Lookup::Variable(name) => Some(name.into()),
            Lookup::Expression(_) => None,
        }
    }

    fn predefined(&self, scope: &StepScope<'_>, name: &str) -> Option<String> {
        let prefixes = ["BUILD_", "JOB_", "GIT_", "BRANCH_", "CHANGE_"];
        match name {
            "STAGE_NAME" => scope.job.name.clone(),
            _ => prefixes
                .iter()
                .any(|prefix| name.starts_with(prefix))
                .then(|| same(name)),
        }
    }
}

impl Pipeline for Jenkins {
    fn gather<'y>(&self, source: &'y Source<'y>, gatherer: &mut Gatherer<'y>) {
        if let Source::Text(source) = source {
            read::gather(source, gatherer);
        }
    }

    /// Passes the stage's name, and the values of its matrix.
    fn insert(&self, found: &FoundBuild<'_>, lane: &Lane<'_>) -> Result<Insertion, String> {
        let [name] = found.build.jobs.as_slice() else {
            return Err("several stages run it".to_owned());
        };
        if !found.all_listed() {
            return Err("only a run knows the values of its matrix".to_owned());
        }
        let axes = match &found.build.runs {
            Runs::Once => &[][..],
            Runs::Matrix(axes) => axes,
        };
        let is_plain = |axis: &AxisPath| {
            let mut rows = found.runs.iter().flat_map(jobs::JobRuns::rows);
            rows.all(|row| jobs::value(row, axis).is_some_and(|value| jobs::is_plain_value(value)))
        };
        if !axes.iter().all(is_plain) {
            return Err("a value of its matrix cannot be part of a cache id".to_owned());
        }
        let mut parts = Vec::new();
        if lane.parts.job || axes.is_empty() {
            parts.push(slug(name).ok_or("the stage's name cannot be part of a cache id")?);
        }
        parts.extend(axes.iter().map(|axis| format!("${{{axis}}}")));
        let value = parts.join(lane.parts.joint.as_str());
        let is_written = |it: &jobs::InScript<'_>| {
            let word = &it.found.simple.words[it.found.command.subcommand];
            it.script.byte(word.span.start).is_some()
        };
        if !found.command.as_ref().is_some_and(is_written) {
            let arg = lane.arg;
            return Err(format!(
                "put `--build-arg {arg}={value}` into the second text of `docker.build`"
            ));
        }
        jobs::insertion(found, lane, value)
    }
}

/// Returns a stage's name as it can stand in a cache id; `None` where little of it can.
fn slug(name: &str) -> Option<String> {
    let words = name.split(|ch: char| !ch.is_ascii_alphanumeric() && !"_.".contains(ch));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    (name.is_ascii() && !words.is_empty()).then(|| words.join("-"))
}
