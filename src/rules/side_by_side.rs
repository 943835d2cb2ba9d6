//! Stages of which a build runs RUNs side by side.

use crate::budget;
use crate::dockerfile::{Base, Dockerfile, Keyword, Mount, Stage, Word};

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

/// Returns whether the base of `stage` needs stage `other`: all of it comes after that.
fn is_based_on(needs: &[Vec<bool>], stage: &Stage, other: &Stage) -> bool {
    let parent = stage.parent();
    parent.is_some_and(|parent| needs[parent][other.index])
}

/// Returns whether `run`, in `stage`, comes after all of stage `other`, which it or an earlier instruction uses.
fn comes_after(needs: &[Vec<bool>], stage: &Stage, run: &Cache<'_>, other: &Stage) -> bool {
    let (index, other) = (run.instruction, other.index);
    let used =
        |(at, used): &(usize, usize)| *at <= index && *used < stage.index && needs[*used][other];
    budget::spend(stage.uses.len()) && stage.uses.iter().any(used)
}

/// Instructions that change no file and no environment, but only what is said of the image.
const METADATA: &str = "cmd entrypoint expose healthcheck label maintainer stopsignal volume";

/// Returns the steps of `stage`, from its base image on. What is only said of the image is none.
pub(super) fn steps(file: &Dockerfile<'_>, stage: usize) -> Vec<usize> {
    let stages: Vec<&Stage> = file.chain(stage).collect();
    let all = stages.iter().rev();
    let all = all.flat_map(|stage| stage.instructions.clone());
    let is_step = |at: &usize| {
        let instruction = &file.instructions[*at];
        let name = instruction.name.of(file.source);
        let is_it = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let is_metadata = instruction.keyword == Keyword::Other && METADATA.split(' ').any(is_it);
        budget::spend(4) && !is_metadata
    };
    all.filter(is_step).collect()
}

/// Returns a text that is the same for stages on the same base image, with the arguments that `global` gives.
pub(super) fn base(
    file: &Dockerfile<'_>,
    stage: usize,
    global: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Vec<u8> {
    let mut text = Vec::new();
    for stage in file.chain(stage).take_while(|_| budget::spend(4)) {
        let flags = stage.from.map(|from| flags(file, from));
        text.extend(flags.into_iter().flatten().flatten());
        if let Base::Image(image) = &stage.base {
            let word = Word::read(image.as_bytes(), file.escape).unwrap_or_default();
            let mut is_known = true;
            let known = word.expand(&mut |name| {
                let value = global(name);
                is_known &= value.is_some();
                value
            });
            text.push(0);
            text.extend(
                known
                    .filter(|_| is_known)
                    .unwrap_or_else(|| word.canonical()),
            );
        }
    }
    text
}

/// Returns the number of steps that both stages begin with, and which a build runs once.
fn common(file: &Dockerfile<'_>, a: usize, b: usize) -> usize {
    let base = |stage: usize| {
        let from = file.stages[stage].from;
        base(file, stage, &|name| file.default_value(name, from?))
    };
    if base(a) != base(b) {
        return 0;
    }
    let pairs = steps(file, a).into_iter().zip(steps(file, b));
    pairs
        .take_while(|(a, b)| is_same_step(file, *a, file, *b))
        .count()
}

/// Returns the flags of the instruction `index`, in the order of their texts: BuildKit sorts mounts, and an option list
/// may be in any order.
fn flags(file: &Dockerfile<'_>, index: usize) -> Vec<Vec<u8>> {
    let instruction = &file.instructions[index];
    let canonical = |text: &[u8]| {
        let word = Word::read(text, file.escape);
        word.map_or_else(|_| text.to_vec(), |word| word.canonical())
    };
    let mount = |mount: &Mount<'_>| {
        let text = mount.text.bytes();
        let fields = mount.fields.iter().map(|field| {
            let value = field.equals.map(|at| &text[at + 1..field.end]);
            match (field.option, value) {
                (Some(option), Some(value)) => {
                    [b",", option.as_bytes(), b"=", &canonical(value)].concat()
                }
                _ => [b",", &text[field.start..field.end]].concat(),
            }
        });
        let mut fields: Vec<Vec<u8>> = fields.collect();
        fields.sort();
        fields.concat()
    };
    let others = instruction.flags.iter();
    let others = others.filter(|flag| flag.name() != b"mount");
    let others = others.map(|flag| canonical(flag.text.bytes()));
    let mut all: Vec<Vec<u8>> = others.chain(instruction.mounts.iter().map(mount)).collect();
    all.sort();
    all
}

/// Returns whether the instruction `index` of `file` and `other` of `other_file` do the same.
pub(super) fn is_same_step(
    file: &Dockerfile<'_>,
    index: usize,
    other_file: &Dockerfile<'_>,
    other: usize,
) -> bool {
    fn command<'f>(file: &'f Dockerfile<'_>, index: usize) -> (Vec<u8>, Keyword, Vec<&'f [u8]>) {
        let instruction = &file.instructions[index];
        let name = instruction.name.of(file.source).to_ascii_lowercase();
        let bodies = instruction.heredocs.iter();
        let bodies = bodies.map(|doc| doc.body.of(file.source));
        let texts = std::iter::once(instruction.arguments()).chain(bodies);
        (name, instruction.keyword, texts.collect())
    }
    budget::spend(file.instructions[index].span.len())
        && command(file, index) == command(other_file, other)
        && flags(file, index) == flags(other_file, other)
}

/// Returns the first RUNs of `a` and `b` that one build runs in parallel.
pub(super) fn parallel<'c>(
    file: &Dockerfile<'_>,
    needs: &[Vec<bool>],
    a: &LockingStage<'c>,
    b: &LockingStage<'c>,
) -> Option<[(usize, &'c Cache<'c>); 2]> {
    let [stage_a, stage_b] = [a, b].map(|taker| &file.stages[taker.stage]);
    // Before their steps are compared, which takes longer.
    if is_based_on(needs, stage_a, stage_b) || is_based_on(needs, stage_b, stage_a) {
        return None;
    }
    let common = common(file, a.stage, b.stage);
    let own = |taker: &LockingStage<'c>| {
        let steps = steps(file, taker.stage);
        let last = common.checked_sub(1).map(|last| steps[last]);
        let mut runs = taker.runs.iter();
        runs.find(|run| last.is_none_or(|last| run.instruction > last))
            .copied()
    };
    let (first, second) = (own(a)?, own(b)?);
    let is_after =
        comes_after(needs, stage_a, first, stage_b) || comes_after(needs, stage_b, second, stage_a);
    (!is_after).then_some([(a.stage, first), (b.stage, second)])
}
