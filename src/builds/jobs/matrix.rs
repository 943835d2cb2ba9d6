use std::borrow::Borrow;

use super::model::MatrixRow;
use crate::budget;
use crate::builds::model::AxisPath;
use crate::builds::yaml::{Entry, Node};

/// The most combinations of a matrix that are read one by one; GitHub makes no more jobs of one.
pub const MAX_ROWS: usize = 256;

/// Returns each combination of the axes' values, the last axis changing fastest; `None` where they are too many.
pub fn product<N: Clone, V: Clone>(axes: &[(N, Vec<V>)]) -> Option<Vec<Vec<(N, V)>>> {
    let mut rows = vec![Vec::new()];
    for (name, values) in axes {
        if rows.len().saturating_mul(values.len()) > MAX_ROWS {
            return None;
        }
        let longer = |row: &Vec<(N, V)>| {
            let with = |value: &V| [&row[..], &[(name.clone(), value.clone())]].concat();
            values.iter().map(with).collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(longer).collect();
    }
    Some(rows)
}

/// Returns the texts in a list, nested lists included; a text alone is a list of one.
pub fn values(list: Node<'_>) -> Vec<String> {
    let values = list.scalars().into_iter().filter_map(Node::text);
    values.map(str::to_owned).collect()
}

pub fn axes(map: Node<'_>) -> Vec<(AxisPath, Vec<String>)> {
    let axis = |entry: Entry<'_>| Some((entry.key.text()?.into(), values(entry.value)));
    map.entries().into_iter().filter_map(axis).collect()
}

/// Returns the value of this name in a combination.
pub fn value<'r, N, V>(row: &'r [(impl Borrow<N>, V)], name: &N) -> Option<&'r V>
where
    N: PartialEq + ?Sized,
{
    let (_, value) = row.iter().find(|(key, _)| key.borrow() == name)?;
    Some(value)
}

/// Returns the names of values that differ between `rows`: those of `first`, then others in order of their first use.
pub fn varying(rows: &[&MatrixRow], first: &[AxisPath]) -> Vec<AxisPath> {
    let mut names: Vec<&AxisPath> = first.iter().collect();
    for (name, _) in rows.iter().flat_map(|row| row.iter()) {
        if budget::spend(names.len()) && !names.contains(&name) {
            names.push(name);
        }
    }
    let varies = |name: &&AxisPath| {
        budget::spend(rows.len() * rows[0].len());
        let one = value(rows[0], *name);
        rows.iter().any(|row| value(row, *name) != one)
    };
    names.retain(|name| !rows.is_empty() && varies(name));
    names.into_iter().cloned().collect()
}

/// Groups the rows, by their indices, by equal values for all of `names`.
pub fn groups(rows: &[MatrixRow], names: &[AxisPath]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut keys: Vec<Vec<Option<&String>>> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let key: Vec<Option<&String>> = names.iter().map(|name| value(row, name)).collect();
        if let Some(at) = keys.iter().position(|other| *other == key) {
            groups[at].push(index);
        } else {
            keys.push(key);
            groups.push(vec![index]);
        }
    }
    groups
}
