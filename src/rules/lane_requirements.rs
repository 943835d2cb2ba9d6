//! The lanes of a Dockerfile: the locked caches that wait for a build argument, and the builds that need it.

use crate::dockerfile::{Form, Sharing, Word};
use crate::text::{LineIndex, Range, Span};

use super::caches::Cache;
use super::context::Context;
use super::variables::depends_on;

/// The lanes of a Dockerfile that its builds have to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneRequirements {
    /// The build argument that separates the jobs.
    pub arg: String,
    /// The value for builds that pass none; empty where such builds have the id without a lane.
    pub default: String,
    /// The id of the first locked cache with a lane.
    pub id: String,
    pub span: Span,
    /// The same place in lines and columns.
    pub range: Range,
    /// True where the argument is used outside cache ids, so that its value may change the image.
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
    /// Finds the lanes of a file in linear time; `None` where it has none.
    pub fn of(cx: &Context<'_>) -> Option<Self> {
        let file = cx.file;
        let arg = &cx.settings.arg;
        let names = |cache: &Cache<'_>| {
            cache.word.mentions(arg)
                || (cache.is_isolated && depends_on(file, &cache.word, cache.instruction, arg))
        };
        let is_locked = |cache: &&Cache<'_>| cache.sharing == Some(Sharing::Locked);
        let mut locked = cx
            .caches()
            .iter()
            .filter(is_locked)
            .filter(|cache| names(cache))
            .peekable();
        let first = *locked.peek()?;
        let mut takes = vec![false; file.stages.len()];
        for stage in locked.filter_map(|cache| file.stage_of(cache.instruction)) {
            takes[stage] = true;
        }
        for stage in &file.stages {
            takes[stage.index] |= stage.needs().any(|needed| takes[needed]);
        }
        let stages = file.stages.iter().zip(takes);
        let span = first.mount.id_span();
        Some(Self {
            arg: arg.clone(),
            default: default(cx, first),
            id: first.id(),
            span,
            range: LineIndex::new(file.source).range(file.source, span),
            is_used: cx.used_by_builds(arg),
            stages: stages
                .map(|(stage, takes_lane)| StageLock {
                    label: stage.label(),
                    takes_lane,
                })
                .collect(),
        })
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
fn default(cx: &Context<'_>, cache: &Cache<'_>) -> String {
    let (file, arg) = (cx.file, cx.settings.arg.as_str());
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
        .unwrap_or_else(|| cx.settings.default.clone())
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
