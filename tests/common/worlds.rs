//! Every Dockerfile of a few lines out of twenty awkward ones.
//!
//! Files have up to two lines, the shortest with three kinds of line ends, and one line more for each ten times as much
//! effort: `CACHELANE_EFFORT=1000` goes up to five, 3,369,263 files, for which `--release` is advisable.

use std::time::Instant;

use crate::effort;

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

/// The most lines of a file that is tried with other line ends as well.
const ALL_ENDS: u32 = 2;

/// Worlds in one piece of work.
pub const AT_ONCE: usize = 400;

/// Returns the most lines of a file.
pub fn longest() -> u32 {
    2 + effort::effort().ilog10()
}

/// Returns the number of worlds with `lines` lines.
pub fn count(lines: u32) -> usize {
    LINES.len().pow(lines)
}

/// Returns the lines of the world `number`, the last one first in the number.
fn world(mut number: usize, lines: u32) -> Vec<&'static str> {
    let mut world = Vec::new();
    for _ in 0..lines {
        world.push(LINES[number % LINES.len()]);
        number /= LINES.len();
    }
    world.reverse();
    world
}

/// Returns the files of the worlds `first..`, at most [`AT_ONCE`] worlds.
pub fn files(first: usize, lines: u32) -> Vec<Vec<u8>> {
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

/// Prints the progress of a long run now and then.
#[allow(
    clippy::print_stderr,
    reason = "a run of half an hour should show that it lives"
)]
pub fn progress(what: &str, lines: u32, done: usize, start: Instant) {
    if lines > 3 && done.is_multiple_of(AT_ONCE * 100) {
        eprintln!(
            "{what}: {done} of {} worlds of {lines} lines, {:.0?}",
            count(lines),
            start.elapsed()
        );
    }
}
