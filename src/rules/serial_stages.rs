//! `serial-stages`: stages of one build that wait for each other.

use std::collections::BTreeMap;

use crate::budget;
use crate::dockerfile::{Dockerfile, Stage};
use crate::finding::{Finding, LockKey, RuleId};

use super::caches::Cache;
use super::context::Context;

/// The RUNs of a stage that take one lock.
struct LockingStage<'c> {
    stage: usize,
    runs: Vec<&'c Cache<'c>>,
}

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

/// Returns the number of instructions that both stages begin with: on one base they are the same steps, and a build runs
/// those once.
fn common(file: &Dockerfile<'_>, a: &Stage, b: &Stage) -> usize {
    let texts = |index: usize| -> Vec<&[u8]> {
        let instruction = &file.instructions[index];
        let flags = instruction.flags.iter().map(|flag| flag.text.bytes());
        let bodies = instruction.heredocs.iter();
        flags
            .chain(bodies.map(|doc| doc.body.of(file.source)))
            .collect()
    };
    let from = |stage: &Stage| stage.from.map(texts);
    if a.base != b.base || from(a) != from(b) {
        return 0;
    }
    let command = |index: usize| {
        let instruction = &file.instructions[index];
        let name = instruction.name.of(file.source).to_ascii_lowercase();
        (name, instruction.arguments())
    };
    let is_same = |(a, b): &(usize, usize)| {
        let length = file.instructions[*a].span.len();
        budget::spend(length) && command(*a) == command(*b) && texts(*a) == texts(*b)
    };
    let pairs = a.instructions.clone().zip(b.instructions.clone());
    pairs.take_while(is_same).count()
}

/// Returns the first RUNs of `a` and `b` that one build runs in parallel.
fn parallel<'c>(
    file: &Dockerfile<'_>,
    needs: &[Vec<bool>],
    a: &LockingStage<'c>,
    b: &LockingStage<'c>,
) -> Option<[(usize, &'c Cache<'c>); 2]> {
    let stages = &file.stages;
    let common = common(file, &stages[a.stage], &stages[b.stage]);
    let own = |taker: &LockingStage<'c>| {
        let start = stages[taker.stage].instructions.start + common;
        let mut runs = taker.runs.iter();
        runs.find(|run| run.instruction >= start).copied()
    };
    let (first, second) = (own(a)?, own(b)?);
    let is_after = comes_after(stages, needs, (a.stage, first.instruction), b.stage)
        || comes_after(stages, needs, (b.stage, second.instruction), a.stage);
    (!is_after).then_some([(a.stage, first), (b.stage, second)])
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
