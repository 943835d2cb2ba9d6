//! Finds the concurrent jobs that build one Dockerfile.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::graph::BuildGraph;
use super::resolve::ResolvedBuild;
use crate::budget;
use crate::builds::{Build, Ordered};
use crate::rules::build_context::Concurrent;

/// A job, and the index of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct JobId<'r> {
    file: usize,
    name: &'r str,
}

/// The jobs that build one Dockerfile.
#[derive(Debug, Default)]
pub(super) struct ConcurrentJobs<'r> {
    /// The jobs with concurrent ones.
    beside: HashSet<JobId<'r>>,
    /// True where two jobs of different files have the same name.
    namesakes: bool,
}

impl ConcurrentJobs<'_> {
    /// Returns the other jobs that build the Dockerfile of `build` of the file `file`.
    pub(super) fn of(&self, file: usize, build: &Build) -> Concurrent {
        let is_beside = |name: &String| self.beside.contains(&JobId { file, name });
        // A build without a job, for example in a Compose file, counts all of them.
        let alone = !build.jobs.is_empty() && !build.jobs.iter().any(is_beside);
        if alone || self.beside.is_empty() {
            Concurrent::None
        } else if self.namesakes {
            Concurrent::Namesakes
        } else {
            Concurrent::Jobs
        }
    }
}

/// Finds the jobs that build each Dockerfile.
pub(super) fn concurrent_jobs<'r>(
    graph: &'r BuildGraph<'_>,
    resolved: &[ResolvedBuild],
) -> HashMap<PathBuf, ConcurrentJobs<'r>> {
    let mut jobs: HashMap<PathBuf, Vec<JobId<'_>>> = HashMap::new();
    for one in resolved {
        if let Some(path) = &one.dockerfile {
            let names = graph.build(one.id).jobs.iter();
            let file = one.id.file;
            let ids = names.map(|name| JobId { file, name });
            jobs.entry(path.clone()).or_default().extend(ids);
        }
    }
    let jobs = jobs.into_iter();
    jobs.map(|(path, jobs)| (path, of_jobs(graph, jobs)))
        .collect()
}

fn of_jobs<'r>(graph: &'r BuildGraph<'_>, mut jobs: Vec<JobId<'r>>) -> ConcurrentJobs<'r> {
    jobs.sort_unstable();
    jobs.dedup();
    let (Some(first), Some(last)) = (jobs.first(), jobs.last()) else {
        return ConcurrentJobs::default();
    };
    let names: HashSet<&str> = jobs.iter().map(|job| job.name).collect();
    let namesakes = names.len() < jobs.len();
    let ordered = if first.file == last.file {
        ordered(graph, first.file, names)
    } else {
        HashSet::new()
    };
    jobs.retain(|job| !ordered.contains(job.name));
    ConcurrentJobs {
        beside: jobs.into_iter().collect(),
        namesakes,
    }
}

/// Returns the jobs among `names` of one file that run before or after each other one.
fn ordered<'r>(
    graph: &'r BuildGraph<'_>,
    file: usize,
    names: HashSet<&'r str>,
) -> HashSet<&'r str> {
    let order = graph.report(file).builds.iter();
    let order = order.flat_map(|builds| &builds.file.order);
    let after: HashMap<&Ordered, &Vec<Ordered>> = order.map(|(job, after)| (job, after)).collect();
    // The number of jobs that run before or after each one.
    let mut known: HashMap<&str, usize> = names.iter().map(|name| (*name, 0)).collect();
    for job in &names {
        let own = Ordered::Job((*job).to_owned());
        let mut seen: HashSet<&Ordered> = HashSet::from([&own]);
        let mut open: Vec<&Ordered> = vec![&own];
        while let Some(next) = open.pop() {
            for before in after.get(next).copied().into_iter().flatten() {
                if !budget::spend(1) {
                    return HashSet::new();
                }
                if seen.insert(before) {
                    open.push(before);
                    if let Ordered::Job(name) = before
                        && let Some(count) = known.get_mut(name.as_str())
                    {
                        *count += 1;
                        known.entry(*job).and_modify(|count| *count += 1);
                    }
                }
            }
        }
    }
    let others = names.len() - 1;
    let mut ordered = names;
    ordered.retain(|name| known.get(name) == Some(&others));
    ordered
}
