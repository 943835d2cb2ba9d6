//! `templated-mount`: a template makes the flags of a RUN, or decides whether a mount locks.

use std::collections::HashSet;

use bstr::ByteSlice as _;

use crate::dockerfile::expression::{self, Reach};
use crate::dockerfile::lines::trim_start;
use crate::dockerfile::{Dockerfile, Instruction, Keyword, Mount, MountKind, template};
use crate::finding::{Finding, RuleId};
use crate::text::{Span, count};

use super::context::Context;

/// Words that names of what makes flags hold.
const WORDS: [&str; 4] = ["mount", "cache", "flags", "opts"];

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut made = made_by_templates(cx.file);
    let Some(first) = made.next() else {
        return;
    };
    let more = match made.count() {
        0 => String::new(),
        more => format!(" and of {} below", count(more, "RUN")),
    };
    let message = format!(
        "the template makes flags of this RUN{more}: whether they lock a cache does not show here"
    );
    findings.push(
        Finding::new(RuleId::TemplatedMount, first, message)
            .help("look at what makes them, or check the Dockerfile that the template becomes"),
    );
}

/// Returns the RUNs of which a template makes flags that may lock a cache, each by the place of the first.
pub fn made_by_templates(file: &Dockerfile<'_>) -> impl Iterator<Item = Span> {
    let macros = macros_with_mounts(file);
    let of = move |run: &Instruction<'_>| {
        let mut mounts = run.mounts.iter();
        let undecided = mounts.find(|mount| may_lock(mount)).map(|mount| mount.span);
        undecided.or_else(|| made_flags(file, run, &macros))
    };
    let runs = file.instructions.iter().filter(|i| is_run(i));
    runs.filter_map(of)
}

/// Returns whether it is a RUN, also one that a macro makes of what `{% call … %}` passes to it.
fn is_run(instruction: &Instruction<'_>) -> bool {
    let text = instruction.text.bytes();
    let tag = trim_start(text).strip_prefix(b"{%").unwrap_or_default();
    let tag = trim_start(tag.strip_prefix(b"-").unwrap_or(tag));
    match instruction.keyword {
        Keyword::Run => true,
        Keyword::Opaque => tag.starts_with(b"call "),
        _ => false,
    }
}

/// Returns whether a template decides whether `mount` locks a cache.
fn may_lock(mount: &Mount<'_>) -> bool {
    let is_cache = mount.kind == MountKind::Cache || mount.hides("type");
    // What stands before the expression tells other modes.
    let known = mount
        .value("sharing")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let known = &known[..expression::all(&known)
        .next()
        .map_or(known.len(), |(at, _)| at)];
    let may_be = mount.hides("sharing") && b"locked".starts_with(known);
    is_cache && (may_be || (mount.hides("type") && known == b"locked"))
}

/// Returns the expression behind the flags of `run` which stands for more of them: a command follows, and it speaks of
/// flags, is a macro with a mount in it, or one that is called several times.
fn made_flags(
    file: &Dockerfile<'_>,
    run: &Instruction<'_>,
    macros: &HashSet<&[u8]>,
) -> Option<Span> {
    let text = run.text.bytes();
    let start = if run.keyword == Keyword::Run {
        run.args
    } else {
        0
    };
    let mut at = text.len() - trim_start(&text[start..]).len();
    let mut first: Option<(&[u8], Span)> = None;
    loop {
        let end = expression_at(file, text, at)?;
        let behind = trim_start(&text[end..]);
        let follows = behind.len() < text.len() - end || expression::at(text, end).is_some();
        let is_command = behind.first().is_some_and(|b| !b"&|;".contains(b));
        if !follows || !is_command {
            return None;
        }
        let (expression, span) = (&text[at..end], run.text.span(at, end));
        // EJS leaves text by `<%- name %>`.
        let is_of_ejs = expression.starts_with(b"<%-") && !template::is_tag(expression);
        if template::makes_text(expression) || is_of_ejs {
            let name = expression.to_ascii_lowercase();
            let speaks = WORDS.iter().any(|word| name.contains_str(word));
            if speaks || macros.contains(callee(expression)) {
                return Some(span);
            }
            match first {
                Some((name, first)) if name == callee(expression) && !name.is_empty() => {
                    return Some(first);
                }
                _ => first = Some((callee(expression), span)),
            }
        }
        at = text.len() - behind.len();
    }
}

/// Returns the end of the expression at byte `at`, also of an `@NAME@` that `configure` fills in.
fn expression_at(file: &Dockerfile<'_>, text: &[u8], at: usize) -> Option<usize> {
    if let Some(end) = expression::filled_in(&text[at..]) {
        return Some(at + end);
    }
    match expression::at(text, at)? {
        Reach::Closed(end) if file.template => Some(end),
        _ => None,
    }
}

/// Returns the name of the macro that `expression` calls: `name` of `{{ name(…) }}` and `@(name(…))`; empty for none.
fn callee(expression: &[u8]) -> &[u8] {
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
    let start = expression
        .iter()
        .position(is_name)
        .unwrap_or(expression.len());
    let rest = &expression[start..];
    let end = rest.iter().position(|b| !is_name(b)).unwrap_or(rest.len());
    if rest[end..].starts_with(b"(") {
        &rest[..end]
    } else {
        b""
    }
}

/// Returns the names of the file's macros that write a mount.
fn macros_with_mounts<'s>(file: &Dockerfile<'s>) -> HashSet<&'s [u8]> {
    if !file.template {
        return HashSet::new();
    }
    let name = |piece: &'s [u8]| {
        let body = &piece[..piece.find("endmacro").unwrap_or(piece.len())];
        let name = &body[..body.find_byte(b'(')?];
        body.contains_str("--mount=").then(|| name.trim_ascii())
    };
    let pieces = file.source.split_str("macro ").skip(1);
    pieces.filter_map(name).collect()
}
