//! Determines each build's lane, and runs the rules about builds.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use super::calls::check_calls;
use super::clearing;
use super::contenders::Contenders;
use super::fills::unused;
use super::graph::{BuildGraph, BuildId, has_shared_lock, shared_locks};
use super::model::{BuildStatus, FileAccess};
use super::outdated;
use super::pair::pair;
use super::plans::{Candidate, PlannedFix, plans};
use super::resolve::{Lost, resolve};
use super::resolved::{ResolvedBuild, called, content};
use super::waits::{LaneUse, Wait, Waits};
use crate::budget;
use crate::builds::{
    Build, BuildTool, Builder, NAMESPACE, OwnBuilder, Subject, Unknown, ValueSource,
};
use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId};
use crate::fix::Fix;
use crate::index::CacheMount;
use crate::lint::finalize::finalize_builds;
use crate::lint::model::{BuildFileReport, FileReport, KnownBuild, LaneStatus, MissingArg, Refill};
use crate::lint::relate::relate_reports;
use crate::rules::build_context::{BuildContext, Waiting};
use crate::rules::lane_requirements::LaneRequirements;
use crate::rules::locks::Locks;
use crate::rules::registry;
use crate::text::Span;

/// Adds the findings of rules about builds to `reports`, and finalizes those of the build files. Call it once, after
/// [`relate_reports`](crate::lint::relate_reports); `whole` is true where these are all files. Returns the builds of which
/// the Dockerfile is known.
pub fn match_builds(
    reports: &mut [FileReport],
    whole: bool,
    access: &FileAccess<'_>,
) -> Vec<BuildStatus> {
    if reports.iter().all(|report| report.builds.is_none()) {
        return Vec::new();
    }
    let (mut statuses, mut lost) = (Vec::new(), Lost::default());
    let mut unresolved: HashMap<usize, Vec<Unknown>> = HashMap::new();
    let mut findings: HashMap<usize, Vec<Finding>> = HashMap::new();
    let mut missing: HashMap<usize, Vec<MissingArg>> = HashMap::new();
    let mut known: HashMap<usize, Vec<KnownBuild>> = HashMap::new();
    let mut refills: HashMap<usize, Vec<Refill>> = HashMap::new();
    let mut elsewhere: BTreeSet<(usize, usize, Span)> = BTreeSet::new();
    {
        let graph = BuildGraph::new(reports.iter().collect(), access);
        let resolved = resolve(&graph, &mut lost);
        let checker = BuildChecker::new(&graph, &resolved);
        for (file, finding) in check_calls(&graph, &resolved, |one| checker.report(one)) {
            findings.entry(file).or_default().push(finding);
        }
        let called = called(&graph, &resolved);
        let mut waiting = HashSet::new();
        for checked in checker.check() {
            let file = checked.status.file;
            let mut of_build = checked.findings.iter();
            let is_found = of_build.any(|finding| finding.rule == RuleId::UnpassedArg);
            if is_found {
                let build = checked.status.build;
                waiting.insert(BuildId { file, build });
            }
            findings.entry(file).or_default().extend(checked.findings);
            missing.entry(file).or_default().extend(checked.missing);
            let built = match &checked.status.dockerfile {
                Some(path) => graph.index(path),
                None => Some(file),
            };
            // A script's command counts as its caller's.
            let is_counted = |built: &usize| *built == file || !checked.status.is_called;
            if let Some(built) = built.filter(is_counted) {
                let build = checked.status.build;
                if graph.report(file).is_context {
                    let span = graph.build(BuildId { file, build }).span;
                    elsewhere.insert((built, file, span));
                }
                known.entry(built).or_default().push(KnownBuild {
                    builder: checked.status.builder.clone(),
                    lane: checked.status.lane,
                    is_called: called.contains(&BuildId { file, build }),
                    is_found,
                });
            }
            statuses.push(checked.status);
        }
        for one in unused(&graph, &resolved, &waiting) {
            findings.entry(one.file).or_default().push(one.finding);
            refills.entry(one.file).or_default().extend(one.refill);
        }
    }
    for (file, unknown) in lost.unknown {
        unresolved.entry(file).or_default().push(unknown);
    }
    for (index, report) in reports.iter_mut().enumerate() {
        report.known = known.remove(&index).unwrap_or_default();
        let Some(builds) = &mut report.builds else {
            continue;
        };
        builds.missing = missing.remove(&index).unwrap_or_default();
        builds.refills = refills.remove(&index).unwrap_or_default();
        builds.unresolved = unresolved.remove(&index).unwrap_or_default();
        let own = lost.only_missing.iter().filter(|(file, _)| *file == index);
        builds.only_missing = own.map(|(_, images)| images.clone()).collect();
        let mut found = findings.remove(&index).unwrap_or_default();
        found.retain(|finding| report.settings.is_on(finding.rule));
        // A build of several files with lanes is reported once.
        found.sort_by_key(|found| (found.span, found.rule));
        found.dedup_by(|a, b| (a.span, a.rule) == (b.span, b.rule));
        report.checked.findings.extend(found);
        finalize_builds(&mut report.checked, &report.settings, whole);
    }
    for (built, file, span) in elsewhere {
        let mut findings = reports[file].checked.findings.iter();
        let is_told = findings.any(|one| one.rule == RuleId::UnpassedArg && one.span == span);
        reports[built].waiting_elsewhere += usize::from(is_told);
    }
    statuses
}

