//! `mixed-sharing`: one id with different sharing modes.

use crate::dockerfile::Sharing;
use crate::finding::{Finding, RuleId, Severity};
use crate::fix::{Edit, Fix};
use crate::index::{CacheMount, Index, MountFindings};

pub(super) fn check(index: &Index<'_>, findings: &mut [Vec<Finding>]) {
    let mut found = MountFindings::default();
    for shared in index.shared_ids() {
        for mounts in shared.caches(|mount| mount.sharing.is_some()) {
            compare(index, shared.when(), &mounts, &mut found);
        }
    }
    found.add_to(findings);
}

fn compare(index: &Index<'_>, when: &str, mounts: &[&CacheMount], found: &mut MountFindings) {
    let Some(mode) = mounts.iter().filter_map(|mount| mount.sharing).max() else {
        return;
    };
    let strictest = mode.as_str();
    let (strict, others): (Vec<&CacheMount>, Vec<&CacheMount>) =
        mounts.iter().partition(|mount| mount.sharing == Some(mode));
    for mount in others {
        // Within one RUN both mounts are one directory: that is `id-collision`.
        let other_run = |other: &&&CacheMount| {
            (other.file, other.instruction) != (mount.file, mount.instruction)
        };
        let Some(strict) = strict.iter().find(other_run) else {
            continue;
        };
        let id = String::from_utf8_lossy(&strict.key.id);
        let own = match (mount.sharing, &mount.mode_edit) {
            (Some(own), Some((span, _))) if span.is_empty() => {
                format!("{}, as by default", own.as_str())
            }
            (own, _) => own.unwrap_or(Sharing::Shared).as_str().to_owned(),
        };
        let is_lock = mode == Sharing::Locked;
        let (severity, message) = if is_lock {
            let message = format!(
                "{when}this mount ({own}) breaks the lock `{id}`: beside its holder it starts with an empty directory, and from then on builds that lock it run at once"
            );
            (Severity::Error, message)
        } else {
            let message = format!(
                "{when}while a build holds `{id}` as {strictest}, this mount ({own}) starts with an empty directory"
            );
            (Severity::Warning, message)
        };
        let help = if is_lock {
            "use `sharing=locked` here too, or take the lock away there (what is broken already stays so until the cache is pruned)".into()
        } else {
            format!("use `sharing={strictest}` here too")
        };
        let unknown = || {
            "a variable names the sharing mode, or a template's expression is in the way".to_owned()
        };
        let fix = mount.mode_edit.ok_or_else(unknown).map(|(span, before)| {
            let edits = vec![Edit::replace(span, format!("{before}{strictest}"))];
            Fix::needs_review(format!("use `sharing={strictest}`"), edits)
        });
        let mut finding = Finding::new(RuleId::MixedSharing, mount.span, message)
            .help(help)
            .fix(fix)
            .point(index.location(mount.file, strict, format!("{strictest} here")));
        finding.severity = severity;
        found.add(mount, finding);
    }
}
