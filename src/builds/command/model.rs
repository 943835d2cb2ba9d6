//! A command that builds, and the ways to pass it an argument.

use std::collections::HashSet;
use std::rc::Rc;

use super::super::builder::{Change, NamedBuilder};
use super::super::model::{ArgName, NoCache};
use super::super::shell::{Simple, Variable, Word};
use super::super::tool::BuildTool;
use super::tables;
use crate::budget;
use crate::text::Span;

/// The argument that rocker's extension for lanes passes.
pub const ROCKER_ARG: &str = "CACHE_ID";

/// The variables that it takes the lane from; the first one that is set counts.
pub const ROCKER_VARIABLES: [&str; 2] = ["ROCKER_CACHE_ID", ROCKER_ARG];

/// The lane that `cachelane run` passes, as a script would write it.
pub const OWN_LANE: &str = "$(cachelane id)";
/// The same, where it is told the values of the matrix.
pub const MATRIX_LANE: &str = "$(cachelane id --matrix)";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub tool: BuildTool,
    /// From the tool's name to the last word.
    pub span: Span,
    /// The index of the word that names the tool.
    pub tool_at: usize,
    /// The index of the word behind which arguments for the build can be put: the subcommand.
    pub subcommand: usize,
    pub method: InsertMethod,
    /// `-f`, `--file`, in order.
    pub files: Vec<Word>,
    /// The positional words: the context, the targets or the services.
    pub rest: Vec<Word>,
    pub target: Option<Word>,
    /// The file that its standard input is, where that is known.
    pub input: Option<Word>,
    /// The folder of an option: Compose's `--project-directory`.
    pub folder: Option<Word>,
    pub args: Vec<BuildArg>,
    /// `--platform`, in order.
    pub platforms: Vec<Word>,
    /// `--set TARGET.platform=…`, in order.
    pub of_targets: Vec<Override>,
    /// `--no-cache`, or the last `--no-cache-filter`. Of podman and buildah none: they keep their caches.
    pub no_cache: Option<NoCache>,
    /// `--jobs` of podman and buildah.
    pub jobs: Option<Word>,
    /// False where a word may stand for several.
    pub args_known: bool,
    /// True where it builds nothing: it only prints what it would build, or is told not to.
    pub only_looks: bool,
    /// True where it builds only the images that are not there: `docker compose up` without `--build`.
    pub only_missing: bool,
    /// The variables that the command itself sets in the environment, `A=1` of `env A=1 docker build .`.
    pub sets: Vec<(ArgName, Word)>,
    /// The builder that its words name.
    pub builder: Option<NamedBuilder>,
}

/// `--build-arg NAME=value`, or an equivalent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildArg {
    pub name: ArgName,
    /// `None` for `--build-arg NAME`, which takes the value from the environment.
    pub value: Option<Word>,
    /// The one target that gets it, `app` of `--set app.args.NAME=value`; `None` where all do.
    pub only: Option<String>,
    pub span: Span,
}

/// A value that a command gives some of its targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// `app` of `--set app.platform=value`.
    pub pattern: String,
    /// True for `+=`.
    pub adds: bool,
    pub value: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertMethod {
    /// `--build-arg NAME=value`
    BuildArg,
    /// `--set *.args.NAME=value`
    Set,
    /// Only the environment, by `${NAME}` in the command's files.
    Environment,
    /// `--cache-id=value`, where rocker's extension for it is installed: one word, since rockerc takes a second for the
    /// image.
    CacheId,
    Nothing,
}

impl Command {
    pub(super) fn new(tool: BuildTool, method: InsertMethod, subcommand: usize) -> Self {
        Self {
            tool,
            span: Span::at(0),
            tool_at: 0,
            subcommand,
            method,
            files: Vec::new(),
            rest: Vec::new(),
            target: None,
            input: None,
            folder: None,
            args: Vec::new(),
            platforms: Vec::new(),
            of_targets: Vec::new(),
            no_cache: None,
            jobs: None,
            args_known: true,
            only_looks: false,
            only_missing: false,
            sets: Vec::new(),
            builder: None,
        }
    }

    /// Returns the words of an `argv` that pass `value` as the argument `name`; none where there is no option for it.
    #[cfg(feature = "cli")]
    pub fn argv(&self, name: &str, value: &str) -> Vec<String> {
        match self.method {
            InsertMethod::BuildArg => vec!["--build-arg".into(), format!("{name}={value}")],
            InsertMethod::Set => vec!["--set".into(), format!("*.args.{name}={value}")],
            InsertMethod::CacheId => vec![format!("--cache-id={value}")],
            InsertMethod::Environment | InsertMethod::Nothing => Vec::new(),
        }
    }

