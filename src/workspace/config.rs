//! Finds and reads a configuration's file.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The largest configuration that is read, in bytes.
const MAX_SIZE: u64 = 1024 * 1024;

/// Returns the configuration in `folder`, if any; a link that leads nowhere counts, a folder does not.
pub fn in_folder(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_dir()) && !path.is_dir())
}

/// Reads the configuration that was found at the absolute `path`, by the rules of [`read`]. A link may stay in the repository
/// around it, or in its folder where there is none: what lies outside is somebody's who never meant to show it.
///
/// # Errors
/// Fails as [`read`] does, and where a link leads out.
pub fn read_found(path: &Path) -> io::Result<String> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let tree = super::tree::repository(folder).unwrap_or(folder);
    fs::metadata(path)?;
    match super::tree::inside(path, tree) {
        Some(real) => read(&real),
        None => Err(io::Error::other(
            "it is a link that leads out of the repository",
        )),
    }
}

/// Reads the configuration at `path`.
///
/// # Errors
/// Fails where it cannot be read, is no text, or is larger than a configuration can be.
pub fn read(path: &Path) -> io::Result<String> {
    let meta = fs::metadata(path)?;
    if !meta.is_file() || meta.len() > MAX_SIZE {
        return Err(io::Error::other(
            "it is not a regular file, or too large for a configuration",
        ));
    }
    // A system's file can look like any other and never end.
    let mut text = String::new();
    super::file::open(path, true)?
        .take(MAX_SIZE)
        .read_to_string(&mut text)?;
    Ok(text)
}
