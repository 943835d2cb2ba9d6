//! `devcontainer.json`, which says what a development container is built from.
//!
//! By the *Dev Container metadata reference*: `build` has `dockerfile`, `context`, `target` and `args`; `dockerFile` and
//! `context` at the top are their old form; with `dockerComposeFile`, Compose builds `service`. Paths start from the
//! file's folder. `${localEnv:NAME:default}` is a variable of the machine that builds.

use super::format::{Around, Contents, FilePath, Format, Inserter};
use super::model::{
    Arg, Build, BuildFile, BuildTool, Files, FilesAt, ReadError, Subject, Unknown, ValueSource,
};
use super::paths;
use super::yaml::{Addition, Node, Yaml};
use crate::text::Span;

#[derive(Debug)]
pub struct Devcontainer;

impl Format for Devcontainer {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        matches!(path.name, "devcontainer.json" | ".devcontainer.json")
    }

    fn adds(&self) -> Option<Addition> {
        None
    }
}

impl Contents for Devcontainer {
    fn read_within(&'static self, source: &str, _: &Around) -> Result<BuildFile, ReadError> {
        Ok(file(&Yaml::read(&without_comments(source))?))
    }

    /// Comments stand where arguments would go: a person writes them.
    fn inserter(
        &'static self,
        _: &str,
        _: &Around,
        then: &mut dyn FnMut(Inserter<'_>),
    ) -> Result<(), ReadError> {
        then(&|_, lane| Err(by_hand(lane.arg, lane.default)));
        Ok(())
    }
}

/// Returns what to write so that the argument `arg` comes from the environment.
pub fn by_hand(arg: &str, default: &str) -> String {
    format!(
        "write `\"args\": {{\"{arg}\": \"${{localEnv:{arg}:{default}}}\"}}` into `build` of devcontainer.json, unless its Compose file hands `{arg}` on"
    )
}

/// Returns `source` with blanks for comments and tabs: JSON in brackets is YAML then, with the same places.
fn without_comments(source: &str) -> String {
    let mut text = source.as_bytes().to_vec();
    let (mut at, mut in_string) = (0, false);
    while at < text.len() {
        let rest = &text[at..];
        let len = match rest {
            [b'\\', _, ..] if in_string => {
                at += 2;
                continue;
            }
            [b'"', ..] => {
                in_string = !in_string;
                0
            }
            _ if in_string => 0,
            [b'/', b'/', ..] => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            [b'/', b'*', ..] => {
                let end = memchr::memmem::find(rest, b"*/").map(|end| end + 2);
                end.unwrap_or(rest.len())
            }
            [b'\t', ..] => 1,
            _ => 0,
        };
        for byte in text[at..at + len].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
        at += len.max(1);
    }
    String::from_utf8(text).unwrap_or_default()
}

fn file(yaml: &Yaml<'_>) -> BuildFile {
    let mut file = BuildFile::default();
    let Some(root) = yaml.root().filter(|root| root.is_map()) else {
        return file;
    };
    let entry = ["build", "dockerFile", "dockerComposeFile"];
    let mut entries = entry.iter().filter_map(|key| root.own_entry(key));
    let Some(entry) = entries.next() else {
        return file;
    };
    let span = entry.key.span();
    let built = if entry.key.text() == Some("dockerComposeFile") {
        compose(root, entry.value).map(|subject| (BuildTool::Compose, subject))
    } else {
        let named = match entry.value.text() {
            Some(text) => Some(text),
            None => entry.value.get_text("dockerfile"),
        };
        // Without a Dockerfile, `build` only has options for the image.
        let Some(named) = named else { return file };
        path(named).map(|path| (BuildTool::Devcontainer, Subject::File(path)))
    };
    match built {
        Ok((tool, subject)) => {
            let args = entry.value.get("args");
            let args = args.map(Node::own_entries).unwrap_or_default();
            file.builds.push(Build {
                target: entry.value.get_text("target").map(str::to_owned),
                args: args
                    .into_iter()
                    .filter_map(|arg| self::arg(arg.key, arg.value))
                    .collect(),
                ..Build::new(tool, "the development container", span, subject)
            });
        }
        Err(why) => file.unknown.push(Unknown { span, why }),
    }
    file
}

fn compose(root: Node<'_>, files: Node<'_>) -> Result<Subject, String> {
    let names = match files.text() {
        Some(name) => vec![name],
        None => files.items().into_iter().filter_map(Node::text).collect(),
    };
    let place = |name: &&str| path(name).map(FilesAt::File);
    Ok(Subject::Files(Files {
        paths: names.iter().map(place).collect::<Result<_, _>>()?,
        names: root
            .get_text("service")
            .map(str::to_owned)
            .into_iter()
            .collect(),
        folder: None,
    }))
}

fn path(text: &str) -> Result<String, String> {
    if text.contains("${") {
        return Err(format!("its Dockerfile is named by `{text}`"));
    }
    let outside = || format!("`{text}` is outside of the repository");
    paths::join("", text).ok_or_else(outside)
}

fn arg(name: Node<'_>, value: Node<'_>) -> Option<Arg> {
    let text = value.text()?;
    let span = Span::new(name.span().start, value.span().end);
    let variable = ["${localEnv:", "${env:"].iter().find_map(|start| {
        let (before, rest) = text.split_once(start)?;
        let (inner, behind) = rest.split_once('}')?;
        let (name, default) = inner.split_once(':').unwrap_or((inner, ""));
        Some((
            name,
            [before, "${", name, ":-", default, "}", behind].concat(),
        ))
    });
    let (from, text) = match variable {
        Some((name, text)) => (vec![name.to_owned()], text),
        None => (Vec::new(), text.to_owned()),
    };
    Some(Arg {
        from: ValueSource::Variables(from),
        ..Arg::new(name.text()?, Some(text), span)
    })
}
