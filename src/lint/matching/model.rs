//! The interface to other files, and the state of each build.

use std::path::{Path, PathBuf};

use crate::builds::{Builder, FormatRef, Runs};
use crate::fix::Applicability;
use crate::lint::model::{FileReport, LaneStatus};

/// Access to the files around the run.
pub struct FileAccess<'w> {
    /// Returns the folder that the paths of a file of this format start from.
    pub root: &'w dyn Fn(&Path, FormatRef) -> PathBuf,
    /// Returns an absolute path without `.` and `..`.
    pub absolute: &'w dyn Fn(&Path) -> PathBuf,
    /// Returns a path as reports print it.
    pub name: &'w dyn Fn(&Path) -> String,
    pub is_there: &'w dyn Fn(&Path) -> bool,
    /// Returns the text of a regular file in the repository; `None` where a link leads out of it.
    pub text: &'w dyn Fn(&Path) -> Option<String>,
    /// Returns the report on a file outside the run, a Dockerfile without a format; `None` where it is missing or empty.
    pub load: &'w dyn Fn(&Path, Option<FormatRef>) -> Option<FileReport>,
}

/// A build of a Dockerfile with the status of its lane.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "cli"),
    expect(dead_code, reason = "the command line shows it")
)]
pub struct BuildStatus {
    /// The index of the build's report.
    pub file: usize,
    /// The index of the build there.
    pub build: usize,
    /// The absolute path of the Dockerfile; `None` for one within a file.
    pub dockerfile: Option<PathBuf>,
    pub target: Option<String>,
    pub runs: Runs,
    pub lane: LaneStatus,
    /// The best fix of the locks that all builds share, where the Dockerfile has no lanes yet and any fix is made.
    pub fix: Option<Applicability>,
    /// True where the Dockerfile is not among the files to check.
    pub is_outside: bool,
    pub builder: Builder,
    pub value: Option<String>,
    /// True for a command of a script that another file runs.
    pub is_called: bool,
}
