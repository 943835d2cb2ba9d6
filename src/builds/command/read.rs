//! From words to a command that builds.

use super::super::builder::NamedBuilder;
use super::super::model::{ArgName, BuildTool, NoCache};
use super::super::shell::{Simple, Values, Word};
use super::builders;
use super::model::{BuildArg, Command, Commands, FoundCommand, InsertMethod, Override, ROCKER_ARG};
use super::named::{Named, named};
use super::options::{Item, Items, LaneRunner, lane_runner, only_looks, skip_prefixes, subcommand};
use super::scripts;
use super::tables::{self, Options};
use crate::text::Span;

/// Words, one of which is in each command that builds.
const WORDS: &[&str] = &[
    "docker",
    "depot",
    "podman",
    "buildah",
    "nerdctl",
    "buildx",
    "devcontainer",
    "rocker",
    // Of a tool that a variable names.
    "DOCKER",
    "PODMAN",
    "ENGINE",
    "CONTAINER",
    "--build-arg",
    "Dockerfile",
    "Containerfile",
];

/// Words, one of which is in each command that runs a Makefile's recipes or a script.
const CALLS: &[&str] = &["make", "MAKE", ".sh", "./"];

/// Returns whether `text` has a word that can start a build, or what may build: a cheap test.
pub fn may_build(text: &str) -> bool {
    names_builder(text.as_bytes()) || names_script(text.as_bytes())
}

/// Returns whether `text` has the name of a tool that builds.
pub fn names_builder(text: &[u8]) -> bool {
    has_any(text, WORDS)
}

/// Returns whether `text` has a word of a command that runs what may build.
pub fn names_script(text: &[u8]) -> bool {
    has_any(text, CALLS)
}

fn has_any(text: &[u8], words: &[&str]) -> bool {
    let has = |word: &&str| memchr::memmem::find(text, word.as_bytes()).is_some();
    words.iter().any(has)
}

#[cfg(feature = "cli")]
pub fn words(argv: &[String]) -> Vec<Word> {
    argv.iter().map(|word| Word::plain(word)).collect()
}

