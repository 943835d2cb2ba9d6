//! Commands that build images: which tool, which Dockerfile, which arguments.
//!
//! [`read`] takes the words of one simple command, from a script or from an `argv` ([`words`]); [`what`] says what the
//! command builds, where that can be known.

mod options;
mod tables;
mod what;

use std::collections::HashSet;
use std::rc::Rc;

use super::model::BuildTool;
use super::shell;
use super::shell::Word;
use crate::budget;
use crate::text::Span;
use options::{Item, Items, only_looks, skip_prefixes, subcommand};

pub use what::what;

/// Words of which each command that builds has one.
const WORDS: &[&str] = &[
    "docker",
    "podman",
    "buildah",
    "nerdctl",
    "buildx",
    "devcontainer",
    "rocker",
];

/// A command that builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The tool.
    pub front: BuildTool,
    /// Where it stands in the script: from the tool's name to the last word.
    pub span: Span,
    /// The index of the word that names the tool.
    pub tool: usize,
    /// The index of the word behind which arguments for the build can be put: the subcommand.
    pub behind: usize,
    /// How an argument is passed to it.
    pub pass: Pass,
    /// `-f`, `--file`, in order.
    pub files: Vec<Word>,
    /// Its words that are no option and no option's value: the context, the targets or the services.
    pub rest: Vec<Word>,
    /// `--target`.
    pub target: Option<Word>,
    /// The folder that an option moves it to: Compose's `--project-directory`.
    pub folder: Option<Word>,
    /// The build arguments.
    pub args: Vec<BuildArg>,
    /// Whether these are all: not where a word may stand for several.
    pub args_known: bool,
    /// Whether it only asks what would be built, and builds nothing.
    pub only_looks: bool,
    /// What the command itself sets in the environment, `A=1` of `env A=1 docker build .`.
    pub sets: Vec<(String, Word)>,
}

/// `--build-arg NAME=value`, or what means the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildArg {
    /// Its name.
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
pub enum Pass {
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
    /// The words that pass `value` as the argument `name`, each as one word of an `argv`; none where there is no option
    /// for it.
    #[must_use]
    pub fn passing(&self, name: &str, value: &str) -> Vec<String> {
        match self.pass {
            Pass::BuildArg => vec!["--build-arg".into(), format!("{name}={value}")],
            Pass::Set => vec!["--set".into(), format!("*.args.{name}={value}")],
            Pass::CacheId => vec![format!("--cache-id={value}")],
            Pass::Environment | Pass::Nothing => Vec::new(),
        }
    }

    /// What to write into a POSIX shell's script behind the word [`Command::behind`], blank before it included, so that
    /// it passes the argument `name` with `value`, which is written as within double quotes. The star is quoted, or it might
    /// name files.
    #[must_use]
    pub fn insertion(&self, name: &str, value: &str) -> Option<String> {
        match self.pass {
            Pass::BuildArg => Some(format!(" --build-arg {name}=\"{value}\"")),
            Pass::Set => Some(format!(" --set \"*.args.{name}={value}\"")),
            Pass::CacheId | Pass::Environment | Pass::Nothing => None,
        }
    }
}

/// Returns whether `text` has a word that can start a build: the cheap way out.
#[must_use]
pub fn may_build(text: &str) -> bool {
    let has = |word: &&str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    WORDS.iter().any(has)
}

/// The words of an `argv`.
#[must_use]
pub fn words(argv: &[String]) -> Vec<Word> {
    argv.iter().map(|word| Word::plain(word)).collect()
}

/// A command of a script that builds.
#[derive(Clone, Debug)]
pub struct Found {
    /// The simple command that it is.
    pub simple: shell::Simple,
    /// The command.
    pub command: Command,
    /// How many of the script's variables were set above it.
    pub above: usize,
}

/// The commands of a script that build, and all that the script sets for what comes below.
#[must_use]
pub fn all(commands: Vec<shell::Simple>) -> (Vec<Found>, Rc<[shell::Variable]>) {
    let (mut found, mut variables) = (Vec::new(), Vec::new());
    for simple in commands {
        match read(&simple.words).filter(|command| !command.only_looks) {
            Some(command) => found.push(Found {
                simple,
                command,
                above: variables.len(),
            }),
            None => variables.extend(simple.variables()),
        }
    }
    (found, variables.into())
}

impl Found {
    /// What it has in its environment by the script, the nearest of a name only: what stands before it in the command, and
    /// what was exported above. `variables` are those of the script.
    #[must_use]
    pub fn environment<'f>(
        &'f self,
        variables: &'f [shell::Variable],
    ) -> Vec<(&'f str, Option<&'f Word>)> {
        let own = self
            .simple
            .sets
            .iter()
            .chain(&self.command.sets)
            .map(|(name, word)| (name.as_str(), Some(word)));
        let above = variables
            .get(..self.above)
            .unwrap_or_default()
            .iter()
            .rev()
            .take_while(|_| budget::spend(16));
        let above = above.filter(|variable| variable.exported);
        let mut seen = HashSet::new();
        own.chain(above.map(|variable| (variable.name.as_str(), variable.value.as_ref())))
            .filter(|(name, _)| seen.insert(*name))
            .collect()
    }
}

