//! Caches across the files of a run: which RUNs use which id, and how.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::dockerfile::Sharing;
use crate::finding::{Finding, Location, LockKey, Place, RuleId};
use crate::text::{LineIndex, Span};

/// The number of kinds of builds that ids are compared in: those that pass nothing and those that pass a lane, each
/// without and with other arguments of their own.
pub const BUILDS: usize = 4;

/// The `from`, uid, gid and mode of a cache.
pub type Base = [Option<Vec<u8>>; 4];

/// Holds the id of a cache in each kind of build: its variables expanded, or else the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Became {
    pub ids: [Arc<[u8]>; BUILDS],
    /// The value of the lane argument at the RUN in a build that passes nothing, and in one that passes a lane.
    pub lane: [Vec<u8>; 2],
    /// The ids that a build that passes nothing may get by a value for the lane argument, for which
    /// [`LANE`](crate::text::marks::LANE) stands there, or by a declaration of the platform, where they have none.
    pub filled: Vec<Vec<u8>>,
    /// True where a build that passes nothing stops at it (`${NAME:?}`).
    pub stops: bool,
    /// True where an id option expands to nothing in some builds, so that the target is the id.
    pub is_empty: bool,
    /// False where it refers to a name that neither the file nor an argument's default gives a value.
    pub is_known: bool,
}

/// A target as BuildKit sorts the mounts of a RUN by it, in a build without arguments: an absolute one as written, a
/// relative one below the WORKDIR, cleaned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The unknown text before it: variables of the base image, or its WORKDIR. Between targets below
    /// different ones, the order is unknown.
    pub below: Vec<u8>,
    pub path: Arc<[u8]>,
}

impl Became {
    /// Returns the kinds of builds whose ids can be compared, each with its id: in those that leave a name without a value,
    /// the base image may give it one.
    fn comparable(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let ids = self.ids.iter().enumerate();
        let ids = ids.filter(|(build, _)| self.is_known || *build >= BUILDS / 2);
        ids.map(|(build, id)| (build, &**id))
    }
}

/// A cache mount of a run's file.
#[derive(Clone, Debug)]
pub struct CacheMount {
    /// The index of its file in the run.
    pub file: usize,
    /// The id and base of the cache.
    pub key: Arc<LockKey>,
    pub became: Arc<Became>,
    /// The sharing mode; `None` where it is unknown.
    pub sharing: Option<Sharing>,
    /// The cleaned target; `None` with a variable or relative to the WORKDIR.
    pub target: Option<Arc<[u8]>>,
    /// The target by which BuildKit sorts the mounts of a RUN; `None` where it is unknown.
    pub at: Option<At>,
    /// The cleaned `source`, the folder of the cache that is mounted; `None` for all of it.
    pub source: Option<Arc<[u8]>>,
    /// True where the id is an option, not the target.
    pub named: bool,
    /// The index of the RUN in the file.
    pub instruction: usize,
    /// The place of the id.
    pub span: Span,
    /// The place of the mount.
    pub mount_span: Span,
    /// The place for a sharing mode and the text before it; `None` where a variable gives the mode.
    pub mode_edit: Option<(Span, &'static str)>,
    /// The byte behind an explicit id.
    pub id_end: Option<usize>,
    /// The rules that the configuration exempts it from.
    pub exempt: Vec<RuleId>,
    /// True where a RUN without a call of the cache's tool uses it without a lock: a script may call the tool.
    pub is_silent: bool,
}

impl CacheMount {
    pub fn is_locked(&self) -> bool {
        self.sharing == Some(Sharing::Locked)
    }
}

#[derive(Clone, Copy)]
pub struct File<'s> {
    pub mounts: &'s [CacheMount],
    /// The bytes; empty where they are no longer kept.
    pub source: &'s [u8],
    /// True where podman and buildah build it, which take locks in the order in which a RUN names them.
    pub by_buildah: bool,
    /// True where its findings are not shown.
    pub is_context: bool,
}

