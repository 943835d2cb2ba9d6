//! Whether builds wait for each other.

use std::time::Instant;

use crate::Outcome;
use crate::build::{Built, Job};
use crate::engine::Engine;

use super::Record;

/// The least ratio, of the time of several builds to that of one, for each of them when they wait.
const WAITS: f64 = 0.8;
/// The largest ratio when none does: what is more than 1 is what starting further builds costs on a busy machine.
const TOGETHER: f64 = 1.35;
/// How often a ratio is measured that misses its bound.
const TRIES: usize = 3;

/// How jobs relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Each waits for the one before.
    Wait,
    /// They run at once.
    Together,
    /// Only some of them run at once.
    Partly,
}

/// Builds `jobs` at once, and one of them alone, and keeps the ratio of the times.
///
/// # Errors
/// If the jobs do not relate as `expected`. A machine that is slow to start builds may have another try; but jobs that run
/// at once never had a lock in common.
pub fn pair(
    engine: &Engine,
    record: &mut Record,
    what: &str,
    jobs: &[Job],
    expected: Relation,
) -> Outcome {
    let mut found = (Relation::Wait, 0.0);
    for _ in 0..TRIES {
        found = once(engine, jobs)?;
        if found.0 == expected && holds(found.1, expected, jobs.len()) {
            break;
        }
        if expected == Relation::Wait && found.0 != Relation::Wait {
            break;
        }
    }
    let (relation, ratio) = found;
    record.note(format!(
        "{what}: {ratio:.2} × the time of one, {}",
        words(relation, jobs.len())
    ));
    if relation == expected && holds(ratio, expected, jobs.len()) {
        Ok(())
    } else {
        Err(format!("{what}: {expected:?} expected"))
    }
}

/// How the jobs' RUNs lie by the clock inside them, and the ratio of the times.
fn once(engine: &Engine, jobs: &[Job]) -> Outcome<(Relation, f64)> {
    let alone = engine.build(&jobs[0].clone().fresh())?.seconds;
    let started = Instant::now();
    let running: Vec<_> = jobs
        .iter()
        .map(|job| engine.start_build(&job.clone().fresh()))
        .collect::<Outcome<_>>()?;
    let built: Vec<Built> = running
        .into_iter()
        .map(|build| build.wait()?.succeeded())
        .collect::<Outcome<_>>()?;
    Ok((overlap(&built)?, started.elapsed().as_secs_f64() / alone))
}

/// How the RUNs of one build's stages relate: by its own time to that of a build with one of them.
///
/// # Errors
/// If that is not as `expected`.
pub fn stages(
    engine: &Engine,
    record: &mut Record,
    what: &str,
    both: &Job,
    one: &Job,
    expected: Relation,
) -> Outcome {
    let mut ratio = 0.0;
    for _ in 0..TRIES {
        let alone = engine.build(&one.clone().fresh())?.seconds;
        ratio = engine.build(&both.clone().fresh())?.seconds / alone;
        if holds(ratio, expected, 2) {
            break;
        }
    }
    record.note(format!(
        "{what}: {ratio:.2} × the time of one stage, {}",
        words(expected, 2)
    ));
    if holds(ratio, expected, 2) {
        Ok(())
    } else {
        Err(format!("{what}: {expected:?} expected"))
    }
}

fn holds(ratio: f64, expected: Relation, jobs: usize) -> bool {
    let least = (0..jobs).map(|_| WAITS).sum();
    match expected {
        Relation::Wait => ratio >= least,
        Relation::Together => ratio <= TOGETHER,
        Relation::Partly => false,
    }
}

const fn words(relation: Relation, jobs: usize) -> &'static str {
    match (relation, jobs) {
        (Relation::Wait, 2) => "one waits",
        (Relation::Wait, _) => "each waits for the one before",
        (Relation::Together, 2) => "both run at once",
        (Relation::Together, _) => "all run at once",
        (Relation::Partly, _) => "some run at once",
    }
}

fn overlap(built: &[Built]) -> Outcome<Relation> {
    let mut windows: Vec<(f64, f64)> = built.iter().map(Built::window).collect::<Outcome<_>>()?;
    windows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let latest_start = windows
        .iter()
        .map(|window| window.0)
        .fold(f64::MIN, f64::max);
    let earliest_end = windows
        .iter()
        .map(|window| window.1)
        .fold(f64::MAX, f64::min);
    Ok(if latest_start < earliest_end {
        Relation::Together
    } else if windows.windows(2).all(|two| two[0].1 <= two[1].0) {
        Relation::Wait
    } else {
        Relation::Partly
    })
}
