//! Caches that a workflow fills by their ids, as if it mounted them.

use crate::builds::Filled;
use crate::dockerfile::Dockerfile;
use crate::index::CacheMount;
use crate::rules::{Settings, caches};

use super::model::{Checked, FileReport, Withheld};

/// The caches that a file fills by their ids, as if it mounted them.
pub(super) struct Filling {
    /// The index of the file.
    pub(super) file: usize,
    pub(super) checked: Checked,
}

/// Returns what each of `reports` fills.
pub(super) fn filled<'r>(reports: &(impl Iterator<Item = &'r FileReport> + Clone)) -> Vec<Filling> {
    let of = |(file, report): (usize, &FileReport)| {
        let fills = report.builds.iter().flat_map(|builds| &builds.file.fills);
        let mut mounts = Vec::new();
        for fill in fills {
            let mut own = match &fill.caches {
                Filled::Mount(options) => mounted(options, &report.settings),
                Filled::Dockerfile(path) => {
                    // The workflow is two folders below the root.
                    let path = report.path.ancestors().nth(3)?.join(path);
                    let named = reports.clone().find(|other| other.path == path);
                    named.map_or(Vec::new(), |named| named.checked.mounts.clone())
                }
            };
            // No variable has a value there.
            own.retain(|mount| mount.became.ids.iter().all(|id| *id == mount.became.ids[0]));
            for mount in &mut own {
                mount.span = fill.span;
                mount.mount_span = fill.span;
            }
            mounts.append(&mut own);
        }
        let checked = Checked {
            mounts,
            withheld: Some(Withheld::Fills),
            ..Checked::default()
        };
        (!checked.mounts.is_empty()).then_some(Filling { file, checked })
    };
    reports.clone().enumerate().filter_map(of).collect()
}

/// Returns the cache that `--mount` with these options has.
fn mounted(options: &str, settings: &Settings) -> Vec<CacheMount> {
    let text = format!("FROM scratch\nRUN --mount={options} true\n");
    let Ok(file) = Dockerfile::read(text.as_bytes()) else {
        return Vec::new();
    };
    let caches = caches::find(&file, settings);
    caches.iter().map(|cache| cache.indexed(&file)).collect()
}
