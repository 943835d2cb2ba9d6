//! Fixes files: each by itself, then the builds that have to pass the new lanes of their Dockerfiles.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::budget;
use crate::builds::FormatRef;
use crate::fix::Applicability;
use crate::lint::matching::{self, FileAccess};
use crate::lint::{self, Checked, Dropped, FileReport, Fixed, Shared, Turn};
use crate::rules::Settings;

use super::input::InputFile;
use super::relate::{BeforeFixes, shared_fixes};

pub struct Fixing<'f> {
    pub level: Applicability,
    write: Write<'f>,
    /// What the fixes of files have to do with other files, by the file to fix.
    shared: HashMap<PathBuf, Shared>,
    /// The files that were fixed together, as they were and as they are to be.
    together: Mutex<HashMap<PathBuf, (Vec<u8>, Fixed)>>,
}

/// Replaces old bytes at a path by new ones; the error is the reason of a failure.
type Write<'f> = &'f (dyn Fn(&Path, &[u8], &[u8]) -> Result<(), String> + Sync);

/// Makes fixes in the builds of a file, up to a level; `None` where there is none.
type ChangeBuilds = fn(&FileReport, Applicability) -> Option<Fixed>;

/// The changes of one file, beside the report on the remaining findings.
pub struct FileFix {
    pub fixed: Fixed,
    /// The file as it was; empty where nothing was fixed.
    pub old: Vec<u8>,
    pub is_stdin: bool,
    /// The reason why the new bytes could not be written.
    pub unwritten: Option<String>,
}

impl<'f> Fixing<'f> {
    /// Begins fixes up to `level` of files that were checked by themselves.
    ///
    /// Unsafe ones are made in all files turn by turn, as within a file: what one turn leaves decides about the next.
    pub fn new(
        level: Applicability,
        write: Write<'f>,
        mut before: BeforeFixes,
        access: &FileAccess<'_>,
    ) -> Self {
        let mut together = HashMap::new();
        // The turns that make nothing as the files are now, and those whose fixes others take back.
        let (mut idle, mut over): (Vec<Turn>, Vec<Turn>) = Default::default();
        // How often the files have been as they are: a fix may revert another one, but not in every round.
        let mut seen: HashMap<Vec<u64>, usize> = HashMap::new();
        let shared = loop {
            // Where that is too much, the second comparison says so.
            let Ok(shared) = shared_fixes(&mut before, access) else {
                break Vec::new();
            };
            let findings = before.reports.iter().flat_map(|one| &one.checked.findings);
            let turns = findings.filter_map(Turn::of);
            let next = turns.filter(|turn| !idle.contains(turn) && !over.contains(turn));
            let Some(turn) = next.min().filter(|_| level == Applicability::Unsafe) else {
                break shared;
            };
            let mut fixes = turned(turn, &before.reports, shared);
            if !fixes
                .iter()
                .any(|(report, fixed)| fixed.bytes != before.reports[*report].source)
            {
                idle.push(turn);
            } else if is_again(&mut seen, &before.reports, &fixes) {
                over.push(turn);
                for (report, fixed) in &mut fixes {
                    revert(fixed, &before.reports[*report]);
                }
            } else {
                idle.clear();
            }
            for (report, fixed) in fixes {
                add(&mut together, &mut before.reports[report], fixed);
            }
            check_again(&mut before.reports);
        };
        let paths = before.reports.into_iter().map(|report| report.path);
        Self {
            level,
            write,
            shared: paths.zip(shared).collect(),
            together: Mutex::new(together),
        }
    }

    /// Returns the file at `path` as it was fixed together with others, if it still is what it was.
    fn fixed_together(&self, path: &Path, source: &[u8]) -> Option<Fixed> {
        let mut files = self.together.lock().unwrap_or_else(PoisonError::into_inner);
        let (old, fixed) = files.remove(path)?;
        (old == source).then_some(fixed)
    }

    /// Fixes one file by itself and writes it; `None` where there is nothing to fix or to compare.
    pub fn file(&self, input: InputFile<'_>) -> Option<(FileReport, FileFix)> {
        let InputFile {
            path,
            settings,
            source,
            format,
            is_stdin,
            ..
        } = input;
        let alone = Shared::default();
        let shared = self.shared.get(path).unwrap_or(&alone);
        let settings = shared.settings.clone().unwrap_or(settings);
        let (mut fixed, shared) = match self.fixed_together(path, source) {
            Some(mut fixed) => {
                if format.is_none() {
                    fixed.left = lint::check(&fixed.bytes, &settings);
                }
                (fixed, &alone)
            }
            None if format.is_none() && !is_stdin && !lint::is_of_interest(source) => return None,
            None => (fix(format, source, &settings, self.level, shared), shared),
        };
        let changed = fixed.bytes != source;
        if !changed {
            // One fix can undo another.
            fixed.made.clear();
        }
        // A file beyond cachelane's budget stays as it is.
        let mut unwritten = None;
        if changed && !is_stdin && !budget::is_spent() {
            unwritten = (self.write)(path, source, &fixed.bytes).err();
        }
        if unwritten.is_some() {
            // The file is as it was, and so are its findings.
            let left = Fixed::nothing(source, lint::check(source, &settings));
            fixed = Fixed {
                dropped: fixed.dropped,
                ..left
            };
        }
        let mut left = std::mem::take(&mut fixed.left);
        for finding in &mut left.findings {
            shared.take_back(finding, fixed.origin(finding.span.start));
        }
        let report = match format {
            Some(format) => lint::check_build_file(path, format, &fixed.bytes, &settings),
            None => FileReport::new(path, &fixed.bytes, &settings, left),
        };
        let done = FileFix {
            fixed,
            old: if changed { source.to_vec() } else { Vec::new() },
            is_stdin,
            unwritten,
        };
        Some((report, done))
    }

