//! The runs of a made-up repository, and by brute force the pairs of them that meet at a lock.

use std::collections::BTreeSet;

use super::world::{Part, Row, Source, Step, Value, World};
use super::{github, gitlab, world};
use crate::ids::made::{LANE, Seen, seen};

/// The numbers of a step's file and job, and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub source: usize,
    pub job: usize,
    pub step: usize,
}

/// A run of a step.
#[derive(Debug)]
pub struct Run<'w> {
    pub place: Place,
    pub locks: Vec<Lock>,
    pub turn: Turn<'w>,
}

/// A run of a job.
#[derive(Clone, Debug)]
pub struct Turn<'w> {
    pub sees: Sees<'w>,
    /// The jobs that it runs in, those of callers first.
    pub within: Vec<Within>,
    pub queues: Vec<Queue>,
    /// The label of its machine.
    pub machine: String,
    /// True where its builder is its own.
    pub is_alone: bool,
    pub steps: &'w [Step],
}

#[derive(Clone, Debug)]
pub struct Within {
    pub source: usize,
    pub job: usize,
    /// The number of the row among those of the job.
    pub row: usize,
    /// True where the runs of the job follow one another.
    pub is_sequential: bool,
    /// The jobs that have ended before it begins.
    pub before: BTreeSet<usize>,
    /// The events that it runs for.
    pub events: Vec<&'static str>,
}

/// A queue in which the first `depth` of the jobs that a run is in wait as one.
#[derive(Clone, Debug)]
pub struct Queue {
    pub is_github: bool,
    pub name: String,
    pub depth: usize,
}

/// What the texts of a job see.
#[derive(Clone, Debug)]
pub struct Sees<'w> {
    /// The name of the job in its lane.
    pub job: String,
    /// The file that was started.
    pub root: usize,
    pub row: Row,
    pub input: String,
    /// The lane in the environment.
    pub env: Option<&'w Value>,
}

#[derive(Clone, Debug)]
pub struct Lock {
    pub id: String,
    namespace: Option<String>,
    /// True where the id is made of the lane.
    pub has_lane: bool,
    /// The numbers of its file, and of its mount there.
    pub mount: (usize, usize),
}

/// Two runs that can overlap, with a lock that both take.
#[derive(Debug)]
pub struct Pair<'r, 'w> {
    pub runs: [&'r Run<'w>; 2],
    pub locks: [&'r Lock; 2],
}

impl Sees<'_> {
    /// Returns the text of `value`: what no text of the file can be stands between signs that none has.
    pub fn text(&self, value: &Value) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Matrix(axis) => self.row.get(axis).cloned().unwrap_or_default(),
            Part::Or(axis, text) => self.row.get(axis).unwrap_or(text).clone(),
            Part::Job => self.job.clone(),
            Part::Workflow => format!("<workflow {}>", self.root),
            Part::Branch => "<branch>".to_owned(),
            Part::Input => self.input.clone(),
            Part::Env => self.text(self.env.expect("it is set somewhere")),
        };
        value.0.iter().map(part).collect()
    }
}

/// Returns the order of jobs, each with those that are before it, by those right before it.
pub fn before(job: usize, right_before: &dyn Fn(usize) -> Vec<usize>) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    for earlier in right_before(job) {
        all.insert(earlier);
        all.extend(before(earlier, right_before));
    }
    all
}

/// Returns the runs of the jobs of the file `source`.
fn turns(world: &World, source: usize) -> Vec<Turn<'_>> {
    match &world.sources[source] {
        Source::Github(_) => github::turns(world, source),
        Source::Gitlab(it) => gitlab::turns(it, source),
    }
}

