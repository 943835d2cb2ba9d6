//! Suppresses all findings that a file has today, so that only new ones fail the gate.

use std::collections::{BTreeMap, BTreeSet};

use crate::builds;
use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId, Severity};
use crate::fix::{self, Applied, Edit, Fix};
use crate::rules::Settings;
use crate::suppress::{self, Table};
use crate::text::{LineIndex, Span, bom, count};

use super::model::FileReport;
use super::{check, prove};

#[derive(Debug)]
pub struct Adopted {
    pub bytes: Vec<u8>,
    /// The number of findings that they suppress.
    pub suppressed: usize,
}

/// A finding that no comment can suppress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The 1-based line.
    pub line: usize,
    pub rule: RuleId,
}

/// Suppresses every finding of a build file from the severity `least` on, by comments above the lines where they begin,
/// or above the texts around these lines; returns `None` where nothing is added. Findings that no comment can suppress
/// are left.
/// Fails with the fault of the result.
pub fn adopt_builds(
    report: &FileReport,
    least: Severity,
) -> Result<(Option<Adopted>, Vec<Left>), String> {
    let failing = failing(&report.checked.findings, least);
    let Some(builds) = report.builds.as_ref().filter(|_| !failing.is_empty()) else {
        return Ok((None, Vec::new()));
    };
    let source = std::str::from_utf8(&report.source).map_err(|error| error.to_string())?;
    let lines = LineIndex::new(&report.source);
    let left = |finding: &&Finding| Left {
        line: lines.line(finding.span.start),
        rule: finding.rule,
    };
    let texts = builds.format.long_texts(source);
    let Some(texts) = texts.map_err(|error| error.message)? else {
        return Ok((None, failing.iter().map(left).collect()));
    };
    // Each line within a text of several stands for the line where the text begins.
    let texts: BTreeMap<usize, usize> = texts
        .iter()
        .map(|text| {
            (
                lines.line(text.start),
                lines.line(text.end.saturating_sub(1)),
            )
        })
        .collect();
    let comments = |findings: &[&Finding]| -> Result<Applied, String> {
        let mut above: BTreeMap<usize, BTreeSet<RuleId>> = BTreeMap::new();
        for finding in findings {
            let line = lines.line(finding.span.start);
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
        builds::prove_comments(builds.format, source, after)?;
        Ok(applied)
    };
    let all = comments(&failing)?;
    let ignores = suppress::read_outline(&all.bytes);
    let table = Table::new(&ignores);
    let is_covered = |finding: &&Finding| {
        let start = all.origins.near_in_text(finding.span.start);
        let span = Span::new(start, start + finding.span.len());
        table.suppressing(finding.rule, span).is_some()
    };
    let (good, bad): (Vec<&Finding>, Vec<&Finding>) = failing.into_iter().partition(is_covered);
    let adopted = Adopted {
        bytes: comments(&good)?.bytes,
        suppressed: good.len(),
    };
    let adopted = Some(adopted).filter(|adopted| adopted.suppressed > 0);
    Ok((adopted, bad.iter().map(left).collect()))
}

const TITLE: &str = "suppress what is there";

/// Returns the suppressible findings from the severity `least` on.
fn failing(findings: &[Finding], least: Severity) -> Vec<&Finding> {
    let fails =
        |finding: &&Finding| finding.severity >= least && finding.rule != RuleId::UnusedIgnore;
    findings.iter().filter(fails).collect()
}

/// Suppresses all `findings` of `source` from the severity `least` on; `None` where there is none. Findings that only
/// appear after that are suppressed too.
/// Fails with the fault of the result.
pub fn adopt(
    source: &[u8],
    findings: &[Finding],
    settings: &Settings,
    least: Severity,
) -> Result<Option<Adopted>, String> {
    let before = Dockerfile::read(source).ok();
    let (mut bytes, mut suppressed) = (source.to_vec(), 0);
    let mut found = findings.to_vec();
    // Each round may reveal findings of another rule.
    for _ in RuleId::ALL {
        let open = failing(&found, least);
        if open.is_empty() {
            break;
        }
        suppressed += open.len();
        let file = Dockerfile::read(&bytes).ok();
        let ignores = suppress::read(&bytes, file.as_ref());
        let edits = suppress::add(&bytes, file.as_ref(), &ignores, &open);
        bytes = fix::apply(&bytes, &[&Fix::safe(TITLE, edits)]).bytes;
        if let Some(before) = &before {
            let after = Dockerfile::read(&bytes)
                .map_err(|error| format!("the file could not be read any more: {error}"))?;
            prove::same_reading(before, &after, settings, true)?;
        }
        // Findings from comparing files cannot be checked here; all others must be gone, and no new ones come.
        found = check::check_alone(&bytes, settings).findings;
    }
    match failing(&found, least).len() {
        0 => Ok(Some(Adopted { bytes, suppressed }).filter(|adopted| adopted.suppressed > 0)),
        open => Err(format!("{} would still be there", count(open, "finding"))),
    }
}
