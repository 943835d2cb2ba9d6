//! Compares files with one another, and builds with their Dockerfiles.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::budget::{self, Spent};
use crate::builds::{FormatRef, PathBase};
use crate::finding::Finding;
use crate::lint::matching::{self, BuildStatus, FileAccess};
use crate::lint::{self, FileReport};

/// Adds findings to `reports` from comparing files and from rules on builds, and finalizes them. `whole` says whether these
/// are all files there are.
///
/// # Errors
/// Fails where that is more than cachelane compares.
pub fn relate(
    reports: &mut [FileReport],
    whole: bool,
    access: &FileAccess<'_>,
) -> Result<Vec<BuildStatus>, Spent> {
    budget::within(size(reports), || {
        matching::join_files(reports, access);
        matching::note_builds(reports, access);
        lint::relate_reports(reports, whole, access.name);
        matching::match_builds(reports, whole, access)
    })
}

fn size(reports: &[FileReport]) -> usize {
    reports.iter().map(|report| report.source.len()).sum()
}

/// Returns the absolute paths of the Dockerfiles that builds of `reports` lead to; none where that is more than cachelane
/// compares.
#[cfg(feature = "cli")]
pub fn dockerfiles(
    reports: Vec<&FileReport>,
    access: &FileAccess<'_>,
) -> std::collections::BTreeSet<PathBuf> {
    let bytes = reports.iter().map(|report| report.source.len()).sum();
    budget::within(bytes, || matching::dockerfiles(reports, access)).unwrap_or_default()
}

/// Compares the files before a round of fixes; returns the fixes of mounts that get a lane along with others, by file.
pub fn compare(
    reports: &mut [FileReport],
    whole: bool,
    access: &FileAccess<'_>,
) -> Result<BTreeMap<usize, Vec<Finding>>, Spent> {
    budget::within(size(reports), || {
        matching::join_files(reports, access);
        matching::note_builds(reports, access);
        lint::relate_reports(reports, whole, access.name)
    })
}

/// Returns the base of paths in the build file at the absolute `path`: its own folder, or the repository's. `is_root`
/// says whether a repository begins in a folder.
pub fn root(path: &Path, format: FormatRef, is_root: impl Fn(&Path) -> bool) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut above = folder.ancestors();
    let repository = || folder.ancestors().find(|folder| is_root(folder));
    let root = match format.base() {
        PathBase::OwnFolder => None,
        PathBase::Repository => repository(),
        PathBase::Above(name) => {
            let known = above.find(|folder| folder.ends_with(name));
            known.and_then(Path::parent).or_else(repository)
        }
    };
    root.unwrap_or(folder).to_path_buf()
}
