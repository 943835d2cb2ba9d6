//! Caches across the files of a run: which RUNs use which id, and how.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::dockerfile::Sharing;
use crate::finding::{Location, LockKey, Place, RuleId};
use crate::text::{LineIndex, Span};

/// A cache mount of a run's files.
#[derive(Clone, Debug)]
pub struct Site {
    /// The id, and what the cache is based on.
    pub key: Arc<LockKey>,
    /// The sharing mode; `None` where nobody can know.
    pub sharing: Option<Sharing>,
    /// The cleaned target; `None` where it holds a variable, or is taken from the WORKDIR.
    pub target: Option<Arc<[u8]>>,
    /// Set where the id is an option of its own, not the target.
    pub named: bool,
    /// The RUN, by its index in the file.
    pub instruction: usize,
    /// The place of the id.
    pub span: Span,
    /// The place for a sharing mode, and the text before it; `None` where a variable names the mode.
    pub mode_edit: Option<(Span, &'static str)>,
    /// The byte behind an id of its own.
    pub id_end: Option<usize>,
    /// The rules that the configuration exempts the cache from.
    pub exempt: Vec<RuleId>,
}

impl Site {
    /// Returns whether the mount is locked.
    pub fn is_locked(&self) -> bool {
        self.sharing == Some(Sharing::Locked)
    }
}

/// A site with its file, by index.
pub type Located<'s> = (usize, &'s Site);

/// A file of a run.
#[derive(Clone, Copy)]
pub struct File<'s> {
    /// Its cache mounts, in order.
    pub sites: &'s [Site],
    /// Its bytes, as far as they are still there.
    pub source: &'s [u8],
}

/// All cache mounts of a run. Building it is linear in their number.
pub struct Index<'s> {
    files: Vec<File<'s>>,
    /// Gives the path of a file, by its index, as reports print it.
    name: &'s dyn Fn(usize) -> String,
    /// The lines of files that were pointed at: few of all, but some of them again and again.
    lines: RefCell<HashMap<usize, LineIndex>>,
    /// The sites of each id that has several, in the files' order; ordered by id. Ids of other values stand apart.
    shared: Vec<(&'s [u8], Vec<Located<'s>>)>,
    taken: HashSet<&'s [u8]>,
    locks: HashMap<&'s LockKey, Group<'s>>,
}

/// The RUNs that take one lock.
#[derive(Debug)]
pub struct Group<'s> {
    /// The number of RUNs.
    pub runs: usize,
    /// The number of files that they stand in.
    pub files: usize,
    /// The first RUN, and the first that is another one.
    first: Located<'s>,
    second: Option<Located<'s>>,
    last: (usize, usize),
}

impl<'s> Index<'s> {
    /// Returns the index of `files`; `name` gives the path of one, by its index, as reports print it.
    pub fn new(files: Vec<File<'s>>, name: &'s dyn Fn(usize) -> String) -> Self {
        let mut locks = HashMap::new();
        let mut ids: HashMap<(&[u8], &[u8]), Vec<Located<'_>>> = HashMap::new();
        for (file, File { sites, .. }) in files.iter().enumerate() {
            for site in *sites {
                ids.entry((&site.key.id, &site.key.values))
                    .or_default()
                    .push((file, site));
                if site.is_locked() {
                    count(&mut locks, file, site);
                }
            }
        }
        let taken = ids.keys().map(|(id, _)| *id).collect();
        let mut shared: Vec<_> = ids
            .into_iter()
            .filter(|(_, sites)| sites.len() > 1)
            .map(|((id, _), sites)| (id, sites))
            .collect();
        shared.sort_by_key(|(id, _)| *id);
        Self {
            files,
            name,
            lines: RefCell::default(),
            shared,
            taken,
            locks,
        }
    }

    /// Returns the RUNs that take `lock`, if any.
    pub fn lock(&self, lock: &LockKey) -> Option<&Group<'s>> {
        self.locks.get(lock)
    }

    /// Returns the sites of every file, in order.
    pub fn files(&self) -> impl Iterator<Item = &'s [Site]> {
        self.files.iter().map(|file| file.sites)
    }

    /// Returns the place of a site, as seen from the file `from`, with a message about it.
    pub fn location(
        &self,
        from: usize,
        (file, site): Located<'_>,
        message: impl Into<String>,
    ) -> Location {
        let place = if file == from {
            Place::Here(site.span)
        } else {
            let source = self.files[file].source;
            let mut lines = self.lines.borrow_mut();
            let lines = lines.entry(file).or_insert_with(|| LineIndex::new(source));
            Place::There {
                path: (self.name)(file),
                range: lines.range(source, site.span),
            }
        };
        Location {
            place,
            message: message.into(),
        }
    }

    /// Returns every id that more than one mount has, with its sites, ordered by id.
    pub fn shared_ids(&self) -> &[(&'s [u8], Vec<Located<'s>>)] {
        &self.shared
    }

    /// Returns the sites of every cache whose id more than one mount has, as far as they are known, ordered by id.
    pub fn shared_caches(&self, is_known: impl Fn(&Site) -> bool) -> Vec<Vec<Located<'s>>> {
        let mut caches = Vec::new();
        for (_, sites) in &self.shared {
            let mut own: BTreeMap<&LockKey, Vec<Located<'s>>> = BTreeMap::new();
            for site in sites.iter().filter(|(_, site)| is_known(site)) {
                own.entry(&site.1.key).or_default().push(*site);
            }
            caches.extend(own.into_values());
        }
        caches
    }

    /// Returns whether a mount has the id `id`.
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
    /// Returns a RUN other than the one at `span` of file `file` that takes the lock, with its file.
    pub fn other_than(&self, file: usize, span: Span) -> Option<Located<'s>> {
        let is_first = self.first.0 == file && self.first.1.span == span;
        if is_first {
            self.second
        } else {
            Some(self.first)
        }
    }
}
