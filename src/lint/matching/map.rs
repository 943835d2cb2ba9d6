//! Maps the locks of a run: who takes each, which builds reach it, and what follows.

mod meets;
mod model;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bstr::ByteSlice as _;

use meets::{End, Ends, Takers, ends, sets, waiting, within};
pub use model::{Follows, LockMap, MappedBuild, MappedLock, MappedRun, TakingRun, Within};

use super::contenders::{Contender, Contenders};
use super::graph::BuildGraph;
use super::judge::{BuildChecker, Subjected};
use super::model::FileAccess;
use super::resolve::{Lost, resolve};
use super::resolved::{ResolvedBuild, called};
use super::waits::{Key, Waits};
use crate::budget;
use crate::builds::{Builder, Inline};
use crate::dockerfile::Dockerfile;
use crate::finding::LockKey;
use crate::index::{Base, CacheMount, File, Index};
use crate::lint::model::FileReport;
use crate::rules::caches::Cache;
use crate::rules::lock_order;
use crate::rules::locks::Locks;
use crate::text::marks::show_known;
use crate::text::{LineIndex, Span};

/// Maps the locks of `reports`, which have been compared with one another.
pub fn map_locks(reports: &[FileReport], access: &FileAccess<'_>) -> LockMap {
    let graph = BuildGraph::new(reports.iter().collect(), access);
    let resolved = resolve(&graph, &mut Lost::default());
    let checker = BuildChecker::new(&graph, &resolved);
    let mut rows = Rows::default();
    let outside = checker.outside.values().flatten();
    for report in reports.iter().chain(outside) {
        rows.add_file(report, &(access.name)(&report.path));
    }
    let all: Option<Vec<Subjected<'_>>> =
        resolved.iter().map(|one| checker.subjected(one)).collect();
    rows.add_builds(&graph, &resolved, &checker, &all.unwrap_or_default());
    let circles = circles(reports);
    rows.mapped(&graph, &resolved, &circles)
}

/// Returns the locks of each circle of the files.
fn circles(reports: &[FileReport]) -> Vec<Vec<LockKey>> {
    let mounts = reports.iter().enumerate().map(|(file, report)| {
        let mounts = report.checked.mounts.iter().cloned();
        mounts.map(|mount| CacheMount { file, ..mount }).collect()
    });
    let mounts: Vec<Vec<CacheMount>> = mounts.collect();
    let files = reports.iter().zip(&mounts).map(|(report, mounts)| File {
        mounts,
        source: &report.source,
        by_buildah: report.checked.by_buildah == Some(true),
        is_context: report.is_context,
    });
    lock_order::circles(&Index::new(files.collect(), &|_| String::new()))
}

/// The rows of the map in the making.
#[derive(Default)]
struct Rows {
    all: Vec<Row>,
    by_key: HashMap<LockKey, usize>,
    /// The row of each lock of a builder.
    by_lock: BTreeMap<Key, usize>,
    /// The row that each row went into, itself where it stands.
    into: Vec<usize>,
}

#[derive(Default)]
struct Row {
    ids: BTreeSet<String>,
    base: Base,
    /// True where one of the ids has no lane.
    lacks_lane: bool,
    runs: BTreeSet<TakingRun>,
    uses: Vec<LockUse>,
    /// The runs that wait for each other, by their numbers.
    meets: BTreeSet<(usize, usize)>,
}

/// A build that reaches a lock, in one of its runs.
#[derive(Clone, PartialEq, Eq)]
struct LockUse {
    /// The index of the build among the resolved ones.
    one: usize,
    job: Option<String>,
    run: MappedRun,
    kind: Kind,
    by_buildah: bool,
    /// The number of the run among the contenders, where its lock is known.
    number: Option<usize>,
    /// What comes of it and of others that take the same lock.
    ends: Vec<End>,
}

/// Returns the jobs that a run is in, with the file that calls its own: two may do so by jobs of one name.
fn job(graph: &BuildGraph<'_>, run: &Contender<'_>) -> Option<String> {
    let names = run.job_names().join(" → ");
    let caller = run.root().filter(|_| run.is_called());
    let caller = caller.and_then(|root| graph.report(root).path.file_name());
    let caller = caller.map(|name| format!("{}: ", name.to_string_lossy()));
    (!names.is_empty()).then(|| caller.unwrap_or_default() + &names)
}

