//! Fixes files: each by itself, then the builds that have to pass the new lanes of their Dockerfiles.

use std::path::Path;
use std::sync::Arc;

use crate::budget;
use crate::finding::Finding;
use crate::fix::Applicability;
use crate::lint::{self, FileReport, Fixed, matching};

use super::input::InputFile;

pub struct Fixing<'f> {
    pub level: Applicability,
    pub write: Write<'f>,
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
    /// Number of its builds that newly pass the lane.
    pub passed: usize,
    /// True where locks in its text are reported, beside those of a build file.
    pub text: bool,
}

impl Fixing<'_> {
    /// Fixes one file by itself and writes it. `found` are findings from comparing it with others.
    pub fn file(&self, input: InputFile<'_>, found: &[Finding]) -> (FileReport, FileFix) {
        let InputFile {
            path,
            settings,
            source,
            format,
            is_stdin,
            text,
        } = input;
        let mut fixed = match format {
            Some(format) => lint::fix_inline(format, source, settings, self.level),
            None => lint::fix(source, settings, self.level, found),
        };
        let changed = fixed.bytes != source;
        if !changed {
            // One fix can undo another.
            fixed.made.clear();
        }
        // A file beyond cachelane's budget stays as it is.
        let is_written = changed && !is_stdin && !budget::is_spent();
        let written = if is_written {
            (self.write)(path, source, &fixed.bytes)
        } else {
            Ok(())
        };
        if written.is_err() {
            // The file is as it was, and so are its findings.
            let left = Fixed::nothing(source, lint::check(source, settings));
            fixed = Fixed {
                dropped: fixed.dropped,
                ..left
            };
        }
        let left = std::mem::take(&mut fixed.left);
        let report = match format {
            Some(format) => lint::check_build_file(path, format, &fixed.bytes, settings),
            None => FileReport {
                path: path.to_path_buf(),
                source: fixed.bytes.clone(),
                settings: Arc::clone(settings),
                checked: left,
                builds: None,
            },
        };
        let old = if changed { source.to_vec() } else { Vec::new() };
        let unwritten = written.err();
        (
            report,
            FileFix {
                fixed,
                old,
                is_stdin,
                unwritten,
                passed: 0,
                text,
            },
        )
    }

    /// Passes the lane in the build files of `reports` and writes them. Returns whether anything changed: all files
    /// have to be compared again then.
    pub fn builds(&self, reports: &mut [FileReport], fixes: &mut [FileFix]) -> bool {
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
        done.passed = inserted.made.len();
        done.fixed.made.extend(inserted.made);
        done.fixed.bytes.clone_from(&inserted.bytes);
        report.source = inserted.bytes;
        Ok(true)
    }
}
