//! Where a cache mount ends up.

use crate::Outcome;
use crate::build::Job;
use crate::engine::Engine;

use super::Record;

pub fn no_target(engine: &Engine, record: &mut Record) -> Outcome {
    let run =
        "RUN --mount=type=cache,id=no-target,sharing=locked probe list /app && probe mounts app\n";
    let refused = engine.try_build(&Job::new(&format!("FROM base\nARG FRESH\n{run}")).fresh())?;
    record.note(format!("no WORKDIR: {}", refused.refusal()?));
    let job = Job::new(&format!(
        "FROM base\nARG FRESH\nWORKDIR /app\nRUN probe put /app/layer\n{run}"
    ));
    let built = engine.build(&job.fresh())?;
    record.equal(
        "`WORKDIR /app`: it is mounted at",
        &built.marks("@mount").join(" "),
        "/app",
    )?;
    record.equal("there, of the image's files, is", &built.listed("/app"), "")
}

pub fn odd_targets(engine: &Engine, record: &mut Record) -> Outcome {
    for (target, expected) in [
        ("odd-relative", "/app/odd-relative"),
        ("/odd-größe", "/odd-grÃ¶Ã\\u009fe"),
    ] {
        let mount = format!("--mount=type=cache,id=odd,target={target}");
        let job = Job::new(&format!(
            "FROM base\nARG FRESH\nWORKDIR /app\nRUN {mount} probe mounts odd\n"
        ));
        let built = engine.build(&job.fresh())?;
        let found = built.marks("@mount").join(" ").replace('\u{9f}', "\\u009f");
        record.equal(
            &format!("`target={target}` is mounted at"),
            &found,
            expected,
        )?;
    }
    Ok(())
}
