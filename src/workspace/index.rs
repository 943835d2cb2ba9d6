//! Locks across the files of a run: who takes which.

use std::collections::HashMap;

use crate::finding::LockKey;
use crate::text::{Range, Span};

/// A RUN that takes a lock.
#[derive(Clone, Debug)]
pub struct Site {
    /// The lock.
    pub lock: LockKey,
    /// The RUN, by its index in the file.
    pub instruction: usize,
    /// Where the id stands, in bytes.
    pub span: Span,
    /// The same for people.
    pub range: Range,
}

/// All RUNs of a run that take a lock, grouped by lock. Linear in their number.
#[derive(Debug, Default)]
pub struct Index<'s> {
    locks: HashMap<&'s LockKey, Group<'s>>,
}

/// The RUNs that take one lock.
#[derive(Debug)]
pub struct Group<'s> {
    /// How many RUNs there are.
    pub runs: usize,
    /// In how many files.
    pub files: usize,
    /// The first RUN and its file, by index.
    first: (usize, &'s Site),
    /// The first RUN that is another one.
    second: Option<(usize, &'s Site)>,
    last: (usize, usize),
}

impl<'s> Index<'s> {
    /// The index of `files`, each given by the sites in it, in order.
    pub fn new(files: impl Iterator<Item = &'s [Site]>) -> Self {
        let mut index = Self::default();
        for (file, sites) in files.enumerate() {
            for site in sites {
                let here = (file, site.instruction);
                let fresh = Group { runs: 0, files: 0, first: (file, site), second: None, last: (usize::MAX, 0) };
                let group = index.locks.entry(&site.lock).or_insert(fresh);
                if group.last == here {
                    // One RUN may take a lock twice: at two targets.
                    continue;
                }
                group.runs += 1;
                group.files += usize::from(group.last.0 != file);
                group.last = here;
                if group.runs == 2 {
                    group.second = Some((file, site));
                }
            }
        }
        index
    }

    /// The RUNs that take `lock`, if any.
    #[must_use]
    pub fn get(&self, lock: &LockKey) -> Option<&Group<'s>> {
        self.locks.get(lock)
    }
}

impl<'s> Group<'s> {
    /// A RUN other than the one at `span` of file `file` that takes the lock, with its file.
    #[must_use]
    pub fn other_than(&self, file: usize, span: Span) -> Option<(usize, &'s Site)> {
        let is_first = self.first.0 == file && self.first.1.span == span;
        if is_first { self.second } else { Some(self.first) }
    }
}
