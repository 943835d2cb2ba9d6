//! The table of `cachelane rules`.

use crate::finding::RuleId;
use crate::fix::Applicability;

/// Returns a line for each rule: name, severity, fix, and summary.
pub fn table(rules: &[RuleId], width: Option<usize>) -> String {
    let rows = rules.iter().map(|rule| {
        let meta = rule.meta();
        let fix = match meta.fix {
            Some(Applicability::Safe) => "safe",
            Some(Applicability::Unsafe) => "unsafe",
            None => "-",
        };
        [meta.name, meta.severity.as_str(), fix, meta.summary].map(String::from)
    });
    super::table::table(["RULE", "LEVEL", "FIX", "WHAT HAPPENS"], rows, width)
}
