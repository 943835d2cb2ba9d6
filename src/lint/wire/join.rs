//! Which build leads to which Dockerfile, through Compose and bake files and the workflows that call one another.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::budget;
use crate::builds::{
    self, ANY_LANE, Arg, Build, BuildTool, Call, NAMESPACE, NO_VARIABLE, Place, Runs, Subject,
    Unknown,
};

use super::{Verdict, World};
use crate::lint::model::FileReport;

/// The names that Compose and bake look for, in their order. Compose takes the first, bake all.
const COMPOSE: &[&str] = &[
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];
const OVERRIDES: &[&str] = &[
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];
const BAKE: &[&str] = &[
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
];

/// The variable that has bake take paths from its files' own folders.
const RELATIVE: &str = "BUILDX_BAKE_FILE_RELATIVE_PATHS";

/// A build with the Dockerfile that it comes down to.
#[derive(Debug)]
pub struct Joined {
    /// The report that the build stands in, by its index.
    pub file: usize,
    /// The build, by its index there.
    pub build: usize,
    /// The Dockerfile, from the root of the file system on; `None` for one within a file.
    pub dockerfile: Option<PathBuf>,
    /// The builds of Compose or bake files that are laid over one another, by file and index: those that stand between the
    /// build and the Dockerfile, or those that add to it.
    pub layers: Vec<(usize, usize)>,
    /// The stage that is built.
    pub target: Option<String>,
    /// How often it runs at once, where another file that calls this one says so.
    pub called: Option<Runs>,
    /// Whether all that call it give each run a machine of its own.
    pub own_machine: bool,
}

/// The builds of each name in the files of a folder that a tool takes.
type Families<'f> = HashMap<(PathBuf, BuildTool, &'f str), Vec<(usize, usize)>>;

/// A Dockerfile that Compose or bake files lead to: its path, the builds that make one, and the stage.
type Merged = (PathBuf, Vec<(usize, usize)>, Option<String>);

/// The files of a run, and those that their builds lead to.
pub(super) struct Files<'r> {
    reports: &'r [FileReport],
    /// Compose and bake files that are not among the run's; their indices come behind.
    outside: Vec<FileReport>,
    /// All of them, by their paths from the root of the file system on.
    places: HashMap<PathBuf, usize>,
}

impl<'r> Files<'r> {
    pub(super) fn new(reports: &'r [FileReport], world: &World<'_>) -> Self {
        let place = |(index, report): (usize, &FileReport)| ((world.absolute)(&report.path), index);
        let places = reports.iter().enumerate().map(place).collect();
        let mut files = Self {
            reports,
            outside: Vec::new(),
            places,
        };
        let mut asked = HashSet::new();
        for report in reports {
            let Some(wires) = &report.wires else { continue };
            let root = (world.root)(&report.path, wires.format);
            for build in &wires.wiring.builds {
                let Subject::Files(named) = &build.subject else {
                    continue;
                };
                for path in named
                    .paths
                    .iter()
                    .flat_map(|path| candidates(build.tool, path))
                {
                    let path = (world.absolute)(&root.join(path.trim_start_matches('/')));
                    if files.places.contains_key(&path) || !asked.insert(path.clone()) {
                        continue;
                    }
                    if let Some(report) = (world.load)(
                        &path,
                        Some(builds::named_format(build.tool, &path.to_string_lossy())),
                    ) {
                        files
                            .places
                            .insert(path, reports.len() + files.outside.len());
                        files.outside.push(report);
                    }
                }
            }
        }
        files
    }

    /// The report with this index.
    pub(super) fn report(&self, index: usize) -> &FileReport {
        self.reports
            .get(index)
            .unwrap_or_else(|| &self.outside[index - self.reports.len()])
    }

    /// The report on the file at `path`.
    pub(super) fn at(&self, path: &Path) -> Option<&FileReport> {
        self.places.get(path).map(|index| self.report(*index))
    }

    fn builds(&self, index: usize) -> &[Build] {
        self.report(index)
            .wires
            .as_ref()
            .map_or(&[], |wires| &wires.wiring.builds)
    }

    fn build(&self, (file, build): (usize, usize)) -> &Build {
        &self.builds(file)[build]
    }

