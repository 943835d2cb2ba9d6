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
pub(super) fn lay_out(
    out: &mut String,
    finding: &Finding,
    source: &SafeSource<'_>,
    help: &[String],
) -> bool {
    let Some(snippet) = source.snippet(finding.span, AROUND) else {
        return false;
    };
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
    out.extend([finding.rule, "\n\n  "]);
    out.push(sign);
    out.extend([" ", &printable(&finding.message), "\n"]);
    fill(out, " ", margin);
    // Writing into a String cannot fail.
    let _ = writeln!(out, "╭─[{}:{line}:{column}]", source.name());
    for (number, text) in (snippet.first..).zip(&snippet.lines) {
        let _ = write!(out, " {number:>width$} │ ");
        out.push_str(text);
        end_line(out);
        if number == line {
            fill(out, " ", margin);
            out.push_str("· ");
            fill(out, " ", snippet.start);
            fill(out, "─", snippet.len);
            out.push('\n');
        }
    }
    fill(out, " ", margin);
    out.push_str("╰────\n");
    for (index, line) in help.iter().enumerate() {
        let lead = if index == 0 { "  help: " } else { "        " };
        out.push_str(lead);
        out.push_str(line);
        end_line(out);
    }
    out.push('\n');
    true
}

/// Adds `piece` to `out`, `count` times.
fn fill(out: &mut String, piece: &str, count: usize) {
    out.extend(std::iter::repeat_n(piece, count));
}

/// Ends the line that `out` ends with, without blanks at its end.
fn end_line(out: &mut String) {
    out.truncate(out.trim_end().len());
    out.push('\n');
}
