//! Suppressing all that a file has today, so that only what is new fails the gate.

use std::collections::{BTreeMap, BTreeSet};

use crate::builds::{self, FormatRef};
use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId, Severity};
use crate::fix::{self, Edit, Fix};
use crate::rules::Settings;
use crate::suppress::{self, Table};
use crate::text::{LineIndex, Span, count, line_ending};

use super::model::FileReport;
use super::{check, prove};

/// A file with suppressions added.
#[derive(Debug)]
pub struct Adopted {
    /// The new bytes.
    pub bytes: Vec<u8>,
    /// How many findings they suppress.
    pub suppressed: usize,
}

/// A finding for which no comment can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its 1-based line.
    pub line: usize,
    /// Its rule.
    pub rule: RuleId,
}

/// Suppresses every one of the findings of a file that says what is built that is at least as bad as `least`: by comments
/// above the lines that they begin on, or above the texts that these lines are part of. `None` where none is to be; the
/// findings for which no comment can stand are left.
///
/// # Errors
/// What would be wrong with the result, for people.
pub fn adopt_wires(
    report: &FileReport,
    least: Severity,
) -> Result<(Option<Adopted>, Vec<Left>), String> {
    let Some(wires) = &report.wires else {
        return Ok((None, Vec::new()));
    };
    let failing = report.checked.findings.iter();
    let failing: Vec<&Finding> = failing
        .filter(|finding| finding.severity >= least && finding.rule != RuleId::UnusedIgnore)
        .collect();
    if failing.is_empty() {
        return Ok((None, Vec::new()));
    }
    let source = std::str::from_utf8(&report.source).map_err(|error| error.to_string())?;
    let lines = LineIndex::new(&report.source);
    let line = |finding: &Finding| lines.line(finding.span.start);
    let left = |findings: &[&Finding]| {
        findings
            .iter()
            .map(|finding| Left {
                line: line(finding),
                rule: finding.rule,
            })
            .collect()
    };
    let Some(texts) = wires
        .format
        .long_texts(source)
        .map_err(|error| error.message)?
    else {
        return Ok((None, left(&failing)));
    };
    // Each line within a text of several stands for the line that the text begins on.
    let mut tops: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for text in texts {
        let (first, last) = (
            lines.line(text.start),
            lines.line(text.end.saturating_sub(1)),
        );
        tops.insert(first, (first, last));
    }
    let top = |line: usize| {
        let text = tops.range(..line).next_back().map(|(_, text)| *text);
        text.filter(|(_, last)| line <= *last)
            .map_or(line, |(first, _)| first)
    };
    let mut above = Above::new();
    for finding in &failing {
        above
            .entry(top(line(finding)))
            .or_default()
            .insert(finding.rule);
    }
    let comments = Comments {
        report,
        source,
        lines: &lines,
        format: wires.format,
    };
    let covered = comments.covered(&above, &failing)?;
    let (good, bad): (Vec<&Finding>, Vec<&Finding>) = failing
        .iter()
        .partition(|finding| covered.contains(&(finding.span, finding.rule)));
    above.clear();
    for finding in &good {
        above
            .entry(top(line(finding)))
            .or_default()
            .insert(finding.rule);
    }
    let bytes = comments.put(&above)?;
    let adopted = Adopted {
        bytes,
        suppressed: good.len(),
    };
    Ok((
        Some(adopted).filter(|adopted| adopted.suppressed > 0),
        left(&bad),
    ))
}

/// The rules to be suppressed above each line.
type Above = BTreeMap<usize, BTreeSet<RuleId>>;

/// Comments in a file that says what is built.
struct Comments<'c> {
    report: &'c FileReport,
    source: &'c str,
    lines: &'c LineIndex,
    format: FormatRef,
}

