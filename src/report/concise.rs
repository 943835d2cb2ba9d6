//! One line per finding, for editors, `grep` and quick reading.

use crate::text::{inert, printable};

use super::found;
use super::model::Run;

/// Returns a line `path:line:column: severity[rule] message` for every finding.
pub fn render(run: &Run<'_>) -> String {
    let mut out = String::new();
    for file in found::files(run.reports) {
        for finding in file.findings() {
            let start = file.range(finding.span).start;
            let (severity, rule, message) =
                (finding.severity.as_str(), finding.rule, &finding.message);
            let line = format!(
                "{}:{}:{}: {severity}[{rule}] {message}",
                file.path, start.line, start.column
            );
            out.push_str(&inert(&printable(&line)));
            out.push('\n');
        }
    }
    out
}
