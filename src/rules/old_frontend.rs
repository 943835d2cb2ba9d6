//! `old-frontend`: a pinned Dockerfile frontend that does not expand variables in ids.

use crate::finding::{Finding, RuleId};

use super::context::Context;
use super::frontend::{Frontend, SYNTAX_LINE, is_left_open, name_one};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let Some(cache) = cx.caches().iter().find(|cache| cache.word.has_variable()) else {
        return;
    };
    if cx.settings.require_syntax && is_left_open(cx.file) {
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
