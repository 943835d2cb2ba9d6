//! The tree that a file belongs to: its repository.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns where the file or folder at `path` really is, if that is within `tree`.
pub fn inside(path: &Path, tree: &Path) -> Option<PathBuf> {
    let (real, tree) = (fs::canonicalize(path).ok()?, fs::canonicalize(tree).ok()?);
    real.starts_with(tree).then_some(real)
}

/// Returns the root of the repository around the absolute `folder`. As for git, it is not looked for in and above the folders
/// that `GIT_CEILING_DIRECTORIES` names.
pub fn repository(folder: &Path) -> Option<&Path> {
    let ceilings = env::var_os("GIT_CEILING_DIRECTORIES").unwrap_or_default();
    let ceilings: Vec<PathBuf> = env::split_paths(&ceilings).collect();
    let mut around = folder.ancestors();
    let is_below = |around: &&Path| *around == folder || !ceilings.iter().any(|at| at == around);
    around
        .by_ref()
        .take_while(is_below)
        .find(|around| is_repository(around))
}

pub fn is_repository(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join(".git")).is_ok()
}
