//! The formats: each is one file of code and one line here.

use super::bake::Bake;
use super::buildkite::Buildkite;
use super::compose::Compose;
use super::format::{FilePath, Format};
use super::github::Github;
use super::gitlab::Gitlab;
use super::model::BuildTool;

pub type FormatRef = &'static dyn Format;

/// The formats; the first one that claims a file reads it.
const FORMATS: &[FormatRef] = &[&Github, &Compose, &Buildkite, &Gitlab, &Bake];

/// Returns the format of the file at `path`, relative to any folder, by its name and folder.
pub fn format(path: &str) -> Option<FormatRef> {
    let path = FilePath::new(path);
    FORMATS.iter().copied().find(|format| format.claims(&path))
}

/// Returns the format of the file at `path` that a command of `tool` names.
pub fn named_format(tool: BuildTool, path: &str) -> FormatRef {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending);
    match ending {
        _ if tool == BuildTool::Compose => &Compose,
        Some("hcl" | "json") => &Bake,
        _ => format(path).unwrap_or(&Compose),
    }
}
