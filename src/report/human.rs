//! The report for users: the source line with the id underlined, its conflict, and the text to write.

use std::collections::HashSet;
use std::{fmt, iter};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use crate::finding::{Finding, Place, Severity};
use crate::lint::FileReport;
use crate::text::{LineIndex, Span, count, printable};

use super::blocks::{Block, Runs, blocks, why_not_fixed};
use super::model::{Summary, path};
use super::safe::SafeSource;

#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub color: bool,
    /// The width of the terminal, in columns; `None` without one.
    pub width: Option<usize>,
    /// True in the report of `fix`: each finding says why it was not fixed.
    pub why_not_fixed: bool,
    /// True where a rule's name is a link to its page, as terminals show it (OSC 8).
    pub links: bool,
}

/// The width of texts without a terminal, in columns.
const WIDTH: usize = 100;

/// The columns that miette puts before a line of the source, besides its number.
const GUTTER: usize = 4;

/// The columns of the arm that miette draws to a label.
const ARM: usize = 4;

/// Limits the lines of a label.
const MAX_LABEL: usize = 3;

/// Limits the places of a block that are listed.
const MAX_PLACES: usize = 12;

/// Returns a block for each lock and file, or for each finding that is about no lock.
pub fn findings(reports: &[FileReport], style: Style) -> String {
    let handler = handler(style);
    let mut out = String::new();
    let mut tips: HashSet<&str> = HashSet::new();
    let runs = Runs::new(reports);
    for report in reports
        .iter()
        .filter(|report| !report.checked.findings.is_empty())
    {
        let name = printable(&path(&report.path)).into_owned();
        let lines = LineIndex::new(&report.source);
        let number = lines.lines().to_string().len();
        let room = style.width.map_or(usize::MAX, |width| {
            width.saturating_sub(number + GUTTER).max(20)
        });
        let whole = SafeSource::new(name.clone(), &report.source);
        for block in blocks(report, &runs, style.why_not_fixed) {
            let Block {
                finding,
                again,
                others,
            } = block;
            let is_listed = |span: &Span| again.iter().any(|other| other.span == *span);
            let is_new = finding.tip.as_deref().is_some_and(|tip| tips.insert(tip));
            let cut = (whole.longest() > room).then(|| {
                let here = finding
                    .related
                    .iter()
                    .filter_map(|other| match other.place {
                        Place::Here(span) => Some(span),
                        Place::There { .. } => None,
                    });
                let marked = others.iter().map(|other| other.span);
                let kept = iter::once(finding.span).chain(here).chain(marked);
                let kept: Vec<Span> = kept.collect();
                SafeSource::cut(name.clone(), &report.source, room, &kept)
            });
            let source = cut.as_ref().unwrap_or(&whole);
            let mut shown = Shown::new(finding, source, style, is_new, &is_listed);
            shown.also(&others);
            shown.help.extend(listed(&again, &lines));
            show(&mut out, &handler, &shown);
        }
    }
    out
}

/// Returns the line of a block on the places that say the same.
fn listed(again: &[&Finding], lines: &LineIndex) -> Option<String> {
    let mut all: Vec<usize> = again
        .iter()
        .map(|finding| lines.line(finding.span.start))
        .collect();
    all.dedup();
    let named: Vec<String> = all.iter().take(MAX_PLACES).map(usize::to_string).collect();
    let (last, first) = named.split_last()?;
    let more = all.len().saturating_sub(MAX_PLACES);
    Some(match (first, more) {
        ([], _) => format!("the same on line {last}"),
        (_, 0) => format!("the same on lines {} and {last}", first.join(", ")),
        _ => format!(
            "the same on lines {}, {last} and {more} more",
            first.join(", ")
        ),
    })
}

/// Returns a label in lines of at most `room` columns; `None` where it needs too many, or has a word that is longer.
fn folded(label: &str, room: Option<usize>) -> Option<String> {
    let Some(room) = room else {
        return Some(label.to_owned());
    };
    let options = textwrap::Options::new(room.max(1))
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let lines = textwrap::wrap(label, options);
    let fits = lines.len() <= MAX_LABEL && lines.iter().all(|line| line.chars().count() <= room);
    fits.then(|| lines.join("\n"))
}

fn handler(style: Style) -> GraphicalReportHandler {
    let theme = if style.color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    GraphicalReportHandler::new_themed(theme)
        .with_width(style.width.unwrap_or(WIDTH))
        .with_links(style.links)
        .with_link_display_text("")
        // Messages are ASCII text around ids: a line breaks at a space, never within an id.
        .with_word_separator(textwrap::WordSeparator::AsciiSpace)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
}

fn show(out: &mut String, handler: &GraphicalReportHandler, shown: &Shown<'_>) {
    let mut text = String::new();
    // Writing into a String cannot fail, and every span lies in its source.
    let _ = handler.render_report(&mut text, shown);
    for line in text.lines() {
        // miette pads the lines around a snippet with blanks.
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push('\n');
}

/// Returns the line below the findings of `check`, of which those from `least` on are shown.
pub fn summary(summary: &Summary, least: Option<Severity>) -> String {
    let files = count(summary.files, "file");
    let found = summary.found();
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
        "{} in {files}: {}{}{suppressed}",
        count(found, "finding"),
        severities(summary),
        hidden(summary, least),
    );
    match summary.fixable {
        0 => text.push('.'),
        n if n == found => text.push_str("; all fixable with `cachelane fix`."),
        n => text.push_str(&format!("; {n} fixable with `cachelane fix`.")),
    }
    text
}

