//! Commands that see variables without naming them.

use super::commands::{Command, is_shell, name};

/// Programs that run files of the build, whatever their arguments.
const MAKERS: &str = "make gmake bmake ninja cmake ctest meson scons bazel bazelisk rake just task ant mvn gradle tox nox invoke";

/// Programs that run the file of their first argument.
const INTERPRETERS: &str = "perl ruby node php lua Rscript deno";

/// The folders of programs that come with a system.
const SYSTEM: &[&str] = &["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"];

/// Returns whether `command` may do something else for another value of any variable: it starts a file of the build, or
/// lists all variables.
pub(super) fn sees_all_variables(command: &Command) -> bool {
    let (before, rest) = command.at_program();
    let is_one = |names: &str, name: &str| names.split(' ').any(|known| known == name);
    let ran_by = |names: &str| before.iter().any(|word| is_one(names, name(word)));
    let has = |words: &[String], options: &[&str]| {
        let mut words = words.iter();
        words.any(|word| options.contains(&word.as_str()))
    };
    let Some((first, arguments)) = rest.split_first() else {
        let unknown = before.iter().any(|word| word.starts_with(['$', '{', '@']));
        return unknown || ran_by("env python python3");
    };
    let in_system = SYSTEM.iter().any(|folder| first.starts_with(folder));
    if (first.contains('/') && !in_system) || first.starts_with('@') {
        return true;
    }
    if ran_by("python python3") {
        return !has(before, &["-c", "-m"]);
    }
    if has(before, &["run"]) {
        return true;
    }
    match name(first) {
        "." | "source" => true,
        "set" | "export" | "declare" | "typeset" | "readonly" => {
            let lists = |word: &String| matches!(word.as_str(), "-p" | "-x");
            arguments.iter().all(lists)
        }
        "printenv" => arguments.is_empty(),
        shell if is_shell(shell) => command.script().is_none(),
        program if is_one(INTERPRETERS, program) || program.starts_with("python") => {
            let is_file = |word: &String| !word.starts_with('-');
            arguments.iter().any(is_file) && !has(arguments, &["-c", "-e", "-m", "-r"])
        }
        program => is_one(MAKERS, program),
    }
}
