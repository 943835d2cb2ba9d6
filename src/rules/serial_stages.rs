//! `serial-stages`: stages of one build that wait for each other.

use std::collections::BTreeMap;

use crate::budget;
use crate::dockerfile::Stage;
use crate::finding::{Finding, LockKey, RuleId};

use super::caches::Cache;
use super::context::Context;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let stages = &cx.file.stages;
    if stages.len() < 2 {
        return;
    }
    let mut locks: BTreeMap<&LockKey, Vec<(usize, &Cache<'_>)>> = BTreeMap::new();
    let locked = cx.caches().iter().filter(|cache| cache.is_locked());
    for cache in locked.filter(|cache| !cx.file.instructions[cache.instruction].onbuild) {
        let Some(stage) = cx.file.stage_of(cache.instruction) else {
            continue;
        };
        let users = locks.entry(&cache.key).or_default();
        if users.last().is_none_or(|(last, _)| *last != stage) {
            users.push((stage, cache));
        }
    }
    locks.retain(|_, users| users.len() > 1);
    if locks.is_empty() {
        return;
    }
    let needs = needs(stages);
    for users in locks.values() {
        findings.extend(finding(stages, &needs, users));
    }
}

/// Returns for each stage whether it needs each other one, itself included.
fn needs(stages: &[Stage]) -> Vec<Vec<bool>> {
    let mut needs: Vec<Vec<bool>> = Vec::with_capacity(stages.len());
    for stage in stages {
        // It stays in memory, which is dearer than a step.
        if !budget::spend(4 * stages.len()) {
            return Vec::new();
        }
        let mut own = vec![false; stages.len()];
        own[stage.index] = true;
        for needed in stage.needs().filter(|_| budget::spend(stages.len())) {
            for (own, theirs) in own.iter_mut().zip(&needs[needed]) {
                *own |= theirs;
            }
        }
        needs.push(own);
    }
    needs
}

/// Returns whether the instruction `index` of `stage` comes after all of stage `other`, which it or an earlier one
/// needs.
fn comes_after(
    stages: &[Stage],
    needs: &[Vec<bool>],
    (stage, index): (usize, usize),
    other: usize,
) -> bool {
    let stage = &stages[stage];
    let base = stage.parent().is_some_and(|parent| needs[parent][other]);
    let used =
        |(at, used): &(usize, usize)| *at <= index && *used < stage.index && needs[*used][other];
    base || (budget::spend(stage.uses.len()) && stage.uses.iter().any(used))
}

/// Returns the finding for the first pair of `users` that one build runs in parallel.
fn finding(
    stages: &[Stage],
    needs: &[Vec<bool>],
    users: &[(usize, &Cache<'_>)],
) -> Option<Finding> {
    let apart = |a: &(usize, &Cache<'_>), b: &(usize, &Cache<'_>)| {
        !comes_after(stages, needs, (a.0, a.1.instruction), b.0)
            && !comes_after(stages, needs, (b.0, b.1.instruction), a.0)
    };
    // A build of some stage has to need both.
    let (first, second) = needs.iter().find_map(|needs| {
        if !budget::spend(users.len()) {
            return None;
        }
        let built: Vec<_> = users.iter().filter(|(stage, _)| needs[*stage]).collect();
        built.iter().enumerate().find_map(|(at, second)| {
            let first = built[..at]
                .iter()
                .find(|first| budget::spend(1) && apart(first, second))?;
            Some((*first, *second))
        })
    })?;
    let label = |stage: usize| stages[stage].label().unwrap_or_else(|| stage.to_string());
    let (a, b, id) = (label(first.0), label(second.0), second.1.id());
    let message = format!(
        "one build runs the stages `{a}` and `{b}` one after the other here: both lock `{id}`"
    );
    Some(
        Finding::new(RuleId::SerialStages, second.1.mount.id_span(), message)
            .help(format!(
                "an id per stage (`{id}-{a}`, `{id}-{b}`) lets them run at once; a lane does not"
            ))
            .label(first.1.mount.id_span(), format!("locked by `{a}` here")),
    )
}
