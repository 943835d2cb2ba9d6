//! Who waits for whom.

use std::thread::sleep;
use std::time::Duration;

use crate::Outcome;
use crate::build::{Built, Job};
use crate::engine::{Engine, Version};

use super::Record;
use super::timing::{self, Relation};

/// A job whose RUN takes three seconds with `mount`.
fn holding(mount: &str) -> Job {
    Job::new(&format!(
        "FROM base\nARG FRESH\nRUN --mount=type=cache,{mount} probe hold 3\n"
    ))
}

/// Two jobs that differ in a build argument.
fn two(job: &Job, argument: &str) -> [Job; 2] {
    ["py310", "py313"].map(|value| job.clone().arg(argument, value))
}

/// What a lane comes to: nothing on Docker 20.10, whose frontend takes the id as it stands.
pub fn with_lanes(engine: &Engine) -> Relation {
    if engine.version == Version::D20 {
        Relation::Wait
    } else {
        Relation::Together
    }
}

pub fn locked_id(engine: &Engine, record: &mut Record) -> Outcome {
    let shared = holding("id=apt,target=/var/cache/apt,sharing=locked");
    let laned = shared.clone().fixed()?.containing("id=apt-${CACHE_ID},")?;
    timing::pair(
        engine,
        record,
        "as written",
        &two(&shared, "CACHE_ID"),
        Relation::Wait,
    )?;
    timing::pair(
        engine,
        record,
        "fixed, a lane each",
        &two(&laned, "CACHE_ID"),
        with_lanes(engine),
    )?;
    let one_lane = [
        laned.clone().arg("CACHE_ID", "one"),
        laned.clone().arg("CACHE_ID", "one"),
    ];
    timing::pair(
        engine,
        record,
        "fixed, both in one lane",
        &one_lane,
        Relation::Wait,
    )?;
    let expanded = engine
        .build(&laned.arg("CACHE_ID", "py310").fresh())?
        .log
        .contains("id=apt-py310,");
    record.note(format!(
        "the log shows the id {}",
        if expanded { "expanded" } else { "as written" }
    ));
    Ok(())
}

pub fn keep_default(engine: &Engine, record: &mut Record) -> Outcome {
    let kept = holding("id=keep-lock,target=/c,sharing=locked").keeping_ids()?;
    let kept = kept.containing("id=keep-lock${CACHE_ID:+-${CACHE_ID}},")?;
    timing::pair(
        engine,
        record,
        "a lane each",
        &two(&kept, "CACHE_ID"),
        Relation::Together,
    )?;
    let one_passes = [kept.clone(), kept.clone().arg("CACHE_ID", "py310")];
    timing::pair(
        engine,
        record,
        "one passes nothing",
        &one_passes,
        Relation::Together,
    )?;
    timing::pair(
        engine,
        record,
        "both pass nothing",
        &[kept.clone(), kept],
        Relation::Wait,
    )
}

pub fn locked_target(engine: &Engine, record: &mut Record) -> Outcome {
    let shared = holding("target=/var/lib/apt,sharing=locked");
    let laned = shared
        .clone()
        .fixed()?
        .containing("id=/var/lib/apt-${CACHE_ID},")?;
    timing::pair(
        engine,
        record,
        "as written",
        &two(&shared, "CACHE_ID"),
        Relation::Wait,
    )?;
    timing::pair(
        engine,
        record,
        "fixed, a lane each",
        &two(&laned, "CACHE_ID"),
        with_lanes(engine),
    )
}

pub fn namespace(engine: &Engine, record: &mut Record) -> Outcome {
    let shared = holding("id=namespaced,target=/c,sharing=locked");
    timing::pair(
        engine,
        record,
        "a namespace each",
        &two(&shared, "BUILDKIT_CACHE_MOUNT_NS"),
        Relation::Together,
    )
}

pub fn run_lane(engine: &Engine, record: &mut Record) -> Outcome {
    let laned = holding("id=passed,target=/c,sharing=locked")
        .fixed()?
        .containing("id=passed-${CACHE_ID},")?;
    let jobs = ["py310", "py313"].map(|job| laned.clone().by_cachelane(job, &[]));
    timing::pair(
        engine,
        record,
        "`cachelane run -- docker build`, a job each",
        &jobs,
        Relation::Together,
    )?;
    record.equal(
        "real ids",
        &engine.ids("passed")?.join(" "),
        "passed-py310 passed-py313",
    )?;
    let one = ["py310", "py313"].map(|job| laned.clone().by_cachelane(job, &["--lane", "one"]));
    timing::pair(
        engine,
        record,
        "both with `--lane one`",
        &one,
        Relation::Wait,
    )
}

pub fn run_namespace(engine: &Engine, record: &mut Record) -> Outcome {
    let shared = holding("id=spaced,target=/c,sharing=locked");
    let jobs =
        ["py310", "py313"].map(|job| shared.clone().by_cachelane(job, &["--via", "namespace"]));
    timing::pair(
        engine,
        record,
        "`cachelane run --via namespace`, a job each",
        &jobs,
        Relation::Together,
    )
}

