//! The machine of a job, by the labels of its runner. With a machine to itself, no other job's build gets in its way.
//!
//! By GitHub's documents ("GitHub-hosted runners") each job gets a new machine, whose labels begin with the system's
//! name. Those who offer machines for a job each by labels of their own say so in their documents.

use std::sync::Arc;

use super::evaluate::evaluated;
use super::expression::{first, property};
use super::matrix::value_in;
use super::value::{Operand, Value};
use crate::budget;
use crate::builds::builder::{Builder, Builders, CallersMachine, Daemon, OwnBuilder};
use crate::builds::jobs::{Job, Matrix, MatrixRow, value};
use crate::builds::model::AxisPath;
use crate::builds::yaml::Node;

/// The prefixes of GitHub's own labels, of which all of a job's have one.
const GITHUB: &[&str] = &["ubuntu-", "windows-", "macos-"];

/// The prefixes of others' labels, one of which a job has beside any: Actuated, Blacksmith, `BuildJet`, AWS `CodeBuild`,
/// Cirrus, Depot, Namespace (two), `RunsOn`, Ubicloud, `WarpBuild`.
const OTHERS: &[&str] = &[
    "actuated-",
    "blacksmith-",
    "buildjet-",
    "codebuild-",
    "ghcr.io/cirruslabs/",
    "depot-",
    "namespace-profile-",
    "nscloud-",
    "runs-on",
    "ubicloud",
    "warp-",
];

/// A value that a label can have.
enum Choice {
    /// A text; or the beginning of one, as written.
    Label(String),
    /// The value of the input of this name.
    Input(String),
    Unknown,
}

/// Returns the builders that the steps of the job `node` see at first; `root` is its workflow.
pub fn builders<'y>(node: Node<'y>, job: &Job, root: Node<'_>) -> Builders {
    let texts = |on: Node<'y>| on.scalars().into_iter().filter_map(Node::text).collect();
    let machine = match node.get("runs-on") {
        Some(on) if on.is_map() => {
            let labels = on.get("labels").map_or_else(Vec::new, texts);
            in_group(
                on.get_text("group").unwrap_or_default(),
                &labels,
                &job.matrix,
                root,
            )
        }
        Some(on) => machine(&texts(on), &job.matrix, root),
        None => Builder::Shared,
    };
    let services = node.get("services").map(Node::entries).unwrap_or_default();
    let image = |node: Node<'_>, row| {
        let image = node.text().or_else(|| node.get_text("image"))?;
        Some(filled(image, &job.matrix, row))
    };
    let rows = job.matrix.rows.iter().enumerate();
    let rows = rows.take_while(|(at, _)| *at == 0 || budget::spend(64 * (1 + services.len())));
    let of_row = rows.map(|(at, row)| {
        let daemons = services.iter().filter_map(|service| {
            let hosts = vec![service.key.text()?.to_owned(), "localhost".to_owned()];
            Daemon::of(&image(service.value, row)?, hosts)
        });
        let container = node.get("container").and_then(|node| image(node, row));
        let own = OwnBuilder::within(container.as_deref()).map(Builder::Own);
        Builders::new(own.unwrap_or_else(|| machine.in_row(at)), daemons.collect())
    });
    Builders::of_rows(&of_row.collect::<Vec<_>>())
}

/// Returns the builder of a machine of a group: one of one's own, or one of GitHub's larger ones, whose label is any name.
fn in_group(group: &str, labels: &[&str], matrix: &Matrix, root: Node<'_>) -> Builder {
    let is_own = |label: &&str| label.eq_ignore_ascii_case("self-hosted");
    match machine(labels, matrix, root) {
        Builder::Shared if !labels.iter().any(is_own) => {
            let why = format!("only a run knows the runners of the group `{group}`");
            Builder::Unknown(why.into())
        }
        known => known,
    }
}

/// Returns the builder of the machine with all of `labels`, for each row where the rows of the matrix choose.
pub fn machine(labels: &[&str], matrix: &Matrix, root: Node<'_>) -> Builder {
    let listed = if matrix.open { &[][..] } else { &matrix.rows };
    let all = of_rows(labels, listed, Some(root));
    if all.own().is_some() || !budget::spend(64 * listed.len()) {
        return all;
    }
    let row = |row: &MatrixRow| {
        let labels: Vec<String> = labels
            .iter()
            .map(|label| filled(label, matrix, row))
            .collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        of_rows(&labels, std::slice::from_ref(row), Some(root))
    };
    let rows: Vec<Builder> = listed.iter().map(row).collect();
    if rows.iter().all(|one| *one == all) {
        return all;
    }
    Builder::OfRow(rows.into())
}

