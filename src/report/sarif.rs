//! SARIF 2.1.0, the format that GitHub's code scanning and most collections of findings take.

use std::io::{self, Write};

use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};

use crate::finding::{Finding, RuleId, RuleMeta, Severity};
use crate::fix::{Applicability, Edit, Fix};
use crate::text::{Range, printable};

use super::document::{Json, json_text, object, write_json};
use super::fingerprint::fingerprints;
use super::found::{self, PrintedFile, Related};
use super::model::{Run, RunError};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The base of relative paths. GitHub takes it for the root of the repository. It has no URI, which would tell where
/// the folder lies.
const BASE: &str = "%SRCROOT%";

#[derive(Serialize)]
struct Log<'r> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [LogRun<'r>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogRun<'r> {
    tool: Json,
    column_kind: &'static str,
    original_uri_base_ids: Json,
    invocations: Json,
    results: Results<'r>,
}

/// The results, each made when it is written: all of them together take gigabytes.
struct Results<'r>(&'r Run<'r>);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        for file in found::files(self.0.reports) {
            for (finding, print) in file.findings().iter().zip(fingerprints(file.report)) {
                list.serialize_element(&result(self.0.rules, &file, finding, print))?;
            }
        }
        list.end()
    }
}

/// Returns the findings of `run` as a SARIF log that ends with a newline.
pub fn render(run: &Run<'_>) -> String {
    json_text(&log(run))
}

/// Writes what [`render`] returns.
pub fn write(run: &Run<'_>, to: &mut dyn Write) -> io::Result<()> {
    write_json(&log(run), to)
}

fn log<'r>(run: &'r Run<'r>) -> Log<'r> {
    let driver = object! {
        "name": "cachelane",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": Json::list(run.rules.iter().map(|id| rule(id.meta()))),
    };
    let folder = object! { "description": text("The folder in which cachelane ran.") };
    let run = LogRun {
        tool: object! { "driver": driver },
        column_kind: "unicodeCodePoints",
        original_uri_base_ids: object! { "%SRCROOT%": folder },
        invocations: one(object! {
            "executionSuccessful": run.errors.is_empty(),
            "toolExecutionNotifications": Json::some(run.errors.iter().map(notification)),
        }),
        results: Results(run),
    };
    Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [run],
    }
}

fn one(item: Json) -> Json {
    Json::List(vec![item])
}

/// Returns an object with one text: a message, a description, or the content of an artifact.
fn text(text: impl Into<String>) -> Json {
    object! { "text": text.into() }
}

fn notification(error: &RunError) -> Json {
    let location = |path: &String| {
        object! {
            "physicalLocation": object! {
                "artifactLocation": artifact(path),
                "region": Json::maybe(error.line.map(|line| object! { "startLine": line })),
            },
        }
    };
    object! {
        "level": "error",
        "message": text(plain(&printable(&error.message))),
        "locations": Json::some(error.path.iter().map(location)),
    }
}

/// Returns SARIF's `reportingDescriptor`.
fn rule(meta: &RuleMeta) -> Json {
    object! {
        "id": meta.name,
        "shortDescription": text(meta.summary),
        "fullDescription": text(what_it_does(meta)),
        "helpUri": meta.url(),
        "help": object! { "text": meta.doc(), "markdown": meta.doc() },
        "defaultConfiguration": object! { "level": level(meta.severity) },
    }
}

/// Returns the text below the first heading of a rule's page, its lines joined.
fn what_it_does(meta: &RuleMeta) -> String {
    let body = meta
        .doc()
        .lines()
        .skip_while(|line| line.starts_with("## "))
        .take_while(|line| !line.starts_with("## "));
    let words: Vec<&str> = body
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if words.is_empty() {
        meta.summary.to_owned()
    } else {
        words.join(" ")
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// Returns SARIF's `result` with the fingerprint `print`; the number behind its name is the version of its making.
fn result(rules: &[RuleId], file: &PrintedFile<'_>, finding: &Finding, print: String) -> Json {
    let related = |(index, related): (usize, Related<'_>)| {
        object! {
            "id": index + 1,
            "message": text(plain(&printable(related.message))),
            "physicalLocation": place(related.path, related.range),
        }
    };
    object! {
        "ruleId": finding.rule.as_str(),
        "ruleIndex": rules.iter().position(|rule| *rule == finding.rule),
        "level": level(finding.severity),
        "message": text(message(file, finding)),
        "locations": one(object! {
            "physicalLocation": place(&file.path, file.range(finding.span)),
        }),
        "relatedLocations": Json::some(file.related(finding).enumerate().map(related)),
        "fixes": Json::some(finding.fix.iter().map(|one| fix(file, one))),
        "partialFingerprints": object! { "cachelaneFinding/v1": print },
    }
}

/// Returns the finding, its help, and a link to each related location: GitHub shows only those that the text links.
fn message(file: &PrintedFile<'_>, finding: &Finding) -> String {
    let mut lines: Vec<String> = found::texts(finding)
        .iter()
        .map(|line| plain(line))
        .collect();
    lines.extend(file.related(finding).enumerate().map(|(index, related)| {
        let name = link_text(&format!("{}:{}", related.path, related.range.start.line));
        format!(
            "[{name}]({}): {}",
            index + 1,
            plain(&printable(related.message))
        )
    }));
    lines.join("\n")
}

/// Returns `text` without anything that a reader could take for a link.
fn plain(text: &str) -> String {
    text.replace("](", "] (")
}

/// Escapes `text` for the brackets of a link.
fn link_text(text: &str) -> String {
    printable(text)
        .replace('\\', "\\\\")
        .replace('[', "\\[")
        .replace(']', "\\]")
}

fn place(path: &str, range: Range) -> Json {
    object! { "artifactLocation": artifact(path), "region": region(range) }
}

/// Lines and columns from 1; the end is exclusive.
fn region(Range { start, end }: Range) -> Json {
    object! {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }
}

fn fix(file: &PrintedFile<'_>, fix: &Fix) -> Json {
    let who = match fix.applicability() {
        Applicability::Safe => "safe: `cachelane fix` does it",
        Applicability::Unsafe => "unsafe, look at the result: `cachelane fix --unsafe` does it",
    };
    let content = |edit: &Edit| (!edit.text().is_empty()).then(|| text(edit.text()));
    let replacement = |edit: &Edit| {
        object! {
            "deletedRegion": region(file.range(edit.span())),
            "insertedContent": Json::maybe(content(edit)),
        }
    };
    let change = object! {
        "artifactLocation": artifact(&file.path),
        "replacements": Json::list(fix.edits().iter().map(replacement)),
    };
    object! {
        "description": text(format!("{} ({who})", plain(&printable(fix.title())))),
        "artifactChanges": one(change),
    }
}

fn artifact(path: &str) -> Json {
    let (uri, base) = uri(path);
    object! { "uri": uri, "uriBaseId": base }
}

/// Returns the URI of the file that reports name `path`, and its base.
fn uri(path: &str) -> (String, Option<&'static str>) {
    if path == "-" {
        ("file:///dev/stdin".into(), None)
    } else if path.starts_with('/') {
        (format!("file://{}", encoded(path)), None)
    } else if std::path::Path::new(path).is_absolute() {
        // Of Windows: its colon is part of the URI.
        let path = encoded(path).replacen("%3A", ":", 1);
        (format!("file:///{path}"), None)
    } else {
        (encoded(path), Some(BASE))
    }
}

/// Escapes every byte of `path` that may mean something in a URI, a colon too: before the first slash it would end a
/// scheme.
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
