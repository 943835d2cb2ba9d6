//! The actions that build, by their inputs.
//!
//! Relied on, from the actions' own documentation: without `context`, `build-push-action` takes the repository at the
//! commit that the job runs for, and `{{defaultContext}}:folder` a folder of that; `file` is relative to the workspace, but
//! with a Git context to that context; lists are split at line ends, and with `bake-action` at commas, except `set`.

use super::super::model::{Arg, BuildTool, Files, Place, Subject, Unknown};
use super::super::shell::{ROOT, is_name, join};
use super::super::yaml::Node;
use super::expression::Scope;
use super::step::{Draft, Drafted, Kind};
use super::{Job, paths};
use crate::text::Span;

/// What stands for the repository at the job's commit.
const DEFAULT_CONTEXT: &str = "{{defaultContext}}";

/// Which of the actions `uses` names, whoever has forked it.
pub(super) fn action(uses: &str) -> Option<BuildTool> {
    // `docker/bake-action/subaction/…` builds nothing.
    let (_, name) = uses.split('@').next()?.split_once('/')?;
    match name {
        "build-push-action" => Some(BuildTool::BuildPushAction),
        "bake-action" => Some(BuildTool::BakeAction),
        _ => None,
    }
}

/// What the step builds.
pub(super) fn draft<'y>(
    step: Node<'y>,
    uses: Node<'y>,
    job: &Job<'y>,
    scope: &Scope<'_, 'y>,
) -> Option<Drafted<'y>> {
    let name = uses.text()?;
    let tool = action(name)?;
    let inputs = Inputs {
        with: step.get("with"),
        scope,
    };
    let is_first = |version: &str| version == "v1" || version.starts_with("v1.");
    let old = name
        .strip_prefix("docker/build-push-action@")
        .is_some_and(is_first);
    let subject = match tool {
        BuildTool::BakeAction => inputs.bake(job),
        _ => inputs.dockerfile(job, old),
    };
    let span = uses.span();
    let subject = match subject {
        Ok(subject) => subject,
        Err(why) => return Some(Drafted::Unknown(Unknown { span, why })),
    };
    let (args, args_known) = match tool {
        BuildTool::BakeAction => inputs.args("set", |line| {
            let (key, value) = line.split_once('=')?;
            Some((
                key.trim_end_matches('+').split_once(".args.")?.1,
                Some(value),
            ))
        }),
        _ => inputs.args(if old { "build_args" } else { "build-args" }, |line| {
            Some(
                line.split_once('=')
                    .map_or((line, None), |(name, value)| (name, Some(value))),
            )
        }),
    };
    let target = inputs.text("target").and_then(|target| scope.known(target));
    let target = target.filter(|target| tool == BuildTool::BuildPushAction && !target.is_empty());
    let kind = if tool == BuildTool::BakeAction {
        Kind::Bake
    } else {
        Kind::Push { old }
    };
    Some(Drafted::Build(Draft {
        tool,
        span,
        subject,
        target,
        args,
        args_known,
        env: Vec::new(),
        kind,
    }))
}

struct Inputs<'s, 'y> {
    with: Option<Node<'y>>,
    scope: &'s Scope<'s, 'y>,
}

