//! SARIF 2.1.0, the format that GitHub's code scanning and most collections of findings take.

use crate::finding::{Finding, RuleId, RuleMeta, Severity};
use crate::fix::{Applicability, Fix};
use crate::text::{Range, printable};

use super::fingerprint::fingerprints;
use super::found::{self, Found};
use super::{Run, Trouble, json_text};

mod model;

use model::{
    ArtifactChange, ArtifactLocation, Configuration, Description, Driver, Help, Invocation,
    Location, Log, Message, NotedLine, NotedLocation, NotedPlace, Notification,
    PartialFingerprints, PhysicalLocation, Region, Replacement, Rule, SarifFix, SarifResult,
    SarifRun, Tool, UriBases,
};

/// What relative paths are relative to. GitHub takes it for the root of the repository.
const BASE: &str = "%SRCROOT%";

/// The findings of `run` as a SARIF log, with a newline behind it.
#[must_use]
pub fn render(run: &Run<'_>) -> String {
    let mut results = Vec::new();
    for file in found::files(run) {
        let prints = file.findings().iter().zip(fingerprints(file.report));
        results.extend(
            prints.map(|(finding, fingerprint)| result(run.rules, &file, finding, fingerprint)),
        );
    }
    let driver = Driver {
        name: "cachelane",
        semantic_version: env!("CARGO_PKG_VERSION"),
        version: env!("CARGO_PKG_VERSION"),
        rules: run.rules.iter().map(|id| rule(id.meta())).collect(),
    };
    json_text(&Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [SarifRun {
            tool: Tool { driver },
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: UriBases {
                root: Description {
                    description: Message::new("The folder in which cachelane ran."),
                },
            },
            invocations: [Invocation {
                execution_successful: run.troubles.is_empty(),
                tool_execution_notifications: run.troubles.iter().map(notification).collect(),
            }],
            results,
        }],
    })
}

fn notification(trouble: &Trouble) -> Notification {
    let location = |path: &String| NotedLocation {
        place: NotedPlace {
            artifact_location: artifact(path),
            region: trouble.line.map(|start_line| NotedLine { start_line }),
        },
    };
    Notification {
        level: "error",
        message: Message {
            text: plain(&printable(&trouble.message)),
        },
        locations: trouble.path.iter().map(location).collect(),
    }
}

fn rule(meta: &'static RuleMeta) -> Rule {
    Rule {
        id: meta.name,
        short_description: Message::new(meta.summary),
        full_description: Message {
            text: what_it_does(meta),
        },
        help: Help {
            text: meta.doc(),
            markdown: meta.doc(),
        },
        default_configuration: Configuration {
            level: level(meta.severity),
        },
    }
}

/// What stands below the first heading of a rule's page, without the ends of its lines.
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

fn result(
    rules: &[RuleId],
    file: &Found<'_>,
    finding: &Finding,
    fingerprint: String,
) -> SarifResult {
    let related = file.related(finding).enumerate();
    let related_locations = related.map(|(index, related)| Location {
        id: Some(index + 1),
        message: Some(Message {
            text: plain(&printable(related.message)),
        }),
        ..place(related.path, related.range)
    });
    SarifResult {
        rule_id: finding.rule.as_str(),
        rule_index: rules.iter().position(|rule| *rule == finding.rule),
        level: level(finding.severity),
        message: Message {
            text: message(file, finding),
        },
        locations: [place(&file.path, file.range(finding.span))],
        related_locations: related_locations.collect(),
        fixes: finding.fix.iter().map(|fix| sarif_fix(file, fix)).collect(),
        partial_fingerprints: PartialFingerprints {
            finding: fingerprint,
        },
    }
}

/// The finding, what to do about it, and a link to each related location: GitHub shows none that the text does not name.
fn message(file: &Found<'_>, finding: &Finding) -> String {
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

/// `text` without anything that a reader could take for a link.
fn plain(text: &str) -> String {
    text.replace("](", "] (")
}

/// `text` as SARIF has it between the brackets of a link.
fn link_text(text: &str) -> String {
    printable(text)
        .replace('\\', "\\\\")
        .replace('[', "\\[")
        .replace(']', "\\]")
}

fn place(path: &str, range: Range) -> Location {
    let place = PhysicalLocation {
        artifact_location: artifact(path),
        region: range.into(),
    };
    Location {
        id: None,
        message: None,
        place,
    }
}

impl From<Range> for Region {
    fn from(Range { start, end }: Range) -> Self {
        Self {
            start_line: start.line,
            start_column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

fn sarif_fix(file: &Found<'_>, fix: &Fix) -> SarifFix {
    let who = match fix.applicability() {
        Applicability::Safe => "safe: `cachelane fix` does it",
        Applicability::Unsafe => "unsafe, look at the result: `cachelane fix --unsafe` does it",
    };
    let replacement = |edit: &crate::fix::Edit| Replacement {
        deleted_region: file.range(edit.span()).into(),
        // The text to write, to the letter.
        inserted_content: (!edit.text().is_empty()).then(|| Message::new(edit.text())),
    };
    SarifFix {
        description: Message {
            text: format!("{} ({who})", plain(&printable(fix.title()))),
        },
        artifact_changes: [ArtifactChange {
            artifact_location: artifact(&file.path),
            replacements: fix.edits().iter().map(replacement).collect(),
        }],
    }
}

/// The URI of the file that reports name `path`.
fn artifact(path: &str) -> ArtifactLocation {
    if path == "-" {
        return ArtifactLocation {
            uri: "file:///dev/stdin".into(),
            uri_base_id: None,
        };
    }
    if path.starts_with('/') {
        return ArtifactLocation {
            uri: format!("file://{}", encoded(path)),
            uri_base_id: None,
        };
    }
    if std::path::Path::new(path).is_absolute() {
        // Of Windows: its colon is part of the URI.
        let uri = format!("file:///{}", encoded(path).replacen("%3A", ":", 1));
        return ArtifactLocation {
            uri,
            uri_base_id: None,
        };
    }
    ArtifactLocation {
        uri: encoded(path),
        uri_base_id: Some(BASE),
    }
}

/// `path` with every byte as `%XX` that is not sure to stand for itself, wherever in a URI. A colon is among them: before
/// the first slash it would end a scheme.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_uri() {
        let uri = |path: &str| {
            let artifact = artifact(path);
            (artifact.uri, artifact.uri_base_id.is_some())
        };
        assert_eq!(
            uri("a b/ß%.Dockerfile"),
            ("a%20b/%C3%9F%25.Dockerfile".into(), true)
        );
        assert_eq!(
            uri("http://x?y#z\n"),
            ("http%3A//x%3Fy%23z%0A".into(), true)
        );
        assert_eq!(uri("/srv/x y"), ("file:///srv/x%20y".into(), false));
        assert_eq!(uri("-"), ("file:///dev/stdin".into(), false));
    }
}
