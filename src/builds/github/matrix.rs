//! The matrix of a job: its combinations, and the names that tell them apart.
//!
//! By GitHub's rules: the product of the lists, without what `exclude` matches; each entry of `include` goes to every
//! combination of which it changes no value of a list, or else is a combination of its own; 256 at most.

use std::collections::BTreeSet;

use super::evaluate::evaluated;
use super::expression::{first, is_plain, mentioned};
use super::functions::to_json;
use super::value::Value;
use crate::budget;
use crate::builds::jobs::{self, MAX_ROWS, Matrix, MatrixRow, product, value, varying};
use crate::builds::model::AxisPath;
use crate::builds::yaml::{Entry, Node, Style, Yaml};

/// A combination in progress: names with their values, and the number of them that are of lists.
type Combination<'y> = Vec<(&'y str, Node<'y>)>;

/// Reads the matrix of `job`.
pub fn read(job: Node<'_>) -> Matrix {
    let strategy = job.get("strategy");
    let matrix = strategy.and_then(|strategy| strategy.get("matrix"));
    let sequential = strategy.and_then(|strategy| strategy.get_text("max-parallel")) == Some("1");
    let mut matrix = matrix.map_or_else(Matrix::none, listed);
    if matrix.open && matrix.names.is_empty() {
        matrix.names = mentioned(job.raw(), "matrix");
    }
    Matrix {
        sequential,
        ..matrix
    }
}

/// Returns a list or mapping as JSON that an expression makes of texts alone: `${{ fromJSON('["a", "b"]') }}`.
fn constant(node: Node<'_>) -> Option<String> {
    let (before, inner, behind) = first(node.text()?)?;
    let value = evaluated(inner, &|_, _| None)?.value;
    let is_whole = before.trim().is_empty() && behind.trim().is_empty() && value.is_list();
    is_whole
        .then(|| to_json(&value))?
        .map(|json| json.to_string())
}

fn listed(matrix: Node<'_>) -> Matrix {
    let entries = matrix.entries();
    let nodes = entries.iter().map(|entry| entry.value).chain([matrix]);
    let texts = nodes.filter_map(|node| Some((node, constant(node)?)));
    let texts: Vec<(Node<'_>, String)> = texts.collect();
    let made = texts.iter();
    let made = made.filter_map(|(node, text)| Some((*node, Yaml::read(text).ok()?)));
    let made: Vec<(Node<'_>, Yaml<'_>)> = made.collect();
    of_nodes(matrix, &made)
}

/// Reads a matrix, of which expressions made some nodes.
fn of_nodes<'y>(matrix: Node<'y>, made: &'y [(Node<'y>, Yaml<'y>)]) -> Matrix {
    let known = |node: Node<'y>| {
        let mut made = made.iter();
        let found = made.find(|(other, _)| other.is(node));
        found.and_then(|(_, yaml)| yaml.root()).unwrap_or(node)
    };
    let matrix = known(matrix);
    if !matrix.is_map() {
        return Matrix::open(Vec::new());
    }
    let entries = matrix.entries();
    let lists = entries.iter().filter_map(|entry| {
        let name = entry.key.text()?;
        (!matches!(name, "include" | "exclude")).then_some((name, known(entry.value)))
    });
    let lists: Vec<(&str, Node<'_>)> = lists.collect();
    let include = matrix.get("include").map(known);
    let has_more = include.is_some_and(|include| !include.is_list());
    if has_more || lists.iter().any(|(_, list)| !list.is_list()) {
        let several = |list: &Node<'_>| !list.is_list() || list.items().len() > 1;
        let several = lists.iter().filter(|(_, list)| several(list));
        return Matrix::open(several.map(|(name, _)| name.into()).collect());
    }
    let names: Vec<AxisPath> = lists.iter().map(|(name, _)| name.into()).collect();
    match rows(&lists, include, matrix.get("exclude").map(known)) {
        Some(matrix) => Matrix { names, ..matrix },
        None => Matrix::open(names),
    }
}

