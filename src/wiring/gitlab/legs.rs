//! `parallel`: the legs that a job runs in.

use super::super::pipelines::{Leg, MAX_LEGS};
use super::super::yaml::Node;
use super::jobs::File;

/// What tells the legs of `parallel: 5` apart.
const NUMBER: &str = "parallel";

/// The legs, or the axes where the legs are too many.
pub(super) fn legs(file: &File<'_>, parallel: Node<'_>) -> (Vec<Leg>, Vec<String>) {
    if let Some(number) = parallel.text() {
        return match number.parse::<usize>() {
            Ok(0 | 1) => Default::default(),
            Ok(count @ ..=MAX_LEGS) => {
                let leg = |n: usize| vec![(NUMBER.to_owned(), format!("{n}/{count}"))];
                ((1..=count).map(leg).collect(), Vec::new())
            }
            _ => (Vec::new(), vec![NUMBER.to_owned()]),
        };
    }
    // An empty or unreadable matrix is one that cannot be told.
    let Some(entries) = file.matrix(parallel) else {
        return Default::default();
    };
    let mut legs: Vec<Leg> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut too_many = false;
    for entry in entries {
        let mut own: Vec<Leg> = vec![Vec::new()];
        for axis in entry.entries() {
            let Some(name) = axis.key.text() else {
                continue;
            };
            let values: Vec<&str> = axis
                .value
                .scalars()
                .into_iter()
                .filter_map(Node::text)
                .collect();
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
            too_many |= own.len().saturating_mul(values.len()) > MAX_LEGS;
            if too_many {
                break;
            }
            let with = |leg: &Leg, value: &str| {
                let mut leg = leg.clone();
                leg.push((name.to_owned(), value.to_owned()));
                leg
            };
            own = own
                .iter()
                .flat_map(|leg| {
                    values
                        .iter()
                        .map(|value| with(leg, value))
                        .collect::<Vec<_>>()
                })
                .collect();
        }
        legs.extend(own);
        too_many |= legs.len() > MAX_LEGS;
        if too_many {
            return (Vec::new(), names);
        }
    }
    (legs, Vec::new())
}

/// The name of a job's leg, from which GitLab makes the slug.
pub(super) fn name(job: &str, leg: &Leg) -> String {
    match leg.as_slice() {
        [] => job.to_owned(),
        [(name, value)] if name == NUMBER => format!("{job} {value}"),
        values => format!(
            "{job}: [{}]",
            values
                .iter()
                .map(|(_, value)| value.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}
