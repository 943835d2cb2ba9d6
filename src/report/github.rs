//! GitHub Actions: annotations, which its runner reads from the log, and the summary page of a job.

use std::collections::{BTreeSet, HashSet};

use crate::finding::{Finding, Severity};
use crate::lint::FileReport;
use crate::lint::matching::LockMap;
use crate::text::{count, printable};

use super::found::{self, PrintedFile};
use super::human;
use super::locks::{cells, groups, mermaid};
use super::model::{Run, RunError};
use super::notes;

/// Limits the findings on the summary page. GitHub drops a page of more than one MiB, so texts are cut too.
const MAX_ROWS: usize = 200;

/// Limits a path and a message on the summary page, in characters.
const MAX_PATH: usize = 200;
const MAX_MESSAGE: usize = 400;

/// Limits the rows of locks on the summary page, and the places and the builds of each.
const MAX_LOCKS: usize = 20;
const MAX_PLACES: usize = 4;

/// Returns an annotation for every finding of `run`, one a line. GitHub shows the first ten errors, ten warnings and
/// ten notices of a step.
pub fn render(run: &Run<'_>) -> String {
    let mut out: String = run.errors.iter().map(run_error).collect();
    for file in found::files(run.reports) {
        for finding in file.findings() {
            out.push_str(&annotation(&file, finding));
            out.push('\n');
        }
    }
    out
}

fn run_error(error: &RunError) -> String {
    let file = error
        .path
        .as_ref()
        .map(|path| format!("file={},", property(path)))
        .unwrap_or_default();
    let line = error
        .line
        .map(|line| format!("line={line},"))
        .unwrap_or_default();
    format!(
        "::error {file}{line}title=cachelane::{}\n",
        data(&printable(&error.message))
    )
}

fn annotation(file: &PrintedFile<'_>, finding: &Finding) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let (start, end) = (file.range(finding.span).start, file.range(finding.span).end);
    let mut properties = format!(
        "file={},line={},endLine={}",
        property(&file.path),
        start.line,
        end.line
    );
    // The runner drops the columns of a stretch of several lines.
    if start.line == end.line {
        properties.push_str(&format!(",col={},endColumn={}", start.column, end.column));
    }
    let data = data(&file.lines(finding).join("\n"));
    format!(
        "::{command} {properties},title={}::{data}",
        property(finding.rule.as_str())
    )
}

/// Escapes `text` as the message of a command, printable except for the ends of lines.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes `text` as the value of a command's property.
fn property(text: &str) -> String {
    data(&printable(text))
        .replace(':', "%3A")
        .replace(',', "%2C")
}

/// Returns the locks of `map` as a picture and a table, and the findings of `run` as another one, in Markdown: for the file that
/// `GITHUB_STEP_SUMMARY` names.
pub fn step_summary(run: &Run<'_>, map: &LockMap) -> String {
    let mut out = format!(
        "### cachelane\n\n{}\n",
        markdown(&human::summary(&run.summary, Some(Severity::Info)))
    );
    for note in notes::printed(run.notes, run.summary.found() > 0) {
        out.push_str(&format!("\n{}\n", markdown(&note.message)));
    }
    for error in run.errors.iter().take(MAX_ROWS) {
        let text = clipped(&printable(&error.to_string()), MAX_MESSAGE);
        out.push_str(&format!("\n**Error:** {}\n", markdown(&text)));
    }
    out.push_str(&locks(map));
    let mut left = 0;
    let mut rows = 0;
    for file in found::files(run.reports) {
        for finding in file.findings() {
            if rows == MAX_ROWS {
                left += 1;
                continue;
            }
            if rows == 0 {
                out.push_str("\n| Severity | Rule | Place | What happens |\n|---|---|---|---|\n");
            }
            out.push_str(&row(&file, finding));
            rows += 1;
        }
    }
    if left > 0 {
        out.push_str(&format!("\n… and {}.\n", count(left, "more finding")));
    }
    out
}

/// Returns the part of `map` that a change touches: the locks that findings are about, those of the builds that findings stand
/// at, and those that a `changed` file takes or builds.
pub fn touched(reports: &[FileReport], changed: &BTreeSet<String>, map: &LockMap) -> LockMap {
    let mut locks: HashSet<(String, String)> = HashSet::new();
    let mut builds: HashSet<(String, usize)> = HashSet::new();
    for file in found::files(reports) {
        for finding in file.findings() {
            builds.insert((file.path.clone(), file.range(finding.span).start.line));
            locks.extend(finding.lock.as_ref().map(|lock| {
                let id = String::from_utf8_lossy(&lock.id).into_owned();
                (file.path.clone(), id)
            }));
        }
    }
    map.only(|lock| {
        let mut runs = lock.runs.iter().map(|run| &run.path);
        let is_found = |path: &String| {
            let mut ids = lock.ids.iter();
            ids.any(|id| locks.contains(&(path.clone(), id.clone())))
        };
        let mut built = lock.builds.iter().map(|build| (&build.path, build.line));
        runs.any(|path| changed.contains(path) || is_found(path))
            || built.any(|(path, line)| {
                changed.contains(path) || builds.contains(&(path.clone(), line))
            })
    })
}

/// Returns the locks as a picture and a table.
fn locks(map: &LockMap) -> String {
    if map.locks.is_empty() {
        return String::new();
    }
    let head = "| Lock | Taken by | Built by | Who waits |\n|---|---|---|---|\n";
    let mut out = format!("\n```mermaid\n{}```\n\n{head}", mermaid(map));
    let groups = groups(map);
    for group in groups.iter().take(MAX_LOCKS) {
        let cells = cells(group, MAX_PLACES).map(|lines| {
            let lines = lines.iter().map(|line| {
                let line = clipped(&printable(line), MAX_PATH);
                literal(&line)
            });
            lines.collect::<Vec<_>>().join("<br>")
        });
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    let hidden = groups.iter().skip(MAX_LOCKS);
    let hidden: usize = hidden.map(|group| group.locks.len()).sum();
    if hidden > 0 {
        let more = count(hidden, "more lock");
        out.push_str(&format!("\n… and {more}.\n"));
    }
    out
}

fn row(file: &PrintedFile<'_>, finding: &Finding) -> String {
    let line = file.range(finding.span).start.line;
    let place = format!("{}:{line}", clipped(&printable(&file.path), MAX_PATH));
    let message = clipped(&printable(&finding.message), MAX_MESSAGE);
    let (severity, rule) = (finding.severity.as_str(), finding.rule);
    format!(
        "| {severity} | <code>{rule}</code> | {} | {} |\n",
        literal(&place),
        markdown(&message)
    )
}

fn clipped(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit).chain(['…']).collect()
}

/// Returns `text`, in which backticks enclose code, as Markdown without other markup.
fn markdown(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let (mut out, last) = (String::new(), parts.len() - 1);
    for (index, part) in parts.iter().enumerate() {
        match (index % 2 == 1, index == last) {
            (true, false) => out.push_str(&format!("<code>{}</code>", literal(part))),
            // A backtick without a partner.
            (true, true) => out.push_str(&literal(&format!("`{part}"))),
            (false, _) => out.push_str(&literal(part)),
        }
    }
    out
}

/// Escapes every character of `text` that means something to Markdown, to HTML or to GitHub as an entity.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        if ch.is_ascii_punctuation()
            && !matches!(ch, '-' | '/' | '.' | ',' | ';' | '(' | ')' | '?' | '\'')
        {
            out.push_str(&format!("&#{};", u32::from(ch)));
        } else {
            out.push(ch);
        }
    }
    out
}