/// The build that the words run, if it is one that is known here. Assignments before them are no part of `words`.
#[must_use]
pub fn read(words: &[Word]) -> Option<Command> {
    let (tool, sets) = skip_prefixes(words)?;
    if let Some((at, name)) = options::lane_runner(words, tool) {
        return within(words, at, name, sets);
    }
    let name = words[tool].text()?;
    let name = if name.starts_with('@') {
        name
    } else {
        name.rsplit(['/', '\\']).next().unwrap_or(name)
    };
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let at = tool + 1;
    let mut command = match name {
        "docker" => engine(BuildTool::Docker, &["image", "builder"], words, at)?,
        "docker-buildx" | "buildx" => buildx(words, at)?,
        "docker-compose" | "podman-compose" => compose(words, at)?,
        "podman" => engine(BuildTool::Podman, &["image", "buildx"], words, at)?,
        "buildah" => {
            let (sub, verb) = subcommand(words, at, &tables::GLOBAL)?;
            matches!(verb, "build" | "bud" | "build-using-dockerfile")
                .then(|| build(BuildTool::Buildah, words, sub))?
        }
        "nerdctl" => engine(BuildTool::Nerdctl, &["image", "builder"], words, at)?,
        "devcontainer" | "@devcontainers/cli" => (words.get(at)?.text()? == "build")
            .then(|| other(BuildTool::Devcontainer, Pass::Nothing, at))?,
        // It reads what rocker is to do from a file.
        "rockerc" => rocker(words, at),
        "rocker" => words.get(at).map(|_| rocker(words, at))?,
        _ => return None,
    };
    if words[..tool]
        .iter()
        .any(|word| word.text() == Some("xargs"))
    {
        command.args_known = false;
    }
    command.only_looks = matches!(
        command.front,
        BuildTool::Bake | BuildTool::Buildx | BuildTool::Docker | BuildTool::Compose
    ) && only_looks(words, command.behind);
    command.tool = tool;
    command.sets = sets;
    command.span = Span::new(words[tool].span.start, words.last()?.span.end);
    Some(command)
}

/// The build that `cachelane run` runs, from the word `at` on: it passes the argument `name`.
fn within(words: &[Word], at: usize, name: String, sets: Vec<(String, Word)>) -> Option<Command> {
    let inner = words.get(at..)?;
    // One within another one passes the same.
    if inner
        .first()
        .and_then(Word::text)
        .is_some_and(|text| text.ends_with("cachelane"))
    {
        return None;
    }
    let mut command = read(inner)?;
    command.tool += at;
    command.behind += at;
    command.sets.extend(sets);
    let value = Word::plain("$(cachelane id)");
    command.sets.push((name.clone(), value.clone()));
    if matches!(command.pass, Pass::BuildArg | Pass::Set)
        && command.args.iter().all(|arg| arg.name != name)
    {
        let span = words[command.tool].span;
        command.args.push(BuildArg {
            name,
            value: Some(value),
            only: None,
            span,
        });
    }
    Some(command)
}

/// An engine's command line. `groups` are its commands that have a `build` of their own.
fn engine(front: BuildTool, groups: &[&str], words: &[Word], at: usize) -> Option<Command> {
    let (sub, verb) = subcommand(words, at, &tables::GLOBAL)?;
    match verb {
        "build" => Some(build(front, words, sub)),
        "compose" => compose(words, sub + 1),
        _ if groups.contains(&verb) => {
            let (sub, verb) = subcommand(words, sub + 1, &tables::GLOBAL)?;
            (verb == "build").then(|| build(front, words, sub))
        }
        "buildx" if front == BuildTool::Docker => buildx(words, sub + 1),
        _ => None,
    }
}

fn buildx(words: &[Word], at: usize) -> Option<Command> {
    let (sub, verb) = subcommand(words, at, &tables::GLOBAL)?;
    match verb {
        "build" | "b" => Some(build(BuildTool::Buildx, words, sub)),
        "bake" | "f" => Some(bake(words, sub)),
        _ => None,
    }
}

/// `rocker [options] image [command…]`. It writes its own Dockerfile.
fn rocker(words: &[Word], at: usize) -> Command {
    let mut command = other(BuildTool::Rocker, Pass::CacheId, at - 1);
    let mut items = Items::new(words, at, &tables::ROCKER);
    while let Some(item) = items.next() {
        match item {
            Item::Option {
                name: "cache-id",
                value: Some(value),
                index,
            } => {
                let (name, span) = ("CACHE_ID".into(), words[index].span);
                command.args.push(BuildArg {
                    name,
                    value: Some(value),
                    only: None,
                    span,
                });
            }
            Item::Several => command.args_known = false,
            Item::Option { .. } | Item::Word(_) => {}
        }
    }
    command
}

