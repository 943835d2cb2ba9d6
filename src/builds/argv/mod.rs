//! How a command gets its lane, as `cachelane run` gives it one.
//!
//! The words are those of a process: no shell reads them any more.

mod quote;

use std::ffi::{OsStr, OsString};
use std::path::Path;

pub use quote::quoted;

use super::command::{self, Command, Pass};
use super::model::{BuildTool, NAMESPACE};

/// The build argument that rocker's extension passes.
const ROCKER: &str = "CACHE_ID";

/// How many words of a command a message shows, and how long they may be.
const SHOWN: usize = 3;
const LONGEST_SHOWN: usize = 20;

/// What is to be passed.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The lane.
    pub lane: &'a str,
    /// The build argument that takes it, [`NAMESPACE`] among them.
    pub arg: &'a str,
}

/// A command with its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Its words.
    pub words: Vec<OsString>,
    /// What goes into its environment.
    pub set: Option<(String, String)>,
    /// What there is to say about it, for people, a sentence each.
    pub notes: Vec<String>,
}

/// The command `words` with its lane. `extended` says whether a program has rocker's extension `rocker-cachelane`.
///
/// # Errors
/// Why the command cannot get it, for people.
pub fn pass(
    words: &[OsString],
    ask: Ask<'_>,
    extended: impl Fn(&OsStr) -> bool,
) -> Result<Passed, String> {
    let texts: Vec<String> = words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let mut passed = Passed {
        words: words.to_vec(),
        set: None,
        notes: Vec::new(),
    };
    let Some(build) = command::read(&command::words(&texts)) else {
        passed.by_environment(
            0,
            &start(&texts),
            ask,
            "is no build command that cachelane knows",
        );
        return Ok(passed);
    };
    let what = texts
        .get(build.tool..=build.behind)
        .unwrap_or_default()
        .join(" ");
    if ask.arg == NAMESPACE
        && matches!(
            build.front,
            BuildTool::Podman | BuildTool::Buildah | BuildTool::Rocker
        )
    {
        return Err(format!(
            "`{what}` takes no {NAMESPACE}: only BuildKit knows it; leave out `--via namespace`"
        ));
    }
    if build.front == BuildTool::Rocker && ask.arg != ROCKER {
        return Err(format!(
            "`{what}` passes a lane as {ROCKER}, not as {}",
            ask.arg
        ));
    }
    if passed.has(&build, ask) {
        return Ok(passed);
    }
    match build.pass {
        Pass::CacheId
            if !words
                .get(build.tool)
                .is_some_and(|program| extended(program)) =>
        {
            passed.by_environment(
                build.tool,
                &what,
                ask,
                "has no extension `rocker-cachelane` that cachelane can see",
            );
        }
        Pass::BuildArg | Pass::Set | Pass::CacheId => {
            let at = build.behind + 1;
            passed.words.splice(
                at..at,
                build
                    .argv(ask.arg, ask.lane)
                    .into_iter()
                    .map(OsString::from),
            );
        }
        Pass::Environment | Pass::Nothing => {
            passed.by_environment(build.tool, &what, ask, "takes no build arguments");
        }
    }
    Ok(passed)
}

impl Passed {
    /// Whether the build passes the argument itself. Where it does so without a value, it takes that from its environment.
    /// What it passes to some of its targets only stands there: bake counts the later `--set` before the earlier one.
    fn has(&mut self, build: &Command, ask: Ask<'_>) -> bool {
        // Rocker has an option for it, and no name.
        let mut own = build
            .args
            .iter()
            .filter(|own| own.name == ask.arg || build.front == BuildTool::Rocker);
        let Some(own) = own.next_back() else {
            return false;
        };
        if let (Some(only), Some(value)) = (&own.only, &own.value)
            && (build.rest.is_empty()
                || build
                    .rest
                    .iter()
                    .any(|target| target.text() != Some(only.as_str())))
        {
            self.notes.push(format!(
                "the command itself says `{}` for `{only}`: that stands there",
                value.written()
            ));
            return false;
        }
        match &own.value {
            Some(value) => self.notes.push(format!(
                "the command itself says `{}`: that stands",
                value.written()
            )),
            None => self.set = Some((ask.arg.into(), ask.lane.into())),
        }
        true
    }

    /// The command, whose tool is the word `tool`, and which is called `what`, has no other way.
    fn by_environment(&mut self, tool: usize, what: &str, ask: Ask<'_>, why: &str) {
        let Ask { lane, arg } = ask;
        self.set = Some((arg.into(), lane.into()));
        self.notes.push(format!(
            "`{what}` {why}: it gets the lane by its environment only, as {arg}={lane}"
        ));
        let name = |at: usize| Path::new(self.words.get(at)?).file_name()?.to_str();
        let further = match name(tool) {
            Some("devcontainer") => Some((
                "devcontainer.json hands it on where `args` in `build` has",
                format!("\"{arg}\": \"${{localEnv:{arg}:default}}\""),
            )),
            Some("docker" | "podman" | "nerdctl")
                if !self.words.iter().any(|word| word == "compose") =>
            {
                None
            }
            Some("docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose") => Some((
                "the Compose file hands it on where `args` in `build` has",
                format!("{arg}: ${{{arg}:-default}}"),
            )),
            _ => None,
        };
        let drops = name(0).filter(|name| matches!(*name, "sudo" | "doas"));
        let drops = drops.map(|name| format!("`{name}` hands {arg} on only where it is told to"));
        let further = further.map(|(where_to, line)| format!("{where_to} `{line}`"));
        self.notes.extend(further.into_iter().chain(drops));
    }
}

/// The words that a command starts with, as far as they are likely to say what it does.
fn start(words: &[String]) -> String {
    let short = |word: &&String| !word.starts_with('-') && word.len() <= LONGEST_SHOWN;
    let behind = words.iter().skip(1).take(SHOWN - 1).take_while(short);
    words
        .iter()
        .take(1)
        .chain(behind)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}
