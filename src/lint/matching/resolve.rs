//! Resolves builds to Dockerfiles, through Compose and bake files and workflows that call one another.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::callers::Callers;
use super::graph::{BuildGraph, BuildId};
use super::names::{is_override, is_usual};
use super::resolved::ResolvedBuild;
use crate::budget;
use crate::builds::{Build, BuildFile, BuildTool, Builder, Call, Files, Subject, Unknown};
use crate::lint::model::MissingImages;

/// The variable that makes bake take paths from its files' own folders.
const RELATIVE: &str = "BUILDX_BAKE_FILE_RELATIVE_PATHS";

/// The builds that are not resolved, each with the index of its file.
#[derive(Default)]
pub(super) struct Lost {
    /// Those that lead to a missing file.
    pub(super) unknown: Vec<(usize, Unknown)>,
    /// Those that run only where an image is not there.
    pub(super) only_missing: Vec<(usize, MissingImages)>,
}

/// Returns every build of the run with each of its Dockerfiles, grouped by file; adds the others to `lost`.
pub(super) fn resolve(graph: &BuildGraph<'_>, lost: &mut Lost) -> Vec<ResolvedBuild> {
    let resolver = Resolver {
        graph,
        calls: graph.calls(),
        callers: Callers::new(graph),
        families: families(graph),
        bases: bases(graph),
        remade: RefCell::default(),
    };
    let mut resolved: Vec<ResolvedBuild> = Vec::new();
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
                let mut seen = HashSet::new();
                let new = found
                    .into_iter()
                    .filter(|one| seen.insert((one.dockerfile.clone(), one.target.clone())));
                lost.only_missing.extend(new.map(|one| {
                    let images = MissingImages {
                        build: id.build,
                        dockerfile: one.dockerfile,
                        target: one.target,
                    };
                    (id.file, images)
                }));
            }
            Ok(found) => {
                resolved.extend(found);
                if let Some(why) = resolver.unknown_by_a_caller(id.file, build) {
                    let span = build.span;
                    lost.unknown.push((id.file, Unknown { span, why }));
                }
            }
            Err(_) if build.only_missing => {}
            Err(why) => {
                let span = build.span;
                lost.unknown.push((id.file, Unknown { span, why }));
            }
        }
    }
    mark_called(graph, &mut resolved);
    resolved
}

/// Gives the commands of scripts that other files run the builders of those.
fn mark_called(graph: &BuildGraph<'_>, resolved: &mut [ResolvedBuild]) {
    let mut builders: HashMap<BuildId, Builder> = HashMap::new();
    for one in resolved.iter() {
        let inner = one.scripted(graph).filter(|id| *id != one.id);
        for id in inner.take_while(|_| budget::spend(1)) {
            let known = builders.entry(id).or_insert_with(|| one.builder.clone());
            if known.own().is_some() && one.builder.own().is_none() {
                known.clone_from(&one.builder);
            }
        }
    }
    for one in resolved {
        if let Some(builder) = builders.get(&one.id) {
            one.builder = builder.clone();
            one.is_called = true;
        }
    }
}

pub(super) struct Resolver<'g> {
    pub(super) graph: &'g BuildGraph<'g>,
    /// The calls of each file by others, by its index.
    pub(super) calls: HashMap<usize, Vec<(usize, &'g Call)>>,
    pub(super) callers: Callers<'g>,
    families: HashMap<Family<'g>, Vec<BuildId>>,
    /// The folders that a bake file's paths start from: those in which commands that name it run.
    pub(super) bases: HashMap<usize, Vec<PathBuf>>,
    /// The Makefiles as variables of make's command line make them, by index and variables: many calls give the same.
    pub(super) remade: RefCell<HashMap<GivenTo, Option<Rc<BuildFile>>>>,
}

/// A Makefile, by index, and what make's command line gives it.
type GivenTo = (usize, Vec<(String, Option<String>)>);

/// The properties by which services or targets in several files are one build.
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

/// A Dockerfile of Compose or bake files, or of a script.
pub(super) struct Merged {
    pub(super) dockerfile: PathBuf,
    /// The builds that are merged for it.
    pub(super) layers: Vec<BuildId>,
    pub(super) target: Option<String>,
    pub(super) tool: BuildTool,
    /// The layers of Makefiles as the variables of make's command line make them.
    pub(super) remade: Vec<(BuildId, Build)>,
}

/// The way from a command to what a script builds.
#[derive(Default)]
pub(super) struct Way {
    /// The commands of scripts that lead there.
    pub(super) open: Vec<BuildId>,
    /// The variables that command lines of make set, which hand them to one another.
    pub(super) given: Vec<(String, Option<String>)>,
    /// The reason why something that is built is not known.
    pub(super) unknown: Option<String>,
}

