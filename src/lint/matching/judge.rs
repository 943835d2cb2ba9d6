//! Determines each build's lane, and runs the rules about builds.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::PathBuf;

use super::concurrent::{ConcurrentJobs, concurrent_jobs};
use super::graph::BuildGraph;
use super::model::{BuildStatus, Builds, FileAccess, LaneStatus};
use super::resolve::{ResolvedBuild, resolve};
use crate::builds::{Build, Inserter, Lane, Open, Subject};
use crate::finding::{Finding, RuleId};
use crate::fix::Fix;
use crate::lint::finalize::finalize;
use crate::lint::model::{BuildFileReport, FileReport, MissingArg};
use crate::rules::build_context::{BuildContext, Concurrent, Fixes};
use crate::rules::lane_requirements::LaneRequirements;
use crate::rules::registry;

/// Adds the findings of rules about builds to `reports`, and finalizes those of the build files. Call it once, after
/// [`relate_reports`](crate::lint::relate_reports); `whole` is true where these are all files.
pub fn match_builds(reports: &mut [FileReport], whole: bool, access: &FileAccess<'_>) -> Builds {
    if reports.iter().all(|report| report.builds.is_none()) {
        return Builds::default();
    }
    let mut builds = Builds::default();
    let mut findings: HashMap<usize, Vec<Finding>> = HashMap::new();
    let mut missing: HashMap<usize, Vec<MissingArg>> = HashMap::new();
    {
        let graph = BuildGraph::new(reports.iter().collect(), access);
        let resolved = resolve(&graph, &mut builds.unknown);
        let checker = BuildChecker {
            outside: outside(&graph, &resolved),
            jobs: concurrent_jobs(&graph, &resolved),
            graph: &graph,
        };
        // The builds of a file are together, so that it is read once for all their fixes.
        for group in resolved.chunk_by(|a, b| a.id.file == b.id.file) {
            for checked in checker.file(group) {
                let file = checked.status.file;
                findings.entry(file).or_default().extend(checked.findings);
                missing.entry(file).or_default().extend(checked.missing);
                builds.known.push(checked.status);
            }
        }
    }
    for (index, report) in reports.iter_mut().enumerate() {
        let Some(builds) = &mut report.builds else {
            continue;
        };
        builds.missing = missing.remove(&index).unwrap_or_default();
        let mut found = findings.remove(&index).unwrap_or_default();
        found.retain(|finding| report.settings.is_on(finding.rule));
        // A build of several files with lanes is reported once.
        found.sort_by_key(|found| (found.span, found.rule));
        found.dedup_by(|a, b| (a.span, a.rule) == (b.span, b.rule));
        report.checked.findings.extend(found);
        finalize(&mut report.checked, &report.settings, whole);
    }
    builds
}

/// Says of each Dockerfile among `reports` whether podman or buildah do all builds of it, where its builds are known.
pub fn mark_buildah(reports: &mut [FileReport], access: &FileAccess<'_>) {
    let builds = |report: &FileReport| {
        let builds = report.builds.iter().flat_map(|builds| &builds.file.builds);
        builds.into_iter().any(|build| build.tool.is_buildah())
    };
    if !reports.iter().any(builds) {
        return;
    }
    let mut by_buildah: HashMap<usize, bool> = HashMap::new();
    {
        let graph = BuildGraph::new(reports.iter().collect(), access);
        for one in resolve(&graph, &mut Vec::new()) {
            let built = one.dockerfile.as_ref().and_then(|path| graph.index(path));
            if let Some(built) = built {
                let tool = graph.build(one.id).tool;
                *by_buildah.entry(built).or_insert(true) &= tool.is_buildah();
            }
        }
    }
    for (index, report) in reports.iter_mut().enumerate() {
        report.checked.by_buildah = by_buildah.get(&index).copied();
    }
}

/// Returns the absolute paths of the Dockerfiles that builds of `reports` lead to.
#[cfg(feature = "cli")]
pub fn dockerfiles(
    reports: Vec<&FileReport>,
    access: &FileAccess<'_>,
) -> std::collections::BTreeSet<PathBuf> {
    let graph = BuildGraph::new(reports, access);
    let resolved = resolve(&graph, &mut Vec::new()).into_iter();
    resolved.filter_map(|one| one.dockerfile).collect()
}

/// Loads the reports on Dockerfiles of builds that are outside the run.
fn outside(
    graph: &BuildGraph<'_>,
    resolved: &[ResolvedBuild],
) -> HashMap<PathBuf, Option<FileReport>> {
    let mut outside = HashMap::new();
    for path in resolved.iter().filter_map(|one| one.dockerfile.as_ref()) {
        if graph.index(path).is_none() && !outside.contains_key(path) {
            outside.insert(path.clone(), (graph.access.load)(path, None));
        }
    }
    outside
}

struct BuildChecker<'j> {
    graph: &'j BuildGraph<'j>,
    outside: HashMap<PathBuf, Option<FileReport>>,
    /// The jobs that build each Dockerfile.
    jobs: HashMap<PathBuf, ConcurrentJobs<'j>>,
}

struct CheckedBuild {
    status: BuildStatus,
    findings: Vec<Finding>,
    missing: Option<MissingArg>,
}

