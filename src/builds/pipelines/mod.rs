//! What the readers of GitLab and Buildkite share: scripts out of YAML values, the builds in them, and who runs each.
//!
//! A command stands once in a file but may be run by several jobs (a template, an anchor) and in several legs of a
//! matrix. [`Reader`] gathers them by place: one build for each place and each thing that is built there.

mod pass;
mod reader;
mod script;
mod values;

use std::rc::Rc;

use super::model::{Arg, ReadError};
use super::shell::Need;
use super::yaml::Node;
use crate::text::Span;

pub(super) use pass::{passer, valid};
pub(super) use reader::{Found, Reader};

/// The values that tell one run of a job from another, by their names.
pub(super) type Leg = Vec<(String, String)>;

/// What is special about a format's scripts.
pub(super) struct Language {
    /// The variable that holds the folder of the checkout.
    pub(super) root: &'static str,
    /// Whether a variable's value may name others.
    pub(super) nested: bool,
    /// The name of the matrix value that a need asks for.
    pub(super) axis: for<'n> fn(Need<'n>) -> Option<&'n str>,
    /// Finds what has to be taken for an expression: the bytes of the first one in a text, and what to read instead, of the
    /// same length.
    pub(super) mask: fn(&str) -> Option<(Span, String)>,
}

/// A job, as far as its scripts need it. They start in the checkout.
pub(super) struct Job<'j> {
    /// Its name in the file.
    pub(super) name: &'j str,
    /// What to call the place: ``job `test` ``.
    pub(super) title: String,
    /// The variables that the file sets for it.
    pub(super) env: Vec<Arg>,
    /// Its legs; none where it runs once or they are too many.
    pub(super) legs: Rc<[Leg]>,
    /// The axes whose values are not listed in the legs.
    pub(super) axes: Vec<String>,
    /// Whether it is only a template: it counts where no job runs the place.
    pub(super) template: bool,
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

/// Fails with what is wrong with a file that has `root` at its top, which is none of a pipeline.
pub(super) fn unlike(root: Node<'_>) -> ReadError {
    ReadError {
        span: root.span(),
        message: "it has no mapping at its top".to_owned(),
    }
}