/// A use of a lock, with its row, and the lock with the number of the run where both are known.
type FoundUse = (usize, Option<(Key, usize)>, LockUse);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its builder is its own.
    Alone,
    /// Its callers are not known.
    Open,
    /// It is not known which lock it takes, or on which builder.
    Unknown,
    /// It takes one on a builder that others may use.
    Shared,
}

impl Rows {
    /// Returns the row of the lock that `cache` takes.
    fn row(&mut self, cache: &Cache<'_>) -> usize {
        let index = *self
            .by_key
            .entry(LockKey::clone(&cache.key))
            .or_insert_with(|| {
                self.all.push(Row {
                    base: cache.key.base.clone(),
                    ..Row::default()
                });
                self.into.push(self.into.len());
                self.into.len() - 1
            });
        let index = self.standing(index);
        self.all[index].ids.insert(cache.id());
        index
    }

    fn standing(&self, mut row: usize) -> usize {
        while self.into[row] != row {
            row = self.into[row];
        }
        row
    }

    /// Makes one of two rows whose locks are one on a builder.
    fn unite(&mut self, one: usize, other: usize) {
        let (one, other) = (self.standing(one), self.standing(other));
        if one != other {
            let row = std::mem::take(&mut self.all[other]);
            self.into[other] = one;
            let into = &mut self.all[one];
            into.ids.extend(row.ids);
            into.lacks_lane |= row.lacks_lane;
            into.runs.extend(row.runs);
            into.uses.extend(row.uses);
            into.meets.extend(row.meets);
        }
    }

    /// Adds the RUNs of a file, and of the Dockerfiles within it.
    fn add_file(&mut self, report: &FileReport, path: &str) {
        if !report.checked.mounts.iter().any(CacheMount::is_locked) {
            return;
        }
        let Some(builds) = &report.builds else {
            self.add_text(report, path, &report.source, &|line| line);
            return;
        };
        let lines = LineIndex::new(&report.source);
        for inline in &builds.file.inline {
            let text = LineIndex::new(inline.text.as_bytes());
            let line = |inline: &Inline, line| {
                lines.line(inline.to_file(Span::at(text.start_of(line))).start)
            };
            self.add_text(report, path, inline.text.as_bytes(), &|it| line(inline, it));
        }
    }

    /// Adds the RUNs of the Dockerfile `text`; `place` turns its lines into those of its file.
    fn add_text(
        &mut self,
        report: &FileReport,
        path: &str,
        text: &[u8],
        place: &dyn Fn(usize) -> usize,
    ) {
        let can = budget::spend(text.len());
        let Some(file) = can.then(|| Dockerfile::read(text).ok()).flatten() else {
            return;
        };
        for cache in Locks::new(&file, &report.settings).caches() {
            let row = self.row(cache);
            self.all[row].lacks_lane |= !cache.is_isolated;
            let stage = file.stage_of(cache.instruction);
            self.all[row].runs.insert(TakingRun {
                path: path.to_owned(),
                line: place(file.instructions[cache.instruction].lines.0),
                stage: stage.and_then(|stage| file.stages[stage].name.clone()),
            });
        }
    }