fn other(front: BuildTool, pass: Pass, behind: usize) -> Command {
    Command {
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

/// What stands behind `build`.
fn build(front: BuildTool, words: &[Word], sub: usize) -> Command {
    let mut command = other(front, Pass::BuildArg, sub);
    let mut items = Items::new(words, sub + 1, &tables::BUILD);
    while let Some(item) = items.next() {
        match item {
            Item::Word(index) => command.rest.push(words[index].clone()),
            Item::Several => several(&mut command, &items, words),
            Item::Option {
                name,
                value: Some(value),
                index,
            } => match name {
                "file" | "f" => command.files.push(value),
                "target" => command.target = Some(value),
                "build-arg" => command.build_arg(&value, words[index].span),
                "build-arg-file" => command.args_known = false,
                _ => {}
            },
            Item::Option { .. } => {}
        }
    }
    command
}

/// A word that may be several. As the last one, where no other is the context, it is the context.
fn several(command: &mut Command, items: &Items<'_>, words: &[Word]) {
    let Some(word) = items.at().checked_sub(1).and_then(|at| words.get(at)) else {
        return;
    };
    let written = word.written().to_ascii_lowercase();
    let options = ["arg", "opt", "flag", "param", "$@", "$*", "[@]"]
        .iter()
        .any(|hint| written.contains(hint));
    if items.at() == words.len() && command.rest.is_empty() && !options {
        command.rest.push(word.clone());
    } else {
        command.args_known = false;
    }
}

/// What stands behind `bake`.
fn bake(words: &[Word], sub: usize) -> Command {
    let mut command = other(BuildTool::Bake, Pass::Set, sub);
    let mut items = Items::new(words, sub + 1, &tables::BAKE);
    while let Some(item) = items.next() {
        match item {
            Item::Word(index) => command.rest.push(words[index].clone()),
            Item::Several => {
                command.args_known = false;
                command.rest.push(words[items.at() - 1].clone());
            }
            Item::Option {
                name,
                value: Some(value),
                index,
            } => match name {
                "file" | "f" => command.files.push(value),
                "set" => command.set(&value, words[index].span),
                _ => {}
            },
            Item::Option { .. } => {}
        }
    }
    command
}

/// What stands behind `docker compose`.
fn compose(words: &[Word], at: usize) -> Option<Command> {
    let mut command = other(BuildTool::Compose, Pass::BuildArg, 0);
    let mut items = Items::new(words, at, &tables::COMPOSE);
    let sub = loop {
        match items.next()? {
            Item::Word(index) => break index,
            Item::Option {
                name: "file" | "f",
                value: Some(value),
                ..
            } => command.files.push(value),
            Item::Option {
                name: "project-directory",
                value,
                ..
            } => command.folder = value,
            Item::Option { .. } => {}
            Item::Several => command.args_known = false,
        }
    };
    let (options, mut builds) = match words[sub].text()? {
        "build" => (&tables::COMPOSE_BUILD, true),
        "up" | "create" => (&tables::COMPOSE_UP, false),
        _ => return None,
    };
    command.behind = sub;
    if !builds {
        command.pass = Pass::Environment;
    }
    let mut items = Items::new(words, sub + 1, options);
    while let Some(item) = items.next() {
        match item {
            Item::Word(index) => command.rest.push(words[index].clone()),
            Item::Several => {
                command.args_known = false;
                command.rest.push(words[items.at() - 1].clone());
            }
            Item::Option {
                name: "build",
                value: None,
                ..
            } => builds = true,
            Item::Option {
                name: "build-arg",
                value: Some(value),
                index,
            } => {
                command.build_arg(&value, words[index].span);
            }
            Item::Option { .. } => {}
        }
    }
    builds.then_some(command)
}

impl Command {
    /// `NAME=value` or `NAME`.
    fn build_arg(&mut self, word: &Word, span: Span) {
        let (name, value) = match word.assignment() {
            Some((name, value)) => (name.to_owned(), Some(value)),
            None => (word.text().unwrap_or_default().to_owned(), None),
        };
        if name.is_empty() {
            self.args_known = false;
        } else {
            self.args.push(BuildArg {
                name,
                value,
                only: None,
                span,
            });
        }
    }

    /// `target.args.NAME=value`. Other overrides pass nothing.
    fn set(&mut self, word: &Word, span: Span) {
        let Some((key, value)) = word.assignment() else {
            self.args_known &= word.text().is_some();
            return;
        };
        let key = key.strip_suffix('+').unwrap_or(key);
        if let Some((target, name)) = key.split_once(".args.") {
            let only = (target != "*").then(|| target.to_owned());
            self.args.push(BuildArg {
                name: name.to_owned(),
                value: Some(value),
                only,
                span,
            });
        }
    }
}
