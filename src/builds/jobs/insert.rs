//! Inserting an argument into a command in a YAML value.

use super::model::{Found, InScript};
use crate::builds::format::Insertion;
use crate::builds::model::{BuildTool, Lane};
use crate::builds::yaml::Style;
use crate::fix::{Edit, Fix};

/// Passes `value`, written as within a shell's double quotes, to a command.
pub fn insertion(found: &Found<'_>, lane: &Lane<'_>, value: String) -> Result<Insertion, String> {
    let command = found.command.as_ref().ok_or("it is no command")?;
    let edit = in_command(command, lane.arg, &value)?;
    let title = match command.found.command.tool {
        BuildTool::Rocker => command.found.command.title(lane.arg, &value),
        _ => format!("pass `{}`", lane.arg),
    };
    Ok(Insertion {
        fix: Fix::safe(title, vec![edit]),
        value: Some(value),
    })
}

pub fn in_command(it: &InScript<'_>, arg: &str, value: &str) -> Result<Edit, String> {
    if !it.found.simple.open {
        return Err("the command stands within quotes".to_owned());
    }
    let (at, text) = insertion_point(it, arg, value)?;
    // Behind a word, the byte before must be one of the file's; before a word, the one at it.
    let unclear = || "its place within the YAML text is not clear".to_owned();
    let behind = usize::from(text.starts_with(' '));
    let known = at.checked_sub(behind).and_then(|at| it.script.byte(at));
    let file = known.ok_or_else(unclear)? + behind;
    let node = it.script.node(at.saturating_sub(behind));
    let text = match node.ok_or_else(unclear)?.style() {
        Some(Style::Double) => text.replace('\\', "\\\\").replace('"', "\\\""),
        Some(Style::Single) => text.replace('\'', "''"),
        Some(Style::Plain) if text.contains(": ") || text.contains(" #") => return Err(unclear()),
        Some(_) => text,
        None => return Err(unclear()),
    };
    Ok(Edit::insert(file, text))
}

/// Returns the place in the script and the text to insert.
fn insertion_point(it: &InScript<'_>, arg: &str, value: &str) -> Result<(usize, String), String> {
    let words = &it.found.simple.words;
    let command = &it.found.command;
    if let Some(text) = command.insertion(arg, value) {
        return Ok((words[command.subcommand].span.end, text));
    }
    let variable = command.variable(arg)?;
    if command.tool_at > 0 {
        return Err("what runs the command may not keep its environment".to_owned());
    }
    Ok((words[0].span.start, format!("{variable}=\"{value}\" ")))
}

/// Returns whether `value` can stand in a cache id and in a script as it is.
pub fn is_plain_value(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !value.is_empty() && value.bytes().all(plain)
}
