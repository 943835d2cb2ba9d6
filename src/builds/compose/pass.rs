//! Giving a service of a Compose file its argument.

use std::collections::HashMap;

use super::Service;
use crate::builds::format::{Inserter, Insertion};
use crate::builds::model::{Lane, Subject};
use crate::builds::yaml::{Entry, Node, Uses, Yaml, quoted};
use crate::fix::{Edit, Fix};
use crate::text::{Span, line_ending};

/// What passes lanes to services: `CACHE_ID: ${CACHE_ID:-default}`, where their arguments stand.
pub(super) fn passer<'d>(yaml: &'d Yaml<'d>) -> Inserter<'d> {
    let services: Vec<Service<'d>> = yaml.roots().flat_map(Service::all).collect();
    let wiring = super::of(yaml);
    let builds: HashMap<Span, &Subject> = wiring
        .builds
        .iter()
        .map(|build| (build.span, &build.subject))
        .collect();
    // The services that get their arguments from one place: the first, and the first that builds something else.
    let mut groups: HashMap<usize, (usize, Option<usize>)> = HashMap::new();
    for (index, service) in services.iter().enumerate() {
        let Ok(spot) = Spot::of(service) else {
            continue;
        };
        let what = |index: usize| builds.get(&services[index].key.span());
        let (first, other) = groups.entry(spot.start()).or_insert((index, None));
        if other.is_none() && (what(index).is_none() || what(index) != what(*first)) {
            *other = Some(index);
        }
    }
    groups.retain(|_, (_, other)| other.is_some());
    let places: HashMap<Span, usize> = services
        .iter()
        .enumerate()
        .map(|(index, service)| (service.key.span(), index))
        .collect();
    let uses = Uses::of(yaml);
    Box::new(move |build, lane| {
        let service = places
            .get(&build.span)
            .map(|index| &services[*index])
            .ok_or("its service is not there")?;
        let spot = Spot::of(service)?;
        if let Some((first, Some(other))) = groups.get(&spot.start()) {
            let other = if services[*other].key == service.key {
                first
            } else {
                other
            };
            return Err(format!(
                "{} gets its arguments from the same place, and builds another Dockerfile",
                services[*other].name()
            ));
        }
        spot.alone(&uses)?;
        // A `$` of the default's own is no variable.
        let value = format!("${{{}:-{}}}", lane.arg, lane.default.replace('$', "$$"));
        if lane.default.contains(['}', '\n']) {
            return Err(format!(
                "`{}` cannot stand in a variable's default",
                lane.default
            ));
        }
        let edits = spot.edits(yaml.source(), lane, &value)?;
        let fix = Fix::safe(format!("pass `{}` to {}", lane.arg, build.name), edits);
        Ok(Insertion {
            fix,
            value: Some(value),
        })
    })
}

