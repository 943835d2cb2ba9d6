//! Fixes files in rounds, until nothing is left to fix.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use crate::budget;
use crate::builds::FormatRef;
use crate::finding::Finding;
use crate::fix::{Applicability, Fix};
use crate::rules::Settings;
use crate::suppress::Table;

use super::apply::apply_proved;
use super::inline::{check_again, check_file, prove_inline, unchangeable};
use super::model::{Dropped, FileReport, Fixed};
use super::prove;
use super::relate::relate_reports;
use super::turn::Turn;

/// The reason of a fix that another one reverts, again and again.
const REVERTED: &str = "another fix takes it back";

/// The result of fixing files together, by index.
#[derive(Debug, Default)]
pub struct FixedTogether {
    /// The fixes that were made in files, and those that could not be made.
    pub fixed: BTreeMap<usize, Fixed>,
    /// The files beyond the budget of one.
    pub spent: BTreeSet<usize>,
}

/// Fixes one file by itself up to `level`, of a build file's `format` or a Dockerfile.
pub fn fix(
    format: Option<FormatRef>,
    source: &[u8],
    settings: &Settings,
    level: Applicability,
) -> Fixed {
    let settings = Arc::new(settings.clone());
    let mut reports = [check_file(Path::new(""), format, source, &settings)];
    let mut done = fix_together(&mut reports, level, |reports| {
        Some(relate_reports(reports, false, |_| String::new()))
    });
    let fixed = done.fixed.remove(&0);
    fixed.unwrap_or_else(|| Fixed::nothing(source))
}

/// Fixes files that were checked by themselves up to `level`, turn by turn, each turn in all of them: what one leaves decides
/// about the next. `compare` compares them, and returns `None` where that is too much.
///
/// Fixes that overlap wait for a further round. Every round's result is read again and proved; a fix after which a file
/// does not read as intended is dropped with the reason.
pub fn fix_together(
    reports: &mut [FileReport],
    level: Applicability,
    mut compare: impl FnMut(&mut [FileReport]) -> Option<BTreeMap<usize, Vec<Finding>>>,
) -> FixedTogether {
    let mut done = FixedTogether::default();
    let to_fix = |(_, report): &(usize, &FileReport)| !report.is_context;
    for (index, report) in reports.iter().enumerate().filter(to_fix) {
        let dropped = budget::of_file(report.source.len(), || unchangeable(report, level));
        if let Ok(dropped) = dropped
            && !dropped.is_empty()
        {
            let fixed = Fixed {
                dropped,
                ..Fixed::nothing(&report.source)
            };
            done.fixed.insert(index, fixed);
        }
    }
    // The turns that make nothing as the files are now, and those whose fixes others take back.
    let (mut idle, mut over): (Vec<Turn>, Vec<Turn>) = Default::default();
    // How often the files have been as they are: a fix may revert another one, but not in every round.
    let hashes = |reports: &[FileReport]| -> Vec<u64> {
        reports.iter().map(|report| hash(&report.source)).collect()
    };
    let mut seen = HashMap::from([(hashes(reports), 1)]);
    while budget::spend(1) {
        // Where that is too much, the second comparison says so.
        let Some(along) = compare(reports) else { break };
        let findings = reports.iter().flat_map(|report| &report.checked.findings);
        let findings = findings.chain(along.values().flatten());
        let turns = findings.filter_map(|finding| Turn::up_to(level, finding));
        let next = turns.filter(|turn| !idle.contains(turn) && !over.contains(turn));
        let Some(turn) = next.min() else { break };
        let mut rounds: BTreeMap<usize, Fixed> = BTreeMap::new();
        for (index, report) in reports.iter().enumerate().filter(to_fix) {
            let along = along.get(&index).map_or(&[][..], Vec::as_slice);
            let round = || round(report, along, turn, level);
            match budget::of_file(report.source.len(), round) {
                Ok(round) => rounds.extend(round.map(|round| (index, round))),
                Err(_) => drop(done.spent.insert(index)),
            }
        }
        let mut state = hashes(reports);
        for (index, round) in &rounds {
            state[*index] = hash(&round.bytes);
        }
        if rounds.values().all(|round| round.made.is_empty()) {
            idle.push(turn);
        } else {
            let times = seen.entry(state).or_insert(0);
            *times += 1;
            if *times > 2 {
                over.push(turn);
                for (index, round) in &mut rounds {
                    round.revert(&reports[*index].source);
                }
            } else {
                idle.clear();
            }
        }
        for (index, report) in reports.iter_mut().enumerate() {
            let round = rounds.remove(&index);
            let is_mutated =
                !report.checked.findings.is_empty() || !report.checked.ignores.is_empty();
            if let Some(round) = round {
                let nothing = || Fixed::nothing(&report.source);
                let fixed = done.fixed.entry(index).or_insert_with(nothing);
                report.source.clone_from(&round.bytes);
                fixed.append(round);
            } else if !is_mutated {
                continue;
            }
            check_again(report);
        }
    }
    done
}

/// Makes the fixes of `turn` in a file, with those of its mounts that go along; `None` without any.
fn round(
    report: &FileReport,
    along: &[Finding],
    turn: Turn,
    level: Applicability,
) -> Option<Fixed> {
    let FileReport {
        source,
        settings,
        checked,
        builds,
        ..
    } = report;
    // Those of a build file are suppressed when its builds are known.
    let table = builds.as_ref().map(|_| Table::new(&checked.ignores));
    let is_open = |finding: &&Finding| {
        let by = |table: &Table<'_>| table.suppressing(finding.rule, finding.span);
        Turn::up_to(level, finding) == Some(turn) && table.as_ref().and_then(by).is_none()
    };
    let findings = checked.findings.iter().chain(along).filter(is_open);
    let mut findings: Vec<&Finding> = findings.collect();
    findings.sort_by_key(|finding| (finding.span, finding.rule));
    let fixes: Vec<&Fix> = findings.iter().flat_map(|finding| &finding.fix).collect();
    if fixes.is_empty() {
        return None;
    }
    let mut applied = apply_proved(source, &fixes, |new, made| {
        let is_along = |one: &&Finding| along.iter().any(|along| std::ptr::eq(along, *one));
        let cured = made.iter().map(|index| findings[*index]);
        let cured: Vec<&Finding> = cured.filter(|one| !is_along(one)).collect();
        match builds {
            Some(builds) => prove_inline(builds, new, &cured, settings),
            None => prove::holds(source, new, &cured, settings),
        }
    });
    // Beside fixes that were made, one is tried again.
    if !applied.made.is_empty() {
        applied.refused.clear();
    }
    Some(Fixed::of(source, &findings, applied))
}

impl Fixed {
    /// Leaves the file `source` as it is, since other fixes take back what was made.
    fn revert(&mut self, source: &[u8]) {
        let made = std::mem::take(&mut self.made).into_iter();
        let mut dropped = std::mem::take(&mut self.dropped);
        dropped.extend(made.map(|made| Dropped {
            rule: made.rule,
            line: made.line,
            reason: REVERTED.into(),
        }));
        *self = Self {
            dropped,
            ..Self::nothing(source)
        };
    }
}

/// Returns a number for a state of a file, by which it is known again.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
