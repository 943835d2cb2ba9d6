//! `parallel`: the combinations that a job runs in.

use super::file::File;
use super::number;
use crate::builds::jobs::{MAX_ROWS, Matrix, MatrixRow, product};
use crate::builds::model::AxisPath;
use crate::builds::yaml::{Entry, Node};

/// The axis of the runs of `parallel: 5`.
const NUMBER: &str = "parallel";

pub fn read(file: &File<'_>, chain: &[Node<'_>]) -> Matrix {
    let Some(parallel) = file.own(chain, "parallel") else {
        return Matrix::none();
    };
    let count = parallel.text().map(str::parse::<usize>);
    let entries = match count {
        Some(Ok(count @ 2..=MAX_ROWS)) => {
            let row = |n: usize| vec![(NUMBER.into(), format!("{n}/{count}"))];
            return Matrix::of((1..=count).map(row).collect());
        }
        Some(Ok(0 | 1)) => None,
        Some(_) => return Matrix::open(vec![NUMBER.into()]),
        None => file.matrix(parallel),
    };
    let mut rows: Vec<MatrixRow> = Vec::new();
    let mut names: Vec<AxisPath> = Vec::new();
    // An empty or unreadable matrix is unknown.
    for entry in entries.unwrap_or_default() {
        let axes = axes(entry);
        for (name, _) in &axes {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        match product(&axes) {
            Some(more) if rows.len() + more.len() <= MAX_ROWS => rows.extend(more),
            _ => return Matrix::open(names),
        }
    }
    Matrix::of(rows)
}

fn axes(map: Node<'_>) -> Vec<(AxisPath, Vec<String>)> {
    let values = |list: Node<'_>| {
        let values = list.scalars().into_iter();
        values.filter_map(number::text).collect()
    };
    let axis = |entry: Entry<'_>| Some((entry.key.text()?.into(), values(entry.value)));
    map.entries().into_iter().filter_map(axis).collect()
}

/// Returns the name of a job in a row, from which GitLab makes the slug.
pub fn name(job: &str, row: &MatrixRow) -> String {
    match row.as_slice() {
        [] => job.to_owned(),
        [(name, value)] if *name == NUMBER.into() => format!("{job} {value}"),
        row => {
            let values: Vec<&str> = row.iter().map(|(_, value)| value.as_str()).collect();
            format!("{job}: [{}]", values.join(", "))
        }
    }
}