/// Returns the commands of a script that build, and what it sets and makes for those below.
pub fn all(commands: Vec<Simple>, values: &Values<'_>) -> Commands {
    let (mut found, mut variables, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    let mut unknown = Vec::new();
    let builds = |words: &[Word]| read(words).is_some_and(|command| !command.tool.runs_others());
    for mut simple in commands {
        match named(std::mem::take(&mut simple.words), values, &builds) {
            Named::Words {
                words,
                behind_variable,
            } => (simple.words, simple.behind_variable) = (words, behind_variable),
            Named::Unknown(span, why) => {
                unknown.push((span, why));
                continue;
            }
        }
        let Some(mut command) = read(&simple.words).filter(|command| !command.only_looks) else {
            changes.extend(builders::change(&simple.words));
            variables.extend(simple.variables());
            continue;
        };
        command.input.clone_from(&simple.input);
        found.push(FoundCommand {
            simple,
            command,
            above: variables.len(),
            changes: changes.len(),
        });
    }
    Commands {
        found,
        variables: variables.into(),
        changes,
        unknown,
    }
}

/// Returns the build that the words run, if its tool is known. Leading assignments are not in `words`.
pub fn read(words: &[Word]) -> Option<Command> {
    let (tool, sets) = skip_prefixes(words)?;
    if let Some(LaneRunner { command, arg, lane }) = lane_runner(words, tool) {
        return within(words, command, Some((arg, lane)), sets);
    }
    let Some(name) = words[tool].text() else {
        return scripts::script(words, tool).map(|one| with_sets(one, sets));
    };
    let name = if name.starts_with('@') {
        name
    } else {
        name.rsplit(['/', '\\']).next().unwrap_or(name)
    };
    let at = tool + 1;
    let mut command = match name.strip_suffix(".exe").unwrap_or(name) {
        "docker" => engine(BuildTool::Docker, &["image", "builder"], words, at)?,
        "docker-buildx" | "buildx" => buildx(words, at)?,
        "depot" => Command {
            builder: Some(NamedBuilder::Service),
            ..buildx(words, at)?
        },
        "docker-compose" => compose(BuildTool::Compose, words, at)?,
        "podman-compose" => compose(BuildTool::PodmanCompose, words, at)?,
        "podman" | "buildah" if subcommand(words, at)?.1 == "unshare" => {
            let (unshare, _) = subcommand(words, at)?;
            let (inner, _) = subcommand(words, unshare + 1)?;
            return within(words, inner, None, sets);
        }
        "podman" => {
            let groups = ["image", "buildx", "builder", "farm"];
            let command = engine(BuildTool::Podman, &groups, words, at)?;
            let mut names = words[at..command.subcommand].iter().map(Word::text);
            let is_farm = names.any(|name| name == Some("farm"));
            Command {
                builder: is_farm.then_some(NamedBuilder::Service),
                ..command
            }
        }
        "buildah" => match subcommand(words, at)? {
            (sub, "build" | "bud" | "build-using-dockerfile") => {
                build(BuildTool::Buildah, words, sub)
            }
            _ => return None,
        },
        "nerdctl" => engine(BuildTool::Nerdctl, &["image", "builder"], words, at)?,
        "devcontainer" | "@devcontainers/cli" => match words.get(at)?.text()? {
            "build" | "up" => {
                let (tool, method) = (BuildTool::Devcontainer, InsertMethod::Nothing);
                let mut command = Command::new(tool, method, at);
                command.take(words, at + 1, &tables::DEVCONTAINER);
                // A switch may have `true` behind it.
                command.rest.clear();
                command
            }
            _ => return None,
        },
        // Its instructions for rocker come from a file.
        "rockerc" => rocker(words, at),
        "rocker" => words.get(at).map(|_| rocker(words, at))?,
        "make" | "gmake" => return Some(with_sets(scripts::make(words, tool), sets)),
        "sh" | "bash" | "dash" | "zsh" | "ksh" => {
            return scripts::interpreted(words, tool).map(|one| with_sets(one, sets));
        }
        _ => return scripts::script(words, tool).map(|one| with_sets(one, sets)),
    };
    if command.builder.is_none() && matches!(name, "docker" | "podman") {
        command.builder = daemon(words, at).map(NamedBuilder::Daemon);
    }
    let mut before = words[..tool].iter();
    command.args_known &= before.all(|word| word.text() != Some("xargs"));
    command.only_looks |= match command.tool {
        BuildTool::Bake | BuildTool::Buildx | BuildTool::Docker => {
            only_looks(words, command.subcommand)
        }
        tool if tool.is_compose() => only_looks(words, command.subcommand),
        // Behind the image, these are options of what runs there.
        BuildTool::Rocker => {
            let first = words.get(at).and_then(Word::text);
            matches!(first, Some("--help" | "-h" | "--version"))
        }
        _ => false,
    };
    command.tool_at = tool;
    command.sets.extend(sets);
    command.span = Span::new(words[tool].span.start, words.last()?.span.end);
    Some(command)
}

/// Adds the variables that words before the command set.
fn with_sets(mut command: Command, sets: Vec<(ArgName, Word)>) -> Command {
    command.sets.extend(sets);
    command
}

/// Returns the build that another command runs, from the word `at` on, with the argument that `cachelane run` passes.
fn within(
    words: &[Word],
    at: usize,
    lane: Option<(ArgName, Word)>,
    sets: Vec<(ArgName, Word)>,
) -> Option<Command> {
    let inner = words.get(at..)?;
    if inner.first()?.text()?.ends_with("cachelane") {
        return None;
    }
    let mut command = read(inner)?;
    command.tool_at += at;
    command.subcommand += at;
    command.sets.extend(sets);
    let Some((name, value)) = lane else {
        return Some(command);
    };
    command.sets.push((name.clone(), value.clone()));
    if matches!(command.method, InsertMethod::BuildArg | InsertMethod::Set)
        && command.args.iter().all(|arg| arg.name != name)
    {
        let span = words[command.tool_at].span;
        command.arg(name, Some(value), span);
    }
    Some(command)
}

/// Reads an engine's command line. `groups` are its commands with a `build` of their own.
fn engine(tool: BuildTool, groups: &[&str], words: &[Word], at: usize) -> Option<Command> {
    match subcommand(words, at)? {
        (sub, "build") => Some(build(tool, words, sub)),
        (sub, "compose") if tool == BuildTool::Podman => {
            compose(BuildTool::PodmanCompose, words, sub + 1)
        }
        (sub, "compose") => compose(BuildTool::Compose, words, sub + 1),
        (sub, verb) if groups.contains(&verb) => match subcommand(words, sub + 1)? {
            (sub, "build") => Some(build(tool, words, sub)),
            _ => None,
        },
        (sub, "buildx") if tool == BuildTool::Docker => buildx(words, sub + 1),
        (sub, "bake") if tool == BuildTool::Docker => Some(bake(words, sub)),
        _ => None,
    }
}

/// Returns the daemon that the options before the subcommand name.
fn daemon(words: &[Word], at: usize) -> Option<String> {
    let mut items = Items::new(words, at, &tables::GLOBAL);
    while let Some(Item::Option { name, value, .. }) = items.next() {
        if matches!(name, "H" | "host" | "c" | "context" | "connection" | "url") {
            return value.as_ref().map(Word::written);
        }
    }
    None
}

fn buildx(words: &[Word], at: usize) -> Option<Command> {
    match subcommand(words, at)? {
        (sub, "build" | "b") => Some(build(BuildTool::Buildx, words, sub)),
        (sub, "bake" | "f") => Some(bake(words, sub)),
        _ => None,
    }
}

fn bake(words: &[Word], sub: usize) -> Command {
    let mut command = Command::new(BuildTool::Bake, InsertMethod::Set, sub);
    command.take(words, sub + 1, &tables::BAKE);
    command
}

fn build(tool: BuildTool, words: &[Word], sub: usize) -> Command {
    let mut command = Command::new(tool, InsertMethod::BuildArg, sub);
    command.take(words, sub + 1, &tables::BUILD);
    command
}

/// Reads `rocker [options] image [command…]`, which writes its own Dockerfile.
fn rocker(words: &[Word], at: usize) -> Command {
    let mut command = Command::new(BuildTool::Rocker, InsertMethod::CacheId, at - 1);
    command.take(words, at, &tables::ROCKER);
    command
}

fn compose(tool: BuildTool, words: &[Word], at: usize) -> Option<Command> {
    let mut command = Command::new(tool, InsertMethod::BuildArg, 0);
    let mut items = Items::new(words, at, &tables::COMPOSE);
    let sub = command.options(words, &mut items)?;
    command.subcommand = sub;
    let options = match words[sub].text()? {
        "build" => &tables::COMPOSE_BUILD,
        "up" | "create" => &tables::COMPOSE_UP,
        "run" => &tables::COMPOSE_RUN,
        "watch" => &tables::COMPOSE_WATCH,
        _ => return None,
    };
    if words[sub].text() != Some("build") {
        command.method = InsertMethod::Environment;
        command.only_missing = words[sub].text() != Some("watch");
    }
    let mut items = Items::new(words, sub + 1, options);
    while let Some(index) = command.options(words, &mut items) {
        command.rest.push(words[index].clone());
        // Behind the service stands what runs in it.
        if words[sub].text() == Some("run") {
            break;
        }
    }
    Some(command)
}

impl Command {
    fn take(&mut self, words: &[Word], at: usize, options: &Options) {
        let mut items = Items::new(words, at, options);
        while let Some(index) = self.options(words, &mut items) {
            self.rest.push(words[index].clone());
        }
    }

    fn options(&mut self, words: &[Word], items: &mut Items<'_>) -> Option<usize> {
        loop {
            match items.next()? {
                Item::Word(index) => return Some(index),
                Item::Several(index) => self.several(words, index),
                Item::Option { name, value, index } => {
                    self.option(name, value, words[index].span);
                }
            }
        }
    }

    fn option(&mut self, name: &str, value: Option<Word>, span: Span) {
        match (self.method, name, value) {
            (InsertMethod::CacheId, "cache-id", Some(value)) => {
                self.arg(ROCKER_ARG.into(), Some(value), span);
            }
            (InsertMethod::CacheId, ..) => {}
            (InsertMethod::Set, "set", Some(value)) => self.set(&value, span),
            (_, "file" | "f", Some(value)) => self.files.push(value),
            (_, "target", Some(value)) => self.target = Some(value),
            (_, "parallel", Some(value)) => {
                self.sets.push(("COMPOSE_PARALLEL_LIMIT".into(), value));
            }
            (_, "profile", Some(value)) => self.sets.push(("COMPOSE_PROFILES".into(), value)),
            (_, "platform", Some(value)) => self.platforms.push(value),
            (_, "no-cache" | "no-cache-filter", _) if self.tool.is_buildah() => {}
            (_, "no-cache", value) => {
                let text = value.as_ref().map_or(Some("true"), Word::text);
                if text == Some("true") {
                    let stages = Vec::new();
                    self.no_cache = Some(NoCache { span, stages });
                }
            }
            // The whole of `--no-cache` counts before its parts.
            (_, "no-cache-filter", Some(value)) => {
                let of_stages = || NoCache::of_stages(value.text()?, span);
                self.no_cache = self.no_cache.take().or_else(of_stages);
            }
            (_, "jobs", value) => self.jobs = value,
            (_, "builder", Some(value)) => {
                self.builder = Some(NamedBuilder::Buildx(value.written()));
            }
            (_, "project-directory" | "workspace-folder", value) => self.folder = value,
            (_, "config", Some(value)) if self.tool == BuildTool::Devcontainer => {
                self.files.push(value);
            }
            // Of Compose, whose other commands build what is missing.
            (_, "build", value) => {
                self.only_missing = value.as_ref().and_then(Word::text) == Some("false");
            }
            (_, "no-build" | "no-up", None) => self.only_looks = true,
            (_, "build-arg-file", Some(_)) => self.args_known = false,
            (_, "build-arg", Some(value)) => match value.assignment() {
                Some((name, value)) => self.arg(name.into(), Some(value), span),
                None => self.arg(value.text().unwrap_or_default().into(), None, span),
            },
            _ => {}
        }
    }

    /// Takes a word that may be several: as the last word of `build` it is the context, where no other is.
    fn several(&mut self, words: &[Word], index: usize) {
        let word = &words[index];
        let is_rest = match self.tool {
            BuildTool::Rocker => false,
            BuildTool::Bake => true,
            tool if tool.is_compose() => self.subcommand > 0,
            _ => {
                let written = word.written().to_ascii_lowercase();
                let hints = ["arg", "opt", "flag", "param", "$@", "$*", "[@]"];
                index + 1 == words.len()
                    && self.rest.is_empty()
                    && !hints.iter().any(|hint| written.contains(hint))
            }
        };
        self.args_known &=
            is_rest && self.method == InsertMethod::BuildArg && !self.tool.is_compose();
        if is_rest {
            self.rest.push(word.clone());
        }
    }

    fn arg(&mut self, name: ArgName, value: Option<Word>, span: Span) {
        if name.is("") {
            self.args_known = false;
            return;
        }
        self.args.push(BuildArg {
            name,
            value,
            only: None,
            span,
        });
    }

    /// Takes `target.args.NAME=value` and `target.platform=value`. Other overrides pass nothing.
    fn set(&mut self, word: &Word, span: Span) {
        let Some((key, value)) = word.assignment() else {
            self.args_known &= word.text().is_some();
            return;
        };
        let (key, adds) = key
            .strip_suffix('+')
            .map_or((key, false), |key| (key, true));
        if let Some((target, name)) = key.split_once(".args.") {
            self.args.push(BuildArg {
                name: name.into(),
                value: Some(value),
                only: (target != "*").then(|| target.to_owned()),
                span,
            });
        } else if key == "*.no-cache" && value.text() == Some("true") {
            let stages = Vec::new();
            self.no_cache = Some(NoCache { span, stages });
        } else if let Some(target) = key.strip_suffix(".platform") {
            self.of_targets.push(Override {
                pattern: target.to_owned(),
                adds,
                value,
            });
        }
    }
}
