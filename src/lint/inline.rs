//! Build files with Dockerfiles within them: workflows, pipelines, Compose and bake files.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use crate::budget;
use crate::builds::{BuildFile, FormatRef, Inline, Subject, inline, is_same};
use crate::finding::{Place, RuleId};
use crate::fix::{Applicability, Applied, Edit, Fix, apply};
use crate::index::CacheMount;
use crate::rules::lane_requirements::LaneRequirements;
use crate::rules::{BuiltFor, Settings};
use crate::suppress::{self, Table};
use crate::text::{LineIndex, Run, Span};

use super::check::check;
use super::embedded;
use super::fixpoint::fix;
use super::generated;
use super::model::{
    BuildFileReport, Checked, Dropped, FileReport, Fixed, Left, Made, Shared, TakenBack,
};
use super::unread;

/// Returns the builds of a file of this `format`, and the findings in the Dockerfiles within it.
pub fn check_build_file(
    path: &Path,
    format: FormatRef,
    source: &[u8],
    settings: &Arc<Settings>,
) -> FileReport {
    let (mut checked, mut lanes) = (Checked::default(), Vec::new());
    let (said, unread) = match unread::read(format, source) {
        Ok(said) => (said, None),
        Err(unread) => (BuildFile::default(), Some(unread)),
    };
    checked.withheld = generated::withheld(source, settings);
    let lines = LineIndex::new(source);
    for (index, inline) in said.inline.iter().enumerate() {
        let settings = with_platforms(Cow::Borrowed(settings), &said, index);
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
    let inner = check(inline.text.as_bytes(), settings);
    checked.suppressed += inner.suppressed;
    let place = |span: Span| inline.to_file(span);
    let first = lines.line(place(Span::at(0)).start);
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
            if help.contains("line ") {
                help.push_str(&format!(
                    "\n(its lines are counted from the Dockerfile's first, line {first} of this file)"
                ));
            }
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
        let (span, mount_span) = (place(mount.span), place(mount.mount_span));
        // Fixes for comparisons of files go by the Dockerfile's own bytes: they are left to a person.
        CacheMount {
            span,
            mount_span,
            mode_edit: None,
            id_end: None,
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

/// Returns the fixes in the Dockerfile that cannot be made in the file `source` around it.
fn immovable(inline: &Inline, source: &[u8], settings: &Settings) -> Vec<TakenBack> {
    if inline.map.is_empty() {
        return Vec::new();
    }
    let findings = check(inline.text.as_bytes(), settings).findings.into_iter();
    let refused = findings.filter_map(|finding| {
        let reason = moved(inline, source, finding.fix.as_ref()?).err()?;
        Some(TakenBack {
            rule: finding.rule,
            start: finding.span.start,
            reason,
            left: Left::Advice,
            filled: None,
        })
    });
    refused.collect()
}

/// Fixes the Dockerfiles within a file, as [`fix`](super::fix()) fixes a Dockerfile; each result is read again from the new file, and
/// has to be as intended.
pub fn fix_inline(
    format: FormatRef,
    source: &[u8],
    settings: &Settings,
    level: Applicability,
    shared: &Shared,
) -> Fixed {
    let mut fixed = Fixed::nothing(source, Checked::default());
    if generated::withheld(source, settings).is_some() {
        return fixed;
    }
    let read = |bytes: &[u8]| format.read(std::str::from_utf8(bytes).ok()?).ok();
    let first = read(source);
    let mut index = 0;
    while let Some(file) = read(&fixed.bytes)
        && let Some(inline) = file.inline.get(index)
    {
        let first = first.as_ref().and_then(|file| file.inline.get(index));
        let mut shared = Shared {
            only: shared.only,
            ..first.map(|first| within(shared, first)).unwrap_or_default()
        };
        let settings = unsuppressed(settings, &fixed.bytes, inline);
        let settings = with_platforms(settings, &file, index);
        shared
            .taken_back
            .extend(immovable(inline, &fixed.bytes, &settings));
        let inner = fix(inline.text.as_bytes(), &settings, level, &shared);
        let lines = LineIndex::new(&fixed.bytes);
        let line = |span: Span| lines.line(inline.to_file(span).start);
        let made = inner.made.iter();
        let is_changed = inner.bytes != inline.text.as_bytes();
        if is_changed
            && let Some(new) = put(inline, &inner, &fixed.bytes)
            && read(&new.bytes).is_some_and(|new| is_meant(&file, &new, index, &inner.bytes))
        {
            let text = LineIndex::new(inline.text.as_bytes());
            fixed.made.extend(made.map(|made| Made {
                rule: made.rule,
                line: line(Span::at(text.start_of(made.line))),
                title: inline::advice(inline, &made.title),
            }));
            fixed.origins = new.origins.compose(&fixed.origins);
            fixed.bytes = new.bytes;
        } else if is_changed {
            let reason = "the Dockerfile cannot be changed within this file: change it by hand";
            fixed.dropped.extend(made.map(|made| Dropped {
                rule: made.rule,
                line: line(Span::at(0)),
                reason: reason.to_owned(),
            }));
        }
        index += 1;
    }
    fixed
}

/// Returns `settings` with the builds of `file` that make the Dockerfile `index` within it for several platforms at once.
fn with_platforms<'s>(
    settings: Cow<'s, Settings>,
    file: &BuildFile,
    index: usize,
) -> Cow<'s, Settings> {
    let builds = file.builds.iter().take_while(|_| budget::spend(1));
    let built_for = builds.filter_map(|build| {
        let platforms = build.platforms.several()?;
        (build.subject == Subject::Inline(index)).then(|| BuiltFor {
            build: build.name.clone(),
            platforms: platforms.to_vec(),
            target: build.target.clone(),
        })
    });
    let built_for: Vec<BuiltFor> = built_for.collect();
    if built_for.is_empty() {
        return settings;
    }
    Cow::Owned(Settings {
        built_for,
        ..settings.into_owned()
    })
}

/// Returns `settings` without the rules that comments of the file `source` suppress for all of `inline`.
fn unsuppressed<'s>(settings: &'s Settings, source: &[u8], inline: &Inline) -> Cow<'s, Settings> {
    if !suppress::is_marked(source) {
        return Cow::Borrowed(settings);
    }
    let ignores = suppress::read_outline(source);
    let table = Table::new(&ignores);
    let is_open = |rule: &RuleId| table.suppressing(*rule, inline.span).is_none();
    let rules = RuleId::ALL.iter().copied();
    let rules = rules.filter(|rule| settings.is_on(*rule) && is_open(rule));
    Cow::Owned(Settings {
        rules: Some(rules.collect()),
        ..settings.clone()
    })
}

