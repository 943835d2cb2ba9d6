//! `platform-lock`: the platforms of one build wait for each other.

use memchr::memmem::Finder;

use crate::dockerfile::Keyword;
use crate::finding::{Finding, RuleId};
use crate::fix::Applicability;

use super::context::Context;
use super::declare::count_word;
use super::eligibility::lacks_platform;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    if !is_multi_platform(cx) {
        return;
    }
    for cache in cx.caches().iter().filter(|cache| lacks_platform(cx, cache)) {
        let id = cache.id();
        let message = format!(
            "the platforms of one build wait for each other here, and mix their files in `{id}`"
        );
        let mut help = format!("write `id={id}-${{TARGETARCH}}`");
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

/// Returns whether the file shows that it is built for several platforms.
fn is_multi_platform(cx: &Context<'_>) -> bool {
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
