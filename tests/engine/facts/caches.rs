//! What a cache holds, and for whom.

use crate::Outcome;
use crate::build::{Built, Job};
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

/// How often it is tried to build beside a holder, on a machine that may be slow.
const TRIES: usize = 3;

/// What each of `jobs` finds in `/c` while `holder` holds.
fn beside(engine: &Engine, holder: &Job, jobs: &[Job]) -> Outcome<Vec<String>> {
    for _ in 0..TRIES {
        let mut holding = engine.start_build(&holder.clone().fresh())?;
        holding.until("@start")?;
        let building: Vec<_> = jobs
            .iter()
            .map(|job| engine.start_build(&job.clone().fresh()))
            .collect::<Outcome<_>>()?;
        let built: Vec<Built> = building
            .into_iter()
            .map(|build| build.wait()?.succeeded())
            .collect::<Outcome<_>>()?;
        let (_, end) = holding.wait()?.succeeded()?.window()?;
        if built
            .iter()
            .all(|build| build.time("@at").is_some_and(|at| at < end))
        {
            return Ok(built.iter().map(|build| build.listed("/c")).collect());
        }
    }
    Err("the machine is too slow to build beside a holder".into())
}

pub fn default_lane(engine: &Engine, record: &mut Record) -> Outcome {
    let mount = "--mount=type=cache,id=lane,target=/c,sharing=locked";
    let fixed = |command| {
        running(mount, command)
            .fixed()?
            .containing("id=lane-${CACHE_ID},")
    };
    engine.build(&fixed("probe put /c/first")?.fresh())?;
    record.equal(
        "the second build finds",
        &found(engine, &fixed("probe list /c")?)?,
        "first",
    )?;
    if engine.version == Version::D26 {
        record.equal("real id", &engine.ids("lane-")?.join(" "), "lane-default")?;
        let other = fixed("probe list /c")?.arg("CACHE_ID", "py310");
        record.equal("the lane py310 finds", &found(engine, &other)?, "")?;
    } else {
        let other = fixed("probe list /c")?.arg("CACHE_ID", "py310");
        record.equal(
            "a build with another CACHE_ID finds",
            &found(engine, &other)?,
            "first",
        )?;
    }
    Ok(())
}

pub fn keep_default(engine: &Engine, record: &mut Record) -> Outcome {
    let mount = "--mount=type=cache,id=keep-cache,target=/c,sharing=locked";
    let kept = |command: &str| {
        let job = running(mount, command)
            .keeping_ids()?
            .containing("id=keep-cache${CACHE_ID:+-${CACHE_ID}},")?;
        job.containing("ARG CACHE_ID\n")
    };
    engine.build(&running(mount, "probe put /c/old").fresh())?;
    let old = if engine.version == Version::D26 {
        "old"
    } else {
        ""
    };
    record.equal(
        "nothing passed: the build finds",
        &found(engine, &kept("probe list /c")?)?,
        old,
    )?;
    if engine.version == Version::D20 {
        return Ok(());
    }
    record.equal(
        "real id",
        &engine.ids("keep-cache")?.join(" "),
        "keep-cache",
    )?;
    for lane in ["py310", "py313"] {
        let first = kept(&format!("probe list /c && probe put /c/{lane}"))?.arg("CACHE_ID", lane);
        record.equal(
            &format!("the lane {lane} finds at first"),
            &found(engine, &first)?,
            "",
        )?;
        let then = kept("probe list /c")?.arg("CACHE_ID", lane);
        record.equal(
            &format!("the lane {lane} finds then"),
            &found(engine, &then)?,
            lane,
        )?;
    }
    record.equal(
        "real ids",
        &engine.ids("keep-cache")?.join(" "),
        "keep-cache keep-cache-py310 keep-cache-py313",
    )?;
    record.equal(
        "nothing passed, after them",
        &found(engine, &kept("probe list /c")?)?,
        "old",
    )
}

