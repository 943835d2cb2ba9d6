//! The map as boxes and arrows, for the formats that draw.

use std::collections::{BTreeSet, HashMap};

use crate::lint::matching::{Follows, LockMap, MappedBuild};
use crate::text::{count, printable};

use super::groups::{Arrow, Group, arrow, groups};
use super::words::{cut, legs, name, run};

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
            let lock = group.lock();
            let kind = if lock.follows == Follows::Wait {
                Kind::Contended
            } else {
                Kind::Lock
            };
            let here = picture.shape(kind, &of_locks(group));
            boxes.extend(group.indices.iter().map(|lock| (*lock, here)));
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
        let hidden: usize = groups
            .iter()
            .skip(MAX_LOCKS)
            .map(|group| group.locks.len())
            .sum();
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

/// Returns the lines of the box of locks.
fn of_locks(group: &Group<'_>) -> Vec<String> {
    if let [_] = group.locks.as_slice() {
        let mut lines = vec![name(group.lock()), group.consequence()];
        lines.extend(cut(group.runs().iter().map(|one| run(one)), MAX_PLACES));
        return lines;
    }
    let mut lines = cut(group.locks.iter().map(|lock| name(lock)), MAX_PLACES);
    let locks = count(group.locks.len(), "lock");
    lines.push(format!("{locks}: {}", group.consequence()));
    if group.lock().builds.is_empty() {
        let files: BTreeSet<&String> = group.runs().iter().map(|run| &run.path).collect();
        lines.extend(cut(files.into_iter().cloned(), MAX_PLACES));
    }
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