    /// What `one` makes of `arg`, and the value that it passes; `None` where it passes neither that nor a namespace.
    pub(super) fn passes(&self, one: &Joined, arg: &str) -> Option<(Verdict, Option<String>)> {
        let named = |args: &'_ [Arg]| -> Option<(Verdict, Arg)> {
            let own = args
                .iter()
                .find(|own| own.name == arg || own.name == ANY_LANE);
            let own = own.filter(|own| own.from != [NO_VARIABLE]);
            let namespace = || args.iter().find(|own| own.name == NAMESPACE);
            let passed = own.map(|own| (Verdict::Passed, own.clone()));
            passed.or_else(|| Some((Verdict::Namespace, namespace()?.clone())))
        };
        let build = self.build((one.file, one.build));
        budget::spend(build.args.len());
        if let Some((verdict, own)) = named(&build.args) {
            return Some((verdict, own.value));
        }
        let (verdict, inner) = one
            .layers
            .iter()
            .rev()
            .find_map(|layer| named(&self.build(*layer).args))?;
        // What is no command is told what it is by whoever uses it.
        let direct = !matches!(build.subject, Subject::Files(..));
        let set = |name: &String| {
            let mut env = build.env.iter().take_while(|_| budget::spend(1));
            env.any(|env| env.name == *name || (env.name == ANY_LANE && name == arg))
        };
        (direct || inner.from.is_empty() || inner.from.iter().any(set))
            .then_some((verdict, inner.value))
    }

    /// Every build of the run with each Dockerfile that it builds, those of a file together.
    pub(super) fn join(
        &self,
        world: &World<'_>,
        unknown: &mut Vec<(usize, Unknown)>,
    ) -> Vec<Joined> {
        let calls = self.calls(world);
        let families = self.families(world);
        let bases = self.bases(world);
        let mut joined = Vec::new();
        for (file, report) in self.reports.iter().enumerate() {
            let Some(wires) = &report.wires else { continue };
            let root = (world.root)(&report.path, wires.format);
            for (build, it) in wires.wiring.builds.iter().enumerate() {
                let (called, own_machine) = called(&calls, file, it);
                let one = |dockerfile, layers, target: &Option<String>| {
                    let (target, called) = (target.clone(), called.clone());
                    Joined {
                        file,
                        build,
                        dockerfile,
                        layers,
                        target,
                        called,
                        own_machine,
                    }
                };
                let others = it
                    .id()
                    .and_then(|id| families.get(&(root.clone(), it.tool, id)));
                let others = others.map_or(&[][..], Vec::as_slice);
                let has_base = || {
                    others
                        .iter()
                        .any(|other| other.0 != file && self.base_of(*other, report))
                };
                // Without a base among the files, an override's is still not the folder's own Dockerfile.
                if it.is_partial() && (is_override(&report.path) || has_base()) {
                    continue;
                }
                let over = || self.over(report, others);
                match &it.subject {
                    Subject::File(path) => {
                        for base in bases
                            .get(&file)
                            .map_or(std::slice::from_ref(&root), Vec::as_slice)
                        {
                            let path = self.dockerfile(it.tool, (world.absolute)(&base.join(path)));
                            joined.push(one(Some(path), over(), &it.target));
                        }
                    }
                    Subject::Inline(_) => joined.push(one(None, over(), &it.target)),
                    Subject::Files(named) => {
                        let inner = match self.named(it.tool, &named.paths, &root, world) {
                            Ok(inner) => inner,
                            Err(why) => {
                                unknown.push((file, Unknown { span: it.span, why }));
                                continue;
                            }
                        };
                        let base = base(it, &root);
                        for (path, layers, target) in
                            self.merged(&inner, &named.names, (it.tool, base.as_deref()), world)
                        {
                            joined.push(one(Some(path), layers, &target));
                        }
                    }
                }
            }
        }
        joined
    }

    /// Podman and Buildah look for a `Containerfile` first, where none is named.
    fn dockerfile(&self, front: BuildTool, path: PathBuf) -> PathBuf {
        let containerfile = path.with_file_name("Containerfile");
        let first = front.is_buildah()
            && path.ends_with("Dockerfile")
            && self.places.contains_key(&containerfile);
        if first { containerfile } else { path }
    }

    /// The builds of each name in the Compose, or the bake, files of each folder.
    fn families(&self, world: &World<'_>) -> Families<'_> {
        let mut families = Families::new();
        for (file, report) in self.reports.iter().enumerate() {
            let Some(wires) = &report.wires else { continue };
            let root = (world.root)(&report.path, wires.format);
            for (index, build) in wires.wiring.builds.iter().enumerate() {
                if let Some(id) = build.id() {
                    families
                        .entry((root.clone(), build.tool, id))
                        .or_default()
                        .push((file, index));
                }
            }
        }
        families
    }

    /// Whether `other` is what a partial build in `report` adds to.
    fn base_of(&self, other: (usize, usize), report: &FileReport) -> bool {
        let named = is_override(&report.path) || !is_usual(&report.path);
        !self.build(other).is_partial() || (named && is_usual(&self.report(other.0).path))
    }

    /// Those of the builds of one name that are laid over the one in `report` without anyone naming their file.
    fn over(&self, report: &FileReport, others: &[(usize, usize)]) -> Vec<(usize, usize)> {
        if !is_usual(&report.path) {
            return Vec::new();
        }
        others
            .iter()
            .copied()
            .filter(|(file, _)| is_override(&self.report(*file).path))
            .collect()
    }

    /// The folders that the paths in each bake file start from: those in which commands that name it run.
    fn bases(&self, world: &World<'_>) -> HashMap<usize, Vec<PathBuf>> {
        let mut bases: HashMap<usize, Vec<PathBuf>> = HashMap::new();
        for report in self.reports {
            let Some(wires) = &report.wires else { continue };
            let root = (world.root)(&report.path, wires.format);
            for build in &wires.wiring.builds {
                let (Subject::Files(named), Some(base)) = (&build.subject, base(build, &root))
                else {
                    continue;
                };
                let named = self
                    .named(build.tool, &named.paths, &root, world)
                    .unwrap_or_default();
                for file in named.into_iter().filter(|file| self.is_bake(*file)) {
                    let bases = bases.entry(file).or_default();
                    if !bases.contains(&base) {
                        bases.push(base.clone());
                    }
                }
            }
        }
        bases
    }

    fn is_bake(&self, file: usize) -> bool {
        self.builds(file).iter().any(|build| build.tool.is_bake())
    }

    /// The files that a command takes, in order.
    fn named(
        &self,
        front: BuildTool,
        paths: &[Place],
        root: &Path,
        world: &World<'_>,
    ) -> Result<Vec<usize>, String> {
        let at = |path: &str| {
            let path = (world.absolute)(&root.join(path.trim_start_matches('/')));
            self.places
                .get(&path)
                .copied()
                .filter(|index| self.report(*index).wires.is_some())
        };
        let mut found = Vec::new();
        for path in paths {
            let path = match path {
                Place::Folder(path) => path,
                Place::File(path) => {
                    found.push(at(path).ok_or_else(|| {
                        format!("`{path}` is not among the files, or builds nothing")
                    })?);
                    continue;
                }
            };
            let named = |names: &[&str]| {
                names
                    .iter()
                    .filter_map(|name| at(&format!("{path}/{name}")))
                    .collect::<Vec<_>>()
            };
            if front.is_bake() {
                found.extend(named(COMPOSE));
                found.extend(named(BAKE));
            } else {
                let base = named(COMPOSE).into_iter().next();
                found.extend(base);
                found.extend(base.and_then(|_| named(OVERRIDES).into_iter().next()));
            }
        }
        if found.is_empty() {
            let what = if front == BuildTool::Compose {
                "Compose file"
            } else {
                "bake file"
            };
            return Err(format!(
                "there is no {what} that builds anything among the files"
            ));
        }
        Ok(found)
    }

    /// The builds of the files `inner`, each laid over those before it, that have one of `names`, or all where none is
    /// named; their paths start from `base`, where there is one.
    fn merged(
        &self,
        inner: &[usize],
        names: &[String],
        (front, base): (BuildTool, Option<&Path>),
        world: &World<'_>,
    ) -> Vec<Merged> {
        let mut ids: Vec<&str> = Vec::new();
        let mut layers: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
        for &file in inner {
            // A command can name thousands, and so can thousands of commands.
            if !budget::spend(256 * self.builds(file).len()) {
                return Vec::new();
            }
            for (index, build) in self.builds(file).iter().enumerate() {
                let id = build.id().unwrap_or_default();
                let list = layers.entry(id).or_default();
                if list.is_empty() {
                    ids.push(id);
                }
                list.push((file, index));
            }
        }
        let chosen: HashSet<&str> = names.iter().map(String::as_str).collect();
        // A name that is no target's is a group's, of which nothing more is known here.
        let all = chosen.is_empty()
            || (front != BuildTool::Compose
                && chosen.iter().any(|name| !layers.contains_key(name)));
        let mut found = Vec::new();
        for id in ids.into_iter().filter(|id| all || chosen.contains(id)) {
            let own = &layers[id];
            let last = own
                .iter()
                .rev()
                .find(|layer| !self.build(**layer).is_partial())
                .or(own.last());
            let Some(&(file, _)) = last else { continue };
            let whole = own.iter().any(|layer| !self.build(*layer).is_partial());
            let target = own
                .iter()
                .rev()
                .find_map(|layer| self.build(*layer).target.clone());
            for &(_, index) in own
                .iter()
                .filter(|layer| layer.0 == file && (!whole || !self.build(**layer).is_partial()))
            {
                let build = self.build((file, index));
                let (Subject::File(path), Some(wires)) = (&build.subject, &self.report(file).wires)
                else {
                    continue;
                };
                let folder = || (world.root)(&self.report(file).path, wires.format);
                let path =
                    (world.absolute)(&base.map_or_else(folder, Path::to_path_buf).join(path));
                let others = own
                    .iter()
                    .copied()
                    .filter(|layer| layer.0 != file || layer.1 == index);
                found.push((
                    path,
                    others.collect(),
                    build.target.clone().or_else(|| target.clone()),
                ));
            }
        }
        found
    }

    /// The calls of each file by others of the run, by its index.
    fn calls(&self, world: &World<'_>) -> HashMap<usize, Vec<&Call>> {
        let mut calls: HashMap<usize, Vec<&Call>> = HashMap::new();
        for report in self.reports {
            let Some(wires) = report
                .wires
                .as_ref()
                .filter(|wires| !wires.wiring.calls.is_empty())
            else {
                continue;
            };
            let root = (world.root)(&report.path, wires.format);
            for call in &wires.wiring.calls {
                // An action is named by its folder.
                let names = ["", "/action.yml", "/action.yaml"];
                let mut files = names
                    .iter()
                    .map(|name| (world.absolute)(&root.join(format!("{}{name}", call.path))));
                if let Some(index) = files.find_map(|path| self.places.get(&path)) {
                    calls.entry(*index).or_default().push(call);
                }
            }
        }
        calls
    }
}

