//! The locks that a build of a Dockerfile takes: the ids of its locked caches, after expansion.

use std::cell::Cell;
#[cfg(feature = "cli")]
use std::collections::BTreeMap;

#[cfg(feature = "cli")]
use crate::budget;
use crate::builds::Platform;
use crate::dockerfile::{Base as Image, Dockerfile, Seen, Word};
use crate::text::marks::marked;

use super::becomes::expand;
use super::caches::{self, Cache};
#[cfg(feature = "cli")]
use super::eligibility::runs_once;
use super::settings::Settings;
#[cfg(feature = "cli")]
use super::side_by_side::{LockingStage, needs, parallel};
use super::variables::{PLATFORM_ARGS, lanes};

/// The value that a build passes for an argument.
pub enum Passed {
    Nothing,
    Value(String),
    /// Something that only a run knows.
    Unknown,
}

/// The platform of a build.
#[derive(Clone, Copy)]
pub enum BuiltFor<'p> {
    /// The builder's own.
    Own,
    Named(&'p Platform),
    /// One that only a run knows.
    Unknown,
}

/// A lock that a build takes.
pub struct Lock<'l> {
    pub cache: &'l Cache<'l>,
    /// The id after expansion.
    pub id: Vec<u8>,
    /// The build arguments by which jobs have locks of their own.
    pub args: Vec<&'l str>,
}

/// The locked caches of a Dockerfile.
pub struct Locks<'f> {
    file: &'f Dockerfile<'f>,
    pub settings: &'f Settings,
    caches: Vec<Cache<'f>>,
}

impl<'f> Locks<'f> {
    pub fn new(file: &'f Dockerfile<'f>, settings: &'f Settings) -> Self {
        let mut caches = caches::find(file, settings);
        caches.retain(Cache::is_locked);
        Self {
            file,
            settings,
            caches,
        }
    }

    /// Returns all of them, in the file's order.
    #[cfg(feature = "cli")]
    pub fn caches(&self) -> &[Cache<'f>] {
        &self.caches
    }

    /// Returns whether the RUN of `cache` is the same for all platforms of a build, as far as is known.
    #[cfg(feature = "cli")]
    pub fn runs_once(&self, cache: &Cache<'_>) -> bool {
        cache.mount.templated || runs_once(self.file, cache.instruction)
    }

    /// Returns whether one build runs RUNs of several stages at once that take one lock by `caches`.
    #[cfg(feature = "cli")]
    pub fn run_side_by_side(&self, caches: &[&Cache<'_>]) -> bool {
        let mut stages: BTreeMap<usize, Vec<&Cache<'_>>> = BTreeMap::new();
        let own = |cache: &&&Cache<'_>| !self.file.instructions[cache.instruction].onbuild;
        for cache in caches.iter().filter(own) {
            if let Some(stage) = self.file.stage_of(cache.instruction) {
                stages.entry(stage).or_default().push(cache);
            }
        }
        if stages.len() < 2 {
            return false;
        }
        let needs = needs(&self.file.stages);
        let takers = stages.into_iter();
        let takers: Vec<LockingStage<'_>> = takers
            .map(|(stage, runs)| LockingStage { stage, runs })
            .collect();
        takers.iter().enumerate().any(|(at, second)| {
            let mut firsts = takers[..at].iter().take_while(|_| budget::spend(1));
            firsts.any(|first| parallel(self.file, &needs, first, second).is_some())
        })
    }

    /// Returns the length of the file in bytes, for which each expansion of its ids pays.
    pub fn size(&self) -> usize {
        self.file.source.len()
    }

    /// Returns the locks of a build for `platform` up to `target` (the last stage by default) that passes the arguments `passed`;
    /// without those whose id only a run knows.
    pub fn of_build(
        &self,
        target: Option<&str>,
        platform: BuiltFor<'_>,
        passed: &dyn Fn(&str) -> Passed,
    ) -> Vec<Lock<'_>> {
        self.needed_by(target)
            .filter_map(|cache| self.lock(cache, platform, passed))
            .collect()
    }

    /// Returns the locked caches that a build up to `target` reaches (the last stage by default).
    pub fn needed_by(&self, target: Option<&str>) -> impl Iterator<Item = &Cache<'f>> {
        let needed = self.file.needed_by(target).unwrap_or_default();
        self.caches.iter().filter(move |cache| {
            let stage = self.file.stage_of(cache.instruction);
            stage.is_some_and(|stage| needed.get(stage) == Some(&true))
        })
    }

    fn lock<'l>(
        &'l self,
        cache: &'l Cache<'f>,
        platform: BuiltFor<'_>,
        passed: &dyn Fn(&str) -> Passed,
    ) -> Option<Lock<'l>> {
        let is_unknown = Cell::new(false);
        let value = |name: &str| match passed(name) {
            Passed::Nothing => None,
            Passed::Value(value) => Some(value.into_bytes()),
            Passed::Unknown => {
                is_unknown.set(true);
                None
            }
        };
        let given = |name: &str, seen: Seen<'_>| {
            if PLATFORM_ARGS.contains(&name) {
                let is_target = name.starts_with("TARGET");
                let value = match platform {
                    BuiltFor::Named(platform) => platform.value(name).map(String::into_bytes),
                    BuiltFor::Own => None,
                    BuiltFor::Unknown => {
                        is_unknown.set(is_unknown.get() || is_target);
                        None
                    }
                };
                let value = value.unwrap_or_else(|| marked(name, b""));
                return (!matches!(seen, Seen::Undeclared)).then_some(value);
            }
            // The lane argument's declaration may still be missing: `undeclared-arg` says so.
            if !matches!(seen, Seen::Declared(_)) && name != self.settings.arg {
                let base = self.base(cache.instruction, &value);
                return matches!(seen, Seen::Undeclared).then(|| marked(name, &base));
            }
            value(name)
        };
        let mut expanded = |name: &str| self.file.value_in(name, cache.instruction, &given);
        let id = expand(cache.mount, &cache.word, &mut expanded);
        (!is_unknown.get()).then_some(Lock {
            cache,
            id,
            args: lanes(self.file, self.settings, &cache.word, cache.instruction),
        })
    }

    /// Returns the image below the instruction `index`, which may set what the file does not declare; `value` returns
    /// what the build passes.
    fn base(&self, index: usize, value: &dyn Fn(&str) -> Option<Vec<u8>>) -> Vec<u8> {
        let Some(Image::Image(image)) = self.file.ancestors(index).last().map(|root| &root.base)
        else {
            return Vec::new();
        };
        let mut global = |name: &str| {
            let global = self.file.global(name)?;
            value(name).or_else(|| global.value.clone())
        };
        let word = Word::read(image.as_bytes(), self.file.escape).ok();
        let name = word.and_then(|word| word.expand(&mut global));
        name.unwrap_or_else(|| image.as_bytes().to_vec())
    }
}
