//! A command that builds, and how an argument gets into it.

use std::collections::HashSet;

use super::super::model::BuildTool;
use super::super::shell::{Simple, Variable, Word};
use crate::budget;
use crate::text::Span;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub front: BuildTool,
    /// Where it stands in the script: from the tool's name to the last word.
    pub span: Span,
    /// The index of the word that names the tool.
    pub tool: usize,
    /// The index of the word behind which arguments for the build can be put: the subcommand.
    pub behind: usize,
    /// How an argument is passed to it.
    pub pass: InsertMethod,
    /// `-f`, `--file`, in order.
    pub files: Vec<Word>,
    /// Its words that are no option and no option's value: the context, the targets or the services.
    pub rest: Vec<Word>,
    pub target: Option<Word>,
    /// The folder that an option moves it to: Compose's `--project-directory`.
    pub folder: Option<Word>,
    pub args: Vec<BuildArg>,
    /// True where these are all: not where a word may stand for several.
    pub args_known: bool,
    /// True where it only asks what would be built, and builds nothing.
    pub only_looks: bool,
    /// The variables that the command itself sets in the environment, `A=1` of `env A=1 docker build .`.
    pub sets: Vec<(String, Word)>,
}

/// `--build-arg NAME=value`, or what means the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildArg {
    pub name: String,
    /// Its value; `None` for `--build-arg NAME`, which takes it from the environment.
    pub value: Option<Word>,
    /// The one target that gets it, `app` of `--set app.args.NAME=value`; `None` where all do.
    pub only: Option<String>,
    /// Where it stands: the word that holds the name.
    pub span: Span,
}

/// How a build argument is passed to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertMethod {
    /// `--build-arg NAME=value`
    BuildArg,
    /// `--set *.args.NAME=value`
    Set,
    /// Only the environment reaches it: what its files make of `${NAME}`.
    Environment,
    /// `--cache-id=value`, where rocker's extension for it is installed: one word, since rockerc takes a second for the image.
    CacheId,
    /// It has no way: `devcontainer build`.
    Nothing,
}

impl Command {
    /// Makes a command that passes nothing yet. `behind` is as in [`Command::behind`].
    pub(super) fn new(front: BuildTool, pass: InsertMethod, behind: usize) -> Self {
        Self {
            front,
            span: Span::at(0),
            tool: 0,
            behind,
            pass,
            files: Vec::new(),
            rest: Vec::new(),
            target: None,
            folder: None,
            args: Vec::new(),
            args_known: true,
            only_looks: false,
            sets: Vec::new(),
        }
    }

    /// Returns the words that pass `value` as the argument `name`, each as one word of an `argv`; none where there is no
    /// option for it.
    pub fn argv(&self, name: &str, value: &str) -> Vec<String> {
        match self.pass {
            InsertMethod::BuildArg => vec!["--build-arg".into(), format!("{name}={value}")],
            InsertMethod::Set => vec!["--set".into(), format!("*.args.{name}={value}")],
            InsertMethod::CacheId => vec![format!("--cache-id={value}")],
            InsertMethod::Environment | InsertMethod::Nothing => Vec::new(),
        }
    }

    /// Returns what to write into a POSIX shell's script behind the word [`Command::behind`], blank before it included, so
    /// that it passes the argument `name` with `value`, which is written as within double quotes. The star is quoted, or it
    /// might name files.
    pub fn insertion(&self, name: &str, value: &str) -> Option<String> {
        match self.pass {
            InsertMethod::BuildArg => Some(format!(" --build-arg {name}=\"{value}\"")),
            InsertMethod::Set => Some(format!(" --set \"*.args.{name}={value}\"")),
            InsertMethod::CacheId | InsertMethod::Environment | InsertMethod::Nothing => None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Found {
    pub simple: Simple,
    pub command: Command,
    /// How many of the script's variables were set above it.
    pub above: usize,
}

impl Found {
    /// Returns what it has in its environment by the script, the nearest of a name only: what stands before it in the
    /// command, and what was exported above. `variables` are those of the script.
    pub fn environment<'f>(
        &'f self,
        variables: &'f [Variable],
    ) -> Vec<(&'f str, Option<&'f Word>)> {
        let own = self.simple.sets.iter().chain(&self.command.sets);
        let own = own.map(|(name, word)| (name.as_str(), Some(word)));
        let above = variables.get(..self.above).unwrap_or_default().iter().rev();
        let exported = above
            .take_while(|_| budget::spend(16))
            .filter(|variable| variable.exported)
            .map(|variable| (variable.name.as_str(), variable.value.as_ref()));
        let mut seen = HashSet::new();
        own.chain(exported)
            .filter(|(name, _)| seen.insert(*name))
            .collect()
    }
}
