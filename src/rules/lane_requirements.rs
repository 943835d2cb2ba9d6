//! The lanes of a Dockerfile: the locked caches that wait for a build argument, and the builds that need it.

use crate::budget;
use crate::builds::NAMESPACE;
use crate::dockerfile::{Form, Word, target_of};
use crate::text::{LineIndex, Range, Span};

use super::caches::Cache;
use super::context::Context;
use super::variables::lanes;

/// The lanes of a Dockerfile by one argument, or by any of several, that its builds have to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneRequirements {
    /// The build arguments that separate the jobs: a build has to pass one of them.
    pub args: Vec<String>,
    /// True where that is the lane argument or the namespace, whose values are cachelane's.
    pub is_lane: bool,
    /// The value for builds that pass none; empty where such builds have the id without a lane.
    pub default: String,
    /// The locked caches with a lane, one at least.
    pub locks: Vec<LaneLock>,
    /// True where the lane argument is used outside cache ids, so that its value may change the image.
    pub is_used: bool,
    /// The stages, in order.
    stages: Vec<StageLock>,
}

/// A locked cache with a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneLock {
    pub id: String,
    pub span: Span,
    /// The same place in lines and columns.
    pub range: Range,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct StageLock {
    label: Option<String>,
    /// The number of the first lock with a lane that a build up to it takes.
    first: Option<usize>,
}

impl LaneRequirements {
    /// Finds the lanes of a file in linear time: those by the namespace first, then those by the lane argument.
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
        // A namespace keeps all caches of a build apart, those with lanes, too.
        all.sort_by_key(|lanes| (lanes.args[0] != NAMESPACE, !lanes.is_lane));
        all
    }

    /// Returns the lanes of `caches` by any of `args`; both have one at least.
    fn by(cx: &Context<'_>, args: &[&str], caches: &[&Cache<'_>]) -> Self {
        let (file, first) = (cx.file, caches[0]);
        let mut takes: Vec<Option<usize>> = vec![None; file.stages.len()];
        for (number, cache) in caches.iter().enumerate() {
            if let Some(stage) = file.stage_of(cache.instruction) {
                takes[stage].get_or_insert(number);
            }
        }
        for stage in &file.stages {
            let needed = stage.needs().filter_map(|needed| takes[needed]);
            takes[stage.index] = needed.chain(takes[stage.index]).min();
        }
        let stages = file.stages.iter().zip(takes);
        let lines = LineIndex::new(file.source);
        let lock = |cache: &&Cache<'_>| LaneLock {
            id: cache.id(),
            span: cache.mount.id_span(),
            range: lines.range(file.source, cache.mount.id_span()),
        };
        let is_lane = args[0] == cx.settings.arg || args[0] == NAMESPACE;
        Self {
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            is_lane,
            default: default(cx, first, args[0]),
            locks: caches.iter().map(lock).collect(),
            is_used: is_lane && cx.used_by_builds(args[0]),
            stages: stages
                .map(|(stage, first)| StageLock {
                    label: stage.label(),
                    first,
                })
                .collect(),
        }
    }

    /// Returns the first of the arguments, for messages.
    pub fn arg(&self) -> &str {
        &self.args[0]
    }

    /// Returns the first lock with a lane that a build up to `target` (the last stage by default) takes; none for an
    /// unknown target.
    pub fn taken(&self, target: Option<&str>) -> Option<&LaneLock> {
        let names = self.stages.iter().map(|stage| stage.label.as_deref());
        let stage = &self.stages[target_of(names, target)?];
        Some(&self.locks[stage.first?])
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
