//! The files of a run that define builds, and those that their builds lead to.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::model::FileAccess;
use super::names::{candidates, is_snippet};
use crate::budget;
use crate::builds::{
    self, Build, BuildTool, Builder, Call, Extended, FormatRef, Leg, Source, Subject,
};
use crate::finding::{Finding, RuleId};
use crate::index::CacheMount;
use crate::lint::model::FileReport;
use crate::text::marks::SAME;
use crate::text::{LineIndex, Span};

/// The indices of a build's file and of the build there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BuildId {
    pub(super) file: usize,
    pub(super) build: usize,
}

/// The files of a run, and those that their builds lead to.
pub(super) struct BuildGraph<'r> {
    pub(super) access: &'r FileAccess<'r>,
    reports: Vec<&'r FileReport>,
    /// Compose and bake files outside the run; their indices follow the run's.
    outside: Vec<FileReport>,
    /// The indices of all files by absolute path.
    places: HashMap<PathBuf, usize>,
    /// The folder that each file's paths start from.
    roots: Vec<PathBuf>,
}

impl<'r> BuildGraph<'r> {
    pub(super) fn new(reports: Vec<&'r FileReport>, access: &'r FileAccess<'r>) -> Self {
        let mut graph = Self {
            access,
            reports: Vec::new(),
            outside: Vec::new(),
            places: HashMap::new(),
            roots: Vec::new(),
        };
        for report in &reports {
            graph.add((access.absolute)(&report.path), report);
        }
        let mut tried = HashSet::new();
        for (file, report) in reports.iter().enumerate() {
            for build in builds_of(report) {
                let Subject::Files(files) = &build.subject else {
                    continue;
                };
                let places = files.paths.iter();
                for path in places.flat_map(|place| candidates(build.tool, place)) {
                    let path = graph.path(graph.root(file), &path);
                    if graph.places.contains_key(&path) || !tried.insert(path.clone()) {
                        continue;
                    }
                    let format = builds::named_format(build.tool, &path.to_string_lossy());
                    if let Some(report) = (access.load)(&path, Some(format)) {
                        graph.add(path, &report);
                        graph.outside.push(report);
                    }
                }
            }
        }
        graph.reports = reports;
        let mut file = 0;
        while file < graph.roots.len() && budget::spend(16) {
            let sources = graph.sources(file).iter();
            let paths = sources.map(|source| graph.path(graph.root(file), &source.path));
            for path in paths.collect::<Vec<_>>() {
                if !graph.places.contains_key(&path)
                    && tried.insert(path.clone())
                    && let Some(report) = (access.load)(&path, graph.format(file))
                {
                    graph.add(path, &report);
                    graph.outside.push(report);
                }
            }
            file += 1;
        }
        graph
    }

    fn format(&self, file: usize) -> Option<FormatRef> {
        let builds = self.report(file).builds.as_ref();
        builds.map(|builds| builds.format)
    }

    fn add(&mut self, path: PathBuf, report: &FileReport) {
        let builds = report.builds.as_ref();
        let root = builds.map(|builds| (self.access.root)(&report.path, builds.format));
        self.places.insert(path, self.roots.len());
        self.roots.push(root.unwrap_or_default());
    }

    pub(super) fn report(&self, index: usize) -> &FileReport {
        let outside = || &self.outside[index - self.reports.len()];
        self.reports.get(index).copied().unwrap_or_else(outside)
    }

    pub(super) fn index(&self, path: &Path) -> Option<usize> {
        self.places.get(path).copied()
    }

    pub(super) fn root(&self, index: usize) -> &PathBuf {
        &self.roots[index]
    }

    /// Returns the absolute form of `path`, seen from the folder `root`.
    pub(super) fn path(&self, root: &Path, path: &str) -> PathBuf {
        (self.access.absolute)(&root.join(path.trim_start_matches('/')))
    }

    pub(super) fn builds(&self, index: usize) -> &[Build] {
        builds_of(self.report(index))
    }

    pub(super) fn build(&self, id: BuildId) -> &Build {
        &self.builds(id.file)[id.build]
    }

    /// Returns the place of a build, for messages.
    pub(super) fn place(&self, id: BuildId) -> String {
        let report = self.report(id.file);
        let line = LineIndex::new(&report.source).line(self.build(id).span.start);
        format!("{}:{line}", (self.access.name)(&report.path))
    }

    /// Returns all builds of the run, grouped by file.
    pub(super) fn own_builds(&self) -> impl Iterator<Item = (BuildId, &Build)> {
        let files = self.reports.iter().enumerate();
        files.flat_map(|(file, report)| {
            let builds = builds_of(report).iter().enumerate();
            builds.map(move |(build, it)| (BuildId { file, build }, it))
        })
    }

    pub(super) fn own_reports(&self) -> impl Iterator<Item = (usize, &FileReport)> {
        self.reports.iter().copied().enumerate()
    }

