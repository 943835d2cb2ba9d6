//! The rules' own texts: the table of `cachelane rules`, and a rule's page.

use crate::finding::RuleMeta;
use crate::fix::Applicability;

/// Every rule on a line: name, severity, fix, and what it finds.
#[must_use]
pub fn table(rules: &[&RuleMeta]) -> String {
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let line = |rule: &&RuleMeta| {
        format!(
            "{:width$}  {:7}  {:6}  {}\n",
            rule.name,
            rule.severity.as_str(),
            fix(rule),
            rule.summary
        )
    };
    format!(
        "{:width$}  {:7}  {:6}  {}\n",
        "RULE", "LEVEL", "FIX", "WHAT HAPPENS"
    ) + &rules.iter().map(line).collect::<String>()
}

/// The page of one rule, as Markdown; its name is a heading of `level`, the parts are one below.
#[must_use]
pub fn page(rule: &RuleMeta, level: usize) -> String {
    let marks = "#".repeat(level);
    let severity = rule.severity.as_str();
    let fix = match rule.fix {
        Some(Applicability::Safe) => "safe fix",
        Some(Applicability::Unsafe) => "unsafe fix",
        None => "no fix",
    };
    let doc = rule.doc.replace("\n## ", &format!("\n{marks}# ")).replacen(
        "## ",
        &format!("{marks}# "),
        usize::from(rule.doc.starts_with("## ")),
    );
    format!("{marks} {} ({severity}, {fix})\n\n{doc}", rule.name)
}

/// The fix of a rule in a word.
fn fix(rule: &RuleMeta) -> &'static str {
    match rule.fix {
        Some(Applicability::Safe) => "safe",
        Some(Applicability::Unsafe) => "unsafe",
        None => "-",
    }
}
