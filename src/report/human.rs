//! The report for people: the source line with the id underlined, what it collides with, and what to write.

use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use crate::finding::{Finding, Severity};
use crate::fix::Applicability;
use crate::lint::FileReport;
use crate::text::{Span, count, printable};

use super::safe::SafeSource;
use super::{Summary, path};

/// How the report looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether to use colours.
    pub color: bool,
    /// How many columns there are.
    pub width: usize,
    /// Whether to say, under each finding, why it was not fixed: the report of `fix`.
    pub why_not_fixed: bool,
}

/// Every finding of `reports`, as text.
#[must_use]
pub fn findings(reports: &[FileReport], style: Style) -> String {
    let handler = handler(style);
    let mut out = String::new();
    for report in reports
        .iter()
        .filter(|report| !report.checked.findings.is_empty())
    {
        let name = printable(&path(&report.path)).into_owned();
        let source = SafeSource::new(name, &report.source);
        for finding in &report.checked.findings {
            show(&mut out, &handler, finding, &source, style);
        }
    }
    out
}

/// What lays a report out.
fn handler(style: Style) -> GraphicalReportHandler {
    let theme = if style.color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_links(false)
        // Messages are ASCII text around ids: a line breaks at a space, never within an id.
        .with_word_separator(textwrap::WordSeparator::AsciiSpace)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// Adds one finding to `out`.
fn show(
    out: &mut String,
    handler: &GraphicalReportHandler,
    finding: &Finding,
    source: &SafeSource<'_>,
    style: Style,
) {
    let mut text = String::new();
    let shown = Shown {
        finding,
        source,
        style,
    };
    // Writing into a String cannot fail, and every span lies in its source.
    let _ = handler.render_report(&mut text, &shown);
    for line in text.lines() {
        // miette pads the lines around a snippet with blanks.
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push('\n');
}

/// The line below the findings of `check`.
#[must_use]
pub fn summary(summary: &Summary) -> String {
    let files = count(summary.files, "file");
    let found = summary.errors + summary.warnings + summary.infos;
    let suppressed = if summary.suppressed > 0 {
        format!(" ({} suppressed)", summary.suppressed)
    } else {
        String::new()
    };
    if found == 0 {
        return format!("{files} checked, nothing found{suppressed}.");
    }
    let files = match summary.files_with_findings {
        some if some < summary.files => format!("{some} of {files}"),
        _ => files,
    };
    let mut text = format!(
        "{} in {files}: {}{suppressed}",
        count(found, "finding"),
        severities(summary)
    );
    match summary.fixable {
        0 => text.push('.'),
        n if n == found => text.push_str("; all fixable with `cachelane fix`."),
        n => text.push_str(&format!("; {n} fixable with `cachelane fix`.")),
    }
    text
}

/// What is wrong with the configuration `source` called `name`, at `span`.
#[must_use]
pub fn problem(
    name: &str,
    source: &str,
    span: Span,
    message: &str,
    help: Option<&str>,
    severity: Severity,
    style: Style,
) -> String {
    let finding = Finding {
        rule: "configuration",
        severity,
        span,
        message: message.into(),
        help: help.map(Into::into),
        labels: Vec::new(),
        elsewhere: Vec::new(),
        fix: None,
        unfixed: None,
        lock: None,
    };
    let source = SafeSource::new(printable(name).into_owned(), source.as_bytes());
    let mut out = String::new();
    show(&mut out, &handler(style), &finding, &source, style);
    out
}

/// How many findings there are of which severity: `2 errors, 1 warning`.
#[must_use]
pub fn severities(summary: &Summary) -> String {
    let all = [
        (summary.errors, "error"),
        (summary.warnings, "warning"),
        (summary.infos, "info"),
    ];
    let some: Vec<String> = all
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| count(*n, what))
        .collect();
    some.join(", ")
}

/// A finding with its source, the way miette takes it.
struct Shown<'a> {
    finding: &'a Finding,
    source: &'a SafeSource<'a>,
    style: Style,
}

impl Shown<'_> {
    /// What to do, the places in other files, and why there is no fix, line by line.
    fn help_lines(&self) -> Vec<String> {
        let help = self.finding.help.iter().flat_map(|help| help.lines());
        let mut lines: Vec<String> = help.map(|line| printable(line).into_owned()).collect();
        for other in &self.finding.elsewhere {
            let (place, start) = (printable(&other.path), other.range.start);
            lines.push(format!(
                "{place}:{}:{} {}",
                start.line,
                start.column,
                printable(&other.message)
            ));
        }
        if let (false, Some(reason)) = (self.style.why_not_fixed, &self.finding.unfixed) {
            lines.push(format!("no fix: {}", printable(reason)));
        }
        if self.style.why_not_fixed {
            lines.push(format!(
                "not fixed: {}",
                printable(&why_not_fixed(self.finding))
            ));
        }
        lines
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.finding.fmt(f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.finding.message))
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'s>(&'s self) -> Option<Box<dyn fmt::Display + 's>> {
        Some(Box::new(self.finding.rule))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Info => miette::Severity::Advice,
        })
    }

    fn help<'s>(&'s self) -> Option<Box<dyn fmt::Display + 's>> {
        let lines = self.help_lines();
        (!lines.is_empty()).then(|| Box::new(lines.join("\n")) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let own = LabeledSpan::new_primary_with_span(None, self.source.span(self.finding.span));
        let others = self.finding.labels.iter().map(|label| {
            LabeledSpan::new_with_span(
                Some(printable(&label.message).into_owned()),
                self.source.span(label.span),
            )
        });
        Some(Box::new(std::iter::once(own).chain(others)))
    }
}

/// Why a finding that is left after `fix` was not fixed.
#[must_use]
pub fn why_not_fixed(finding: &Finding) -> String {
    match (&finding.fix, &finding.unfixed) {
        (Some(fix), _) if fix.applicability() == Applicability::Unsafe => {
            format!(
                "it needs your judgement; `cachelane fix --unsafe` would {}",
                fix.title()
            )
        }
        (Some(_), _) => "the file would not read as intended afterwards".into(),
        (None, Some(reason)) => reason.clone(),
        (None, None) => "this one takes a person".into(),
    }
}
