//! The matrix of a job: the combinations that it runs in, and the names that tell them apart.
//!
//! As GitHub has it: the product of the lists, without what `exclude` matches; each entry of `include` goes to every
//! combination of which it changes no value of a list, or else is a combination of its own; 256 at most.

use super::expression::{accessor, is_plain, mentioned, within};
use crate::budget;
use crate::builds::jobs::{MAX_ROWS, Matrix, MatrixRow, product, value, varying};
use crate::builds::yaml::Node;

/// A combination while it is made: names with their values, and how many of them are of lists.
type Combination<'y> = Vec<(&'y str, Node<'y>)>;

/// Reads the matrix of `job`. Names are as expressions get at them: those within values as `config.name`, what is no
/// identifier as `['py version']`.
pub fn read(job: Node<'_>) -> Matrix {
    let strategy = job.get("strategy");
    let matrix = strategy.and_then(|strategy| strategy.get("matrix"));
    let sequential = strategy.and_then(|strategy| strategy.get_text("max-parallel")) == Some("1");
    let matrix = matrix.map_or_else(|| Ok(Matrix::none()), listed);
    Matrix {
        sequential,
        ..matrix.unwrap_or_else(|names| {
            // The names that the job uses, where nothing else is known.
            let used = || mentioned(job.raw(), "matrix");
            Matrix::open(if names.is_empty() { used() } else { names })
        })
    }
}

/// Reads a matrix whose values stand in the file.
///
/// # Errors
/// Fails with the names that are known of one whose values only a run knows.
fn listed(matrix: Node<'_>) -> Result<Matrix, Vec<String>> {
    if !matrix.is_map() {
        return Err(Vec::new());
    }
    let entries = matrix.entries();
    let lists = entries.iter().filter_map(|entry| {
        let name = entry.key.text()?;
        (!matches!(name, "include" | "exclude")).then_some((name, entry.value))
    });
    let lists: Vec<(&str, Node<'_>)> = lists.collect();
    let include = matrix.get("include");
    let has_more = include.is_some_and(|include| !include.is_list());
    if has_more || lists.iter().any(|(_, list)| !list.is_list()) {
        let several = |list: &Node<'_>| !list.is_list() || list.items().len() > 1;
        let several = lists.iter().filter(|(_, list)| several(list));
        return Err(several.map(|(name, _)| accessor(name)).collect());
    }
    let names: Vec<String> = lists.iter().map(|(name, _)| accessor(name)).collect();
    Ok(match rows(&lists, include, matrix.get("exclude")) {
        Some(rows) => Matrix {
            rows,
            names,
            ..Matrix::default()
        },
        None => Matrix::open(names),
    })
}

/// Returns whether all values for `names` can be part of an id; `None` where they are not known.
pub fn are_safe(matrix: &Matrix, names: &[String]) -> Option<bool> {
    if names.is_empty() {
        return Some(true);
    }
    let values = || {
        let rows = matrix.rows.iter();
        rows.flat_map(|row| names.iter().filter_map(|name| value(row, name)))
    };
    let is_known = !matrix.open && values().all(|value| !value.contains("${{"));
    let is_empty = |row: &MatrixRow| {
        let mut values = names.iter().map(|name| value(row, name));
        values.all(|value| value.is_none_or(str::is_empty))
    };
    is_known.then(|| values().all(is_safe) && !matrix.rows.iter().any(is_empty))
}

/// Whether a value can be part of a cache id: a mount's options are split at commas, and quotes and blanks are read.
fn is_safe(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@+~".contains(&byte);
    value.bytes().all(plain)
}

fn rows<'y>(
    lists: &[(&'y str, Node<'y>)],
    include: Option<Node<'y>>,
    exclude: Option<Node<'y>>,
) -> Option<Vec<MatrixRow>> {
    let mut combinations: Vec<Combination<'y>> = Vec::new();
    if !lists.is_empty() {
        let axes = lists.iter().map(|(name, list)| (*name, list.items()));
        combinations = product(&axes.collect::<Vec<_>>())?;
    }
    for out in exclude.map(Node::items).unwrap_or_default() {
        let matches = |row: &Combination<'_>| {
            out.entries().iter().all(|entry| {
                let name = entry.key.text().unwrap_or_default();
                row.iter()
                    .any(|(key, value)| *key == name && covers(*value, entry.value))
            })
        };
        combinations.retain(|row| !matches(row));
    }
    let original = combinations.len();
    for more in include.map(Node::items).unwrap_or_default() {
        let entries = more.entries();
        if !budget::spend(1 + original * (1 + entries.len())) {
            return None;
        }
        let mut found = false;
        for row in combinations.iter_mut().take(original) {
            let clashes = entries.iter().any(|entry| {
                let name = entry.key.text().unwrap_or_default();
                row.iter()
                    .take(lists.len())
                    .any(|(key, value)| *key == name && !covers(*value, entry.value))
            });
            if !clashes {
                found = true;
                for entry in &entries {
                    put(
                        row,
                        entry.key.text().unwrap_or_default(),
                        entry.value,
                        lists.len(),
                    );
                }
            }
        }
        if !found {
            combinations.push(
                entries
                    .iter()
                    .map(|entry| (entry.key.text().unwrap_or_default(), entry.value))
                    .collect(),
            );
        }
        if combinations.len() > MAX_ROWS {
            return None;
        }
    }
    Some(combinations.iter().map(flat).collect())
}

