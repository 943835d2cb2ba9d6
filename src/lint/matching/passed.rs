//! The arguments that a run of a build passes.

use super::contenders::Contender;
use super::graph::BuildGraph;
use super::handed::{Set, is_alone};
use super::resolved::ResolvedBuild;
use crate::budget;
use crate::builds::command::OWN_LANE;
use crate::builds::{Arg, ArgName, ValueSource};
use crate::rules::locks::Passed;
use crate::text::marks::SAME;

/// Returns what the build passes for the argument `name` in one of its runs; `arg` is the lane argument.
pub(super) fn passed(
    one: &ResolvedBuild,
    graph: &BuildGraph<'_>,
    name: &str,
    arg: &str,
    run: &Contender<'_>,
) -> Passed {
    let is_lane = name == arg;
    let is_it = |own: &&Arg| own.name.is(name) || (is_lane && own.name.is_lane(arg));
    let known = |text: &str| run.value(text).map_or(Passed::Unknown, Passed::Value);
    let build = graph.build(one.id);
    budget::spend(build.args.len());
    if let Some(own) = build.args.iter().find(is_it) {
        return match &own.value {
            Some(value) => known(value),
            None if own.name == ArgName::Lane => known(OWN_LANE),
            None => known(&format!("${name}")),
        };
    }
    let mut layers = one.layers.iter().rev();
    let inner = layers.find_map(|layer| {
        let mut args = one.layer(graph, *layer).args.iter();
        Some((*layer, args.find(is_it)?))
    });
    let Some((layer, inner)) = inner else {
        return if one.args_known(graph) {
            Passed::Nothing
        } else {
            Passed::Unknown
        };
    };
    let text = inner.value.clone().unwrap_or_default();
    let names = match &inner.from {
        ValueSource::Variables(names) => names,
        ValueSource::Attribute => return Passed::Value(text),
        ValueSource::Run => return Passed::Unknown,
        ValueSource::Nowhere => return Passed::Nothing,
    };
    let mut passed = text;
    for name in names {
        let value = one.set_for(graph, layer, name, arg).map(|set| match set {
            Set::Within(value) => (!value.contains(['$', '`'])).then(|| value.to_owned()),
            Set::Outside(set) => match &set.value {
                Some(value) => run.value(value),
                None if set.name == ArgName::Lane => run.value(OWN_LANE),
                None => run.value(&format!("${name}")),
            },
        });
        match value {
            Some(Some(value))
                if names.len() == 1 && (inner.value.is_none() || is_alone(&passed, name)) =>
            {
                passed = value;
            }
            Some(Some(value)) => passed += &format!("{SAME}{value}"),
            Some(None) => return Passed::Unknown,
            // `--build-arg NAME` passes what is there.
            None if inner.value.is_none() && one.is_by_script(graph) => return Passed::Nothing,
            None if names.len() == 1 => passed = unset(&passed, name).unwrap_or(passed),
            None => {}
        }
    }
    Passed::Value(passed)
}

/// Returns what `text`, which is the variable `name` and nothing else, is where that is not set.
fn unset(text: &str, name: &str) -> Option<String> {
    if !is_alone(text, name) {
        return None;
    }
    let word = text
        .trim_start_matches("${")
        .trim_end_matches('}')
        .strip_prefix(name)?;
    let word = word.trim_start_matches(':').strip_prefix('-');
    Some(word.unwrap_or_default().to_owned())
}
