//! The builds of a job that fills caches by their ids: whether they have these caches, or have them by other ids.

use std::collections::{BTreeSet, HashSet};

use bstr::ByteSlice as _;

use super::graph::{BuildGraph, BuildId};
use super::resolved::ResolvedBuild;
use crate::budget;
use crate::builds::{self, Fill, RenamedFill, Renaming};
use crate::finding::{Finding, Location, Place, RuleId};
use crate::fix::{Applicability, Edit, Fix};
use crate::index::{BUILDS, CacheMount};
use crate::lint::apply::apply_proved;
use crate::lint::fills::mounted;
use crate::lint::model::{FileReport, Fixed, LaneStatus, Refill};
use crate::rules::unpassed_arg::stale_fill;
use crate::text::marks::LANE;
use crate::text::{LineIndex, Span};

/// A mount that a build of the fill's job has.
struct FilledMount<'g> {
    one: &'g ResolvedBuild,
    /// The report on the Dockerfile.
    report: &'g FileReport,
    mount: &'g CacheMount,
}

/// Returns whether each fill of the report `file` can be given another id once the Dockerfiles of its job's builds have a
/// lane there, or why not.
pub(super) fn changeable(
    graph: &BuildGraph<'_>,
    resolved: &[ResolvedBuild],
    file: usize,
) -> Vec<Result<(), String>> {
    let report = graph.report(file);
    let fills = report.builds.iter().flat_map(|builds| &builds.file.fills);
    let of_fill = |fill: &Fill| {
        fill.renaming.as_ref().map_err(String::clone)?;
        let mut is_used = false;
        for filled in mounted(fill, &report.settings) {
            let is_it = |mount: &CacheMount| mount.became.ids[0] == filled.became.ids[0];
            let uses = uses(graph, resolved, file, fill, &filled);
            for FilledMount { one, report, .. } in uses.iter().filter(|one| is_it(one.mount)) {
                lane(graph, one, report)?;
                is_used = true;
            }
        }
        let none = || "no build of its job is known to have the cache".to_owned();
        is_used.then_some(()).ok_or_else(none)
    };
    fills.map(of_fill).collect()
}

/// A cache that is filled by an id that no build has any more.
pub(super) struct UnusedFill {
    /// The index of the file that fills it.
    pub(super) file: usize,
    pub(super) finding: Finding,
    /// The change that fills the builds' cache.
    pub(super) refill: Option<Refill>,
}

/// Returns the caches that are filled by ids that no build has any more since they have a lane; without those of builds
/// that are still to get another lane.
pub(super) fn unused(
    graph: &BuildGraph<'_>,
    resolved: &[ResolvedBuild],
    waiting: &HashSet<BuildId>,
) -> Vec<UnusedFill> {
    let mut found = Vec::new();
    let mut used: Option<HashSet<&[u8]>> = None;
    for (file, report) in graph.own_reports() {
        let fills = report.builds.iter().flat_map(|builds| &builds.file.fills);
        for (number, fill) in fills.enumerate() {
            for filled in mounted(fill, &report.settings) {
                let id = &*filled.became.ids[0];
                let used = used.get_or_insert_with(|| ids(graph));
                let uses = uses(graph, resolved, file, fill, &filled);
                let moved = |one: &&FilledMount<'_>| without_lane(one.mount).as_deref() == Some(id);
                let uses: Vec<&FilledMount<'_>> = uses.iter().filter(moved).collect();
                let is_open = uses.iter().any(|one| waiting.contains(&one.one.id));
                if !used.contains(id) && !is_open {
                    let finding = check(graph, fill, id, &uses);
                    found.extend(finding.map(|(finding, id)| {
                        let refill = id.map(|id| Refill { fill: number, id });
                        UnusedFill {
                            file,
                            finding,
                            refill,
                        }
                    }));
                }
            }
        }
    }
    found
}

/// Returns the ids that the mounts of all files have in some builds.
fn ids<'g>(graph: &'g BuildGraph<'_>) -> HashSet<&'g [u8]> {
    let reports = graph.own_reports().map(|(_, report)| report);
    let mounts = reports.flat_map(|report| &report.checked.mounts);
    let mounts = mounts.take_while(|_| budget::spend(BUILDS));
    mounts
        .flat_map(|mount| &mount.became.ids)
        .map(|id| &**id)
        .collect()
}

/// Returns the mounts of builds of the fill's job that may be the cache `filled`, whatever their ids.
fn uses<'g>(
    graph: &'g BuildGraph<'_>,
    resolved: &'g [ResolvedBuild],
    file: usize,
    fill: &Fill,
    filled: &CacheMount,
) -> Vec<FilledMount<'g>> {
    let is_of_job = |one: &&ResolvedBuild| {
        let jobs = &graph.build(one.id).jobs;
        let is_it = fill
            .job
            .as_ref()
            .map_or(jobs.is_empty(), |job| jobs.contains(job));
        one.id.file == file && is_it
    };
    let mut found = Vec::new();
    budget::spend(resolved.len());
    for one in resolved.iter().filter(is_of_job) {
        let Some(report) = one.built(graph).map(|index| graph.report(index)) else {
            continue;
        };
        let mounts = report
            .checked
            .mounts
            .iter()
            .take_while(|_| budget::spend(1));
        let mounts = mounts.filter(|mount| mount.key.base == filled.key.base);
        found.extend(mounts.map(|mount| FilledMount { one, report, mount }));
    }
    found
}

