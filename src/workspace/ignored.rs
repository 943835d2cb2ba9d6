//! What a search leaves out by itself, as `.gitignore` and its kin say, and whether these can be read: the search reads them
//! in full, whatever they are.
//!
//! A repository can bring a `.gitignore` that is a link to `/dev/zero`, or so many patterns that they fill the memory.

use std::fs;
use std::path::{Component, Path};

use ignore::gitignore::GitignoreBuilder;

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

/// Whether `path`, relative to `folder`, is there, or would be left out if it were.
#[must_use]
pub fn is_there_or_ignored(folder: &Path, path: &Path) -> bool {
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return false;
    }
    let full = folder.join(path);
    if full.symlink_metadata().is_ok() {
        return true;
    }
    for folder in folder.ancestors() {
        if refused(folder, folder).is_some() {
            // Nor does a search read them.
            continue;
        }
        let mut ignores = GitignoreBuilder::new(folder);
        for name in NAMES.iter().map(|name| folder.join(name)).filter(|name| name.is_file()) {
            // A line that is no glob is nobody's to complain of here; the others hold.
            let _ = ignores.add(name);
        }
        if ignores.build().is_ok_and(|ignores| ignores.matched_path_or_any_parents(&full, true).is_ignore()) {
            return true;
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_every_folder_up_to_the_repository_s_root() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(".gitignore", "/outside/\n");
        write("repository/.git/info/exclude", "mine\n");
        write("repository/.gitignore", "vendor/\n*.old\n");
        write("repository/a/.gitignore", "/out\n");
        write("repository/a/kept/x", "");
        let folder = root.path().join("repository/a");
        for path in ["vendor", "b/vendor/c", "out", "kept", "x.old", "mine"] {
            assert!(is_there_or_ignored(&folder, Path::new(path)), "{path}");
        }
        for path in ["vendr", "b/out", "outside", "../a/kept", ""] {
            let expected = path.is_empty();
            assert_eq!(is_there_or_ignored(&folder, Path::new(path)), expected, "{path}");
        }
    }
}
