//! Paths as builds name them.

use crate::budget;

/// The beginning of a path that starts at the root of the repository, whatever folder a command runs in, such as
/// `$GITHUB_WORKSPACE`. It is text because texts with it are joined and split before anyone takes them for paths.
pub const ROOT: &str = "/\u{0}root";

/// Returns `path`, seen from `folder`: without `.`, and without `..` as far as that goes. `None` where it leads to a place
/// that is not under what `folder` is relative to.
pub fn join(folder: &str, path: &str) -> Option<String> {
    let (folder, path) = match path.strip_prefix(ROOT) {
        Some(rest) => ("", rest.trim_start_matches('/')),
        None => (folder, path),
    };
    let is_drive = path.get(1..2) == Some(":")
        && path.starts_with(|letter: char| letter.is_ascii_alphabetic());
    // Each `cd` of a script makes another one.
    let is_inside = !path.starts_with(['/', '~', '\\']) && !is_drive;
    (is_inside && budget::spend(folder.len() + path.len()))
        .then(|| normal(folder.split('/').chain(path.split('/'))))
}

/// Returns the path of `dockerfile` below `context` in a Compose or bake file, relative to the file's own folder.
///
/// # Errors
/// Why nothing can be said: a remote context, a path that is not relative.
pub fn dockerfile(context: &str, dockerfile: &str) -> Result<String, String> {
    let both = [context, dockerfile];
    // Both tools take what looks like an address or another build for a context that is not on disk.
    if both.iter().any(|path| is_remote(path)) {
        return Err("its context is not a folder of this repository".to_owned());
    }
    if both.iter().any(|path| path.starts_with(['/', '~'])) || dockerfile == "-" {
        return Err(
            "its Dockerfile is named by a path that begins outside of this repository".to_owned(),
        );
    }
    Ok(normal(both.iter().flat_map(|path| path.split(['/', '\\']))))
}

/// Joins names by `/`, with `.` and `..` taken out as far as they go.
fn normal<'n>(all: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in all {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

/// Returns whether a context is an address or another build, and no folder.
pub fn is_remote(context: &str) -> bool {
    context.contains("://")
        || context.contains(".git#")
        || context.starts_with("git@")
        || context.starts_with("github.com/")
}
