//! Finds and reads a configuration's file.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The largest configuration that is read, in bytes.
const MAX_SIZE: u64 = 1024 * 1024;

pub fn in_folder(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
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
