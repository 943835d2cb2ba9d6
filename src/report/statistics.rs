//! Counts of findings by rule.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::finding::{RuleId, Severity};

use super::document::document;
use super::model::{Run, Summary};
use super::table::table;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Count {
    findings: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
    /// Files with such findings.
    files: usize,
    fixable: usize,
}

/// Returns a line for each rule with findings, the most frequent first.
pub fn render(run: &Run<'_>, width: Option<usize>) -> String {
    let counts = counts(run);
    if counts.is_empty() {
        return String::new();
    }
    let row = |(rule, count): &(RuleId, Count)| {
        [
            format!("{:>8}", count.findings),
            rule.to_string(),
            format!("{:>6}", count.files),
            format!("{:>7}", count.fixable),
            rule.meta().summary.to_owned(),
        ]
    };
    let head = ["FINDINGS", "RULE", " FILES", "FIXABLE", "WHAT HAPPENS"];
    table(head, counts.iter().map(row), width)
}

/// Returns the counts as a JSON document that ends with a newline.
pub fn json(run: &Run<'_>) -> String {
    #[derive(Serialize)]
    struct Rule {
        rule: RuleId,
        #[serde(flatten)]
        count: Count,
    }
    #[derive(Serialize)]
    struct Document {
        rules: Vec<Rule>,
        summary: Summary,
    }
    let rules = counts(run).into_iter();
    let rules = rules.map(|(rule, count)| Rule { rule, count });
    document(Document {
        rules: rules.collect(),
        summary: run.summary,
    })
}

/// Returns the rules with findings, the most frequent first, then by name.
fn counts(run: &Run<'_>) -> Vec<(RuleId, Count)> {
    // For each rule, also the last file that was counted.
    let mut counts: BTreeMap<RuleId, (Count, Option<usize>)> = BTreeMap::new();
    for (number, report) in run.reports.iter().enumerate() {
        for finding in &report.checked.findings {
            let (count, last) = counts.entry(finding.rule).or_default();
            count.findings += 1;
            match finding.severity {
                Severity::Error => count.errors += 1,
                Severity::Warning => count.warnings += 1,
                Severity::Info => count.infos += 1,
            }
            count.files += usize::from(last.replace(number) != Some(number));
            count.fixable += usize::from(finding.is_fixable());
        }
    }
    let mut counts: Vec<_> = counts
        .into_iter()
        .map(|(rule, (count, _))| (rule, count))
        .collect();
    counts.sort_by_key(|(rule, count)| (std::cmp::Reverse(count.findings), *rule));
    counts
}
