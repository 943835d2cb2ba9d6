//! Plans the lanes of the builds that wait, until no two runs that can overlap take one lock.

use std::collections::{BTreeMap, HashMap};

use super::contenders::Apart;
use super::graph::{BuildGraph, BuildId};
use super::waits::{LaneUse, PlannedLane, Wait, Waits, more};
use crate::budget;
use crate::builds::{Around, FormatRef, Insertion, Joint, Lane, Parts, Subject};
use crate::lint::model::BuildFileReport;
use crate::rules::lane_requirements::LaneRequirements;

/// A build that may get a lane.
pub(super) struct Candidate<'j> {
    /// Its number among the resolved ones.
    pub(super) index: usize,
    pub(super) id: BuildId,
    pub(super) format: FormatRef,
    pub(super) lanes: &'j LaneRequirements,
    /// True where it may overlap itself.
    pub(super) waits_itself: bool,
    /// The commands of scripts that build it.
    pub(super) scripted: Vec<BuildId>,
    /// The one of them that keeps the lane back from those behind it.
    pub(super) kept_back: Option<BuildId>,
}

/// The fix that is planned for a build.
#[derive(Clone)]
pub(super) struct PlannedFix {
    pub(super) parts: Parts,
    pub(super) insertion: Result<Insertion, String>,
}

/// The builds that stand at one place, of several Dockerfiles say: one edit changes them all.
struct Site<'c, 'j> {
    builds: Vec<&'c Candidate<'j>>,
    /// The plan for each of them, once one waits.
    plans: Vec<PlannedFix>,
    /// True where no lane parts them.
    is_refused: bool,
}

