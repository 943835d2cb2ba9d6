//! One line per finding, for editors, `grep` and people in a hurry.

use crate::text::printable;

use super::{Run, found};

/// `path:line:column: severity[rule] message` for every finding, each on a line of its own.
#[must_use]
pub fn render(run: &Run<'_>) -> String {
    let mut out = String::new();
    for file in found::files(run) {
        for finding in file.findings() {
            let start = file.range(finding.span).start;
            let (severity, rule, message) = (finding.severity.as_str(), finding.rule, &finding.message);
            let line = format!("{}:{}:{}: {severity}[{rule}] {message}", file.path, start.line, start.column);
            out.push_str(&inert(&line));
            out.push('\n');
        }
    }
    out
}

/// `line` as one that no log takes for a command: GitHub's runner obeys lines that start with `::`, blanks aside, and
/// `##[…]` wherever it stands.
fn inert(line: &str) -> String {
    let line = printable(line).replace("##[", "## [");
    if line.trim_start().starts_with("::") { format!("./{line}") } else { line }
}
