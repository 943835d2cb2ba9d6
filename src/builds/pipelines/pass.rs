//! Putting an argument into a command that stands in a YAML value.

use std::collections::HashMap;

use super::super::command::Pass;
use super::super::format::{Inserter, Insertion};
use super::super::model::Lane;
use super::super::shell::is_name;
use super::super::yaml::Style;
use super::Found;
use crate::fix::{Edit, Fix};
use crate::text::Span;

/// What passes lanes to the commands `found`: the value that `value` names, as it is to be written within a shell's double
/// quotes.
pub(in super::super) fn passer<'d>(
    found: Vec<Found<'d>>,
    value: impl Fn(&Found<'d>, &Lane<'_>) -> Result<String, String> + 'd,
) -> Inserter<'d> {
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
        let found = here.find(|found| {
            found.build.subject == build.subject && found.build.target == build.target
        });
        let found = found.ok_or("the file has changed since it was read")?;
        insert(found, lane, value(found, lane)?)
    })
}

fn insert(found: &Found<'_>, lane: &Lane<'_>, value: String) -> Result<Insertion, String> {
    if !is_name(lane.arg) {
        return Err(format!("`{}` is no name for a variable", lane.arg));
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
    Ok(Insertion {
        fix,
        value: Some(value),
    })
}

/// Where in the script to put what.
fn spot(found: &Found<'_>, arg: &str, value: &str) -> Result<(usize, String), String> {
    let words = &found.simple.words;
    let command = &found.command;
    if let Some(text) = command.insertion(arg, value) {
        return Ok((words[command.behind].span.end, text));
    }
    match command.pass {
        Pass::Environment if command.tool == 0 => {
            Ok((words[0].span.start, format!("{arg}=\"{value}\" ")))
        }
        Pass::Environment => Err("what runs the command may not keep its environment".to_owned()),
        Pass::CacheId => Err("only an extension of rocker takes it".to_owned()),
        _ => Err("it takes no build argument here".to_owned()),
    }
}

/// Whether `value` can stand in a cache id and in a script as it is.
pub(in super::super) fn valid(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}
