//! `parallel`: the legs that a job runs in.

use std::collections::HashSet;

use super::super::matrix::{MAX_ROWS, product};
use super::super::pipelines::Leg;
use super::super::yaml::Node;
use super::jobs::File;

/// What tells the legs of `parallel: 5` apart.
const NUMBER: &str = "parallel";

/// The legs, or the axes where the legs are too many.
pub(super) fn legs(file: &File<'_>, parallel: Node<'_>) -> (Vec<Leg>, Vec<String>) {
    if let Some(number) = parallel.text() {
        return match number.parse::<usize>() {
            Ok(0 | 1) => Default::default(),
            Ok(count @ ..=MAX_ROWS) => {
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
    for entry in entries {
        let axes = entry.entries().into_iter().filter_map(|axis| {
            let values = axis.value.scalars().into_iter().filter_map(Node::text);
            Some((
                axis.key.text()?.to_owned(),
                values.map(str::to_owned).collect(),
            ))
        });
        let axes: Vec<(String, Vec<String>)> = axes.collect();
        names.extend(axes.iter().map(|(name, _)| name.clone()));
        legs.extend(match product(&axes) {
            Some(more) if legs.len() + more.len() <= MAX_ROWS => more,
            _ => {
                let mut seen = HashSet::new();
                names.retain(|name| seen.insert(name.clone()));
                return (Vec::new(), names);
            }
        });
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