impl Comments<'_> {
    /// The edits that put suppressions of the rules above the lines.
    fn edits(&self, above: &Above) -> Vec<Edit> {
        let source = self.report.source.as_slice();
        let top = if source.starts_with(crate::text::BOM) {
            crate::text::BOM.len()
        } else {
            0
        };
        let edit = |(line, rules): (&usize, &BTreeSet<RuleId>)| {
            let at = self.lines.start_of(*line).max(top);
            let indent =
                self.source[at..].len() - self.source[at..].trim_start_matches([' ', '\t']).len();
            let (rules, ending) = (
                rules
                    .iter()
                    .map(|rule| rule.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
                line_ending(source, at),
            );
            Edit::insert(
                at,
                format!(
                    "{}# cachelane: ignore[{rules}]{ending}",
                    &self.source[at..at + indent]
                ),
            )
        };
        above.iter().map(edit).collect()
    }

    /// The file with suppressions of the rules above the lines.
    fn put(&self, above: &Above) -> Result<Vec<u8>, String> {
        let fix = Fix::safe("suppress what is there", self.edits(above));
        let bytes = fix::apply(&self.report.source, &[&fix]).bytes;
        let after = std::str::from_utf8(&bytes).map_err(|error| error.to_string())?;
        builds::prove_comments(self.format, self.source, after)?;
        Ok(bytes)
    }

    /// Those of the findings that suppressions above these lines would cover, by place and rule.
    fn covered(
        &self,
        above: &Above,
        findings: &[&Finding],
    ) -> Result<BTreeSet<(Span, RuleId)>, String> {
        let bytes = self.put(above)?;
        let edits = self.edits(above);
        let ignores = suppress::read_outline(&bytes);
        let table = Table::new(&ignores);
        let mut sums = vec![0];
        for edit in &edits {
            sums.push(sums.last().unwrap_or(&0) + edit.text().len());
        }
        let moved = |span: Span| {
            let more = sums[edits.partition_point(|edit| edit.span().start <= span.start)];
            Span::new(span.start + more, span.end + more)
        };
        let is_covered = |finding: &&&Finding| {
            table
                .suppressing(finding.rule, moved(finding.span))
                .is_some()
        };
        Ok(findings
            .iter()
            .filter(is_covered)
            .map(|finding| (finding.span, finding.rule))
            .collect())
    }
}

/// Suppresses every one of `findings` of `source` that is at least as bad as `least`; `None` where there is none. What only
/// shows once others are suppressed, and a comment stands where none was, is suppressed with them.
///
/// # Errors
/// What would be wrong with the result, for people.
pub fn adopt(
    source: &[u8],
    findings: &[Finding],
    settings: &Settings,
    least: Severity,
) -> Result<Option<Adopted>, String> {
    let failing = |findings: &[Finding]| -> Vec<Finding> {
        let fails =
            |finding: &&Finding| finding.severity >= least && finding.rule != RuleId::UnusedIgnore;
        findings.iter().filter(fails).cloned().collect()
    };
    let mut open = failing(findings);
    if open.is_empty() {
        return Ok(None);
    }
    let before = Dockerfile::read(source).ok();
    let (mut bytes, mut suppressed) = (source.to_vec(), 0);
    // Each round may bring to light what another rule finds.
    for _ in RuleId::ALL {
        suppressed += open.len();
        let file = Dockerfile::read(&bytes).ok();
        let ignores = suppress::read(&bytes, file.as_ref());
        let edits = suppress::add(
            &bytes,
            file.as_ref(),
            &ignores,
            &open.iter().collect::<Vec<_>>(),
        );
        bytes = fix::apply(&bytes, &[&Fix::safe("suppress what is there", edits)]).bytes;
        if let Some(before) = &before {
            let after = Dockerfile::read(&bytes)
                .map_err(|error| format!("the file could not be read any more: {error}"))?;
            prove::same_reading(before, &after, settings, true)?;
        }
        // What comes of comparing files cannot be seen here; all else must be gone, and nothing new come.
        open = failing(&check::check_alone(&bytes, settings).findings);
        if open.is_empty() {
            return Ok(Some(Adopted { bytes, suppressed }));
        }
    }
    Err(format!(
        "{} would still be there",
        count(open.len(), "finding")
    ))
}
