//! The map as boxes and arrows, for the formats that draw.

use std::collections::{HashMap, HashSet};

use crate::lint::matching::{Follows, LockMap, MappedBuild};
use crate::text::{count, printable};

use super::words::{consequence, cut, legs, name, run};

/// Limits the boxes of locks of a picture, and the builds of each: more is counted.
const MAX_LOCKS: usize = 12;
const MAX_BUILDS: usize = 8;

/// Limits the places in a lock's box, and the locks in one of several.
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
    /// A stand-in for all that does not fit.
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
        // A build that takes several locks is one box, and so are locks that the same builds take.
        let mut builds: HashMap<(&str, usize, &str, Option<&str>), usize> = HashMap::new();
        let mut boxes: HashMap<usize, usize> = HashMap::new();
        let groups = groups(map);
        for group in groups.iter().take(MAX_LOCKS) {
            let lock = &map.locks[group[0]];
            let kind = if lock.follows == Follows::Wait {
                Kind::Contended
            } else {
                Kind::Lock
            };
            let here = picture.shape(kind, &of_locks(map, group));
            boxes.extend(group.iter().map(|lock| (*lock, here)));
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
            }
            if lock.builds.len() > MAX_BUILDS {
                let more = count(lock.builds.len() - MAX_BUILDS, "more build");
                let more = picture.shape(Kind::More, &[format!("… and {more}")]);
                let rest = lock.builds.iter().skip(MAX_BUILDS).map(arrow);
                let waits = rest.into_iter().find(|arrow| *arrow == Arrow::Waits);
                let arrow = waits.unwrap_or(Arrow::Takes);
                picture.arrows.push((more, here, arrow));
            }
        }
        for circle in &map.circles {
            let next = circle.iter().cycle().skip(1);
            for (from, to) in circle.iter().zip(next) {
                if let (Some(from), Some(to)) = (boxes.get(from), boxes.get(to)) {
                    picture.arrows.push((*from, *to, Arrow::Circle));
                }
            }
        }
        let hidden: usize = groups.iter().skip(MAX_LOCKS).map(Vec::len).sum();
        if hidden > 0 {
            let more = count(hidden, "more lock");
            picture.shape(Kind::More, &[format!("… and {more}")]);
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

/// Returns the locks, by their indices, that one box can stand for: the same builds take them, with the same end, and none
/// is a part of a circle.
fn groups(map: &LockMap) -> Vec<Vec<usize>> {
    let in_circle: HashSet<usize> = map.circles.iter().flatten().copied().collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, lock) in map.locks.iter().enumerate() {
        let is_same = |group: &&mut Vec<usize>| {
            let other = &map.locks[group[0]];
            let is_free = !in_circle.contains(&index) && !in_circle.contains(&group[0]);
            is_free
                && !lock.builds.is_empty()
                && consequence(lock) == consequence(other)
                && lock
                    .builds
                    .iter()
                    .map(ends)
                    .eq(other.builds.iter().map(ends))
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// Returns what an arrow from a build is made of.
fn ends(build: &MappedBuild) -> (&str, usize, &str, &Option<String>, Arrow) {
    let (path, name) = (build.path.as_str(), build.name.as_str());
    (path, build.line, name, &build.job, arrow(build))
}

/// Returns the lines of the box of locks.
fn of_locks(map: &LockMap, group: &[usize]) -> Vec<String> {
    let lock = &map.locks[group[0]];
    if let [_] = group {
        let mut lines = vec![name(lock), consequence(lock)];
        lines.extend(cut(lock.runs.iter().map(run), MAX_PLACES));
        return lines;
    }
    let names = group.iter().map(|lock| name(&map.locks[*lock]));
    let mut lines = cut(names, MAX_PLACES);
    lines.push(format!(
        "{}: {}",
        count(group.len(), "lock"),
        consequence(lock)
    ));
    lines
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