/// Returns the report on a problem with the configuration `source` called `name`, at `span`.
pub fn problem(
    name: &str,
    source: &str,
    span: Span,
    message: &str,
    help: Option<&str>,
    severity: Severity,
    style: Style,
) -> String {
    let source = SafeSource::new(printable(name).into_owned(), source.as_bytes());
    let shown = Shown {
        code: "configuration",
        url: None,
        severity,
        message,
        help: help
            .map(|help| printable(help).into_owned())
            .into_iter()
            .collect(),
        labels: vec![LabeledSpan::new_primary_with_span(None, source.span(span))],
        source: &source,
    };
    let mut out = String::new();
    show(&mut out, &handler(style), &shown);
    out
}

/// Returns how to see the findings below `least`; nothing where all are shown.
pub fn hidden(summary: &Summary, least: Option<Severity>) -> &'static str {
    match least {
        Some(Severity::Info) => "",
        Some(Severity::Warning) if summary.infos == 0 => "",
        Some(Severity::Error) if summary.infos + summary.warnings == 0 => "",
        Some(Severity::Warning) => " (`-v` shows infos)",
        _ => " (`-v` shows all)",
    }
}

/// Returns the number of findings by severity: `2 errors, 1 warning`.
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

/// A finding, or a problem with a configuration, with its source, in miette's form.
#[derive(Debug)]
struct Shown<'a> {
    code: &'a str,
    /// The page on it, where that is linked.
    url: Option<String>,
    severity: Severity,
    message: &'a str,
    /// Printable, line by line.
    help: Vec<String>,
    labels: Vec<LabeledSpan>,
    source: &'a SafeSource<'a>,
}

impl<'a> Shown<'a> {
    /// Shows `finding`, with its tip where that `is_new`; what `is_listed` has no label.
    fn new(
        finding: &'a Finding,
        source: &'a SafeSource<'a>,
        style: Style,
        is_new: bool,
        is_listed: &dyn Fn(&Span) -> bool,
    ) -> Self {
        let mut labels = vec![LabeledSpan::new_primary_with_span(
            None,
            source.span(finding.span),
        )];
        let tip = finding.tip.iter().filter(|_| is_new);
        let lines = finding.help.iter().chain(tip).flat_map(|help| help.lines());
        let mut help: Vec<String> = lines.map(|line| printable(line).into_owned()).collect();
        for location in &finding.related {
            let message = printable(&location.message).into_owned();
            match &location.place {
                Place::Here(span) if is_listed(span) => {}
                Place::Here(span) => {
                    let span = source.span(*span);
                    let room = style.width.map(|width| {
                        let (line, column) = source.middle(span);
                        width.saturating_sub(line.to_string().len() + GUTTER + column + ARM)
                    });
                    let label = folded(&message, room);
                    if label.is_none() {
                        help.push(format!("line {}: {message}", source.middle(span).0));
                    }
                    labels.push(LabeledSpan::new_with_span(label, span));
                }
                Place::There { path, range } => help.push(format!(
                    "{}:{}:{} {message}",
                    printable(path),
                    range.start.line,
                    range.start.column,
                )),
            }
        }
        if style.why_not_fixed {
            help.push(format!("not fixed: {}", printable(&why_not_fixed(finding))));
        } else if let Some(reason) = &finding.unfixed {
            help.push(format!("no fix: {}", printable(reason)));
        }
        Self {
            code: finding.rule.as_str(),
            url: style.links.then(|| finding.rule.meta().url()),
            severity: finding.severity,
            message: &finding.message,
            help,
            labels,
            source,
        }
    }
}

impl Shown<'_> {
    /// Adds findings that say the same of other locks.
    fn also(&mut self, others: &[&Finding]) {
        let mut ids: Vec<String> = Vec::new();
        for other in others {
            let span = self.source.span(other.span);
            // What is cut off a line has no place for a mark.
            let marked = (!span.is_empty()).then(|| LabeledSpan::new_with_span(None, span));
            self.labels.extend(marked);
            let lock = other.lock.as_ref();
            let id = lock.map(|lock| String::from_utf8_lossy(&lock.id).into_owned());
            ids.extend(id.map(|id| format!("`{}`", printable(&id))));
        }
        if !ids.is_empty() {
            self.help.push(format!("the same for {}", ids.join(", ")));
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(self.message))
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'s>(&'s self) -> Option<Box<dyn fmt::Display + 's>> {
        Some(Box::new(self.code))
    }

    fn url<'s>(&'s self) -> Option<Box<dyn fmt::Display + 's>> {
        let url = self.url.as_ref()?;
        Some(Box::new(url))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Info => miette::Severity::Advice,
        })
    }

    fn help<'s>(&'s self) -> Option<Box<dyn fmt::Display + 's>> {
        (!self.help.is_empty()).then(|| Box::new(self.help.join("\n")) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
