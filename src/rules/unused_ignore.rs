//! `unused-ignore`: a suppression that suppresses nothing, or does not say what.

use crate::finding::{Finding, RuleMeta, Severity};
use crate::fix::{Applicability, Fix};
use crate::suppress::{self, Covers, Fault, Ignore};
use crate::text::Span;

use super::{Context, Rule, by_name, nearest};

pub(super) struct UnusedIgnore;

static META: RuleMeta = RuleMeta {
    name: "unused-ignore",
    severity: Severity::Warning,
    fix: Some(Applicability::Safe),
    goes_first: false,
    summary: "a suppression that suppresses nothing, or does not say what",
    doc: r"## What it does
Finds `# cachelane: ignore[…]` and `# cachelane: ignore-file[…]` comments that name a rule which has nothing to say there,
or one that does not exist. A suppression without a list, or with another word than these two, is an error: it hides
nothing, although its writer thinks so.

## Why
A suppression that has outlived its finding hides the next one. One that is misspelt hides nothing.

## Example
```dockerfile
# cachelane: ignore[shared-lock] this builder has one job at a time
RUN make
```

## Fix
Safe: the name goes out of the list, and the line goes with the last name. There is none where the writer meant something
else (a name that is nearly a rule's, `all` or `*`, a comment that a blank line parts from its instruction), where a
line below would become a parser directive or lose a mark that on top of a file is its byte-order mark, and for a rule that
compares files (`lock-order`, `mixed-sharing`, `id-collision`, `split-cache`, `unpassed-arg`, `lane-never-reused`): another
file may be the reason, so such a suppression is named only where a whole repository was searched, or all that a
configuration is for.

## When to ignore it
It cannot be suppressed in the file. Turn it off in the configuration where files are checked with different rules.
",
};

impl Rule for UnusedIgnore {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn other_severity(&self) -> Option<&'static str> {
        Some("\"error\" for a comment that cannot be read")
    }

    /// Which suppressions are used is known when all findings are: see [`finding`].
    fn check(&self, _: &Context<'_>, _: &mut Vec<Finding>) {}
}

/// What is wrong with `ignore`, whose names `unused` (by index, in order) suppress nothing; `None` where nothing is.
#[must_use]
pub fn finding(ignore: &Ignore, unused: &[usize]) -> Option<Finding> {
    if let Some(fault) = &ignore.fault {
        return Some(faulty(ignore, fault));
    }
    let first = ignore.names.get(*unused.first()?)?;
    let names: Vec<String> = unused
        .iter()
        .map(|index| format!("`{}`", ignore.names[*index].0))
        .collect();
    let unknown = unused
        .iter()
        .map(|index| ignore.names[*index].0.as_str())
        .find(|name| by_name(name).is_none());
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
    let near = unknown.map(nearest).filter(|near| !near.is_empty());
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
        |index: &usize| by_name(&ignore.names[*index].0).is_some_and(super::Rule::compares);
    // Whoever writes these means rules that exist.
    let all = |index: &usize| matches!(ignore.names[*index].0.as_str(), "*" | "all");
    let all = unused.iter().any(all);
    let help = if all {
        "name the rules that are to be silent: there is no word for all of them".into()
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
    Some(Finding::new(&META, span, message).help(help).fix(fix))
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
        Fault::NoColon => "this suppresses nothing: there is no `:` behind `cachelane`".into(),
        Fault::Trailing => {
            "this suppresses nothing: behind a command, a comment is the shell's".into()
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
    let mut finding = Finding::new(&META, span, message)
        .help(format!("write `# cachelane: {verb}[RULE, …] reason`{place} with the rules that are to be silent"))
        .fix(Err("only you know which rules are meant".into()));
    finding.severity = Severity::Error;
    finding
}