/// Returns a label as it is in a row of the matrix, where that alone says.
fn filled(label: &str, matrix: &Matrix, row: &MatrixRow) -> String {
    let resolve = |context: &str, path: Option<&AxisPath>| {
        let value = value_in(matrix, row, path.filter(|_| context == "matrix")?)?;
        let is_known = !matches!(&value, Value::Text(text) if text.text.contains("${{"));
        is_known.then(|| Operand::of(value, true))
    };
    let known = || {
        if matrix.open {
            return None;
        }
        let (before, inner, behind) = first(label)?;
        let text = evaluated(inner, &resolve)?.value.text()?.plain()?;
        (!behind.contains("${{")).then(|| format!("{before}{text}{behind}"))
    };
    known().unwrap_or_else(|| label.to_owned())
}

/// Returns the builder of the machine with all of `labels` in any of these rows of a matrix.
///
/// Without the `root` nobody knows an input: the default of one may name itself, as what a person typed.
fn of_rows(labels: &[&str], rows: &[MatrixRow], root: Option<Node<'_>>) -> Builder {
    let known = |choice: Choice| match choice {
        Choice::Input(_) if root.is_none() => Choice::Unknown,
        known => known,
    };
    let choices = |label: &&str| choices(label, rows).into_iter().map(known).collect();
    let choices: Vec<Vec<Choice>> = labels.iter().map(choices).collect();
    let all = || choices.iter().flatten();
    let mut texts: Vec<&str> = Vec::new();
    for choice in all() {
        let Choice::Label(text) = choice else {
            continue;
        };
        for label in listed(text) {
            if budget::spend(texts.len()) && !texts.contains(&label) {
                texts.push(label);
            }
        }
    }
    let own = || Builder::Own(OwnBuilder::Machine(Arc::from(texts.join(", "))));
    let is_label = |choice: &Choice, test: fn(&str) -> bool| match choice {
        Choice::Label(text) => test(text),
        Choice::Input(_) | Choice::Unknown => false,
    };
    let is_of = |test| move |choices: &Vec<Choice>| choices.iter().all(|one| is_label(one, test));
    if choices.is_empty() || choices.iter().any(Vec::is_empty) {
        return Builder::Shared;
    }
    if choices.iter().any(is_of(is_others)) || choices.iter().all(is_of(is_hosted)) {
        return own();
    }
    // One that a file writes, such as `self-hosted`, says enough.
    let is_open = |choice: &Choice| !matches!(choice, Choice::Label(_));
    if !all().all(|choice| is_open(choice) || is_label(choice, is_hosted)) {
        return Builder::Shared;
    }
    let is_unknown =
        |choices: &&Vec<Choice>| choices.iter().any(|one| matches!(one, Choice::Unknown));
    let unknown = choices.iter().position(|choices| is_unknown(&choices));
    // Without the caller's say: the last of `vars.RUNNER || 'ubuntu-24.04'` is what it is but for whoever sets the variable.
    let fallback = || match unknown {
        _ if !texts.is_empty() => own(),
        Some(at) => {
            let why = format!("only a run knows its runner: `{}`", labels[at].trim());
            Builder::Unknown(why.into())
        }
        None => Builder::Shared,
    };
    let mut inputs = all().filter_map(|choice| match choice {
        Choice::Input(name) => Some(name),
        _ => None,
    });
    let (input, None) = (inputs.next(), inputs.next()) else {
        return Builder::Shared;
    };
    let Some(input) = input else {
        return fallback();
    };
    let default = match root.and_then(|root| default(input, root)) {
        Some(default) => of_rows(&default, &[], None),
        None => fallback(),
    };
    let input = input.clone();
    Builder::OfCaller(Arc::new(CallersMachine { input, default }))
}

/// Returns what an input stands for that is left out: its default, or all that a person can choose from.
fn default<'y>(input: &str, root: Node<'y>) -> Option<Vec<&'y str>> {
    let of = |event: &str| root.get("on")?.get(event)?.get("inputs")?.get(input);
    let texts = |node: Node<'y>| node.scalars().into_iter().filter_map(Node::text).collect();
    let options = of("workflow_dispatch").and_then(|input| input.get("options"));
    let called = of("workflow_call").and_then(|input| input.get("default"));
    let typed = || of("workflow_dispatch").and_then(|input| input.get("default"));
    options.or(called).or_else(typed).map(texts)
}