pub fn stages(engine: &Engine, record: &mut Record) -> Outcome {
    let stage = |name: &str, id: &str| {
        let mount = format!("--mount=type=cache,id={id},target=/c,sharing=locked");
        format!("FROM base AS {name}\nARG FRESH\nRUN {mount} probe hold 3 && probe put /{name}\n")
    };
    let one = Job::new(&stage("a", "stages-alone"));
    let both = |second: &str| {
        let stages = stage("a", "stages") + &stage("b", second);
        Job::new(&format!(
            "{stages}FROM base\nCOPY --from=a /a /\nCOPY --from=b /b /\n"
        ))
    };
    let laned = both("stages")
        .fixed()?
        .containing("id=stages-${CACHE_ID},")?
        .arg("CACHE_ID", "py310");
    timing::stages(
        engine,
        record,
        "one id",
        &both("stages"),
        &one,
        Relation::Wait,
    )?;
    timing::stages(
        engine,
        record,
        "one id, fixed",
        &laned,
        &one,
        Relation::Wait,
    )?;
    timing::stages(
        engine,
        record,
        "two ids",
        &both("stages-b"),
        &one,
        Relation::Together,
    )
}

pub fn split_cache(engine: &Engine, record: &mut Record) -> Outcome {
    let jobs = [
        holding("id=split,target=/c,sharing=locked"),
        holding("id=split,target=/c,sharing=locked,uid=1000").arg("CACHE_ID", "other"),
    ];
    timing::pair(
        engine,
        record,
        "one of two jobs with `uid=1000`",
        &jobs,
        Relation::Together,
    )?;
    let file = |option: &str, run: &str| {
        let mount = format!("--mount=type=cache,id=split,target=/c,sharing=locked{option}");
        Job::new(&format!("FROM base\nARG FRESH\nRUN {mount} {run}\n")).fresh()
    };
    engine.build(&file("", "probe put /c/of-root"))?;
    record.equal(
        "files that root sees",
        &engine.build(&file("", "probe list /c"))?.listed("/c"),
        "of-root",
    )?;
    record.equal(
        "files with `uid=1000`",
        &engine
            .build(&file(",uid=1000", "probe list /c"))?
            .listed("/c"),
        "",
    )?;
    if engine.version == Version::D26 {
        record.equal("real ids", &engine.ids("split")?.join(" "), "split split")?;
    }
    Ok(())
}

/// How often a deadlock is tried for: which build gets the lock that both wait for is chance, about one half.
const ROUNDS: u64 = 12;
/// When a build that waits for ever is cancelled.
const BOUND: u64 = 30;

/// A RUN that takes the lock `first`, then the lock `second`: the order is that of the targets.
fn ordered(first: &str, second: &str) -> Job {
    let mount = |id: &str, target: &str| {
        format!("--mount=type=cache,id={id},target={target},sharing=locked")
    };
    // Written the other way round, to show that this is not what counts.
    let mounts = format!("{} {}", mount(second, "/2"), mount(first, "/1"));
    Job::new(&format!(
        "FROM base\nARG FRESH\nRUN {mounts} probe hold 1\n"
    ))
}

/// One round: while a third build holds the lock that the second job takes first, both start.
fn round(engine: &Engine, holder: &Job, jobs: [&Job; 2], number: u64) -> Outcome<Vec<Built>> {
    let mut holder = engine.start_build(&holder.clone().fresh())?;
    holder.until("@start")?;
    let mut running = Vec::new();
    for job in jobs {
        running.push(engine.start_build(&job.clone().fresh().within(BOUND))?);
        // The first job has its first lock before the second starts. They ask every 100 ms: each round, at other times.
        sleep(Duration::from_millis(700 + number * 37 % 100));
    }
    holder.wait()?.succeeded()?;
    running
        .into_iter()
        .map(crate::build::Running::wait)
        .collect()
}

pub fn lock_order(engine: &Engine, record: &mut Record) -> Outcome {
    let holder = holding("id=lock-b,target=/c,sharing=locked");
    let jobs = [ordered("lock-a", "lock-b"), ordered("lock-b", "lock-a")];
    let mut rounds = 1;
    while !round(engine, &holder, [&jobs[0], &jobs[1]], rounds)?
        .iter()
        .all(Built::cancelled)
    {
        rounds += 1;
        if rounds > ROUNDS {
            return Err(format!("no deadlock in {ROUNDS} rounds"));
        }
    }
    record.note(format!("opposite order: both hung until they were cancelled after {BOUND} s (round {rounds}; which build is first is chance)"));
    for job in &jobs {
        engine.build(&job.clone().fresh().within(BOUND))?;
    }
    record.note("after that, the locks are free again");
    let agree = [&jobs[0], &ordered("lock-a", "lock-b")];
    let slowest = ends(&round(engine, &holder, agree, 0)?)?;
    record.note(format!("the same order: both ended, within {slowest:.1} s"));
    if engine.version == Version::D26 {
        let lane =
            |job: &Job, lane: &str| Ok::<_, String>(job.clone().fixed()?.arg("CACHE_ID", lane));
        let lanes = [lane(&jobs[0], "py310")?, lane(&jobs[1], "py313")?];
        let holder = lane(&holder, "py311")?;
        for number in 0..2 {
            ends(&round(engine, &holder, [&lanes[0], &lanes[1]], number)?)?;
        }
        record.note("opposite order, fixed, a lane each: both ended, twice");
    }
    Ok(())
}

fn ends(built: &[Built]) -> Outcome<f64> {
    if built.iter().any(Built::cancelled) {
        return Err("a build hung".into());
    }
    Ok(built.iter().map(|build| build.seconds).fold(0.0, f64::max))
}
