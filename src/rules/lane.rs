//! The fixes that give a cache a lane, a platform or a lock: the name goes into the id, and is declared if needed.

use crate::budget;
use crate::fix::{Applicability, Edit, Fix};
use crate::text::count;

use super::caches::Cache;
use super::context::Context;
use super::eligibility::{gets_lane, goes_along, lacks_lane, profile_help, runs_once};
use super::frontend::Frontend;
use super::slot::{id_edit, isolated_id, whole};

impl Context<'_> {
    /// Returns the fix up to `level` that puts `name` into the id of `cache` and declares it, or the reason against one.
    pub fn isolate(
        &self,
        cache: &Cache<'_>,
        name: &str,
        level: Applicability,
    ) -> Result<Fix, String> {
        if let Some(reason) = self.refused(cache, name, level) {
            return Err(reason);
        }
        let mut title = format!("use `id={}`", isolated_id(self.settings, cache, name));
        if let Some(note) = self.lost_id(cache, name) {
            title.extend([" (", &note, ")"]);
        }
        // The first mount that gets the lane takes along those without a fix of their own: they are one cache. Every one
        // that gets the platform takes along all others, so that none gets it where one fix cannot be made.
        let is_lane = name == self.settings.arg;
        let follows = |other: &&Cache<'_>| {
            let is_other = !std::ptr::eq(other.mount, cache.mount);
            is_other
                && !(is_lane && gets_lane(self, other, name, level))
                && goes_along(self, other, name)
        };
        let mut others: Vec<&Cache<'_>> = Vec::new();
        if !is_lane || self.is_first(cache, name, level) {
            others.extend(self.same_cache(cache).filter(follows));
        }
        if !is_lane
            && let Some(once) = others
                .iter()
                .find(|other| runs_once(self.file, other.instruction))
        {
            let line = self.file.instructions[once.instruction].lines.0;
            return Err(format!(
                "the RUN on line {line} uses this cache, too, and runs once for all platforms; with `ARG {name}` it would run for \
                 each: give one of the two another id"
            ));
        }
        if !others.is_empty() {
            let mounts = count(others.len(), "other mount");
            title.extend([" here and for ", &mounts, " of the same cache"]);
        }
        for served in self.served(cache, name) {
            let id = served.id();
            if self.refused(served, name, level).is_some() {
                return Err(format!(
                    "the lock serves `{id}`, too, which gets no lane: give that cache a lock first"
                ));
            }
            title.extend([" and for `", &id, "`, which the lock serves, too"]);
            let same = self.same_cache(served);
            others.extend(same.filter(|other| goes_along(self, other, name)));
        }
        let (mut edits, mut level_needed) = (Vec::new(), level);
        if let Some((frontend, span)) = Frontend::old(self.file) {
            // This frontend would not expand the lane.
            let newer = frontend
                .newer(self.file, span)
                .map_err(|why| format!("the pinned frontend is too old, and {why}"))?;
            title = format!("{}, {title}", newer.title());
            edits.extend_from_slice(newer.edits());
            level_needed = Applicability::Unsafe;
        }
        if let Some(need) = self.declaring(name, cache.instruction, level) {
            title.extend([" and ", &need.title()]);
        }
        let defaulting = |cache: &Cache<'_>| {
            let needed = name == self.settings.arg && !self.settings.keeps_id(name);
            needed
                .then(|| self.defaulting(name, cache.instruction))
                .flatten()
        };
        if let Some(default) = defaulting(cache) {
            title.extend([" and write `", &default.text, "`"]);
        }
        for cache in std::iter::once(cache).chain(others) {
            if !budget::spend(size_of::<Edit>()) {
                break;
            }
            edits.push(id_edit(self.settings, cache, name)?);
            if let Some(need) = self.declaring(name, cache.instruction, level) {
                edits.extend_from_slice(&need.edits);
                level_needed = level_needed.max(need.applicability);
            }
            if let Some(default) = defaulting(cache) {
                level_needed = level_needed.max(default.applicability);
                edits.push(default.edit);
            }
        }
        Ok(Fix::new(level_needed, title, edits))
    }

    /// Returns the fix that makes `cache` a locked one with its own lane; fails where a variable gives the sharing mode.
    pub fn lock_and_isolate(&self, cache: &Cache<'_>) -> Result<Fix, String> {
        whole(cache.mount)?;
        let (span, before) = cache
            .mode_edit()
            .ok_or("a variable names the sharing mode")?;
        let (title, lock) = (
            "use `sharing=locked`",
            Edit::replace(span, format!("{before}locked")),
        );
        if !lacks_lane(self.settings, cache) {
            return Ok(Fix::needs_review(title, vec![lock]));
        }
        let isolated = self.isolate(cache, &self.settings.arg, Applicability::Unsafe)?;
        let mut edits = isolated.edits().to_vec();
        // Two insertions in one spot (an id and a sharing mode behind `type=cache`) become one.
        let here = |edit: &&mut Edit| edit.span() == span && span.is_empty();
        match edits.iter_mut().find(here) {
            Some(id) => *id = Edit::insert(span.start, [id.text(), lock.text()].concat()),
            None => edits.push(lock),
        }
        let title = format!("{title}, {}", isolated.title());
        Ok(Fix::needs_review(title, edits))
    }

    /// Returns the id that builds without arguments would get, where they have to keep theirs and a default in the file
    /// prevents it.
    pub(super) fn lost_id(&self, cache: &Cache<'_>, name: &str) -> Option<String> {
        if !self.settings.keeps_id(name) {
            return None;
        }
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let value = if self.file.visible(name, cache.instruction).is_some() {
            text(&self.file.default_value(name, cache.instruction)?)
        } else {
            let global = self.file.global(name);
            let global = global.and_then(|global| global.value.as_deref().map(text));
            global.or_else(|| self.own_default(name))?
        };
        (!value.is_empty()).then(|| {
            format!(
                "the file's own default rules: builds that pass nothing get `{}-{value}`",
                cache.id()
            )
        })
    }
}

/// Returns the advice to lock `cache`.
pub(super) fn locking_help(cx: &Context<'_>, cache: &Cache<'_>) -> String {
    let profile = profile_help(cx.settings, cache);
    let wait = match cx.settings.namespace {
        _ if !cx.settings.takes_variables()
            || cx.settings.has_own_builders()
            || profile.is_some() =>
        {
            "builds wait instead of failing"
        }
        true => "builds of one namespace wait and others do not",
        false => "builds of one lane wait and others do not",
    };
    let lane = locked_lane(cx, cache);
    let profile = profile.map(|help| ["\n", &help].concat());
    format!(
        "write `{lane}`, so that {wait}{}",
        profile.unwrap_or_default()
    )
}

/// Returns the options that lock `cache`, in a lane where it has one, for messages.
pub fn locked_lane(cx: &Context<'_>, cache: &Cache<'_>) -> String {
    let id = if lacks_lane(cx.settings, cache) {
        isolated_id(cx.settings, cache, &cx.settings.arg)
    } else if cache.is_isolated {
        cache.id()
    } else {
        return "sharing=locked".into();
    };
    format!("id={id},sharing=locked")
}
