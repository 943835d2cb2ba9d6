//! Writing suppressions, and taking them away.

use std::collections::HashMap;

use bstr::ByteSlice as _;

use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId};
use crate::fix::Edit;
use crate::text::{Span, line_ending};

use super::{Covers, Ignore, MARK};

/// The edits that take the names of `unused` (indices, in order) out of the list of `ignore`; the whole line goes where
/// none is left.
#[must_use]
pub fn remove(ignore: &Ignore, unused: &[usize]) -> Vec<Edit> {
    if unused.len() >= ignore.names.len() {
        return vec![Edit::delete(ignore.line)];
    }
    let kept: Vec<&str> = (0..ignore.names.len())
        .filter(|index| unused.binary_search(index).is_err())
        .map(|index| ignore.names[index].0.as_str())
        .collect();
    let (Some(first), Some(last)) = (ignore.names.first(), ignore.names.last()) else {
        return Vec::new();
    };
    let list = Span::new(first.1.start, last.1.end);
    vec![Edit::replace(list, kept.join(", "))]
}

/// The edits that suppress `findings` of `file` from now on, beside the suppressions `ignores` that are there: a comment
/// above each instruction, and one for the file for what stands in none.
#[must_use]
pub fn add(
    source: &[u8],
    file: Option<&Dockerfile<'_>>,
    ignores: &[Ignore],
    findings: &[&Finding],
) -> Vec<Edit> {
    let index = |finding: &Finding| {
        let before = finding
            .span
            .start
            .checked_sub(1)
            .filter(|_| finding.span.is_empty());
        let at = |at: usize| file?.instruction_at(at);
        at(finding.span.start).or_else(|| at(before?))
    };
    let mut open: Vec<(Option<usize>, RuleId)> =
        findings.iter().map(|f| (index(f), f.rule)).collect();
    open.sort_unstable();
    open.dedup();
    let usable = ignores.iter().filter(|ignore| ignore.fault.is_none());
    let there: HashMap<Covers, &Ignore> = usable.map(|ignore| (ignore.covers, ignore)).collect();
    let mut edits = Vec::new();
    for group in open.chunk_by(|a, b| a.0 == b.0) {
        let instruction = group[0]
            .0
            .and_then(|index| file.map(|file| &file.instructions[index]));
        let rules = group
            .iter()
            .map(|(_, rule)| rule.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let covers = instruction.map_or(Covers::File, |instruction| {
            Covers::Instruction(instruction.span)
        });
        if let Some((_, last)) = there.get(&covers).and_then(|ignore| ignore.names.last()) {
            edits.push(Edit::insert(last.end, format!(", {rules}")));
            continue;
        }
        let top = file.map_or_else(|| bom(source), |file| file.top);
        let (at, beside, verb) = match instruction {
            Some(instruction) => (instruction.lead.max(top), instruction.span.start, "ignore"),
            None => (top, top, "ignore-file"),
        };
        let indent = source[beside..]
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        let indent = source[beside..beside + indent].to_str_lossy();
        let ending = line_ending(source, at);
        // A file may end without a newline right where the comment is to begin.
        let before = if at > bom(source) && source[at - 1] != b'\n' {
            ending
        } else {
            ""
        };
        let comment = format!("{indent}# {MARK} {verb}[{rules}]{ending}");
        // The file's own and that of its first instruction may come in one spot.
        let text = match edits.pop_if(|last: &mut Edit| last.span() == Span::at(at)) {
            Some(last) => last.text().to_owned() + &comment,
            None => before.to_owned() + &comment,
        };
        edits.push(Edit::insert(at, text));
    }
    edits
}

/// Where the text begins: behind a byte-order mark.
fn bom(source: &[u8]) -> usize {
    if source.starts_with(crate::text::BOM) {
        crate::text::BOM.len()
    } else {
        0
    }
}
