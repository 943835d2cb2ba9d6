use std::collections::HashMap;

use super::service::{Service, builds};
use super::variables::Variables;
use crate::builds::format::{Inserter, Insertion};
use crate::builds::lines;
use crate::builds::model::{Lane, Subject};
use crate::builds::yaml::{AliasPaths, Entry, NewValue, Node, Yaml, quoted};
use crate::fix::{Edit, Fix};
use crate::text::Span;

const NO_BUILD: &str = "it has no `build`";

/// Hands the inserter of `CACHE_ID: ${CACHE_ID:-default}` among a service's arguments to `then`.
pub(super) fn inserter(yaml: &Yaml<'_>, known: &Variables, then: &mut dyn FnMut(Inserter<'_>)) {
    let services: Vec<Service<'_>> = yaml.roots().flat_map(Service::all).collect();
    let file = builds(yaml, known);
    let builds = file.builds.iter();
    let subjects: HashMap<Span, &Subject> =
        builds.map(|build| (build.span, &build.subject)).collect();
    // The services whose arguments have one place: the first, and the first that builds something else.
    let mut groups: HashMap<usize, (usize, Option<usize>)> = HashMap::new();
    let subject = |index: usize| subjects.get(&services[index].key.span());
    for (index, service) in services.iter().enumerate() {
        let Ok(slot) = Slot::of(service) else {
            continue;
        };
        let (first, other) = groups.entry(slot.start()).or_insert((index, None));
        if other.is_none() && (subject(index).is_none() || subject(index) != subject(*first)) {
            *other = Some(index);
        }
    }
    groups.retain(|_, (_, other)| other.is_some());
    let places = services.iter().enumerate();
    let places: HashMap<Span, usize> = places
        .map(|(index, service)| (service.key.span(), index))
        .collect();
    let aliases = AliasPaths::of(yaml);
    then(&|build, lane| {
        let index = places.get(&build.span).ok_or("its service is not there")?;
        let slot = Slot::of(&services[*index])?;
        if let Some(&(first, Some(other))) = groups.get(&slot.start()) {
            let other = if other == *index { first } else { other };
            return Err(format!(
                "{} gets its arguments from the same place, and builds another Dockerfile",
                services[other].name()
            ));
        }
        slot.alone(&aliases)?;
        if lane.default.contains(['}', '\n']) {
            return Err(format!(
                "`{}` cannot stand in a variable's default",
                lane.default
            ));
        }
        // A `$` in the default itself is no variable.
        let value = format!("${{{}:-{}}}", lane.arg, lane.default.replace('$', "$$"));
        let edits = slot.edits(yaml.source(), lane, &value)?;
        let fix = Fix::safe(format!("pass `{}` to {}", lane.arg, build.name), edits);
        Ok(Insertion {
            fix,
            value: Some(value),
        })
    });
}

enum Slot<'y> {
    /// An `args`.
    Args(Node<'y>),
    /// An empty `args:`.
    Empty(Entry<'y>),
    Build(Node<'y>),
    /// The short form `build: folder`, which is replaced.
    Short(Entry<'y>),
}

impl<'y> Slot<'y> {
    fn of(service: &Service<'y>) -> Result<Self, String> {
        let build = service.builds.first();
        let build = build.ok_or("its `build` stands in another file")?;
        let value = build.value.resolved();
        if !value.is_map() {
            return Ok(Self::Short(*build));
        }
        match value.entry("args") {
            None => Ok(Self::Build(value)),
            Some(args) if args.value.tag().is_some() => Err("its `args` has a tag".to_owned()),
            Some(args) if args.value.is_null() => Ok(Self::Empty(args)),
            Some(args) => Ok(Self::Args(args.value.resolved())),
        }
    }

    fn start(&self) -> usize {
        match self {
            Self::Args(node) | Self::Build(node) => node.span().start,
            Self::Empty(entry) | Self::Short(entry) => entry.key.span().start,
        }
    }

    /// Fails where an alias puts the changed value anywhere but into a build: for example into a service's environment,
    /// which its containers get.
    fn alone(&self, aliases: &AliasPaths<'y>) -> Result<(), String> {
        let (node, own): (_, &[&str]) = match self {
            Self::Args(node) => (Some(*node), &["build", "args"]),
            Self::Build(node) => (Some(*node), &["build"]),
            Self::Empty(entry) => (entry.key.parent(), &["build"]),
            Self::Short(entry) => (entry.key.parent(), &[]),
        };
        let places = aliases.places(node.ok_or(NO_BUILD)?);
        let places = places.ok_or("it is used in too many places, by aliases")?;
        // Compose ignores the values of such keys.
        let is_extension = |key: &str| key.starts_with("x-");
        let elsewhere = places.iter().find(|place| match place.as_slice() {
            ["services", _, rest @ ..] => {
                rest != own && !rest.first().is_some_and(|key| is_extension(key))
            }
            [first, ..] => !is_extension(first),
            [] => true,
        });
        elsewhere.map_or(Ok(()), |place| {
            let place = place.join(".");
            Err(format!(
                "an alias would put it into `{place}` as well: give the build arguments of its own, `<<` for the rest"
            ))
        })
    }

    fn edits(&self, source: &str, lane: &Lane<'_>, value: &str) -> Result<Vec<Edit>, String> {
        let new = NewValue::Scalar(value);
        let edit = match self {
            Self::Args(node) if node.is_list() => {
                let item = format!("{}={value}", lane.arg);
                node.add_item(&quoted(&item, node.in_brackets()))
            }
            Self::Args(node) => node.put(&[lane.arg], new),
            Self::Build(node) => node.put(&["args", lane.arg], new),
            Self::Empty(args) => {
                let at = args.key.span().end;
                let line = lines::rest(source, at);
                // `args: ~` is empty too, but a mapping cannot stand behind it.
                if line.split('#').next().unwrap_or_default().trim() != ":" {
                    return Err("its `args` is null".to_owned());
                }
                let map = args.key.parent().ok_or(NO_BUILD)?;
                let text = map.line(1, &format!("{}: {}", lane.arg, quoted(value, false)))?;
                Ok(Edit::insert(at + line.len(), text))
            }
            Self::Short(build) => return long(source, build, lane.arg, value),
        };
        Ok(vec![edit?])
    }
}

/// Rewrites the short form, `build: folder`, in the long one.
fn long(source: &str, build: &Entry<'_>, arg: &str, text: &str) -> Result<Vec<Edit>, String> {
    let value = build.value;
    let span = value.span();
    let is_marked = value.is_alias() || value.is_anchored() || value.tag().is_some();
    if is_marked || span.of(source.as_bytes()).contains(&b'\n') {
        return Err("its `build` is an alias, or laid out in an unusual way".to_owned());
    }
    let in_brackets = value.in_brackets();
    let entry = format!("{arg}: {}", quoted(text, in_brackets));
    if in_brackets {
        return Ok(vec![
            Edit::insert(span.start, "{context: "),
            Edit::insert(span.end, format!(", args: {{{entry}}}}}")),
        ]);
    }
    let map = build.key.parent().ok_or(NO_BUILD)?;
    // The colon is kept and the value moves to a line of its own; a comment stays.
    let colon = source[..span.start].trim_end_matches([' ', '\t']).len();
    let end = span.end + lines::rest(source, span.end).len();
    Ok(vec![
        Edit::replace(Span::new(colon, span.start), map.line(1, "context: ")?),
        Edit::insert(end, map.line(1, "args:")? + &map.line(2, &entry)?),
    ])
}
