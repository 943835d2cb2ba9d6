//! Builds and Dockerfiles brought together: which build uses which file, and what rules say about that.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::builds::{Build, BuildTool, FormatRef, Inserter, Lane, Open, Runs, Subject, Unknown};
use crate::finding::{Finding, RuleId};
use crate::fix::Fix;
use crate::rules::lanes::Lanes;
use crate::rules::{Settings, registry, wired};

use super::model::{Asked, FileReport, Wires};

mod crowd;
mod join;
mod rewire;

use crowd::Crowd;
use join::Files;
pub use join::Joined;
pub use rewire::{Rewired, fix_wires};

/// What the command line knows of the world around the files.
pub struct World<'w> {
    /// The folder that the paths of a file of this format start from.
    pub root: &'w dyn Fn(&Path, FormatRef) -> PathBuf,
    /// A path from the root of the file system on, without `.` and `..`.
    pub absolute: &'w dyn Fn(&Path) -> PathBuf,
    /// A path as reports print it.
    pub name: &'w dyn Fn(&Path) -> String,
    /// Whether a file is there.
    pub is_there: &'w dyn Fn(&Path) -> bool,
    /// The report on a file that is not among those of the run, a Dockerfile where no format is given; `None` where there is
    /// none, or nothing is in it.
    pub load: &'w dyn Fn(&Path, Option<FormatRef>) -> Option<FileReport>,
}

/// What becomes of a build's lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It passes one.
    Passed,
    /// It passes a namespace, which does the same.
    Namespace,
    /// It passes none, and the Dockerfile asks for one.
    Default,
    /// It passes none, and each run has a machine of its own, where nobody waits.
    OwnMachine,
    /// The Dockerfile asks for none.
    NotNeeded,
    /// There is no such Dockerfile: it is made before the build, or the path is wrong.
    NotThere,
    /// The Dockerfile has locks that all builds share, and no lanes yet.
    NotYet,
    /// Nobody can know.
    Unknown,
}

/// One build of one Dockerfile, and what became of its lane.
#[derive(Debug)]
pub struct Judged {
    /// The report that the build stands in, by its index.
    pub file: usize,
    /// The build, by its index there.
    pub build: usize,
    /// The Dockerfile, from the root of the file system on; `None` for one within a file.
    pub dockerfile: Option<PathBuf>,
    /// The stage that is built.
    pub target: Option<String>,
    /// How often it runs at once.
    pub runs: Runs,
    /// What becomes of its lane.
    pub verdict: Verdict,
    /// The value that it passes, as written.
    pub value: Option<String>,
}

/// All builds of a run.
#[derive(Debug, Default)]
pub struct Builds {
    /// Those of which something can be said.
    pub judged: Vec<Judged>,
    /// Those that lead to a file which is not there, each with the report that it stands in.
    pub unknown: Vec<(usize, Unknown)>,
}

/// A file that a build leads to.
struct Reached<'r> {
    lanes: &'r Lanes,
    settings: &'r Settings,
    name: String,
}

/// Adds to `reports` what rules say about their builds, and settles the files that say what is built. To be called once,
/// behind [`relate_reports`](super::relate_reports); `whole` says whether these are all files there are.
pub fn wire(reports: &mut [FileReport], whole: bool, world: &World<'_>) -> Builds {
    if reports.iter().all(|report| report.wires.is_none()) {
        return Builds::default();
    }
    let mut found = vec![Vec::new(); reports.len()];
    let mut asked: Vec<Vec<Asked>> = vec![Vec::new(); reports.len()];
    let mut builds = Builds::default();
    {
        let files = Files::new(reports, world);
        let joined = files.join(world, &mut builds.unknown);
        let outside = dockerfiles(&joined, &files, world);
        let crowds = crowd::crowds(&files, &joined);
        // The builds of a file stand together: it is read once for the fixes of all of them.
        for group in joined.chunk_by(|a, b| a.file == b.file) {
            let Some(first) = group.first() else { continue };
            let mut judge = Judge {
                world,
                files: &files,
                outside: &outside,
                crowds: &crowds,
                found: &mut found[first.file],
                asked: &mut asked[first.file],
            };
            builds.judged.extend(judge.file(group));
        }
    }
    for ((report, mut found), asked) in reports.iter_mut().zip(found).zip(asked) {
        let Some(wires) = &mut report.wires else {
            continue;
        };
        wires.asked = asked;
        found.retain(|finding| report.settings.is_on(finding.rule));
        // One build of several files with lanes is told of once.
        found.sort_by_key(|found| (found.span, found.rule));
        found.dedup_by(|a, b| (a.span, a.rule) == (b.span, b.rule));
        report.checked.findings.extend(found);
        super::settle::settle(&mut report.checked, &report.settings, whole);
    }
    builds
}

/// The reports on Dockerfiles that builds lead to and that are not among those of the run.
fn dockerfiles(
    joined: &[Joined],
    files: &Files<'_>,
    world: &World<'_>,
) -> HashMap<PathBuf, Option<FileReport>> {
    let mut outside = HashMap::new();
    for path in joined
        .iter()
        .filter_map(|one| one.dockerfile.as_ref())
        .filter(|path| files.at(path).is_none())
    {
        outside
            .entry(path.clone())
            .or_insert_with(|| (world.load)(path, None));
    }
    outside
}

