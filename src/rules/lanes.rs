//! The lanes of a Dockerfile: which locked caches wait for a build to pass the argument, and which builds need them.

use crate::dockerfile::{Dockerfile, Form, Sharing, Word};
use crate::text::{LineIndex, Range, Span};

use super::caches::Cache;
use super::context::Context;
use super::variables::depends_on;

/// What a Dockerfile asks of the builds that use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// The build argument that parts the jobs.
    pub arg: String,
    /// Its value for builds that pass none; empty where such builds have the id without a lane.
    pub default: String,
    /// The id of the first locked cache with a lane.
    pub id: String,
    /// Where it stands, in bytes.
    pub span: Span,
    /// The same for people.
    pub range: Range,
    /// Whether the file uses the argument for more than cache ids: with another value, another image may come of it.
    pub is_used: bool,
    /// Each stage's name or number, and whether a build up to it takes such a lock. In order.
    targets: Vec<(Option<String>, bool)>,
}

impl Lanes {
    /// The lanes of the file that `cx` is a view of; `None` where it has none. Linear in its length.
    #[must_use]
    pub fn of(cx: &Context<'_>) -> Option<Self> {
        let file = cx.file;
        let arg = &cx.settings.arg;
        let names = |cache: &Cache<'_>| {
            cache.word.mentions(arg)
                || (cache.is_isolated && depends_on(file, &cache.word, cache.instruction, arg))
        };
        let locked = cx
            .caches()
            .iter()
            .filter(|cache| cache.sharing == Some(Sharing::Locked) && names(cache));
        let mut own = vec![false; file.stages.len()];
        let mut first = None;
        for cache in locked {
            first = first.or(Some(cache));
            if let Some(stage) = file.stage_of(cache.instruction) {
                own[stage] = true;
            }
        }
        let first = first?;
        let span = first.mount.id_span();
        let targets = needed(file, own);
        let (arg, default) = (cx.settings.arg.clone(), default(cx, first));
        let range = LineIndex::new(file.source).range(file.source, span);
        let is_used = cx.used_by_builds(&arg);
        Some(Self {
            arg,
            default,
            id: first.id(),
            span,
            range,
            is_used,
            targets,
        })
    }

    /// Whether a build up to `target` (the last stage where none is named) takes a lock with a lane. A target that the
    /// file does not have is none.
    #[must_use]
    pub fn concern(&self, target: Option<&str>) -> bool {
        let named = |(label, _): &&(Option<String>, bool)| {
            label.as_deref().is_some_and(|label| {
                target.is_some_and(|target| label.eq_ignore_ascii_case(target))
            })
        };
        let stage = match target {
            None => self.targets.last(),
            Some(target) => self
                .targets
                .iter()
                .rev()
                .find(named)
                .or_else(|| self.targets.get(target.parse::<usize>().ok()?)),
        };
        stage.is_some_and(|(_, needs)| *needs)
    }
}

/// The lane that `cache` has in a build that passes nothing: what the Dockerfile says, so that a value which is passed in
/// its place finds the cache that is there. Where it says nothing and the id asks for a value, the configured one: that is
/// what `missing-default` and `undeclared-arg` write.
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

/// What `word` makes of the variable `name` where that has no value: its own `:-default`, or nothing with `:+`. `None` where
/// it takes it as it is.
fn unset(word: &Word, name: &str) -> Option<String> {
    let variable = word.variables().find(|variable| variable.name == name)?;
    match &variable.form {
        Form::Default { word, .. } => String::from_utf8(word.text_alone()?).ok(),
        Form::Alternative { or_empty: true, .. } => Some(String::new()),
        _ => None,
    }
}

/// Each stage's name, and whether it or a stage that it needs is among `own`.
fn needed(file: &Dockerfile<'_>, own: Vec<bool>) -> Vec<(Option<String>, bool)> {
    let mut needs = own;
    for stage in &file.stages {
        needs[stage.index] |= stage.needs().any(|needed| needs[needed]);
    }
    file.stages
        .iter()
        .map(crate::dockerfile::Stage::label)
        .zip(needs)
        .collect()
}
