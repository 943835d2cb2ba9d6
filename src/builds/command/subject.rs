//! The subject of a command: its Dockerfile, its Compose or bake files.

use super::super::model::{BuildTool, Files, FilesAt, Subject};
use super::super::paths::{self, Text};
use super::super::shell::{Values, Word};
use super::model::Command;

/// Returns what `command` builds when it runs in `folder`, with the values that `values` knows.
///
/// Without `-f`, Compose and bake look in one folder. Podman and Buildah are taken to use the context's `Dockerfile`,
/// though a `Containerfile` there goes first.
pub fn subject(
    command: &Command,
    folder: Option<&str>,
    values: &Values<'_>,
) -> Result<Subject, String> {
    let resolver = Resolver { folder, values };
    match command.tool {
        BuildTool::Rocker => Ok(Subject::Snippets),
        tool if tool.runs_others() => resolver.script(command),
        tool if tool.has_files() => resolver.files(command),
        _ => resolver.dockerfile(command).map(Subject::File),
    }
}

struct Resolver<'r> {
    folder: Option<&'r str>,
    values: &'r Values<'r>,
}

impl Resolver<'_> {
    fn dockerfile(&self, command: &Command) -> Result<String, String> {
        const REMOTE: &str = "the context is not a folder of this repository";
        let is_buildah = command.tool.is_buildah();
        // Docker takes the last; Buildah, whose list is in order, joins them: the first names the build.
        let (file, context) = if is_buildah {
            (command.files.first(), command.rest.first())
        } else {
            (command.files.last(), command.rest.last())
        };
        let is_input = |word: &Word| word.text() == Some("-");
        let input = command.input.as_ref();
        if let Some(input) = input.filter(|_| file.or(context).is_some_and(is_input)) {
            return self.path(input);
        }
        if let Some(file) = file {
            let context = context.and_then(|context| context.resolve(self.values));
            if !is_buildah && context.is_some_and(|context| paths::is_remote(&context.text)) {
                return Err(REMOTE.into());
            }
            return self.path(file);
        }
        let context = match context {
            Some(context) => self.known("context", context)?,
            None if !command.args_known => return Err("its words stand in a variable".into()),
            None if is_buildah => Text::default(),
            None => return Err("it names no context".into()),
        };
        if context.text == "-" {
            return Err("the Dockerfile comes from standard input".into());
        }
        if paths::is_remote(&context.text) {
            return Err(REMOTE.into());
        }
        self.under(&context, "Dockerfile")
    }

    fn files(&self, command: &Command) -> Result<Subject, String> {
        let files = command.files.iter().map(|file| self.path(file));
        let mut paths = files
            .map(|path| path.map(FilesAt::File))
            .collect::<Result<Vec<_>, _>>()?;
        if paths.is_empty() {
            let base = match &command.folder {
                Some(base) => self.known("project directory", base)?,
                None => Text::default(),
            };
            paths.push(FilesAt::Folder(self.under(&base, "")?));
        }
        let mut names = Vec::new();
        for word in &command.rest {
            let what = if command.tool.is_compose() {
                "service"
            } else {
                "target"
            };
            let name = self.known(what, word)?;
            if paths::is_remote(&name.text) {
                return Err("its files are not those of this repository".into());
            }
            names.push(name.text);
        }
        Ok(Subject::Files(Files {
            paths,
            names,
            folder: self.folder.map(str::to_owned),
        }))
    }

    /// Returns the Makefile or the script, with the folder in which its commands run.
    fn script(&self, command: &Command) -> Result<Subject, String> {
        let folder = match &command.folder {
            Some(folder) => self.under(&self.known("folder", folder)?, "")?,
            None => self.under(&Text::default(), "")?,
        };
        let within = Resolver {
            folder: Some(&folder),
            values: self.values,
        };
        let files = command.files.iter().map(|file| within.path(file));
        let mut paths = files
            .map(|path| path.map(FilesAt::File))
            .collect::<Result<Vec<_>, _>>()?;
        if paths.is_empty() {
            paths.push(FilesAt::Folder(folder.clone()));
        }
        let names = command.rest.iter();
        let names = names.map(|word| Ok(self.known("target", word)?.text));
        Ok(Subject::Files(Files {
            paths,
            names: names.collect::<Result<Vec<_>, String>>()?,
            folder: Some(folder),
        }))
    }

    fn path(&self, file: &Word) -> Result<String, String> {
        let path = self.known("file", file)?;
        if path.text == "-" || (!path.from_root && path.text.starts_with("/dev/")) {
            return Err("the file comes from standard input".into());
        }
        if paths::is_remote(&path.text) {
            return Err("the file is not one of this repository".into());
        }
        self.under(&path, "")
    }

    /// Returns the text of a word, without the scheme of a path on disk.
    fn known(&self, what: &str, word: &Word) -> Result<Text, String> {
        let text = word.resolve(self.values);
        let mut text = text.ok_or_else(|| format!("the {what} is `{}`", word.written()))?;
        if let Some(path) = text.text.strip_prefix("file://") {
            text.text = path.to_owned();
        }
        Ok(text)
    }

    fn under(&self, path: &Text, name: &str) -> Result<String, String> {
        if self.folder.is_none() && !path.from_root {
            return Err("the folder that it runs in is not known".into());
        }
        let outside = || format!("`{}` is outside of the repository", path.text);
        let path = path.seen_from(self.folder).ok_or_else(outside)?;
        paths::join(&path, name).ok_or_else(|| "it names no file".into())
    }
}
