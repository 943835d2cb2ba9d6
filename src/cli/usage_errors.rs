//! Errors of usage that clap cannot know about: one clear line each, with the right command.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::outcome::Outcome;
use super::terminal;

/// Misplaced options, behind their command if any, with the right command.
const OPTIONS: &[(&str, &str)] = &[
    ("--check", "`check` is a command: `cachelane check`."),
    ("--fix", "`fix` is a command: `cachelane fix`."),
    (
        "--diff",
        "`--diff` belongs to a command: `cachelane fix --diff`.",
    ),
    ("--list", "`list` is a command: `cachelane list`."),
    (
        "check --fix",
        "`check` fixes nothing: `cachelane fix` does, and `cachelane fix --diff` shows what it would do.",
    ),
    (
        "check --unsafe",
        "`check` fixes nothing: `cachelane fix --unsafe` does.",
    ),
    (
        "* --exclude",
        "`exclude = [\"GLOB\"]` in cachelane.toml leaves files out, for all who check them.",
    ),
    (
        "* --select",
        "`cachelane check --select RULES` says what to look for.",
    ),
    ("* --exit-zero", NEVER_FAILS),
    ("* --no-fail", NEVER_FAILS),
    ("list -v", "It lists all caches as it is."),
    ("list --verbose", "It lists all caches as it is."),
    (
        "* --watch",
        "A program that watches files can run it: `watchexec cachelane check`.",
    ),
    (
        "fix --check",
        "To see what would change, `cachelane fix --diff`; to see what there is to fix, `cachelane check`.",
    ),
    (
        "fix --dry-run",
        "`cachelane fix --diff` shows what would change, and writes nothing.",
    ),
    (
        "fix --in-place",
        "`cachelane fix` writes the files by itself; `cachelane fix --diff` does not.",
    ),
];

const NEVER_FAILS: &str = "No finding makes it fail: `check` and `fix` alone do that.";

/// Prints clap's error or the requested help.
pub fn answer(error: &clap::Error) -> ExitCode {
    let typed: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(line) = known(error, &typed) {
        terminal::warn(&line);
        return Outcome::Failed.into();
    }
    terminal::note_loss(error.print());
    if terminal::lost() {
        return Outcome::Failed.into();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Returns the message for a known error of the words `typed` behind the program's name.
fn known(error: &clap::Error, typed: &[OsString]) -> Option<String> {
    let context = |kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    };
    if error.kind() == ErrorKind::InvalidSubcommand {
        let word = context(ContextKind::InvalidSubcommand)?;
        let line =
            || format!("there is no command `{word}`. Did you mean `cachelane check {word}`?");
        return is_path(&word).then(line);
    }
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let word = context(ContextKind::InvalidArg)?;
    let mut typed = typed.iter().filter_map(|word| word.to_str());
    let command = typed
        .find(|word| !word.starts_with('-'))
        .unwrap_or_default();
    match command {
        "rules" if !word.starts_with('-') => {
            let rule = format!("Did you mean `cachelane explain {word}`?");
            return Some(format!("`rules` lists all of them. {rule}"));
        }
        "run" if !word.starts_with('-') => {
            let line = format!("`cachelane run -- {word} …`");
            return Some(format!("`run` takes the command after `--`: {line}"));
        }
        _ => {}
    }
    let option = word.split('=').next()?;
    let looked_for = format!("{command} {option}");
    let known = OPTIONS
        .iter()
        .find(|(name, _)| *name == looked_for.trim_start() || *name == format!("* {option}"));
    let place = format!("cachelane {command}");
    known.map(|(_, what)| format!("`{}` has no option `{option}`. {what}", place.trim_end()))
}

/// Returns whether `word` in a command's place is meant for a path.
fn is_path(word: &str) -> bool {
    let lower = word.to_lowercase();
    let mut names = ["dockerfile", "containerfile"].iter();
    names.any(|name| lower.contains(name))
        || word.contains(['/', '\\'])
        || matches!(word, "." | "-")
        || Path::new(word).exists()
}