    /// Adds the builds, and finds which of their runs wait.
    fn add_builds(
        &mut self,
        graph: &BuildGraph<'_>,
        resolved: &[ResolvedBuild],
        checker: &BuildChecker<'_>,
        all: &[Subjected<'_>],
    ) {
        let files: Vec<Option<Dockerfile<'_>>> = all.iter().map(|one| checker.read(one)).collect();
        let locks = files
            .iter()
            .zip(all)
            .map(|(file, one)| Some(Locks::new(file.as_ref()?, &one.report?.settings)));
        let locks: Vec<Option<Locks<'_>>> = locks.collect();
        let contenders = Contenders::new(graph, resolved);
        let is_alone = |one: usize| all[one].builder.own().is_some();
        let waits = Waits {
            graph,
            resolved,
            locks: &locks,
            contenders: &contenders,
            is_alone: &is_alone,
        };
        // What a command or another file builds says what the command passes.
        let called = called(graph, resolved);
        let mut runs: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
        for (number, run) in contenders.all.iter().enumerate() {
            runs[run.one].push(number);
        }
        let mut takers: Takers = BTreeMap::new();
        let mut found = Vec::new();
        for (one, locks) in locks.iter().enumerate() {
            let Some(locks) = locks.as_ref().filter(|_| !resolved[one].is_called) else {
                continue;
            };
            if called.contains(&resolved[one].id) || !budget::spend(locks.size()) {
                continue;
            }
            let mut known = HashMap::new();
            let target = resolved[one].target.as_deref();
            let builder = all[one].builder.own().map(ToString::to_string);
            // Of a script that nobody is known to run, each run may be one of several.
            let is_script = graph.build(resolved[one].id).is_of_script();
            let new = |leg: String, kind| LockUse {
                one,
                job: None,
                run: MappedRun {
                    leg,
                    id: None,
                    namespace: None,
                    builder: builder.clone(),
                    waits: false,
                    within: None,
                },
                kind,
                by_buildah: resolved[one].tool.is_buildah(),
                number: None,
                ends: Vec::new(),
            };
            if runs[one].is_empty() {
                let kind = if builder.is_some() {
                    Kind::Alone
                } else {
                    Kind::Open
                };
                for cache in locks.needed_by(target) {
                    found.push((self.row(cache), None, new(String::new(), kind)));
                }
            }
            for &number in &runs[one] {
                let run = &contenders.all[number];
                let takes = waits.taken(run, None);
                let is_alone = run.is_alone || is_alone(one);
                let job = job(graph, run);
                let of_run = |kind| LockUse {
                    job: job.clone(),
                    ..new(run.label(), kind)
                };
                let is_known = |cache: &&Cache<'_>| {
                    takes.iter().all(|taken| !std::ptr::eq(taken.cache, *cache))
                };
                for cache in locks.needed_by(target).filter(is_known) {
                    let kind = if is_alone { Kind::Alone } else { Kind::Unknown };
                    found.push((self.row(cache), None, of_run(kind)));
                }
                for taken in &takes {
                    let row = self.row(taken.cache);
                    let same = *self.by_lock.entry(taken.key.clone()).or_insert(row);
                    self.unite(same, row);
                    let kind = match all[one].builder {
                        _ if is_alone => Kind::Alone,
                        Builder::Unknown(_) => Kind::Unknown,
                        _ if is_script => Kind::Open,
                        _ => Kind::Shared,
                    };
                    let mut of_lock = of_run(kind);
                    of_lock.run.id = show_known(&taken.key.id);
                    of_lock.run.namespace.clone_from(&taken.key.namespace);
                    of_lock.number = Some(number);
                    of_lock.run.within = within(locks, &takes, &taken.key, &mut known);
                    if kind == Kind::Shared {
                        takers.entry(taken.key.clone()).or_default().push(number);
                    }
                    found.push((row, Some((taken.key.clone(), number)), of_lock));
                }
            }
        }
        let ends = ends(&takers, &contenders, &|one| is_call(graph, &resolved[one]));
        self.add_uses(found, &ends);
    }

    /// Adds the uses of locks, each with its row and the lock of its run.
    fn add_uses(&mut self, found: Vec<FoundUse>, ends: &Ends) {
        for (row, lock, mut one) in found {
            let ends = lock.and_then(|lock| ends.of.get(&lock));
            one.ends.extend(ends.into_iter().flatten());
            one.run.waits = one.ends.contains(&End::Waits);
            let row = self.standing(row);
            if !self.all[row].uses.contains(&one) {
                self.all[row].uses.push(one);
            }
        }
        for (key, pairs) in &ends.meets {
            if let Some(row) = self.by_lock.get(key).map(|row| self.standing(*row)) {
                self.all[row].meets.extend(pairs);
            }
        }
    }

