//! Resolves what the callers of a file decide of its builds: their Dockerfiles, builders and runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::graph::BuildGraph;
use super::resolve::Resolver;
use crate::builds::{Build, BuildTool, Builder, ByInputs, Call, Runs, Subject};

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
    /// is shared if any caller shares one.
    pub(super) fn builder(&self, file: usize, build: &Build) -> Builder {
        let calls = self.calls.get(&file).map_or(&[][..], Vec::as_slice);
        let own = self.graph.after_actions(file, build.tool, &build.builder);
        let default = match &own {
            Builder::OfCaller(machine) => machine.default.clone(),
            Builder::Shared if build.jobs.is_empty() => Builder::Shared,
            _ => return own,
        };
        let mut all = calls.iter().map(|(from, call)| {
            let caller = CallOf {
                file,
                from: *from,
                call,
            };
            builder_of_call(self.graph, build, &caller)
        });
        let first = all.next().unwrap_or(default);
        all.fold(
            first,
            |all, one| if one.own().is_some() { all } else { one },
        )
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

/// A call of `file` by the file `from`.
pub(super) struct CallOf<'g> {
    pub(super) file: usize,
    pub(super) from: usize,
    pub(super) call: &'g Call,
}

/// Returns the builder that a call of its file gives `build`, or the build's own.
pub(super) fn builder_of_call(graph: &BuildGraph<'_>, build: &Build, of: &CallOf<'_>) -> Builder {
    let own = graph.after_actions(of.file, build.tool, &build.builder);
    match &own {
        Builder::OfCaller(machine) => {
            let mut machines = of.call.machines.iter();
            let given = machines.find(|(name, _)| *name == machine.input);
            given.map_or(&machine.default, |(_, given)| given).clone()
        }
        Builder::Shared if build.jobs.is_empty() => {
            let used = of.call.builders.used(build.tool, None, &|_| None);
            graph.after_actions(of.from, build.tool, &used)
        }
        _ => own,
    }
}
