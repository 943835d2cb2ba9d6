//! The actions that build, by their inputs.
//!
//! By the actions' own documentation: without `context`, `build-push-action` takes the repository at the commit that
//! the job runs for, and `{{defaultContext}}:folder` a folder of that; `file` is relative to the workspace, but with a
//! Git context to that context; lists are split at line ends, and with `bake-action` at commas, except `set`. The files of
//! `buildah-build` are relative to the workspace.

use super::runner;
use crate::builds::builder::{Builder, Change, Create, NamedBuilder, OwnBuilder};
use crate::builds::command::{self, Command};
use crate::builds::jobs::{Step, StepScope, by_inputs};
use crate::builds::model::{Arg, Build, BuildTool, Files, FilesAt, NoCache, Subject};
use crate::builds::paths::Text;
use crate::builds::platforms::{OfTargets, PlatformText, Platforms};
use crate::builds::shell::{self, Dialect, Lookup, Word};
use crate::builds::yaml::Node;
use crate::text::marks::SAME;
use crate::text::{Span, is_name};

/// Docker's own workflows; the contexts of their inputs are folders of the repository, from which all paths start.
const BUILDER: &str = "docker/github-builder";

/// The repository at the job's commit.
const DEFAULT_CONTEXT: &str = "{{defaultContext}}";

/// Returns the tool of the action `uses`.
pub fn tool(uses: &str) -> Option<BuildTool> {
    let whole = name(uses);
    // These are workflows, which a job uses; what others call so may have other inputs.
    if let Some(workflow) = whole.strip_prefix(BUILDER) {
        return match workflow {
            "/.github/workflows/build.yml" => Some(BuildTool::BuildPushAction),
            "/.github/workflows/bake.yml" => Some(BuildTool::BakeAction),
            _ => None,
        };
    }
    // `docker/bake-action/subaction/…` builds nothing.
    let (_, name) = whole.split_once('/')?;
    match name {
        "ci" if whole == "devcontainers/ci" => Some(BuildTool::Devcontainer),
        "build-push-action" => Some(BuildTool::BuildPushAction),
        "bake-action" => Some(BuildTool::BakeAction),
        "buildah-build" => Some(BuildTool::Buildah),
        _ => None,
    }
}

fn name(uses: &str) -> &str {
    uses.split('@').next().unwrap_or_default()
}

/// Returns the change of builders that the action `uses` makes, the one of `step`.
pub fn change(step: Node<'_>, uses: &str) -> Option<Change> {
    match name(uses) {
        "depot/use-action" | "namespacelabs/nscloud-setup-buildx-action" => {
            return Some(Change::Service);
        }
        name if name.ends_with("/setup-buildx-action") => {}
        _ => return None,
    }
    let input = |name: &str| {
        let text = step.get("with")?.get_text(name)?;
        (!text.trim().is_empty()).then(|| text.to_owned())
    };
    let output = |id: &str| format!("steps.{id}.outputs.name");
    Some(Change::Create(Create {
        by: "docker/setup-buildx-action",
        name: input("name"),
        output: step.get_text("id").map(output),
        driver: input("driver"),
        endpoint: input("endpoint"),
        is_chosen: input("use").is_none_or(|text| text != "false"),
        is_installed: input("install").is_some_and(|text| text == "true"),
    }))
}

/// Returns whether `uses` names version 1 of `build-push-action`, which has other inputs and takes no cache mounts.
pub fn is_old(uses: &str) -> bool {
    let version = uses.strip_prefix("docker/build-push-action@");
    version.is_some_and(|version| version == "v1" || version.starts_with("v1."))
}

