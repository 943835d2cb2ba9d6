//! Compose files: the services that are built.
//!
//! By the Compose Specification (Build, Extends, Merge, Interpolation): `build` is a context or a mapping; the Dockerfile's
//! path is relative to the context; `args` is a mapping or a list, and an argument without a value takes it from the
//! environment; `extends` merges the service named below the own one, arguments by name. Variables come from the
//! environment: a path with one is taken at the default that it gives, and is unknown without one.

mod inline;
pub mod interpolate;
mod pass;
pub mod path;

use std::collections::HashSet;

use self::interpolate::interpolated;
use super::format::{FilePath, Format, Open, OpenYaml};
use super::model::{Arg, Build, BuildFile, BuildTool, ReadError, Subject, Unknown};
use super::yaml::{Entry, Node, Yaml};
use crate::budget;
use crate::text::Span;

/// Docker Compose.
#[derive(Debug)]
pub struct Compose;

impl Format for Compose {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        let words = ["compose", "docker-compose"];
        let rest = |stem| words.iter().find_map(|word| str::strip_prefix(stem, word));
        let rest = path.stem.and_then(rest);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    }

    fn read(&self, source: &str) -> Result<BuildFile, ReadError> {
        read(source)
    }

    fn open<'s>(&self, source: &'s str) -> Result<Box<dyn Open + 's>, ReadError> {
        OpenYaml::read(source, |yaml| Ok(pass::passer(yaml)))
    }
}

fn read(source: &str) -> Result<BuildFile, ReadError> {
    let starts = |word| memchr::memmem::find(source.as_bytes(), word).is_some();
    if !starts(b"build") && !starts(b"include") {
        return Ok(BuildFile::default());
    }
    Ok(of(&Yaml::read(source)?))
}

fn of(yaml: &Yaml<'_>) -> BuildFile {
    let mut wiring = BuildFile::default();
    for root in yaml.roots() {
        if let Some(include) = root.own_entry("include") {
            let why = "the Compose files that are included are not looked into".to_owned();
            wiring.unknown.push(Unknown {
                span: include.key.span(),
                why,
            });
        }
        for service in Service::all(root) {
            add(&mut wiring, yaml.source(), &service);
        }
    }
    wiring.builds.sort_by_key(|build| build.span);
    wiring
}

/// A service that is built.
struct Service<'y> {
    key: Node<'y>,
    /// Its `build`, and those of the services that it extends, the nearest first.
    builds: Vec<Entry<'y>>,
    /// Why there may be more, in another file.
    more: Option<String>,
}

impl<'y> Service<'y> {
    /// The services of a file that are, or may be, built.
    fn all(root: Node<'y>) -> Vec<Self> {
        let Some(services) = root.get("services") else {
            return Vec::new();
        };
        let services: Vec<Entry<'y>> = services
            .entries()
            .into_iter()
            .filter(|entry| !entry.is_merge())
            .collect();
        let by_name = services
            .iter()
            .filter_map(|entry| Some((entry.key.text()?, entry.value)))
            .collect();
        services
            .iter()
            .map(|entry| Self::read(*entry, &by_name))
            .filter(|service| !service.builds.is_empty() || service.more.is_some())
            .collect()
    }

    fn read(entry: Entry<'y>, services: &std::collections::HashMap<&str, Node<'y>>) -> Self {
        let mut service = Self {
            key: entry.key,
            builds: Vec::new(),
            more: None,
        };
        let mut next = Some(entry.value);
        let mut seen = HashSet::new();
        while let Some(value) = next.take().filter(|_| budget::spend(16)) {
            if let Some(build) = value.entry("build") {
                if build.value.tag() == Some("!reset") {
                    break;
                }
                if !build.value.is_null() {
                    service.builds.push(build);
                }
                if build.value.tag() == Some("!override") {
                    break;
                }
            }
            let Some(extends) = value.get("extends") else {
                break;
            };
            if extends.is_map() && extends.get("file").is_some() {
                service.more = Some("it extends a service of another file".to_owned());
                break;
            }
            let name = extends.text().or_else(|| extends.get_text("service"));
            // One that extends itself, which Compose refuses, gives nothing more.
            let name = name.filter(|name| seen.insert(*name));
            next = name.and_then(|name| services.get(name).copied());
        }
        service
    }

    fn name(&self) -> String {
        format!("service `{}`", self.key.text().unwrap_or_default())
    }

