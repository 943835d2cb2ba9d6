//! Stages of which a build runs RUNs side by side.

use crate::budget;
use crate::dockerfile::{Dockerfile, Stage};

use super::caches::Cache;

/// The RUNs of a stage that take one lock.
pub(super) struct LockingStage<'c> {
    pub(super) stage: usize,
    pub(super) runs: Vec<&'c Cache<'c>>,
}

/// Returns for each stage whether it needs each other one, itself included.
pub(super) fn needs(stages: &[Stage]) -> Vec<Vec<bool>> {
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
    let from = |stage: &Stage| stage.from.map(|from| texts(file, from));
    if a.base != b.base || from(a) != from(b) {
        return 0;
    }
    let pairs = a.instructions.clone().zip(b.instructions.clone());
    pairs
        .take_while(|(a, b)| is_same_text((file, *a), (file, *b)))
        .count()
}

/// Returns the flags and heredocs of the instruction `index`.
fn texts<'f>(file: &'f Dockerfile<'_>, index: usize) -> Vec<&'f [u8]> {
    let instruction = &file.instructions[index];
    let flags = instruction.flags.iter().map(|flag| flag.text.bytes());
    let bodies = instruction.heredocs.iter();
    flags
        .chain(bodies.map(|doc| doc.body.of(file.source)))
        .collect()
}

/// Returns whether two instructions, each of a file, say the same.
pub(super) fn is_same_text(
    (file, index): (&Dockerfile<'_>, usize),
    (other_file, other): (&Dockerfile<'_>, usize),
) -> bool {
    fn command<'f>(file: &'f Dockerfile<'_>, index: usize) -> (Vec<u8>, &'f [u8]) {
        let instruction = &file.instructions[index];
        let name = instruction.name.of(file.source).to_ascii_lowercase();
        (name, instruction.arguments())
    }
    budget::spend(file.instructions[index].span.len())
        && command(file, index) == command(other_file, other)
        && texts(file, index) == texts(other_file, other)
}

/// Returns the first RUNs of `a` and `b` that one build runs in parallel.
pub(super) fn parallel<'c>(
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
