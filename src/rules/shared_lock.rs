//! `shared-lock`: a locked cache that every build on the builder shares.

use crate::finding::{Elsewhere, Finding, Label, RuleMeta, Severity};
use crate::fix::Applicability;
use crate::text::count;

use super::caches::PLATFORM_ARGS;
use super::lane::{is_shared_lock, isolated_id};
use super::{Cache, Context, LockUse, Other, Rule};

pub(super) struct SharedLock;

static META: RuleMeta = RuleMeta {
    name: "shared-lock",
    severity: Severity::Error,
    fix: Some(Applicability::Safe),
    summary: "a locked cache id without a per-job part: parallel builds wait for each other",
};

impl Rule for SharedLock {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        for cache in cx.caches().iter().filter(|cache| is_shared_lock(cx, cache)) {
            let id = cache.id();
            let message = if cache.mount.id().is_some() {
                format!("parallel builds wait for each other: the lock `{id}` is the same for all")
            } else {
                format!("parallel builds wait for each other: without an id, the lock is `{id}` for all")
            };
            findings.push(
                Finding::new(&META, cache.mount.id_span(), message)
                    .help(help(cx, cache))
                    .about(cache.lock())
                    .fix(cx.isolate(cache)),
            );
        }
    }

    fn relate(&self, finding: &mut Finding, lock: &LockUse) {
        let others = lock.runs - 1;
        let files = if lock.files > 1 { format!(" in {}", count(lock.files, "file")) } else { String::new() };
        let take = if others == 1 { "takes" } else { "take" };
        finding.message.push_str(&format!("; {}{files} {take} it too", count(others, "other RUN")));
        let label = "takes the same lock".to_owned();
        match &lock.other {
            Other::Here(span) => finding.labels.push(Label { span: *span, message: label }),
            Other::There(path, range) => {
                finding.elsewhere.push(Elsewhere { path: path.clone(), range: *range, message: label });
            }
        }
    }
}

fn help(cx: &Context<'_>, cache: &Cache<'_>) -> String {
    let arg = &cx.settings.arg;
    let mut help = format!("write `id={}`", isolated_id(cx, cache));
    if let Some(need) = cx.declaring(arg, cache.instruction) {
        help.push_str(&format!(", and {}", need.advice()));
    }
    help.push_str(&format!("\nand give each job its own `--build-arg {arg}=…`"));
    let mut own = None;
    cache.word.each_variable(&mut |variable| {
        if own.is_none() && !PLATFORM_ARGS.contains(&variable.name.as_str()) {
            own = Some(variable.name.clone());
        }
    });
    if let Some(own) = own {
        help.push_str(&format!("\n(if `{own}` is what sets your jobs apart, list it under `isolating-args`)"));
    }
    help
}