/// Returns what of `shared` is about the Dockerfile `inline`, with places in it.
fn within(shared: &Shared, inline: &Inline) -> Shared {
    let all: Vec<usize> = (0..=inline.text.len()).collect();
    let to_file = |at: usize| inline.to_file(Span::at(at)).start;
    let taken_back = shared.taken_back.iter().filter_map(|back| {
        let start = all.partition_point(|at| to_file(*at) < back.start);
        let is_there = start <= inline.text.len() && to_file(start) == back.start;
        let back = TakenBack {
            start,
            ..back.clone()
        };
        is_there.then_some(back)
    });
    Shared {
        taken_back: taken_back.collect(),
        ..Shared::default()
    }
}

/// Returns the file `source` with the `fixed` Dockerfile `inline`.
fn put(inline: &Inline, fixed: &Fixed, source: &[u8]) -> Option<Applied> {
    let new = std::str::from_utf8(&fixed.bytes).ok()?;
    let end = Run {
        text: new.len(),
        source: inline.text.len(),
        len: 0,
    };
    let mut edits = Vec::new();
    let (mut text, mut at) = (0, 0);
    for run in fixed.origins.runs().iter().chain([&end]) {
        let (span, new) = (Span::new(at, run.source), new.get(text..run.text)?);
        if !span.is_empty() || !new.is_empty() {
            edits.push(Edit::replace(span, new));
        }
        (text, at) = (run.text_end(), run.source_end());
    }
    let edits = inline::edits(inline, std::str::from_utf8(source).ok()?, &edits).ok()?;
    let applied = apply(source, &[&Fix::safe("", edits)]);
    (!applied.made.is_empty()).then_some(applied)
}

/// Returns whether only the Dockerfile `index` of `before` changed in `after`, into `text`.
fn is_meant(before: &BuildFile, after: &BuildFile, index: usize, text: &[u8]) -> bool {
    let mut meant = before.clone();
    meant.inline[index].text = String::from_utf8_lossy(text).into_owned();
    is_same(&meant, after, &[])
}
