//! Caches that a workflow fills by their ids, as if it mounted them.

use regex::bytes::Regex;

use crate::budget;
use crate::builds::{Fill, Filled};
use crate::dockerfile::Dockerfile;
use crate::index::CacheMount;
use crate::rules::{Settings, caches};

use super::model::{Checked, FileReport, Withheld};

/// Opens an expression of GitHub's.
const EXPRESSION: &str = "${{";

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
                    Filled::Mount(options) if options.contains(EXPRESSION) => {
                        Open::of_mount(options).among(reports.clone())
                    }
                    Filled::Mount(_) => mounted(fill, &report.settings),
                    Filled::Quoted(texts) => Open::of_texts(texts).among(reports.clone()),
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

/// Caches that expressions name.
struct Open {
    ids: Vec<Regex>,
    targets: Vec<Regex>,
}

impl Open {
    fn of_texts(texts: &[String]) -> Self {
        let ids = texts.iter().map(|text| starred(text));
        Self {
            ids: ids.filter_map(|text| pattern(&text)).collect(),
            targets: Vec::new(),
        }
    }

    /// Reads the options of a mount.
    fn of_mount(options: &str) -> Self {
        let options = starred(options);
        let named = |name: &str| -> Vec<&str> {
            let options = options.split(',');
            options.filter_map(|one| one.strip_prefix(name)).collect()
        };
        let patterns = |texts: Vec<&str>| texts.into_iter().filter_map(pattern).collect();
        let ids = named("id=");
        // Without an id, the target is one.
        let is_by_target = ids.is_empty();
        let ids: Vec<Regex> = patterns(if is_by_target { named("target=") } else { ids });
        let targets = if is_by_target || !ids.is_empty() {
            Vec::new()
        } else {
            patterns(named("target="))
        };
        Self { ids, targets }
    }

    /// Returns the mounts of `reports` that may be such caches.
    fn among<'r>(&self, reports: impl Iterator<Item = &'r FileReport>) -> Vec<CacheMount> {
        let cost = 16 * (self.ids.len() + self.targets.len());
        if cost == 0 {
            return Vec::new();
        }
        let mounts = reports.flat_map(|report| &report.checked.mounts);
        let mounts = mounts.take_while(|_| budget::spend(cost));
        let is_it = |mount: &&CacheMount| {
            let is_id = |id: &Regex| id.is_match(&mount.became.ids[0]);
            let is_at = |target: &Regex| mount.target.iter().any(|own| target.is_match(own));
            self.ids.iter().any(is_id) || self.targets.iter().any(is_at)
        };
        mounts.filter(is_it).cloned().collect()
    }
}

/// Returns a text with a `*` for each expression, and for each place that `format` fills.
fn starred(text: &str) -> String {
    let mut parts = text.split(EXPRESSION);
    let mut starred = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        starred.push('*');
        // An expression with a quote in it is cut there.
        starred += part.split_once("}}").map_or("", |(_, behind)| behind);
    }
    for place in 0..10 {
        starred = starred.replace(&format!("{{{place}}}"), "*");
    }
    starred
}

/// Returns the pattern of a text in which `*` stands for anything; `None` where it says nothing.
fn pattern(text: &str) -> Option<Regex> {
    let is_any = text.chars().all(|ch| ch == '*');
    let text = regex::escape(text).replace(r"\*", ".*");
    let pattern = (!is_any).then(|| Regex::new(&format!("(?-u)(?s)^{text}$")));
    pattern?.ok()
}

/// Returns the cache that a fill names by the options of a mount, if it names one; what an expression names is unknown.
pub(super) fn mounted(fill: &Fill, settings: &Settings) -> Vec<CacheMount> {
    let Filled::Mount(options) = &fill.caches else {
        return Vec::new();
    };
    if options.contains(EXPRESSION) || options.contains(char::is_whitespace) {
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
