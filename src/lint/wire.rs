//! Builds and Dockerfiles brought together: which build uses which file, and what rules say about that.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::fix::{self, Applicability, Fix};
use crate::rules::lanes::Lanes;
use crate::rules::{self, Settings, wired};
use crate::text::Span;
use crate::wiring::{self, Build, Call, Front, Kind, Lane, Runs, What, Wiring, WiringError};

use super::FileReport;

/// What a file says about builds, in a report.
#[derive(Debug)]
pub struct Wires {
    /// The file's kind.
    pub kind: Kind,
    /// What it says.
    pub wiring: Wiring,
    /// What each Dockerfile within it asks of its builds.
    pub lanes: Vec<Option<Lanes>>,
    /// Why the file was not read, where it is more than cachelane reads: that is no template or slip to keep quiet about.
    pub refused: Option<WiringError>,
    /// What its builds are to pass, and do not. [`wire`] finds it.
    pub asked: Vec<Asked>,
}

/// A lane that a build is to pass.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The build, by its index.
    build: usize,
    /// The argument of the Dockerfile that asks for it.
    arg: String,
    /// The argument's value for builds that pass none.
    default: String,
    /// Whether another job builds that Dockerfile, too.
    shared: bool,
}

/// The files of a run, by their paths from the root of the file system on.
pub type Places = HashMap<PathBuf, usize>;

/// The places of `reports`.
#[must_use]
pub fn places(reports: &[FileReport], world: &World<'_>) -> Places {
    reports.iter().enumerate().map(|(index, report)| ((world.absolute)(&report.path), index)).collect()
}

/// What the command line knows of the world around the files.
pub struct World<'w> {
    /// The folder that the paths of a file of this kind start from.
    pub root: &'w dyn Fn(&Path, Kind) -> PathBuf,
    /// A path from the root of the file system on, without `.` and `..`.
    pub absolute: &'w dyn Fn(&Path) -> PathBuf,
    /// A path as reports print it.
    pub name: &'w dyn Fn(&Path) -> String,
    /// The report on a file that is not among those of the run; `None` where there is none, or nothing is in it.
    pub load: &'w dyn Fn(&Path) -> Option<FileReport>,
}

/// A build with the Dockerfile that it comes down to.
#[derive(Debug)]
pub struct Joined {
    /// The report that the build stands in, by its index.
    pub file: usize,
    /// The build, by its index there.
    pub build: usize,
    /// The Dockerfile, from the root of the file system on; `None` for one within a file.
    pub dockerfile: Option<PathBuf>,
    /// The build of a Compose or bake file that stands between: the report and its index there.
    pub through: Option<(usize, usize)>,
    /// The stage that is built.
    pub target: Option<String>,
    /// How often it runs at once, where another file that calls this one says so.
    pub called: Option<Runs>,
}

impl Joined {
    /// Whether what stands between hands `arg` on: it takes the argument from the environment, and the build sets it there;
    /// or it has a value of its own, which is no variable.
    #[must_use]
    pub fn hands_on(&self, reports: &[FileReport], arg: &str) -> bool {
        let build = |(file, build): (usize, usize)| Some(&reports[file].wires.as_ref()?.wiring.builds[build]);
        let (Some(inner), Some(outer)) = (self.through.and_then(build), build((self.file, self.build))) else {
            return false;
        };
        let passed = inner.args.iter().find(|passed| passed.name == arg || passed.name == wired::NAMESPACE);
        let own = |passed: &wiring::Arg| passed.value.as_ref().is_some_and(|value| !value.contains(arg));
        passed.is_some_and(|passed| own(passed) || outer.env.iter().any(|env| env.name == arg))
    }
}

/// A file that a build leads to.
struct Reached<'r> {
    lanes: &'r Lanes,
    settings: &'r Settings,
    name: String,
}

