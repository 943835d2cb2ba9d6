//! What comes of the files of a run.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::lint::FileReport;
use crate::project::fix::FileFix;

#[derive(Debug)]
pub struct RunOutcome<T> {
    /// The results of `visit`, ordered by path.
    pub results: Vec<T>,
    pub files: usize,
    /// True where the searched folders hold everything to compare with.
    pub whole: bool,
}

/// The result of one file.
pub trait Visited {
    /// Returns the report on a file that may lead to Dockerfiles.
    fn report(&self) -> Option<&FileReport>;
}

impl Visited for FileReport {
    fn report(&self) -> Option<&FileReport> {
        Some(self)
    }
}

impl Visited for (FileReport, FileFix) {
    fn report(&self) -> Option<&FileReport> {
        Some(&self.0)
    }
}

pub(super) struct State<T> {
    pub(super) results: Vec<(PathBuf, T)>,
    /// Bytes of text in the files of the results.
    pub(super) text: usize,
    pub(super) files: usize,
    /// The files met: one that is both named and found is one file.
    pub(super) met: HashSet<PathBuf>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self {
            results: Vec::new(),
            text: 0,
            files: 0,
            met: HashSet::new(),
        }
    }
}