/// Loads the reports on Dockerfiles of builds that are outside the run, each a run of its own.
fn outside(
    graph: &BuildGraph<'_>,
    resolved: &[ResolvedBuild],
) -> HashMap<PathBuf, Option<FileReport>> {
    let mut outside = HashMap::new();
    for path in resolved.iter().filter_map(|one| one.dockerfile.as_ref()) {
        if graph.index(path).is_none() && !outside.contains_key(path) {
            let mut report = (graph.access.load)(path, None);
            relate_reports(report.as_mut_slice(), false, graph.access.name);
            outside.insert(path.clone(), report);
        }
    }
    outside
}

pub(super) struct BuildChecker<'j> {
    graph: &'j BuildGraph<'j>,
    resolved: &'j [ResolvedBuild],
    pub(super) outside: HashMap<PathBuf, Option<FileReport>>,
}

struct CheckedBuild {
    status: BuildStatus,
    findings: Vec<Finding>,
    missing: Option<MissingArg>,
}

/// A build with the report on its Dockerfile and what that asks for.
pub(super) struct Subjected<'j> {
    pub(super) one: &'j ResolvedBuild,
    file: &'j BuildFileReport,
    /// The report on the Dockerfile, or on the file that it stands in.
    pub(super) report: Option<&'j FileReport>,
    lanes: Option<&'j LaneRequirements>,
    /// Its builder, also by the configuration of the Dockerfile.
    pub(super) builder: Builder,
    /// True for a service or target that passes a variable of its caller's environment.
    is_open: bool,
    status: LaneStatus,
    value: Option<String>,
}

impl<'j> BuildChecker<'j> {
    pub(super) fn new(graph: &'j BuildGraph<'j>, resolved: &'j [ResolvedBuild]) -> Self {
        Self {
            outside: outside(graph, resolved),
            graph,
            resolved,
        }
    }

