//! What the files of a run have to do with one another.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::finding::{Elsewhere, Label};
use crate::index::{Index, Point, Site, Spread};
use crate::rules::{self, LockUse, Other, Settings};
use crate::text::{LineIndex, Range, Span};

use super::{Checked, FileReport, settle};

/// A file of a run that is compared with others.
#[derive(Debug)]
pub struct Compared<'f> {
    /// What was found in it by itself.
    pub checked: &'f mut Checked,
    /// What is settled for it.
    pub settings: &'f Settings,
    /// Its bytes, as far as they are still there.
    pub source: &'f [u8],
}

/// Lines and columns in the files of a run. Few of all files are ever told of, but some of them again and again: the one with
/// the first use of a lock.
struct Places<'f> {
    sources: Vec<&'f [u8]>,
    lines: HashMap<usize, LineIndex>,
}

impl Places<'_> {
    fn range(&mut self, file: usize, span: Span) -> Range {
        let source = self.sources[file];
        let lines = self.lines.entry(file);
        lines
            .or_insert_with(|| LineIndex::new(source))
            .range(source, span)
    }
}

/// Adds to the findings of all files of a run what the files have to do with one another. `name` gives the path of a
/// file, by its index, as reports print it.
pub fn relate(files: &mut [Compared<'_>], name: impl Fn(usize) -> String) {
    let mut places = Places {
        sources: files.iter().map(|file| file.source).collect(),
        lines: HashMap::new(),
    };
    // Findings change while the mounts of all files are looked at.
    let sites: Vec<Vec<Site>> = files
        .iter_mut()
        .map(|file| std::mem::take(&mut file.checked.sites))
        .collect();
    let index = Index::new(sites.iter().map(Vec::as_slice));
    let mut spread = Vec::new();
    rules::across(&index, &mut spread);
    spread.retain(|found| files[found.file].settings.is_on(found.finding.rule));
    let exempt = exempt(&sites);
    spread.retain(|found| {
        let is_exempt = exempt.contains(&(found.file, found.finding.span, found.finding.rule));
        files[found.file].checked.suppressed += usize::from(is_exempt);
        !is_exempt
    });
    for (at, file) in files.iter_mut().enumerate() {
        for finding in &mut file.checked.findings {
            let Some(group) = finding.lock.as_ref().and_then(|lock| index.lock(lock)) else {
                continue;
            };
            let Some((other, site)) = group
                .other_than(at, finding.span)
                .filter(|_| group.runs > 1)
            else {
                continue;
            };
            let other = if other == at {
                Other::Here(site.span)
            } else {
                Other::There(name(other), places.range(other, site.span))
            };
            if let Some(rule) = rules::by_name(finding.rule) {
                rule.relate(
                    finding,
                    &LockUse {
                        runs: group.runs,
                        files: group.files,
                        other,
                    },
                );
            }
        }
    }
    drop(index);
    for (file, sites) in files.iter_mut().zip(sites) {
        file.checked.sites = sites;
    }
    for Spread {
        file,
        mut finding,
        points,
    } in spread
    {
        for Point {
            file: other,
            span,
            message,
        } in points
        {
            if other == file {
                finding.labels.push(Label { span, message });
            } else {
                finding.elsewhere.push(Elsewhere {
                    path: name(other),
                    range: places.range(other, span),
                    message,
                });
            }
        }
        files[file].checked.findings.push(finding);
    }
}

/// Returns the places of caches that are exempt from a rule: file, id and rule.
fn exempt(sites: &[Vec<Site>]) -> HashSet<(usize, Span, &'static str)> {
    let of_site = |file, site: &Site| {
        site.exempt
            .iter()
            .map(move |rule| (file, site.span, *rule))
            .collect()
    };
    let files = sites.iter().enumerate();
    files
        .flat_map(|(file, sites)| {
            sites
                .iter()
                .flat_map(move |site| -> Vec<_> { of_site(file, site) })
        })
        .collect()
}

/// [`relate`] for reports; `name` gives a path as reports print it. What is suppressed is taken away; `whole` says whether
/// these are all files there are. (The files that say what is built are settled by [`super::wire::wire`].)
pub fn relate_reports(reports: &mut [FileReport], whole: bool, name: impl Fn(&Path) -> String) {
    let (mut files, mut paths) = (Vec::new(), Vec::new());
    for FileReport {
        path,
        source,
        settings,
        checked,
        ..
    } in &mut *reports
    {
        files.push(Compared {
            checked,
            settings,
            source,
        });
        paths.push(path.as_path());
    }
    relate(&mut files, |index| name(paths[index]));
    for report in reports.iter_mut().filter(|report| report.wires.is_none()) {
        settle::settle(&mut report.checked, &report.settings, whole);
    }
}
