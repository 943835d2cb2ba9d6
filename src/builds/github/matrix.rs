//! The matrix of a job: the combinations that it runs in, and the names that tell them apart.
//!
//! As GitHub has it: the product of the lists, without what `exclude` matches; each entry of `include` goes to every
//! combination of which it changes no value of a list, or else is a combination of its own; 256 at most.

use super::super::matrix::{MAX_ROWS, product};
use super::super::model::Runs;
use super::super::yaml::Node;
use super::expression;
use crate::budget;

/// One combination: each name with its value, as expressions get at it: those within values as `config.name`, what is no
/// identifier as `['py version']`.
pub(super) type Row = Vec<(String, String)>;

/// A job's matrix.
#[derive(Debug)]
pub(super) struct Matrix {
    /// The combinations; a job without a matrix has one, which is empty. `None` where only a run knows them.
    pub(super) rows: Option<Vec<Row>>,
    /// The names of the lists; those that the job uses where nothing else is known.
    names: Vec<String>,
    /// Whether there is a matrix, of which nothing says a single name.
    nameless: bool,
    /// Whether its jobs run one after the other: `max-parallel: 1`.
    sequential: bool,
}

/// A combination while it is made: names with their values, and how many of them are of lists.
type Combination<'y> = Vec<(&'y str, Node<'y>)>;

impl Matrix {
    /// The matrix of `job`, whose text is `source`.
    pub(super) fn of(job: Node<'_>, source: &str) -> Self {
        let strategy = job.get("strategy");
        let sequential =
            strategy.and_then(|strategy| strategy.get_text("max-parallel")) == Some("1");
        let Some(matrix) = strategy.and_then(|strategy| strategy.get("matrix")) else {
            return Self {
                rows: Some(vec![Row::new()]),
                names: Vec::new(),
                nameless: false,
                sequential,
            };
        };
        if !matrix.is_map() {
            return Self::open(used(job, source), sequential);
        }
        let entries = matrix.entries();
        let lists = entries.iter().filter_map(|entry| {
            let name = entry
                .key
                .text()
                .filter(|name| !matches!(*name, "include" | "exclude"))?;
            Some((name, entry.value))
        });
        let lists: Vec<(&str, Node<'_>)> = lists.collect();
        let include = matrix.get("include");
        let has_more = include.is_some_and(|include| !include.is_list());
        if has_more || lists.iter().any(|(_, list)| !list.is_list()) {
            let several = |list: &Node<'_>| !list.is_list() || list.items().len() > 1;
            let names: Vec<String> = lists
                .iter()
                .filter(|(_, list)| several(list))
                .map(|(name, _)| expression::step(name))
                .collect();
            let names = if names.is_empty() {
                used(job, source)
            } else {
                names
            };
            return Self::open(names, sequential);
        }
        let names = lists
            .iter()
            .map(|(name, _)| expression::step(name))
            .collect();
        let rows = rows(&lists, include, matrix.get("exclude"));
        Self {
            rows,
            names,
            nameless: false,
            sequential,
        }
    }

    /// A matrix of which at most `names` are known, and only a run knows the values.
    fn open(names: Vec<String>, sequential: bool) -> Self {
        Self {
            rows: None,
            nameless: names.is_empty(),
            names,
            sequential,
        }
    }

    /// A job that may run in any matrix, like the steps of an action: nothing is known.
    pub(super) fn unknown() -> Self {
        Self {
            rows: None,
            names: Vec::new(),
            nameless: false,
            sequential: false,
        }
    }

    /// The names that tell these rows apart where they run at once, as expressions get at them.
    pub(super) fn axes(&self, rows: Option<&[&Row]>) -> Vec<String> {
        match rows {
            _ if self.sequential => Vec::new(),
            Some(rows) => axes(rows, &self.names),
            None => self.names.clone(),
        }
    }

    /// How often what runs in these rows runs at once.
    pub(super) fn runs(&self, rows: Option<&[&Row]>) -> Runs {
        let names: Vec<String> = self
            .axes(rows)
            .iter()
            .map(|axis| expression::shown(axis))
            .collect();
        let nameless = self.nameless && !self.sequential;
        if names.is_empty() && !nameless {
            Runs::Once
        } else {
            Runs::Matrix(names)
        }
    }

    /// Whether all values for `names` can be part of an id; `None` where they are not known.
    pub(super) fn is_safe(&self, names: &[String]) -> Option<bool> {
        let rows = self.rows.as_ref()?;
        let values = || {
            rows.iter()
                .flat_map(|row| names.iter().filter_map(|name| value(row, name)))
        };
        let is_known = values().all(|value| !value.contains("${{"));
        let is_empty = |row: &Row| {
            names
                .iter()
                .all(|name| value(row, name).is_none_or(str::is_empty))
        };
        is_known.then(|| values().all(is_safe) && (names.is_empty() || !rows.iter().any(is_empty)))
    }
}

/// The value of `name` in a row.
pub(super) fn value<'r>(row: &'r Row, name: &str) -> Option<&'r str> {
    row.iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
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
) -> Option<Vec<Row>> {
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

fn flat(combination: &Combination<'_>) -> Row {
    let mut row = Row::new();
    for (name, value) in combination {
        flatten(&expression::step(name), *value, &mut row);
    }
    row
}

fn flatten(name: &str, value: Node<'_>, row: &mut Row) {
    if value.is_map() {
        for entry in value.entries() {
            let name = expression::within(name, entry.key.text().unwrap_or_default());
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
fn axes(rows: &[&Row], lists: &[String]) -> Vec<String> {
    let mut rows = rows.to_vec();
    rows.sort();
    rows.dedup();
    if rows.len() < 2 {
        return Vec::new();
    }
    let mut names: Vec<&str> = Vec::new();
    for name in lists.iter().map(String::as_str).chain(
        rows.iter()
            .flat_map(|row| row.iter().map(|(name, _)| &**name)),
    ) {
        if budget::spend(names.len()) && !names.contains(&name) {
            names.push(name);
        }
    }
    names.retain(|name| kinds(&rows, &[*name]) > 1);
    let usable = |name: &&&str| {
        expression::is_plain(name) && rows.iter().all(|row| value(row, name).is_none_or(is_safe))
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
fn kinds(rows: &[&Row], names: &[&str]) -> usize {
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
fn few<'n>(rows: &[&Row], names: &[&'n str]) -> Option<Vec<&'n str>> {
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

/// The names that the expressions of a job use of a matrix that only a run knows.
fn used(job: Node<'_>, source: &str) -> Vec<String> {
    let span = job.span();
    let text = source.get(span.start..span.end).unwrap_or_default();
    expression::mentioned(text, "matrix")
}