/// Returns a value of a row that is known as a whole.
pub fn value_in(matrix: &Matrix, row: &MatrixRow, path: &AxisPath) -> Option<Value> {
    let of = |path: &AxisPath, text: &String| {
        if matrix.untyped.contains(&(path.clone(), text.clone())) {
            Value::untyped(text)
        } else {
            Value::Text(text.as_str().into())
        }
    };
    if let Some(text) = value(row, path) {
        return Some(of(path, text));
    }
    if !budget::spend(8 * row.len()) {
        return None;
    }
    let fields = row.iter().filter_map(|(name, text)| {
        let [key] = name.names().strip_prefix(path.names())? else {
            return None;
        };
        Some((key.clone(), of(name, text)))
    });
    let fields: Vec<(String, Value)> = fields.collect();
    let is_within = |name: &AxisPath| name.names().starts_with(path.names());
    let deeper = row.iter().filter(|(name, _)| is_within(name)).count();
    Some(match (fields.len(), deeper) {
        (_, 0) => Value::Null,
        (all, deeper) if all == deeper => Value::Object(fields),
        _ => Value::Unknown,
    })
}

/// Returns whether all values for `names` can be part of an id; `None` where they are unknown.
pub fn are_safe(matrix: &Matrix, names: &[AxisPath]) -> Option<bool> {
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
        values.all(|value| value.is_none_or(String::is_empty))
    };
    is_known.then(|| values().all(|value| is_safe(value)) && !matrix.rows.iter().any(is_empty))
}

/// Returns whether a value can be part of a cache id: a mount's options are split at commas, and quotes and blanks are
/// interpreted.
fn is_safe(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@+~".contains(&byte);
    value.bytes().all(plain)
}

fn rows<'y>(
    lists: &[(&'y str, Node<'y>)],
    include: Option<Node<'y>>,
    exclude: Option<Node<'y>>,
) -> Option<Matrix> {
    let entries = |list: Option<Node<'y>>| {
        let pair = |entry: Entry<'y>| (entry.key.text().unwrap_or_default(), entry.value);
        let pairs = move |item: Node<'y>| item.entries().into_iter().map(pair).collect();
        list.map(Node::items)
            .unwrap_or_default()
            .into_iter()
            .map(pairs)
    };
    let mut rows: Vec<Combination<'y>> = Vec::new();
    if !lists.is_empty() {
        let axes = lists.iter().map(|(name, list)| (*name, list.items()));
        rows = product(&axes.collect::<Vec<_>>())?;
    }
    for out in entries(exclude) {
        let out: Combination<'y> = out;
        let is_out = |row: &Combination<'y>| {
            let mut out = out.iter();
            out.all(|(name, value)| jobs::value(row, name).is_some_and(|own| covers(*own, *value)))
        };
        rows.retain(|row| !is_out(row));
    }
    let original = rows.len();
    for more in entries(include) {
        let more: Combination<'y> = more;
        if !budget::spend(1 + original * (1 + more.len())) {
            return None;
        }
        let mut found = false;
        for row in &mut rows[..original] {
            let listed = &row[..lists.len()];
            let fits = |(name, value): &(&str, Node<'y>)| {
                jobs::value(listed, name).is_none_or(|own| covers(*own, *value))
            };
            if !more.iter().all(fits) {
                continue;
            }
            found = true;
            for (name, value) in &more {
                match row.iter().position(|(key, _)| key == name) {
                    // A value of an earlier entry is replaced.
                    Some(at) if at >= lists.len() => row[at].1 = *value,
                    Some(_) => {}
                    None => row.push((name, *value)),
                }
            }
        }
        if !found {
            rows.push(more);
        }
        if rows.len() > MAX_ROWS {
            return None;
        }
    }
    let mut untyped = BTreeSet::new();
    let flat = |row: &Combination<'_>| {
        let mut made = MatrixRow::new();
        for (name, value) in row {
            flatten(name.into(), *value, &mut made, &mut untyped);
        }
        made
    };
    let rows = rows.iter().map(flat).collect();
    Some(Matrix {
        rows,
        untyped,
        ..Matrix::default()
    })
}

/// Returns whether `value` contains all of `pattern`.
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

