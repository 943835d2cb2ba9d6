//! Errors of usage that clap cannot know about: one clear line each, which says what to type.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::outcome::Outcome;
use super::terminal;

/// Options that people look for where they are not: the command (nothing for none), the option, what to type.
const OPTIONS: &[(&str, &str, &str)] = &[
    ("", "--check", "`check` is a command: `cachelane check`."),
    ("", "--fix", "`fix` is a command: `cachelane fix`."),
    (
        "",
        "--diff",
        "`--diff` belongs to a command: `cachelane fix --diff`.",
    ),
    ("", "--list", "`list` is a command: `cachelane list`."),
    (
        "check",
        "--fix",
        "`check` fixes nothing: `cachelane fix` does, and `cachelane fix --diff` shows what it would do.",
    ),
    (
        "check",
        "--unsafe",
        "`check` fixes nothing: `cachelane fix --unsafe` does.",
    ),
    (
        "fix",
        "--check",
        "To see what would change, `cachelane fix --diff`; to see what there is to fix, `cachelane check`.",
    ),
    (
        "fix",
        "--dry-run",
        "`cachelane fix --diff` shows what would change, and writes nothing.",
    ),
    (
        "fix",
        "--in-place",
        "`cachelane fix` writes the files by itself; `cachelane fix --diff` does not.",
    ),
];

/// Says what was wrong with the arguments, or prints the help that was asked for.
pub fn answer(error: &clap::Error) -> ExitCode {
    let typed: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(line) = known(error, &typed) {
        terminal::warn(&line);
        return Outcome::Trouble.into();
    }
    terminal::note_loss(error.print());
    if terminal::lost() {
        return Outcome::Trouble.into();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// What to say about a slip that is known, given what was `typed` behind the program's name.
fn known(error: &clap::Error, typed: &[OsString]) -> Option<String> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = context(error, ContextKind::InvalidSubcommand)?;
            is_path(&word).then(|| {
                format!("there is no command `{word}`. Did you mean `cachelane check {word}`?")
            })
        }
        ErrorKind::UnknownArgument => {
            let word = context(error, ContextKind::InvalidArg)?;
            let command = typed
                .iter()
                .find_map(|word| word.to_str().filter(|word| !word.starts_with('-')));
            let command = command.unwrap_or_default();
            if command == "rules" && !word.starts_with('-') {
                return Some(format!(
                    "`rules` lists all of them. Did you mean `cachelane explain {word}`?"
                ));
            }
            if command == "run" && !word.starts_with('-') {
                return Some(format!(
                    "`run` takes the command behind `--`: `cachelane run -- {word} …`"
                ));
            }
            let option = word.split('=').next().unwrap_or_default();
            let slip = OPTIONS
                .iter()
                .find(|(of, name, _)| *of == command && *name == option);
            slip.map(|(of, name, what)| {
                let place = if of.is_empty() {
                    "cachelane".into()
                } else {
                    format!("cachelane {of}")
                };
                format!("`{place}` has no option `{name}`. {what}")
            })
        }
        _ => None,
    }
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// Whether somebody who typed `word` for a command had a file or a folder in mind.
fn is_path(word: &str) -> bool {
    let lower = word.to_lowercase();
    let named = ["dockerfile", "containerfile"]
        .iter()
        .any(|name| lower.contains(name));
    named || word.contains(['/', '\\']) || matches!(word, "." | "-") || Path::new(word).exists()
}