pub fn build(
    step: &Step<'_, '_>,
    uses: Node<'_>,
    scope: &StepScope<'_>,
    in_repository: &dyn Fn(Subject) -> Result<Subject, String>,
) -> Option<Result<Build, String>> {
    let name = uses.text()?;
    let tool = tool(name)?;
    let old = is_old(name);
    let inputs = Inputs {
        with: step.node?.get("with"),
        scope,
        in_repository,
    };
    let subject = match tool {
        BuildTool::BakeAction => inputs.bake(),
        BuildTool::Devcontainer => inputs.devcontainer(),
        BuildTool::Buildah => inputs.containerfile()?,
        _ if name.starts_with(BUILDER) => inputs.dockerfile_below(),
        _ => inputs.dockerfile(old).or_else(|why| {
            let scope = &scope.with_inputs();
            by_inputs(Inputs { scope, ..inputs }.dockerfiles(old), why)
        }),
    };
    let platforms = inputs.platforms(name, tool);
    let (mut args, mut args_known) = inputs.args(match tool {
        BuildTool::BakeAction => "set",
        _ if old => "build_args",
        _ => "build-args",
    });
    let target = inputs.text("target").filter(|_| !tool.is_bake());
    let mut target = target.and_then(|target| scope.filled(target)?.plain());
    if let Some(words) = inputs.text("extra-args").filter(|_| tool.is_buildah()) {
        let command = extra(words)?;
        args_known &= command.args_known && command.rest.is_empty();
        target = command
            .target
            .as_ref()
            .and_then(Word::text)
            .map(str::to_owned);
        args.extend(command.args.into_iter().map(|arg| {
            let value = arg.value.map(|value| value.written());
            Arg::new(arg.name, value, uses.span())
        }));
    }
    Some(subject.map(|subject| Build {
        target: target.filter(|target| !target.is_empty()),
        platforms,
        platform_texts: inputs.platform_texts(tool),
        args,
        args_known,
        env: scope.env.before(&step.handed),
        builder: inputs.builder(step, tool, name),
        no_cache: inputs.no_cache().filter(|_| !tool.is_buildah()),
        ..Build::new(tool, &step.title, uses.span(), subject)
    }))
}

/// Returns the command that Buildah's action runs with its `extra-args`.
fn extra(words: &str) -> Option<Command> {
    let script = format!("buildah build {}", words.replace('\n', " "));
    let simple = shell::read(&script, None, Dialect::Posix, &|_| None);
    command::read(&simple.first()?.words)
}

#[derive(Clone, Copy)]
struct Inputs<'s, 'y> {
    with: Option<Node<'y>>,
    scope: &'s StepScope<'s>,
    in_repository: &'s dyn Fn(Subject) -> Result<Subject, String>,
}

