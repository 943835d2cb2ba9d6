//! Caches that a workflow fills by their ids, as if it mounted them.

use crate::builds::{Fill, Filled};
use crate::dockerfile::Dockerfile;
use crate::index::CacheMount;
use crate::rules::{Settings, caches};

use super::model::{Checked, FileReport, Withheld};

/// Caches that a file fills by their ids, as if it mounted them.
pub(super) struct Filling {
    /// The index of the file.
    pub(super) file: usize,
    pub(super) checked: Checked,
}

/// Returns what each of `reports` fills, by file: apart what can be filled under another id, and what cannot.
pub(super) fn filled<'r>(reports: &(impl Iterator<Item = &'r FileReport> + Clone)) -> Vec<Filling> {
    let mut found: Vec<Filling> = Vec::new();
    for (file, report) in reports.clone().enumerate() {
        let first = found.len();
        if let Some(builds) = &report.builds {
            for (number, fill) in builds.file.fills.iter().enumerate() {
                let mounts = match &fill.caches {
                    Filled::Mount(_) => mounted(fill, &report.settings),
                    Filled::Dockerfile(path) => {
                        // The workflow is two folders below the root.
                        let root = report.path.ancestors().nth(3);
                        let path = root.map(|root| root.join(path));
                        let named = reports
                            .clone()
                            .find(|other| path.as_ref() == Some(&other.path));
                        let own = named.map_or(&[][..], |named| &named.checked.mounts).iter();
                        own.filter(|mount| is_known(mount)).cloned().collect()
                    }
                };
                let mounts = mounts.into_iter().map(|mount| CacheMount {
                    span: fill.span,
                    mount_span: fill.span,
                    ..mount
                });
                let fixed = builds.fills.get(number).cloned();
                let fixed = fixed.filter(|_| !report.is_context);
                let fixed = fixed.unwrap_or_else(|| Err(Withheld::NotNamed.to_string()));
                let is_it = |one: &Filling| matches!(&one.checked.withheld, Some(Withheld::Fills(own)) if *own == fixed);
                let at = found[first..].iter().position(is_it);
                let at = at.map_or(found.len(), |at| first + at);
                if at == found.len() {
                    let checked = Checked {
                        withheld: Some(Withheld::Fills(fixed)),
                        ..Checked::default()
                    };
                    found.push(Filling { file, checked });
                }
                found[at].checked.mounts.extend(mounts);
            }
        }
    }
    found.retain(|one| !one.checked.mounts.is_empty());
    found
}

/// Returns the cache that a fill names by the options of a mount, if it names one; what an expression names is unknown.
pub(super) fn mounted(fill: &Fill, settings: &Settings) -> Vec<CacheMount> {
    let Filled::Mount(options) = &fill.caches else {
        return Vec::new();
    };
    if options.contains("${{") || options.contains(char::is_whitespace) {
        return Vec::new();
    }
    let text = format!("FROM scratch\nRUN --mount={options} true\n");
    let Ok(file) = Dockerfile::read(text.as_bytes()) else {
        return Vec::new();
    };
    let caches = caches::find(&file, settings);
    let mounts = caches.iter().map(|cache| cache.indexed(&file));
    mounts.filter(is_known).collect()
}

/// Returns whether the id has no variable: none has a value there.
fn is_known(mount: &CacheMount) -> bool {
    let ids = &mount.became.ids;
    ids.iter().all(|id| *id == ids[0])
}