/// Every build of `reports` with each Dockerfile that it builds.
#[must_use]
pub fn join(reports: &[FileReport], places: &Places, world: &World<'_>) -> Vec<Joined> {
    let calls = calls(reports, places, world);
    let mut joined = Vec::new();
    for (file, report) in reports.iter().enumerate() {
        let Some(wires) = &report.wires else { continue };
        let root = (world.root)(&report.path, wires.kind);
        for (build, it) in wires.wiring.builds.iter().enumerate() {
            let called = called(&calls, file, it);
            let plain = |dockerfile| {
                let (target, called) = (it.target.clone(), called.clone());
                Joined { file, build, dockerfile, through: None, target, called }
            };
            match &it.what {
                What::File(path) => {
                    let path = (world.absolute)(&root.join(path));
                    let containerfile = path.with_file_name("Containerfile");
                    // Podman and Buildah look for that one first, where none is named.
                    let first = matches!(it.front, Front::Podman | Front::Buildah)
                        && path.ends_with("Dockerfile")
                        && places.contains_key(&containerfile);
                    joined.push(plain(Some(if first { containerfile } else { path })));
                }
                What::Inline(_) => joined.push(plain(None)),
                What::Files(paths, names) => {
                    for path in paths.iter().flat_map(|path| candidates(it.front, path)) {
                        let path = (world.absolute)(&root.join(path.trim_start_matches('/')));
                        let Some(inner) = places.get(&path) else { continue };
                        joined.extend(through(&reports[*inner], names, world).map(|(index, dockerfile, target)| {
                            let (through, called) = (Some((*inner, index)), called.clone());
                            Joined { file, build, dockerfile: Some(dockerfile), through, target, called }
                        }));
                    }
                }
            }
        }
    }
    joined
}

/// The calls of each file by others of the run, by its index.
fn calls<'r>(reports: &'r [FileReport], places: &Places, world: &World<'_>) -> HashMap<usize, Vec<&'r Call>> {
    let mut calls: HashMap<usize, Vec<&Call>> = HashMap::new();
    for report in reports {
        let Some(wires) = report.wires.as_ref().filter(|wires| !wires.wiring.calls.is_empty()) else { continue };
        let root = (world.root)(&report.path, wires.kind);
        for call in &wires.wiring.calls {
            // An action is named by its folder.
            let names = ["", "/action.yml", "/action.yaml"];
            let mut files = names.iter().map(|name| (world.absolute)(&root.join(format!("{}{name}", call.path))));
            if let Some(index) = files.find_map(|path| places.get(&path)) {
                calls.entry(*index).or_default().push(call);
            }
        }
    }
    calls
}

/// How often `build` of the file `file` runs at once by what calls that file.
fn called(calls: &HashMap<usize, Vec<&Call>>, file: usize, build: &Build) -> Option<Runs> {
    let calls = calls.get(&file).filter(|_| build.runs == Runs::Once)?;
    let in_matrix = calls.iter().find(|call| call.runs != Runs::Once);
    // What a file only takes in (GitLab's `include`) runs as its own jobs.
    let jobs = calls.iter().filter(|call| call.job.is_some()).count();
    in_matrix.map(|call| call.runs.clone()).or_else(|| (jobs > 1).then(|| Runs::Matrix(Vec::new())))
}

/// The files that `path` may stand for: itself, or, with a `/` at its end, those that the front end looks for there.
fn candidates(front: Front, path: &str) -> Vec<String> {
    const COMPOSE: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
    const BAKE: &[&str] =
        &["docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl"];
    if !path.ends_with('/') {
        return vec![path.to_owned()];
    }
    let bake = matches!(front, Front::Bake | Front::BakeAction);
    let names = COMPOSE.iter().chain(BAKE.iter().filter(|_| bake));
    names.map(|name| format!("{path}{name}")).collect()
}

/// The builds of the Compose or bake file `inner` that have one of `names`, or all where none is named: index, Dockerfile
/// and stage.
fn through<'a>(
    inner: &'a FileReport,
    names: &'a [String],
    world: &'a World<'_>,
) -> impl Iterator<Item = (usize, PathBuf, Option<String>)> + 'a {
    let wires = inner.wires.as_ref();
    let builds = wires.map_or(&[][..], |wires| wires.wiring.builds.as_slice());
    let names: HashSet<&String> = names.iter().collect();
    let is_chosen = move |build: &Build| names.is_empty() || build.id.as_ref().is_some_and(|id| names.contains(id));
    builds.iter().enumerate().filter(move |(_, build)| is_chosen(build)).filter_map(move |(index, build)| {
        let What::File(path) = &build.what else { return None };
        let root = (world.root)(&inner.path, wires?.kind);
        Some((index, (world.absolute)(&root.join(path)), build.target.clone()))
    })
}