    /// Compares `files`, which [`Self::file`] has fixed, by `relate`, which returns whether it could; passes the lane in
    /// their builds, fills their caches, and writes them; and compares them again where anything changed.
    pub fn together(
        &self,
        files: Vec<(FileReport, FileFix)>,
        mut relate: impl FnMut(&mut [FileReport]) -> bool,
    ) -> (Vec<FileReport>, Vec<FileFix>) {
        let (mut reports, mut fixes): (Vec<_>, Vec<_>) = files.into_iter().unzip();
        let mut is_related = relate(&mut reports);
        // Caches are filled by the ids that they have in builds with their lanes.
        for change in [
            matching::insert_args as ChangeBuilds,
            matching::rename_fills,
        ] {
            if is_related && self.builds(change, &mut reports, &mut fixes) {
                is_related = relate(&mut reports);
            }
        }
        (reports, fixes)
    }

    /// Makes a change in the build files of `reports` and writes them; returns whether anything changed.
    fn builds(
        &self,
        change: ChangeBuilds,
        reports: &mut [FileReport],
        fixes: &mut [FileFix],
    ) -> bool {
        let mut changed = false;
        for (report, done) in reports.iter_mut().zip(fixes) {
            changed |= self.builds_of(change, report, done).unwrap_or_else(|why| {
                done.unwritten = Some(why);
                false
            });
        }
        if changed {
            check_again(reports);
        }
        changed
    }

    /// Makes a change in the builds of one file; returns whether it changed.
    fn builds_of(
        &self,
        change: ChangeBuilds,
        report: &mut FileReport,
        done: &mut FileFix,
    ) -> Result<bool, String> {
        let inserted = budget::within(report.source.len(), || change(report, self.level));
        let Some(inserted) = inserted.map_err(|spent| spent.to_string())? else {
            return Ok(false);
        };
        done.fixed.dropped.extend(inserted.dropped);
        if inserted.made.is_empty() {
            return Ok(false);
        }
        if !done.is_stdin {
            (self.write)(&report.path, &report.source, &inserted.bytes)?;
        }
        if done.fixed.made.is_empty() {
            done.old = std::mem::take(&mut report.source);
        }
        done.fixed.made.extend(inserted.made);
        done.fixed.bytes.clone_from(&inserted.bytes);
        report.source = inserted.bytes;
        Ok(true)
    }
}

/// Fixes one file, of a build file's `format` or a Dockerfile.
fn fix(
    format: Option<FormatRef>,
    source: &[u8],
    settings: &Settings,
    level: Applicability,
    shared: &Shared,
) -> Fixed {
    match format {
        Some(format) => lint::fix_inline(format, source, settings, level, shared),
        None => lint::fix(source, settings, level, shared),
    }
}

/// Returns what the fixes of `turn` make of the files, by index. One beyond the budget is left out here, and named where it
/// is written.
fn turned(turn: Turn, reports: &[FileReport], shared: Vec<Shared>) -> Vec<(usize, Fixed)> {
    let of_file = |(index, mut shared): (usize, Shared)| {
        shared.only = Some(turn);
        let report = &reports[index];
        let format = report.builds.as_ref().map(|builds| builds.format);
        let (source, settings) = (&report.source, &report.settings);
        let fixed = budget::within(source.len(), || {
            fix(format, source, settings, Applicability::Unsafe, &shared)
        });
        Some((index, fixed.ok()?))
    };
    shared.into_iter().enumerate().filter_map(of_file).collect()
}

/// Counts the state of the files after `fixes`; returns whether they have been in it twice before.
fn is_again(
    seen: &mut HashMap<Vec<u64>, usize>,
    reports: &[FileReport],
    fixes: &[(usize, Fixed)],
) -> bool {
    let mut state: Vec<u64> = reports.iter().map(|one| lint::hash(&one.source)).collect();
    for (report, fixed) in fixes {
        state[*report] = lint::hash(&fixed.bytes);
    }
    let times = seen.entry(state).or_insert(0);
    *times += 1;
    *times > 2
}

/// Leaves a file as it is, since other fixes take back what was made.
fn revert(fixed: &mut Fixed, report: &FileReport) {
    let made = std::mem::take(&mut fixed.made).into_iter();
    let mut dropped = std::mem::take(&mut fixed.dropped);
    dropped.extend(made.map(|made| Dropped {
        rule: made.rule,
        line: made.line,
        reason: lint::REVERTED.into(),
    }));
    *fixed = Fixed {
        dropped,
        ..Fixed::nothing(&report.source, Checked::default())
    };
}

/// Adds what was made of a file, or was not, to what was made of it before.
fn add(together: &mut HashMap<PathBuf, (Vec<u8>, Fixed)>, report: &mut FileReport, fixed: Fixed) {
    if fixed.bytes == report.source && fixed.dropped.is_empty() {
        return;
    }
    let nothing = || {
        let nothing = Fixed::nothing(&report.source, Checked::default());
        (report.source.clone(), nothing)
    };
    let (old, all) = together.entry(report.path.clone()).or_insert_with(nothing);
    report.source.clone_from(&fixed.bytes);
    all.append(fixed, old);
}

/// Checks files by themselves again, of which some changed.
fn check_again(reports: &mut [FileReport]) {
    for report in reports {
        // All of them were read before, with little else in them.
        let _ = budget::within(report.source.len(), || {
            let FileReport {
                path,
                source,
                settings,
                ..
            } = &*report;
            match report.builds.as_ref().map(|builds| builds.format) {
                Some(format) => {
                    *report = lint::check_build_file(path, format, source, settings);
                }
                None => report.checked = lint::check(source, settings),
            }
        });
    }
}
