//! Every Dockerfile of a few lines that can be made of twenty awkward ones: both readers read it alike, and what must
//! hold for a fix holds.
//!
//! By default up to three lines, the shortest with three kinds of line ends. `CACHELANE_WORLDS=5` goes up to five:
//! 3,369,263 files, which takes a while and should be built with `--release`.

#[path = "parity/compare.rs"]
mod compare;
mod invariants;
#[path = "parity/newer.rs"]
mod newer;
#[path = "parity/oracle.rs"]
mod oracle;
#[path = "parity/reading.rs"]
mod reading;
#[path = "parity/shrink.rs"]
mod shrink;

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use bstr::BStr;
use cachelane::rules::Settings;

/// Lines that get in each other's way.
const LINES: [&str; 20] = [
    "",
    "# c",
    "\\",
    "FROM a AS a",
    "ARG CACHE_ID",
    "ARG CACHE_ID=default",
    "ENV CACHE_ID=1",
    "RUN --mount=type=cache,target=/x,sharing=locked true",
    "RUN --mount=type=cache,id=a,target=/x,sharing=locked \\",
    "RUN --mount=type=cache,id=a-${CACHE_ID},target=/x,sharing=locked true",
    "  --mount=type=cache,id={{ x }},target=/y,sharing=locked \\",
    "run --mount=type=cache,\\",
    "target=/z,sharing=locked true",
    "RUN --mount=\"type=cache,target=/q,sharing=locked\" true `",
    "RUN cat <<EOF",
    "EOF",
    "{% if x %}",
    "{% endif %}",
    "# syntax=docker/dockerfile:1",
    "# escape=`",
];

/// How many lines a file has at most, where nobody says otherwise.
const LONGEST: u32 = 3;

/// Up to how many lines each file is tried with other line ends as well.
const ALL_ENDS: u32 = 2;

/// How many files make one piece of work.
const AT_ONCE: usize = 400;

/// How many files that break something are shown.
const SHOWN: usize = 5;

fn longest() -> u32 {
    std::env::var("CACHELANE_WORLDS").map_or(LONGEST, |number| {
        number.parse().expect("CACHELANE_WORLDS is a number")
    })
}

/// The worlds of `lines` lines.
fn count(lines: u32) -> usize {
    LINES.len().pow(lines)
}

/// The lines of the world `number`, the last one first in the number.
fn world(mut number: usize, lines: u32) -> Vec<&'static str> {
    let mut world = Vec::new();
    for _ in 0..lines {
        world.push(LINES[number % LINES.len()]);
        number /= LINES.len();
    }
    world.reverse();
    world
}

/// The files of the worlds `first..`, at most [`AT_ONCE`] worlds.
fn files(first: usize, lines: u32) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for number in first..count(lines).min(first + AT_ONCE) {
        let world = world(number, lines);
        files.push((world.join("\n") + "\n").into_bytes());
        if lines <= ALL_ENDS {
            files.push(world.join("\n").into_bytes());
            files.push((world.join("\r\n") + "\r\n").into_bytes());
        }
    }
    files
}

/// Says now and then how far a long run is.
#[allow(
    clippy::print_stderr,
    reason = "a run of half an hour should show that it lives"
)]
fn progress(what: &str, lines: u32, done: usize, start: Instant) {
    if lines > LONGEST && done.is_multiple_of(AT_ONCE * 100) {
        eprintln!(
            "{what}: {done} of {} worlds of {lines} lines, {:.0?}",
            count(lines),
            start.elapsed()
        );
    }
}

#[test]
fn both_readers_read_every_small_world_alike() {
    let start = Instant::now();
    let mut tally = compare::Tally::default();
    for lines in 0..=longest() {
        for first in (0..count(lines)).step_by(AT_ONCE) {
            progress("readers", lines, first, start);
            let files = files(first, lines);
            oracle::Oracle::lock().prepare(&files);
            for file in &files {
                tally.add("a small world", file);
            }
        }
    }
    println!("{}{:.0?}", tally.finish("small worlds"), start.elapsed());
    assert!(
        tally.same > tally.refused,
        "most small worlds are Dockerfiles"
    );
    assert!(
        tally.excuses() * 10 < tally.same,
        "{} of {} differ where they may",
        tally.excuses(),
        tally.same
    );
}

#[test]
fn every_small_world_is_fixed_as_it_should_be() {
    let start = Instant::now();
    let broken: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let tried = AtomicUsize::new(0);
    let settings = Settings::default();
    let try_one = |file: &[u8]| {
        panic::catch_unwind(AssertUnwindSafe(|| {
            invariants::safe_fix(file, &settings);
            invariants::all_fixes(file, &settings);
        }))
    };
    for lines in 0..=longest() {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let first = next.fetch_add(AT_ONCE, Ordering::Relaxed);
                if first >= count(lines) || broken.lock().unwrap().len() >= SHOWN {
                    break;
                }
                progress("fixes", lines, first, start);
                for file in files(first, lines) {
                    tried.fetch_add(1, Ordering::Relaxed);
                    if try_one(&file).is_err() {
                        let small = shrink::shrink(&file, |part| try_one(part).is_err());
                        broken
                            .lock()
                            .unwrap()
                            .push(format!("{:?}", BStr::new(&small)));
                    }
                }
            }
        };
        thread::scope(|scope| {
            let threads = thread::available_parallelism().map_or(1, usize::from);
            (0..threads).for_each(|_| drop(scope.spawn(work)));
        });
    }
    let broken = broken.into_inner().unwrap();
    assert!(
        broken.is_empty(),
        "something does not hold for\n{}",
        broken.join("\n")
    );
    println!(
        "small worlds: {tried:?} fixed as they should be, {:.0?}",
        start.elapsed()
    );
}

/// Found among the worlds of five lines: a template's line is none of the RUN that it stands in, so a heredoc below it
/// begins for us alone.
#[test]
fn a_heredoc_below_a_template_line_within_a_run_begins_for_one_reader_only() {
    for file in ["RUN\\\n{%if%}\n <<E", "run \\\n{%if%}\n<<O"] {
        assert!(
            matches!(compare::compare(file.as_bytes()), compare::Outcome::Same(_)),
            "{file}"
        );
    }
}
