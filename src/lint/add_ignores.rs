//! Suppresses all findings that a file has today, so that only new ones fail the gate.

use std::collections::{BTreeMap, BTreeSet};

use crate::builds::{FormatRef, comments};
use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId, Severity};
use crate::fix::{self, Applied, Edit, Fix};
use crate::suppress::{self, Table};
use crate::text::{LineIndex, Span, bom, count};

use super::model::{Dropped, FileReport, Fixed, Made};
use super::{alone, prove};

const TITLE: &str = "suppress what is there";

/// Suppresses the findings of a file from the severity `least` on. The result's `made` are those that a comment
/// suppresses now, its `dropped` those that none can. A generated file stays as it is.
/// Fails with the fault of the result.
pub fn add_ignores(report: &FileReport, least: Severity) -> Result<Fixed, String> {
    let open = failing(&report.checked.findings, least);
    match &report.builds {
        _ if open.is_empty() || report.checked.keeps_out_comments().is_some() => {
            Ok(Fixed::nothing(&report.source))
        }
        Some(builds) => in_build_file(report, builds.format, open),
        None => in_dockerfile(report, least),
    }
}

/// Returns the suppressible findings from the severity `least` on.
fn failing(findings: &[Finding], least: Severity) -> Vec<&Finding> {
    let fails =
        |finding: &&Finding| finding.severity >= least && finding.rule != RuleId::UnusedIgnore;
    findings.iter().filter(fails).collect()
}

fn made(findings: &[&Finding], line: impl Fn(usize) -> usize) -> Vec<Made> {
    let made = findings.iter().map(|finding| Made {
        rule: finding.rule,
        line: line(finding.span.start),
        title: TITLE.into(),
        passes: None,
    });
    made.collect()
}

/// Puts comments above the lines where the findings begin, or above the texts around these lines.
fn in_build_file(
    report: &FileReport,
    format: FormatRef,
    failing: Vec<&Finding>,
) -> Result<Fixed, String> {
    let source = std::str::from_utf8(&report.source).map_err(|error| error.to_string())?;
    let lines = LineIndex::new(&report.source);
    let line = |at: usize| lines.line(at);
    let mut fixed = Fixed::nothing(&report.source);
    let texts = comments::long_texts(format, source).map_err(|error| error.message)?;
    let (good, bad) = if let Some(texts) = texts {
        // Each line within a text of several stands for the line where the text begins.
        let texts = texts.iter();
        let texts = texts.map(|text| (line(text.start), line(text.end.saturating_sub(1))));
        let texts: BTreeMap<usize, usize> = texts.collect();
        let commented = |findings: &[&Finding]| -> Result<Applied, String> {
            let mut above: BTreeMap<usize, BTreeSet<RuleId>> = BTreeMap::new();
            for finding in findings {
                let line = line(finding.span.start);
                let text = texts.range(..line).next_back();
                let text = text.filter(|(_, last)| line <= **last);
                let rules = above.entry(text.map_or(line, |(first, _)| *first));
                rules.or_default().insert(finding.rule);
            }
            let edit = |(line, rules): (usize, BTreeSet<RuleId>)| {
                let at = lines.start_of(line).max(bom(&report.source));
                let rules: Vec<RuleId> = rules.into_iter().collect();
                let comment = suppress::comment(&report.source, at, at, "ignore", &rules);
                Edit::insert(at, comment)
            };
            let edits = above.into_iter().map(edit).collect();
            let applied = fix::apply(&report.source, &[&Fix::safe(TITLE, edits)]);
            let after = std::str::from_utf8(&applied.bytes).map_err(|error| error.to_string())?;
            comments::prove_comments(format, source, after)?;
            Ok(applied)
        };
        let all = commented(&failing)?;
        let ignores = suppress::read_outline(&all.bytes);
        let table = Table::new(&ignores);
        let is_covered = |finding: &&Finding| {
            let start = all.origins.near_in_text(finding.span.start);
            let span = Span::new(start, start + finding.span.len());
            table.suppressing(finding.rule, span).is_some()
        };
        let (good, bad): (Vec<&Finding>, Vec<&Finding>) = failing.into_iter().partition(is_covered);
        fixed.bytes = commented(&good)?.bytes;
        (good, bad)
    } else {
        (Vec::new(), failing)
    };
    fixed.made = made(&good, line);
    let left = bad.iter().map(|finding| Dropped {
        rule: finding.rule,
        line: line(finding.span.start),
        reason: "no comment can stand above it".into(),
    });
    fixed.dropped = left.collect();
    Ok(fixed)
}

/// Puts comments above instructions. Findings that only appear after that are suppressed too.
fn in_dockerfile(report: &FileReport, least: Severity) -> Result<Fixed, String> {
    let (source, settings) = (&report.source, &report.settings);
    let before = Dockerfile::read(source).ok();
    let mut fixed = Fixed::nothing(source);
    let mut found = report.checked.findings.clone();
    // Each round may reveal findings of another rule.
    for _ in RuleId::ALL {
        let open = failing(&found, least);
        if open.is_empty() {
            break;
        }
        let made = made(&open, |at| fixed.line(at));
        fixed.made.extend(made);
        let file = Dockerfile::read(&fixed.bytes).ok();
        let ignores = suppress::read(&fixed.bytes, file.as_ref());
        let edits = suppress::add(&fixed.bytes, file.as_ref(), &ignores, &open);
        let applied = fix::apply(&fixed.bytes, &[&Fix::safe(TITLE, edits)]);
        fixed.origins = applied.origins.compose(&fixed.origins);
        fixed.bytes = applied.bytes;
        if let Some(before) = &before {
            let after = Dockerfile::read(&fixed.bytes)
                .map_err(|error| format!("the file could not be read any more: {error}"))?;
            prove::same_reading(before, &after, settings, true)?;
        }
        // Findings from comparing files cannot be checked here; all others must be gone, and no new ones come.
        found = alone::check_alone(&fixed.bytes, settings).findings;
        // Those that count here are suppressed by now.
        found.retain(|finding| !finding.only_buildkit);
    }
    match failing(&found, least).len() {
        0 => Ok(fixed),
        open => Err(format!("{} would still be there", count(open, "finding"))),
    }
}