/// Where an argument is to be put.
enum Spot<'y> {
    /// Into an `args`.
    Args(Node<'y>),
    /// Behind an `args:` that holds nothing.
    Empty(Entry<'y>),
    /// Into a `build`, as its `args`.
    Build(Node<'y>),
    /// In the place of a `build: folder`.
    Short(Entry<'y>),
}

impl<'y> Spot<'y> {
    fn of(service: &Service<'y>) -> Result<Self, String> {
        let Some(build) = service.builds.first() else {
            return Err("its `build` stands in another file".to_owned());
        };
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

    /// Whether an alias puts what is changed into no place but a build's: a service's environment, say, is what its
    /// containers get.
    fn alone(&self, uses: &Uses<'y>) -> Result<(), String> {
        let (node, own): (_, &[&str]) = match self {
            Self::Args(node) => (Some(*node), &["build", "args"]),
            Self::Build(node) => (Some(*node), &["build"]),
            Self::Empty(entry) => (entry.key.parent(), &["build"]),
            Self::Short(entry) => (entry.key.parent(), &[]),
        };
        let node = node.ok_or("it has no `build`")?;
        let places = uses
            .places(node)
            .ok_or("it is used in too many places, by aliases")?;
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
        let entry = |in_brackets| format!("{}: {}", lane.arg, quoted(value, in_brackets));
        match self {
            Self::Args(node) if node.is_list() => node
                .add_item(&quoted(
                    &format!("{}={value}", lane.arg),
                    node.in_brackets(),
                ))
                .map(|edit| vec![edit]),
            Self::Args(node) => node
                .add_entry(&entry(node.in_brackets()))
                .map(|edit| vec![edit]),
            Self::Build(node) if node.in_brackets() => node
                .add_entry(&format!("args: {{{}}}", entry(true)))
                .map(|edit| vec![edit]),
            Self::Build(node) => {
                let step = " ".repeat(step(*node));
                node.add_entry(&format!("args:\n{step}{}", entry(false)))
                    .map(|edit| vec![edit])
            }
            Self::Empty(args) => {
                let map = args.key.parent().ok_or("it has no `build`")?;
                let indent = map.indent().ok_or("it is laid out in an unusual way")? + step(map);
                let at = args.key.span().end;
                let line = source[at..].split(['\r', '\n']).next().unwrap_or_default();
                let newline = line_ending(source.as_bytes(), at);
                // `args: ~` says nothing too, but a mapping cannot stand behind it.
                let bare = line.split('#').next().unwrap_or_default().trim() == ":";
                let text = format!("{newline}{}{}", " ".repeat(indent), entry(false));
                if bare {
                    Ok(vec![Edit::insert(at + line.len(), text)])
                } else {
                    Err("its `args` is null".to_owned())
                }
            }
            Self::Short(build) => long(source, *build, &entry),
        }
    }
}

/// Whether Compose leaves what has this key alone.
fn is_extension(key: &str) -> bool {
    key.starts_with("x-")
}

/// Writes the short form, `build: folder`, in the long one.
fn long(
    source: &str,
    build: Entry<'_>,
    entry: &dyn Fn(bool) -> String,
) -> Result<Vec<Edit>, String> {
    let value = build.value;
    let span = value.span();
    let written = span.of(source.as_bytes());
    if value.is_alias() || value.is_anchored() || value.tag().is_some() || written.contains(&b'\n')
    {
        return Err("its `build` is an alias, or laid out in an unusual way".to_owned());
    }
    if value.in_brackets() {
        let behind = format!(", args: {{{}}}}}", entry(true));
        return Ok(vec![
            Edit::insert(span.start, "{context: "),
            Edit::insert(span.end, behind),
        ]);
    }
    let map = build.key.parent().ok_or("it has no `build`")?;
    let indent = map.indent().ok_or("it is laid out in an unusual way")?;
    let step = step(map);
    let newline = line_ending(source.as_bytes(), span.start);
    let line = |columns: usize, text: &str| format!("{newline}{}{text}", " ".repeat(columns));
    // Blanks and a colon stand between key and value, so that the value begins a line of its own; a comment stays.
    let colon = source[..span.start].trim_end_matches([' ', '\t']).len();
    let end = span.end
        + source[span.end..]
            .split(['\r', '\n'])
            .next()
            .unwrap_or_default()
            .len();
    let args = line(indent + step, "args:") + &line(indent + 2 * step, &entry(false));
    Ok(vec![
        Edit::replace(
            Span::new(colon, span.start),
            line(indent + step, "context: "),
        ),
        Edit::insert(end, args),
    ])
}

/// By how many blanks the file indents.
fn step(node: Node<'_>) -> usize {
    let outer = std::iter::successors(node.parent(), |outer| outer.parent()).find_map(Node::indent);
    let (inner, outer) = (node.indent().unwrap_or(0), outer.unwrap_or(0));
    if inner > outer && inner - outer <= 8 {
        inner - outer
    } else {
        2
    }
}
