//! What the readers of pipelines share: scripts out of YAML values, the builds in them, and who runs each.
//!
//! A command stands once in a file but may be run by several jobs (a template, an anchor) and in several legs of a
//! matrix. [`Reader`] gathers them by place: one build for each place and each thing that is built there.

mod pass;
mod reader;
mod script;
mod values;

use std::collections::HashSet;
use std::rc::Rc;

use super::shell::{Dialect, Need};
use super::yaml::{Node, Yaml};
use super::{Arg, Wiring, WiringError};

pub(super) use pass::{joined, passer, valid};
pub(super) use reader::{Found, Reader};
pub(super) use script::Script;

/// The most legs of a matrix that are looked at one by one.
pub(super) const MAX_LEGS: usize = 256;
/// Words without which nothing is built.
const WORDS: &[&[u8]] = &[
    b"docker",
    b"Docker",
    b"podman",
    b"buildah",
    b"nerdctl",
    b"buildx",
    b"bake",
    b"devcontainer",
    b"rocker",
];

/// Whether `text` has a word that can start a build.
pub(super) fn may_build(text: &str) -> bool {
    WORDS
        .iter()
        .any(|word| memchr::memmem::find(text.as_bytes(), word).is_some())
}

/// What `own` sets, a mapping or a list of mappings, before what is set outside.
pub(super) fn variables(own: Option<Node<'_>>, outer: Vec<Arg>) -> Vec<Arg> {
    let maps = own
        .map(|own| {
            if own.is_list() {
                own.items()
            } else {
                vec![own]
            }
        })
        .unwrap_or_default();
    let mut all = Vec::new();
    for entry in maps.into_iter().flat_map(Node::entries) {
        if let Some(name) = entry.key.text() {
            let value = entry.value.text().map(str::to_owned);
            all.push(Arg {
                name: name.to_owned(),
                value,
                span: entry.value.span(),
                from: Vec::new(),
            });
        }
    }
    let names: HashSet<String> = all.iter().map(|arg| arg.name.clone()).collect();
    all.extend(outer.into_iter().filter(|arg| !names.contains(&arg.name)));
    all
}

/// The values that tell one run of a job from another, by their names.
pub(super) type Leg = Vec<(String, String)>;

/// What is special about a format's scripts.
pub(super) struct Format {
    /// The variables that hold the folder of the checkout.
    pub(super) roots: &'static [&'static str],
    /// Whether a variable's value may name others.
    pub(super) nested: bool,
    /// What a need asks for: the name of a matrix value or parameter, and the name of a variable of the file.
    pub(super) names: for<'n> fn(Need<'n>) -> (Option<&'n str>, Option<&'n str>),
}

/// A job, as far as its scripts need it.
pub(super) struct Job<'j> {
    /// Its name in the file.
    pub(super) name: &'j str,
    /// What to call the place: ``job `test`, step 3``.
    pub(super) title: String,
    /// The variables that the file sets for it.
    pub(super) env: Rc<[Arg]>,
    /// Its legs; none where it runs once or they are too many.
    pub(super) legs: Rc<[Leg]>,
    /// The axes whose values are not listed in the legs.
    pub(super) axes: Vec<String>,
    /// The folder that its scripts start in.
    pub(super) folder: Option<String>,
    /// The grammar of its scripts.
    pub(super) dialect: Dialect,
    /// Whether it is only a template: it counts where no job runs the place.
    pub(super) template: bool,
}

impl<'j> Job<'j> {
    /// A job that runs once, from the repository's root.
    pub(super) fn new(name: &'j str, title: String) -> Self {
        Self {
            name,
            title,
            env: Rc::new([]),
            legs: Rc::new([]),
            axes: Vec::new(),
            folder: Some(String::new()),
            dialect: Dialect::Posix,
            template: false,
        }
    }
}

/// The names of values that are not the same in all `legs`.
pub(super) fn varying(legs: &[&Leg]) -> Vec<String> {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in legs.iter().flat_map(|leg| leg.iter()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let value = |leg: &Leg, name: &str| {
        leg.iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.clone())
    };
    let varies = |name: &&String| {
        legs.iter()
            .any(|leg| value(leg, name) != value(legs[0], name))
    };
    names.into_iter().filter(varies).cloned().collect()
}

/// Reads a file by what `gather` finds in it; one without a word that could start a build is not parsed.
pub(super) fn read(
    source: &str,
    gather: impl FnOnce(Node<'_>) -> Wiring,
) -> Result<Wiring, WiringError> {
    if !may_build(source) {
        return Ok(Wiring::default());
    }
    let yaml = Yaml::read(source)?;
    Ok(top(&yaml)?.map(gather).unwrap_or_default())
}

/// What a file has at its top: nothing where it is empty.
pub(super) fn top<'y>(yaml: &'y Yaml<'y>) -> Result<Option<Node<'y>>, WiringError> {
    match yaml.root() {
        Some(root) if root.is_map() || root.is_list() => Ok(Some(root)),
        None => Ok(None),
        Some(root) if root.is_null() => Ok(None),
        Some(root) => {
            let message = "it has no mapping at its top".to_owned();
            Err(WiringError {
                span: root.span(),
                message,
                refused: false,
            })
        }
    }
}
