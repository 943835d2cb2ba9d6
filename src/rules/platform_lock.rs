//! `platform-lock`: the platforms of one build wait for each other.

use memchr::memmem::Finder;

use crate::dockerfile::Keyword;
use crate::finding::{Finding, RuleId};
use crate::fix::Applicability;

use super::context::Context;
use super::declare::count_word;
use super::eligibility::lacks_platform;
use super::settings::PlatformBuild;
use super::slot::isolated_id;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let names_platforms = names_platforms(cx);
    let built_for = cx.settings.learned.built_for.iter();
    let builds: Vec<(&PlatformBuild, Vec<bool>)> = built_for
        .filter_map(|build| Some((build, cx.file.needed_by(build.target.as_deref())?)))
        .collect();
    if !names_platforms && builds.is_empty() {
        return;
    }
    for cache in cx.caches().iter().filter(|cache| lacks_platform(cx, cache)) {
        let id = cache.id();
        let stage = cx.file.stage_of(cache.instruction);
        let is_built = |needed: &[bool]| stage.is_none_or(|stage| needed[stage]);
        let message = match builds.iter().find(|(_, needed)| is_built(needed)) {
            Some((
                PlatformBuild {
                    build, platforms, ..
                },
                _,
            )) => format!(
                "{build} builds {} at once: they wait for each other here, and mix their files in `{id}`",
                list(platforms)
            ),
            None if names_platforms => format!(
                "the platforms of one build wait for each other here, and mix their files in `{id}`"
            ),
            None => continue,
        };
        let isolated = isolated_id(cx.settings, cache, "TARGETARCH");
        let mut help = format!("write `id={isolated}`");
        if let Some(need) = cx.declaring("TARGETARCH", cache.instruction, Applicability::Unsafe) {
            help.push_str(&format!(", and {}", need.advice()));
        }
        findings.push(
            Finding::new(RuleId::PlatformLock, cache.mount.id_span(), message)
                .help(help)
                .fix(cx.isolate(cache, "TARGETARCH", Applicability::Unsafe)),
        );
    }
}

/// Writes the names of several platforms.
fn list(platforms: &[String]) -> String {
    let names: Vec<String> = platforms.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// Returns whether the file shows that it is built for several platforms.
fn names_platforms(cx: &Context<'_>) -> bool {
    let names = ["TARGETARCH", "TARGETPLATFORM", "BUILDPLATFORM"].map(Finder::new);
    if names.iter().all(|name| name.find(cx.file.source).is_none()) {
        return false;
    }
    let known = cx
        .file
        .instructions
        .iter()
        .filter(|i| i.keyword != Keyword::Opaque);
    known.into_iter().any(|i| {
        names
            .iter()
            .any(|name| count_word(i.text.bytes(), name) > 0)
    })
}
