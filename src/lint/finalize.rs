//! Finishes the findings of a file when all are known: applies suppressions and severities, and reports idle
//! suppressions.

use std::collections::HashSet;

use crate::finding::RuleId;
use crate::rules::registry::check_ignore;
use crate::rules::{Idle, Settings};
use crate::suppress::Table;

use super::model::Checked;

/// Finalizes the findings of one file; `whole` is true where all files that concern it were read.
pub(super) fn finalize(checked: &mut Checked, settings: &Settings, whole: bool) {
    if !checked.ignores.is_empty() {
        suppress(checked, settings, whole);
    }
    for finding in &mut checked.findings {
        if let Some(severity) = settings.severities.get(&finding.rule) {
            finding.severity = *severity;
        }
    }
    checked.withhold_fixes();
    checked
        .findings
        .sort_by_key(|finding| (finding.span, finding.rule));
}

/// Does [`finalize`] for a file of builds. What is idle there is known only once its builds are matched, when all fixes have
/// been made.
pub(super) fn finalize_builds(checked: &mut Checked, settings: &Settings, whole: bool) {
    finalize(checked, settings, whole);
    let mut idle = checked.findings.iter_mut();
    while let Some(idle) = idle.find(|finding| finding.rule == RuleId::UnusedIgnore) {
        if idle.fix.take().is_some() {
            idle.unfixed = Some("in a file of builds, remove it by hand".into());
        }
    }
}

fn suppress(checked: &mut Checked, settings: &Settings, whole: bool) {
    let table = Table::new(&checked.ignores);
    let mut used: HashSet<(usize, usize)> = HashSet::new();
    let before = checked.findings.len();
    checked.findings.retain(|finding| {
        let by = table.suppressing(finding.rule, finding.span);
        used.extend(by);
        by.is_none()
    });
    checked.suppressed += before - checked.findings.len();
    if !settings.is_on(RuleId::UnusedIgnore) {
        return;
    }
    for (index, ignore) in checked.ignores.iter().enumerate() {
        let is_idle = |name: usize| {
            // The findings of a rule that did not run are unknown.
            let known = RuleId::by_name(&ignore.names[name].0)
                .is_none_or(|rule| settings.is_on(rule) && (whole || !rule.compares()));
            known && !used.contains(&(index, name))
        };
        let names: Vec<usize> = (0..ignore.names.len())
            .filter(|name| is_idle(*name))
            .collect();
        let idle = Idle {
            ignore,
            names: &names,
        };
        check_ignore(idle, &mut checked.findings);
    }
}
