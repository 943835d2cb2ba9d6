//! Finds the caches that wait for others, and those that may get a lane or a platform into their ids.

use bstr::ByteSlice as _;

use crate::dockerfile::{Dockerfile, Sharing};
use crate::finding::RuleId;
use crate::fix::Applicability;

use super::caches::Cache;
use super::context::Context;
use super::profile::{self, Profile};
use super::settings::Settings;
use super::slot::{has_room, id_edit};
use super::variables::{PLATFORM_ARGS, depends_on, lanes, leaves_open, shadowing_env};

/// Returns whether all builds that use the cache's id wait for each other.
pub fn is_shared_lock(settings: &Settings, cache: &Cache<'_>) -> bool {
    cache.is_locked() && is_in_no_lane(settings, cache)
}

/// Returns whether the builds have lanes in the locked `cache` only by variables which no configuration names.
pub(super) fn has_own_lane(cx: &Context<'_>, cache: &Cache<'_>) -> bool {
    let (settings, own) = (cx.settings, &cx.settings.learned.own_lanes.names);
    if own.is_empty() || settings.namespace || !cache.is_locked() || !cache.is_isolated {
        return false;
    }
    let lanes = lanes(cx.file, settings, &cache.word, cache.instruction);
    let is_own = |name: &&str| own.iter().any(|own| own == name);
    !lanes.is_empty() && lanes.iter().all(is_own)
}

fn is_in_no_lane(settings: &Settings, cache: &Cache<'_>) -> bool {
    !settings.namespace && settings.takes_variables() && !cache.is_isolated
}

/// Returns whether a lane would separate the builds that wait for `cache`, and it is not exempt.
pub(super) fn lacks_lane(settings: &Settings, cache: &Cache<'_>) -> bool {
    is_in_no_lane(settings, cache)
        && !settings.has_own_builders()
        && !cache.is_exempt(RuleId::SharedLock)
        && suspected(settings, cache).is_none()
}

/// Returns whether the locked id of `cache` names no platform, so that the platforms of a build wait for each other.
pub fn lacks_platform(cx: &Context<'_>, cache: &Cache<'_>) -> bool {
    if !cache.is_locked() || cache.mount.templated || suspected(cx.settings, cache).is_some() {
        return false;
    }
    let (file, word, index) = (cx.file, &cache.word, cache.instruction);
    // One build passes one value to all its platforms.
    let is_given = |name: &str, is_declared: bool| {
        (!is_declared || cx.settings.learned.built_for.is_empty()) && is_platform(name)
    };
    let mut names = ["TARGETARCH", "TARGETPLATFORM"].into_iter();
    let is_named = names.any(|name| depends_on(file, word, index, name))
        || leaves_open(file, word, index, &is_given);
    !is_named
        && has_room(cx.settings, cache, "TARGETARCH")
        && !runs_once(cx.file, cache.instruction)
}

/// Returns whether a value that only the builds or the base image know is a platform's, by its name.
fn is_platform(name: &str) -> bool {
    let mut words = name.split('_').map(str::to_ascii_uppercase);
    let is_it = |word: String| {
        let is_arch = word.ends_with("ARCH") && !word.ends_with("SEARCH");
        is_arch || word.ends_with("ARCHITECTURE") || word.ends_with("PLATFORM")
    };
    // BUILDARCH and its kin are the same for all platforms of a build.
    !PLATFORM_ARGS.contains(&name) && !name.starts_with("BUILD") && words.any(is_it)
}

/// Returns whether the RUN `index` is the same for all platforms: its stage is pinned to one and sees no target
/// platform.
pub(super) fn runs_once(file: &Dockerfile<'_>, index: usize) -> bool {
    let froms = file.ancestors(index).filter_map(|stage| stage.from);
    let mut flags = froms.flat_map(|from| &file.instructions[from].flags);
    let pinned =
        flags.any(|flag| flag.name() == b"platform" && !flag.text.bytes().contains_str("TARGET"));
    // TARGETSTAGE is the same for all platforms of a build.
    let is_of_target = |name: &str| name.starts_with("TARGET") && name != "TARGETSTAGE";
    let sees = |name: &str| is_of_target(name) && file.visible(name, index).is_some();
    pinned && !PLATFORM_ARGS.iter().any(|name| sees(name))
}

