//! Compares files with one another, and builds with their Dockerfiles.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::budget::{self, Spent};
use crate::builds::FormatRef;
use crate::lint::matching::{self, BuildStatus, FileAccess};
use crate::lint::{self, FileReport, Shared};

/// Adds findings to `reports` from comparing files and from rules on builds, and finalizes them. `whole` says whether
/// these are all files there are.
///
/// # Errors
/// Fails where that is more than cachelane compares.
pub fn relate(
    reports: &mut [FileReport],
    whole: bool,
    access: &FileAccess<'_>,
) -> Result<Vec<BuildStatus>, Spent> {
    let bytes = reports.iter().map(|report| report.source.len()).sum();
    budget::within(bytes, || {
        matching::join_files(reports, access);
        matching::note_builds(reports, &[], access);
        matching::mark_buildah(reports, access);
        lint::relate_reports(reports, &mut [], whole, access.name);
        matching::match_builds(reports, whole, access)
    })
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

/// The files of a run before any change.
pub struct BeforeFixes {
    pub reports: Vec<FileReport>,
    /// Files that are not fixed: the fixes of others must not take their caches away.
    pub others: Vec<FileReport>,
    /// True where the reports are all files there are.
    pub whole: bool,
}

/// Compares the files, and returns for each to fix what its fixes have to do with others: the unsafe ones that depend on
/// another, and those that have to agree.
pub fn shared_fixes(
    before: &mut BeforeFixes,
    access: &FileAccess<'_>,
) -> Result<Vec<Shared>, Spent> {
    let BeforeFixes {
        reports,
        others,
        whole,
    } = before;
    let files = reports.iter().chain(&*others);
    let bytes = files.map(|report| report.source.len()).sum();
    let mut agreed = budget::within(bytes, || {
        matching::join_files(reports, access);
        matching::note_builds(reports, others, access);
        lint::relate_reports(reports, others, *whole, access.name)
    })?;
    let of_file = |(index, report): (usize, &FileReport)| {
        let found = report.checked.findings.iter();
        let found = found.filter(|one| one.fix.is_some() && one.spans_files());
        let is_noted = report.settings.is_noted();
        Shared {
            found: found.cloned().collect(),
            settings: is_noted.then(|| Arc::clone(&report.settings)),
            ..agreed.remove(&index).unwrap_or_default()
        }
    };
    Ok(reports.iter().enumerate().map(of_file).collect())
}

/// Returns the base of paths in the build file at the absolute `path`: its own folder, or the repository's. `is_root`
/// says whether a repository begins in a folder.
pub fn root(path: &Path, format: FormatRef, is_root: impl Fn(&Path) -> bool) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let Some(known) = format.folder() else {
        return folder.to_path_buf();
    };
    let mut above = folder.ancestors();
    let by_name = above.find(|folder| folder.ends_with(known));
    let above = || folder.ancestors().find(|folder| is_root(folder));
    let root = by_name.and_then(Path::parent).or_else(above);
    root.unwrap_or(folder).to_path_buf()
}
