//! Compares the files of a run with one another.

use std::collections::HashSet;
use std::path::Path;

use crate::finding::{Finding, RuleId};
use crate::index::{File, Index, Site};
use crate::rules::{Settings, registry};
use crate::text::{Span, count};

use super::model::{Checked, FileReport};
use super::settle;

/// A file of a run that is compared with others.
#[derive(Debug)]
pub struct Compared<'f> {
    /// The findings in it by itself.
    pub checked: &'f mut Checked,
    /// The settings that hold for it.
    pub settings: &'f Settings,
    /// Its bytes, as far as they are still there.
    pub source: &'f [u8],
}

/// Adds to the findings of all files of a run what the files have to do with one another. `name` gives the path of a
/// file, by its index, as reports print it.
pub fn relate(files: &mut [Compared<'_>], name: impl Fn(usize) -> String) {
    // Findings change while the mounts of all files are looked at.
    let sites: Vec<Vec<Site>> = files
        .iter_mut()
        .map(|file| std::mem::take(&mut file.checked.sites))
        .collect();
    let indexed = files.iter().zip(&sites).map(|(file, sites)| File {
        sites,
        source: file.source,
    });
    let index = Index::new(indexed.collect(), &name);
    let mut found = vec![Vec::new(); files.len()];
    registry::check_run(&index, &mut found);
    for (at, (file, mut found)) in files.iter_mut().zip(found).enumerate() {
        for finding in &mut file.checked.findings {
            tell_of_lock(&index, at, finding);
        }
        found.retain(|finding| file.settings.is_on(finding.rule));
        let all = found.len();
        let exempt = exempt(&sites[at]);
        found.retain(|finding| !exempt.contains(&(finding.span, finding.rule)));
        file.checked.suppressed += all - found.len();
        file.checked.findings.append(&mut found);
    }
    drop(index);
    for (file, sites) in files.iter_mut().zip(sites) {
        file.checked.sites = sites;
    }
}

/// Says which other RUNs take the lock that `finding`, of the file `at`, is about.
fn tell_of_lock(index: &Index<'_>, at: usize, finding: &mut Finding) {
    let Some(group) = finding.lock.as_ref().and_then(|lock| index.lock(lock)) else {
        return;
    };
    let Some(other) = group
        .other_than(at, finding.span)
        .filter(|_| group.runs > 1)
    else {
        return;
    };
    let others = count(group.runs - 1, "other RUN");
    let files = if group.files > 1 {
        format!(" in {}", count(group.files, "file"))
    } else {
        String::new()
    };
    let take = if group.runs == 2 { "takes" } else { "take" };
    let note = format!("{others}{files} {take} this lock too");
    finding.help = Some(match finding.help.take() {
        Some(help) => format!("{note}\n{help}"),
        None => note,
    });
    finding.relate(index.location(at, other, "takes the same lock"));
}

/// Returns the ids of exempt caches, by place, with the rules that they are exempt from.
fn exempt(sites: &[Site]) -> HashSet<(Span, RuleId)> {
    sites
        .iter()
        .flat_map(|site| site.exempt.iter().map(|rule| (site.span, *rule)))
        .collect()
}

/// [`relate`] for reports; `name` gives a path as reports print it. What is suppressed is taken away; `whole` says whether
/// these are all files there are. (The files that say what is built are settled by [`super::matching::match_builds`].)
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
    for report in reports.iter_mut().filter(|report| report.builds.is_none()) {
        settle::settle(&mut report.checked, &report.settings, whole);
    }
}
