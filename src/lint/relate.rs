//! Compares the files of a run with one another.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use bstr::ByteSlice as _;

use crate::finding::{Finding, RuleId};
use crate::index::{CacheMount, File, Index};
use crate::rules::guards::SILENT;
use crate::rules::registry;
use crate::text::{Span, count};

use super::agree::agree;
use super::agreeing::{Agreeing, Along, is_within};
use super::fills::filled;
use super::finalize;
use super::model::{FileReport, Withheld};

/// Adds the findings from comparing all files of a run; `name` returns a file's path, by index, as reports print it.
pub fn relate(files: &mut [Agreeing<'_>], name: impl Fn(usize) -> String) {
    // Findings change while the mounts of all files are read.
    let mut mounts: Vec<Vec<CacheMount>> = files
        .iter_mut()
        .map(|file| std::mem::take(&mut file.checked.mounts))
        .collect();
    for (file, mounts) in mounts.iter_mut().enumerate() {
        for mount in mounts {
            mount.file = file;
        }
    }
    let indexed = files.iter().zip(&mounts).map(|(file, mounts)| File {
        mounts,
        source: file.source,
        by_buildah: file.checked.by_buildah == Some(true),
        is_context: matches!(file.checked.withheld, Some(Withheld::NotNamed)),
    });
    let index = Index::new(indexed.collect(), &name);
    let mut found = vec![Vec::new(); files.len()];
    registry::check_run(&index, &mut found);
    let kept = kept_locks(&index, files);
    for (at, (file, mut found)) in files.iter_mut().zip(found).enumerate() {
        for finding in &mut file.checked.findings {
            tell_of_lock(&index, at, finding);
            if let Some(other) = kept.get(&(at, finding.span))
                && finding.rule == RuleId::NeedlessLock
                && finding.fix.take().is_some()
            {
                finding.relate(index.location(at, other, "stays locked"));
                finding.help = None;
                finding.unfixed = Some(
                    "the same cache stays locked there, and under two modes that lock is lost: drop both, or leave both"
                        .into(),
                );
            }
        }
        // One that BuildKit refuses says only that: no comment there could silence more.
        let is_refused = matches!(file.checked.withheld, Some(Withheld::Refused));
        found.retain(|finding| file.settings.is_on(finding.rule) && !is_refused);
        let all = found.len();
        let exempt = exempt(&mounts[at]);
        found.retain(|finding| !exempt.contains(&(finding.span, finding.rule)));
        file.checked.suppressed += all - found.len();
        file.checked.findings.append(&mut found);
    }
    drop(index);
    for (file, mounts) in files.iter_mut().zip(mounts) {
        file.checked.mounts = mounts;
    }
}

/// Returns a mount of another file for each needless lock, by its file and place, whose cache that one keeps locked.
fn kept_locks<'s>(
    index: &Index<'s>,
    files: &[Agreeing<'_>],
) -> HashMap<(usize, Span), &'s CacheMount> {
    let needless: Vec<Vec<Span>> = files
        .iter()
        .map(|file| {
            let findings = file.checked.findings.iter();
            let needless = findings.filter(|finding| finding.rule == RuleId::NeedlessLock);
            needless.map(|finding| finding.span).collect()
        })
        .collect();
    let needless = |mount: &CacheMount| {
        let mut spans = needless[mount.file].iter();
        let span = spans.find(|span| is_within(**span, mount.mount_span))?;
        Some((mount.file, *span))
    };
    let caches = index
        .shared_ids()
        .iter()
        .flat_map(|shared| shared.caches(CacheMount::is_locked));
    let mut kept = HashMap::new();
    for cache in caches {
        let (own, others): (Vec<_>, Vec<_>) = cache
            .iter()
            .map(|mount| (*mount, needless(mount)))
            .partition(|(_, needless)| needless.is_some());
        for (mount, place) in own {
            let other = others.iter().find(|(other, _)| other.file != mount.file);
            kept.extend(place.zip(other.map(|(other, _)| *other)));
        }
    }
    kept
}