/// All cache mounts of a run, built in linear time.
pub struct Index<'s> {
    files: Vec<File<'s>>,
    /// Returns the path of a file, by index, as reports print it.
    name: &'s dyn Fn(usize) -> String,
    /// The lines of the few files that findings point at.
    lines: RefCell<HashMap<usize, LineIndex>>,
    /// The ids of several mounts: those of most kinds of builds first.
    shared: Vec<SharedId<'s>>,
    taken: HashSet<&'s [u8]>,
    locks: HashMap<&'s LockKey, Group<'s>>,
    /// The first silent mount of each cache, and the first one of another file.
    silent: HashMap<&'s LockKey, Vec<&'s CacheMount>>,
}

/// Mounts that have one id in some kinds of builds, whatever their spelling.
pub struct SharedId<'s> {
    builds: [bool; BUILDS],
    /// In the files' order.
    pub mounts: Vec<&'s CacheMount>,
}

/// The RUNs that take one lock.
#[derive(Debug)]
pub struct Group<'s> {
    pub runs: usize,
    /// The number of their files.
    pub files: usize,
    /// The first RUN, and the first different one.
    first: &'s CacheMount,
    second: Option<&'s CacheMount>,
    last: (usize, usize),
}

impl<'s> Index<'s> {
    /// Builds the index of `files`; `name` returns a file's path, by index, as reports print it.
    pub fn new(files: Vec<File<'s>>, name: &'s dyn Fn(usize) -> String) -> Self {
        let mounts = || files.iter().flat_map(|file| file.mounts);
        let mut locks = HashMap::new();
        for mount in mounts().filter(|mount| mount.is_locked()) {
            count(&mut locks, mount);
        }
        let mut silent: HashMap<_, Vec<&CacheMount>> = HashMap::new();
        for mount in mounts().filter(|mount| mount.is_silent) {
            let known = silent.entry(&*mount.key).or_default();
            if known.len() < 2 && known.iter().all(|other| other.file != mount.file) {
                known.push(mount);
            }
        }
        Self {
            silent,
            shared: shared(mounts()),
            taken: mounts().map(|mount| mount.key.id.as_slice()).collect(),
            files,
            name,
            lines: RefCell::default(),
            locks,
        }
    }

    /// Returns the RUNs that take `lock`.
    pub fn lock(&self, lock: &LockKey) -> Option<&Group<'s>> {
        self.locks.get(lock)
    }

    /// Returns a silent mount of the cache in another file than `file`.
    pub fn silent_elsewhere(&self, cache: &LockKey, file: usize) -> Option<&'s CacheMount> {
        let mut mounts = self.silent.get(cache)?.iter().copied();
        mounts.find(|mount| mount.file != file)
    }

    /// Returns the mounts of every file.
    pub fn files(&self) -> impl Iterator<Item = &'s [CacheMount]> {
        self.files.iter().map(|file| file.mounts)
    }

    /// Returns whether podman or buildah take the mount.
    pub fn is_by_buildah(&self, mount: &CacheMount) -> bool {
        self.files[mount.file].by_buildah
    }

    /// Returns whether the mount stands in a file whose findings are not shown.
    pub fn is_context(&self, mount: &CacheMount) -> bool {
        self.files[mount.file].is_context
    }

    /// Returns the place of a mount, as seen from the file `from`, with a message.
    pub fn location(
        &self,
        from: usize,
        mount: &CacheMount,
        message: impl Into<String>,
    ) -> Location {
        let place = if mount.file == from {
            Place::Here(mount.span)
        } else {
            let source = self.files[mount.file].source;
            let mut lines = self.lines.borrow_mut();
            let lines = lines
                .entry(mount.file)
                .or_insert_with(|| LineIndex::new(source));
            Place::There {
                path: (self.name)(mount.file),
                range: lines.range(source, mount.span),
            }
        };
        Location {
            place,
            message: message.into(),
        }
    }

    /// Returns every id of several mounts. Those of one may be among those of another, in other builds.
    pub fn shared_ids(&self) -> &[SharedId<'s>] {
        &self.shared
    }

    pub fn is_taken(&self, id: &str) -> bool {
        self.taken.contains(id.as_bytes())
    }
}

