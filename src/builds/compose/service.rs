//! The services of a Compose file, and their builds.

use std::collections::{HashMap, HashSet};

use super::inline;
use super::interpolate::{interpolated, variables};
use super::variables::Variables;
use crate::budget;
use crate::builds::model::{
    self, Arg, Build, BuildFile, BuildTool, Extended, NoCache, Source, Subject, Unknown,
    ValueSource,
};
use crate::builds::paths;
use crate::builds::platforms::Platforms;
use crate::builds::yaml::{Entry, Node, Yaml};
use crate::text::Span;

pub(super) fn builds(yaml: &Yaml<'_>, known: &Variables) -> BuildFile {
    let mut file = BuildFile::default();
    for root in yaml.roots() {
        if let Some(include) = root.own_entry("include") {
            let span = include.key.span();
            for item in include.value.items() {
                match included(item, span, known) {
                    Ok(sources) => file.sources.extend(sources),
                    Err(why) => file.unknown.push(Unknown { span, why }),
                }
            }
        }
        for service in Service::all(root) {
            if budget::is_spent() {
                break;
            }
            service.add_to(&mut file, yaml.source(), known);
        }
    }
    file.builds.sort_by_key(|build| build.span);
    file
}

pub(super) struct Service<'y> {
    pub(super) key: Node<'y>,
    /// The `build` of the service, and those of the services that it extends, the nearest first.
    pub(super) builds: Vec<Entry<'y>>,
    /// The reason why another file may add to it.
    more: Option<String>,
    /// The file with the service that it extends, and the name there.
    extended: Option<(&'y str, &'y str)>,
    profiles: Vec<String>,
}

impl<'y> Service<'y> {
    pub(super) fn all(root: Node<'y>) -> Vec<Self> {
        let services = root.get("services").map(Node::entries);
        let services = services.into_iter().flatten();
        let by_name = services
            .clone()
            .filter_map(|entry| Some((entry.key.text()?, entry.value)))
            .collect();
        services
            .map(|entry| Self::read(entry, &by_name))
            .filter(|service| !service.builds.is_empty() || service.more.is_some())
            .collect()
    }