    fn check(&'j self) -> Vec<CheckedBuild> {
        let all = self.resolved.iter().map(|one| self.subjected(one));
        let Some(mut all) = all.collect::<Option<Vec<Subjected<'j>>>>() else {
            return Vec::new();
        };
        self.mark_handed_on(&mut all);
        if all.iter().all(|one| one.lanes.is_none()) {
            // Nothing that a build passes parts any.
            let build = |one| self.build(one, None, Waiting::No, None);
            return all.iter().map(build).collect();
        }
        let contenders = Contenders::new(self.graph, self.resolved);
        // They are read once more, since their ids are expanded by what each run passes.
        let files: Vec<Option<Dockerfile<'_>>> = all.iter().map(|one| self.read(one)).collect();
        let locks = files.iter().zip(&all).map(|(file, one)| {
            let settings = &one.report?.settings;
            Some(Locks::new(file.as_ref()?, settings))
        });
        let locks: Vec<Option<Locks<'_>>> = locks.collect();
        let is_alone =
            |one: usize| all[one].builder.own().is_some() || all[one].builder.unknown().is_some();
        let waits = Waits {
            graph: self.graph,
            resolved: self.resolved,
            locks: &locks,
            contenders: &contenders,
            is_alone: &is_alone,
        };
        let found = waits.find(&HashMap::new());
        let waiting = found.keys().map(|lane| lane.one);
        // Of a script that nobody is known to run, each run may be one of several.
        let is_open = |one: &Subjected<'_>| {
            let is_own = !one.one.is_called && one.one.hands_on(self.graph);
            is_own && one.status == LaneStatus::Default
        };
        let open = (0..all.len()).filter(|index| is_open(&all[*index]));
        let content = content(self.graph, self.resolved, waiting.chain(open));
        let mut plans = self.plans(&all, &waits, &found, &content);
        let build = |(index, one): (usize, &Subjected<'j>)| {
            let first = LaneUse {
                one: index,
                args: Vec::new(),
            };
            let own = found.range(first..);
            let own = own.take_while(|(lane, _)| lane.one == index);
            // The lane argument says more than others.
            let is_other =
                |lane: &LaneUse<'_>| one.lanes.is_none_or(|lanes| lanes.args != lane.args);
            let wait = own.min_by_key(|(lane, _)| is_other(lane));
            let waiting = match wait {
                Some((_, wait)) => Waiting::For(pair(self.graph, self.resolved, wait, &waits)),
                None if one.status == LaneStatus::Default
                    && one.one.waits_itself(self.graph, &content) =>
                {
                    Waiting::Itself
                }
                None => Waiting::No,
            };
            let lane = wait.map(|(lane, _)| lane);
            self.build(one, lane, waiting, plans.remove(&index))
        };
        all.iter().enumerate().map(build).collect()
    }

    /// Marks the services and targets that pass what their caller's environment sets, where no known command sets it.
    fn mark_handed_on(&self, all: &mut [Subjected<'j>]) {
        let passes = |one: &&Subjected<'_>| {
            let build = self.graph.build(one.one.id);
            let is_command = matches!(build.subject, Subject::Files(..));
            is_command && matches!(one.status, LaneStatus::Passed | LaneStatus::Namespace)
        };
        let fed = all.iter().filter(passes).flat_map(|one| &one.one.layers);
        let fed: HashSet<BuildId> = fed.copied().collect();
        for one in all {
            let passes = matches!(one.status, LaneStatus::Passed | LaneStatus::Namespace);
            if passes && one.is_open && !fed.contains(&one.one.id) {
                one.status = LaneStatus::HandedOn;
            }
        }
    }

    /// Finds the Dockerfile of a build, and whether it has a lane.
    pub(super) fn subjected(&'j self, one: &'j ResolvedBuild) -> Option<Subjected<'j>> {
        let graph = self.graph;
        let own = graph.report(one.id.file);
        let file = own.builds.as_deref()?;
        let build = &file.file.builds[one.id.build];
        let report = self.report(one);
        let settings = report.map_or(&own.settings, |report| &report.settings);
        let all = report.map_or(&[][..], |report| requirements(report, one, build));
        let lanes = all
            .iter()
            .find(|lanes| lanes.taken(one.target.as_deref()).is_some());
        let args = lanes.or(all.first()).map(|lanes| &lanes.args);
        let args = args.map_or(std::slice::from_ref(&settings.arg), Vec::as_slice);
        let mut args = args.iter();
        let passes = args.find_map(|name| one.passes(graph, name, &settings.arg));
        let is_configured = report.is_some_and(|report| report.settings.has_own_builders());
        let builder = match &one.builder {
            Builder::Own(_) => one.builder.clone(),
            _ if is_configured => Builder::Own(OwnBuilder::Configured),
            other => other.clone(),
        };
        let status = match (&passes, lanes) {
            (Some(passed), _) => passed.status,
            (None, None) if report.is_some_and(has_shared_lock) => LaneStatus::NotYet,
            (None, None) if report.is_none() && !one.is_there(self.graph) => LaneStatus::NotThere,
            (None, None) => LaneStatus::NotNeeded,
            (None, Some(_)) if !one.args_known(graph) || builder.unknown().is_some() => {
                LaneStatus::Unknown
            }
            (None, Some(_)) if builder.own().is_some() => LaneStatus::OwnMachine,
            (None, Some(_)) => LaneStatus::Default,
        };
        Some(Subjected {
            one,
            file,
            report,
            lanes,
            builder,
            is_open: (build.service.is_some() || build.tool == BuildTool::Devcontainer)
                && !matches!(build.subject, Subject::Files(..))
                && passes.as_ref().is_some_and(|passed| {
                    matches!(&passed.arg.from, ValueSource::Variables(names) if !names.is_empty())
                }),
            status,
            value: passes.and_then(|passed| passed.arg.value.clone()),
        })
    }

    /// Reads the Dockerfile of a build, where it has locks.
    pub(super) fn read(&'j self, one: &Subjected<'j>) -> Option<Dockerfile<'j>> {
        let is_locked =
            |report: &&FileReport| report.checked.mounts.iter().any(CacheMount::is_locked);
        let report = one.report.filter(is_locked)?;
        let bytes = match (&one.one.dockerfile, &self.graph.build(one.one.id).subject) {
            (None, Subject::Inline(index)) => one.file.file.inline.get(*index)?.text.as_bytes(),
            _ => &report.source,
        };
        let can = budget::spend(bytes.len());
        can.then(|| Dockerfile::read(bytes).ok()).flatten()
    }

    /// Plans the lanes of the builds that wait.
    fn plans(
        &self,
        all: &[Subjected<'j>],
        waits: &Waits<'_>,
        found: &BTreeMap<LaneUse<'_>, Wait>,
        content: &HashSet<BuildId>,
    ) -> HashMap<usize, PlannedFix> {
        let candidate = |(index, one): (usize, &Subjected<'j>)| {
            let takes = |lanes: &&LaneRequirements| {
                lanes.arg() != NAMESPACE || one.one.tool.takes_namespace()
            };
            let lanes = one.lanes.filter(|lanes| lanes.is_lane).filter(takes);
            Some(Candidate {
                index,
                id: one.one.id,
                format: one.file.format,
                lanes: lanes.filter(|_| one.status == LaneStatus::Default)?,
                waits_itself: one.one.waits_itself(self.graph, content),
                scripted: one.one.scripted(self.graph).collect(),
                kept_back: one.one.kept_back(self.graph, lanes?.arg()),
            })
        };
        let candidates: Vec<_> = all.iter().enumerate().filter_map(candidate).collect();
        plans(self.graph, waits, &candidates, found)
    }

    fn build(
        &self,
        one: &Subjected<'j>,
        lane: Option<&LaneUse<'_>>,
        waiting: Waiting,
        plan: Option<PlannedFix>,
    ) -> CheckedBuild {
        let id = one.one.id;
        let build = self.graph.build(id);
        let runs = one.one.called.as_ref().unwrap_or(&build.runs);
        let (mut findings, mut missing) = (Vec::new(), None);
        let waited = lane.and_then(|lane| {
            let mut all = requirements(one.report?, one.one, build).iter();
            all.find(|lanes| lanes.args == lane.args)
        });
        if let (Some(report), Some(lanes)) = (one.report, waited.or(one.lanes)) {
            let parts = plan.as_ref().map(|plan| plan.parts.clone());
            let arg = &report.settings.arg;
            let passes =
                |name: &'j String| Some((name.as_str(), one.one.passes(self.graph, name, arg)?));
            let passed = lanes.args.iter().find_map(passes);
            let passed = passed.map(|(name, passed)| passed.named(name));
            let reason = || {
                Err(match passed {
                    Some(_) => "it is passed already".to_owned(),
                    None if lanes.arg() == NAMESPACE => "it passes no namespace on".to_owned(),
                    None => format!("only you know the values of `{}`", lanes.arg()),
                })
            };
            let fix =
                plan.map_or_else(reason, |plan| plan.insertion.map(|insertion| insertion.fix));
            let context = BuildContext {
                build,
                fix,
                path: &(self.graph.access.name)(&report.path),
                lanes,
                lock: lanes
                    .taken(one.one.target.as_deref())
                    .unwrap_or(&lanes.locks[0]),
                runs,
                passed,
                waiting,
                is_set: one.is_open && one.status != LaneStatus::HandedOn,
            };
            registry::check_build(&context, &mut findings);
            let is_fixed = findings.iter().any(|finding| finding.fix.is_some());
            missing = parts.filter(|_| is_fixed).map(|parts| MissingArg {
                build: id.build,
                arg: lanes.arg().to_owned(),
                default: lanes.default.clone(),
                parts,
            });
        }
        if let (Some(report), Some(_)) = (one.report, &build.no_cache)
            && self.is_for_others(one)
        {
            findings.extend(clearing::check(self.graph, one.one, report));
        }
        let outdated = one
            .report
            .and_then(|report| outdated::check(self.graph, one.one, report, one.status));
        findings.extend(outdated);
        CheckedBuild {
            status: BuildStatus {
                file: id.file,
                build: id.build,
                dockerfile: one.one.dockerfile.clone(),
                target: one.one.target.clone(),
                runs: runs.clone(),
                lane: one.status,
                fix: one.report.and_then(|report| {
                    let fixes = shared_locks(report).filter_map(|lock| lock.fix.as_ref());
                    fixes.map(Fix::applicability).min()
                }),
                is_outside: one.one.is_outside(self.graph),
                builder: one.builder.clone(),
                value: one.value.clone(),
                is_called: one.one.is_called,
            },
            findings,
            missing,
        }
    }

    /// Returns whether others are known to use the builder of a build; that of a service or target is its callers', and
    /// who runs a script that nobody calls is not known.
    fn is_for_others(&self, one: &Subjected<'_>) -> bool {
        if !one.one.is_called && self.graph.build(one.one.id).is_of_script() {
            return false;
        }
        let is_shared = |builder: &Builder| builder.own().is_none() && builder.unknown().is_none();
        let callers = self.resolved.iter().filter(|caller| {
            budget::spend(1 + caller.layers.len()) && caller.layers.contains(&one.one.id)
        });
        let mut callers = callers.map(|caller| is_shared(&caller.builder)).peekable();
        let is_called = self.graph.build(one.one.id).service.is_some() && callers.peek().is_some();
        is_shared(&one.builder) && (!is_called || callers.any(|is_shared| is_shared))
    }

    /// Returns the report on the Dockerfile of `one`, or on the file that it stands in.
    fn report(&self, one: &ResolvedBuild) -> Option<&FileReport> {
        let Some(path) = &one.dockerfile else {
            return Some(self.graph.report(one.id.file));
        };
        match self.graph.index(path) {
            Some(index) => Some(self.graph.report(index)),
            None => self.outside.get(path).and_then(Option::as_ref),
        }
    }
}

/// Returns the lanes that the Dockerfile of `report`, or the one within it, asks of its builds.
fn requirements<'r>(
    report: &'r FileReport,
    one: &ResolvedBuild,
    build: &Build,
) -> &'r [LaneRequirements] {
    match (&one.dockerfile, &build.subject, &report.builds) {
        (Some(_), ..) => &report.checked.lanes,
        (None, Subject::Inline(index), Some(builds)) => {
            builds.lanes.get(*index).map_or(&[], Vec::as_slice)
        }
        (None, ..) => &[],
    }
}