/// Returns the ids that several of `mounts` become in the same kind of build.
fn shared<'s>(mounts: impl Iterator<Item = &'s CacheMount>) -> Vec<SharedId<'s>> {
    let mut ids: HashMap<(usize, &[u8]), Vec<&CacheMount>> = HashMap::new();
    for mount in mounts {
        for id in mount.became.comparable() {
            ids.entry(id).or_default().push(mount);
        }
    }
    // Most mounts have one id in all kinds of builds.
    let mut shared: BTreeMap<Vec<(usize, Span)>, SharedId<'_>> = BTreeMap::new();
    for ((build, _), mounts) in ids.into_iter().filter(|(_, mounts)| mounts.len() > 1) {
        let places = mounts.iter().map(|mount| (mount.file, mount.mount_span));
        let one = shared.entry(places.collect()).or_insert(SharedId {
            builds: [false; BUILDS],
            mounts,
        });
        one.builds[build] = true;
    }
    let mut shared: Vec<SharedId<'_>> = shared.into_values().collect();
    shared.sort_by_key(|one| one.builds.iter().filter(|has| !**has).count());
    shared
}

impl<'s> SharedId<'s> {
    /// Returns the mounts of each cache of this id that `is_known` returns true for.
    pub fn caches(&self, is_known: impl Fn(&CacheMount) -> bool) -> Vec<Vec<&'s CacheMount>> {
        let mut caches: BTreeMap<&Base, Vec<&'s CacheMount>> = BTreeMap::new();
        for mount in self.mounts.iter().filter(|mount| is_known(mount)) {
            caches.entry(&mount.key.base).or_default().push(*mount);
        }
        caches.into_values().collect()
    }

    /// Returns the builds that have the id, as the beginning of a sentence; nothing where that is all.
    pub fn when(&self) -> &'static str {
        let [nothing, lane, others, all] = self.builds;
        match (nothing || others, lane || all, others || all) {
            (true, true, true) => "",
            (true, true, false) => "where arguments have their defaults, ",
            (true, false, true) => "in builds that pass no lane, ",
            (true, false, false) => "in builds that pass nothing, ",
            (_, _, true) => "in builds that pass a lane, ",
            (_, _, false) => "in builds that pass a lane and nothing else, ",
        }
    }
}

/// The findings of a rule on mounts, one for each: a mount may have an id in common with others in several kinds of builds.
#[derive(Default)]
pub struct MountFindings(BTreeMap<(usize, Span), Finding>);

impl MountFindings {
    /// Adds a finding on `mount`, where there is none yet.
    pub fn add(&mut self, mount: &CacheMount, finding: Finding) {
        let place = (mount.file, mount.span);
        self.0.entry(place).or_insert(finding);
    }

    /// Adds them to `findings`, by file.
    pub fn add_to(self, findings: &mut [Vec<Finding>]) {
        for ((file, _), finding) in self.0 {
            findings[file].push(finding);
        }
    }
}

fn count<'s>(locks: &mut HashMap<&'s LockKey, Group<'s>>, mount: &'s CacheMount) {
    let here = (mount.file, mount.instruction);
    let fresh = Group {
        runs: 0,
        files: 0,
        first: mount,
        second: None,
        last: (usize::MAX, 0),
    };
    let group = locks.entry(&mount.key).or_insert(fresh);
    if group.last == here {
        // One RUN may take a lock twice, at two targets.
        return;
    }
    group.runs += 1;
    group.files += usize::from(group.last.0 != mount.file);
    group.last = here;
    if group.runs == 2 {
        group.second = Some(mount);
    }
}

impl<'s> Group<'s> {
    /// Returns another RUN than the one at `span` of file `file` that takes the lock.
    pub fn other_than(&self, file: usize, span: Span) -> Option<&'s CacheMount> {
        let is_first = self.first.file == file && self.first.span == span;
        if is_first {
            self.second
        } else {
            Some(self.first)
        }
    }
}
