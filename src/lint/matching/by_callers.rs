//! Resolves what the callers of a file decide of its builds: their Dockerfiles, builders and runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::callers::Caller;
use super::graph::BuildGraph;
use super::resolve::Resolver;
use crate::builds::{Build, BuildTool, Builder, ByInputs, Runs, Subject};
use crate::text::marks::SAME;

impl Resolver<'_> {
    /// Returns the paths of Dockerfiles that the callers of `file` choose, each with the numbers of the callers.
    pub(super) fn by_inputs(
        &self,
        file: usize,
        tool: BuildTool,
        by: &ByInputs,
    ) -> BTreeMap<PathBuf, Vec<usize>> {
        let mut paths: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
        for (number, caller) in self.callers.of(file).iter().enumerate() {
            if let Some(path) = caller.path(by) {
                let path = self.dockerfile(tool, self.graph.root(file), &path);
                paths.entry(path).or_default().push(number);
            }
        }
        paths
    }

    /// Returns the reason why the Dockerfile of a build is unknown for a caller of its file.
    pub(super) fn unknown_by_a_caller(&self, file: usize, build: &Build) -> Option<String> {
        let Subject::ByInputs(by) = &build.subject else {
            return None;
        };
        let callers = self.callers.of(file);
        let mut callers = callers.iter();
        let is_unknown = callers.any(|caller| caller.path(by).is_none());
        is_unknown.then(|| by.why.clone())
    }

    /// Returns the builder of `build`, of the file `file`: its own, or where its callers decide, one of theirs, which
    /// is shared if any caller shares one, and unknown if any is.
    pub(super) fn builder(&self, file: usize, build: &Build) -> Builder {
        let callers = self.callers.of(file);
        let called = callers.iter().filter(|caller| caller.call.is_some());
        let mut all = called.map(|caller| builder_by(self.graph, build, file, caller));
        let nobody = || builder_by(self.graph, build, file, &Caller::default());
        let first = all.next().unwrap_or_else(nobody);
        all.fold(first, |all, one| {
            let is_less = one.own().is_some() || (one.unknown().is_some() && all.own().is_none());
            if is_less { all } else { one }
        })
    }

    /// Returns the number of concurrent runs of `build` by the callers of the file `file`.
    pub(super) fn called(&self, file: usize, build: &Build) -> Option<Runs> {
        let calls = self.calls.get(&file)?;
        if build.runs != Runs::Once {
            return None;
        }
        let in_matrix = calls.iter().find(|(_, call)| call.runs != Runs::Once);
        // A file that is only included (GitLab's `include`) runs as the includer's own jobs.
        let jobs = calls.iter().filter(|(_, call)| call.job.is_some()).count();
        match in_matrix {
            Some((_, call)) => Some(call.runs.clone()),
            None => (jobs > 1).then(|| Runs::Matrix(Vec::new())),
        }
    }
}

/// Returns the builder that a caller of its file gives `build`, or the build's own.
pub(super) fn builder_by(
    graph: &BuildGraph<'_>,
    build: &Build,
    file: usize,
    caller: &Caller<'_>,
) -> Builder {
    let own = graph.after_actions(file, build.tool, &build.builder);
    match &own {
        Builder::OfCaller(machine) => {
            let mut machines = caller.call.iter().flat_map(|call| &call.machines);
            let given = machines.find(|(name, _)| *name == machine.input);
            given.map_or(&machine.default, |(_, given)| given).clone()
        }
        Builder::OfDriver(driver) => {
            let given = caller.inputs.values.get(&driver.input).cloned().flatten();
            let given = given.filter(|given| !given.contains(SAME));
            let default = || graph.input(file, &driver.input).map(str::to_owned);
            let is_called = caller.call.is_some();
            driver.by(given
                .or_else(|| default().filter(|_| !is_called))
                .as_deref())
        }
        Builder::Shared if build.jobs.is_empty() => {
            let Some((call, run)) = caller.call.zip(caller.runs.last()) else {
                return own;
            };
            let used = call.builders.used(build.tool, None, &|_| None);
            graph.after_actions(run.file, build.tool, &used)
        }
        _ => own,
    }
}
