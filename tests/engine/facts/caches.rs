//! What a cache holds, and for whom.

use crate::Outcome;
use crate::build::Job;
use crate::engine::{Engine, Version};

use super::Record;

/// A build that runs `command` with `mounts`.
fn running(mounts: &str, command: &str) -> Job {
    Job::new(&format!("FROM base\nARG FRESH\nRUN {mounts} {command}\n"))
}

/// What `job` finds in `/c`.
fn found(engine: &Engine, job: &Job) -> Outcome<String> {
    Ok(engine.build(&job.clone().fresh())?.listed("/c"))
}

pub fn default_lane(engine: &Engine, record: &mut Record) -> Outcome {
    let mount = "--mount=type=cache,id=lane,target=/c,sharing=locked";
    let fixed = |command| running(mount, command).fixed()?.containing("id=lane-${CACHE_ID},");
    engine.build(&fixed("probe put /c/first")?.fresh())?;
    record.equal("the second build finds", &found(engine, &fixed("probe list /c")?)?, "first")?;
    if engine.version == Version::D26 {
        record.equal("real id", &engine.ids("lane-")?.join(" "), "lane-default")?;
        let other = fixed("probe list /c")?.arg("CACHE_ID", "py310");
        record.equal("the lane py310 finds", &found(engine, &other)?, "")?;
    } else {
        let other = fixed("probe list /c")?.arg("CACHE_ID", "py310");
        record.equal("a build with another CACHE_ID finds", &found(engine, &other)?, "first")?;
    }
    Ok(())
}

pub fn mixed_sharing(engine: &Engine, record: &mut Record) -> Outcome {
    let mount = |sharing: &str| format!("--mount=type=cache,id=mixed,target=/c,sharing={sharing}");
    let list = |sharing: &str| running(&mount(sharing), "probe list /c");
    engine.build(&running(&mount("locked"), "probe put /c/first").fresh())?;
    record.equal("`shared`, nobody there", &found(engine, &list("shared"))?, "first")?;
    let mut holder = engine.start_build(&running(&mount("locked"), "probe hold 4").fresh())?;
    holder.until("@start")?;
    let beside = [list("shared").fresh(), list("private").fresh()].map(|job| engine.start_build(&job));
    let beside = beside.into_iter().map(|build| build?.wait()?.succeeded()).collect::<Outcome<Vec<_>>>()?;
    let held = holder.wait()?.succeeded()?.window()?;
    record.equal("`shared` beside a locked holder", &beside[0].listed("/c"), "")?;
    record.equal("`private` beside a locked holder", &beside[1].listed("/c"), "")?;
    record.note(format!("the holder had it for {:.1} s", held.1 - held.0));
    record.equal("`locked` after it", &found(engine, &list("locked"))?, "first")
}

pub fn private_cache(engine: &Engine, record: &mut Record) -> Outcome {
    let mount = "--mount=type=cache,id=private,target=/c,sharing=private";
    let list = running(mount, "probe list /c");
    engine.build(&running(mount, "probe put /c/first").fresh())?;
    record.equal("nobody holds it", &found(engine, &list)?, "first")?;
    let mut holder = engine.start_build(&running(mount, "probe hold 4").fresh())?;
    holder.until("@start")?;
    record.equal("beside a holder", &found(engine, &list)?, "")?;
    holder.wait()?.succeeded()?;
    Ok(())
}

pub fn id_collision(engine: &Engine, record: &mut Record) -> Outcome {
    let mounts = |sharing: &str| {
        let mount =
            |target: &str| format!("--mount=type=cache,id=collision-{sharing},target={target},sharing={sharing}");
        format!("{} {}", mount("/a"), mount("/c"))
    };
    for sharing in ["locked", "shared"] {
        let job = running(&mounts(sharing), "probe put /a/one /c/two && probe list /c");
        record.equal(&format!("`{sharing}`: /c has"), &found(engine, &job)?, "one two")?;
    }
    let laned = running(&mounts("locked"), "probe put /a/one /c/two && probe list /c").fixed()?;
    record.equal("fixed, with a lane, /c has", &found(engine, &laned.arg("CACHE_ID", "py310"))?, "one two")
}
