//! Inserting an argument into a command in a YAML value.

use super::model::{FoundBuild, InScript};
use crate::builds::command::{BuildArg, Command, InsertMethod};
use crate::builds::format::Insertion;
use crate::builds::model::{Arg, BuildTool, Lane, ValueSource};
use crate::fix::{Edit, Fix};

/// Passes `value`, written as within a shell's double quotes, to a command.
pub fn insertion(
    found: &FoundBuild<'_>,
    lane: &Lane<'_>,
    value: String,
) -> Result<Insertion, String> {
    let command = found.command.as_ref().ok_or("it is not a command")?;
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
    put(it, at, text)
}

/// Passes what the environment has, which whoever calls the file sets: without a value, the engines pass the
/// environment's, and nothing where it has none.
pub fn from_environment(found: &FoundBuild<'_>, lane: &Lane<'_>) -> Result<Insertion, String> {
    let it = found.command.as_ref().ok_or("it is not a command")?;
    let (command, arg) = (&it.found.command, lane.arg);
    let is_it = |name: &str| name == arg;
    let is_taken = |set: &Arg| set.from == ValueSource::Nowhere;
    if found.env.get(arg).is_some_and(is_taken)
        || it.found.taken(&it.variables).contains(&lane.arg.to_owned())
    {
        return Err(format!("the file takes `{arg}` out of the environment"));
    }
    let mut own = it.found.sets();
    let is_set = it.variables.iter().any(|set| is_it(&set.name))
        || found.env.get(arg).is_some()
        || own.any(|(name, _)| name.is(arg));
    if is_set {
        return Err(format!("the file sets `{arg}` itself"));
    }
    if command.method != InsertMethod::BuildArg {
        return Err("the command takes no build arguments".to_owned());
    }
    lacks_value(command, arg)?;
    // What runs the command may not keep the environment: `sudo` does not.
    let text = if command.tool_at > 0 || it.found.simple.behind_variable {
        format!(" --build-arg {arg}=\"${{{arg}:-{}}}\"", lane.default)
    } else {
        format!(" --build-arg {arg}")
    };
    if !it.found.simple.open {
        return Err("the command stands within quotes".to_owned());
    }
    let edit = put(it, it.found.simple.words[command.subcommand].span.end, text)?;
    Ok(Insertion {
        fix: Fix::safe(format!("pass `{arg}` from the environment"), vec![edit]),
        value: None,
    })
}

/// Puts `text` at byte `at` of a script.
fn put(it: &InScript<'_>, at: usize, text: String) -> Result<Edit, String> {
    // Behind a word, the byte before must be one of the file's; before a word, the one at it.
    let unclear = || "its place within the file is not clear".to_owned();
    let behind = usize::from(text.starts_with(' '));
    let known = at.checked_sub(behind).and_then(|at| it.script.byte(at));
    // A word that a variable ends has no place of its own, but what is behind it has one.
    let known = known.map(|known| known + behind);
    let known = known.or_else(|| it.script.byte(at));
    let file = known.ok_or_else(unclear)?;
    let text = it.script.written(at.saturating_sub(behind), text);
    let text = text.ok_or_else(unclear)?;
    Ok(Edit::insert(file, text))
}

/// Fails where the command has the argument without a value: behind a new one, that would take it away again.
fn lacks_value(command: &Command, arg: &str) -> Result<(), String> {
    let is_it = |own: &BuildArg| own.name.is(arg) && own.value.is_none();
    if command.args.iter().any(is_it) {
        return Err(format!(
            "the command has `{arg}` without a value: write `{arg}=\"${arg}\"`"
        ));
    }
    Ok(())
}

/// Returns the place in the script and the text to insert.
fn insertion_point(it: &InScript<'_>, arg: &str, value: &str) -> Result<(usize, String), String> {
    let words = &it.found.simple.words;
    let command = &it.found.command;
    if let Some(text) = command.insertion(arg, value) {
        lacks_value(command, arg)?;
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
