//! The layout of most findings: one short stretch of one line of plain characters, no colours, nothing to break.
//!
//! It is what miette makes of them, byte for byte, for a tenth of the work; the tests compare the two. All else is
//! miette's.

use std::fmt::Write as _;

use crate::finding::{Finding, Severity};
use crate::text::printable;

use super::safe::SafeSource;

/// Lines around the one that a finding is about.
const AROUND: usize = 1;

/// Adds `finding` of the file `source` to `out`, with the lines of `help`; whether it is one that is laid out here.
///
/// No line of its texts may need to be broken.
pub(super) fn lay_out(out: &mut String, finding: &Finding, source: &SafeSource<'_>, help: &[String]) -> bool {
    let Some(snippet) = source.snippet(finding.span, AROUND) else { return false };
    if !finding.labels.is_empty() || finding.message.contains('\n') {
        return false;
    }
    let sign = match finding.severity {
        Severity::Error => '×',
        Severity::Warning => '⚠',
        Severity::Info => '☞',
    };
    let (line, column) = (snippet.line, snippet.start + 1);
    let width = (snippet.first + snippet.lines.len() - 1).ilog10() as usize + 1;
    let margin = width + 2;
    // Writing into a String cannot fail.
    let _ = writeln!(out, "{}\n\n  {sign} {}", finding.rule, printable(&finding.message));
    let _ = writeln!(out, "{:margin$}╭─[{}:{line}:{column}]", "", source.name());
    for (number, text) in (snippet.first..).zip(&snippet.lines) {
        let _ = write!(out, " {number:>width$} │ {text}");
        end_line(out);
        if number == line {
            let _ =
                writeln!(out, "{:margin$}· {:start$}{:─<len$}", "", "", "", start = snippet.start, len = snippet.len);
        }
    }
    let _ = writeln!(out, "{:margin$}╰────", "");
    for (index, line) in help.iter().enumerate() {
        let lead = if index == 0 { "  help: " } else { "        " };
        out.push_str(lead);
        out.push_str(line);
        end_line(out);
    }
    out.push('\n');
    true
}

/// Ends the line that `out` ends with, without blanks at its end.
fn end_line(out: &mut String) {
    out.truncate(out.trim_end().len());
    out.push('\n');
}
