//! The runs of a made-up repository, and by brute force the pairs of them that meet at a lock.

use super::world::{Job, Part, Row, Step, Value, World};
use crate::ids::made::{LANE, Seen, seen};

/// A run of a step.
#[derive(Debug)]
pub struct Run<'w> {
    /// The numbers of its workflow, job and step.
    pub place: Place,
    pub row: Row,
    /// The number of the row among those of the job.
    number: usize,
    job: &'w Job,
    pub locks: Vec<Lock>,
    queues: Vec<(bool, String)>,
}

/// The numbers of a step's workflow and job, and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub workflow: usize,
    pub job: usize,
    pub step: usize,
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

/// Returns the combinations of a job's matrix, as GitHub's documents have them.
pub fn rows(job: &Job) -> Vec<Row> {
    let mut rows = vec![Row::new()];
    for (name, values) in &job.axes {
        let with = |row: &Row, value: &String| {
            let mut row = row.clone();
            row.insert(name.clone(), value.clone());
            row
        };
        let longer = rows
            .iter()
            .flat_map(|row| values.iter().map(move |value| with(row, value)));
        rows = longer.collect();
    }
    let has_all = |row: &Row, some: &Row| {
        some.iter()
            .all(|(name, value)| row.get(name) == Some(value))
    };
    rows.retain(|row| !job.exclude.iter().any(|excluded| has_all(row, excluded)));
    if job.axes.is_empty() && !job.include.is_empty() {
        return job.include.clone();
    }
    let own = rows.clone();
    for more in &job.include {
        let is_own = |name: &String| job.axes.contains_key(name);
        let fits = |row: &Row| {
            more.iter()
                .all(|(name, value)| !is_own(name) || row.get(name) == Some(value))
        };
        let mut found = false;
        for (row, _) in rows.iter_mut().zip(&own).filter(|(_, own)| fits(own)) {
            found = true;
            row.extend(more.clone());
        }
        if !found {
            rows.push(more.clone());
        }
    }
    rows
}

/// What expressions of a step see.
struct Sees<'w> {
    world: &'w World,
    place: Place,
    row: &'w Row,
    env: Option<&'w Value>,
}

impl Sees<'_> {
    /// Returns the text of `value`: what no text of the file can be stands between signs that none has.
    fn text(&self, value: &Value) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Matrix(axis) => self.row.get(axis).cloned().unwrap_or_default(),
            Part::Job => format!("j{}", self.place.job),
            Part::Workflow => format!("<workflow {}>", self.place.workflow),
            Part::Branch => "<branch>".to_owned(),
            Part::Env => self.text(self.env.expect("it is set somewhere")),
        };
        value.0.iter().map(part).collect()
    }
}

/// Returns all runs, without those on machines of their own. Where a lane is given, the runs of its step pass `own`.
pub fn runs(world: &World, own: Option<Place>) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    for (workflow, it) in world.workflows.iter().enumerate() {
        for (job, own_job) in it.jobs.iter().enumerate() {
            for (number, row) in rows(own_job).into_iter().enumerate() {
                let of_job = Sees {
                    world,
                    place: Place {
                        workflow,
                        job,
                        step: 0,
                    },
                    row: &row,
                    env: None,
                };
                if of_job.text(&own_job.machine).starts_with("ubuntu-") {
                    continue;
                }
                for (step, own_step) in own_job.steps.iter().enumerate() {
                    let place = Place {
                        workflow,
                        job,
                        step,
                    };
                    let env = [&own_step.env, &own_job.env, &it.env];
                    let env = env.into_iter().find_map(Option::as_ref);
                    let sees = Sees {
                        world,
                        place,
                        row: &row,
                        env,
                    };
                    let lane = own
                        .filter(|own| *own == place)
                        .map(|_| format!("<lane {number}>"));
                    let locks = sees.locks(own_step, lane.as_deref());
                    let queue = own_job
                        .queue
                        .as_ref()
                        .map(|queue| (false, sees.text(queue)));
                    let whole = it.queue.as_ref().map(|queue| (true, sees.text(queue)));
                    runs.push(Run {
                        place,
                        locks,
                        queues: queue.into_iter().chain(whole).collect(),
                        row: row.clone(),
                        number,
                        job: own_job,
                    });
                }
            }
        }
    }
    runs
}

impl Sees<'_> {
    fn locks(&self, step: &Step, lane: Option<&str>) -> Vec<Lock> {
        let number = self.text(&step.file).parse::<usize>();
        let Some((number, file)) = number
            .ok()
            .and_then(|number| Some((number, self.world.files.get(number)?)))
        else {
            return Vec::new();
        };
        let passed = |name: &str| match lane {
            Some(lane) if name == LANE => Some(lane.to_owned()),
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
        let [one, two] = ["<1>", "<2>"].map(|lane| {
            let passed = |name: &str| (name == LANE).then(|| lane.to_owned());
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

impl Run<'_> {
    /// Returns whether this run and another can be under way at once.
    fn can_overlap(&self, other: &Self, world: &World) -> bool {
        let (a, b) = (self.place, other.place);
        let is_one_run = a.workflow == b.workflow;
        let meets = |(whole, name): &(bool, String)| {
            let meets = |(other_whole, other): &(bool, String)| {
                name == other && !(*whole && *other_whole && is_one_run)
            };
            other.queues.iter().any(meets)
        };
        if self.queues.iter().any(meets) {
            return false;
        }
        if !is_one_run {
            return true;
        }
        if a.job == b.job {
            return self.number != other.number && !self.job.is_sequential;
        }
        let jobs = &world.workflows[a.workflow].jobs;
        !waits(jobs, a.job, b.job) && !waits(jobs, b.job, a.job)
    }
}

/// Returns whether `job` begins when `other` has ended.
fn waits(jobs: &[Job], job: usize, other: usize) -> bool {
    let mut needs = jobs[job].needs.iter();
    needs.any(|needed| *needed == other || waits(jobs, *needed, other))
}

/// Returns every pair of runs that meet, once for each pair of mounts.
pub fn pairs<'r, 'w>(runs: &'r [Run<'w>], world: &World) -> Vec<Pair<'r, 'w>> {
    let mut pairs = Vec::new();
    for (index, one) in runs.iter().enumerate() {
        for other in &runs[index + 1..] {
            if !one.can_overlap(other, world) {
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
