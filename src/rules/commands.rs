//! The commands of a RUN, as far as its text shows them.

use bstr::ByteSlice as _;

use crate::budget;
use crate::builds::command::{before_program, program_name as name};
use crate::builds::shell::{self, Dialect, Lookup, Word};
use crate::dockerfile::Dockerfile;

/// The words of a command, with the variables that the Dockerfile or the script sets.
#[derive(Debug)]
pub(super) struct Command(Vec<String>);

impl Command {
    pub(super) fn words(&self) -> &[String] {
        &self.0
    }

    /// Returns the name of the program, without its folder and version, and its arguments; `sudo` and its kin are not
    /// the program.
    pub(super) fn program(&self) -> (&str, &[String]) {
        let (_, rest) = self.at_program();
        let first = rest.split_first();
        first.map_or(("", &[]), |(path, arguments)| (name(path), arguments))
    }

    /// Returns whether it has no word, as what only sets variables.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the words before the program, `sudo` and its kin, and those from it on.
    pub(super) fn at_program(&self) -> (&[String], &[String]) {
        let words: Vec<&str> = self.0.iter().map(String::as_str).collect();
        // What `eval` runs is a script.
        let at = before_program(&words, |prefix| prefix.name != "eval");
        self.0.split_at(at)
    }

    /// Returns the script that it runs: `sh -c SCRIPT`, `su USER -c SCRIPT`, `eval SCRIPT`, `trap SCRIPT`.
    pub(super) fn script(&self) -> Option<String> {
        let (program, words) = self.program();
        if program == "eval" {
            return Some(words.join(" "));
        }
        if program == "trap" {
            return words.first().filter(|word| !word.starts_with('-')).cloned();
        }
        let is_switch =
            |word: &String| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c');
        let switch = words.iter().position(is_switch)?;
        let runs = is_shell(program) || matches!(program, "su" | "runuser");
        words.get(switch + 1).filter(|_| runs).cloned()
    }

    /// Returns whether it is a shell that reads its script from a heredoc.
    fn reads_input(&self) -> bool {
        let (program, words) = self.program();
        let mut is_value = false;
        let is_option = |word: &String| {
            let is_option = is_value || word.starts_with(['-', '+']);
            is_value = word.starts_with('-') && word.ends_with('o');
            is_option
        };
        is_shell(program) && words.iter().all(is_option)
    }
}

pub(super) fn is_shell(program: &str) -> bool {
    Dialect::of(program) == Some(Dialect::Posix)
}

/// A way to call a tool.
#[derive(Debug)]
pub(super) struct Call {
    /// The names of the programs.
    pub(super) programs: &'static str,
    /// Alternatives, separated by `|`: the words that have to be among the arguments; empty where any will do.
    pub(super) words: &'static str,
    /// The arguments with which it is another call.
    pub(super) without: &'static str,
}

impl Call {
    pub(super) fn is(&self, command: &Command) -> bool {
        let (program, words) = command.program();
        let has = |wanted: &str| words.iter().any(|word| word == wanted);
        self.programs.split(' ').any(|known| known == program)
            && self
                .words
                .split('|')
                .any(|all| all.split_ascii_whitespace().all(has))
            && !self.without.split_ascii_whitespace().any(has)
    }
}

/// Returns the commands of the RUN `instruction` in order, those of heredocs that a shell reads included.
pub(super) fn commands(file: &Dockerfile<'_>, instruction: usize) -> Vec<Command> {
    let run = &file.instructions[instruction];
    let text = run.arguments().to_str_lossy();
    let mut reader = CommandReader {
        file,
        instruction,
        found: Vec::new(),
    };
    match serde_json::from_str(&text) {
        Ok(words) => reader.add(Command(words)),
        Err(_) => match other_shell(file, instruction) {
            Some(shell) => reader.add(shell),
            None => reader.read(&text),
        },
    }
    let only = reader.found.iter().all(Command::is_empty);
    if only || reader.found.iter().any(Command::reads_input) {
        for heredoc in &run.heredocs {
            let body = heredoc.body.of(file.source).to_str_lossy();
            match interpreter(&body) {
                Some(other) => reader.add(other),
                None => reader.read(&body),
            }
        }
    }
    reader.found
}

/// Returns the interpreter that a script's first line names, where it is no shell.
fn interpreter(script: &str) -> Option<Command> {
    let line = script.lines().next()?.strip_prefix("#!")?;
    let words: Vec<String> = line.split_ascii_whitespace().map(str::to_owned).collect();
    let is_shell = words.iter().any(|word| is_shell(name(word)));
    (!is_shell).then_some(Command(words))
}

/// Returns what reads the text of the RUN `index`, where a SHELL above names no shell of Unix.
fn other_shell(file: &Dockerfile<'_>, index: usize) -> Option<Command> {
    let is_shell_line = |at: &usize| {
        let name = file.instructions[*at].name.of(file.source);
        budget::spend(1) && name.eq_ignore_ascii_case(b"shell")
    };
    let above = file.ancestors(index).find_map(|stage| {
        let mut all = stage.instructions.clone().rev();
        all.find(|at| *at < index && is_shell_line(at))
    })?;
    let text = file.instructions[above].arguments();
    let words: Vec<String> = serde_json::from_slice(text).ok()?;
    let is_other = !words.iter().any(|word| is_shell(name(word)));
    is_other.then_some(Command(words))
}

struct CommandReader<'a> {
    file: &'a Dockerfile<'a>,
    instruction: usize,
    found: Vec<Command>,
}

impl CommandReader<'_> {
    fn read(&mut self, script: &str) {
        // Its words take far more memory than its text.
        if !budget::spend(64 * script.len()) {
            return;
        }
        let values = |lookup: Lookup<'_>| match lookup {
            Lookup::Variable(name) => {
                let value = self.file.default_value(name, self.instruction)?;
                Some(value.to_str_lossy().into())
            }
            Lookup::Expression(_) => None,
        };
        let words = |word: &Word| {
            let value = word.resolve(&values).map(|value| value.text);
            let value = value.unwrap_or_else(|| word.written());
            if word.may_be_several() {
                value.split_ascii_whitespace().map(str::to_owned).collect()
            } else {
                vec![value]
            }
        };
        let simple = shell::read(script, None, Dialect::Posix, &|_| None);
        let commands = simple
            .iter()
            .map(|simple| Command(simple.words.iter().flat_map(words).collect()));
        for command in commands.collect::<Vec<_>>() {
            self.add(command);
        }
    }

    fn add(&mut self, command: Command) {
        let script = command.script();
        self.found.push(command);
        if let Some(script) = script {
            budget::nested(|| self.read(&script));
        }
    }
}