fn is_others(label: &str) -> bool {
    let mut labels = listed(label);
    labels.any(|label| OTHERS.iter().any(|start| label.starts_with(start)))
}

fn is_hosted(label: &str) -> bool {
    let is_github = |label: &str| GITHUB.iter().any(|start| label.starts_with(start));
    is_others(label) || (!label.is_empty() && listed(label).all(is_github))
}

/// Returns the labels in a text, which may be a list in JSON.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    let list = text.trim().trim_matches(['[', ']']);
    list.split(',').map(|label| label.trim().trim_matches('"'))
}

/// Returns the values that `text`, an expression and nothing else, can have as far as they are known.
pub fn chosen(text: &str, job: &Job, root: Option<Node<'_>>) -> Vec<String> {
    let is_expression = text.matches("${{").count() == 1 && text.trim().ends_with("}}");
    let matrix = &job.matrix;
    let rows = if matrix.open { &[][..] } else { &matrix.rows };
    let choices = choices(text, rows)
        .into_iter()
        .filter(|_| is_expression && text.trim().starts_with("${{"));
    let texts = choices.flat_map(|choice| match choice {
        Choice::Label(text) => vec![text],
        Choice::Input(name) => {
            let texts = root.and_then(|root| default(&name, root));
            let texts = texts.unwrap_or_default().into_iter();
            texts.map(str::to_owned).collect()
        }
        Choice::Unknown => Vec::new(),
    });
    texts.filter(|text| !text.contains('{')).collect()
}

/// Returns the values that a label can have, one of each operand of an `||` and each combination of a matrix.
fn choices(label: &str, rows: &[MatrixRow]) -> Vec<Choice> {
    let mut found = Vec::new();
    let expression = label.trim().strip_prefix("${{");
    match expression.and_then(|behind| behind.split_once("}}")) {
        // What is behind the beginning does not matter.
        None => found.push(Choice::Label(label.to_owned())),
        Some((inner, _)) => {
            let _ = budget::nested(|| operands(inner, rows, &mut found));
        }
    }
    found
}

fn operands(expression: &str, rows: &[MatrixRow], found: &mut Vec<Choice>) {
    for operand in split(expression, "||") {
        // `condition && value`
        let value = split(operand, "&&").last().copied().unwrap_or_default();
        let _ = budget::nested(|| operand_values(value.trim(), rows, found));
    }
}

fn operand_values(operand: &str, rows: &[MatrixRow], found: &mut Vec<Choice>) {
    let within = |start: &str| operand.strip_prefix(start)?.strip_suffix(')');
    if let Some(inner) = within("(")
        .or_else(|| within("fromJSON("))
        .or_else(|| within("fromJson("))
    {
        return operands(inner, rows, found);
    }
    let quoted = |text: &str| {
        let text = text.trim().strip_prefix('\'')?.strip_suffix('\'')?;
        (!text.contains('\'')).then(|| text.to_owned())
    };
    if let Some(text) = quoted(operand) {
        return found.push(Choice::Label(text));
    }
    let format = within("format(").and_then(|inner| quoted(split(inner, ",")[0]));
    if let Some(format) = format.filter(|format| !format.starts_with('{')) {
        return found.push(Choice::Label(format));
    }
    let inputs = ["inputs.", "github.event.inputs."];
    if let Some(name) = inputs.iter().find_map(|start| operand.strip_prefix(start)) {
        return found.push(Choice::Input(name.to_owned()));
    }
    let axis = operand.strip_prefix("matrix").and_then(property);
    let Some((axis, "")) = axis.filter(|_| !rows.is_empty()) else {
        return found.push(Choice::Unknown);
    };
    for label in rows.iter().filter_map(|row| value(row, &axis)) {
        if !budget::spend(16 + label.len()) {
            return;
        }
        found.extend(choices(label, rows));
    }
}

/// Splits an expression at an operator that stands neither within quotes nor within brackets.
fn split<'e>(expression: &'e str, operator: &str) -> Vec<&'e str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut depth, mut quoted) = (0_usize, false);
    for (at, byte) in expression.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'(' | b'[' if !quoted => depth += 1,
            b')' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_here = expression.as_bytes()[at..].starts_with(operator.as_bytes());
        if is_here && !quoted && depth == 0 && at >= start {
            parts.push(&expression[start..at]);
            start = at + operator.len();
        }
    }
    parts.push(&expression[start..]);
    parts
}
