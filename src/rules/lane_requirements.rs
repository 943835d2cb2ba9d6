//! The lanes of a Dockerfile: the locked caches that wait for a build argument, and the builds that need it.

use crate::budget;
use crate::dockerfile::{Form, Word};
use crate::text::{LineIndex, Range, Span};

use super::caches::Cache;
use super::context::Context;
use super::variables::lanes;

/// The lanes of a Dockerfile by one argument, or by any of several, that its builds have to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneRequirements {
    /// The build arguments that separate the jobs: a build has to pass one of them.
    pub args: Vec<String>,
    /// True where that is the lane argument, whose values are cachelane's.
    pub is_lane: bool,
    /// The value for builds that pass none; empty where such builds have the id without a lane.
    pub default: String,
    /// The id of the first locked cache with a lane.
    pub id: String,
    pub span: Span,
    /// The same place in lines and columns.
    pub range: Range,
    /// True where the lane argument is used outside cache ids, so that its value may change the image.
    pub is_used: bool,
    /// The stages, in order.
    stages: Vec<StageLock>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct StageLock {
    label: Option<String>,
    /// True where a build up to it takes a lock with a lane.
    takes_lane: bool,
}

impl LaneRequirements {
    /// Finds the lanes of a file in linear time, those by the lane argument first.
    pub fn of(cx: &Context<'_>) -> Vec<Self> {
        let mut all: Vec<(Vec<&str>, Vec<&Cache<'_>>)> = Vec::new();
        for cache in cx.caches().iter().filter(|cache| cache.is_locked()) {
            let args = lanes(cx.file, cx.settings, &cache.word, cache.instruction);
            match all.iter_mut().find(|(own, _)| *own == args) {
                Some((_, caches)) => caches.push(cache),
                None if args.is_empty() => {}
                None => all.push((args, vec![cache])),
            }
        }
        let all = all.iter().filter(|_| budget::spend(cx.file.stages.len()));
        let mut all: Vec<Self> = all
            .map(|(args, caches)| Self::by(cx, args, caches))
            .collect();
        all.sort_by_key(|lanes| !lanes.is_lane);
        all
    }

    /// Returns the lanes of `caches` by any of `args`; both have one at least.
    fn by(cx: &Context<'_>, args: &[&str], caches: &[&Cache<'_>]) -> Self {
        let (file, first) = (cx.file, caches[0]);
        let mut takes = vec![false; file.stages.len()];
        for stage in caches
            .iter()
            .filter_map(|cache| file.stage_of(cache.instruction))
        {
            takes[stage] = true;
        }
        for stage in &file.stages {
            takes[stage.index] |= stage.needs().any(|needed| takes[needed]);
        }
        let stages = file.stages.iter().zip(takes);
        let span = first.mount.id_span();
        let is_lane = args[0] == cx.settings.arg;
        Self {
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            is_lane,
            default: default(cx, first, args[0]),
            id: first.id(),
            span,
            range: LineIndex::new(file.source).range(file.source, span),
            is_used: is_lane && cx.used_by_builds(args[0]),
            stages: stages
                .map(|(stage, takes_lane)| StageLock {
                    label: stage.label(),
                    takes_lane,
                })
                .collect(),
        }
    }

    /// Returns the first of the arguments, for messages.
    pub fn arg(&self) -> &str {
        &self.args[0]
    }

    /// Returns whether a build up to `target` (the last stage by default) takes a lock with a lane; false for an unknown
    /// target.
    pub fn takes_lane(&self, target: Option<&str>) -> bool {
        let Some(target) = target else {
            return self.stages.last().is_some_and(|stage| stage.takes_lane);
        };
        let is_it = |stage: &&StageLock| {
            let label = stage.label.as_deref();
            label.is_some_and(|label| label.eq_ignore_ascii_case(target))
        };
        let named = self.stages.iter().rfind(is_it);
        let stage = named.or_else(|| self.stages.get(target.parse::<usize>().ok()?));
        stage.is_some_and(|stage| stage.takes_lane)
    }
}

/// Returns the lane of `cache` in a build that passes nothing: the Dockerfile's, so that a passed value finds the
/// existing cache. Where the Dockerfile has none and the id needs a value, the configured one, which `missing-default`
/// and `undeclared-arg` write.
fn default(cx: &Context<'_>, cache: &Cache<'_>, arg: &str) -> String {
    let file = cx.file;
    let known = file
        .default_value(arg, cache.instruction)
        .and_then(|value| String::from_utf8(value).ok());
    let is_bare = || {
        file.visible(arg, cache.instruction).is_some()
            && file.valued(arg, cache.instruction).is_none()
    };
    let unset = || is_bare().then(|| unset(&cache.word, arg)).flatten();
    let kept = || (is_bare() && cx.settings.keep_default).then(String::new);
    known
        .or_else(unset)
        .or_else(kept)
        .or_else(|| (arg == cx.settings.arg).then(|| cx.settings.default.clone()))
        .unwrap_or_default()
}

/// Returns the value of `word` for the variable `name` without a value: its `:-default`, or nothing with `:+`; `None`
/// where it takes it as it is.
fn unset(word: &Word, name: &str) -> Option<String> {
    let variable = word.variables().find(|variable| variable.name == name)?;
    match &variable.form {
        Form::Default { word, .. } => String::from_utf8(word.text_alone()?).ok(),
        Form::Alternative { or_empty: true, .. } => Some(String::new()),
        _ => None,
    }
}
