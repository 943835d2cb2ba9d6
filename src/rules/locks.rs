//! The locks that a build of a Dockerfile takes: the ids of its locked caches, after expansion.

use std::cell::Cell;

use crate::dockerfile::{Dockerfile, Seen};
use crate::index::Base;

use super::becomes::{expand, marked};
use super::caches::{self, Cache};
use super::settings::Settings;
use super::variables::{PLATFORM_ARGS, depends_on};

/// What a build passes for an argument.
pub enum Passed {
    Nothing,
    Value(String),
    /// Something that only a run knows.
    Unknown,
}

/// A lock that a build takes.
pub struct Lock<'l> {
    /// The `from`, uid, gid and mode of the cache: another one is another cache.
    pub base: &'l Base,
    /// The id after expansion, and as written.
    pub id: Vec<u8>,
    pub written: String,
    /// The build argument that parts the jobs; `None` where the id has none.
    pub arg: Option<&'l str>,
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

    /// Returns the length of the file in bytes, for which each expansion of its ids pays.
    pub fn size(&self) -> usize {
        self.file.source.len()
    }

    /// Returns the locks of a build up to `target` (the last stage by default) that passes the arguments `passed`;
    /// without those whose id only a run knows.
    pub fn of_build(&self, target: Option<&str>, passed: &dyn Fn(&str) -> Passed) -> Vec<Lock<'_>> {
        let needed = self.file.needed_by(target).unwrap_or_default();
        let is_built = |cache: &&Cache<'_>| {
            let stage = self.file.stage_of(cache.instruction);
            stage.is_some_and(|stage| needed.get(stage) == Some(&true))
        };
        let caches = self.caches.iter().filter(is_built);
        caches
            .filter_map(|cache| self.lock(cache, passed))
            .collect()
    }

    fn lock<'l>(
        &'l self,
        cache: &'l Cache<'f>,
        passed: &dyn Fn(&str) -> Passed,
    ) -> Option<Lock<'l>> {
        let is_unknown = Cell::new(false);
        let given = |name: &str, seen: Seen<'_>| {
            if PLATFORM_ARGS.contains(&name) {
                return (!matches!(seen, Seen::Undeclared)).then(|| marked(name, b""));
            }
            // The lane argument's declaration may still be missing: `undeclared-arg` says so.
            if !matches!(seen, Seen::Declared(_)) && name != self.settings.arg {
                return None;
            }
            match passed(name) {
                Passed::Nothing => None,
                Passed::Value(value) => Some(value.into_bytes()),
                Passed::Unknown => {
                    is_unknown.set(true);
                    None
                }
            }
        };
        let mut value = |name: &str| self.file.value_in(name, cache.instruction, &given);
        let id = expand(cache.mount, &cache.word, &mut value);
        let names = std::iter::once(&self.settings.arg).chain(&self.settings.isolating);
        let mut names = names.map(String::as_str);
        let arg = names.find(|name| {
            cache.word.mentions(name) || depends_on(self.file, &cache.word, cache.instruction, name)
        });
        (!is_unknown.get()).then_some(Lock {
            base: &cache.key.base,
            id,
            written: cache.id(),
            arg,
        })
    }
}
