//! The table of `cachelane rules`.

use crate::finding::RuleId;
use crate::fix::Applicability;

/// Returns a line for each rule: name, severity, fix, and what it finds.
#[must_use]
pub fn table(rules: &[RuleId]) -> String {
    let width = rules
        .iter()
        .map(|rule| rule.as_str().len())
        .max()
        .unwrap_or(0);
    let line = |name: &str, severity: &str, fix: &str, summary: &str| {
        format!("{name:width$}  {severity:7}  {fix:6}  {summary}\n")
    };
    let head = line("RULE", "LEVEL", "FIX", "WHAT HAPPENS");
    let lines = rules.iter().map(|rule| {
        let meta = rule.meta();
        let fix = match meta.fix {
            Some(Applicability::Safe) => "safe",
            Some(Applicability::Unsafe) => "unsafe",
            None => "-",
        };
        line(meta.name, meta.severity.as_str(), fix, meta.summary)
    });
    head + &lines.collect::<String>()
}