/// Returns the id of a mount with a lane behind it, and without that lane.
fn without_lane(mount: &CacheMount) -> Option<Vec<u8>> {
    let ids = &mount.became.ids;
    let is_known = ids[0] == ids[2] && ids[1] == ids[3];
    let before = ids[1].strip_suffix(LANE)?.strip_suffix(b"-")?;
    (is_known && !before.contains_str(LANE)).then(|| before.to_vec())
}

/// Returns the lane that a build passes, as a workflow has it written, if any; fails where that cannot be said there.
fn lane(
    graph: &BuildGraph<'_>,
    one: &ResolvedBuild,
    report: &FileReport,
) -> Result<Option<String>, String> {
    let arg = &report.settings.arg;
    let name = &graph.build(one.id).name;
    match one.passes(graph, arg, arg) {
        Some(passed) if passed.status == LaneStatus::Passed => {
            let value = passed.arg.value.as_deref().unwrap_or_default();
            let known = (!value.is_empty() && is_plain(value)).then(|| Some(value.to_owned()));
            known.ok_or_else(|| format!("only a run knows the lane that {name} passes"))
        }
        Some(_) => Err(format!("{name} passes a namespace")),
        None if graph.build(one.id).args_known => Ok(None),
        None => Err(format!("only a run knows what {name} passes")),
    }
}

/// Returns whether a text of expressions and other signs can be part of an id, and of JSON.
fn is_plain(text: &str) -> bool {
    let sign = |ch: char| ch.is_ascii_alphanumeric() || "._-/:@+~".contains(ch);
    let mut parts = text.split("${{");
    let first = parts.next().unwrap_or_default();
    first.chars().all(sign)
        && parts.all(|part| {
            part.split_once("}}").is_some_and(|(inner, behind)| {
                let within = |ch: char| ch == ' ' || ch == '|' || sign(ch);
                inner.chars().all(within) && behind.chars().all(sign)
            })
        })
}

/// Says that the builds have the cache `id` by another id by now, and returns that where it is one.
fn check(
    graph: &BuildGraph<'_>,
    fill: &Fill,
    id: &[u8],
    uses: &[&FilledMount<'_>],
) -> Option<(Finding, Option<String>)> {
    let first = uses.first()?;
    let mut new: BTreeSet<String> = BTreeSet::new();
    let mut why = None;
    for one in uses {
        let [own, with_lane, ..] = &one.mount.became.ids;
        match lane(graph, one.one, one.report) {
            Ok(None) => new.extend([own.to_str_lossy().into_owned()]),
            Ok(Some(lane)) => {
                let id = with_lane.replace(LANE, lane);
                new.extend([id.to_str_lossy().into_owned()]);
            }
            Err(reason) => why = Some(reason),
        }
    }
    let renaming = match &fill.renaming {
        _ if new.len() > 1 => Err("its builds have several: give them one lane".to_owned()),
        Ok(renaming) => why.map_or(Ok(renaming), Err),
        Err(reason) => Err(reason.clone()),
    };
    let new = renaming.and_then(|renaming| {
        let id = new.pop_first().filter(|id| is_plain(id));
        let id = id.ok_or("the id has signs that cannot stand there")?;
        Ok((renaming.edit(&id), id))
    });
    let by_ref = new.as_ref().map_err(String::clone);
    let by_ref = by_ref.map(|(edit, id)| (&**id, edit.clone()));
    let build = &graph.build(first.one.id).name;
    let (source, span) = (&first.report.source, first.mount.span);
    let finding = stale_fill(place(fill), &id.to_str_lossy(), build, by_ref).point(Location {
        place: Place::There {
            path: (graph.access.name)(&first.report.path),
            range: LineIndex::new(source).range(source, span),
        },
        message: "has a lane".into(),
    });
    Some((finding, new.ok().map(|(_, id)| id)))
}

/// Returns the place of a fill in findings.
fn place(fill: &Fill) -> Span {
    let own = fill.renaming.as_ref().map(|renaming| renaming.span);
    own.ok()
        .filter(|span| !span.is_empty())
        .unwrap_or(fill.span)
}

/// Makes those fixes of a file up to `level` that fill caches by other ids; `None` where there is none.
pub fn rename_fills(report: &FileReport, level: Applicability) -> Option<Fixed> {
    let builds = report.builds.as_ref()?;
    let text = std::str::from_utf8(&report.source).ok()?;
    let (mut findings, mut renamed): (Vec<&Finding>, Vec<RenamedFill<'_>>) = Default::default();
    for Refill { fill, id } in &builds.refills {
        let span = place(&builds.file.fills[*fill]);
        let mut found = report.checked.findings.iter();
        let found = found.find(|one| one.rule == RuleId::UnpassedArg && one.span == span);
        let may_fix = |fix: &Fix| fix.applicability() <= level;
        if let Some(finding) = found.filter(|one| one.fix.as_ref().is_some_and(may_fix)) {
            findings.push(finding);
            renamed.push(RenamedFill { fill: *fill, id });
        }
    }
    let fixes: Vec<&Fix> = findings.iter().flat_map(|finding| &finding.fix).collect();
    let proved = apply_proved(&report.source, &fixes, |new, made| {
        let renamed: Vec<RenamedFill<'_>> = made.iter().map(|index| renamed[*index]).collect();
        let new = String::from_utf8_lossy(new);
        builds::prove_fills(builds.format, text, &builds.file, &new, &renamed)
    });
    Some(Fixed::of(&report.source, &findings, proved))
}

impl Renaming {
    /// Returns the edit that writes `id`.
    fn edit(&self, id: &str) -> Edit {
        Edit::replace(self.span, format!("{}{id}{}", self.before, self.behind))
    }
}
