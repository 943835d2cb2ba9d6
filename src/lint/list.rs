//! The cache mounts of a file, as `cachelane list` shows them.

use crate::dockerfile::{Dockerfile, Sharing, SyntaxError};
use crate::rules::{Settings, caches};

/// One cache mount, as `list` shows it. Values are as BuildKit reads them, variables not expanded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ListedMount {
    /// The file.
    pub path: String,
    /// 1-based first line of its RUN.
    pub line: usize,
    /// The stage's name, or its number where it has none; `None` in a snippet.
    pub stage: Option<String>,
    /// The `id` option; `None` where it is absent or empty.
    pub id: Option<String>,
    /// The id that BuildKit uses: the option, or the cleaned target.
    pub effective_id: String,
    /// The target.
    pub target: String,
    /// The sharing mode, in lower case; `shared` where none is given.
    pub sharing: String,
    /// `from`, where given.
    pub from: Option<String>,
    /// `uid`, where given.
    pub uid: Option<String>,
    /// `gid`, where given.
    pub gid: Option<String>,
    /// `mode`, where given.
    pub mode: Option<String>,
    /// Whether the id refers to the lane argument.
    pub isolated: bool,
}

/// The cache mounts of the file `source`, in order; those that BuildKit refuses are left out. `path` is what to call it.
///
/// # Errors
/// Where BuildKit could not read the file.
pub fn list(path: &str, source: &[u8], settings: &Settings) -> Result<Vec<ListedMount>, SyntaxError> {
    if !super::has_mount(source) {
        return Ok(Vec::new());
    }
    let file = Dockerfile::read(source)?;
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let caches = caches::find(&file, settings);
    let listed = caches.iter().map(|cache| {
        let mount = cache.mount;
        let value = |option: &str| mount.value(option).map(|value| text(&value));
        ListedMount {
            path: path.into(),
            line: file.instructions[cache.instruction].lines.0,
            stage: file.stage_of(cache.instruction).and_then(|stage| file.stages[stage].label()),
            id: mount.id().map(|id| text(&id)),
            effective_id: cache.id(),
            target: value("target").unwrap_or_default(),
            sharing: mount.sharing().map_or_else(
                || value("sharing").unwrap_or_else(|| Sharing::Shared.as_str().into()),
                |sharing| sharing.as_str().into(),
            ),
            from: value("from"),
            uid: value("uid"),
            gid: value("gid"),
            mode: value("mode"),
            isolated: cache.is_isolated(settings),
        }
    });
    Ok(listed.collect())
}