/// Adds to `finding`, of the file `at`, the other RUNs that take its lock, or use its cache without one.
fn tell_of_lock(index: &Index<'_>, at: usize, finding: &mut Finding) {
    let Some(lock) = &finding.lock else {
        return;
    };
    if matches!(finding.rule, RuleId::UnlockedApt | RuleId::UnlockedCache) {
        if let Some(other) = index.silent_elsewhere(lock, at) {
            finding.relate(index.location(at, other, SILENT));
        }
        return;
    }
    let Some(group) = index.lock(lock) else {
        return;
    };
    let Some(other) = group
        .other_than(at, finding.span)
        .filter(|_| group.runs > 1)
    else {
        return;
    };
    let others = count(group.runs - 1, "other RUN");
    let files = match (group.files, group.runs) {
        (0 | 1, _) => String::new(),
        (_, 2) => " in another file".to_owned(),
        (files, _) => format!(" in {}", count(files, "file")),
    };
    let take = if group.runs == 2 { "takes" } else { "take" };
    let note = format!("{others}{files} {take} this lock too");
    finding.help = Some(match finding.help.take() {
        Some(help) => format!("{note}\n{help}"),
        None => note.clone(),
    });
    finding.note = Some(note);
    finding.relate(index.location(at, other, "takes the same lock"));
}

/// Returns the places of exempt ids, with the rules that they are exempt from.
fn exempt(mounts: &[CacheMount]) -> HashSet<(Span, RuleId)> {
    mounts
        .iter()
        .flat_map(|mount| mount.exempt.iter().map(|rule| (mount.span, *rule)))
        .collect()
}

/// Returns whether a file is called after the files of podman and buildah.
fn is_containerfile(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.to_ascii_lowercase().contains_str("containerfile")
}

/// Does [`relate`] for reports, and removes suppressed findings; `name` returns a path as reports print it, `whole` is
/// true where these are all files. Fixes of files agree with one another; files that are only context get none. Returns those of
/// mounts that get a lane along with others, by file. ([`super::matching::match_builds`] finalizes those of the build files.)
pub fn relate_reports(
    reports: &mut [FileReport],
    whole: bool,
    name: impl Fn(&Path) -> String,
) -> BTreeMap<usize, Vec<Finding>> {
    let mut filled = filled(&reports.iter());
    let given = reports.len();
    let mut fills = filled.iter_mut().peekable();
    let (mut files, mut paths) = (Vec::new(), Vec::new());
    let (mut filling, mut filling_paths) = (Vec::new(), Vec::new());
    for (index, report) in reports.iter_mut().enumerate() {
        let FileReport {
            path,
            source,
            settings,
            checked,
            builds,
            is_context,
            ..
        } = report;
        if *is_context {
            // (One that BuildKit refuses has nothing to compare.)
            if !matches!(checked.withheld, Some(Withheld::Refused)) {
                checked.withheld = Some(Withheld::NotNamed);
            }
            checked.withhold_fixes();
        }
        let (source, settings) = (&source[..], &**settings);
        if builds.is_none() {
            let by_name = || is_containerfile(path);
            checked.by_buildah.get_or_insert_with(by_name);
        }
        let file = |checked| Agreeing {
            checked,
            settings,
            source,
            format: builds.as_ref().map(|builds| builds.format),
            along: Along::default(),
            whys: OnceCell::new(),
        };
        files.push(file(checked));
        paths.push(path.as_path());
        while let Some(fill) = fills.next_if(|fill| fill.file == index) {
            filling.push(file(&mut fill.checked));
            filling_paths.push(path.as_path());
        }
    }
    relate(&mut files[..given], |index| name(paths[index]));
    for file in files[..given]
        .iter_mut()
        .filter(|file| file.format.is_none())
    {
        if file.checked.by_buildah == Some(true) {
            file.checked.findings.retain(|one| !one.only_buildkit);
        }
        finalize::finalize(file.checked, file.settings, whole);
    }
    files.append(&mut filling);
    paths.append(&mut filling_paths);
    agree(&mut files, &|index| name(paths[index]));
    let along = files.into_iter().map(|file| file.along.findings);
    let along = along.take(given).enumerate();
    along.filter(|(_, along)| !along.is_empty()).collect()
}
