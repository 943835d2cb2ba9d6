//! Finds the variables by which the builds of Dockerfiles have lanes, though no configuration names them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::contenders::Contenders;
use super::graph::{BuildGraph, has_shared_lock};
use super::passed::passed;
use super::resolved::{ResolvedBuild, called};
use super::waits::Waits;
use crate::budget;
use crate::dockerfile::Dockerfile;
use crate::rules::locks::{BuiltFor, Locks, Passed};
use crate::rules::variables::PLATFORM_ARGS;
use crate::rules::{OwnLanes, Settings, Unpassed};

/// A variable in the ids of a Dockerfile's locks.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Variable<'g> {
    /// The index of the file.
    file: usize,
    name: &'g str,
}

/// A variable, as the known builds pass it.
#[derive(Default)]
struct VariableUse {
    /// The ids that it stands in, as written.
    ids: BTreeSet<String>,
    /// True where runs take one lock at once all the same, or a value is unknown.
    meets: bool,
    /// The first build that does not pass it.
    unpassed: Option<String>,
}

/// An id with a variable, whatever Dockerfiles it stands in.
#[derive(PartialEq, Eq, Hash)]
struct Written<'g> {
    id: String,
    name: &'g str,
}

/// Returns, by index, the Dockerfiles whose builds pass variables in the ids of locks, with what that comes to. A variable
/// makes lanes where `unpassed-arg` would find nothing if `isolating-args` named it.
pub(super) fn own_lanes(
    graph: &BuildGraph<'_>,
    resolved: &[ResolvedBuild],
) -> BTreeMap<usize, OwnLanes> {
    let is_alone = |one: usize| resolved[one].builder.own().is_some();
    let files: Vec<Option<usize>> = resolved.iter().map(|one| one.built(graph)).collect();
    let names = passed_names(graph, resolved, &files);
    if names.is_empty() {
        return BTreeMap::new();
    }
    let settings = files
        .iter()
        .map(|file| Some(hypothetical(graph, (*file)?, &names)));
    let settings: Vec<Option<Settings>> = settings.collect();
    let dockerfiles: Vec<Option<Dockerfile<'_>>> = files
        .iter()
        .map(|file| {
            let source = &graph.report((*file)?).source;
            let can = budget::spend(source.len());
            can.then(|| Dockerfile::read(source).ok()).flatten()
        })
        .collect();
    let locks = dockerfiles.iter().zip(&settings);
    let locks = locks.map(|(file, settings)| Some(Locks::new(file.as_ref()?, settings.as_ref()?)));
    let locks: Vec<Option<Locks<'_>>> = locks.collect();
    let contenders = Contenders::new(graph, resolved);
    let mut runs = vec![Vec::new(); resolved.len()];
    for run in &contenders.all {
        runs[run.one].push(run);
    }
    let called = called(graph, resolved);
    let mut uses: BTreeMap<Variable<'_>, VariableUse> = BTreeMap::new();
    let mut values: HashMap<Written<'_>, HashSet<String>> = HashMap::new();
    for (index, one) in resolved.iter().enumerate() {
        let (Some(file), Some(locks)) = (files[index], &locks[index]) else {
            continue;
        };
        if !budget::spend(locks.size()) {
            break;
        }
        let arg = locks.settings.arg.as_str();
        // An id with a lane by the configuration has to get that one.
        let known = names_of(graph, file);
        for lock in locks.of_build(one.target.as_deref(), BuiltFor::Own, &|_| Passed::Nothing) {
            if lock.args.iter().any(|name| known.contains(name)) {
                continue;
            }
            for name in lock.args {
                let variable = uses.entry(Variable { file, name }).or_default();
                let id = lock.cache.id();
                variable.ids.insert(id.clone());
                let waits = !is_alone(index) && one.waits_itself(graph, &called);
                let mut unpassed = waits && one.passes(graph, name, arg).is_none();
                for run in &runs[index] {
                    match passed(one, graph, name, arg, run) {
                        Passed::Value(value) => {
                            let id = id.clone();
                            values
                                .entry(Written { id, name })
                                .or_default()
                                .insert(value);
                        }
                        Passed::Nothing => unpassed |= !is_alone(index),
                        Passed::Unknown => variable.meets = true,
                    }
                }
                if unpassed && variable.unpassed.is_none() {
                    variable.unpassed = Some(place(graph, one));
                }
            }
        }
    }
    let waits = Waits {
        graph,
        resolved,
        locks: &locks,
        contenders: &contenders,
        is_alone: &is_alone,
    };
    for lane in waits.find(&HashMap::new()).into_keys() {
        for name in lane.args {
            let variable = files[lane.one].map(|file| Variable { file, name });
            if let Some(variable) = variable.and_then(|variable| uses.get_mut(&variable)) {
                variable.meets = true;
            }
        }
    }
    let mut found = concluded(uses, &values);
    let setting = setting(graph, &found);
    for (file, lanes) in &mut found {
        lanes.setting = setting(*file);
    }
    found
}