/// Adds a value, or puts it in the place of what an earlier `include` has brought.
fn put<'y>(row: &mut Combination<'y>, name: &'y str, value: Node<'y>, lists: usize) {
    match row.iter().position(|(key, _)| *key == name) {
        Some(at) if at >= lists => row[at].1 = value,
        Some(_) => {}
        None => row.push((name, value)),
    }
}

/// Whether `value` has all that `pattern` has.
fn covers(value: Node<'_>, pattern: Node<'_>) -> bool {
    if pattern.is_map() {
        return pattern.entries().iter().all(|entry| {
            let name = entry.key.text().unwrap_or_default();
            let covers = |value| budget::nested(|| covers(value, entry.value)) == Some(true);
            value.get(name).is_some_and(covers)
        });
    }
    text(value) == text(pattern)
}

/// A value as one text: that of a scalar, or of all that is in it.
fn text(value: Node<'_>) -> String {
    match value.text() {
        Some(text) => text.to_owned(),
        None => format!(
            "[{}]",
            value
                .items()
                .iter()
                .filter_map(|item| budget::nested(|| text(*item)))
                .collect::<Vec<_>>()
                .join(",")
        ),
    }
}

fn flat(combination: &Combination<'_>) -> MatrixRow {
    let mut row = MatrixRow::new();
    for (name, value) in combination {
        flatten(&accessor(name), *value, &mut row);
    }
    row
}

fn flatten(name: &str, value: Node<'_>, row: &mut MatrixRow) {
    if value.is_map() {
        for entry in value.entries() {
            let name = within(name, entry.key.text().unwrap_or_default());
            let _ = budget::nested(|| flatten(&name, entry.value, row));
        }
    } else if value.is_null() {
        row.push((name.to_owned(), String::new()));
    } else {
        row.push((name.to_owned(), text(value)));
    }
}

/// The names that tell the rows apart: of the lists if these do, else as few as possible, and such as an expression takes
/// behind a dot and whose values can be part of an id.
pub fn axes(rows: &[&MatrixRow], lists: &[String]) -> Vec<String> {
    let mut rows = rows.to_vec();
    rows.sort();
    rows.dedup();
    if rows.len() < 2 {
        return Vec::new();
    }
    let names = varying(&rows, lists);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let usable = |name: &&&str| {
        is_plain(name) && rows.iter().all(|row| value(row, name).is_none_or(is_safe))
    };
    let of_lists: Vec<&str> = names
        .iter()
        .filter(usable)
        .filter(|name| lists.iter().any(|l| l == **name))
        .copied()
        .collect();
    let safe: Vec<&str> = names.iter().filter(usable).copied().collect();
    let chosen = if !of_lists.is_empty() && kinds(&rows, &of_lists) == rows.len() {
        of_lists
    } else {
        few(&rows, &safe)
            .or_else(|| few(&rows, &names))
            .unwrap_or(names)
    };
    chosen.into_iter().map(str::to_owned).collect()
}

/// How many different rows there are when only `names` are looked at.
fn kinds(rows: &[&MatrixRow], names: &[&str]) -> usize {
    budget::spend(rows.len() * names.len() * rows.first().map_or(0, |row| row.len()));
    let mut kinds: Vec<Vec<Option<&str>>> = rows
        .iter()
        .map(|row| names.iter().map(|name| value(row, name)).collect())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.len()
}

/// A few of `names` that tell all rows apart, the best one first, and an earlier one before a later.
fn few<'n>(rows: &[&MatrixRow], names: &[&'n str]) -> Option<Vec<&'n str>> {
    let mut chosen: Vec<&str> = Vec::new();
    let mut apart = 1;
    while apart < rows.len() {
        let with = |name: &str| kinds(rows, &[chosen.as_slice(), &[name]].concat());
        let (best, count) = names
            .iter()
            .map(|name| (*name, with(name)))
            .rev()
            .max_by_key(|(_, count)| *count)?;
        if count <= apart || budget::is_spent() {
            return None;
        }
        chosen.push(best);
        apart = count;
    }
    // In the order in which the file names them.
    Some(
        names
            .iter()
            .filter(|name| chosen.contains(name))
            .copied()
            .collect(),
    )
}
