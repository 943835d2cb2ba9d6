//! What a lane costs in layers.

use crate::Outcome;
use crate::build::Job;
use crate::engine::{Engine, Version};

use super::Record;

/// Builds the first job, then the second, and keeps how many RUNs the second one did not run.
fn second(
    engine: &Engine,
    record: &mut Record,
    what: &str,
    jobs: [Job; 2],
    expected: usize,
) -> Outcome {
    let [first, second] = jobs;
    engine.build(&first)?;
    let (reused, all) = engine.build(&second)?.reused();
    record.note(format!(
        "{what}: the second job reuses {reused} of {all} RUNs"
    ));
    if reused == expected {
        Ok(())
    } else {
        Err(format!("{what}: {expected} expected"))
    }
}

/// Three RUNs, the last of which has a cache mount. `name` sets the files apart: they start with layers of their own.
fn steps(name: &str, early: &str) -> String {
    let mount = format!("--mount=type=cache,id={name}-${{CACHE_ID}},target=/c,sharing=locked");
    format!(
        "FROM base\nENV NAME={name}\n{early}RUN probe nothing 1\nRUN probe nothing 2\nRUN {mount} probe nothing 3\n"
    )
}

fn two(job: &Job, argument: &str) -> [Job; 2] {
    ["py310", "py313"].map(|value| job.clone().arg(argument, value))
}

const DECLARED: &str = "ARG CACHE_ID=default\n";

pub fn early_arg(engine: &Engine, record: &mut Record) -> Outcome {
    second(
        engine,
        record,
        "ARG first",
        two(&Job::new(&steps("early", DECLARED)), "CACHE_ID"),
        0,
    )?;
    // Past a program that may be the build's own, for which the fix needs a look.
    let moved = Job::new(&steps("moved", DECLARED))
        .fixed_unsafely()?
        .containing("nothing 2\nARG CACHE_ID=default\n")?;
    second(
        engine,
        record,
        "ARG first, fixed",
        two(&moved, "CACHE_ID"),
        2,
    )?;
    let added = Job::new(&steps("added", ""))
        .fixed()?
        .containing("nothing 2\nARG CACHE_ID=default\n")?;
    second(engine, record, "no ARG, fixed", two(&added, "CACHE_ID"), 2)
}

/// Docker 20.10 has the id and the namespace in the key.
const fn all_but_the_mount(engine: &Engine) -> usize {
    match engine.version {
        Version::D20 => 2,
        Version::D26 => 3,
    }
}

pub fn namespace(engine: &Engine, record: &mut Record) -> Outcome {
    let file = steps("namespace", "").replace("-${CACHE_ID}", "");
    second(
        engine,
        record,
        "a namespace each",
        two(&Job::new(&file), "BUILDKIT_CACHE_MOUNT_NS"),
        all_but_the_mount(engine),
    )
}

pub fn id_in_key(engine: &Engine, record: &mut Record) -> Outcome {
    let file = |id: &str| steps("key", "").replace("key-${CACHE_ID}", id);
    second(
        engine,
        record,
        "another id",
        [Job::new(&file("one")), Job::new(&file("two"))],
        all_but_the_mount(engine),
    )
}
