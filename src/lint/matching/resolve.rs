//! Resolves builds to Dockerfiles, through Compose and bake files and workflows that call one another.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::graph::{BuildGraph, BuildId, is_override, is_usual};
use crate::budget;
use crate::builds::{
    Arg, ArgName, Build, BuildTool, Builder, Call, Files, NAMESPACE, Runs, Subject, Unknown,
    ValueSource,
};
use crate::lint::model::LaneStatus;

/// The variable that makes bake take paths from its files' own folders.
const RELATIVE: &str = "BUILDX_BAKE_FILE_RELATIVE_PATHS";

/// A build with its Dockerfile.
#[derive(Debug)]
pub(super) struct ResolvedBuild {
    pub(super) id: BuildId,
    /// The absolute path of the Dockerfile; `None` for one within a file.
    pub(super) dockerfile: Option<PathBuf>,
    /// The builds of merged Compose or bake files between the build and the Dockerfile, or that add to it.
    pub(super) layers: Vec<BuildId>,
    pub(super) target: Option<String>,
    /// The number of concurrent runs, where another file that calls this one gives it.
    pub(super) called: Option<Runs>,
    /// Its own builder; for an action that names none, its callers'.
    pub(super) builder: Builder,
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

    /// Returns whether the build may overlap itself, since it is called by others and none of them is among `called`.
    pub(super) fn waits_itself(&self, graph: &BuildGraph<'_>, called: &HashSet<BuildId>) -> bool {
        let build = graph.build(self.id);
        build.legs.is_empty() && build.service.is_some() && !called.contains(&self.id)
    }

    /// Returns the lane from the argument `name` or a namespace; `None` where it passes neither. `arg` is the lane
    /// argument.
    pub(super) fn passes<'g>(
        &self,
        graph: &'g BuildGraph<'_>,
        name: &str,
        arg: &str,
    ) -> Option<PassedLane<'g>> {
        let build = graph.build(self.id);
        let is_it = |own: &ArgName| own.is(name) || (name == arg && *own == ArgName::Lane);
        let named = |args: &'g [Arg]| {
            let own = args.iter().find(|own| is_it(&own.name));
            if let Some(own) = own.filter(|own| own.from != ValueSource::Attribute) {
                let status = LaneStatus::Passed;
                return Some(PassedLane { status, arg: own });
            }
            let mut args = args.iter().filter(|_| !build.tool.is_buildah());
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
        let inner = layers.find_map(|layer| named(&graph.build(*layer).args))?;
        // The subject of anything but a command is given by its users.
        let is_direct = !matches!(build.subject, Subject::Files(..));
        let is_set = |name: &String| {
            let mut env = build.env.iter().take_while(|_| budget::spend(1));
            env.any(|env| env.name.is(name) || (env.name == ArgName::Lane && name == arg))
        };
        let is_passed = match &inner.arg.from {
            _ if is_direct => true,
            ValueSource::Variables(names) => names.is_empty() || names.iter().any(is_set),
            ValueSource::Attribute => false,
        };
        is_passed.then_some(inner)
    }
}

/// The builds that are not resolved, each with the index of its file.
#[derive(Default)]
pub(super) struct Lost {
    /// Those that lead to a missing file.
    pub(super) unknown: Vec<(usize, Unknown)>,
    /// Those that run only where an image is not there.
    pub(super) only_missing: Vec<(usize, Unknown)>,
}

/// Returns every build of the run with each of its Dockerfiles, grouped by file; adds the others to `lost`.
pub(super) fn resolve(graph: &BuildGraph<'_>, lost: &mut Lost) -> Vec<ResolvedBuild> {
    let resolver = Resolver {
        graph,
        calls: graph.calls(),
        families: families(graph),
        bases: bases(graph),
    };
    let mut resolved = Vec::new();
    for (file, _) in graph.own_reports() {
        let unknown = graph.sources(file).iter().filter_map(|source| {
            let (span, why) = (source.span, graph.lost(file, source)?);
            Some((file, Unknown { span, why }))
        });
        lost.unknown.extend(unknown);
    }
    for (id, build) in graph.own_builds() {
        match resolver.build(id, build) {
            Ok(found) if build.only_missing => {
                let span = build.span;
                let why = "it builds only the images that are not there: `--build` builds all";
                let unknown = Unknown {
                    span,
                    why: why.to_owned(),
                };
                lost.only_missing
                    .extend((!found.is_empty()).then_some((id.file, unknown)));
            }
            Ok(found) => resolved.extend(found),
            Err(_) if build.only_missing => {}
            Err(why) => {
                let span = build.span;
                lost.unknown.push((id.file, Unknown { span, why }));
            }
        }
    }
    resolved
}

