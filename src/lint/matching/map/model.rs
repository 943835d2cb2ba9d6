//! The map of locks.

/// The locks of a run, the most contended first.
#[derive(Debug, Default)]
pub struct LockMap {
    pub locks: Vec<MappedLock>,
    /// The locks of each circle in which builds can wait for each other for ever, by their indices, in order.
    pub circles: Vec<Vec<usize>>,
}

/// A lock: the ids that are one on a builder, in some build.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MappedLock {
    /// The ids as written, or the completed targets where none is written.
    pub ids: Vec<String>,
    /// The other options that tell the cache from others: `uid=1000`.
    pub base: Vec<String>,
    pub follows: Follows,
    /// The number of runs of builds that wait for another one within one run of a pipeline.
    pub waiting: usize,
    /// The sizes of the sets of such runs, each of which waits for all others of its set, the largest first; empty where that
    /// is not so.
    pub at_once: Vec<usize>,
    /// True where each of the ids has a lane.
    #[serde(skip)]
    pub has_lane: bool,
    /// The RUNs that take it.
    pub runs: Vec<TakingRun>,
    /// The builds that reach it.
    pub builds: Vec<MappedBuild>,
}

/// The consequence of a lock, within one run of the pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Follows {
    /// Runs wait for one another.
    Wait,
    /// Two runs at once wait, and nobody is known who runs it once only.
    OfCallers,
    /// Only a run knows the id or the builder.
    Unknown,
    /// No build is known that reaches it.
    NoBuild,
    /// One call of Compose or bake builds several that take it.
    OneCall,
    /// The jobs, or legs, that build with it follow one another.
    InTurn,
    /// One run of one job does all that takes it.
    OneJob,
    /// Each build has a lane of its own.
    OwnLanes,
    /// Each build has a builder of its own.
    OwnBuilders,
}

/// A RUN that takes a lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct TakingRun {
    /// The path, as reports print it.
    pub path: String,
    /// 1-based.
    pub line: usize,
    /// The stage's name, where it has one.
    pub stage: Option<String>,
}

/// A build that reaches a lock.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MappedBuild {
    /// The path, as reports print it.
    pub path: String,
    /// 1-based.
    pub line: usize,
    pub name: String,
    /// The jobs that it runs in, the outermost first: `release → image`; `None` where none is known.
    pub job: Option<String>,
    pub runs: Vec<MappedRun>,
}

/// A run of a build: a job, or one leg of its matrix.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MappedRun {
    /// The values that tell it from the other legs: `py=3.10`; empty without a matrix.
    pub leg: String,
    /// The id after expansion; `None` where only a run knows it.
    pub id: Option<String>,
    /// The namespace that it passes, by which all of its caches are its own.
    pub namespace: Option<String>,
    /// The reason why it has a builder of its own, where it has one.
    pub builder: Option<String>,
    /// True where it waits for another run within one run of the pipelines.
    pub waits: bool,
    /// What waits within one build of its own, whoever else builds.
    pub within: Option<Within>,
}

/// The parts of one build that wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Within {
    Platforms,
    Stages,
}

impl LockMap {
    /// Returns the map of those locks that `is_wanted` names, with the circles that all of them make.
    pub fn only(&self, is_wanted: impl Fn(&MappedLock) -> bool) -> Self {
        let wanted: Vec<usize> = (0..self.locks.len())
            .filter(|at| is_wanted(&self.locks[*at]))
            .collect();
        let number = |at: &usize| wanted.binary_search(at).ok();
        let circles = self.circles.iter();
        Self {
            circles: circles
                .filter_map(|circle| circle.iter().map(number).collect())
                .collect(),
            locks: wanted.iter().map(|at| self.locks[*at].clone()).collect(),
        }
    }
}