    /// The value of `build` for `key`, the nearest one's.
    fn get(&self, key: &str) -> Option<Node<'y>> {
        self.builds
            .iter()
            .find_map(|build| match build.value.text() {
                Some(_) => (key == "context").then_some(build.value),
                None => build.value.get(key).filter(|value| !value.is_null()),
            })
    }

    /// Its arguments, and whether these are all.
    fn args(&self) -> (Vec<Arg>, bool) {
        let (mut args, mut seen) = (Vec::new(), HashSet::new());
        let mut known = self.more.is_none();
        for node in self
            .builds
            .iter()
            .filter_map(|build| build.value.get("args"))
        {
            if node.tag() == Some("!reset") {
                break;
            }
            known &= node.is_null() || node.is_map() || node.is_list();
            for arg in args_of(node) {
                match arg {
                    Some(arg) if seen.insert(arg.name.clone()) => args.push(arg),
                    Some(_) => {}
                    None => known = false,
                }
            }
            if node.tag() == Some("!override") {
                break;
            }
        }
        (args, known)
    }
}

/// The arguments of an `args`, `None` for each that cannot be known.
fn args_of(node: Node<'_>) -> Vec<Option<Arg>> {
    let known = |name: &str| !name.is_empty() && !name.contains('$');
    let of_list = node.items().into_iter().map(|item| {
        let (name, value) = item
            .text()?
            .split_once('=')
            .map_or((item.text()?, None), |(name, value)| (name, Some(value)));
        known(name).then(|| arg(name, value, item.span()))
    });
    let of_map = node.entries().into_iter().map(|entry| {
        let (name, value) = (entry.key.text()?, entry.value);
        let span = Span::new(
            entry.key.span().start,
            value.span().end.max(entry.key.span().end),
        );
        let text = value.text().filter(|_| !value.is_null());
        known(name).then(|| arg(name, text, span))
    });
    of_list.chain(of_map).collect()
}

/// An argument; without a value it takes that of its own name in the environment.
fn arg(name: &str, value: Option<&str>, span: Span) -> Arg {
    let from = value.map_or_else(|| vec![name.to_owned()], interpolate::variables);
    Arg {
        name: name.to_owned(),
        value: value.map(str::to_owned),
        span,
        from,
    }
}

fn add(wiring: &mut BuildFile, source: &str, service: &Service<'_>) {
    let span = service.key.span();
    let what = match what(wiring, source, service) {
        Ok(what) => what,
        Err(why) => {
            wiring.unknown.push(Unknown {
                span,
                why: format!("{}: {why}", service.name()),
            });
            return;
        }
    };
    let (args, args_known) = service.args();
    if !Arg::pay(args.len()) {
        return;
    }
    let whole = ["context", "dockerfile", "dockerfile_inline"]
        .iter()
        .any(|key| service.get(key).is_some());
    wiring.builds.push(Build {
        target: service
            .get("target")
            .and_then(Node::text)
            .and_then(|text| interpolated(text).ok()),
        args,
        args_known,
        service: service.key.text().map(|name| super::model::Service {
            name: name.to_owned(),
            partial: !whole,
        }),
        ..Build::new(BuildTool::Compose, service.name(), span, what)
    });
}

fn what(wiring: &mut BuildFile, source: &str, service: &Service<'_>) -> Result<Subject, String> {
    let text = |key: &str, otherwise: &str| match service.get(key) {
        None => service
            .more
            .clone()
            .map_or_else(|| Ok(otherwise.to_owned()), Err),
        Some(node) => {
            let text = node
                .text()
                .ok_or_else(|| format!("its `{key}` is no text"))?;
            interpolated(text)
                .map_err(|name| format!("its `{key}` is named by the variable `{name}`"))
        }
    };
    if service.builds.is_empty() {
        return Err(service.more.clone().unwrap_or_default());
    }
    if let Some(node) = service.get("dockerfile_inline") {
        let made = inline::read(source, node).ok_or("its `dockerfile_inline` is no text")?;
        let index = wiring
            .inline
            .iter()
            .position(|other| other.span == made.span);
        return Ok(Subject::Inline(index.unwrap_or_else(|| {
            wiring.inline.push(made);
            wiring.inline.len() - 1
        })));
    }
    // A name that another file may give is not the usual one.
    let named = service.get("dockerfile").is_some() || service.more.is_none();
    let dockerfile = if named {
        text("dockerfile", "Dockerfile")?
    } else {
        return Err(service.more.clone().unwrap_or_default());
    };
    path::dockerfile(&text("context", ".")?, &dockerfile).map(Subject::File)
}

#[cfg(test)]
mod tests;
