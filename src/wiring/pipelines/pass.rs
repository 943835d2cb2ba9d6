//! Putting an argument into a command that stands in a YAML value.

use std::collections::{HashMap, HashSet};

use super::super::command::Pass;
use super::super::shell::{Dialect, is_name};
use super::super::yaml::Style;
use super::super::{Lane, Passer, Passing, Runs};
use super::{Found, Leg};
use crate::fix::{Edit, Fix};
use crate::text::Span;

/// What passes lanes to the commands `found`: the value that `value` names, as it is to be written within a shell's double
/// quotes.
pub(in super::super) fn passer<'d>(
    found: Vec<Found<'d>>,
    value: impl Fn(&Found<'d>, &Lane<'_>) -> Result<String, String> + 'd,
) -> Passer<'d> {
    let mut places: HashMap<Span, Vec<usize>> = HashMap::new();
    for (index, found) in found.iter().enumerate() {
        places.entry(found.build.span).or_default().push(index);
    }
    Box::new(move |build, lane| {
        let mut here = places
            .get(&build.span)
            .into_iter()
            .flatten()
            .map(|index| &found[*index]);
        let found =
            here.find(|found| found.build.what == build.what && found.build.target == build.target);
        let found = found.ok_or("the file has changed since it was read")?;
        insert(found, lane, value(found, lane)?)
    })
}

fn insert(found: &Found<'_>, lane: &Lane<'_>, value: String) -> Result<Passing, String> {
    if !is_name(lane.arg) {
        return Err(format!("`{}` is no name for a variable", lane.arg));
    }
    // `$(name)` is put in before any shell sees it; what else begins with a dollar is a variable to a POSIX shell only.
    let is_text = found.command.pass == Pass::BuildArg && !value.replace("$(", "").contains('$');
    if found.dialect == Dialect::Windows && !is_text {
        return Err("its script is not one of a POSIX shell".to_owned());
    }
    if !found.simple.open {
        return Err("the command stands within quotes".to_owned());
    }
    let (at, text) = spot(found, lane.arg, &value)?;
    // Behind a word, so the byte before must be one of the file's; before a word, the one at it.
    let unclear = || "its place within the YAML text is not clear".to_owned();
    let script = &found.script;
    let behind = text.starts_with(' ');
    let file = if behind {
        at.checked_sub(1)
            .and_then(|last| script.byte(last))
            .map(|last| last + 1)
    } else {
        script.byte(at)
    };
    let file = file.ok_or_else(unclear)?;
    let line = script
        .line(at.saturating_sub(usize::from(behind)))
        .ok_or_else(unclear)?;
    let written = match line.node.style() {
        Some(Style::Double) => text.replace('\\', "\\\\").replace('"', "\\\""),
        Some(Style::Single) => text.replace('\'', "''"),
        Some(Style::Plain) if text.contains(": ") || text.contains(" #") => return Err(unclear()),
        Some(_) => text,
        None => return Err(unclear()),
    };
    let fix = Fix::safe(
        format!("pass `{}`", lane.arg),
        vec![Edit::insert(file, written)],
    );
    Ok(Passing {
        fix,
        value: Some(value),
    })
}

/// Where in the script to put what.
fn spot(found: &Found<'_>, arg: &str, value: &str) -> Result<(usize, String), String> {
    let words = &found.simple.words;
    let command = &found.command;
    let behind = words
        .get(command.behind)
        .map(|word| word.span.end)
        .unwrap_or_default();
    match command.pass {
        Pass::BuildArg => Ok((behind, format!(" --build-arg {arg}=\"{value}\""))),
        Pass::Set => Ok((behind, format!(" --set \"*.args.{arg}={value}\""))),
        Pass::Environment if command.tool == 0 => Ok((
            words
                .first()
                .map(|word| word.span.start)
                .unwrap_or_default(),
            format!("{arg}=\"{value}\" "),
        )),
        Pass::Environment => Err("what runs the command may not keep its environment".to_owned()),
        Pass::CacheId => Err("only an extension of rocker takes it".to_owned()),
        Pass::Nothing => Err("it takes no build argument here".to_owned()),
    }
}

/// Whether `value` can stand in a cache id and in a script as it is.
pub(in super::super) fn valid(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The lane of a build that only its file's text can name: `own`, what names its job, where that is needed, and its axes
/// as `axis` has them put in, joined with `-`.
pub(in super::super) fn joined(
    found: &Found<'_>,
    shared: bool,
    own: Result<&str, String>,
    axis: impl Fn(&str) -> String,
) -> Result<String, String> {
    let axes = match &found.build.runs {
        Runs::Once => &[][..],
        Runs::Matrix(axes) => axes,
    };
    let mut parts = Vec::new();
    if shared || axes.is_empty() || !found.build.others.is_empty() {
        parts.push(own?.to_owned());
    }
    let legs: Vec<Vec<&Leg>> = found.legs().map(|(_, legs)| legs).collect();
    // What cannot stand in a lane as it is (a path, an image) is left out, if the rest tells the jobs apart; so is what has a
    // name that no command can have put in.
    let value = |leg: &&Leg, axis: &str| {
        let value = leg
            .iter()
            .find(|(name, _)| name == axis)
            .map(|(_, value)| value.clone());
        value.filter(|value| valid(value))
    };
    let fits =
        |axis: &&String| valid(axis) && legs.iter().flatten().all(|leg| value(leg, axis).is_some());
    let axes: Vec<&String> = if legs.iter().any(Vec::is_empty) {
        Vec::new()
    } else {
        axes.iter().filter(fits).collect()
    };
    if matches!(found.build.runs, Runs::Matrix(_)) {
        for legs in &legs {
            let mut seen = HashSet::new();
            let lane = |leg: &&Leg| {
                axes.iter()
                    .filter_map(|axis| value(leg, axis))
                    .collect::<Vec<_>>()
                    .join("-")
            };
            if axes.is_empty() || !legs.iter().all(|leg| seen.insert(lane(leg))) {
                return Err(
                    "what of its matrix can stand in a command and in a lane does not tell its jobs apart".to_owned()
                );
            }
        }
    }
    parts.extend(axes.into_iter().map(|name| axis(name)));
    Ok(parts.join("-"))
}
