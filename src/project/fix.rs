//! Fixes files: each by itself, then the builds that have to pass the new lanes of their Dockerfiles.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::budget;
use crate::fix::Applicability;
use crate::lint::matching::{self, FileAccess};
use crate::lint::{self, FileReport, Fixed, Shared};

use super::input::InputFile;
use super::relate::{BeforeFixes, shared_fixes};

pub struct Fixing<'f> {
    pub level: Applicability,
    write: Write<'f>,
    /// What the fixes of files have to do with other files, by the file to fix.
    shared: HashMap<PathBuf, Shared>,
}

/// Replaces old bytes at a path by new ones; the error is the reason of a failure.
type Write<'f> = &'f (dyn Fn(&Path, &[u8], &[u8]) -> Result<(), String> + Sync);

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
    pub fn new(
        level: Applicability,
        write: Write<'f>,
        before: BeforeFixes,
        access: &FileAccess<'_>,
    ) -> Self {
        // Where that is too much, the second comparison says so.
        let shared = shared_fixes(before, access).unwrap_or_default();
        Self {
            level,
            write,
            shared,
        }
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
        let mut fixed = match format {
            Some(format) => lint::fix_inline(format, source, &settings, self.level, shared),
            None if !is_stdin && !lint::is_of_interest(source) => return None,
            None => lint::fix(source, &settings, self.level, shared),
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
    /// their builds and writes them; and compares them again where anything changed.
    pub fn together(
        &self,
        files: Vec<(FileReport, FileFix)>,
        mut relate: impl FnMut(&mut [FileReport]) -> bool,
    ) -> (Vec<FileReport>, Vec<FileFix>) {
        let (mut reports, mut fixes): (Vec<_>, Vec<_>) = files.into_iter().unzip();
        if relate(&mut reports) && self.builds(&mut reports, &mut fixes) {
            relate(&mut reports);
        }
        (reports, fixes)
    }

    /// Passes the lane in the build files of `reports` and writes them; returns whether anything changed.
    fn builds(&self, reports: &mut [FileReport], fixes: &mut [FileFix]) -> bool {
        let mut changed = false;
        for (report, done) in reports.iter_mut().zip(fixes) {
            changed |= self.builds_of(report, done).unwrap_or_else(|why| {
                done.unwritten = Some(why);
                false
            });
        }
        for report in reports.iter_mut().filter(|_| changed) {
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
        changed
    }

    /// Passes the lane in the builds of one file; returns whether it changed.
    fn builds_of(&self, report: &mut FileReport, done: &mut FileFix) -> Result<bool, String> {
        let inserted = budget::within(report.source.len(), || {
            matching::insert_args(report, self.level)
        });
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
