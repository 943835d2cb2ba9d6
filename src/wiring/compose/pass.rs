//! Giving a service of a Compose file its argument.

use super::Service;
use crate::fix::{Edit, Fix, apply};
use crate::text::line_ending;
use crate::wiring::yaml::{Entry, Node, Yaml, quoted};
use crate::wiring::{Build, Lane, Wiring};

/// Passes the lane to the service of `build`: `CACHE_ID: ${CACHE_ID:-default}`, where its arguments stand.
///
/// # Errors
/// Why a person has to do it.
pub fn pass(source: &str, build: &Build, lane: &Lane<'_>) -> Result<Fix, String> {
    let yaml = Yaml::read(source).map_err(|error| error.message)?;
    let services: Vec<Service<'_>> = yaml.roots().flat_map(Service::all).collect();
    let service = services.iter().find(|service| service.key.span() == build.span).ok_or("its service is not there")?;
    let spot = Spot::of(service)?;
    let before = super::read(source).map_err(|error| error.message)?;
    for other in services.iter().filter(|other| Spot::of(other).is_ok_and(|other| other.start() == spot.start())) {
        let found = before.builds.iter().find(|found| found.span == other.key.span());
        if found.is_none_or(|found| found.what != build.what) {
            return Err(format!(
                "{} gets its arguments from the same place, and builds another Dockerfile",
                other.name()
            ));
        }
    }
    let fix = Fix::safe(format!("pass `{}` to {}", lane.arg, build.name), spot.edits(source, lane)?);
    checked(source, &before, &fix, build, lane)?;
    Ok(fix)
}

/// Whether the fixed file says what it should: the same builds, this one with one argument more.
fn checked(source: &str, before: &Wiring, fix: &Fix, build: &Build, lane: &Lane<'_>) -> Result<(), String> {
    let fixed = String::from_utf8(apply(source.as_bytes(), &[fix]).bytes).unwrap_or_default();
    let after = super::read(&fixed).unwrap_or_default();
    let passes = |found: &&Build| found.name == build.name && found.what == build.what;
    let found = after.builds.iter().find(passes);
    // Blank lines at the end of a Dockerfile within belong to it.
    let kept = before.inline.iter().map(|inline| &inline.text).eq(after.inline.iter().map(|inline| &inline.text));
    if kept
        && found.is_some_and(|found| {
            found.args.iter().any(|arg| arg.name == lane.arg) && found.args.len() == build.args.len() + 1
        })
    {
        return Ok(());
    }
    Err("it is laid out in an unusual way".to_owned())
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

    fn edits(&self, source: &str, lane: &Lane<'_>) -> Result<Vec<Edit>, String> {
        // A `$` of the default's own is no variable.
        let value = format!("${{{}:-{}}}", lane.arg, lane.default.replace('$', "$$"));
        let entry = |in_brackets| format!("{}: {}", lane.arg, quoted(&value, in_brackets));
        match self {
            Self::Args(node) if node.is_list() => {
                node.add_item(&quoted(&format!("{}={value}", lane.arg), node.in_brackets())).map(|edit| vec![edit])
            }
            Self::Args(node) => node.add_entry(&entry(node.in_brackets())).map(|edit| vec![edit]),
            Self::Build(node) if node.in_brackets() => {
                node.add_entry(&format!("args: {{{}}}", entry(true))).map(|edit| vec![edit])
            }
            Self::Build(node) => {
                let step = " ".repeat(step(*node));
                node.add_entry(&format!("args:\n{step}{}", entry(false))).map(|edit| vec![edit])
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
                if bare { Ok(vec![Edit::insert(at + line.len(), text)]) } else { Err("its `args` is null".to_owned()) }
            }
            Self::Short(build) => long(source, *build, &entry),
        }
    }
}

/// Writes the short form, `build: folder`, in the long one.
fn long(source: &str, build: Entry<'_>, entry: &dyn Fn(bool) -> String) -> Result<Vec<Edit>, String> {
    let value = build.value;
    let span = value.span();
    let written = span.of(source.as_bytes());
    if value.is_alias() || value.is_anchored() || value.tag().is_some() || written.contains(&b'\n') {
        return Err("its `build` is an alias, or laid out in an unusual way".to_owned());
    }
    if value.in_brackets() {
        let behind = format!(", args: {{{}}}}}", entry(true));
        return Ok(vec![Edit::insert(span.start, "{context: "), Edit::insert(span.end, behind)]);
    }
    let map = build.key.parent().ok_or("it has no `build`")?;
    let indent = map.indent().ok_or("it is laid out in an unusual way")?;
    let step = step(map);
    let newline = line_ending(source.as_bytes(), span.start);
    let line = |columns: usize, text: &str| format!("{newline}{}{text}", " ".repeat(columns));
    // Blanks and a colon stand between key and value, so that the value begins a line of its own; a comment stays.
    let colon = source[..span.start].trim_end_matches([' ', '\t']).len();
    let end = span.end + source[span.end..].split(['\r', '\n']).next().unwrap_or_default().len();
    let args = line(indent + step, "args:") + &line(indent + 2 * step, &entry(false));
    Ok(vec![
        Edit::replace(crate::text::Span::new(colon, span.start), line(indent + step, "context: ")),
        Edit::insert(end, args),
    ])
}

/// By how many blanks the file indents.
fn step(node: Node<'_>) -> usize {
    let outer = std::iter::successors(node.parent(), |outer| outer.parent()).find_map(Node::indent);
    let (inner, outer) = (node.indent().unwrap_or(0), outer.unwrap_or(0));
    if inner > outer && inner - outer <= 8 { inner - outer } else { 2 }
}
