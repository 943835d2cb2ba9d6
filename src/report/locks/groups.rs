//! The locks of a map that one row, or one box of a picture, stands for.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::lint::matching::{Follows, LockMap, MappedBuild, MappedLock, TakingRun};

use super::words::{build, consequence, cut, name, run};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// Locks that the same builds take, with the same end.
pub(crate) struct Group<'m> {
    /// One at least.
    pub(crate) locks: Vec<&'m MappedLock>,
    /// Their indices in the map.
    pub(super) indices: Vec<usize>,
}

impl<'m> Group<'m> {
    pub(super) fn new(index: usize, lock: &'m MappedLock) -> Self {
        Self {
            locks: vec![lock],
            indices: vec![index],
        }
    }

    /// Returns the first of them, whose builds and end are those of all.
    pub(super) fn lock(&self) -> &'m MappedLock {
        self.locks[0]
    }

    /// Returns what happens to its builds.
    pub(super) fn consequence(&self) -> String {
        let said = consequence(self.lock());
        let is_cut = said.ends_with(", …") || self.locks.len() == 1;
        if is_cut || self.lock().follows != Follows::OwnLanes {
            return said;
        }
        // The lanes of the others have other names.
        said + ", …"
    }

    /// Returns the RUNs that take any of them, in order.
    pub(super) fn runs(&self) -> BTreeSet<&'m TakingRun> {
        self.locks.iter().flat_map(|lock| &lock.runs).collect()
    }
}

/// Returns the groups of the map, in the order of the first lock of each. A lock of a circle stands alone.
pub(crate) fn groups(map: &LockMap) -> Vec<Group<'_>> {
    let in_circle: HashSet<usize> = map.circles.iter().flatten().copied().collect();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: HashMap<_, usize> = HashMap::new();
    for (index, lock) in map.locks.iter().enumerate() {
        // Of locks that nobody is known to build, the files say who belongs together.
        let files: BTreeSet<&String> = match lock.follows {
            Follows::NoBuild => lock.runs.iter().map(|run| &run.path).collect(),
            _ => BTreeSet::new(),
        };
        // The lanes of each have its id.
        let end = match lock.follows {
            Follows::OwnLanes => String::new(),
            _ => consequence(lock),
        };
        let builds: Vec<_> = lock.builds.iter().map(ends).collect();
        let key = (lock.follows, end, builds, files);
        match known.get(&key) {
            Some(group) if !in_circle.contains(&index) => {
                groups[*group].locks.push(lock);
                groups[*group].indices.push(index);
            }
            _ => {
                if !in_circle.contains(&index) {
                    known.insert(key, groups.len());
                }
                groups.push(Group::new(index, lock));
            }
        }
    }
    groups
}

/// Returns the cells of the row of some locks, line by line, with at most `most` ids, places and builds.
pub fn cells(group: &Group<'_>, most: usize) -> [Vec<String>; 4] {
    let builds = group.lock().builds.iter();
    let mut builds: Vec<String> = builds.map(|one| build(one, most == usize::MAX)).collect();
    // One command may be two builds.
    builds.dedup();
    if builds.is_empty() {
        builds.push("-".to_owned());
    }
    let runs = group.runs();
    [
        cut(group.locks.iter().map(|lock| name(lock)), most),
        cut(runs.iter().map(|one| run(one)), most),
        cut(builds.into_iter(), most),
        vec![group.consequence()],
    ]
}

/// Returns what an arrow from a build is made of.
fn ends(build: &MappedBuild) -> (&str, usize, &str, &Option<String>, Arrow) {
    let (path, name) = (build.path.as_str(), build.name.as_str());
    (path, build.line, name, &build.job, arrow(build))
}

pub(super) fn arrow(build: &MappedBuild) -> Arrow {
    if build.runs.iter().any(|run| run.waits) {
        Arrow::Waits
    } else if build.runs.iter().all(|run| run.builder.is_some()) {
        Arrow::Alone
    } else {
        Arrow::Takes
    }
}
