//! Whether the files that say what to ignore can be read: the search reads them in full, whatever they are.
//!
//! A repository can bring a `.gitignore` that is a link to `/dev/zero`, or so many patterns that they fill the memory.

use std::fs;
use std::path::Path;

/// The files that a search reads in each folder.
const NAMES: &[&str] = &[".gitignore", ".ignore", ".git/info/exclude"];

/// The most bytes of such files that hold in a folder, those of the folders around it counted: each pattern takes a few
/// hundred bytes of memory.
const MAX_SIZE: u64 = 256 * 1024;

/// Why `folder` cannot be searched, where it cannot: for what it says is to be ignored, along with the folders around it up
/// to `root`.
pub(super) fn refused(root: &Path, folder: &Path) -> Option<String> {
    let mut size = match size(folder) {
        Ok(0) => return None,
        Ok(size) => size,
        Err(reason) => return Some(reason),
    };
    let around = folder.ancestors().skip(1).take_while(|around| around.starts_with(root));
    // What is wrong with these has been said where the search came by.
    size += around.filter_map(|around| self::size(around).ok()).sum::<u64>();
    (size > MAX_SIZE).then(|| {
        let limit = MAX_SIZE / 1024;
        format!("what it and the folders around it say is to be ignored is more than {limit} KiB: it was not searched")
    })
}

/// The bytes of the files that say what to ignore in `folder`.
fn size(folder: &Path) -> Result<u64, String> {
    let mut size = 0;
    for name in NAMES {
        let path = folder.join(name);
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        let meta = if meta.is_symlink() {
            // A file of the system's may look like any other, and never end.
            let real = fs::canonicalize(&path).ok();
            let of_system = |real: &Path| ["/dev", "/proc", "/sys"].iter().any(|folder| real.starts_with(folder));
            match real.filter(|real| !of_system(real)).and_then(|real| fs::metadata(real).ok()) {
                Some(meta) => meta,
                None if fs::metadata(&path).is_err() => continue,
                None => return Err(format!("its {name} is no regular file: it was not searched")),
            }
        } else {
            meta
        };
        if meta.is_dir() {
            continue;
        }
        if !meta.is_file() {
            return Err(format!("its {name} is no regular file: it was not searched"));
        }
        size += meta.len();
    }
    Ok(size)
}
