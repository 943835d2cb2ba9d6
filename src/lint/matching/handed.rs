//! The environment in which a script's command runs: each command on the way there can add a variable, or
//! keep it back.

use super::graph::{BuildGraph, BuildId};
use super::resolved::ResolvedBuild;
use crate::budget;
use crate::builds::{Arg, ArgName, Build, ValueSource};

/// The command or build that sets a variable.
pub(super) enum Set<'g> {
    /// The build itself, whose runs may each have a value of their own.
    Outside(&'g Arg),
    /// A command of a script on the way, with the value as written.
    Within(&'g str),
}

/// A variable of its caller's environment, as one command hands it on.
enum Handed<'g> {
    On,
    Set(&'g str),
    Back,
}

impl ResolvedBuild {
    /// Returns what sets the variable `name` in the environment of the layer `inner`; `arg` is the lane argument.
    pub(super) fn set_for<'g>(
        &'g self,
        graph: &'g BuildGraph<'_>,
        inner: BuildId,
        name: &str,
        arg: &str,
    ) -> Option<Set<'g>> {
        for (_, layer) in self.outside_of(graph, inner) {
            match handed(layer, name) {
                Handed::On => {}
                Handed::Set(value) => return Some(Set::Within(value)),
                Handed::Back => return None,
            }
        }
        let mut env = graph.build(self.id).env.iter();
        let set = env.find(|set| {
            let is_lane = set.name == ArgName::Lane && name == arg;
            budget::spend(1) && (set.name.is(name) || is_lane)
        });
        set.filter(|set| set.from != ValueSource::Nowhere)
            .map(Set::Outside)
    }

    /// Returns the command of a script between the build and its Dockerfile that keeps the variable `name` back.
    pub(super) fn kept_back(&self, graph: &BuildGraph<'_>, name: &str) -> Option<BuildId> {
        let mut layers = self.layers.iter().copied();
        let inner = layers.next()?;
        let mut outside = self.outside_of(graph, inner);
        let is_back = |layer: &Build| matches!(handed(layer, name), Handed::Back);
        Some(outside.find(|(_, layer)| is_back(layer))?.0)
    }

    /// Returns the layers around `inner`, from the nearest on.
    fn outside_of<'g>(
        &'g self,
        graph: &'g BuildGraph<'_>,
        inner: BuildId,
    ) -> impl Iterator<Item = (BuildId, &'g Build)> {
        let layers = self.layers.iter().copied();
        let outside = layers.skip_while(move |id| *id != inner).skip(1);
        let outside = outside.take_while(|_| budget::spend(1));
        outside.map(|id| (id, self.layer(graph, id)))
    }
}

fn handed<'b>(layer: &'b Build, name: &str) -> Handed<'b> {
    let mut env = layer.env.iter().take_while(|_| budget::spend(1));
    match env.find(|set| set.name.is(name)) {
        Some(set) if set.from == ValueSource::Nowhere => Handed::Back,
        Some(set) if set.is_default_of(name) => Handed::On,
        // `NAME="$NAME"` hands it on, even through `sudo`.
        Some(set) => match set.value.as_deref() {
            Some(value) if !is_alone(value, name) => Handed::Set(value),
            _ => Handed::On,
        },
        None if layer.keeps_env => Handed::On,
        None => Handed::Back,
    }
}

/// Returns whether `text` is the variable `name` and nothing else.
pub(super) fn is_alone(text: &str, name: &str) -> bool {
    let inner = text
        .strip_prefix("${")
        .and_then(|text| text.strip_suffix('}'));
    let is_it = |inner: &str| {
        let rest = inner.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '-', '?']))
    };
    inner.is_some_and(|inner| is_it(inner) && !inner.contains('$'))
        || text.strip_prefix('$') == Some(name)
        || text == name
}
