//! What a lane costs in layers.

use crate::Outcome;
use crate::build::Job;
use crate::engine::Engine;

use super::Record;

/// Builds the first job, then the second, and keeps how many RUNs the second one did not run.
fn second(engine: &Engine, record: &mut Record, what: &str, jobs: [Job; 2], expected: usize) -> Outcome {
    let [first, second] = jobs;
    engine.build(&first)?;
    let (reused, all) = engine.build(&second)?.reused();
    record.note(format!("{what}: the second job reuses {reused} of {all} RUNs"));
    if reused == expected { Ok(()) } else { Err(format!("{what}: {expected} expected")) }
}

/// Three RUNs, the last of which has a cache mount. `name` sets the files apart: they start with layers of their own.
fn steps(name: &str, early: &str, late: &str) -> String {
    let mount = format!("--mount=type=cache,id={name}-${{CACHE_ID}},target=/c,sharing=locked");
    format!(
        "FROM base\nENV NAME={name}\n{early}RUN probe nothing 1\nRUN probe nothing 2\n{late}RUN {mount} probe nothing 3\n"
    )
}

fn two(file: &str, argument: &str) -> [Job; 2] {
    ["py310", "py313"].map(|value| Job::new(file).arg(argument, value))
}

const DECLARED: &str = "ARG CACHE_ID=default\n";

pub fn early_arg(engine: &Engine, record: &mut Record) -> Outcome {
    second(engine, record, "ARG first", two(&steps("early", DECLARED, ""), "CACHE_ID"), 0)?;
    second(engine, record, "ARG right before", two(&steps("late", "", DECLARED), "CACHE_ID"), 2)?;
    // Where the ARG is missing, cachelane puts it as late as it can stand.
    let fixed = Job::new(&steps("placed", "", "")).fixed()?.containing("nothing 2\nARG CACHE_ID=default\n")?;
    let jobs = ["py310", "py313"].map(|value| fixed.clone().arg("CACHE_ID", value));
    second(engine, record, "ARG missing, fixed", jobs, 2)
}

pub fn namespace(engine: &Engine, record: &mut Record) -> Outcome {
    let file = steps("namespace", "", "").replace("-${CACHE_ID}", "");
    second(engine, record, "a namespace each", two(&file, "BUILDKIT_CACHE_MOUNT_NS"), 3)
}

pub fn id_in_key(engine: &Engine, record: &mut Record) -> Outcome {
    let file = |id: &str| steps("key", "", "").replace("key-${CACHE_ID}", id);
    second(engine, record, "another id", [Job::new(&file("one")), Job::new(&file("two"))], 3)
}