/// Adds to `reports` what rules say about their builds, and settles the files that say what is built. To be called once,
/// behind [`relate_reports`](super::relate_reports); `whole` says whether these are all files there are.
pub fn wire(reports: &mut [FileReport], whole: bool, world: &World<'_>) {
    if reports.iter().all(|report| report.wires.is_none()) {
        return;
    }
    let mut found = vec![Vec::new(); reports.len()];
    let mut asked: Vec<Vec<Asked>> = vec![Vec::new(); reports.len()];
    {
        let places = places(reports, world);
        let joined = join(reports, &places, world);
        let outside = load(&joined, &places, world);
        let reached = |path: &PathBuf| {
            let report = places.get(path).map(|index| &reports[*index]).or_else(|| outside.get(path)?.as_ref())?;
            let lanes = report.checked.lanes.as_ref()?;
            Some(Reached { lanes, settings: &report.settings, name: (world.name)(&report.path) })
        };
        let jobs = jobs(reports, &joined);
        for one in &joined {
            let report = &reports[one.file];
            let Some(wires) = &report.wires else { continue };
            let reached = match &one.dockerfile {
                Some(path) => reached(path),
                None => within(report, wires, one.build, world),
            };
            let Some(reached) = reached.filter(|reached| reached.lanes.concern(one.target.as_deref())) else {
                continue;
            };
            let jobs = one.dockerfile.as_ref().and_then(|path| jobs.get(path));
            let Ok(source) = std::str::from_utf8(&report.source) else { continue };
            let wired = wired::Wired {
                build: &wires.wiring.builds[one.build],
                kind: wires.kind,
                source,
                path: &reached.name,
                lanes: reached.lanes,
                settings: reached.settings,
                runs: one.called.as_ref().unwrap_or(&wires.wiring.builds[one.build].runs),
                is_called: one.called.is_some(),
                others: jobs.map_or(wired::Others::None, |jobs| others(jobs)),
                handed_on: one.hands_on(reports, &reached.lanes.arg),
            };
            let before = found[one.file].len();
            rules::wired(&wired, &mut found[one.file]);
            if found[one.file][before..].iter().any(|finding| finding.fix.is_some()) {
                let Lanes { arg, default, .. } = reached.lanes.clone();
                let shared = wired.others != wired::Others::None;
                asked[one.file].push(Asked { build: one.build, arg, default, shared });
            }
        }
    }
    for ((report, mut found), asked) in reports.iter_mut().zip(found).zip(asked) {
        let Some(wires) = &mut report.wires else { continue };
        wires.asked = asked;
        found.retain(|finding| report.settings.is_on(finding.rule));
        // One build of several files with lanes is told of once.
        found.sort_by(|a, b| (a.span, a.rule).cmp(&(b.span, b.rule)));
        found.dedup_by(|a, b| (a.span, a.rule) == (b.span, b.rule));
        report.checked.findings.extend(found);
        super::settle::settle(&mut report.checked, &report.settings, whole);
    }
}

/// The Dockerfile within the file of `report` that its build `build` builds.
fn within<'r>(report: &'r FileReport, wires: &'r Wires, build: usize, world: &World<'_>) -> Option<Reached<'r>> {
    let What::Inline(index) = wires.wiring.builds[build].what else { return None };
    let lanes = wires.lanes.get(index)?.as_ref()?;
    Some(Reached { lanes, settings: &report.settings, name: (world.name)(&report.path) })
}

/// The jobs that build each Dockerfile, by the file that they stand in and their name.
fn jobs<'r>(reports: &'r [FileReport], joined: &[Joined]) -> HashMap<PathBuf, Vec<(usize, &'r str)>> {
    let mut jobs: HashMap<PathBuf, Vec<(usize, &str)>> = HashMap::new();
    for one in joined {
        let (Some(path), Some(wires)) = (&one.dockerfile, &reports[one.file].wires) else { continue };
        let build = &wires.wiring.builds[one.build];
        let names = build.job.iter().chain(&build.others);
        jobs.entry(path.clone()).or_default().extend(names.map(|name| (one.file, name.as_str())));
    }
    for jobs in jobs.values_mut() {
        jobs.sort_unstable();
        jobs.dedup();
    }
    jobs
}

/// Whether there are several jobs, and whether two of them, of different files, have the same name.
fn others(jobs: &[(usize, &str)]) -> wired::Others {
    let mut names: Vec<&str> = jobs.iter().map(|(_, name)| *name).collect();
    names.sort_unstable();
    match jobs {
        _ if names.windows(2).any(|pair| pair[0] == pair[1]) => wired::Others::Namesakes,
        [_, _, ..] => wired::Others::Jobs,
        _ => wired::Others::None,
    }
}

/// The reports on Dockerfiles that builds lead to and that are not among those of the run.
fn load(joined: &[Joined], places: &Places, world: &World<'_>) -> HashMap<PathBuf, Option<FileReport>> {
    let mut outside = HashMap::new();
    for path in joined.iter().filter_map(|one| one.dockerfile.as_ref()).filter(|path| !places.contains_key(*path)) {
        outside.entry(path.clone()).or_insert_with(|| (world.load)(path));
    }
    outside
}

