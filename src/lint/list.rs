//! The cache mounts of a file, as `cachelane list` shows them.

use crate::builds::{Inline, inline};
use crate::dockerfile::{Dockerfile, Mount, MountKind, Sharing, SyntaxError};
use crate::rules::Settings;
use crate::rules::caches::{self, Cache};
use crate::rules::frontend::Frontend;
use crate::rules::templated_mount::made_by_templates;
use crate::rules::variables::{references_value, shadowing_env};
use crate::text::{LineIndex, Span};

use super::check::{has_mount, may_make_mounts};
use super::model::FileReport;

/// A cache mount for `list`. Values are as BuildKit reads them, variables not expanded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ListedMount {
    pub path: String,
    /// The 1-based first line of its RUN.
    pub line: usize,
    /// The stage's name or number; `None` in a snippet.
    pub stage: Option<String>,
    /// The `id` option; `None` where it is absent or empty.
    pub id: Option<String>,
    /// The id that BuildKit uses: the option, or the cleaned target, without the quotes and escapes of a value.
    pub effective_id: String,
    pub target: String,
    /// The sharing mode of a build without arguments, in lower case; as written where that is unknown.
    pub sharing: String,
    pub from: Option<String>,
    pub uid: Option<String>,
    pub gid: Option<String>,
    pub mode: Option<String>,
    /// True where jobs have caches of their own: the id refers to a variable that isolates jobs, a build's value reaches
    /// it, and the frontend expands it; or the pipeline passes a namespace.
    pub isolated: bool,
}

/// The cache mounts of a file.
#[derive(Debug, Default)]
pub struct Listed {
    /// Those that BuildKit accepts, in order.
    pub mounts: Vec<ListedMount>,
    /// The number of those that it refuses.
    pub refused: usize,
    /// The number of RUNs with flags that a template makes.
    pub made: usize,
}

/// Returns the cache mounts of the file `source`; `path` names the file.
///
/// # Errors
/// Fails where BuildKit could not read the file.
pub fn list(path: &str, source: &[u8], settings: &Settings) -> Result<Listed, SyntaxError> {
    if !has_mount(source) && !may_make_mounts(source) {
        return Ok(Listed::default());
    }
    let file = match Dockerfile::read(source) {
        Err(_) if !has_mount(source) => return Ok(Listed::default()),
        file => file?,
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let caches = caches::find(&file, settings);
    let listed = caches.iter().map(|cache| {
        let mount = cache.mount;
        let value = |option: &str| mount.value(option).map(&text);
        ListedMount {
            path: path.into(),
            line: file.instructions[cache.instruction].lines.0,
            stage: file
                .stage_of(cache.instruction)
                .and_then(|stage| file.stages[stage].label()),
            id: mount.id().map(&text),
            effective_id: text(&cache.used_id(&file, settings)),
            target: value("target").unwrap_or_default(),
            sharing: cache.sharing.map_or_else(
                || value("sharing").unwrap_or_else(|| Sharing::Shared.as_str().into()),
                |sharing| sharing.as_str().into(),
            ),
            from: value("from"),
            uid: value("uid"),
            gid: value("gid"),
            mode: value("mode"),
            isolated: isolates(&file, cache, settings),
        }
    });
    let is_refused = |mount: &Mount<'_>| mount.kind == MountKind::Cache && !mount.is_accepted();
    Ok(Listed {
        mounts: listed.collect(),
        refused: file.mounts().filter(|(_, mount)| is_refused(mount)).count(),
        made: made_by_templates(&file).count(),
    })
}

/// Returns the cache mounts of each Dockerfile within the file of `report`, which `path` names, with places in that file.
///
/// # Errors
/// Each fails where BuildKit could not read the Dockerfile.
pub fn list_inline(path: &str, report: &FileReport) -> Vec<Result<Listed, SyntaxError>> {
    let lines = LineIndex::new(&report.source);
    let within = report.builds.iter().flat_map(|builds| &builds.file.inline);
    let list = |inline: &Inline| {
        let text = LineIndex::new(inline.text.as_bytes());
        let place = |span: Span| inline.to_file(span);
        let mut listed =
            list(path, inline.text.as_bytes(), &report.settings).map_err(|error| SyntaxError {
                span: place(error.span),
                ..error
            })?;
        for mount in &mut listed.mounts {
            mount.line = lines.line(place(Span::at(text.start_of(mount.line))).start);
            for value in [
                &mut mount.effective_id,
                &mut mount.target,
                &mut mount.sharing,
            ] {
                *value = inline::written(inline, value);
            }
            for value in [
                &mut mount.id,
                &mut mount.from,
                &mut mount.uid,
                &mut mount.gid,
                &mut mount.mode,
            ] {
                *value = value.take().map(|value| inline::written(inline, &value));
            }
        }
        Ok(listed)
    };
    within.map(list).collect()
}

/// Returns whether jobs with different lanes have different caches at `cache`.
fn isolates(file: &Dockerfile<'_>, cache: &Cache<'_>, settings: &Settings) -> bool {
    if settings.namespace {
        return true;
    }
    if !cache.is_isolated || !settings.takes_variables() {
        return false;
    }
    // A template is expanded before any frontend reads it.
    if !cache.word.has_variable() {
        return true;
    }
    let own = settings
        .isolating
        .iter()
        .any(|name| references_value(&cache.word, name));
    let arg = settings.arg.as_str();
    let visible = file.visible(arg, cache.instruction).is_some();
    let reached = visible && shadowing_env(file, arg, cache.instruction).is_none();
    let named = !references_value(&cache.word, arg);
    Frontend::old(file).is_none() && (own || named || reached)
}