impl Resolver<'_> {
    fn build(&self, id: BuildId, build: &Build) -> Result<Vec<ResolvedBuild>, String> {
        let graph = self.graph;
        let root = graph.root(id.file);
        let path = &graph.report(id.file).path;
        let family = Family::of(build, root).and_then(|family| self.families.get(&family));
        let others = || members(family);
        let is_usual_one = is_usual(path);
        let named = is_override(path) || !is_usual_one;
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
        let is_over = |other: &BuildId| is_usual_one && is_override(&graph.report(other.file).path);
        let over: Vec<BuildId> = others().filter(is_over).collect();
        let called = self.called(id.file, build);
        let builder = self.builder(id.file, build);
        let one = |dockerfile, layers, target| ResolvedBuild {
            id,
            tool: build.tool,
            is_called: false,
            remade: Vec::new(),
            dockerfile,
            layers,
            target,
            called: called.clone(),
            callers: None,
            builder: builder.clone(),
        };
        let target = || build.target.clone();
        Ok(match &build.subject {
            Subject::Inline(_) => vec![one(None, over, target())],
            Subject::ByInputs(by) => {
                let found = self.by_inputs(id.file, build.tool, by).into_iter();
                found
                    .map(|(path, callers)| ResolvedBuild {
                        called: called.clone().filter(|_| callers.len() > 1),
                        callers: Some(callers),
                        ..one(Some(path), Vec::new(), target())
                    })
                    .collect()
            }
            Subject::Snippets => {
                let snippets = graph.snippets(root)?.into_iter();
                snippets
                    .map(|path| one(Some(path), Vec::new(), None))
                    .collect()
            }
            // What a script runs counts where jobs run the script.
            Subject::Files(_) if build.tool.runs_others() && build.is_of_script() => Vec::new(),
            Subject::Files(files) if build.is_of_script() => {
                let named = |base: &Path| graph.named(build.tool, &files.paths, base);
                let mut all = Vec::new();
                for base in self.folders(id, build, &|base| named(base).is_ok())? {
                    let folder = self::base(build, &base);
                    all.extend(self.merged(build.tool, files, &named(&base)?, folder.as_deref()));
                }
                all.into_iter()
                    .map(|found| one(Some(found.dockerfile), found.layers, found.target))
                    .collect()
            }
            Subject::File(file) => {
                let path = |base: &Path| self.dockerfile(build.tool, base, file);
                let bases = if build.is_of_script() {
                    self.folders(id, build, &|base| (graph.access.is_there)(&path(base)))?
                } else {
                    let bases = self.bases.get(&id.file);
                    bases.map_or_else(|| vec![root.clone()], Vec::clone)
                };
                let paths = bases.iter().map(|base| path(base));
                paths
                    .map(|path| one(Some(path), over.clone(), target()))
                    .collect()
            }
            Subject::Files(files) if build.tool.runs_others() => {
                let mut way = Way::default();
                let found = self.scripted(build, files, root, &mut way);
                if let Some(why) = way.unknown {
                    return Err(why);
                }
                let by_script = |found: Merged| ResolvedBuild {
                    tool: found.tool,
                    builder: self.of_script(id.file, build, &found),
                    remade: found.remade,
                    ..one(Some(found.dockerfile), found.layers, found.target)
                };
                found.into_iter().map(by_script).collect()
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
    pub(super) fn dockerfile(&self, tool: BuildTool, base: &Path, file: &str) -> PathBuf {
        let path = (self.graph.access.absolute)(&base.join(file));
        let containerfile = path.with_file_name("Containerfile");
        let is_first = tool.is_buildah()
            && path.ends_with("Dockerfile")
            && self.graph.index(&containerfile).is_some();
        if is_first { containerfile } else { path }
    }

    /// Returns the merged builds of the files `inner`, each laid over those before it, with any of the names, or all by
    /// default; their paths start from `base`, if given.
    pub(super) fn merged(
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
        // An unknown name of bake's may be a pattern.
        let all = names.is_empty() || (!tool.is_compose() && !names.iter().all(is_known));
        let chosen = graph.expanded(inner, names);
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
                    Subject::Inline(_) | Subject::Snippets | Subject::ByInputs(_) => continue,
                };
                let folder = base.unwrap_or_else(|| graph.root(layer.file));
                let is_other = |other: &BuildId| other.file != layer.file || other == layer;
                found.push(Merged {
                    dockerfile: (graph.access.absolute)(&folder.join(path)),
                    layers: own.iter().copied().filter(is_other).collect(),
                    target: build.target.clone().or_else(|| target.clone()),
                    tool,
                    remade: Vec::new(),
                });
            }
        }
        found
    }
}

/// Returns the builds of a family, each of which is compared with all others.
fn members(family: Option<&Vec<BuildId>>) -> impl Iterator<Item = BuildId> {
    let all = family.into_iter().flatten().copied();
    all.take_while(|_| budget::spend(64))
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
    for (file, _) in graph.own_reports() {
        // What a Makefile includes runs in the folder of that Makefile.
        let sources = graph.sources(file).iter();
        let sources = sources.filter(|source| source.is_optional && budget::spend(16));
        let root = graph.root(file);
        for index in sources.flat_map(|source| graph.taken(file, source)) {
            bases.entry(index).or_default().push(root.clone());
        }
    }
    for (id, build) in graph.own_builds() {
        let root = graph.root(id.file);
        let (Subject::Files(files), Some(base)) = (&build.subject, base(build, root)) else {
            continue;
        };
        let named = graph.named(build.tool, &files.paths, root);
        let is_bake = |file: &usize| {
            let mut builds = graph.builds(*file).iter();
            builds.any(|one| one.tool.is_bake() || one.is_of_script())
        };
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
pub(super) fn base(build: &Build, root: &Path) -> Option<PathBuf> {
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
    let is_theirs = !(build.tool.is_bake() || build.tool == BuildTool::Script) || is_relative;
    (!is_theirs).then(|| root.join(folder.trim_start_matches('/')))
}