impl<'y> Inputs<'_, 'y> {
    fn text(&self, name: &str) -> Option<&'y str> {
        self.with?
            .get_text(name)
            .filter(|text| !text.trim().is_empty())
    }

    /// The value of an input, `None` where it is not given, an error where it is not known.
    fn known(&self, name: &str) -> Result<Option<String>, String> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let known = self
            .scope
            .known(text)
            .ok_or_else(|| format!("its `{name}` is `{}`", text.trim()))?;
        Ok(Some(known.trim().to_owned()).filter(|known| !known.is_empty()))
    }

    fn dockerfile(&self, job: &Job<'y>, old: bool) -> Result<Subject, String> {
        let (context, file) = if old {
            ("path", "dockerfile")
        } else {
            ("context", "file")
        };
        let file = self.known(file)?;
        let context = match (self.known(context), &file) {
            (Ok(context), _) => context.or_else(|| old.then(|| ".".into())),
            // A file of the workspace, whatever is sent with it.
            (Err(_), Some(_)) => Some(".".into()),
            (Err(why), None) => return Err(why),
        };
        let of_git = match context.as_deref() {
            None => Some(""),
            Some(context) => context
                .strip_prefix(DEFAULT_CONTEXT)
                .map(|folder| folder.trim_start_matches(':')),
        };
        if let Some(folder) = of_git {
            let folder = under("", folder)?;
            return under(&folder, file.as_deref().unwrap_or("Dockerfile")).map(Subject::File);
        }
        let context = context.unwrap_or_default();
        if context.contains("://")
            || context.starts_with("git@")
            || context.contains("{{")
            || context == "-"
        {
            return Err(format!("its context is `{context}`"));
        }
        let path = match &file {
            Some(file) => under("", file)?,
            None => under(&under("", &context)?, "Dockerfile")?,
        };
        paths::placed(Subject::File(path), &job.checkouts)
    }

    fn bake(&self, job: &Job<'y>) -> Result<Subject, String> {
        let source = self.known("source")?;
        let folder = self.known("workdir")?.unwrap_or_default();
        let base = match source.as_deref() {
            None => String::new(),
            Some(source) => match source.strip_prefix(DEFAULT_CONTEXT) {
                Some(folder) => folder.trim_start_matches(':').to_owned(),
                None if source.contains("://") || source.contains("{{") => {
                    return Err(format!("its source is `{source}`"));
                }
                None => source.to_owned(),
            },
        };
        let folder = under(&under("", &base)?, &folder)?;
        let mut files = Vec::new();
        for file in list(&self.known("files")?.unwrap_or_default()) {
            if file.contains("://") {
                return Err(format!("it takes the file `{file}`"));
            }
            files.push(Place::File(under(&folder, file)?));
        }
        if files.is_empty() {
            files.push(Place::Folder(folder.clone()));
        }
        let targets = self
            .known("targets")?
            .or(self.known("target")?)
            .unwrap_or_default();
        let files = Files {
            paths: files,
            names: list(&targets).map(str::to_owned).collect(),
            folder: Some(folder),
        };
        paths::placed(Subject::Files(files), &job.checkouts)
    }

    /// The build arguments among the lines of an input, and whether these are all.
    fn args<'t>(
        &self,
        name: &str,
        read: impl Fn(&'t str) -> Option<(&'t str, Option<&'t str>)>,
    ) -> (Vec<Arg>, bool)
    where
        'y: 't,
    {
        let Some(node) = self.with.and_then(|with| with.get(name)) else {
            return (Vec::new(), true);
        };
        let text: &'y str = node.text().unwrap_or_default();
        let map = node.map();
        let (mut args, mut all) = (Vec::new(), true);
        let mut at = 0;
        for raw in text.split('\n') {
            let line = raw.trim();
            let start = at + (raw.len() - raw.trim_start().len());
            at += raw.len() + 1;
            let line = line
                .strip_prefix('"')
                .and_then(|line| line.strip_suffix('"'))
                .unwrap_or(line);
            let Some((name, value)) = read(line) else {
                all &= !line.starts_with("${{");
                continue;
            };
            let name = name.trim();
            if !is_name(name) {
                all &= !name.contains("${{");
                continue;
            }
            let span = map.exact(Span::new(start, start + line.len().max(1)));
            let value = value.map(|value| self.scope.written(value));
            let value = value.or_else(|| self.scope.variable(name).map(str::to_owned));
            args.push(Arg::new(name, value, span.unwrap_or_else(|| node.span())));
        }
        (args, all)
    }
}

/// The entries of a list that is split at commas and line ends.
fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', ','])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

fn under(folder: &str, path: &str) -> Result<String, String> {
    let path = join(folder, path);
    path.ok_or_else(|| "a path of it is outside of the repository".to_owned())
        .map(|path| path.replace(ROOT, ""))
}
