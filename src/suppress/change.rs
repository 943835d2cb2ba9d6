//! Adds suppressions.

use std::collections::HashMap;

use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId};
use crate::fix::Edit;
use crate::text::{Span, bom, indentation, line_ending};

use super::model::{Covers, Ignore};

/// Returns a comment line that suppresses `rules`, for byte `at`, indented like the line at byte `beside`; `verb` gives
/// its extent.
pub fn comment(source: &[u8], at: usize, beside: usize, verb: &str, rules: &[RuleId]) -> String {
    let rules: Vec<&str> = rules.iter().map(|rule| rule.as_str()).collect();
    let (indent, ending) = (indentation(source, beside), line_ending(source, at));
    format!("{indent}# cachelane: {verb}[{}]{ending}", rules.join(", "))
}

/// Returns the edits that suppress `findings` of `file` beside its suppressions `ignores`: a comment above each
/// instruction, and one for the file for findings outside of instructions.
pub fn add(
    source: &[u8],
    file: Option<&Dockerfile<'_>>,
    ignores: &[Ignore],
    findings: &[&Finding],
) -> Vec<Edit> {
    let index = |finding: &Finding| {
        let Span { start, .. } = finding.span;
        let before = start.checked_sub(1).filter(|_| finding.span.is_empty());
        let at = |at: usize| file?.instruction_at(at);
        at(start).or_else(|| at(before?))
    };
    let mut open: Vec<(Option<usize>, RuleId)> =
        findings.iter().map(|f| (index(f), f.rule)).collect();
    open.sort_unstable();
    open.dedup();
    let usable = ignores.iter().filter(|ignore| ignore.fault.is_none());
    let there: HashMap<Covers, &Ignore> = usable.map(|ignore| (ignore.covers, ignore)).collect();
    let top = file.map_or_else(|| bom(source), |file| file.top);
    let mut edits = Vec::new();
    for group in open.chunk_by(|a, b| a.0 == b.0) {
        let rules: Vec<RuleId> = group.iter().map(|(_, rule)| *rule).collect();
        let at = group[0].0;
        let instruction = at.and_then(|at| file.map(|file| &file.instructions[at]));
        let covers = instruction.map_or(Covers::File, |it| Covers::Instruction(it.span));
        if let Some((_, last)) = there.get(&covers).and_then(|ignore| ignore.names.last()) {
            let names: Vec<&str> = rules.iter().map(|rule| rule.as_str()).collect();
            edits.push(Edit::insert(last.end, format!(", {}", names.join(", "))));
            continue;
        }
        let (at, beside, verb) = match instruction {
            Some(instruction) => (instruction.lead.max(top), instruction.span.start, "ignore"),
            None => (top, top, "ignore-file"),
        };
        let comment = comment(source, at, beside, verb, &rules);
        // A file may end without a newline right before the comment.
        let before = if at > bom(source) && source[at - 1] != b'\n' {
            line_ending(source, at)
        } else {
            ""
        };
        // The file's comment and its first instruction's may come in one spot.
        let text = match edits.pop_if(|last: &mut Edit| last.span() == Span::at(at)) {
            Some(last) => last.text().to_owned() + &comment,
            None => before.to_owned() + &comment,
        };
        edits.push(Edit::insert(at, text));
    }
    edits
}
