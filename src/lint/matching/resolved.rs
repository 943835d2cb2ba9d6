//! A build with its Dockerfile, and what it passes.

use std::collections::HashSet;
use std::path::PathBuf;

use super::graph::{BuildGraph, BuildId};
use crate::budget;
use crate::builds::{
    Arg, ArgName, Build, BuildTool, Builder, NAMESPACE, Runs, Subject, ValueSource,
};
use crate::lint::model::LaneStatus;

/// A build with its Dockerfile.
#[derive(Debug)]
pub(super) struct ResolvedBuild {
    pub(super) id: BuildId,
    /// The tool that builds: another one than the command's where that runs a script.
    pub(super) tool: BuildTool,
    /// The absolute path of the Dockerfile; `None` for one within a file.
    pub(super) dockerfile: Option<PathBuf>,
    /// The builds of merged Compose or bake files between the build and the Dockerfile, or that add to it.
    pub(super) layers: Vec<BuildId>,
    pub(super) target: Option<String>,
    /// The number of concurrent runs, where another file that calls this one gives it.
    pub(super) called: Option<Runs>,
    /// The numbers of the callers of its file by which it has this Dockerfile; `None` for all.
    pub(super) callers: Option<Vec<usize>>,
    /// Its own builder; for an action that names none, its callers', as for a script's command.
    pub(super) builder: Builder,
    /// True for a command of a script that another file runs.
    pub(super) is_called: bool,
    /// The layers of Makefiles as the variables of make's command line make them.
    pub(super) remade: Vec<(BuildId, Build)>,
}

/// The argument by which a build has a lane.
pub(super) struct PassedLane<'g> {
    pub(super) status: LaneStatus,
    pub(super) arg: &'g Arg,
}

impl<'g> PassedLane<'g> {
    /// Returns the name and the value, for messages; `name` is that of the argument asked for.
    pub(super) fn named(&self, name: &'g str) -> (&'g str, &'g str) {
        let is_own = self.status == LaneStatus::Passed;
        let name = if is_own { name } else { NAMESPACE };
        (name, self.arg.value.as_deref().unwrap_or("…"))
    }
}

impl ResolvedBuild {
    /// Returns the index of its Dockerfile, where that is among the files.
    pub(super) fn built(&self, graph: &BuildGraph<'_>) -> Option<usize> {
        graph.index(self.dockerfile.as_ref()?)
    }

    /// Returns whether its Dockerfile is not among the files to check.
    pub(super) fn is_outside(&self, graph: &BuildGraph<'_>) -> bool {
        let path = self.dockerfile.as_ref();
        let is_checked = |index: usize| !graph.report(index).is_context;
        path.is_some_and(|path| !graph.index(path).is_some_and(is_checked))
    }

    /// Returns whether its Dockerfile exists under one of the names that are tried.
    pub(super) fn is_there(&self, graph: &BuildGraph<'_>) -> bool {
        let Some(path) = &self.dockerfile else {
            return true;
        };
        let is_there = graph.access.is_there;
        let other = if self.tool.is_buildah() {
            "Containerfile"
        } else {
            "dockerfile"
        };
        is_there(path) || path.ends_with("Dockerfile") && is_there(&path.with_file_name(other))
    }

    /// Returns whether the build may overlap itself: others call it, and none of them is among `content`. What a script
    /// does by another file is that file's affair.
    pub(super) fn waits_itself(&self, graph: &BuildGraph<'_>, content: &HashSet<BuildId>) -> bool {
        let build = graph.build(self.id);
        build.legs.is_empty()
            && build.service.is_some()
            && !content.contains(&self.id)
            && !self.hands_on(graph)
    }

    /// Returns whether it is a command of a script that builds by another file.
    pub(super) fn hands_on(&self, graph: &BuildGraph<'_>) -> bool {
        let build = graph.build(self.id);
        build.is_of_script() && matches!(build.subject, Subject::Files(..))
    }

