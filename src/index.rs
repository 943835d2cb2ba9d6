//! Caches across the files of a run: which RUNs use which id, and how.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::finding::{Finding, LockKey};
use crate::text::Span;

/// A cache mount of a run's files.
#[derive(Clone, Debug)]
pub struct Site {
    /// The id, and what the cache is based on.
    pub key: Arc<LockKey>,
    /// The sharing mode as it is written, `shared` where none is; `None` where nobody can know.
    pub sharing: Option<&'static str>,
    /// The cleaned target; `None` where it holds a variable, or is taken from the WORKDIR.
    pub target: Option<Arc<[u8]>>,
    /// Whether the id is an option of its own, not the target.
    pub named: bool,
    /// The RUN, by its index in the file.
    pub instruction: usize,
    /// The 1-based line of the RUN.
    pub line: usize,
    /// Where the id stands, in bytes.
    pub span: Span,
    /// Where a sharing mode is to be written, and what comes before it; `None` where a variable names the mode.
    pub mode_edit: Option<(Span, &'static str)>,
    /// Where text can be put behind an id of its own.
    pub id_end: Option<usize>,
    /// The rules that the configuration exempts the cache from.
    pub exempt: Vec<&'static str>,
}

impl Site {
    /// Whether the mount is locked.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.sharing == Some("locked")
    }
}

/// A site with its file, by index.
pub type Located<'s> = (usize, &'s Site);

/// All cache mounts of a run. Building it is linear in their number.
#[derive(Debug, Default)]
pub struct Index<'s> {
    files: Vec<&'s [Site]>,
    /// The sites of each id that has several, in the files' order; ordered by id. Ids of other values stand apart.
    shared: Vec<(&'s [u8], Vec<Located<'s>>)>,
    taken: HashSet<&'s [u8]>,
    locks: HashMap<&'s LockKey, Group<'s>>,
}

/// The RUNs that take one lock.
#[derive(Debug)]
pub struct Group<'s> {
    /// How many RUNs there are.
    pub runs: usize,
    /// In how many files.
    pub files: usize,
    /// The first RUN, and the first that is another one.
    first: Located<'s>,
    second: Option<Located<'s>>,
    last: (usize, usize),
}

impl<'s> Index<'s> {
    /// The index of `files`, each given by the sites in it, in order.
    pub fn new(files: impl Iterator<Item = &'s [Site]>) -> Self {
        let mut index = Self {
            files: files.collect(),
            ..Self::default()
        };
        let mut ids: HashMap<(&[u8], &[u8]), Vec<Located<'_>>> = HashMap::new();
        for (file, sites) in index.files.iter().enumerate() {
            for site in *sites {
                ids.entry((&site.key.id, &site.key.values))
                    .or_default()
                    .push((file, site));
                if site.is_locked() {
                    count(&mut index.locks, file, site);
                }
            }
        }
        index.taken = ids.keys().map(|(id, _)| *id).collect();
        let mut shared: Vec<_> = ids
            .into_iter()
            .filter(|(_, sites)| sites.len() > 1)
            .collect();
        shared.sort_unstable_by_key(|(id, _)| *id);
        index.shared = shared
            .into_iter()
            .map(|((id, _), sites)| (id, sites))
            .collect();
        index
    }

    /// The RUNs that take `lock`, if any.
    #[must_use]
    pub fn lock(&self, lock: &LockKey) -> Option<&Group<'s>> {
        self.locks.get(lock)
    }

    /// The sites of every file, in order.
    #[must_use]
    pub fn files(&self) -> &[&'s [Site]] {
        &self.files
    }

    /// Every id that more than one mount has, with its sites, ordered by id.
    #[must_use]
    pub fn shared_ids(&self) -> &[(&'s [u8], Vec<Located<'s>>)] {
        &self.shared
    }

    /// Whether any mount has the id `id`.
    #[must_use]
    pub fn is_taken(&self, id: &str) -> bool {
        self.taken.contains(id.as_bytes())
    }
}

fn count<'s>(locks: &mut HashMap<&'s LockKey, Group<'s>>, file: usize, site: &'s Site) {
    let here = (file, site.instruction);
    let fresh = Group {
        runs: 0,
        files: 0,
        first: (file, site),
        second: None,
        last: (usize::MAX, 0),
    };
    let group = locks.entry(&site.key).or_insert(fresh);
    if group.last == here {
        // One RUN may take a lock twice: at two targets.
        return;
    }
    group.runs += 1;
    group.files += usize::from(group.last.0 != file);
    group.last = here;
    if group.runs == 2 {
        group.second = Some((file, site));
    }
}

impl<'s> Group<'s> {
    /// A RUN other than the one at `span` of file `file` that takes the lock, with its file.
    #[must_use]
    pub fn other_than(&self, file: usize, span: Span) -> Option<Located<'s>> {
        let is_first = self.first.0 == file && self.first.1.span == span;
        if is_first {
            self.second
        } else {
            Some(self.first)
        }
    }
}

/// A finding that came of comparing the mounts of a run.
#[derive(Debug)]
pub struct Spread {
    /// The file it is in, by index.
    pub file: usize,
    /// The finding.
    pub finding: Finding,
    /// Other places that have to do with it, in whatever file.
    pub points: Vec<Point>,
}

/// A place in a file of the run.
#[derive(Debug)]
pub struct Point {
    /// The file, by index.
    pub file: usize,
    /// Where in it.
    pub span: Span,
    /// What is there.
    pub message: String,
}

impl Point {
    /// The id of `site`, of file `file`.
    #[must_use]
    pub fn new((file, site): Located<'_>, message: impl Into<String>) -> Self {
        Self {
            file,
            span: site.span,
            message: message.into(),
        }
    }
}
