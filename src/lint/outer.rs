//! Files that hold Dockerfiles within them, and say what is built: workflows, pipelines, Compose and bake files.

use std::path::Path;
use std::sync::Arc;

use similar::{DiffOp, TextDiff};

use crate::builds::{BuildFile, FormatRef, Inline, Unknown, inline};
use crate::finding::{Finding, Place};
use crate::fix::{Applicability, Edit, Fix, apply};
use crate::index::Site;
use crate::rules::Settings;
use crate::rules::lane_requirements::LaneRequirements;
use crate::suppress;
use crate::text::{LineIndex, Span};

use super::check::check;
use super::fixpoint::fix;
use super::loose;
use super::model::{BuildFileReport, Checked, Dropped, FileReport, Fixed};

/// Returns what a file of this `format` says about builds, and what is found in the Dockerfiles within it.
#[must_use]
pub fn check_wiring(
    path: &Path,
    format: FormatRef,
    source: &[u8],
    settings: &Arc<Settings>,
) -> FileReport {
    let (mut checked, mut said, mut lanes) = (Checked::default(), BuildFile::default(), Vec::new());
    match std::str::from_utf8(source).map(|text| format.read(text)) {
        Ok(Ok(wiring)) => said = wiring,
        // A template of such a file, say: it is not for cachelane to judge it.
        Ok(Err(error)) => {
            said.unknown.push(Unknown {
                span: error.span,
                why: error.message,
            });
        }
        Err(error) => {
            let why = format!("it is not UTF-8: {error}");
            said.unknown.push(Unknown {
                span: Span::at(error.valid_up_to()),
                why,
            });
        }
    }
    if !said.inline.is_empty() {
        let lines = LineIndex::new(source);
        for inline in &said.inline {
            lanes.push(add(&mut checked, inline, source, &lines, settings));
        }
    }
    if suppress::is_marked(source) {
        checked.ignores = suppress::read_outline(source);
    }
    let loose = loose::beside(source, settings, &said.inline, &mut checked);
    FileReport {
        path: path.to_path_buf(),
        source: source.to_vec(),
        settings: Arc::clone(settings),
        checked,
        builds: Some(Box::new(BuildFileReport {
            format,
            file: said,
            lanes,
            loose,
            missing: Vec::new(),
        })),
    }
}

/// Adds what is found in one Dockerfile within the file `source`, with places in that file; gives what it asks of its
/// builds.
fn add(
    checked: &mut Checked,
    inline: &Inline,
    source: &[u8],
    lines: &LineIndex,
    settings: &Settings,
) -> Option<Box<LaneRequirements>> {
    let inner = check(inline.text.as_bytes(), settings);
    checked.suppressed += inner.suppressed;
    let place = |span: Span| inline.to_file(span);
    checked
        .findings
        .extend(inner.findings.into_iter().map(|finding| {
            let fix = finding.fix.as_ref().map(|fix| moved(inline, source, fix));
            let related = finding.related.into_iter().map(|mut location| {
                if let Place::Here(span) = &mut location.place {
                    *span = place(*span);
                }
                location
            });
            let unfixed = fix
                .as_ref()
                .and_then(|fix| fix.as_ref().err().cloned())
                .or(finding.unfixed);
            let (span, related) = (place(finding.span), related.collect());
            let first = lines.line(place(Span::at(0)).start);
            let counted = |help: &String| help.contains("line ");
            let note = format!(
                "\n(its lines are counted from the Dockerfile's first, line {first} of this file)"
            );
            let help = finding.help.map(|help| inline::advice(inline, &help));
            let help = help.map(|help| if counted(&help) { help + &note } else { help });
            Finding {
                span,
                related,
                help,
                fix: fix.and_then(Result::ok),
                unfixed,
                ..finding
            }
        }));
    checked.sites.extend(inner.sites.into_iter().map(|site| {
        let span = place(site.span);
        // What comparing files would change there goes by the Dockerfile's own bytes: it is for a person.
        Site {
            span,
            mode_edit: None,
            id_end: None,
            ..site
        }
    }));
    inner.lanes.map(|mut lanes| {
        lanes.span = place(lanes.span);
        lanes.range = lines.range(source, lanes.span);
        lanes
    })
}

/// `fix` with places in the file around the Dockerfile.
fn moved(inline: &Inline, source: &[u8], fix: &Fix) -> Result<Fix, String> {
    let source = std::str::from_utf8(source).unwrap_or_default();
    let edits = inline::edits(inline, source, fix.edits())?;
    let title = inline::advice(inline, fix.title());
    Ok(match fix.applicability() {
        Applicability::Safe => Fix::safe(title, edits),
        Applicability::Unsafe => Fix::needs_review(title, edits),
    })
}

