//! What is asked of the world around the files, and what is said of each build.

use std::path::{Path, PathBuf};

use crate::builds::{FormatRef, Runs, Unknown};
use crate::lint::model::FileReport;

/// The world around the files, as far as the caller knows it.
pub struct FileAccess<'w> {
    /// Returns the folder that the paths of a file of this format start from.
    pub root: &'w dyn Fn(&Path, FormatRef) -> PathBuf,
    /// Returns a path from the root of the file system on, without `.` and `..`.
    pub absolute: &'w dyn Fn(&Path) -> PathBuf,
    /// Returns a path as reports print it.
    pub name: &'w dyn Fn(&Path) -> String,
    /// Returns whether a file is there.
    pub is_there: &'w dyn Fn(&Path) -> bool,
    /// Returns the report on a file that is not among those of the run, a Dockerfile where no format is given; `None` where
    /// there is none, or nothing is in it.
    pub load: &'w dyn Fn(&Path, Option<FormatRef>) -> Option<FileReport>,
}

/// The state of a build's lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaneStatus {
    /// It passes one.
    Passed,
    /// It passes a namespace, which does the same.
    Namespace,
    /// It passes none, and the Dockerfile asks for one.
    Default,
    /// It passes none, and each run has a machine of its own, where nobody waits.
    OwnMachine,
    /// The Dockerfile asks for none.
    NotNeeded,
    /// There is no such Dockerfile: it is made before the build, or the path is wrong.
    NotThere,
    /// The Dockerfile has locks that all builds share, and no lanes yet.
    NotYet,
    /// Nobody can know.
    Unknown,
}

/// One build of one Dockerfile, and what became of its lane.
#[derive(Debug)]
pub struct BuildStatus {
    /// The report that the build stands in, by its index.
    pub file: usize,
    /// The build, by its index there.
    pub build: usize,
    /// The Dockerfile, from the root of the file system on; `None` for one within a file.
    pub dockerfile: Option<PathBuf>,
    pub target: Option<String>,
    pub runs: Runs,
    pub lane: LaneStatus,
    pub value: Option<String>,
}

#[derive(Debug, Default)]
pub struct Builds {
    /// Those of which something can be said.
    pub known: Vec<BuildStatus>,
    /// Those that lead to a file which is not there, each with the report that it stands in.
    pub unknown: Vec<(usize, Unknown)>,
}
