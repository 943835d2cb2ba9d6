//! Build files with Dockerfiles within them: workflows, pipelines, Compose and bake files.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use crate::budget;
use crate::builds::{Around, BuildFile, FormatRef, Inline, Subject, inline, is_same};
use crate::finding::{Finding, Place};
use crate::fix::{Applicability, Fix};
use crate::index::CacheMount;
use crate::rules::lane_requirements::LaneRequirements;
use crate::rules::{PlatformBuild, Settings};
use crate::suppress::{self, Table};
use crate::text::{LineIndex, Span};

use super::alone::check_alone;
use super::check::{check, check_numbered};
use super::embedded;
use super::generated;
use super::model::{BuildFileReport, Checked, Dropped, FileReport};
use super::prove;
use super::unread;

/// Checks a file by itself: of a build file's `format`, or a Dockerfile.
pub fn check_file(
    path: &Path,
    format: Option<FormatRef>,
    source: &[u8],
    settings: &Arc<Settings>,
) -> FileReport {
    match format {
        Some(format) => check_build_file(path, format, source, settings),
        None => FileReport::new(path, source, settings, check(source, settings)),
    }
}

/// Checks a file by itself again, which changed or was compared with others.
pub fn check_again(report: &mut FileReport) {
    // It was read before, with little else in it.
    let _ = budget::of_file(report.source.len(), || {
        let format = report.builds.as_ref().map(|builds| builds.format);
        *report = FileReport {
            is_context: report.is_context,
            ..check_file(&report.path, format, &report.source, &report.settings)
        };
    });
}

/// Returns the builds of a file of this `format`, and the findings in the Dockerfiles within it.
pub fn check_build_file(
    path: &Path,
    format: FormatRef,
    source: &[u8],
    settings: &Arc<Settings>,
) -> FileReport {
    let (mut checked, mut lanes) = (Checked::default(), Vec::new());
    let (said, unread) = match unread::read(format, source, Around::NONE) {
        Ok(said) => (said, None),
        Err(unread) => (BuildFile::default(), Some(unread)),
    };
    checked.withheld = generated::withheld(source, settings);
    let lines = LineIndex::new(source);
    for (index, inline) in said.inline.iter().enumerate() {
        let settings = with_platforms(settings, &said, index);
        lanes.push(add(&mut checked, inline, source, &lines, &settings));
    }
    if suppress::is_marked(source) {
        checked.ignores = suppress::read_outline(source);
    }
    let embedded = embedded::beside(source, settings, &said.inline, &mut checked);
    checked.withhold_fixes();
    FileReport {
        builds: Some(Box::new(BuildFileReport {
            format,
            file: said,
            whole: None,
            unread,
            lanes,
            embedded,
            unresolved: Vec::new(),
            only_missing: Vec::new(),
            missing: Vec::new(),
            fills: Vec::new(),
            refills: Vec::new(),
        })),
        ..FileReport::new(path, source, settings, checked)
    }
}

/// Adds the findings in a Dockerfile within the file `source`, with places in that file; returns its lanes.
fn add(
    checked: &mut Checked,
    inline: &Inline,
    source: &[u8],
    lines: &LineIndex,
    settings: &Settings,
) -> Vec<LaneRequirements> {
    let place = |span: Span| inline.to_file(span);
    let text = LineIndex::new(inline.text.as_bytes());
    let number = |line: usize| lines.line(place(Span::at(text.start_of(line))).start);
    // One with escapes or folded lines keeps its own numbers, which is part of the reason why it gets no fix.
    let number = (!inline.map.is_empty()).then_some(&number as &dyn Fn(usize) -> usize);
    let inner = check_numbered(inline.text.as_bytes(), settings, number);
    checked.suppressed += inner.suppressed;
    for mut finding in inner.findings {
        finding.span = place(finding.span);
        for location in &mut finding.related {
            if let Place::Here(span) = &mut location.place {
                *span = place(*span);
            }
        }
        finding.message = inline::message(inline, &finding.message);
        if let Some(help) = &mut finding.help {
            *help = inline::advice(inline, help);
        }
        if let Some(reason) = &mut finding.unfixed {
            *reason = inline::advice(inline, reason);
        }
        match finding.fix.map(|fix| moved(inline, source, &fix)) {
            Some(Err(reason)) => (finding.fix, finding.unfixed) = (None, Some(reason)),
            fix => finding.fix = fix.and_then(Result::ok),
        }
        checked.findings.push(finding);
    }
    checked.mounts.extend(inner.mounts.into_iter().map(|mount| {
        let behind = |at: usize| Some(inline.map.get(at.checked_sub(1)?)? + 1);
        let exact = |span: Span| {
            if span.is_empty() {
                behind(span.start).map(Span::at)
            } else {
                inline.map.exact(span)
            }
        };
        let mode_edit = mount.mode_edit;
        CacheMount {
            span: place(mount.span),
            mount_span: place(mount.mount_span),
            mode_edit: mode_edit.and_then(|(span, before)| Some((exact(span)?, before))),
            id_end: mount.id_end.and_then(behind),
            ..mount
        }
    }));
    let mut lanes = inner.lanes;
    for lock in lanes.iter_mut().flat_map(|lanes| &mut lanes.locks) {
        lock.span = place(lock.span);
        lock.range = lines.range(source, lock.span);
    }
    lanes
}