/// Returns the arguments that builds of Dockerfiles with locks for all pass.
fn passed_names<'g>(
    graph: &'g BuildGraph<'_>,
    resolved: &[ResolvedBuild],
    files: &[Option<usize>],
) -> BTreeSet<&'g str> {
    let is_open = |file: usize| has_shared_lock(graph.report(file));
    let open = resolved.iter().zip(files);
    let open = open.filter(|(_, file)| file.is_some_and(is_open));
    let builds = open.flat_map(|(one, _)| std::iter::once(&one.id).chain(&one.layers));
    let args = builds.flat_map(|id| &graph.build(*id).args);
    let args = args.take_while(|_| budget::spend(16));
    let names = args.filter_map(|arg| arg.name.as_str());
    names.filter(|name| !PLATFORM_ARGS.contains(name)).collect()
}

/// Returns what the uses of variables, with their values, come to for each file.
fn concluded(
    uses: BTreeMap<Variable<'_>, VariableUse>,
    values: &HashMap<Written<'_>, HashSet<String>>,
) -> BTreeMap<usize, OwnLanes> {
    let mut found: BTreeMap<usize, OwnLanes> = BTreeMap::new();
    for (
        Variable { file, name },
        VariableUse {
            ids,
            meets,
            unpassed,
        },
    ) in uses
    {
        let values = |id| values.get(&Written { id, name }).map_or(0, HashSet::len);
        let values = ids.into_iter().map(values).max().unwrap_or_default();
        let name = name.to_owned();
        match unpassed {
            Some(build) if values > 0 => {
                let unpassed = &mut found.entry(file).or_default().unpassed;
                unpassed.push(Unpassed { name, build });
            }
            None if values > 1 && !meets => found.entry(file).or_default().names.push(name),
            _ => {}
        }
    }
    found
}

/// Returns the settings of a file with `names` as further variables that set jobs apart.
fn hypothetical(graph: &BuildGraph<'_>, file: usize, names: &BTreeSet<&str>) -> Settings {
    let report = graph.report(file);
    let known = names_of(graph, file);
    let mut settings = Settings::clone(&report.settings);
    settings.learned.own_lanes = OwnLanes::default();
    if has_shared_lock(report) {
        let names = names.iter().filter(|name| !known.contains(name));
        let names = names.take_while(|name| budget::spend(16 + name.len()));
        settings
            .isolating
            .extend(names.map(|name| (*name).to_owned()));
    }
    settings
}

/// Returns the variables that are lanes by the configuration of a file.
fn names_of<'g>(graph: &'g BuildGraph<'_>, file: usize) -> Vec<&'g str> {
    let settings = &graph.report(file).settings;
    let names = std::iter::once(&settings.arg).chain(&settings.isolating);
    names.map(String::as_str).collect()
}

/// Returns a build as messages name it, with its place.
fn place(graph: &BuildGraph<'_>, one: &ResolvedBuild) -> String {
    format!("{} at {}", graph.build(one.id).name, graph.place(one.id))
}

/// Returns the line of the configuration that makes lanes of all variables that were found, for a file: the one variable
/// takes the place of the lane argument where nothing uses that.
fn setting<'g>(
    graph: &'g BuildGraph<'_>,
    found: &BTreeMap<usize, OwnLanes>,
) -> impl Fn(usize) -> String + use<'g> {
    let names: BTreeSet<String> = found
        .values()
        .flat_map(|lanes| &lanes.names)
        .cloned()
        .collect();
    let default = Settings::default().arg;
    let uses_arg = graph.own_reports().any(|(_, report)| {
        report.settings.arg != default || report.checked.lanes.iter().any(|lanes| lanes.is_lane)
    });
    move |file| {
        if let Some(name) = names.first().filter(|_| names.len() == 1 && !uses_arg) {
            return format!("arg = \"{name}\"");
        }
        let known = &graph.report(file).settings.isolating;
        let new = names.iter().filter(|name| !known.contains(name));
        let all = known.iter().chain(new).map(|name| format!("\"{name}\""));
        format!("isolating-args = [{}]", all.collect::<Vec<_>>().join(", "))
    }
}