struct Resolver<'g> {
    graph: &'g BuildGraph<'g>,
    /// The calls of each file by others, by its index.
    calls: HashMap<usize, Vec<(usize, &'g Call)>>,
    families: HashMap<Family<'g>, Vec<BuildId>>,
    /// The folders that a bake file's paths start from: those in which commands that name it run.
    bases: HashMap<usize, Vec<PathBuf>>,
}

/// What services or targets have in common that are one build in several files.
#[derive(PartialEq, Eq, Hash)]
struct Family<'g> {
    folder: &'g Path,
    tool: BuildTool,
    name: &'g str,
}

impl<'g> Family<'g> {
    fn of(build: &'g Build, folder: &'g Path) -> Option<Self> {
        Some(Self {
            folder,
            tool: build.tool,
            name: build.id()?,
        })
    }
}

/// A Dockerfile of Compose or bake files.
struct Merged {
    dockerfile: PathBuf,
    /// The builds that are merged for it.
    layers: Vec<BuildId>,
    target: Option<String>,
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

impl Resolver<'_> {
    fn build(&self, id: BuildId, build: &Build) -> Result<Vec<ResolvedBuild>, String> {
        let graph = self.graph;
        let root = graph.root(id.file);
        let path = &graph.report(id.file).path;
        let family = Family::of(build, root).and_then(|family| self.families.get(&family));
        let others = || family.into_iter().flatten().copied();
        let named = is_override(path) || !is_usual(path);
        // Matches the base of a partial build.
        let is_base = |other: BuildId| {
            let is_whole = !graph.build(other).is_partial();
            other.file != id.file && (is_whole || named && is_usual(&graph.report(other.file).path))
        };
        // Without a base among the files, an override's Dockerfile is still not the folder's own.
        if build.is_partial() && (is_override(path) || others().any(is_base)) {
            return Ok(Vec::new());
        }
        // Overrides are merged without being named.
        let is_over =
            |other: &BuildId| is_usual(path) && is_override(&graph.report(other.file).path);
        let over: Vec<BuildId> = others().filter(is_over).collect();
        let called = self.called(id.file, build);
        let builder = self.builder(id.file, build);
        let one = |dockerfile, layers, target| ResolvedBuild {
            id,
            dockerfile,
            layers,
            target,
            called: called.clone(),
            builder: builder.clone(),
        };
        let target = || build.target.clone();
        Ok(match &build.subject {
            Subject::Inline(_) => vec![one(None, over, target())],
            Subject::Snippets => {
                let snippets = graph.snippets(root)?.into_iter();
                snippets
                    .map(|path| one(Some(path), Vec::new(), None))
                    .collect()
            }
            Subject::File(file) => {
                let bases = self.bases.get(&id.file);
                let bases = bases.map_or(std::slice::from_ref(root), Vec::as_slice);
                let paths = bases
                    .iter()
                    .map(|base| self.dockerfile(build.tool, base, file));
                paths
                    .map(|path| one(Some(path), over.clone(), target()))
                    .collect()
            }
            Subject::Files(files) => {
                let inner = graph.named(build.tool, &files.paths, root)?;
                let base = base(build, root);
                let merged = self.merged(build.tool, files, &inner, base.as_deref());
                merged
                    .into_iter()
                    .map(|found| one(Some(found.dockerfile), found.layers, found.target))
                    .collect()
            }
        })
    }

    /// Returns the path of `file` in `base`. Podman and Buildah look for a `Containerfile` first by default.
    fn dockerfile(&self, tool: BuildTool, base: &Path, file: &str) -> PathBuf {
        let path = (self.graph.access.absolute)(&base.join(file));
        let containerfile = path.with_file_name("Containerfile");
        let is_first = tool.is_buildah()
            && path.ends_with("Dockerfile")
            && self.graph.index(&containerfile).is_some();
        if is_first { containerfile } else { path }
    }