/// Moves `fix` to its place in the file around the Dockerfile.
fn moved(inline: &Inline, source: &[u8], fix: &Fix) -> Result<Fix, String> {
    let source = std::str::from_utf8(source).unwrap_or_default();
    let edits = inline::edits(inline, source, fix.edits())?;
    let title = inline::advice(inline, fix.title());
    Ok(match fix.applicability() {
        Applicability::Safe => Fix::safe(title, edits),
        Applicability::Unsafe => Fix::needs_review(title, edits),
    })
}

/// Returns the fixes up to `level` in Dockerfiles of `report` that cannot be changed within their file.
pub(super) fn unchangeable(report: &FileReport, level: Applicability) -> Vec<Dropped> {
    let FileReport {
        source,
        settings,
        checked,
        builds,
        ..
    } = report;
    let mut dropped = Vec::new();
    let builds = builds.iter().filter(|_| checked.withheld.is_none());
    for BuildFileReport { file, .. } in builds.map(|builds| &**builds) {
        let (lines, table) = (LineIndex::new(source), Table::new(&checked.ignores));
        let within = file.inline.iter().enumerate();
        for (index, inline) in within.filter(|(_, inline)| inline.map.is_empty()) {
            let settings = with_platforms(settings, file, index);
            let found = check_alone(inline.text.as_bytes(), &settings).findings;
            let is_open = |finding: &&Finding| {
                let mut fix = finding.fix.iter();
                fix.any(|fix| fix.applicability() <= level)
                    && table.suppressing(finding.rule, inline.span).is_none()
            };
            dropped.extend(found.iter().filter(is_open).map(|finding| Dropped {
                rule: finding.rule,
                line: lines.line(inline.span.start),
                reason:
                    "the Dockerfile cannot be changed within this file: change it by hand".into(),
            }));
        }
    }
    dropped
}

/// Proves that the file `new`, made by the fixes of `findings`, has changed in its Dockerfiles only, and that those read as
/// intended.
pub(super) fn prove_inline(
    builds: &BuildFileReport,
    new: &[u8],
    findings: &[&Finding],
    settings: &Settings,
) -> Result<(), String> {
    let before = &builds.file;
    let after = unread::read(builds.format, new, builds.around())
        .map_err(|unread| format!("the file could not be read any more: {}", unread.why))?;
    let mut meant = before.clone();
    for (old, new) in meant.inline.iter_mut().zip(&after.inline) {
        old.text.clone_from(&new.text);
    }
    if !is_same(&meant, &after, &[]) {
        return Err("the file would say something else about its builds".into());
    }
    let both = before.inline.iter().zip(&after.inline).enumerate();
    for (index, (old, new)) in both.filter(|(_, (old, new))| old.text != new.text) {
        let own = findings.iter().copied();
        let own: Vec<&Finding> = own
            .filter(|one| old.span.contains(one.span.start))
            .collect();
        let settings = with_platforms(settings, before, index);
        prove::holds(old.text.as_bytes(), new.text.as_bytes(), &own, &settings)?;
    }
    Ok(())
}

/// Returns `settings` with the builds of `file` that make the Dockerfile `index` within it for several platforms at once.
fn with_platforms<'s>(settings: &'s Settings, file: &BuildFile, index: usize) -> Cow<'s, Settings> {
    let builds = file.builds.iter().take_while(|_| budget::spend(1));
    let built_for = builds.filter_map(|build| {
        let platforms = build.platforms.several()?;
        (build.subject == Subject::Inline(index)).then(|| PlatformBuild {
            build: build.name.clone(),
            platforms: platforms.to_vec(),
            target: build.target.clone(),
        })
    });
    let built_for: Vec<PlatformBuild> = built_for.collect();
    if built_for.is_empty() {
        return Cow::Borrowed(settings);
    }
    let mut settings = settings.clone();
    settings.learned.built_for = built_for;
    Cow::Owned(settings)
}
