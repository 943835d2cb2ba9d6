use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::builds::command::{self, BuildArg, Command, InsertMethod, ROCKER_ARG};
use crate::builds::model::{BuildTool, NAMESPACE};
use crate::builds::shell::Word;

/// The number of words of a command that a message shows, and their greatest length.
const SHOWN: usize = 3;
const LONGEST_SHOWN: usize = 20;

/// A lane to pass.
#[derive(Clone, Copy, Debug)]
pub struct LaneArg<'a> {
    pub lane: &'a str,
    /// The build argument for the lane; may be [`NAMESPACE`].
    pub arg: &'a str,
}

/// A command that has its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneCommand {
    pub words: Vec<OsString>,
    /// The variable for its environment.
    pub variable: Option<EnvVar>,
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvVar {
    pub name: String,
    pub value: String,
}

impl LaneArg<'_> {
    fn variable(self) -> EnvVar {
        EnvVar {
            name: self.arg.to_owned(),
            value: self.lane.to_owned(),
        }
    }
}

/// The reason why a command cannot have its lane.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassError {
    #[error("`{0}` takes no {NAMESPACE}: only BuildKit knows it; leave out `--via namespace`")]
    Namespace(String),
    #[error("`{command}` passes a lane as {ROCKER_ARG}, not as {arg}")]
    Rocker { command: String, arg: String },
}

/// Returns the command `words` with its lane. `extended` says whether a program has rocker's extension
/// `rocker-cachelane`.
pub fn pass(
    words: &[OsString],
    ask: LaneArg<'_>,
    extended: impl Fn(&OsStr) -> bool,
) -> Result<LaneCommand, PassError> {
    let texts = words.iter().map(|word| word.to_string_lossy().into_owned());
    let texts: Vec<String> = texts.collect();
    let mut passed = LaneCommand {
        words: words.to_vec(),
        variable: None,
        notes: Vec::new(),
    };
    let build = command::read(&command::words(&texts));
    let Some(build) = build.filter(|build| !build.tool.runs_others()) else {
        let why = "is not a build command that cachelane knows";
        passed.pass_by_environment(0, &start(&texts), ask, why);
        return Ok(passed);
    };
    let what = texts.get(build.tool_at..=build.subcommand);
    let what = what.unwrap_or_default().join(" ");
    let is_rocker = build.tool == BuildTool::Rocker;
    if ask.arg == NAMESPACE && !build.tool.takes_namespace() {
        return Err(PassError::Namespace(what));
    }
    if is_rocker && ask.arg != ROCKER_ARG {
        let arg = ask.arg.to_owned();
        return Err(PassError::Rocker { command: what, arg });
    }
    if passed.has(&build, ask) {
        return Ok(passed);
    }
    let is_extended = || words.get(build.tool_at).is_some_and(|word| extended(word));
    let why = match build.method {
        InsertMethod::CacheId if !is_extended() => {
            "has no extension `rocker-cachelane` that cachelane can see"
        }
        InsertMethod::BuildArg | InsertMethod::Set | InsertMethod::CacheId => {
            let at = build.subcommand + 1;
            let argv = build.argv(ask.arg, ask.lane).into_iter();
            passed.words.splice(at..at, argv.map(OsString::from));
            return Ok(passed);
        }
        InsertMethod::Environment | InsertMethod::Nothing => "takes no build arguments",
    };
    passed.pass_by_environment(build.tool_at, &what, ask, why);
    Ok(passed)
}

impl LaneCommand {
    /// Returns whether the build passes the argument itself; one without a value takes the lane from the environment.
    /// One for some targets only wins there, since for bake the later `--set` counts.
    fn has(&mut self, build: &Command, ask: LaneArg<'_>) -> bool {
        // Rocker's option names no argument.
        let is_own = |own: &&BuildArg| own.name.is(ask.arg) || build.tool == BuildTool::Rocker;
        let Some(own) = build.args.iter().rfind(is_own) else {
            return false;
        };
        let Some(value) = own.value.as_ref().map(Word::written) else {
            self.variable = Some(ask.variable());
            return true;
        };
        let mut targets = build.rest.iter();
        if let Some(only) = &own.only
            && (build.rest.is_empty() || targets.any(|target| target.text() != Some(only)))
        {
            self.notes.push(format!(
                "the command passes `{value}` for `{only}` itself: it keeps that"
            ));
            return false;
        }
        self.notes.push(if value.is_empty() {
            let name = ask.arg;
            format!(
                "the command passes an empty `{name}` itself: it is in one lane with all that do so"
            )
        } else {
            format!("the command passes `{value}` itself: it keeps that")
        });
        true
    }

    /// Passes the lane to a command that has no other way: `tool` is the index of its tool, and `what` its name.
    fn pass_by_environment(&mut self, tool: usize, what: &str, ask: LaneArg<'_>, why: &str) {
        self.variable = Some(ask.variable());
        let LaneArg { lane, arg } = ask;
        self.notes.push(format!(
            "`{what}` {why}: it gets the lane by its environment only, as {arg}={lane}"
        ));
        let name = |at: usize| {
            let path = self.words.get(at).map(Path::new);
            path.and_then(Path::file_name)
                .unwrap_or_default()
                .to_owned()
        };
        let (first, tool) = (name(0), name(tool));
        let is = |name: &OsStr, names: &[&str]| names.iter().any(|other| name == *other);
        let is_compose = is(&tool, &["docker-compose", "podman-compose"])
            || is(&tool, &["docker", "podman", "nerdctl"])
                && self.words.iter().any(|word| word == "compose");
        if is_compose {
            self.notes.push(format!(
                "the Compose file hands it on where `args` in `build` has `{arg}: ${{{arg}:-default}}`"
            ));
        } else if tool == "devcontainer" {
            self.notes.push(format!(
                "devcontainer.json hands it on where `args` in `build` has `\"{arg}\": \"${{localEnv:{arg}:default}}\"`"
            ));
        }
        if is(&first, &["sudo", "doas"]) {
            let first = first.display();
            self.notes
                .push(format!("`{first}` hands {arg} on only where it is told to"));
        }
    }
}

/// Returns the first words of a command, as far as they are likely to tell its purpose.
fn start(words: &[String]) -> String {
    let is_short = |word: &&String| !word.starts_with('-') && word.len() <= LONGEST_SHOWN;
    let behind = words.iter().skip(1).take(SHOWN - 1).take_while(is_short);
    let shown: Vec<&str> = words
        .iter()
        .take(1)
        .chain(behind)
        .map(String::as_str)
        .collect();
    shown.join(" ")
}