impl BuildChecker<'_> {
    /// Checks the builds `group` of one file.
    fn file(&self, group: &[ResolvedBuild]) -> Vec<CheckedBuild> {
        let report = group.first().map(|one| self.graph.report(one.id.file));
        let builds = report.and_then(|report| report.builds.as_ref());
        let source = report.and_then(|report| std::str::from_utf8(&report.source).ok());
        let (Some(builds), Some(source)) = (builds, source) else {
            return Vec::new();
        };
        let opened: OnceCell<Result<Box<dyn Open + '_>, String>> = OnceCell::new();
        let inserter: OnceCell<Result<Inserter<'_>, String>> = OnceCell::new();
        let fixes = |build: &Build, lane: &Lane<'_>| -> Result<Fix, String> {
            let open = || builds.format.open(source).map_err(|error| error.message);
            let opened = opened.get_or_init(open).as_ref();
            let make = || opened.map_err(String::clone)?.inserter();
            let inserter = inserter.get_or_init(make).as_ref();
            Ok(inserter.map_err(String::clone)?(build, lane)?.fix)
        };
        let group = group.iter();
        group.map(|one| self.build(one, builds, &fixes)).collect()
    }

    fn build(
        &self,
        one: &ResolvedBuild,
        file: &BuildFileReport,
        fixes: &Fixes<'_>,
    ) -> CheckedBuild {
        let graph = self.graph;
        let build = &file.file.builds[one.id.build];
        let own = graph.report(one.id.file);
        let report = match &one.dockerfile {
            None => Some(own),
            Some(path) => match graph.index(path) {
                Some(index) => Some(graph.report(index)),
                None => self.outside.get(path).and_then(Option::as_ref),
            },
        };
        let asks = report.and_then(|report| Some((report, requirements(report, one, build)?)));
        let arg = asks.map_or(&own.settings.arg, |(_, lanes)| &lanes.arg);
        let passes = one.passes(graph, arg);
        let asks = asks.filter(|(_, lanes)| lanes.takes_lane(one.target.as_deref()));
        let runs = one.called.as_ref().unwrap_or(&build.runs);
        let lane = match (&passes, &asks) {
            (Some(passed), _) => passed.status,
            (None, None) if report.is_some_and(has_shared_lock) => LaneStatus::NotYet,
            (None, None) if report.is_none() && !self.is_there(one, build) => LaneStatus::NotThere,
            (None, None) => LaneStatus::NotNeeded,
            (None, Some((report, _))) if report.settings.namespace && !build.tool.is_buildah() => {
                LaneStatus::Namespace
            }
            (None, Some(_)) if !build.args_known => LaneStatus::Unknown,
            (None, Some(_)) if one.builder.own().is_some() => LaneStatus::OwnMachine,
            (None, Some(_)) => LaneStatus::Default,
        };
        let (mut findings, mut missing) = (Vec::new(), None);
        if let Some((report, lanes)) = asks {
            let jobs = one.dockerfile.as_ref().and_then(|path| self.jobs.get(path));
            let concurrent = jobs.map_or(Concurrent::None, |jobs| jobs.of(one.id.file, build));
            let context = BuildContext {
                build,
                fixes,
                path: &(graph.access.name)(&report.path),
                lanes,
                settings: &report.settings,
                runs,
                is_called: one.called.is_some(),
                concurrent,
                stays: lane == LaneStatus::Default,
            };
            registry::check_build(&context, &mut findings);
            let is_fixed = findings.iter().any(|finding| finding.fix.is_some());
            missing = is_fixed.then(|| MissingArg {
                build: one.id.build,
                arg: lanes.arg.clone(),
                default: lanes.default.clone(),
                shared: concurrent != Concurrent::None,
            });
        }
        CheckedBuild {
            status: BuildStatus {
                file: one.id.file,
                build: one.id.build,
                dockerfile: one.dockerfile.clone(),
                target: one.target.clone(),
                runs: runs.clone(),
                lane,
                builder: one.builder.clone(),
                value: passes.and_then(|passed| passed.arg.value.clone()),
            },
            findings,
            missing,
        }
    }

    /// Returns whether the build's Dockerfile exists under one of the names that are tried.
    fn is_there(&self, one: &ResolvedBuild, build: &Build) -> bool {
        let Some(path) = &one.dockerfile else {
            return true;
        };
        let is_there = self.graph.access.is_there;
        let other = if build.tool.is_buildah() {
            "Containerfile"
        } else {
            "dockerfile"
        };
        is_there(path) || path.ends_with("Dockerfile") && is_there(&path.with_file_name(other))
    }
}

/// Returns the lanes that the Dockerfile of `report`, or the one within it, asks of its builds.
fn requirements<'r>(
    report: &'r FileReport,
    one: &ResolvedBuild,
    build: &Build,
) -> Option<&'r LaneRequirements> {
    match (&one.dockerfile, &build.subject) {
        (Some(_), _) => report.checked.lanes.as_deref(),
        (None, Subject::Inline(index)) => report.builds.as_ref()?.lanes.get(*index)?.as_deref(),
        (None, _) => None,
    }
}

/// Returns whether the Dockerfile has a lock that all builds share.
fn has_shared_lock(report: &FileReport) -> bool {
    let mut findings = report.checked.findings.iter();
    findings.any(|finding| finding.rule == RuleId::SharedLock)
}