    /// Returns the snippets and templates with locks below the folder `root`, which rocker may join; fails without any.
    pub(super) fn snippets(&self, root: &Path) -> Result<Vec<PathBuf>, String> {
        let found = self.own_reports().filter_map(|(_, report)| {
            let is_locked = report.checked.mounts.iter().any(CacheMount::is_locked);
            let is_it = is_locked && report.builds.is_none() && is_snippet(&report.path);
            let path = is_it.then(|| (self.access.absolute)(&report.path))?;
            path.starts_with(root).then_some(path)
        });
        let found: Vec<PathBuf> = found.collect();
        if found.is_empty() {
            return Err(
                "rocker writes the Dockerfile itself, and none of its snippets is here".into(),
            );
        }
        Ok(found)
    }

    /// Returns the calls of each file by others, by its index, each with the index of the caller's file.
    pub(super) fn calls(&self) -> HashMap<usize, Vec<(usize, &Call)>> {
        let mut calls: HashMap<usize, Vec<(usize, &Call)>> = HashMap::new();
        for (file, report) in self.own_reports() {
            let builds = report.builds.iter();
            for call in builds.flat_map(|builds| &builds.file.calls) {
                if call.is_include() {
                    let paths = self.included(file, &call.path).into_iter();
                    for index in paths.filter_map(|path| self.index(&path)) {
                        calls.entry(index).or_default().push((file, call));
                    }
                    continue;
                }
                if let Some(index) = self.called_by(file, &call.path) {
                    calls.entry(index).or_default().push((file, call));
                }
            }
        }
        calls
    }

    /// Returns the absolute paths that a file includes by `path`, which may be a pattern.
    pub(super) fn included(&self, file: usize, path: &str) -> Vec<PathBuf> {
        let root = self.root(file);
        let marks: &[char] = match self.format(file) {
            Some(format) if format.is_joined() => &['*'],
            _ => &['*', '?', '['],
        };
        if !path.contains(marks) {
            return vec![self.path(root, path)];
        }
        // Each brace would be a level of the stack while the glob is read.
        if path.contains('{') {
            return Vec::new();
        }
        let glob = GlobBuilder::new(path).literal_separator(true).build();
        let Ok(glob) = glob.map(|glob| glob.compile_matcher()) else {
            return Vec::new();
        };
        let name = |index: usize| Some(format!("{:?}", self.format(index)?));
        let own = name(file);
        let files = self.own_reports().filter_map(|(index, report)| {
            budget::spend(1).then_some(())?;
            let path = (self.access.absolute)(&report.path);
            let is_hidden = |path: &Path| {
                let name = path.file_name().unwrap_or_default();
                name.as_encoded_bytes().starts_with(b".") && marks.len() > 1
            };
            let below = path.strip_prefix(root).ok()?;
            let is_it = name(index) == own && glob.is_match(below) && !is_hidden(below);
            is_it.then_some(path)
        });
        files.collect()
    }

    /// Returns the indices of the files that a file takes rules or services from by `source`, those that could be read.
    pub(super) fn taken(&self, file: usize, source: &Source) -> Vec<usize> {
        let paths = self.included(file, &source.path).into_iter();
        let indices = paths.filter_map(|path| self.index(&path));
        indices.filter(|index| self.is_read(*index)).collect()
    }

    /// Returns the index of the file that this one is a part of, if that is not itself.
    pub(super) fn whole(&self, file: usize) -> usize {
        let whole = self
            .report(file)
            .builds
            .as_ref()
            .and_then(|builds| builds.whole.as_ref());
        whole
            .and_then(|whole| self.index(&whole.root))
            .unwrap_or(file)
    }

    /// Returns the index of a file of builds that could be read.
    pub(super) fn read(&self, root: &Path, path: &str) -> Option<usize> {
        let index = self.index(&self.path(root, path));
        index.filter(|index| self.is_read(*index))
    }

    fn is_read(&self, index: usize) -> bool {
        let builds = self.report(index).builds.as_ref();
        builds.is_some_and(|builds| builds.unread.is_none())
    }

    pub(super) fn sources(&self, file: usize) -> &[Source] {
        sources_of(self.report(file))
    }

    /// Returns the build of the service that `extended` extends, in the file of `source` or in one that it comes from.
    pub(super) fn origin(&self, file: usize, source: &Source) -> Option<BuildId> {
        let Extended { of, .. } = source.extended.as_ref()?;
        let file = self.read(self.root(file), &source.path)?;
        let mut builds = self.builds(file).iter();
        if let Some(build) = builds.position(|build| build.id() == Some(of)) {
            return Some(BuildId { file, build });
        }
        let is_it = |further: &&Source| {
            let extended = further.extended.as_ref();
            extended.is_some_and(|extended| extended.name == *of)
        };
        let further = self.sources(file).iter().find(is_it)?;
        budget::nested(|| self.origin(file, further)).flatten()
    }

