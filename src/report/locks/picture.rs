//! The map as boxes and arrows, for the formats that draw.

use std::collections::HashMap;

use crate::lint::matching::{Follows, LockMap, MappedBuild};
use crate::text::printable;

use super::words::{consequence, cut, legs, name, run};

/// Limits the locks of a picture, and the builds of each: more is counted.
const MAX_LOCKS: usize = 12;
const MAX_BUILDS: usize = 8;

/// Limits the places in a lock's box.
const MAX_PLACES: usize = 3;

/// Limits a line of a box, in characters.
const MAX_LINE: usize = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Build,
    /// A lock that builds wait for.
    Contended,
    /// One that they do not, as far as is known.
    Lock,
    /// What stands for all that does not fit.
    More,
}

/// A box, by its number in the list.
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// Printable, line by line.
    pub(super) lines: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrow {
    /// A build takes a lock, and waits for others.
    Waits,
    /// It takes it.
    Takes,
    /// It takes one that nobody else has, on a builder of its own.
    Alone,
    /// A RUN takes the next lock while it has this one: a part of a circle.
    Circle,
}

pub(super) struct Picture {
    pub(super) shapes: Vec<Shape>,
    /// The boxes that an arrow joins, by their numbers.
    pub(super) arrows: Vec<(usize, usize, Arrow)>,
}

impl Picture {
    pub(super) fn of(map: &LockMap) -> Self {
        let mut picture = Self {
            shapes: Vec::new(),
            arrows: Vec::new(),
        };
        // A build that takes several locks is one box.
        let mut builds: HashMap<(&str, usize, &str, Option<&str>), usize> = HashMap::new();
        for lock in map.locks.iter().take(MAX_LOCKS) {
            let mut lines = vec![name(lock), consequence(lock)];
            lines.extend(cut(lock.runs.iter().map(run), MAX_PLACES));
            let kind = if lock.follows == Follows::Wait {
                Kind::Contended
            } else {
                Kind::Lock
            };
            let here = picture.shape(kind, &lines);
            for build in lock.builds.iter().take(MAX_BUILDS) {
                let key = (
                    build.path.as_str(),
                    build.line,
                    build.name.as_str(),
                    build.job.as_deref(),
                );
                let at = *builds
                    .entry(key)
                    .or_insert_with(|| picture.shape(Kind::Build, &of_build(build)));
                picture.arrows.push((at, here, arrow(build)));
                picture.arrows.dedup();
            }
            if lock.builds.len() > MAX_BUILDS {
                let more = format!("… and {} more builds", lock.builds.len() - MAX_BUILDS);
                let more = picture.shape(Kind::More, &[more]);
                picture.arrows.push((more, here, Arrow::Takes));
            }
        }
        let shown: Vec<usize> = (0..picture.shapes.len())
            .filter(|at| matches!(picture.shapes[*at].kind, Kind::Contended | Kind::Lock))
            .collect();
        for circle in &map.circles {
            let next = circle.iter().cycle().skip(1);
            for (from, to) in circle.iter().zip(next) {
                if let (Some(from), Some(to)) = (shown.get(*from), shown.get(*to)) {
                    picture.arrows.push((*from, *to, Arrow::Circle));
                }
            }
        }
        if map.locks.len() > MAX_LOCKS {
            let more = format!("… and {} more locks", map.locks.len() - MAX_LOCKS);
            picture.shape(Kind::More, &[more]);
        }
        picture
    }

    /// Adds a box; returns its number.
    fn shape(&mut self, kind: Kind, lines: &[String]) -> usize {
        let lines = lines.iter().map(|line| clipped(&printable(line)));
        self.shapes.push(Shape {
            kind,
            lines: lines.collect(),
        });
        self.shapes.len() - 1
    }
}

fn of_build(build: &MappedBuild) -> Vec<String> {
    let mut lines = vec![
        build.job.as_ref().unwrap_or(&build.name).clone(),
        format!("{}:{}", build.path, build.line),
    ];
    lines.extend(legs(&build.runs, false));
    lines
}

fn arrow(build: &MappedBuild) -> Arrow {
    if build.runs.iter().any(|run| run.waits) {
        Arrow::Waits
    } else if build.runs.iter().all(|run| run.builder.is_some()) {
        Arrow::Alone
    } else {
        Arrow::Takes
    }
}

/// Returns a line without its middle where it is too long: ends of paths and ids say most.
fn clipped(line: &str) -> String {
    let all: Vec<char> = line.chars().collect();
    if all.len() <= MAX_LINE {
        return line.to_owned();
    }
    let half = MAX_LINE / 2;
    let (start, end) = (&all[..half], &all[all.len() - half..]);
    start.iter().chain(&['…']).chain(end).collect()
}
