//! What a search leaves out by itself, as `.gitignore` and its kin say.

use std::path::{Component, Path};

use ignore::gitignore::GitignoreBuilder;

/// The files in a folder that say what searches leave out, and where a repository has one more.
const NAMES: [&str; 3] = [".gitignore", ".ignore", ".git/info/exclude"];

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
        let mut ignores = GitignoreBuilder::new(folder);
        for name in NAMES.map(|name| folder.join(name)).iter().filter(|name| name.is_file()) {
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