    /// Returns the variable by which it takes the argument `name` from the environment, if it does that.
    pub fn variable<'n>(&self, name: &'n str) -> Result<&'n str, String> {
        match self.method {
            InsertMethod::Environment => Ok(name),
            InsertMethod::CacheId if name == ROCKER_ARG => Ok(ROCKER_VARIABLES[0]),
            InsertMethod::CacheId => Err(format!("rocker passes a lane as `{ROCKER_ARG}`")),
            InsertMethod::BuildArg | InsertMethod::Set | InsertMethod::Nothing => {
                Err("it takes no build argument here".into())
            }
        }
    }

    /// Returns the title of a fix that passes `value` as the argument `name`, which may be unknown.
    pub fn title(&self, name: &str, value: &str) -> String {
        match self.variable(name) {
            Ok(variable) if self.tool == BuildTool::Rocker => format!(
                "set `{variable}={value}`, which rocker takes where its extension `rocker-cachelane` is installed"
            ),
            _ => format!("pass `{name}={value}`"),
        }
    }

    /// Returns the text, with a leading blank, to insert into a POSIX shell's script behind the word
    /// [`Command::subcommand`]: it passes `value`, written as within double quotes, as the argument `name`. The star is
    /// quoted, since it might match files.
    pub fn insertion(&self, name: &str, value: &str) -> Option<String> {
        match self.method {
            InsertMethod::BuildArg => Some(format!(" --build-arg {name}=\"{value}\"")),
            InsertMethod::Set => Some(format!(" --set \"*.args.{name}={value}\"")),
            InsertMethod::CacheId | InsertMethod::Environment | InsertMethod::Nothing => None,
        }
    }
}

/// The commands of a script that matter to builds.
pub struct Commands {
    pub found: Vec<FoundCommand>,
    /// All variables that the script sets for those below.
    pub variables: Rc<[Variable]>,
    /// The changes that the script makes to the builders.
    pub changes: Vec<Change>,
    /// Builds by a tool that only a run knows: the place in the script, and the reason.
    pub unknown: Vec<(Span, String)>,
}

#[derive(Clone, Debug)]
pub struct FoundCommand {
    pub simple: Simple,
    pub command: Command,
    /// The number of the script's variables that were set above it.
    pub above: usize,
    /// The number of the script's changes of builders above it.
    pub changes: usize,
}

impl FoundCommand {
    /// Returns whether the command has the environment of its script; else it has what its own words set.
    pub fn keeps_environment(&self) -> bool {
        tables::keep_environment(&self.before())
    }

    /// Returns the words before the tool.
    fn before(&self) -> Vec<&str> {
        let before = self.simple.words[..self.command.tool_at].iter();
        before.map(|word| word.text().unwrap_or_default()).collect()
    }

    /// Returns the assignments before the command, then those of its own words.
    pub fn sets(&self) -> impl DoubleEndedIterator<Item = (ArgName, &Word)> {
        let keeps = self.keeps_environment();
        let taken = tables::taken_names(&self.before());
        let before = self.simple.sets.iter();
        let before = before.filter(move |(name, _)| keeps && !taken.contains(&name.as_str()));
        let own = self.command.sets.iter();
        before
            .map(|(name, word)| (name.into(), word))
            .chain(own.map(|(name, word)| (name.clone(), word)))
    }

    /// Returns the script's variables above the command, the nearest first.
    fn above<'f>(&self, variables: &'f [Variable]) -> impl Iterator<Item = &'f Variable> + Clone {
        let above = variables.get(..self.above).unwrap_or_default().iter().rev();
        above.take_while(|_| budget::spend(16))
    }

    /// Returns the names of variables that the command's environment does not have, whatever its caller's has.
    pub fn taken(&self, variables: &[Variable]) -> Vec<String> {
        let mut seen: HashSet<&str> = HashSet::new();
        let above = self.above(variables);
        let nearest = above.filter(|variable| seen.insert(&variable.name));
        let unset = nearest.filter(|variable| variable.unset);
        let mut taken: Vec<String> = unset.map(|variable| variable.name.clone()).collect();
        let own = tables::taken_names(&self.before());
        taken.extend(own.into_iter().map(str::to_owned));
        taken.retain(|name| !self.sets().any(|(set, _)| set.is(name)));
        taken
    }

    /// Returns the command's environment by the script, the nearest of a name only: assignments before the command, and
    /// those of `variables`, the script's, that were exported above.
    pub fn environment<'f>(
        &'f self,
        variables: &'f [Variable],
    ) -> Vec<(ArgName, Option<&'f Word>)> {
        let own = self.sets().map(|(name, word)| (name, Some(word)));
        let keeps = self.keeps_environment();
        let taken = self.taken(variables);
        let exported = self
            .above(variables)
            .filter(|variable| keeps && variable.exported && !taken.contains(&variable.name))
            .map(|variable| {
                // It may be set before it is exported, or after.
                let mut same = self
                    .above(variables)
                    .filter(|set| set.name == variable.name);
                let value = same.find_map(|set| set.value.as_ref());
                (ArgName::from(&variable.name), value)
            });
        let mut seen = HashSet::new();
        own.chain(exported)
            .filter(|(name, _)| seen.insert(name.clone()))
            .collect()
    }
}
