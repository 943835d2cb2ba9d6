//! Who else builds a Dockerfile: the jobs that may run while another one does.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use crate::budget;
use crate::builds::{Build, Ordered};
use crate::rules::wired::Others;

use super::join::{Files, Joined};

/// The jobs that build one Dockerfile.
#[derive(Debug, Default)]
pub(super) struct Crowd<'r> {
    /// Those that another one may run beside, by the file that they stand in.
    beside: HashSet<(usize, &'r str)>,
    /// Whether two of different files have the same name.
    namesakes: bool,
}

impl Crowd<'_> {
    /// Who else builds what `build` of the file `file` does.
    pub(super) fn others(&self, file: usize, build: &Build) -> Others {
        let is_beside = |name: &String| self.beside.contains(&(file, name.as_str()));
        // What has no job, a Compose file say, is told who is there.
        let alone = !build.jobs.is_empty() && !build.jobs.iter().any(is_beside);
        if alone || self.beside.is_empty() {
            Others::None
        } else if self.namesakes {
            Others::Namesakes
        } else {
            Others::Jobs
        }
    }
}

/// The jobs that build each Dockerfile.
pub(super) fn crowds<'r>(files: &'r Files<'_>, joined: &[Joined]) -> HashMap<PathBuf, Crowd<'r>> {
    let mut jobs: HashMap<PathBuf, Vec<(usize, &str)>> = HashMap::new();
    for one in joined {
        let (Some(path), Some(wires)) = (&one.dockerfile, &files.report(one.file).wires) else {
            continue;
        };
        let build = &wires.wiring.builds[one.build];
        let names = build.jobs.iter();
        jobs.entry(path.clone())
            .or_default()
            .extend(names.map(|name| (one.file, name.as_str())));
    }
    jobs.into_iter()
        .map(|(path, jobs)| (path, crowd(files, jobs)))
        .collect()
}

fn crowd<'r>(files: &'r Files<'_>, mut jobs: Vec<(usize, &'r str)>) -> Crowd<'r> {
    jobs.sort_unstable();
    jobs.dedup();
    if jobs.len() < 2 {
        return Crowd::default();
    }
    let mut names: Vec<&str> = jobs.iter().map(|(_, name)| *name).collect();
    names.sort_unstable();
    let namesakes = names.windows(2).any(|pair| pair[0] == pair[1]);
    let in_one_file = jobs.chunk_by(|a, b| a.0 == b.0).count() == 1;
    let ordered = if in_one_file {
        ordered(files, &jobs)
    } else {
        HashSet::new()
    };
    Crowd {
        beside: jobs
            .into_iter()
            .filter(|(_, name)| !ordered.contains(name))
            .collect(),
        namesakes,
    }
}

/// Those of the jobs, all of one file, that come before or behind each of the others.
fn ordered<'r>(files: &'r Files<'_>, jobs: &[(usize, &'r str)]) -> HashSet<&'r str> {
    let wires = jobs
        .first()
        .and_then(|(file, _)| files.report(*file).wires.as_ref());
    let Some(order) = wires
        .map(|wires| &wires.wiring.order)
        .filter(|order| !order.is_empty())
    else {
        return HashSet::new();
    };
    let after: HashMap<&Ordered, &Vec<Ordered>> =
        order.iter().map(|(job, after)| (job, after)).collect();
    // How many others each one has before or behind it.
    let mut known: HashMap<&'r str, usize> = jobs.iter().map(|(_, name)| (*name, 0)).collect();
    for (_, job) in jobs {
        let own = Ordered::Job((*job).to_owned());
        let mut seen: HashSet<&Ordered> = HashSet::from([&own]);
        let mut open: Vec<&Ordered> = vec![&own];
        while let Some(next) = open.pop() {
            for before in after.get(next).into_iter().flat_map(|after| after.iter()) {
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
    known
        .into_iter()
        .filter(|(_, count)| *count + 1 == jobs.len())
        .map(|(name, _)| name)
        .collect()
}