/// A wiring file with its fixes made.
#[derive(Debug)]
pub struct Rewired {
    /// The new bytes.
    pub bytes: Vec<u8>,
    /// The builds that pass the lane now: the 1-based line of each in the file as it was, and what was done.
    pub made: Vec<super::Made>,
    /// Fixes that were dropped, since the file would not have read as it should.
    pub dropped: Vec<super::Dropped>,
}

/// How many bytes of one file are read again, edit by edit, before the rest is left for another run.
const MAX_REREAD: usize = 16 << 20;

/// Makes the fixes of a wiring file's builds up to `level`, one by one: each is looked for in what the last one made.
#[must_use]
pub fn fix_wires(report: &FileReport, level: Applicability) -> Option<Rewired> {
    let wires = report.wires.as_ref()?;
    let lines = crate::text::LineIndex::new(&report.source);
    let mut rewired = Rewired { bytes: report.source.clone(), made: Vec::new(), dropped: Vec::new() };
    let mut asked: HashMap<Span, Vec<&Asked>> = HashMap::new();
    for one in &wires.asked {
        asked.entry(wires.wiring.builds[one.build].span).or_default().push(one);
    }
    let may_fix = |fix: &Fix| fix.applicability() <= level;
    let open = report.checked.findings.iter().filter(|finding| finding.fix.as_ref().is_some_and(may_fix));
    let mut budget = MAX_REREAD;
    for finding in open.filter(|finding| finding.rule == "unpassed-arg") {
        let line = lines.line(finding.span.start);
        let rule = finding.rule;
        if budget == 0 {
            let reason = "the file has too many builds to change them all at once: run it again".to_owned();
            rewired.dropped.push(super::Dropped { rule, line, reason });
            break;
        }
        for asked in asked.get(&finding.span).into_iter().flatten() {
            if budget == 0 {
                break;
            }
            budget = budget.saturating_sub(rewired.bytes.len());
            match pass(wires.kind, asked, level, &rewired.bytes) {
                // One place can serve several: what targets inherit, say.
                Ok(None) => {}
                Ok(Some((bytes, title))) => {
                    rewired.bytes = bytes;
                    rewired.made.push(super::Made { rule, line, title });
                }
                Err(reason) => rewired.dropped.push(super::Dropped { rule, line, reason }),
            }
        }
    }
    Some(rewired)
}

/// Makes a build of `source` pass what it is `asked` for, and says what was done; `None` where it does by now.
fn pass(kind: Kind, asked: &Asked, level: Applicability, source: &[u8]) -> Result<Option<(Vec<u8>, String)>, String> {
    let text = std::str::from_utf8(source).map_err(|error| error.to_string())?;
    let wiring = wiring::read(kind, text).map_err(|error| error.to_string())?;
    let build = wiring.builds.get(asked.build).ok_or("the file has other builds by now")?;
    if build.args.iter().any(|arg| arg.name == asked.arg) {
        return Ok(None);
    }
    let lane = Lane { arg: &asked.arg, default: &asked.default, shared: asked.shared };
    let fix = wiring::pass(kind, text, build, &lane)?;
    if fix.applicability() > level {
        return Err("it needs a person's look by now: `--unsafe` makes it".into());
    }
    Ok(Some((apply(kind, source, &fix, &asked.arg)?, fix.title().to_owned())))
}

/// Applies `fix`, and proves that the file says the same about its builds as before, but for one argument.
fn apply(kind: Kind, source: &[u8], fix: &Fix, name: &str) -> Result<Vec<u8>, String> {
    let applied = fix::apply(source, &[fix]);
    if applied.made.is_empty() {
        return Err("it overlaps with another fix: run cachelane again".into());
    }
    let read = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        wiring::read(kind, text).map_err(|error| format!("the file could not be read any more: {error}"))
    };
    let (before, after) = (read(source)?, read(&applied.bytes)?);
    let without = |wiring: &Wiring| -> Vec<_> {
        let args = |build: &Build| -> Vec<_> {
            build.args.iter().filter(|arg| arg.name != name).map(|arg| (arg.name.clone(), arg.value.clone())).collect()
        };
        wiring
            .builds
            .iter()
            .map(|build| (build.name.clone(), build.what.clone(), build.target.clone(), args(build)))
            .collect()
    };
    let passing =
        |wiring: &Wiring| wiring.builds.iter().filter(|build| build.args.iter().any(|arg| arg.name == name)).count();
    if without(&before) != without(&after) {
        return Err("the file would say something else about its builds".into());
    }
    if passing(&after) <= passing(&before) {
        return Err("the build would still pass no lane".into());
    }
    Ok(applied.bytes)
}
