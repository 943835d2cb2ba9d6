use crate::budget;

/// The beginning of a path from the root of the repository, such as `$GITHUB_WORKSPACE`, for a command in any folder.
/// It is text because texts with it are joined and split before they become paths.
pub const ROOT: &str = "/\u{0}root";

/// Returns `path`, seen from `folder`, with `.` and `..` resolved; `None` where it leads out of what `folder` is
/// relative to.
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

/// Returns the path of `dockerfile` below `context` in a Compose or bake file, relative to the file's own folder. Fails
/// for a remote context and for a path that is not relative.
pub fn dockerfile(context: &str, dockerfile: &str) -> Result<String, String> {
    let both = [context, dockerfile];
    // Both tools take an address, or another build, for a context that is not on disk.
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

/// Joins names by `/`, with `.` and `..` resolved as far as possible.
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

/// Returns whether a context is an address or another build.
pub fn is_remote(context: &str) -> bool {
    context.contains("://")
        || context.contains(".git#")
        || context.starts_with("git@")
        || context.starts_with("github.com/")
}