/// How often `build` of the file `file` runs at once by what calls that file, and whether on a machine of its own.
fn called(calls: &HashMap<usize, Vec<&Call>>, file: usize, build: &Build) -> (Option<Runs>, bool) {
    let Some(calls) = calls.get(&file) else {
        return (None, false);
    };
    let own_machine = build.jobs.is_empty() && calls.iter().all(|call| call.own_machine);
    if build.runs != Runs::Once {
        return (None, own_machine);
    }
    let in_matrix = calls.iter().find(|call| call.runs != Runs::Once);
    // What a file only takes in (GitLab's `include`) runs as its own jobs.
    let jobs = calls.iter().filter(|call| call.job.is_some()).count();
    let runs = in_matrix
        .map(|call| call.runs.clone())
        .or_else(|| (jobs > 1).then(|| Runs::Matrix(Vec::new())));
    (runs, own_machine)
}

/// The folder that the paths in the files of a command start from, where that is not their own: bake's is the one that it
/// runs in.
fn base(build: &Build, root: &Path) -> Option<PathBuf> {
    let Subject::Files(named) = &build.subject else {
        return None;
    };
    let folder = named.folder.as_ref()?;
    let is_off = |value: &str| {
        matches!(
            value.trim(),
            "" | "0" | "f" | "F" | "false" | "False" | "FALSE"
        )
    };
    let relative = |arg: &Arg| arg.value.as_deref().is_none_or(|value| !is_off(value));
    let of_files = !build.tool.is_bake() || build.env.get(RELATIVE).is_some_and(relative);
    (!of_files).then(|| root.join(folder.trim_start_matches('/')))
}

/// The files that `place` may stand for: itself, or those that the tool looks for in a folder.
fn candidates(front: BuildTool, place: &Place) -> Vec<String> {
    let path = match place {
        Place::File(path) => return vec![path.clone()],
        Place::Folder(path) => path,
    };
    let bake = front.is_bake();
    let more = if bake { BAKE } else { OVERRIDES };
    COMPOSE
        .iter()
        .chain(more)
        .map(|name| format!("{path}/{name}"))
        .collect()
}

fn stem(path: &Path) -> &str {
    path.file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
}

/// Whether the file is laid over the usual ones without anyone naming it.
fn is_override(path: &Path) -> bool {
    stem(path).ends_with(".override")
}

/// Whether the file has one of the names that are looked for.
fn is_usual(path: &Path) -> bool {
    matches!(stem(path), "compose" | "docker-compose" | "docker-bake")
}