/// Returns the numbers of the files and mounts whose locks the platforms of one build share: of a build that makes several,
/// or in a file that speaks of platforms.
pub fn shared_by_platforms(world: &World) -> BTreeSet<(usize, usize)> {
    let all = (0..world.sources.len()).flat_map(|source| turns(world, source));
    let taken = all.flat_map(|turn| {
        let locks = turn.steps.iter().map(move |step| {
            let mut sees = turn.sees.clone();
            sees.env = step.env.as_ref().or(sees.env);
            let is_several = sees.platforms(step).len() > 1;
            let locks = sees.locks(step, world, None).into_iter();
            locks
                .filter(|_| is_several)
                .map(|lock| lock.mount)
                .collect::<Vec<_>>()
        });
        locks.flatten().collect::<Vec<_>>()
    });
    let mut mounts: BTreeSet<(usize, usize)> = taken.collect();
    for (number, file) in world.files.iter().enumerate() {
        let ids = ["<1>", "<2>"].map(|name| {
            let passed = |arg: &str| world::PLATFORM.contains(&arg).then(|| name.to_owned());
            seen(file, &passed)
        });
        let speaks = file.to_string().contains("TARGET");
        for (at, mount) in ids[0]
            .iter()
            .enumerate()
            .filter(|(_, mount)| mount.is_locked())
        {
            if mount.id() != ids[1][at].id() {
                mounts.remove(&(number, at));
            } else if speaks {
                mounts.insert((number, at));
            }
        }
    }
    mounts
}

/// Returns all runs, without those on machines of their own. Where a place is given, the runs of its step pass a lane of
/// their own, as far as one can be written there.
pub fn runs(world: &World, own: Option<Place>) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    for source in 0..world.sources.len() {
        for turn in turns(world, source)
            .into_iter()
            .filter(|turn| !turn.is_alone)
        {
            let last = &turn.within[turn.within.len() - 1];
            let job = last.job;
            for (step, it) in turn.steps.iter().enumerate() {
                let place = Place { source, job, step };
                let lane = || match &world.sources[source] {
                    Source::Github(it) => github::lane(it, world, last, &turn.sees),
                    Source::Gitlab(_) => turn.sees.job.clone(),
                };
                let lane = own.filter(|own| *own == place).map(|_| lane());
                let mut sees = turn.sees.clone();
                sees.env = it.env.as_ref().or(sees.env);
                runs.push(Run {
                    place,
                    locks: sees.locks(it, world, lane.as_deref()),
                    turn: turn.clone(),
                });
            }
        }
    }
    runs
}

impl Sees<'_> {
    /// Returns the platforms that a step builds for, if it names any.
    fn platforms(&self, step: &Step) -> Vec<String> {
        let all = step.platforms.iter().map(|platforms| self.text(platforms));
        let all = all.flat_map(|all| all.split(',').map(str::to_owned).collect::<Vec<_>>());
        all.map(|platform| platform.replace("/v8", "")).collect()
    }

    fn locks(&self, step: &Step, world: &World, lane: Option<&str>) -> Vec<Lock> {
        let mut platforms = self.platforms(step);
        if platforms.is_empty() {
            platforms.push("linux/<own>".to_owned());
        }
        let all = platforms.iter();
        all.flat_map(|platform| self.locks_for(platform, step, world, lane))
            .collect()
    }

    fn locks_for(
        &self,
        platform: &str,
        step: &Step,
        world: &World,
        lane: Option<&str>,
    ) -> Vec<Lock> {
        let number = self.text(&step.file).parse::<usize>();
        let Some((number, file)) = number
            .ok()
            .and_then(|number| Some((number, world.files.get(number)?)))
        else {
            return Vec::new();
        };
        let passed = |name: &str| match (name, lane) {
            (LANE, Some(lane)) => Some(lane.to_owned()),
            ("TARGETPLATFORM", _) => Some(platform.to_owned()),
            ("TARGETARCH", _) => platform.split('/').nth(1).map(str::to_owned),
            _ => step.args.get(name).map(|value| self.text(value)),
        };
        let last = file.stages.len() - 1;
        let target = step.target.as_ref().map(|target| self.text(target).parse());
        let Some(target) = target.unwrap_or(Ok(last)).ok().filter(|it| *it <= last) else {
            return Vec::new();
        };
        let bases = std::iter::successors(Some(target), |stage| file.stages[*stage].base);
        let bases: Vec<usize> = bases.collect();
        let mounts = seen(file, &passed).into_iter().enumerate();
        let taken = mounts.filter(|(_, mount)| mount.is_locked() && bases.contains(&mount.stage));
        // What a lane makes of each id where nothing else is passed.
        let is_lane = |name: &str| name == LANE || (world.is_own_a_lane && name == world::OWN);
        let [one, two] = ["<1>", "<2>"].map(|lane| {
            let passed = |name: &str| is_lane(name).then(|| lane.to_owned());
            seen(file, &passed)
        });
        let lock = |(at, mount): (usize, Seen)| Lock {
            id: mount.id(),
            namespace: passed("BUILDKIT_CACHE_MOUNT_NS"),
            has_lane: one[at].id() != two[at].id(),
            mount: (number, at),
        };
        taken.map(lock).collect()
    }
}

