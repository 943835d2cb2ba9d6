//! Commands that run the commands of another file: `make`, and scripts of the repository.

use super::super::model::BuildTool;
use super::super::paths::Text;
use super::super::shell::{Dialect, Values, Word};
use super::model::{Command, InsertMethod};
use super::options::{Item, Items};
use super::tables;
use crate::text::{Span, is_name};

fn new(tool: BuildTool, words: &[Word], at: usize) -> Command {
    let last = words.last().map_or(0, |word| word.span.end);
    Command {
        tool_at: at,
        span: Span::new(words[at].span.start, last),
        ..Command::new(tool, InsertMethod::Environment, at)
    }
}

/// Reads `make [options] [NAME=value…] [target…]`, whose name is the word `tool`.
pub(super) fn make(words: &[Word], tool: usize) -> Command {
    let mut command = new(BuildTool::Make, words, tool);
    let mut items = Items::new(words, tool + 1, &tables::MAKE);
    // The number behind `-j` may be missing.
    let mut may_be_number = false;
    while let Some(item) = items.next() {
        let was_number = std::mem::take(&mut may_be_number);
        match item {
            Item::Option { name, value, .. } => match name {
                "C" | "directory" => command.folder = value,
                "f" | "file" | "makefile" => command.files.extend(value),
                "j" | "jobs" | "l" => may_be_number = value.is_none(),
                "n" | "just-print" | "dry-run" | "recon" | "q" | "question" | "h" | "help"
                | "v" | "version" => command.only_looks = true,
                _ => {}
            },
            Item::Several(_) if was_number => {}
            Item::Word(index) | Item::Several(index) => {
                let word = &words[index];
                let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                match word.assignment() {
                    Some((name, value)) if is_name(name) => {
                        command.sets.push((name.into(), value));
                    }
                    _ if was_number && word.text().is_some_and(is_number) => {}
                    _ => command.rest.push(word.clone()),
                }
            }
        }
    }
    command
}

/// Returns the variables that make's command line sets, and not its environment.
pub fn given(command: &Command, values: &Values<'_>) -> Vec<(String, Option<String>)> {
    let own = command.sets.iter();
    // What stands before the command is its environment.
    let own = own.filter(|(_, value)| {
        command.tool == BuildTool::Make && value.span.start > command.span.start
    });
    own.filter_map(|(name, value)| {
        let value = value.resolve(values).and_then(Text::plain);
        Some((name.as_str()?.to_owned(), value))
    })
    .collect()
}

/// Reads `./build.sh`: the word `tool` is the path of a script.
pub(super) fn script(words: &[Word], tool: usize) -> Option<Command> {
    let written = words[tool].written();
    let ends = |text: &str| text.rsplit_once('.').is_some_and(|(_, end)| end == "sh");
    let is_path = |text: &str| text.contains('/') && !text.starts_with(['/', '~', '-']);
    let is_script =
        words[tool].text().is_some_and(is_path) || (ends(&written) && written.contains('/'));
    is_script.then(|| Command {
        files: vec![words[tool].clone()],
        ..new(BuildTool::Script, words, tool)
    })
}

/// Reads `bash -e build.sh`; `None` where no file is named.
pub(super) fn interpreted(words: &[Word], tool: usize) -> Option<Command> {
    let mut at = tool + 1;
    loop {
        let word = words.get(at)?;
        let head = word.head();
        if !head.starts_with(['-', '+']) {
            break;
        }
        let letters = word.text()?;
        if letters == "-"
            || letters == "-s"
            || (!letters.starts_with("--") && letters.contains('c'))
        {
            return None;
        }
        at += if letters.ends_with('o') && letters.len() < 8 {
            2
        } else {
            1
        };
    }
    let script = words[at].clone();
    // `sh` itself is no script of the repository.
    let is_shell = script
        .text()
        .is_some_and(|text| Dialect::of(text).is_some());
    (!is_shell && !script.may_be_several()).then(|| Command {
        files: vec![script],
        ..new(BuildTool::Script, words, tool)
    })
}