/// Fixes the Dockerfiles within a file, as [`fix`] fixes a Dockerfile; each result is read out of the
/// new file again, and has to be what it was meant to be.
#[must_use]
pub fn fix_inline(
    format: FormatRef,
    source: &[u8],
    settings: &Settings,
    level: Applicability,
) -> Fixed {
    let mut fixed = Fixed::nothing(source, Checked::default());
    let read = |bytes: &[u8]| format.read(std::str::from_utf8(bytes).ok()?).ok();
    let count = read(source).map_or(0, |wiring| wiring.inline.len());
    for index in 0..count {
        let Some(wiring) = read(&fixed.bytes) else {
            break;
        };
        let Some(inline) = wiring.inline.get(index) else {
            break;
        };
        let inner = fix(inline.text.as_bytes(), settings, level, &[]);
        if inner.bytes == inline.text.as_bytes() {
            continue;
        }
        let lines = LineIndex::new(&fixed.bytes);
        let line = |span: Span| lines.line(inline.to_file(span).start);
        let at = line(Span::at(0));
        match put(inline, &inner.bytes, &fixed.bytes) {
            Some(bytes)
                if read(&bytes).is_some_and(|new| is_meant(&wiring, &new, index, &inner.bytes)) =>
            {
                let text = LineIndex::new(inline.text.as_bytes());
                fixed.made.extend(inner.made.into_iter().map(|mut made| {
                    made.line = line(Span::at(text.start_of(made.line)));
                    made.title = inline::advice(inline, &made.title);
                    made
                }));
                fixed.bytes = bytes;
            }
            _ => {
                fixed.dropped.extend(inner.made.into_iter().map(|made| {
                    Dropped {
                        rule: made.rule,
                        line: at,
                        reason:
                            "the Dockerfile cannot be changed within this file: change it by hand"
                                .into(),
                    }
                }));
            }
        }
    }
    fixed
}

/// Returns the file `source` with `new` in the place of the Dockerfile `inline`.
fn put(inline: &Inline, new: &[u8], source: &[u8]) -> Option<Vec<u8>> {
    let old = inline.text.as_bytes();
    let diff = TextDiff::from_lines(old, new);
    let (before, after) = (LineIndex::new(old), LineIndex::new(new));
    let span = |lines: &LineIndex, text: &[u8], start: usize, len: usize| {
        let end = if start + len < lines.lines() {
            lines.start_of(start + len + 1)
        } else {
            text.len()
        };
        Span::new(lines.start_of(start + 1).min(end), end)
    };
    let edits = diff
        .ops()
        .iter()
        .filter(|op| !matches!(op, DiffOp::Equal { .. }))
        .map(|op| {
            let (was, is) = (op.old_range(), op.new_range());
            let text = span(&after, new, is.start, is.len()).of(new);
            let at = span(&before, old, was.start, was.len());
            let at = if was.is_empty() {
                Span::at(at.start)
            } else {
                at
            };
            narrow(
                at,
                old,
                &String::from_utf8_lossy(if is.is_empty() { b"" } else { text }),
            )
        });
    let edits: Vec<Edit> = edits.collect();
    let text = std::str::from_utf8(source).ok()?;
    let fix = Fix::safe("", inline::edits(inline, text, &edits).ok()?);
    let applied = apply(source, &[&fix]);
    (!applied.made.is_empty()).then_some(applied.bytes)
}

/// Returns the replacement of `span` by `text`, without what both begin and end with.
fn narrow(span: Span, old: &[u8], text: &str) -> Edit {
    let was = span.of(old);
    let is = text.as_bytes();
    let same = was.iter().zip(is).take_while(|(a, b)| a == b).count();
    let same = (0..=same)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let limit = was.len().min(is.len()) - same;
    let tail = was
        .iter()
        .rev()
        .zip(is.iter().rev())
        .take(limit)
        .take_while(|(a, b)| a == b)
        .count();
    let tail = (0..=tail)
        .rev()
        .find(|len| text.is_char_boundary(is.len() - len))
        .unwrap_or(0);
    Edit::replace(
        Span::new(span.start + same, span.end - tail),
        &text[same..text.len() - tail],
    )
}

/// Returns whether `after` is `before` with nothing but the Dockerfile `index` changed, and that into `text`.
fn is_meant(before: &BuildFile, after: &BuildFile, index: usize, text: &[u8]) -> bool {
    let builds = |wiring: &BuildFile| -> Vec<_> {
        wiring
            .builds
            .iter()
            .map(|b| {
                (
                    b.name.clone(),
                    b.subject.clone(),
                    b.target.clone(),
                    b.args.len(),
                )
            })
            .collect()
    };
    let same = |(at, (a, b)): (usize, (&Inline, &Inline))| {
        if at == index {
            b.text.as_bytes() == text
        } else {
            a.text == b.text
        }
    };
    before.inline.len() == after.inline.len()
        && builds(before) == builds(after)
        && before
            .inline
            .iter()
            .zip(&after.inline)
            .enumerate()
            .all(same)
}
