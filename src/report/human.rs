//! The report for people: the source line with the id underlined, what it collides with, and what to write.

use std::fmt;
use std::sync::mpsc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use crate::finding::{Elsewhere, Finding, Severity};
use crate::fix::Applicability;
use crate::lint::FileReport;
use crate::text::{Span, count, printable};

use super::safe::SafeSource;
use super::{Summary, path, plain};

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

/// Columns that miette puts before a text.
const MARGIN: usize = 10;

/// How many files make a piece of a report. One thread renders one at least: starting it costs more than a few reports.
const FILES_PER_PIECE: usize = 16;

/// Every finding of `reports`, as text. Large runs are rendered by `threads` threads.
#[must_use]
pub fn findings(reports: &[FileReport], style: Style, threads: usize) -> String {
    let mut text = String::new();
    in_pieces(reports, style, threads, |piece| text.push_str(piece));
    text
}

/// [`findings`] in pieces, in order, each handed to `out` as soon as it is there: of a large report, little is in memory
/// at a time.
pub fn in_pieces(reports: &[FileReport], style: Style, threads: usize, mut out: impl FnMut(&str)) {
    let shown: Vec<&FileReport> = reports
        .iter()
        .filter(|report| !report.checked.findings.is_empty())
        .collect();
    let pieces: Vec<&[&FileReport]> = shown.chunks(FILES_PER_PIECE).collect();
    let threads = threads.min(pieces.len());
    if threads < 2 {
        return pieces.iter().for_each(|piece| out(&render(piece, style)));
    }
    std::thread::scope(|scope| {
        // Each thread renders every so-manieth piece, and is at most two ahead of what has gone out.
        let start = |worker: usize| {
            let (done, rendered) = mpsc::sync_channel(2);
            let mut own = pieces.iter().skip(worker).step_by(threads);
            scope.spawn(move || own.all(|piece| done.send(render(piece, style)).is_ok()));
            rendered
        };
        let workers: Vec<_> = (0..threads).map(start).collect();
        workers
            .iter()
            .cycle()
            .take(pieces.len())
            .filter_map(|worker| worker.recv().ok())
            .for_each(|piece| out(&piece));
    });
}

/// What lays a report out: breaking long lines, or not.
struct Handlers {
    wrapping: GraphicalReportHandler,
    wide: GraphicalReportHandler,
}

fn handlers(style: Style) -> Handlers {
    let theme = if style.color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let wrapping = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_links(false)
        // Messages are ASCII text around ids: parting words at spaces is all they need, and much cheaper.
        .with_word_separator(textwrap::WordSeparator::AsciiSpace)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation);
    Handlers {
        wide: wrapping.clone().with_wrap_lines(false),
        wrapping,
    }
}

fn render(reports: &[&FileReport], style: Style) -> String {
    let handlers = handlers(style);
    let (mut out, mut text) = (String::new(), String::new());
    for report in reports {
        let name = printable(&path(&report.path)).into_owned();
        let source = SafeSource::new(name, &report.source);
        for finding in &report.checked.findings {
            show(
                &mut out,
                &Shown {
                    finding,
                    source: &source,
                    style,
                },
                &handlers,
                &mut text,
            );
        }
    }
    out
}

/// Adds one finding to `out`; `text` is room to lay it out in.
fn show(out: &mut String, shown: &Shown<'_>, handlers: &Handlers, text: &mut String) {
    // Breaking lines is the dearest part of a report; most fit as they are.
    let fits = fits(shown.finding, shown.style);
    if !(fits
        && !shown.style.color
        && plain::lay_out(out, shown.finding, shown.source, &shown.help_lines()))
    {
        by_miette(
            out,
            shown,
            if fits {
                &handlers.wide
            } else {
                &handlers.wrapping
            },
            text,
        );
    }
}

/// Adds one finding to `out` as miette lays it out; `text` is room to do it in.
fn by_miette(
    out: &mut String,
    shown: &Shown<'_>,
    handler: &GraphicalReportHandler,
    text: &mut String,
) {
    text.clear();
    // Writing into a String cannot fail, and every span lies in its source.
    let _ = handler.render_report(text, shown);
    for line in text.lines() {
        // miette pads the lines around a snippet with blanks.
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push('\n');
}

/// Whether no line of the finding's texts needs to be broken.
fn fits(finding: &Finding, style: Style) -> bool {
    let width = style.width.saturating_sub(MARGIN);
    // As many bytes are enough: no character has less than one.
    let fits = |text: &str| {
        text.lines()
            .all(|line| line.len() <= width || line.chars().count() <= width)
    };
    let place = |other: &Elsewhere| other.path.chars().count() + other.message.chars().count() + 20;
    let near = finding.elsewhere.iter().all(|other| place(other) <= width);
    near && !style.why_not_fixed
        && finding.unfixed.is_none()
        && fits(&finding.message)
        && finding.help.as_deref().is_none_or(fits)
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
    show(
        &mut out,
        &Shown {
            finding: &finding,
            source: &source,
            style,
        },
        &handlers(style),
        &mut String::new(),
    );
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::lint;
    use crate::rules::Settings;

    #[test]
    fn pieces_come_in_order_however_many_threads_there_are() {
        let settings = Arc::new(Settings::default());
        let report = |number: usize| {
            let source = format!(
                "FROM a\nRUN --mount=type=cache,id=id{number},target=/a,sharing=locked x\n"
            )
            .into_bytes();
            let checked = lint::check(&source, &settings);
            let path = format!("{number}/Dockerfile").into();
            FileReport {
                path,
                source,
                settings: Arc::clone(&settings),
                checked,
                wires: None,
            }
        };
        let reports: Vec<FileReport> = (0..FILES_PER_PIECE * 7 + 3).map(report).collect();
        let style = Style {
            color: false,
            width: 100,
            why_not_fixed: false,
        };
        let whole = findings(&reports, style, 1);
        assert_eq!(whole.matches("the lock `id").count(), reports.len());
        for threads in [0, 2, 3, 50] {
            assert!(
                findings(&reports, style, threads) == whole,
                "{threads} threads"
            );
        }
    }

    #[test]
    fn what_is_laid_out_here_is_what_miette_makes_of_it() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/rules");
        let cases = std::fs::read_dir(root)
            .unwrap()
            .flat_map(|rule| std::fs::read_dir(rule.unwrap().path()).unwrap());
        let style = Style {
            color: false,
            width: 100,
            why_not_fixed: false,
        };
        let handlers = handlers(style);
        let (mut own, mut all) = (0, 0);
        for case in cases {
            let Ok(source) = std::fs::read(case.unwrap().path().join("Dockerfile")) else {
                continue;
            };
            // The same below so many lines that their numbers get another digit, and without an end.
            let more = [b"# x\n".repeat(97), source.clone()].concat();
            let less = source.strip_suffix(b"\n").unwrap_or(&source).to_vec();
            for source in [source, more, less] {
                let checked = lint::check_alone(&source, &Settings::default());
                let safe = SafeSource::new("a/Dockerfile".into(), &source);
                for finding in checked
                    .findings
                    .iter()
                    .filter(|finding| fits(finding, style))
                {
                    let shown = Shown {
                        finding,
                        source: &safe,
                        style,
                    };
                    let (mut here, mut there) = (String::new(), String::new());
                    all += 1;
                    if plain::lay_out(&mut here, finding, &safe, &shown.help_lines()) {
                        own += 1;
                        by_miette(&mut there, &shown, &handlers.wide, &mut String::new());
                        assert_eq!(here, there);
                    }
                }
            }
        }
        assert!(all > 200 && own > all / 2, "{own} of {all}");
    }
}