/// What looks at the builds of one file.
struct Judge<'j> {
    world: &'j World<'j>,
    files: &'j Files<'j>,
    outside: &'j HashMap<PathBuf, Option<FileReport>>,
    crowds: &'j HashMap<PathBuf, Crowd<'j>>,
    found: &'j mut Vec<Finding>,
    asked: &'j mut Vec<Asked>,
}

impl<'j> Judge<'j> {
    /// Judges the builds `group` of one file.
    fn file(&mut self, group: &[Joined]) -> Vec<Judged> {
        let Some(report) = group.first().map(|one| self.files.report(one.file)) else {
            return Vec::new();
        };
        let (Some(wires), Ok(source)) = (&report.wires, std::str::from_utf8(&report.source)) else {
            return Vec::new();
        };
        let opened: OnceCell<Result<Box<dyn Open + '_>, String>> = OnceCell::new();
        let inserter: OnceCell<Result<Inserter<'_>, String>> = OnceCell::new();
        let fixes = |build: &Build, lane: &Lane<'_>| -> Result<Fix, String> {
            let opened = opened
                .get_or_init(|| wires.format.open(source).map_err(|error| error.message))
                .as_ref();
            let make = || opened.map_err(String::clone)?.inserter();
            let inserter = inserter.get_or_init(make).as_ref();
            Ok(inserter.map_err(String::clone)?(build, lane)?.fix)
        };
        group
            .iter()
            .map(|one| self.build(one, wires, &fixes))
            .collect()
    }

    fn build(&mut self, one: &Joined, wires: &Wires, fixes: &wired::Fixes<'_>) -> Judged {
        let build = &wires.wiring.builds[one.build];
        let report = match &one.dockerfile {
            Some(path) => self
                .files
                .at(path)
                .or_else(|| self.outside.get(path)?.as_ref()),
            None => Some(self.files.report(one.file)),
        };
        let reached = report.and_then(|report| self.reached(report, one, build));
        let arg = reached.as_ref().map_or_else(
            || self.files.report(one.file).settings.arg.clone(),
            |reached| reached.lanes.arg.clone(),
        );
        let concerned = reached.filter(|reached| reached.lanes.concern(one.target.as_deref()));
        let passes = self.files.passes(one, &arg);
        let runs = one.called.as_ref().unwrap_or(&build.runs).clone();
        let own_machine = build.own_machine || one.own_machine;
        let verdict = match (&passes, &concerned) {
            (Some((verdict, _)), _) => *verdict,
            (None, None) if report.is_some_and(is_shared) => Verdict::NotYet,
            (None, None) if report.is_none() && !self.is_there(one, build.tool) => {
                Verdict::NotThere
            }
            (None, None) => Verdict::NotNeeded,
            (None, Some(reached)) if reached.settings.namespace => Verdict::Namespace,
            (None, Some(_)) if !build.args_known => Verdict::Unknown,
            (None, Some(_)) if own_machine => Verdict::OwnMachine,
            (None, Some(_)) => Verdict::Default,
        };
        if let Some(reached) = &concerned {
            let crowd = one
                .dockerfile
                .as_ref()
                .and_then(|path| self.crowds.get(path));
            let wired = wired::Wired {
                build,
                fixes,
                path: &reached.name,
                lanes: reached.lanes,
                settings: reached.settings,
                runs: &runs,
                is_called: one.called.is_some(),
                others: crowd.map_or(wired::Others::None, |crowd| crowd.others(one.file, build)),
                stays: verdict == Verdict::Default,
            };
            let before = self.found.len();
            registry::check_build(&wired, self.found);
            if self.found[before..]
                .iter()
                .any(|finding| finding.fix.is_some())
            {
                let Lanes { arg, default, .. } = reached.lanes.clone();
                let shared = wired.others != wired::Others::None;
                self.asked.push(Asked {
                    build: one.build,
                    arg,
                    default,
                    shared,
                });
            }
        }
        let value = passes.and_then(|(_, value)| value);
        let (dockerfile, target) = (one.dockerfile.clone(), one.target.clone());
        Judged {
            file: one.file,
            build: one.build,
            dockerfile,
            target,
            runs,
            verdict,
            value,
        }
    }

    /// Whether there is a file that the build can take for its Dockerfile, by one of the names that are tried.
    fn is_there(&self, one: &Joined, front: BuildTool) -> bool {
        let Some(path) = &one.dockerfile else {
            return true;
        };
        let others: &[&str] = match front {
            _ if !path.ends_with("Dockerfile") => &[],
            BuildTool::Podman | BuildTool::Buildah => &["Containerfile"],
            _ => &["dockerfile"],
        };
        let mut paths = others.iter().map(|name| path.with_file_name(name));
        (self.world.is_there)(path) || paths.any(|path| (self.world.is_there)(&path))
    }

    /// What the Dockerfile of `report`, or the one within it that is built, asks of its builds.
    fn reached(&self, report: &'j FileReport, one: &Joined, build: &Build) -> Option<Reached<'j>> {
        let lanes = match (&one.dockerfile, &build.subject) {
            (Some(_), _) => report.checked.lanes.as_ref()?,
            (None, Subject::Inline(index)) => report.wires.as_ref()?.lanes.get(*index)?.as_ref()?,
            (None, _) => return None,
        };
        Some(Reached {
            lanes,
            settings: &report.settings,
            name: (self.world.name)(&report.path),
        })
    }
}

/// Whether the Dockerfile has a lock that all builds share.
fn is_shared(report: &FileReport) -> bool {
    report
        .checked
        .findings
        .iter()
        .any(|finding| finding.rule == RuleId::SharedLock)
}