/// Returns the plan of each build that gets a lane or waits; `found` are the waits of today.
pub(super) fn plans(
    graph: &BuildGraph<'_>,
    waits: &Waits<'_>,
    candidates: &[Candidate<'_>],
    found: &BTreeMap<LaneUse<'_>, Wait>,
) -> HashMap<usize, PlannedFix> {
    let mut sites = BTreeMap::new();
    for one in candidates {
        let place = (one.id.file, graph.build(one.id).span);
        let new = || Site {
            builds: Vec::new(),
            plans: Vec::new(),
            is_refused: false,
        };
        sites.entry(place).or_insert_with(new).builds.push(one);
    }
    let mut again;
    let mut found = found;
    while budget::spend(1) {
        let mut open: Vec<(&mut Site<'_, '_>, Parts)> = Vec::new();
        let mut is_changed = false;
        for site in sites.values_mut().filter(|site| !site.is_refused) {
            match site.wanted(waits, found) {
                Some(Ok(parts)) => open.push((site, parts)),
                Some(Err(reason)) => {
                    is_changed |= !site.plans.is_empty();
                    site.refuse(&reason);
                }
                None => {}
            }
        }
        is_changed |= !open.is_empty();
        if !is_changed {
            break;
        }
        plan(graph, open);
        let lanes = sites.values().flat_map(Site::lanes).collect();
        again = waits.find(&lanes);
        found = &again;
    }
    let all = sites.into_values();
    let all = all.flat_map(|site| site.builds.into_iter().zip(site.plans));
    handed_on(graph, all.collect())
}

/// Refuses the plans of builds by a script whose own command neither passes the lane nor gets the argument.
fn handed_on(
    graph: &BuildGraph<'_>,
    plans: Vec<(&Candidate<'_>, PlannedFix)>,
) -> HashMap<usize, PlannedFix> {
    let of_commands = plans.iter().map(|(one, plan)| (one.id, &plan.insertion));
    let of_commands: HashMap<BuildId, &Result<Insertion, String>> = of_commands.collect();
    let reason = |one: &Candidate<'_>| {
        let passes = |id: &BuildId| {
            graph
                .build(*id)
                .args
                .iter()
                .any(|arg| arg.name.is(one.lanes.arg()))
        };
        let is_direct = |id: &&BuildId| !matches!(graph.build(**id).subject, Subject::Files(..));
        let mut inner = one
            .scripted
            .iter()
            .filter(is_direct)
            .filter(|id| **id != one.id && !passes(id));
        let why = inner.find_map(|id| match of_commands.get(id) {
            Some(Ok(_)) => None,
            Some(Err(why)) => Some((id, format!(": {why}"))),
            None => Some((id, String::new())),
        });
        if let Some(back) = one.kept_back.filter(|_| why.is_none()) {
            let (place, arg) = (graph.place(back), one.lanes.arg());
            return Some(format!(
                "the command at {place} keeps `{arg}` back from what it runs, as `sudo`, `env` and `unexport` do: write `{arg}=\"…\"` there"
            ));
        }
        let (id, why) = why?;
        let place = graph.place(*id);
        Some(format!("the command at {place} has to pass it{why}"))
    };
    let refused: Vec<Option<String>> = plans.iter().map(|(one, _)| reason(one)).collect();
    let planned = plans.into_iter().zip(refused);
    planned
        .map(|((one, plan), refused)| {
            let insertion = match refused {
                Some(why) => Err(why),
                None => plan.insertion,
            };
            (one.index, PlannedFix { insertion, ..plan })
        })
        .collect()
}

impl Site<'_, '_> {
    /// Returns what a lane needs so that the waits of its builds end, or why none ends them; `None` where nobody waits.
    fn wanted(
        &self,
        waits: &Waits<'_>,
        found: &BTreeMap<LaneUse<'_>, Wait>,
    ) -> Option<Result<Parts, String>> {
        let planned = self.plans.first().map(|plan| &plan.parts);
        // Where none can be written, more parts change nothing.
        if planned.is_some() && self.lanes().next().is_none() {
            return None;
        }
        let mut wanted = None;
        for one in &self.builds {
            let args = vec![one.lanes.arg()];
            let lane = LaneUse {
                one: one.index,
                args,
            };
            let parts = match found.get(&lane) {
                // The axes of the matrix part rows that build one file.
                Some(wait)
                    if planned.is_some()
                        || wait.apart != Apart::Row
                        || waits.is_of_two_files(wait) =>
                {
                    let tells = waits.contenders.tells(wait.own, wait.other, wait.apart);
                    match more(planned.unwrap_or(Parts::NONE), tells) {
                        Ok(parts) => parts,
                        Err(reason) => return Some(Err(reason.unwrap_or_else(|| left(wait)))),
                    }
                }
                Some(_) => Parts::default(),
                None if one.waits_itself && planned.is_none() => Parts::default(),
                None => continue,
            };
            wanted = Some(match wanted {
                Some(other) => joined(parts, other),
                None => parts,
            });
        }
        wanted.map(Ok)
    }

    fn refuse(&mut self, reason: &str) {
        self.is_refused = true;
        let refused = |parts: Parts| PlannedFix {
            parts,
            insertion: Err(reason.to_owned()),
        };
        self.plans = vec![refused(Parts::default()); self.builds.len()];
    }

    /// Returns the lane that each of its builds passes by the plan.
    fn lanes(&self) -> impl Iterator<Item = (usize, PlannedLane<'_>)> {
        let value = |plan: &PlannedFix| plan.insertion.as_ref().ok()?.value.clone();
        let value = self.plans.iter().find_map(value);
        self.builds.iter().filter_map(move |one| {
            let arg = one.lanes.arg();
            let value = value.clone()?;
            Some((one.index, PlannedLane { arg, value }))
        })
    }

    /// Returns whether its builds would pass several lanes, though one edit changes them all.
    fn differs(&self) -> bool {
        let value = |plan: &PlannedFix| Some(plan.insertion.as_ref().ok()?.value.clone());
        let mut values = self.plans.iter().filter_map(value);
        let first = values.next();
        values.any(|value| Some(value) != first)
    }
}

/// Finds the insertions that give the builds of these sites their lanes.
fn plan(graph: &BuildGraph<'_>, mut open: Vec<(&mut Site<'_, '_>, Parts)>) {
    while !open.is_empty() {
        insert(graph, &mut open);
        open.retain_mut(|(site, parts)| {
            let is_retried = site.differs() && !parts.other_files;
            parts.other_files = true;
            is_retried
        });
    }
}

/// Finds them once; each file is read once.
fn insert(graph: &BuildGraph<'_>, open: &mut [(&mut Site<'_, '_>, Parts)]) {
    for group in open.chunk_by_mut(|(a, _), (b, _)| a.builds[0].id.file == b.builds[0].id.file) {
        let first = group[0].0.builds[0];
        let source = std::str::from_utf8(&graph.report(first.id.file).source).unwrap_or_default();
        let builds = graph.report(first.id.file).builds.as_deref();
        let around = builds.map_or(Around::NONE, BuildFileReport::around);
        let opened = first.format.inserter(source, around, &mut |insert| {
            for (site, parts) in &mut *group {
                let plan = |one: &&Candidate<'_>| {
                    let lane = Lane {
                        arg: one.lanes.arg(),
                        default: &one.lanes.default,
                        parts,
                    };
                    PlannedFix {
                        parts: parts.clone(),
                        insertion: insert(graph.build(one.id), &lane),
                    }
                };
                site.plans = site.builds.iter().map(plan).collect();
            }
        });
        if let Err(error) = opened {
            for (site, _) in group {
                site.refuse(&error.message);
            }
        }
    }
}

/// Returns all that one of two lanes has.
fn joined(one: Parts, other: Parts) -> Parts {
    let is_long = one.joint == Joint::Long || other.joint == Joint::Long;
    Parts {
        job: one.job || other.job,
        workflow: one.workflow || other.workflow,
        input: one.input.or(other.input),
        file: one.file.or(other.file),
        other_files: one.other_files || other.other_files,
        joint: if is_long { Joint::Long } else { Joint::Short },
    }
}

/// Says that no lane that cachelane can write parts two runs.
fn left(wait: &Wait) -> String {
    format!(
        "two runs would still take the lock `{}`: give each a value of its own",
        wait.lock
    )
}