/// Returns whether `cache` has a fix up to `level` that puts `name` into its id; the other mounts of the cache follow.
pub(super) fn gets_lane(
    cx: &Context<'_>,
    cache: &Cache<'_>,
    name: &str,
    level: Applicability,
) -> bool {
    let (settings, review) = (cx.settings, level == Applicability::Unsafe);
    if name == settings.arg {
        let private =
            || cache.sharing == Some(Sharing::Private) && cx.may_speak(RuleId::PrivateCache, cache);
        let unlocked = || {
            cx.unguarded(cache)
                .is_some_and(|tool| tool.rule == RuleId::UnlockedApt)
                && cx.may_speak(RuleId::UnlockedApt, cache)
        };
        let waits = is_shared_lock(settings, cache) || cx.is_along(cache);
        let shared =
            waits && lacks_lane(settings, cache) && cx.may_speak(RuleId::SharedLock, cache);
        return (shared || (review && lacks_lane(settings, cache) && (private() || unlocked())))
            && has_room(settings, cache, name);
    }
    review
        && name == "TARGETARCH"
        && lacks_platform(cx, cache)
        && cx.may_speak(RuleId::PlatformLock, cache)
}

/// Returns whether the id of `cache` may get `name` along with another mount of the same cache, since no comment asks to
/// leave it.
pub(super) fn may_change(cx: &Context<'_>, cache: &Cache<'_>, name: &str) -> bool {
    let rule = if name == cx.settings.arg {
        RuleId::SharedLock
    } else {
        RuleId::PlatformLock
    };
    !cx.is_suppressed(rule, cache)
}

/// Returns whether the id of `cache` gets `name` along with that of another mount of the same cache: it has no lane yet.
pub(super) fn goes_along(cx: &Context<'_>, cache: &Cache<'_>, name: &str) -> bool {
    let has_one = name == cx.settings.arg && cache.is_isolated;
    !has_one && may_change(cx, cache, name)
}

/// Returns the builder that takes no variable in the id of `cache`, by a file beside or by the id, where none is
/// configured.
pub(super) fn suspected(settings: &Settings, cache: &Cache<'_>) -> Option<&'static Profile> {
    if settings.profile.is_some() {
        return None;
    }
    let by_id = || profile::by_id(&cache.mount.effective_id());
    settings.learned.suspected.or_else(by_id)
}

/// Returns the advice on the builder that takes no variable in the id of `cache`.
pub(super) fn profile_help(settings: &Settings, cache: &Cache<'_>) -> Option<String> {
    let Profile { name, title, .. } = suspected(settings, cache)?;
    Some(format!(
        "write `profile = \"{name}\"` into cachelane.toml: {title}'s builder knows no lanes\n\
         or `profile = \"buildkit\"`, where another builder takes this file: it gets a lane then"
    ))
}

/// Returns why the id of `cache` gets no variable where a builder takes none.
pub(super) fn suspicion(settings: &Settings, cache: &Cache<'_>) -> Option<String> {
    let title = suspected(settings, cache)?.title;
    Some(if settings.learned.suspected.is_some() {
        format!("a file of {title}'s is for this one, and its builder refuses ids with variables")
    } else {
        format!("the id is one of {title}'s, whose builder refuses ids with variables")
    })
}

/// Returns why no edit can append `name` to the id of `cache`.
pub(crate) fn obstacle(cx: &Context<'_>, cache: &Cache<'_>, name: &str) -> Option<String> {
    if let Some(reason) = suspicion(cx.settings, cache) {
        return Some(reason);
    }
    if cx.settings.has_own_builders() && name == cx.settings.arg {
        return Some("cachelane.toml says that each job has a builder of its own".into());
    }
    if let Some(env) = shadowing_env(cx.file, name, cache.instruction) {
        let line = cx.line(env.instruction);
        return Some(format!(
            "the ENV on line {line} wins over what a job passes: drop or rename it first"
        ));
    }
    if cx.fills_in() {
        return Some(
            "this template's engine fills in `${…}` itself: write the lane in its own way".into(),
        );
    }
    id_edit(cx.settings, cache, name).err()
}