    /// Returns a layer of it.
    pub(super) fn layer<'g>(&'g self, graph: &'g BuildGraph<'_>, id: BuildId) -> &'g Build {
        let remade = self.remade.iter().find(|(layer, _)| *layer == id);
        remade.map_or_else(|| graph.build(id), |(_, build)| build)
    }

    /// Returns whether a script builds it, or is it.
    pub(super) fn is_by_script(&self, graph: &BuildGraph<'_>) -> bool {
        self.scripted(graph).next().is_some()
    }

    /// Returns the commands of scripts that build it, itself included.
    pub(super) fn scripted<'g>(
        &'g self,
        graph: &'g BuildGraph<'_>,
    ) -> impl Iterator<Item = BuildId> {
        let all = std::iter::once(self.id).chain(self.layers.iter().copied());
        all.filter(|id| graph.build(*id).is_of_script())
    }

    /// Returns whether all arguments that its commands pass are known.
    pub(super) fn args_known(&self, graph: &BuildGraph<'_>) -> bool {
        let mut scripted = self.scripted(graph);
        graph.build(self.id).args_known && scripted.all(|id| self.layer(graph, id).args_known)
    }

    /// Returns the lane from the argument `name` or a namespace; `None` where it passes neither. `arg` is the lane
    /// argument.
    pub(super) fn passes<'g>(
        &'g self,
        graph: &'g BuildGraph<'_>,
        name: &str,
        arg: &str,
    ) -> Option<PassedLane<'g>> {
        let build = graph.build(self.id);
        let is_it = |own: &ArgName| {
            name != NAMESPACE && own.is(name) || (name == arg && *own == ArgName::Lane)
        };
        let named = |args: &'g [Arg]| {
            let own = args.iter().find(|own| is_it(&own.name));
            if let Some(own) = own.filter(|own| own.from != ValueSource::Attribute) {
                let status = LaneStatus::Passed;
                return Some(PassedLane { status, arg: own });
            }
            let mut args = args.iter().filter(|_| self.tool.takes_namespace());
            Some(PassedLane {
                status: LaneStatus::Namespace,
                arg: args.find(|own| own.name.is(NAMESPACE))?,
            })
        };
        budget::spend(build.args.len());
        let own = named(&build.args);
        if own.is_some() {
            return own;
        }
        let mut layers = self.layers.iter().rev();
        let found = layers.find_map(|layer| {
            let inner = named(&self.layer(graph, *layer).args)?;
            Some((*layer, inner))
        });
        let (layer, inner) = found?;
        // The subject of anything but a command is given by its users.
        let is_direct = !matches!(build.subject, Subject::Files(..));
        let is_set = |name: &String| self.set_for(graph, layer, name, arg).is_some();
        let is_passed = match &inner.arg.from {
            ValueSource::Nowhere => false,
            ValueSource::Run => true,
            _ if is_direct => true,
            ValueSource::Variables(names) => names.is_empty() || names.iter().any(is_set),
            ValueSource::Attribute => false,
        };
        is_passed.then_some(inner)
    }
}

/// Returns the services and targets that commands build, which say with what.
pub(super) fn called(graph: &BuildGraph<'_>, resolved: &[ResolvedBuild]) -> HashSet<BuildId> {
    let is_command =
        |one: &&ResolvedBuild| matches!(graph.build(one.id).subject, Subject::Files(..));
    let commands = resolved.iter().filter(is_command);
    commands.flat_map(|one| &one.layers).copied().collect()
}

/// Returns the services and targets with known callers of which none is among `waiting`, by their numbers.
pub(super) fn content(
    graph: &BuildGraph<'_>,
    resolved: &[ResolvedBuild],
    waiting: impl Iterator<Item = usize>,
) -> HashSet<BuildId> {
    let mut content = called(graph, resolved);
    for layer in waiting.flat_map(|one| &resolved[one].layers) {
        content.remove(layer);
    }
    content
}
