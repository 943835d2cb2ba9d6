//! The findings of a file as people read them: those that say the same are one block.

use std::collections::HashMap;

use crate::finding::{Finding, Place, RuleId};
use crate::fix::Applicability;
use crate::lint::FileReport;

use super::model::path;

/// A finding, and those that are shown with it.
pub(super) struct Block<'a> {
    pub(super) finding: &'a Finding,
    /// Those that say the same of other places.
    pub(super) again: Vec<&'a Finding>,
    /// The first findings of other locks that the same RUNs take, of which the same is said.
    pub(super) others: Vec<&'a Finding>,
}

/// The RUNs of all files, by their paths and the first bytes of the ids that they mount.
pub(super) struct Runs(HashMap<String, HashMap<usize, usize>>);

impl Runs {
    pub(super) fn new(reports: &[FileReport]) -> Self {
        let some = reports
            .iter()
            .filter(|report| !report.checked.mounts.is_empty());
        let of_file = |report: &FileReport| {
            let mounts = report.checked.mounts.iter();
            let runs = mounts.map(|mount| (mount.span.start, mount.instruction));
            (path(&report.path), runs.collect())
        };
        Self(some.map(of_file).collect())
    }

    fn at(&self, path: &str, start: usize) -> Option<usize> {
        self.0.get(path)?.get(&start).copied()
    }
}

/// Returns the blocks of a file. `why` says whether each finding tells why it was not fixed.
pub(super) fn blocks<'a>(report: &'a FileReport, runs: &Runs, why: bool) -> Vec<Block<'a>> {
    let own = path(&report.path);
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut known: HashMap<_, usize> = HashMap::new();
    for block in groups(report, why) {
        let finding = block.finding;
        let key = finding.lock.as_ref().and_then(|lock| {
            let all = std::iter::once(&finding).chain(&block.again);
            let taking = all.map(|finding| runs.at(&own, finding.span.start));
            let taking: Vec<usize> = taking.collect::<Option<_>>()?;
            // The id is what the RUN tells apart.
            let id = String::from_utf8_lossy(&lock.id).into_owned();
            let said = |text: &str| without_lines(text).replace(&id, "\0");
            let others = finding.related.iter().map(|other| {
                let (path, start) = match &other.place {
                    Place::Here(span) => (&own, span.start),
                    Place::There { path, range } => (path, range.start.offset),
                };
                let run = runs.at(path, start).ok_or(start);
                (path.clone(), run, said(&other.message))
            });
            let others: Vec<_> = others.collect();
            let help = finding.help.as_deref().map(said);
            let why = reason(finding, why).as_deref().map(said);
            let what = (finding.rule, finding.severity, said(&finding.message));
            Some((what, help, why, taking, others))
        });
        if let Some(block) = key.as_ref().and_then(|key| known.get(key)) {
            blocks[*block].others.push(finding);
        } else {
            known.extend(key.map(|key| (key, blocks.len())));
            blocks.push(block);
        }
    }
    blocks
}

/// Returns the findings of a file, in the order of the first of each block: those that say the same of one text, but for lines.
fn groups(report: &FileReport, why: bool) -> Vec<Block<'_>> {
    let mut groups: Vec<Block<'_>> = Vec::new();
    let mut known: HashMap<_, usize> = HashMap::new();
    for finding in &report.checked.findings {
        // Of a cache without a lock, the first finding alone names who else uses it.
        let is_guard = matches!(finding.rule, RuleId::UnlockedApt | RuleId::UnlockedCache);
        let lock = finding.lock.as_ref().filter(|_| !is_guard);
        let text = finding.span.of(&report.source);
        let said = |text: &Option<String>| text.as_deref().map(without_lines);
        let key = (
            (finding.rule, finding.severity, lock.ok_or(text)),
            (
                &finding.message,
                said(&finding.help),
                said(&reason(finding, why)),
            ),
        );
        let group = known.get(&key).map(|at: &usize| &mut groups[*at]);
        let says_more = |group: &&mut Block<'_>| {
            let named = &group.finding.related;
            lock.is_none() && finding.related.iter().any(|other| !named.contains(other))
        };
        if let Some(group) = group.filter(|group| !says_more(group)) {
            group.again.push(finding);
        } else {
            known.insert(key, groups.len());
            groups.push(Block {
                finding,
                again: Vec::new(),
                others: Vec::new(),
            });
        }
    }
    groups
}

/// Returns why a finding has no fix, or why it was not fixed.
fn reason(finding: &Finding, why: bool) -> Option<String> {
    if why {
        Some(why_not_fixed(finding))
    } else {
        finding.unfixed.clone()
    }
}

/// Returns `text` without the numbers of lines.
fn without_lines(text: &str) -> String {
    let mut parts = text.split("line ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.extend([
            "line ",
            part.trim_start_matches(|ch: char| ch.is_ascii_digit()),
        ]);
    }
    out
}

/// Returns why `fix` left a finding.
pub(super) fn why_not_fixed(finding: &Finding) -> String {
    match (&finding.fix, &finding.unfixed) {
        (Some(fix), _) if fix.applicability() == Applicability::Unsafe => {
            format!(
                "it needs your judgement; `cachelane fix --unsafe` would {}",
                fix.title()
            )
        }
        (Some(_), _) => "the file would not read as intended afterwards".into(),
        (None, Some(reason)) => reason.clone(),
        (None, None) => "this one takes a person".into(),
    }
}
