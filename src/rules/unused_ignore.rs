//! `unused-ignore`: a suppression that suppresses nothing, or is faulty.

use crate::finding::{Finding, RuleId, Severity};
use crate::fix::Fix;
use crate::suppress::{self, Covers, Fault, Ignore};
use crate::text::Span;

/// A suppression with names that suppress nothing.
#[derive(Clone, Copy, Debug)]
pub struct Idle<'i> {
    pub ignore: &'i Ignore,
    /// The ordered indices of the names that suppress nothing.
    pub names: &'i [usize],
}

pub(super) fn check(idle: Idle<'_>, findings: &mut Vec<Finding>) {
    findings.extend(match &idle.ignore.fault {
        Some(fault) => Some(faulty(idle.ignore, fault)),
        None => unused(idle),
    });
}

fn unused(
    Idle {
        ignore,
        names: unused,
    }: Idle<'_>,
) -> Option<Finding> {
    let first = ignore.names.get(*unused.first()?)?;
    let names: Vec<String> = unused
        .iter()
        .map(|index| format!("`{}`", ignore.names[*index].0))
        .collect();
    let unknown = unused
        .iter()
        .map(|index| ignore.names[*index].0.as_str())
        .find(|name| RuleId::by_name(name).is_none());
    let span = if unused.len() == 1 {
        first.1
    } else {
        ignore.comment
    };
    let message = match unknown {
        Some(name) if unused.len() == 1 => {
            format!("there is no rule `{name}`: this suppresses nothing")
        }
        _ => format!(
            "this suppresses nothing: {} {} nothing to say here",
            names.join(", "),
            has(unused.len())
        ),
    };
    let near = unknown.map(RuleId::nearest).filter(|near| !near.is_empty());
    let help: String = match (&near, ignore.covers) {
        (Some(near), _) => format!("did you mean `{}`?", near.join("` or `")),
        (_, Covers::Nothing) => {
            "put it right above the instruction, without a blank line between".into()
        }
        _ if unused.len() < ignore.names.len() => {
            format!("take {} out of the list", names.join(", "))
        }
        _ if ignore.guards => "put another comment in its place".into(),
        _ => "remove the comment".into(),
    };
    let compares =
        |index: &usize| RuleId::by_name(&ignore.names[*index].0).is_some_and(RuleId::compares);
    // These words mean rules that exist.
    let all = |index: &usize| matches!(ignore.names[*index].0.as_str(), "*" | "all");
    let all = unused.iter().any(all);
    let help = if all {
        "name the rules to silence: no word stands for all of them".into()
    } else {
        help
    };
    let fix = if all {
        Err("only you know which rules are meant".into())
    } else if ignore.guards && unused.len() >= ignore.names.len() {
        Err("without a comment there, a line below would become a parser directive, or lose its first mark (U+FEFF)"
            .into())
    } else if near.is_some() {
        Err("only you know which rule is meant".into())
    } else if ignore.covers == Covers::Nothing {
        Err("only you know which instruction is meant".into())
    } else if unused.iter().any(compares) {
        Err("another file may be the reason: remove it by hand".into())
    } else {
        Ok(Fix::safe(
            format!("remove the suppression of {}", names.join(", ")),
            suppress::remove(ignore, unused),
        ))
    };
    Some(
        Finding::new(RuleId::UnusedIgnore, span, message)
            .help(help)
            .fix(fix),
    )
}

fn has(names: usize) -> &'static str {
    if names == 1 { "has" } else { "have" }
}

fn faulty(ignore: &Ignore, fault: &Fault) -> Finding {
    let verb = if ignore.covers == Covers::File {
        "ignore-file"
    } else {
        "ignore"
    };
    let message = match fault {
        Fault::NoColon => "this suppresses nothing: there is no `:` after `cachelane`".into(),
        Fault::Trailing => {
            "this suppresses nothing: after a command, a comment is the shell's".into()
        }
        Fault::NoList => "this suppresses nothing: it names no rule".into(),
        Fault::Open => "this suppresses nothing: its list has no `]`".into(),
        Fault::Unknown(word) => format!("this suppresses nothing: cachelane knows no `{word}`"),
    };
    let span = Span::new(ignore.comment.start, ignore.comment.end);
    let place = if *fault == Fault::Trailing {
        " on a line of its own above the instruction,"
    } else {
        ""
    };
    let mut finding = Finding::new(RuleId::UnusedIgnore, span, message)
        .help(format!(
            "write `# cachelane: {verb}[RULE, …] reason`{place} with the rules to silence"
        ))
        .fix(Err("only you know which rules are meant".into()));
    finding.severity = Severity::Error;
    finding
}