impl<'y> Inputs<'_, 'y> {
    fn text(&self, name: &str) -> Option<&'y str> {
        let text = self.with?.get_text(name)?;
        (!text.trim().is_empty()).then_some(text)
    }

    /// Returns the builder that the action `uses` uses.
    fn builder(&self, step: &Step<'_, '_>, tool: BuildTool, uses: &str) -> Builder {
        // Its jobs make builders, on whatever machine.
        if uses.starts_with(BUILDER) {
            return Builder::Own(OwnBuilder::Made(BUILDER));
        }
        let named = if uses.starts_with("depot/") {
            Some(NamedBuilder::Service)
        } else {
            let name = self.text("builder").map(|name| self.scope.resolved(name));
            name.map(NamedBuilder::Buildx)
        };
        let env = |name: &str| {
            let value = step.variable(name)?.value.as_deref()?;
            Some(self.scope.resolved(value))
        };
        step.builders.used(tool, named.as_ref(), &env)
    }

    fn no_cache(&self) -> Option<NoCache> {
        let input = |name: &str| {
            let node = self.with?.get(name)?;
            let text = self.scope.filled(node.text()?)?.plain()?;
            Some((text.trim().to_owned(), node.span()))
        };
        match input("no-cache") {
            Some((text, span)) if text == "true" => {
                let stages = Vec::new();
                Some(NoCache { span, stages })
            }
            _ => {
                let (stages, span) = input("no-cache-filters")?;
                NoCache::of_stages(&stages.replace('\n', ","), span)
            }
        }
    }

    fn known(&self, name: &str) -> Result<Option<Text>, String> {
        let text = self.text(name);
        let known = text.map(|text| self.filled(name, text)).transpose()?;
        Ok(known.filter(|known| !known.is_empty()))
    }

    fn filled(&self, name: &str, text: &str) -> Result<Text, String> {
        let known = self.scope.filled(text);
        let whole = self.text(name).unwrap_or_default().trim();
        let mut known = known.ok_or_else(|| format!("its `{name}` is `{whole}`"))?;
        known.text = known.text.trim().to_owned();
        Ok(known)
    }

    /// Returns the entries of a list, which are split at commas and line ends, as are the values in them.
    fn list(&self, name: &str) -> Result<Vec<Text>, String> {
        let mut all = Vec::new();
        // The bake file that `docker/metadata-action` writes has tags and labels.
        let is_metadata = |entry: &&str| entry.contains(".outputs.bake-file");
        let all_entries = entries(self.text(name).unwrap_or_default());
        for entry in all_entries.filter(|entry| !is_metadata(entry)) {
            let known = self.filled(name, entry)?;
            all.extend(entries(&known.text).enumerate().map(|(at, text)| Text {
                from_root: known.from_root && at == 0,
                text: text.to_owned(),
            }));
        }
        Ok(all)
    }

    fn dockerfile(&self, old: bool) -> Result<Subject, String> {
        let file = self.known(if old { "dockerfile" } else { "file" })?;
        let context = match (self.context(old), &file) {
            (Ok(context), _) => context,
            // A file of the workspace, with any context.
            (Err(_), Some(_)) => Some(".".into()),
            (Err(why), None) => return Err(why),
        };
        self.dockerfile_of(context, file)
    }

    fn context(&self, old: bool) -> Result<Option<Text>, String> {
        let context = self.known(if old { "path" } else { "context" })?;
        Ok(context.or_else(|| old.then(|| ".".into())))
    }

    /// Returns the Dockerfile that it is given, and behind it, where that may be none, the one that it looks for.
    fn dockerfiles(&self, old: bool) -> Vec<Subject> {
        let file = self.known(if old { "dockerfile" } else { "file" });
        let is_open = matches!(&file, Ok(Some(file)) if file.text.contains(SAME));
        let default = || self.dockerfile_of(self.context(old)?, None);
        let default = is_open.then(default);
        let all = [Some(self.dockerfile(old)), default];
        all.into_iter().flatten().filter_map(Result::ok).collect()
    }

    fn dockerfile_of(&self, context: Option<Text>, file: Option<Text>) -> Result<Subject, String> {
        let of_git = match &context {
            None => Some(""),
            Some(context) => context.text.strip_prefix(DEFAULT_CONTEXT),
        };
        if let Some(folder) = of_git {
            let folder = under("", &folder.trim_start_matches(':').into())?;
            return under(&folder, &file.unwrap_or("Dockerfile".into())).map(Subject::File);
        }
        let context = context.unwrap_or_default();
        let text = &context.text;
        let elsewhere = ["://", "{{"].iter().any(|sign| text.contains(sign));
        if elsewhere || text.starts_with("git@") || text == "-" {
            return Err(format!("its context is `{text}`"));
        }
        let path = match &file {
            Some(file) => under("", file)?,
            None => under(&under("", &context)?, &"Dockerfile".into())?,
        };
        (self.in_repository)(Subject::File(path))
    }

    /// Returns the subject of Buildah's action, which joins several files: the first names the build. `None` where it
    /// builds without one.
    fn containerfile(&self) -> Option<Result<Subject, String>> {
        let names = ["containerfiles", "dockerfiles"];
        let name = names.into_iter().find(|name| self.text(name).is_some())?;
        let mut lines = self.text(name)?.lines().map(str::trim);
        let first = lines.find(|line| !line.is_empty())?;
        let file = self.filled(name, first).and_then(|file| under("", &file));
        Some(file.and_then(|file| (self.in_repository)(Subject::File(file))))
    }

    fn dockerfile_below(&self) -> Result<Subject, String> {
        let folder = under("", &self.known("context")?.unwrap_or_default())?;
        let file = self.known("file")?.unwrap_or("Dockerfile".into());
        under(&folder, &file).map(Subject::File)
    }

    fn devcontainer(&self) -> Result<Subject, String> {
        let place = match self.known("configFile")? {
            Some(file) => FilesAt::File(under("", &file)?),
            None => FilesAt::Folder(under("", &self.known("subFolder")?.unwrap_or_default())?),
        };
        (self.in_repository)(Subject::Files(Files {
            paths: vec![place],
            names: Vec::new(),
            folder: None,
        }))
    }

    fn bake(&self) -> Result<Subject, String> {
        let source = self.known("source")?.or(self.known("context")?);
        let source = source.unwrap_or_default();
        let folder = self.known("workdir")?.unwrap_or_default();
        let text = &source.text;
        let base = match text.strip_prefix(DEFAULT_CONTEXT) {
            Some(folder) => folder.trim_start_matches(':').into(),
            None if text.contains("://") || text.contains("{{") => {
                return Err(format!("its source is `{text}`"));
            }
            None => source,
        };
        let folder = under(&under("", &base)?, &folder)?;
        let mut paths = Vec::new();
        for file in self.list("files")? {
            if file.text.contains("://") {
                return Err(format!("it takes the file `{}`", file.text));
            }
            paths.push(FilesAt::File(under(&folder, &file)?));
        }
        if paths.is_empty() {
            paths.push(FilesAt::Folder(folder.clone()));
        }
        let (mut names, others) = (self.list("targets")?, self.list("target")?);
        if names.is_empty() {
            names = others;
        }
        let names = names.into_iter().map(|name| name.text).collect();
        let folder = Some(folder);
        (self.in_repository)(Subject::Files(Files {
            paths,
            names,
            folder,
        }))
    }

    /// Returns the platforms that the action `uses` is given for one build.
    fn platforms(&self, uses: &str, tool: BuildTool) -> Platforms {
        let steps = self.with.and_then(|with| with.parent()?.parent());
        let steps = steps.map(Node::items).unwrap_or_default();
        // Each platform is built on a machine of its own, or by Buildah, one after the other for all one knows.
        if uses.starts_with("depot/")
            || uses.starts_with(BUILDER)
            || tool.is_buildah()
            || steps.into_iter().any(has_several_nodes)
        {
            return Platforms::Unknown;
        }
        let value = |text: &str| {
            let value = self.scope.filled(text).and_then(Text::plain);
            let root = std::iter::successors(self.with, |node| node.parent()).last();
            let choices = || runner::chosen(text, self.scope.job, root);
            Platforms::one_of(value, std::iter::once_with(choices).flatten())
        };
        if tool != BuildTool::BakeAction {
            return self.text("platforms").map_or(Platforms::Unnamed, value);
        }
        let of_targets = self.platform_texts(tool).into_iter().map(|one| OfTargets {
            platforms: value(&one.text),
            pattern: one.pattern,
            adds: one.adds,
        });
        Platforms::OfTargets(of_targets.collect())
    }

    /// Returns the platforms that the action is given, as written.
    fn platform_texts(&self, tool: BuildTool) -> Vec<PlatformText> {
        let written = |text: &str| {
            let variable = self.scope.written(Lookup::Expression(text));
            variable.unwrap_or_else(|| text.to_owned())
        };
        if tool != BuildTool::BakeAction {
            let all = self.text("platforms").into_iter();
            return all
                .map(|text| PlatformText::of_all(written(text)))
                .collect();
        }
        let mut of_targets = Vec::new();
        for line in self.text("set").unwrap_or_default().lines() {
            let pair = line.trim().trim_matches('"').split_once('=');
            let Some((key, list)) = pair else { continue };
            let (key, adds) = key
                .strip_suffix('+')
                .map_or((key, false), |key| (key, true));
            if let Some(pattern) = key.strip_suffix(".platform") {
                of_targets.push(PlatformText {
                    pattern: pattern.to_owned(),
                    adds,
                    text: written(list),
                });
            }
        }
        of_targets
    }

    /// Returns the build arguments among the lines of an input, and whether these are all.
    fn args(&self, input: &str) -> (Vec<Arg>, bool) {
        let Some(node) = self.with.and_then(|with| with.get(input)) else {
            return (Vec::new(), true);
        };
        let map = node.map();
        let (mut args, mut all) = (Vec::new(), true);
        let mut at = 0;
        for raw in node.text().unwrap_or_default().split('\n') {
            let line = raw.trim();
            let start = at + (raw.len() - raw.trim_start().len());
            at += raw.len() + 1;
            let inner = line
                .strip_prefix('"')
                .and_then(|line| line.strip_suffix('"'));
            let line = inner.unwrap_or(line);
            let pair = line.split_once('=');
            let (mut name, value) = pair.map_or((line, None), |(name, value)| (name, Some(value)));
            if input == "set" {
                let of_target = name.trim_end_matches('+').split_once(".args.");
                let Some((_, of_target)) = value.and(of_target) else {
                    all &= !line.starts_with("${{");
                    continue;
                };
                name = of_target;
            }
            let name = name.trim();
            if !is_name(name) {
                all &= !name.contains("${{");
                continue;
            }
            let span = map.exact(Span::new(start, start + line.len().max(1)));
            let written = |value: &str| {
                let variable = self.scope.written(Lookup::Expression(value));
                variable.unwrap_or_else(|| value.to_owned())
            };
            let value = value.map(written);
            let value = value.or_else(|| self.scope.written(Lookup::Variable(name)));
            args.push(Arg::new(name, value, span.unwrap_or_else(|| node.span())));
        }
        (args, all)
    }
}

/// Returns whether `step` sets up a builder with a node for each of several platforms.
fn has_several_nodes(step: Node<'_>) -> bool {
    let uses = step.get_text("uses").unwrap_or_default();
    let with = |name: &str| step.get("with")?.get_text(name);
    uses.contains("nscloud-setup-buildx")
        || uses.contains("setup-buildx-action")
            && (with("append").is_some() || with("driver") == Some("cloud"))
}

/// Splits a list at commas and line ends.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', ','])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

fn under(folder: &str, path: &Text) -> Result<String, String> {
    let path = path.seen_from(Some(folder));
    path.ok_or_else(|| "a path of it is outside of the repository".to_owned())
}
