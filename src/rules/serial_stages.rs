//! `serial-stages`: stages of one build that wait for each other.

use std::collections::BTreeMap;

use crate::budget;
use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, LockKey, RuleId};

use super::context::Context;
use super::side_by_side::{LockingStage, needs, parallel};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let file = cx.file;
    if file.stages.len() < 2 {
        return;
    }
    let mut locks: BTreeMap<&LockKey, Vec<LockingStage<'_>>> = BTreeMap::new();
    let locked = cx.caches().iter().filter(|cache| cache.is_locked());
    for cache in locked.filter(|cache| !file.instructions[cache.instruction].onbuild) {
        let Some(stage) = file.stage_of(cache.instruction) else {
            continue;
        };
        let takers = locks.entry(&cache.key).or_default();
        match takers.last_mut().filter(|last| last.stage == stage) {
            Some(last) => last.runs.push(cache),
            None => takers.push(LockingStage {
                stage,
                runs: vec![cache],
            }),
        }
    }
    locks.retain(|_, takers| takers.len() > 1);
    if locks.is_empty() {
        return;
    }
    let needs = needs(&file.stages);
    for takers in locks.values() {
        findings.extend(finding(file, &needs, takers));
    }
}

/// Returns the finding for the first pair of RUNs of `takers` that one build runs in parallel.
fn finding(
    file: &Dockerfile<'_>,
    needs: &[Vec<bool>],
    takers: &[LockingStage<'_>],
) -> Option<Finding> {
    // A build of some stage has to need both.
    let [first, second] = needs.iter().find_map(|needed| {
        if !budget::spend(takers.len()) {
            return None;
        }
        let built: Vec<_> = takers.iter().filter(|taker| needed[taker.stage]).collect();
        built.iter().enumerate().find_map(|(at, second)| {
            let mut firsts = built[..at].iter().take_while(|_| budget::spend(1));
            firsts.find_map(|first| parallel(file, needs, first, second))
        })
    })?;
    let label = |stage: usize| {
        let label = file.stages[stage].label();
        label.unwrap_or_else(|| stage.to_string())
    };
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