/// Returns a value as one text: a scalar's, or that of all nested values.
fn text(value: Node<'_>) -> String {
    if let Some(text) = value.text() {
        let is_plain = value.style() == Some(Style::Plain);
        return number(text)
            .filter(|_| is_plain)
            .unwrap_or_else(|| text.to_owned());
    }
    let items = value.items().into_iter();
    let texts = items.filter_map(|item| budget::nested(|| text(item)));
    format!("[{}]", texts.collect::<Vec<_>>().join(","))
}

/// Returns a number as expressions have it: `3.10` without quotes is 3.1, and `3.0` is 3.
fn number(text: &str) -> Option<String> {
    let digits = text.trim_start_matches(['-', '+']);
    let is_number = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.chars().all(|ch| ch.is_ascii_digit() || ch == '.');
    // Longer ones would be rounded, or be written with an exponent.
    let value: f64 = text
        .parse()
        .ok()
        .filter(|_| is_number && digits.len() < 16)?;
    Some(value.to_string())
}

fn flatten(
    path: AxisPath,
    value: Node<'_>,
    row: &mut MatrixRow,
    untyped: &mut BTreeSet<(AxisPath, String)>,
) {
    if value.is_map() {
        for entry in value.entries() {
            let path = path.within(entry.key.text().unwrap_or_default());
            let _ = budget::nested(|| flatten(path, entry.value, row, untyped));
        }
        return;
    }
    let empty = value.is_null();
    let text = if empty { String::new() } else { text(value) };
    let is_text = match value.style() {
        Some(Style::Plain) => Value::untyped(&text) == Value::Unknown,
        style => style.is_some(),
    };
    if !is_text && budget::spend(16 + text.len()) {
        untyped.insert((path.clone(), text.clone()));
    }
    row.push((path, text));
}

/// Returns the names that tell the rows apart: those of the lists if they do, else as few as possible, preferring names
/// that need no brackets and whose values can be part of an id.
pub fn axes(rows: &[&MatrixRow], lists: &[AxisPath]) -> Vec<AxisPath> {
    let mut rows = rows.to_vec();
    rows.sort();
    rows.dedup();
    if rows.len() < 2 {
        return Vec::new();
    }
    let names = varying(&rows, lists);
    let names: Vec<&AxisPath> = names.iter().collect();
    let is_usable = |name: &AxisPath| {
        is_plain(name)
            && rows
                .iter()
                .all(|row| value(row, name).is_none_or(|value| is_safe(value)))
    };
    let mut safe = names.clone();
    safe.retain(|name| is_usable(name));
    let mut of_lists = safe.clone();
    of_lists.retain(|name| lists.contains(name));
    let chosen = if !of_lists.is_empty() && kinds(&rows, &of_lists) == rows.len() {
        of_lists
    } else {
        let some = few(&rows, &safe).or_else(|| few(&rows, &names));
        some.unwrap_or(names)
    };
    chosen.into_iter().cloned().collect()
}

fn kinds(rows: &[&MatrixRow], names: &[&AxisPath]) -> usize {
    budget::spend(rows.len() * names.len() * rows.first().map_or(0, |row| row.len()));
    let mut kinds: Vec<Vec<Option<&String>>> = rows
        .iter()
        .map(|row| names.iter().map(|name| value(row, *name)).collect())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.len()
}

/// Returns a few of `names` that tell all rows apart, the best one first, and an earlier one before a later.
fn few<'n>(rows: &[&MatrixRow], names: &[&'n AxisPath]) -> Option<Vec<&'n AxisPath>> {
    let mut chosen: Vec<&AxisPath> = Vec::new();
    let mut apart = 1;
    while apart < rows.len() {
        let with = |name: &'n AxisPath| kinds(rows, &[chosen.as_slice(), &[name]].concat());
        let counts = names.iter().map(|name| (*name, with(name)));
        let (best, count) = counts.rev().max_by_key(|(_, count)| *count)?;
        if count <= apart || budget::is_spent() {
            return None;
        }
        chosen.push(best);
        apart = count;
    }
    let mut names = names.to_vec();
    names.retain(|name| chosen.contains(name));
    Some(names)
}