    /// Returns the map of these rows.
    fn mapped(
        &self,
        graph: &BuildGraph<'_>,
        resolved: &[ResolvedBuild],
        circles: &[Vec<LockKey>],
    ) -> LockMap {
        let mut lines: HashMap<usize, Arc<LineIndex>> = HashMap::new();
        let mut locks: Vec<(usize, MappedLock)> = Vec::new();
        let standing = (0..self.all.len()).filter(|row| self.into[*row] == *row);
        for index in standing {
            let row = &self.all[index];
            let mut builds: BTreeMap<_, MappedBuild> = BTreeMap::new();
            let mut names = HashMap::new();
            for one in &row.uses {
                let id = resolved[one.one].id;
                let report = graph.report(id.file);
                let new = || Arc::new(LineIndex::new(&report.source));
                let lines = lines.entry(id.file).or_insert_with(new);
                let build = graph.build(id);
                let (path, line) = (
                    (graph.access.name)(&report.path),
                    lines.line(build.span.start),
                );
                // The rows of a matrix may build by several Dockerfiles.
                let place = (path.clone(), line, one.job.clone(), build.name.clone());
                let name = (path.clone(), one.job.clone(), one.run.leg.clone());
                names.extend(one.number.map(|number| (number, name)));
                let known = builds.entry(place).or_insert_with(|| MappedBuild {
                    path,
                    line,
                    name: build.name.clone(),
                    job: one.job.clone(),
                    runs: Vec::new(),
                });
                known.runs.push(one.run.clone());
            }
            let builds: Vec<MappedBuild> = builds.into_values().collect();
            let lock = MappedLock {
                ids: row.ids.iter().cloned().collect(),
                base: named(&row.base),
                follows: follows(&row.uses),
                waiting: waiting(&builds),
                at_once: sets(&row.meets, &names),
                has_lane: !row.lacks_lane,
                runs: row.runs.iter().cloned().collect(),
                builds,
            };
            locks.push((index, lock));
        }
        locks.sort_by_key(|(_, lock)| {
            let runs = std::cmp::Reverse((lock.waiting, lock.runs.len()));
            (lock.follows, runs, lock.ids.clone(), lock.base.clone())
        });
        let numbers: HashMap<usize, usize> = locks
            .iter()
            .enumerate()
            .map(|(number, (index, _))| (*index, number))
            .collect();
        let number = |key: &LockKey| {
            let row = self.standing(*self.by_key.get(key)?);
            numbers.get(&row).copied()
        };
        let circles = circles.iter();
        LockMap {
            circles: circles
                .filter_map(|circle| circle.iter().map(number).collect())
                .collect(),
            locks: locks.into_iter().map(|(_, lock)| lock).collect(),
        }
    }
}

/// Returns whether a build is one of those of a call of Compose or bake.
fn is_call(graph: &BuildGraph<'_>, one: &ResolvedBuild) -> bool {
    let tool = graph.build(one.id).tool;
    tool.is_compose() || tool.is_bake()
}

/// Returns what follows of a lock that is used so.
fn follows(uses: &[LockUse]) -> Follows {
    let of = |kind| uses.iter().filter(move |one| one.kind == kind);
    let has = |end| uses.iter().any(|one| one.ends.contains(&end));
    if uses.iter().any(|one| one.run.waits) {
        Follows::Wait
    } else if of(Kind::Open).next().is_some() {
        Follows::OfCallers
    } else if of(Kind::Unknown).next().is_some() {
        Follows::Unknown
    } else if uses.is_empty() {
        Follows::NoBuild
    } else if has(End::OneCall) {
        Follows::OneCall
    } else if has(End::InTurn) {
        Follows::InTurn
    } else {
        let own = |one: &LockUse| (one.run.id.clone(), one.run.namespace.clone());
        let lanes: HashSet<_> = of(Kind::Shared).map(own).collect();
        // Podman's and Docker's caches are not the same, whatever their ids.
        let by_buildah: HashSet<bool> = of(Kind::Shared).map(|one| one.by_buildah).collect();
        let is_elsewhere = has(End::Elsewhere) || by_buildah.len() > 1;
        match (lanes.len(), of(Kind::Alone).next(), is_elsewhere) {
            (2.., _, _) => Follows::OwnLanes,
            (1, None, false) => Follows::OneJob,
            _ => Follows::OwnBuilders,
        }
    }
}

/// Returns the options of a cache that it has: `uid=1000`.
fn named(base: &Base) -> Vec<String> {
    let options = ["from", "uid", "gid", "mode"].into_iter().zip(base);
    let known = options.filter_map(|(name, value)| {
        let value = value.as_ref()?.to_str_lossy();
        Some(format!("{name}={value}"))
    });
    known.collect()
}
