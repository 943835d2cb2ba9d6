//! `templated-mount`: a template makes the flags of a RUN.

use bstr::ByteSlice as _;

use crate::dockerfile::expression::{self, Reach};
use crate::dockerfile::lines::trim_start;
use crate::dockerfile::{Instruction, Keyword};
use crate::finding::{Finding, RuleId};
use crate::text::{Span, count};

use super::context::Context;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let runs = cx.file.instructions.iter();
    let runs = runs.filter(|i| cx.file.template && i.keyword == Keyword::Run);
    let mut made = runs.filter_map(made_flags);
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

/// Returns the expression behind the flags of `run` which stands for more of them: a command follows, and it speaks of
/// mounts or caches.
fn made_flags(run: &Instruction<'_>) -> Option<Span> {
    let text = run.text.bytes();
    let mut at = text.len() - trim_start(&text[run.args..]).len();
    loop {
        let Reach::Closed(end) = expression::at(text, at)? else {
            return None;
        };
        let behind = trim_start(&text[end..]);
        let follows = behind.len() < text.len() - end || expression::at(text, end).is_some();
        let is_command = behind.first().is_some_and(|b| !b"&|;".contains(b));
        if !follows || !is_command {
            return None;
        }
        let name = text[at..end].to_ascii_lowercase();
        let tags: [&[u8]; 3] = [b"{%", b"@[", b"<% "];
        let leaves_text = !tags.iter().any(|tag| name.starts_with(tag));
        if leaves_text && (name.contains_str("mount") || name.contains_str("cache")) {
            return Some(run.text.span(at, end));
        }
        at = text.len() - behind.len();
    }
}