    /// Returns the reason why what `source` brings to a file is not known or not listed.
    pub(super) fn lost(&self, file: usize, source: &Source) -> Option<String> {
        let path = &source.path;
        let place = self.path(self.root(file), path);
        let how = if source.extended.is_some() {
            "it extends a service of"
        } else {
            "it includes"
        };
        let found = match self.index(&place) {
            Some(found) if self.is_read(found) => found,
            Some(_) => return Some(format!("{how} `{path}`, which cannot be read")),
            // One that builds nothing is not among the files.
            None if (self.access.is_there)(&place) => return None,
            None if source.is_optional => return None,
            None => return Some(format!("{how} `{path}`, which is not there")),
        };
        let builds = match source.extended {
            Some(_) => self.origin(file, source).is_some(),
            None => !self.builds(found).is_empty(),
        };
        let is_listed = found < self.reports.len();
        (builds && !is_listed)
            .then(|| format!("{how} `{path}`, whose builds are listed where that file is named"))
    }

    /// Returns the workflow or action at `path`, as the file `from` calls it.
    fn called_by(&self, from: usize, path: &str) -> Option<usize> {
        // An action is named by its folder.
        let names = ["", "/action.yml", "/action.yaml"];
        let mut paths = names.iter().map(|name| {
            let path = format!("{path}{name}");
            (self.access.absolute)(&self.root(from).join(path))
        });
        paths.find_map(|path| self.index(&path))
    }

    /// Returns `builder` as a build of `tool` in the file `from` has it, by what the actions do that its job calls before.
    pub(super) fn after_actions(&self, from: usize, tool: BuildTool, builder: &Builder) -> Builder {
        let of = |builder: &Builder, from| {
            budget::nested(|| self.after_actions(from, tool, builder)).unwrap_or_default()
        };
        match builder {
            Builder::AfterActions(after) => {
                let mut actions = after.actions.iter().rev().take_while(|_| budget::spend(16));
                let given = actions.find_map(|action| {
                    let file = self.called_by(from, &action.folder)?;
                    let builds = self.report(file).builds.as_ref()?;
                    let given = of(&builds.file.builders.given(tool, after)?, file);
                    let given = match &given {
                        Builder::OfDriver(driver) => {
                            let given = self.given(from, file, action.span, &driver.input);
                            let all = given.iter().map(|given| driver.by(given.as_deref()));
                            let open = driver.by(None);
                            all.reduce(|all, one| if all == one { all } else { open.clone() })
                                .unwrap_or(open.clone())
                        }
                        _ => given,
                    };
                    let given = match &action.open {
                        Some(why) => after.before.or(&given, why),
                        None => given,
                    };
                    (given != after.before).then_some(given)
                });
                given.unwrap_or_else(|| of(&after.before, from))
            }
            Builder::OfRow(rows) => {
                let rows: Vec<Builder> = rows.iter().map(|row| of(row, from)).collect();
                Builder::OfRow(rows.into())
            }
            other => other.clone(),
        }
    }

    /// Returns the value of the input `name` where the callers of a file give none.
    pub(super) fn input(&self, file: usize, name: &str) -> Option<&str> {
        let builds = self.report(file).builds.as_ref()?;
        let mut inputs = builds.file.triggers.inputs.iter();
        inputs.find(|input| input.name.is(name))?.value.as_deref()
    }

    /// Returns what the step of the file `from` at `place` gives the input `name` of the action `file`, in each run of its
    /// job; `None` for what only a run knows.
    fn given(&self, from: usize, file: usize, place: Span, name: &str) -> Vec<Option<String>> {
        let calls = self.report(from).builds.iter();
        let mut calls = calls.flat_map(|builds| &builds.file.calls);
        let Some(call) = calls.find(|call| budget::spend(1) && call.span == place) else {
            return Vec::new();
        };
        let input = call.inputs.iter().find(|input| input.name.is(name));
        let Some(input) = input else {
            return vec![self.input(file, name).map(str::to_owned)];
        };
        let text = input.value.as_deref().unwrap_or_default();
        let in_run = |leg: &Leg| leg.values.value(text).filter(|value| !value.contains(SAME));
        let runs = call.legs.iter().take_while(|_| budget::spend(64));
        runs.map(in_run).collect()
    }
}

fn sources_of(report: &FileReport) -> &[Source] {
    let builds = report.builds.as_ref();
    builds.map_or(&[], |builds| &builds.file.sources)
}

fn builds_of(report: &FileReport) -> &[Build] {
    let builds = report.builds.as_ref();
    builds.map_or(&[], |builds| &builds.file.builds)
}

/// Returns the findings on locks of the Dockerfile that all builds share.
pub(super) fn shared_locks(report: &FileReport) -> impl Iterator<Item = &Finding> {
    let findings = report.checked.findings.iter();
    findings.filter(|finding| finding.rule == RuleId::SharedLock)
}

/// Returns whether the Dockerfile has such a lock.
pub(super) fn has_shared_lock(report: &FileReport) -> bool {
    shared_locks(report).next().is_some()
}