    fn read(entry: Entry<'y>, services: &HashMap<&str, Node<'y>>) -> Self {
        let mut service = Self {
            key: entry.key,
            builds: Vec::new(),
            more: None,
            extended: None,
            profiles: texts(entry.value.get("profiles")),
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
                service.extended = extends.get_text("file").zip(extends.get_text("service"));
                break;
            }
            let name = extends.text().or_else(|| extends.get_text("service"));
            // Compose refuses a service that extends itself.
            let name = name.filter(|name| seen.insert(*name));
            next = name.and_then(|name| services.get(name).copied());
        }
        service
    }

    pub(super) fn name(&self) -> String {
        format!("service `{}`", self.key.text().unwrap_or_default())
    }

    fn get(&self, key: &str) -> Option<Node<'y>> {
        let mut builds = self.builds.iter().map(|build| build.value);
        builds.find_map(|build| match build.text() {
            Some(_) => (key == "context").then_some(build),
            None => build.get(key).filter(|value| !value.is_null()),
        })
    }

    fn add_to(&self, file: &mut BuildFile, source: &str, known: &Variables) {
        let (span, name) = (self.key.span(), self.name());
        if let (Some((path, of)), true) = (self.extended, self.builds.is_empty())
            && let Ok(path) = interpolated(path, known)
            && !paths::is_remote(&path)
            && let Some(name) = self.key.text()
        {
            file.sources.push(Source {
                is_optional: false,
                span,
                path,
                extended: Some(Extended {
                    name: name.to_owned(),
                    of: of.to_owned(),
                }),
            });
            return;
        }
        let subject = match self.subject(file, source, known) {
            Ok(subject) => subject,
            Err(why) => {
                let why = format!("{name}: {why}");
                file.unknown.push(Unknown { span, why });
                return;
            }
        };
        let (args, args_known) = self.args();
        if !Arg::pay(args.len()) {
            return;
        }
        let mut whole = ["context", "dockerfile", "dockerfile_inline"].iter();
        let partial = !whole.any(|key| self.get(key).is_some());
        let target = self.get("target").and_then(Node::text);
        let platforms = self.get("platforms").map(Node::scalars);
        let platforms = platforms.into_iter().flatten();
        // `additional_contexts` take the image of a service.
        let contexts = texts(self.get("additional_contexts"));
        let after = contexts
            .iter()
            .filter_map(|text| text.split_once("service:"));
        let after: Vec<String> = after.map(|(_, name)| name.to_owned()).collect();
        let service = self.key.text().map(|name| model::Service {
            name: name.to_owned(),
            partial,
            profiles: self.profiles.clone(),
            after: after.clone(),
            legs: Vec::new(),
            axes: Vec::new(),
            of_script: false,
            paths_from: model::PathsFrom::Caller,
        });
        file.builds.push(Build {
            target: target.and_then(|text| interpolated(text, known).ok()),
            platforms: Platforms::of(platforms.map(|node| interpolated(node.text()?, known).ok())),
            args,
            args_known,
            service,
            no_cache: self.no_cache(),
            ..Build::new(BuildTool::Compose, name, span, subject)
        });
    }

    fn no_cache(&self) -> Option<NoCache> {
        let node = self.get("no_cache")?;
        (node.text()? == "true").then(|| NoCache {
            span: node.span(),
            stages: Vec::new(),
        })
    }

    fn subject(
        &self,
        file: &mut BuildFile,
        source: &str,
        known: &Variables,
    ) -> Result<Subject, String> {
        let more = self.more.as_deref();
        // A name that another file may give may be an unusual one.
        let text = |key: &str, usual: &str| match (self.get(key), more) {
            (None, Some(more)) => Err(more.to_owned()),
            (None, None) => Ok(usual.to_owned()),
            (Some(node), _) => {
                let text = node.text();
                let text = text.ok_or_else(|| format!("its `{key}` is not text"))?;
                interpolated(text, known)
                    .map_err(|name| format!("its `{key}` is named by the variable `{name}`"))
            }
        };
        if self.builds.is_empty() {
            return Err(more.unwrap_or_default().to_owned());
        }
        if let Some(node) = self.get("dockerfile_inline") {
            let inline = inline::read(source, node).ok_or("its `dockerfile_inline` is not text")?;
            return Ok(file.add_inline(inline));
        }
        let dockerfile = text("dockerfile", "Dockerfile")?;
        paths::dockerfile(&text("context", ".")?, &dockerfile).map(Subject::File)
    }

    fn args(&self) -> (Vec<Arg>, bool) {
        let (mut args, mut seen) = (Vec::new(), HashSet::new());
        let mut known = self.more.is_none();
        let nodes = self
            .builds
            .iter()
            .filter_map(|build| build.value.get("args"));
        for node in nodes {
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

/// Returns the files that an item of `include` names.
fn included(item: Node<'_>, span: Span, known: &Variables) -> Result<Vec<Source>, String> {
    if item.is_map() && item.get("project_directory").is_some() {
        return Err(
            "the paths of a Compose file that is included start from another folder".into(),
        );
    }
    let paths = item.get("path").unwrap_or(item);
    let nodes = if paths.is_list() {
        paths.items()
    } else {
        vec![paths]
    };
    let source = |node: Node<'_>| {
        let path = interpolated(node.text().unwrap_or_default(), known);
        let path =
            path.map_err(|name| format!("an included file is named by the variable `{name}`"))?;
        if paths::is_remote(&path) {
            return Err(format!(
                "`{path}`, which is included, is not a file of this repository"
            ));
        }
        Ok(Source {
            is_optional: false,
            span,
            path,
            extended: None,
        })
    };
    nodes.into_iter().map(source).collect()
}

/// Returns the texts in a list or a mapping.
fn texts(node: Option<Node<'_>>) -> Vec<String> {
    let (items, values) = match node {
        Some(node) => (node.scalars(), node.entries()),
        None => (Vec::new(), Vec::new()),
    };
    let values = values.into_iter().map(|entry| entry.value);
    let texts = items.into_iter().chain(values).filter_map(Node::text);
    texts.map(str::to_owned).collect()
}

/// Returns the arguments of an `args`, `None` for each unknown one. An argument without a value takes the variable of
/// its name.
fn args_of(node: Node<'_>) -> Vec<Option<Arg>> {
    let arg = |name: &str, value: Option<&str>, span| {
        (!name.is_empty() && !name.contains('$')).then(|| Arg {
            from: ValueSource::Variables(value.map_or_else(|| vec![name.to_owned()], variables)),
            ..Arg::new(name, value.map(str::to_owned), span)
        })
    };
    let of_list = node.items().into_iter().map(|item| {
        let text = item.text()?;
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        arg(name, value, item.span())
    });
    let of_map = node.entries().into_iter().map(|entry| {
        let (key, value) = (entry.key.span(), entry.value);
        let span = Span::new(key.start, value.span().end.max(key.end));
        let text = value.text().filter(|_| !value.is_null());
        arg(entry.key.text()?, text, span)
    });
    of_list.chain(of_map).collect()
}