/// Returns the architecture that a label names, if it names one.
fn architecture(label: &str) -> Option<&str> {
    let words = label.split(['-', '_']);
    let mut named = words.filter(|word| matches!(*word, "x64" | "arm64"));
    named.next().filter(|_| named.next().is_none())
}

impl Turn<'_> {
    /// Returns whether this run and another can be under way at once, on one machine.
    fn can_overlap(&self, other: &Self) -> bool {
        let [one, two] = [self, other].map(|turn| architecture(&turn.machine));
        if one.zip(two).is_some_and(|(one, two)| one != two) {
            return false;
        }
        let jobs = |turn: &Self, depth: usize| -> Vec<(usize, usize, usize)> {
            let within = turn.within.iter().take(depth);
            let whole = (turn.within[0].source, usize::MAX, 0);
            let jobs = within.map(|it| (it.source, it.job, it.row));
            if depth == 0 {
                vec![whole]
            } else {
                jobs.collect()
            }
        };
        let meet = |own: &Queue, theirs: &Queue| {
            (own.is_github, &own.name) == (theirs.is_github, &theirs.name)
                && jobs(self, own.depth) != jobs(other, theirs.depth)
        };
        let mut queues = self.queues.iter();
        if queues.any(|own| other.queues.iter().any(|theirs| meet(own, theirs))) {
            return false;
        }
        // One run of a file is for one event.
        let all = || self.within.iter().chain(&other.within);
        let is_for = |event: &&str| all().all(|it| it.events.contains(event));
        if self.within[0].source == other.within[0].source && !world::EVENTS.iter().any(is_for) {
            return false;
        }
        let mut levels = self.within.iter().zip(&other.within);
        let of = |it: &Within| (it.source, it.job, it.row);
        let Some((own, theirs)) = levels.find(|(own, theirs)| of(own) != of(theirs)) else {
            return false;
        };
        if own.source != theirs.source {
            true
        } else if own.job == theirs.job {
            !own.is_sequential
        } else {
            !own.before.contains(&theirs.job) && !theirs.before.contains(&own.job)
        }
    }
}

/// Returns every pair of runs that meet, once for each pair of mounts.
pub fn pairs<'r, 'w>(runs: &'r [Run<'w>]) -> Vec<Pair<'r, 'w>> {
    let mut pairs = Vec::new();
    for (index, one) in runs.iter().enumerate() {
        for other in &runs[index + 1..] {
            if !one.turn.can_overlap(&other.turn) {
                continue;
            }
            for lock in &one.locks {
                let is_same =
                    |theirs: &&Lock| (&theirs.id, &theirs.namespace) == (&lock.id, &lock.namespace);
                pairs.extend(other.locks.iter().filter(is_same).map(|theirs| Pair {
                    runs: [one, other],
                    locks: [lock, theirs],
                }));
            }
        }
    }
    pairs
}