    /// Returns the merged builds of the files `inner`, each laid over those before it, with any of the names, or all by
    /// default; their paths start from `base`, if given.
    fn merged(
        &self,
        tool: BuildTool,
        files: &Files,
        inner: &[usize],
        base: Option<&Path>,
    ) -> Vec<Merged> {
        let graph = self.graph;
        let mut ids: Vec<&str> = Vec::new();
        let mut layers: HashMap<&str, Vec<BuildId>> = HashMap::new();
        for &file in inner {
            // A command can name thousands, and so can thousands of commands.
            if !budget::spend(256 * graph.builds(file).len()) {
                return Vec::new();
            }
            let extended = graph.sources(file).iter().filter_map(|source| {
                let name = source.extended.as_ref()?.name.as_str();
                Some((name, graph.origin(file, source)?))
            });
            for (name, origin) in extended {
                let list = layers.entry(name).or_default();
                if list.is_empty() {
                    ids.push(name);
                }
                list.push(origin);
            }
            for (build, it) in graph.builds(file).iter().enumerate() {
                let id = it.id().unwrap_or_default();
                let list = layers.entry(id).or_default();
                if list.is_empty() {
                    ids.push(id);
                }
                list.push(BuildId { file, build });
            }
        }
        let mut names: Vec<&str> = files.names.iter().map(String::as_str).collect();
        if names.is_empty() && tool.is_bake() {
            names.push("default");
        }
        let legs = |id: &&str| {
            let own = layers[*id].iter().filter(|_| tool.is_bake());
            let own = own.filter_map(|own| graph.build(*own).service.as_ref());
            own.flat_map(|service| service.legs.iter().map(|leg| leg.name.as_str()))
        };
        let of_legs: HashSet<&str> = ids.iter().flat_map(legs).collect();
        let is_known = |name: &&str| {
            let is_group = || graph.expanded(inner, vec![name]).len() > 1;
            layers.contains_key(name) || of_legs.contains(name) || is_group()
        };
        // An unknown name of bake's is a pattern, say.
        let all = names.is_empty() || (!tool.is_compose() && !names.iter().all(is_known));
        let chosen = if tool.is_bake() {
            graph.expanded(inner, names)
        } else {
            names.into_iter().collect()
        };
        let is_whole = |layer: &&BuildId| !graph.build(**layer).is_partial();
        let mut found = Vec::new();
        let is_built =
            |id: &&&str| all || chosen.contains(**id) || legs(id).any(|leg| chosen.contains(leg));
        for id in ids.iter().filter(is_built) {
            let own = &layers[*id];
            let whole = own.iter().rfind(is_whole);
            let Some(last) = whole.or(own.last()) else {
                continue;
            };
            let mut targets = own.iter().rev().map(|layer| &graph.build(*layer).target);
            let target = targets.find(|target| target.is_some()).cloned().flatten();
            let counts =
                |layer: &&BuildId| layer.file == last.file && (whole.is_none() || is_whole(layer));
            for layer in own.iter().filter(counts) {
                let build = graph.build(*layer);
                let path = match &build.subject {
                    Subject::File(path) => path,
                    Subject::Files(files) => {
                        let inner = graph.named(build.tool, &files.paths, graph.root(layer.file));
                        let inner = inner.unwrap_or_default();
                        let merged = || self.merged(build.tool, files, &inner, None);
                        found.extend(budget::nested(merged).unwrap_or_default());
                        continue;
                    }
                    Subject::Inline(_) | Subject::Snippets => continue,
                };
                let folder = base.unwrap_or_else(|| graph.root(layer.file));
                let is_other = |other: &BuildId| other.file != layer.file || other == layer;
                found.push(Merged {
                    dockerfile: (graph.access.absolute)(&folder.join(path)),
                    layers: own.iter().copied().filter(is_other).collect(),
                    target: build.target.clone().or_else(|| target.clone()),
                });
            }
        }
        found
    }

    /// Returns the builder of `build`, of the file `file`: its own, or where its callers decide, one of theirs, which
    /// is shared if any caller shares one.
    fn builder(&self, file: usize, build: &Build) -> Builder {
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
    fn called(&self, file: usize, build: &Build) -> Option<Runs> {
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

fn families<'g>(graph: &'g BuildGraph<'_>) -> HashMap<Family<'g>, Vec<BuildId>> {
    let mut families: HashMap<_, Vec<BuildId>> = HashMap::new();
    for (id, build) in graph.own_builds() {
        if let Some(family) = Family::of(build, graph.root(id.file)) {
            families.entry(family).or_default().push(id);
        }
    }
    families
}

fn bases(graph: &BuildGraph<'_>) -> HashMap<usize, Vec<PathBuf>> {
    let mut bases: HashMap<usize, Vec<PathBuf>> = HashMap::new();
    for (id, build) in graph.own_builds() {
        let root = graph.root(id.file);
        let (Subject::Files(files), Some(base)) = (&build.subject, base(build, root)) else {
            continue;
        };
        let named = graph.named(build.tool, &files.paths, root);
        let is_bake = |file: &usize| graph.builds(*file).iter().any(|build| build.tool.is_bake());
        for file in named.unwrap_or_default().into_iter().filter(is_bake) {
            let bases = bases.entry(file).or_default();
            if !bases.contains(&base) {
                bases.push(base.clone());
            }
        }
    }
    bases
}

/// Returns the folder that the paths in a command's files start from: for bake, the folder in which it runs.
fn base(build: &Build, root: &Path) -> Option<PathBuf> {
    let Subject::Files(files) = &build.subject else {
        return None;
    };
    let folder = files.folder.as_ref()?;
    let is_on = |value: &String| {
        let off = ["", "0", "f", "F", "false", "False", "FALSE"];
        !off.contains(&value.trim())
    };
    let relative = build.env.get(RELATIVE);
    let is_relative = relative.is_some_and(|arg| arg.value.as_ref().is_none_or(is_on));
    let is_theirs = !build.tool.is_bake() || is_relative;
    (!is_theirs).then(|| root.join(folder.trim_start_matches('/')))
}
