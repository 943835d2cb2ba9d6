//! Facts that the names of files tell.

use std::path::Path;

use crate::builds::{BuildTool, FilesAt, make};

/// The names that Compose and bake look for, in order; Compose takes the first, bake all.
pub(super) const COMPOSE: &[&str] = &[
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];
pub(super) const OVERRIDES: &[&str] = &[
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];
pub(super) const BAKE: &[&str] = &[
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
];
/// The names that `devcontainer` looks for, of which it takes the first.
pub(super) const DEVCONTAINER: &[&str] = &[".devcontainer/devcontainer.json", ".devcontainer.json"];

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

/// Returns the files that `place` may mean: itself, or those that the tool looks for in a folder.
pub(super) fn candidates(tool: BuildTool, place: &FilesAt) -> Vec<String> {
    let folder = match place {
        FilesAt::File(path) => return vec![path.clone()],
        FilesAt::Folder(path) => path,
    };
    let (first, more) = match tool {
        BuildTool::Devcontainer => (DEVCONTAINER, &[][..]),
        BuildTool::Make => (make::NAMES, &[][..]),
        tool if tool.is_bake() => (COMPOSE, BAKE),
        _ => (COMPOSE, OVERRIDES),
    };
    let names = first.iter().chain(more);
    names.map(|name| format!("{folder}/{name}")).collect()
}
