//! Finds the builds that one call of Compose or bake runs at once, and those that wait for each other.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::graph::{BuildGraph, BuildId};
use super::resolved::ResolvedBuild;
use crate::budget;
use crate::builds::compose::at_defaults;
use crate::builds::{Arg, Build, BuildTool, Files, Service, Subject, TargetLeg};
use crate::dockerfile::Dockerfile;
use crate::finding::Finding;
use crate::lint::model::FileReport;
use crate::rules::Context;
use crate::rules::serial_builds::{CalledBuild, check_call};

/// A build of a call.
#[derive(Clone, Copy)]
struct Member<'g> {
    one: &'g ResolvedBuild,
    /// The build of its service or target.
    own: BuildId,
    service: &'g Service,
    leg: Option<&'g TargetLeg>,
    /// The build of the command; `None` where the file itself says what is built at once.
    command: Option<&'g Build>,
}

/// Returns the findings about builds of one call, each with the index of its file; `report` returns that on a Dockerfile.
pub(super) fn check_calls<'g>(
    graph: &'g BuildGraph<'g>,
    resolved: &'g [ResolvedBuild],
    report: impl Fn(&'g ResolvedBuild) -> Option<&'g FileReport>,
) -> Vec<(usize, Finding)> {
    let calls = calls(graph, resolved);
    let mut reports: HashMap<&Path, &FileReport> = HashMap::new();
    for member in calls.iter().flatten() {
        let path = member.one.dockerfile.as_deref();
        reports.extend(path.and_then(|path| Some((path, report(member.one)?))));
    }
    let mut files: HashMap<&Path, Dockerfile<'_>> = HashMap::new();
    for (path, report) in &reports {
        if budget::spend(report.source.len()) && report.settings.takes_variables() {
            files.extend(
                Dockerfile::read(&report.source)
                    .ok()
                    .map(|file| (*path, file)),
            );
        }
    }
    let name = |path: &&'g Path| (*path, (graph.access.name)(&reports[*path].path));
    let names: HashMap<&Path, String> = files.keys().map(name).collect();
    let contexts: HashMap<&Path, Context<'_>> = files
        .iter()
        .map(|(path, file)| {
            let report = reports[*path];
            let cx = Context::new(file, &report.settings);
            (*path, cx.with_ignores(&report.checked.ignores))
        })
        .collect();
    let mut found = Vec::new();
    for call in &calls {
        let mut sources: Vec<usize> = call.iter().map(|member| member.own.file).collect();
        sources.dedup();
        let built = call.iter().filter_map(|member| {
            let path = member.one.dockerfile.as_deref()?;
            let (cx, name) = (contexts.get(path)?, names.get(path)?);
            Some((member.own.file, called(graph, &sources, *member, cx, name)?))
        });
        let (places, builds): (Vec<usize>, Vec<CalledBuild<'_, '_>>) = built.unzip();
        let own = check_call(&builds).into_iter();
        found.extend(own.map(|(index, finding)| (places[index], finding)));
    }
    // A command outside the run's files has nobody to tell.
    found.retain(|(file, _)| graph.own_reports().any(|(own, _)| own == *file));
    found
}

/// Returns the calls of commands; of files that no command builds, what they say that is built at once.
fn calls<'g>(graph: &'g BuildGraph<'g>, resolved: &'g [ResolvedBuild]) -> Vec<Vec<Member<'g>>> {
    let mut calls = Vec::new();
    let mut called: HashSet<BuildId> = HashSet::new();
    for call in resolved.chunk_by(|a, b| a.id == b.id) {
        let Some(first) = call.first() else { continue };
        let build = graph.build(first.id);
        // What a script runs stands there by itself.
        if build.tool.runs_others() {
            continue;
        }
        if let Subject::Files(files) = &build.subject {
            called.extend(call.iter().flat_map(|one| &one.layers));
            if !in_turn(build) {
                let members = call.iter().flat_map(|one| of_command(graph, one, build));
                let members: Vec<Member<'_>> = members.collect();
                calls.push(chosen(graph, build, files, members));
            }
        }
    }
    for file in resolved.chunk_by(|a, b| a.id.file == b.id.file) {
        let own = file
            .iter()
            .filter(|one| !called.contains(&one.id) && !graph.build(one.id).is_of_script());
        let members: Vec<Member<'_>> = own.flat_map(|one| of_file(graph, one)).collect();
        let Some(first) = members.first().filter(|_| members.len() > 1) else {
            continue;
        };
        if graph.build(first.own).tool == BuildTool::Compose {
            let mut members = members;
            members.retain(|member| member.service.profiles.is_empty());
            calls.push(members);
            continue;
        }
        let groups = graph.report(first.own.file).builds.iter();
        for group in groups.flat_map(|builds| &builds.file.groups) {
            let names = graph.expanded(&[first.own.file], vec![&group.name]);
            calls.push(
                members
                    .iter()
                    .filter(|one| is_named(one, &names))
                    .copied()
                    .collect(),
            );
        }
        // The legs of one target.
        let legs = members.chunk_by(|a, b| a.service.name == b.service.name);
        calls.extend(legs.map(<[_]>::to_vec));
    }
    calls.retain(|members| members.len() > 1);
    calls
}

/// Returns whether a command builds one image after the other.
fn in_turn(build: &Build) -> bool {
    let limit = build.env.get("COMPOSE_PARALLEL_LIMIT");
    let is_one = limit.is_some_and(|limit| limit.value.as_deref() == Some("1"));
    build.tool.is_compose() && is_one
}

