//! Fixes files: all of them together, then the builds that have to pass the new lanes of their Dockerfiles.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::budget;
use crate::fix::Applicability;
use crate::lint::matching::{self, FileAccess};
use crate::lint::{self, FileReport, Fixed};

use super::input::InputFile;
#[cfg(feature = "cli")]
use super::input::read_whole;
use super::relate::compare;

pub struct Fixing<'f> {
    level: Applicability,
    write: Write<'f>,
    /// The files that were fixed together, with the hash of what they were; without [`Fixed`] where nothing was done.
    known: Mutex<HashMap<PathBuf, (u64, Option<Fixed>)>>,
    /// The files around them, which are not fixed.
    context: Vec<FileReport>,
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
    /// Fixes files that were checked by themselves up to `level`; `whole` says whether these are all files there are.
    pub fn new(
        level: Applicability,
        write: Write<'f>,
        mut reports: Vec<FileReport>,
        whole: bool,
        access: &FileAccess<'_>,
    ) -> Self {
        let was: Vec<u64> = reports.iter().map(|one| lint::hash(&one.source)).collect();
        let mut done = lint::fix_together(&mut reports, level, |reports| {
            compare(reports, whole, access).ok()
        });
        let (mut known, mut context) = (HashMap::new(), Vec::new());
        for (index, (report, was)) in reports.into_iter().zip(was).enumerate() {
            if report.is_context {
                context.push(report);
            } else if !done.spent.contains(&index) {
                // (One beyond the budget is named where it is written.)
                known.insert(report.path, (was, done.fixed.remove(&index)));
            }
        }
        Self {
            level,
            write,
            known: Mutex::new(known),
            context,
        }
    }

    /// Returns the file at `path` as it was fixed together with others, if it still is what it was.
    fn known(&self, path: &Path, source: &[u8]) -> Option<Fixed> {
        let mut files = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (was, fixed) = files.remove(path)?;
        (was == lint::hash(source)).then(|| fixed.unwrap_or_else(|| Fixed::nothing(source)))
    }

    /// Writes one file as it was fixed; `None` where there is nothing to fix or to compare.
    pub fn file(&self, input: InputFile<'_>) -> Option<(FileReport, FileFix)> {
        let InputFile {
            path,
            settings,
            source,
            format,
            is_stdin,
            ..
        } = input;
        let mut fixed = match self.known(path, source) {
            Some(fixed) => fixed,
            None if format.is_none() && !is_stdin && !lint::is_of_interest(source) => return None,
            None => lint::fix(format, source, &settings, self.level),
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
            fixed = Fixed {
                dropped: fixed.dropped,
                ..Fixed::nothing(source)
            };
        }
        let report = lint::check_file(path, format, &fixed.bytes, &settings);
        #[cfg(feature = "cli")]
        let report = if input.is_named {
            read_whole(report)
        } else {
            report
        };
        let done = FileFix {
            fixed,
            old: if changed { source.to_vec() } else { Vec::new() },
            is_stdin,
            unwritten,
        };
        Some((report, done))
    }

    /// Compares `files`, which [`Self::file`] has fixed, with one another and what is around them by `relate`, which returns
    /// whether it could; passes the lane in their builds, fills their caches, and writes them; and compares them
    /// again where anything changed.
    pub fn together(
        mut self,
        files: Vec<(FileReport, FileFix)>,
        mut relate: impl FnMut(&mut [FileReport]) -> bool,
    ) -> (Vec<FileReport>, Vec<FileFix>) {
        let (named, mut fixes): (Vec<_>, Vec<_>) = files.into_iter().unzip();
        let mut reports = std::mem::take(&mut self.context);
        reports.iter_mut().for_each(lint::check_again);
        let first = reports.len();
        reports.extend(named);
        let mut is_related = relate(&mut reports);
        // Caches are filled by the ids that they have in builds with their lanes.
        for change in [
            matching::insert_args as ChangeBuilds,
            matching::rename_fills,
        ] {
            if is_related && self.builds(change, &mut reports[first..], &mut fixes) {
                reports.iter_mut().for_each(lint::check_again);
                is_related = relate(&mut reports);
            }
        }
        (reports.split_off(first), fixes)
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
