//! `old-frontend`: a pinned Dockerfile frontend, or that of an engine, which does not expand variables in ids.

use crate::finding::{Finding, RuleId, Severity};
use crate::text::Span;

use super::context::Context;
use super::frontend::{Frontend, SYNTAX_LINE, has_no_syntax_line, name_one};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let Some(cache) = cx.caches().iter().find(|cache| cache.word.has_variable()) else {
        return;
    };
    if cx.settings.require_syntax && has_no_syntax_line(cx.file) {
        let message = format!(
            "Docker 20.10's own frontend expands no variables: every job there uses the literal id `{}`",
            cache.id()
        );
        let help =
            format!("write `{SYNTAX_LINE}` at the top: the engine fetches that frontend then");
        findings.push(
            Finding::new(RuleId::OldFrontend, cache.mount.id_span(), message)
                .help(help)
                .fix(name_one(cx.file)),
        );
        return;
    }
    let Some((frontend, span)) = Frontend::old(cx.file) else {
        return;
    };
    let message = format!(
        "this frontend does not expand variables: every job uses the literal id `{}`",
        cache.id()
    );
    findings.push(
        Finding::new(RuleId::OldFrontend, span, message)
            .help(frontend.advice())
            .label(cache.mount.id_span(), "this id")
            .fix(frontend.newer(cx.file, span)),
    );
}

/// The first Docker whose own frontend expands variables in ids.
const EXPANDS: u32 = 23;

/// Returns the finding on the build at `span`, whose engine is a service with this `image`, where that reads the Dockerfile
/// at `path` with a frontend of its own that is too old.
pub fn check_engine(image: &str, span: Span, path: &str) -> Option<Finding> {
    let name = image.rsplit('/').next().unwrap_or_default();
    let tag = name
        .strip_prefix("docker:")
        .filter(|tag| tag.contains("dind"))?;
    let version = tag.split(['.', '-']).next()?.parse::<u32>().ok()?;
    if version >= EXPANDS {
        return None;
    }
    let message = format!(
        "`{image}` expands no variables in ids, and {path} names no frontend that does: a lane does nothing there"
    );
    let help = format!(
        "take Docker {EXPANDS} or later\n\
         or write `{SYNTAX_LINE}` at the top of {path}: the engine fetches that frontend then"
    );
    let mut finding = Finding::new(RuleId::OldFrontend, span, message).help(help);
    finding.severity = Severity::Warning;
    finding.unfixed = Some("whether the engine or the Dockerfile changes is yours to say".into());
    Some(finding)
}
