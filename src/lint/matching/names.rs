//! Facts that the names of files tell.

use std::path::Path;

/// Returns whether the file is a piece of a Dockerfile by its name, as rocker's extensions have them: `NAME_snippet.Dockerfile`,
/// or a template of empy.
pub(super) fn is_snippet(path: &Path) -> bool {
    let is_empy = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("em"));
    let name = path.file_name().and_then(|name| name.to_str());
    is_empy || name.is_some_and(|name| name.to_ascii_lowercase().contains("snippet"))
}

fn stem(path: &Path) -> &str {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.unwrap_or_default()
}

/// Returns whether the file is merged over the usual ones without being named.
pub(super) fn is_override(path: &Path) -> bool {
    stem(path).ends_with(".override")
}

/// Returns whether the file has one of the usual names.
pub(super) fn is_usual(path: &Path) -> bool {
    matches!(stem(path), "compose" | "docker-compose" | "docker-bake")
}