pub fn mixed_sharing(engine: &Engine, record: &mut Record) -> Outcome {
    let mount = |sharing: &str| format!("--mount=type=cache,id=mixed,target=/c,sharing={sharing}");
    let list = |sharing: &str| running(&mount(sharing), "probe list /c");
    engine.build(&running(&mount("locked"), "probe put /c/first").fresh())?;
    record.equal(
        "`shared`, nobody there",
        &found(engine, &list("shared"))?,
        "first",
    )?;
    let holder = running(&mount("locked"), "probe hold 4");
    let [shared, private] = [list("shared"), list("private")];
    let listed = beside(engine, &holder, &[shared, private])?;
    record.equal("`shared` beside a locked holder", &listed[0], "")?;
    record.equal("`private` beside a locked holder", &listed[1], "")?;
    let after = found(engine, &list("locked"))?;
    record.note(format!(
        "`locked` after it: {} (which of the id's caches a build gets is chance)",
        super::shown(&after)
    ));
    if engine.version == Version::D26 {
        // Two or three: the one of the `shared` build may have been free again for the `private` one.
        let caches = engine.ids("mixed")?.len();
        record.note(format!("caches with this one id from then on: {caches}"));
        return if caches > 1 {
            Ok(())
        } else {
            Err("more than one expected".into())
        };
    }
    Ok(())
}

pub fn private_cache(engine: &Engine, record: &mut Record) -> Outcome {
    let mount = "--mount=type=cache,id=private,target=/c,sharing=private";
    let list = running(mount, "probe list /c");
    engine.build(&running(mount, "probe put /c/first").fresh())?;
    record.equal("nobody holds it", &found(engine, &list)?, "first")?;
    let listed = beside(engine, &running(mount, "probe hold 4"), &[list])?;
    record.equal("beside a holder", &listed[0], "")?;
    let laned = |command, lane| {
        let fixed = running(mount, command)
            .fixed_unsafely()?
            .containing("id=private-${CACHE_ID},")?;
        Ok::<_, String>(fixed.arg("CACHE_ID", lane).fresh())
    };
    engine.build(&laned("probe put /c/first", "py310")?)?;
    let mut holder = engine.start_build(&laned("probe hold 4", "py313")?)?;
    holder.until("@start")?;
    let listed = engine
        .build(&laned("probe list /c", "py310")?)?
        .listed("/c");
    record.equal("fixed, beside the holder of another lane", &listed, "first")
}

/// What `--no-cache` and what people write instead leave in a cache.
pub fn no_cache(engine: &Engine, record: &mut Record) -> Outcome {
    let file = |command: &str| {
        let mount = "--mount=type=cache,id=no-cache,target=/c,sharing=locked";
        let plain = "FROM base AS plain\nRUN probe put /made\n";
        let cached = format!("FROM base AS cached\nARG FRESH\nRUN {mount} {command}\n");
        Job::new(&format!(
            "{plain}{cached}FROM cached\nCOPY --from=plain /made /made\n"
        ))
    };
    let mut left = |what: &str, job: &Job, expected: &str| {
        engine.build(&file("probe put /c/old").fresh())?;
        engine.build(job)?;
        let found = found(engine, &file("probe list /c"))?;
        record.equal(&format!("{what}: the next build finds"), &found, expected)
    };
    let anew = || file("probe list /c").fresh();
    left("a changed build argument", &anew(), "old")?;
    left("`--no-cache`", &anew().option("--no-cache"), "")?;
    let other = Job::new("FROM base\nRUN probe put /made\n").option("--no-cache");
    left("`--no-cache` of a file without cache mounts", &other, "old")?;
    if engine.version == Version::D26 {
        let of = |stage: &str| anew().option(&format!("--no-cache-filter={stage}"));
        left(
            "`--no-cache-filter` of a stage without cache mounts",
            &of("plain"),
            "old",
        )?;
        left("`--no-cache-filter` of its stage", &of("cached"), "")?;
    }
    Ok(())
}

pub fn id_collision(engine: &Engine, record: &mut Record) -> Outcome {
    let mounts = |sharing: &str| {
        let mount = |target: &str| {
            format!("--mount=type=cache,id=collision-{sharing},target={target},sharing={sharing}")
        };
        format!("{} {}", mount("/a"), mount("/c"))
    };
    for sharing in ["locked", "shared"] {
        let job = running(&mounts(sharing), "probe put /a/one /c/two && probe list /c");
        record.equal(
            &format!("`{sharing}`: /c has"),
            &found(engine, &job)?,
            "one two",
        )?;
    }
    let apart = running(
        &mounts("locked"),
        "probe put /a/one /c/two && probe list /c",
    )
    .fixed_unsafely()?;
    record.equal(
        "`locked`, fixed: /c has",
        &found(engine, &apart.arg("CACHE_ID", "py310"))?,
        "two",
    )
}