fn members<'g>(
    one: &'g ResolvedBuild,
    own: BuildId,
    service: &'g Service,
    command: Option<&'g Build>,
) -> impl Iterator<Item = Member<'g>> {
    let legs: Vec<Option<&TargetLeg>> = match service.legs.as_slice() {
        [] => vec![None],
        legs => legs.iter().map(Some).collect(),
    };
    legs.into_iter()
        .take_while(|_| budget::spend(64))
        .map(move |leg| Member {
            one,
            own,
            service,
            leg,
            command,
        })
}

fn of_command<'g>(
    graph: &'g BuildGraph<'g>,
    one: &'g ResolvedBuild,
    command: &'g Build,
) -> impl Iterator<Item = Member<'g>> {
    let whole = one
        .layers
        .iter()
        .rev()
        .find(|layer| !graph.build(**layer).is_partial());
    let own = whole.or(one.layers.last());
    let service = own.and_then(|own| Some((*own, graph.build(*own).service.as_ref()?)));
    let service = service.into_iter();
    service.flat_map(move |(own, service)| members(one, own, service, Some(command)))
}

fn of_file<'g>(
    graph: &'g BuildGraph<'g>,
    one: &'g ResolvedBuild,
) -> impl Iterator<Item = Member<'g>> {
    let service = graph.build(one.id).service.as_ref().into_iter();
    service.flat_map(move |service| members(one, one.id, service, None))
}

/// Returns those of `members` that the command `build` builds: the ones that `files` name, or else the default.
fn chosen<'g>(
    graph: &BuildGraph<'_>,
    build: &Build,
    files: &Files,
    mut members: Vec<Member<'g>>,
) -> Vec<Member<'g>> {
    if build.tool.is_compose() && files.names.is_empty() {
        let on = build.env.get("COMPOSE_PROFILES");
        let on = on.and_then(|on| on.value.as_deref()).unwrap_or_default();
        let is_on = |profile: &String| on.split(',').any(|on| on == "*" || on == profile);
        members.retain(|one| {
            let profiles = &one.service.profiles;
            profiles.is_empty() || profiles.iter().any(is_on)
        });
        return members;
    }
    let mut inner: Vec<usize> = members.iter().map(|member| member.own.file).collect();
    inner.dedup();
    let names: Vec<&str> = if files.names.is_empty() {
        vec!["default"]
    } else {
        files.names.iter().map(String::as_str).collect()
    };
    let names = graph.expanded(&inner, names);
    let is_known = |name: &&str| {
        members
            .iter()
            .any(|one| is_named(one, &HashSet::from([*name])))
    };
    // Of Compose files without a group, bake builds all.
    if files.names.is_empty() && !names.iter().any(is_known) {
        return members;
    }
    members.retain(|one| is_named(one, &names));
    members
}

fn is_named(member: &Member<'_>, names: &HashSet<&str>) -> bool {
    names.contains(member.service.name.as_str())
        || member
            .leg
            .is_some_and(|leg| names.contains(leg.name.as_str()))
}

/// Returns a build of a call as the rule sees it; `None` where its arguments are not known.
fn called<'c, 'a>(
    graph: &'c BuildGraph<'_>,
    sources: &[usize],
    member: Member<'c>,
    cx: &'c Context<'a>,
    dockerfile: &'c str,
) -> Option<CalledBuild<'c, 'a>> {
    let Member {
        one,
        own,
        service,
        leg,
        command,
    } = member;
    let build = graph.build(own);
    // Those that count first.
    let mut layers: Vec<BuildId> = one.layers.iter().rev().copied().collect();
    if command.is_none() {
        layers.push(one.id);
    }
    let mut args: HashMap<&str, String> = HashMap::new();
    if let Some(command) = command {
        let source = &graph.report(one.id.file).source;
        let is_for_all = |arg: &Arg| {
            command.tool.is_compose() || arg.span.of(source).windows(2).any(|two| two == b"*.")
        };
        if !command.args_known || !command.args.iter().all(is_for_all) {
            return None;
        }
        add(&mut args, &command.args, command.tool);
    }
    for layer in layers {
        let it = graph.build(layer);
        if !it.args_known {
            return None;
        }
        let of_leg = leg.filter(|_| layer == own);
        let own = of_leg.map_or(&it.args, |leg| &leg.args);
        add(&mut args, own, it.tool);
    }
    Some(CalledBuild {
        name: leg.map_or(&service.name, |leg| &leg.name).clone(),
        tool: build.tool,
        written: &service.name,
        axes: &service.axes,
        span: build.span,
        cx,
        dockerfile,
        target: one.target.as_deref(),
        args,
        after: graph.expanded(sources, service.after.iter().map(String::as_str).collect()),
    })
}

/// Adds the values of `more` that are known in a build to which nothing is passed, unless they are there.
fn add<'g>(args: &mut HashMap<&'g str, String>, more: &'g [Arg], tool: BuildTool) {
    for arg in more.iter().take_while(|_| budget::spend(16)) {
        if let (Some(name), Some(value)) = (arg.name.as_str(), &arg.value) {
            let value = match tool {
                tool if tool.is_compose() => at_defaults(value),
                _ => value.clone(),
            };
            args.entry(name).or_insert(value);
        }
    }
}
