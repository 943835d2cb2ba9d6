//! What a command builds: the paths of its Dockerfile, its Compose or bake files.

use super::super::model::{BuildTool, Files, Place, Subject};
use super::super::shell::{Values, Word, join};
use super::Command;

/// What starts a context that is no folder.
const REMOTE: &[&str] = &[
    "http://",
    "https://",
    "git://",
    "git@",
    "ssh://",
    "github.com/",
    "oci://",
    "docker-image://",
];

/// What `command` builds when it runs in `folder`, with what `values` knows put in.
///
/// For Compose and bake without `-f`, the one place is the folder where they look for their files. For Podman and Buildah without `-f` it is the `Dockerfile` of the context, though a
/// `Containerfile` there goes first.
///
/// # Errors
/// Why nothing can be said, for people.
pub fn what(
    command: &Command,
    folder: Option<&str>,
    values: &Values<'_>,
) -> Result<Subject, String> {
    match command.front {
        BuildTool::Devcontainer => Err("its Dockerfile is named in devcontainer.json".into()),
        BuildTool::Rocker => Err("rocker writes the Dockerfile itself".into()),
        BuildTool::Bake | BuildTool::BakeAction | BuildTool::Compose => {
            files(command, folder, values)
        }
        _ => dockerfile(command, folder, values),
    }
}

fn dockerfile(
    command: &Command,
    folder: Option<&str>,
    values: &Values<'_>,
) -> Result<Subject, String> {
    match command.files.as_slice() {
        [] => {}
        // Docker takes the last; Buildah, whose they are in order, joins them: the first says what is built.
        [file, ..] if command.front.is_buildah() => {
            return path(file, folder, values);
        }
        [.., file] => {
            let context = command
                .rest
                .last()
                .and_then(|context| context.resolve(values))
                .unwrap_or_default();
            if is_remote(&context) {
                return Err("the context is not a folder of this repository".into());
            }
            return path(file, folder, values);
        }
    }
    let buildah = command.front.is_buildah();
    let Some(context) = command.rest.last() else {
        if !command.args_known {
            return Err("its words stand in a variable".into());
        }
        if !buildah {
            return Err("it names no context".into());
        }
        return under(folder, "", "Dockerfile");
    };
    let context = if buildah {
        command.rest.first().unwrap_or(context)
    } else {
        context
    };
    let known = context
        .resolve(values)
        .ok_or_else(|| unknown("context", context))?;
    if known == "-" {
        return Err("the Dockerfile comes from standard input".into());
    }
    if is_remote(&known) {
        return Err("the context is not a folder of this repository".into());
    }
    under(folder, &known, "Dockerfile")
}

fn files(command: &Command, folder: Option<&str>, values: &Values<'_>) -> Result<Subject, String> {
    let mut paths = Vec::new();
    for file in &command.files {
        match path(file, folder, values)? {
            Subject::File(path) => paths.push(Place::File(path)),
            other => return Ok(other),
        }
    }
    if paths.is_empty() {
        let base = match &command.folder {
            Some(base) => base
                .resolve(values)
                .ok_or_else(|| unknown("project directory", base))?,
            None => String::new(),
        };
        let Subject::File(base) = under(folder, &base, "")? else {
            return Err("it names no file".into());
        };
        paths.push(Place::Folder(base));
    }
    let mut names = Vec::new();
    for word in &command.rest {
        let name = word
            .resolve(values)
            .ok_or_else(|| unknown("target", word))?;
        if is_remote(&name) {
            return Err("its files are not those of this repository".into());
        }
        names.push(name);
    }
    Ok(Subject::Files(Files {
        paths,
        names,
        folder: folder.map(str::to_owned),
    }))
}

fn path(file: &Word, folder: Option<&str>, values: &Values<'_>) -> Result<Subject, String> {
    let known = file.resolve(values).ok_or_else(|| unknown("file", file))?;
    if known == "-" || known.starts_with("/dev/") {
        return Err("the file comes from standard input".into());
    }
    if is_remote(&known) {
        return Err("the file is not one of this repository".into());
    }
    under(folder, &known, "")
}

/// `name` in `path`, seen from `folder`.
fn under(folder: Option<&str>, path: &str, name: &str) -> Result<Subject, String> {
    let folder = match folder {
        Some(folder) => folder,
        None if path.starts_with(super::shell::ROOT) => "",
        None => return Err("the folder that it runs in is not known".into()),
    };
    let path = path.strip_prefix("file://").unwrap_or(path);
    let path =
        join(folder, path).ok_or_else(|| format!("`{path}` is outside of the repository"))?;
    join(&path, name)
        .map(Subject::File)
        .ok_or_else(|| "it names no file".into())
}

fn is_remote(text: &str) -> bool {
    REMOTE.iter().any(|start| text.starts_with(start)) || text.contains(".git#")
}

fn unknown(what: &str, word: &Word) -> String {
    format!("the {what} is `{}`", word.written())
}
