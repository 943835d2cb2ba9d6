//! Fixes a file in rounds, until nothing is left to fix.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hasher as _};

use crate::budget;
use crate::finding::Finding;
use crate::fix::{Applicability, Fix};
use crate::rules::Settings;
use crate::text::LineIndex;

use super::alone::check_alone;
use super::along::check_along;
use super::apply::apply_proved;
use super::check::check;
use super::model::{Checked, Dropped, Fixed, Made, Shared};
use super::prove;
use super::turn::Turn;

/// The reason of a fix that another one reverts, again and again.
pub const REVERTED: &str = "another fix takes it back";

/// Fixes one file up to `level`; `shared` is what other files of its run have to do with it.
///
/// Fixes that overlap wait for a further round. Every round's result is read again and proved; a fix after which the
/// file does not read as intended is dropped with the reason.
pub fn fix(source: &[u8], settings: &Settings, level: Applicability, shared: &Shared) -> Fixed {
    let mut fixed = Fixed::nothing(source, Checked::default());
    let mut found = shared.found.as_slice();
    let first = LineIndex::new(source);
    // Turns with no fix left to make.
    let mut exhausted: Vec<Turn> = Vec::new();
    // The hashes of earlier states with their counts: a fix may revert another one, but not in every round.
    let mut seen = HashMap::from([(hash(source), 1)]);
    while budget::spend(1) {
        let mut checked = check_alone(&fixed.bytes, settings);
        let along = plan(&mut checked, &fixed, settings, shared);
        let all = checked.findings.iter().chain(&along).chain(found);
        let Some((turn, findings)) = next_turn(all, level, shared.only, &exhausted) else {
            break;
        };
        let fixes: Vec<&Fix> = findings.iter().map(|(_, fix)| *fix).collect();
        let round = apply_proved(&fixed.bytes, &fixes, |new, made| {
            let is_along = |one: &&Finding| along.iter().any(|along| std::ptr::eq(along, *one));
            let cured = made.iter().map(|index| findings[*index].0);
            let cured: Vec<&Finding> = cured.filter(|one| !is_along(one)).collect();
            prove::holds(&fixed.bytes, new, &cured, settings)
        });
        let line = |index: usize| first.line(fixed.origin(findings[index].0.span.start));
        let mut is_new = || {
            let times = seen.entry(hash(&round.bytes)).or_insert(0);
            *times += 1;
            *times <= 2
        };
        let refused = if round.made.is_empty() {
            round.refused
        } else if is_new() {
            let made = round.made.iter().map(|&index| Made {
                rule: findings[index].0.rule,
                line: line(index),
                title: fixes[index].title().into(),
            });
            fixed.made.extend(made.collect::<Vec<_>>());
            fixed.origins = round.origins.compose(&fixed.origins);
            fixed.bytes = round.bytes;
            // Their places are those of the original file.
            found = &[];
            continue;
        } else {
            let reason = || REVERTED.to_owned();
            round.made.iter().map(|&index| (index, reason())).collect()
        };
        let dropped = refused.into_iter().map(|(index, reason)| Dropped {
            rule: findings[index].0.rule,
            line: line(index),
            reason,
        });
        fixed.dropped.extend(dropped.collect::<Vec<_>>());
        exhausted.push(turn);
    }
    fixed.left = check(&fixed.bytes, settings);
    fixed
}

/// Makes the fixes of the file agree with those of others; returns the fixes of mounts that go along with them.
fn plan(
    checked: &mut Checked,
    fixed: &Fixed,
    settings: &Settings,
    shared: &Shared,
) -> Vec<Finding> {
    let mut along = Vec::new();
    if !shared.along.is_empty() {
        let mut planned = check_along(&fixed.bytes, settings, &shared.along);
        planned.replace(&mut checked.findings);
        along = planned.along;
    }
    for finding in &mut checked.findings {
        shared.take_back(finding, fixed.origin(finding.span.start));
    }
    along
}

/// Returns a number for a state of a file, by which it is known again.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// Returns the findings to fix in the next round, each with its fix. Fixes that make others needless go first, and safe
/// ones before unsafe ones, so that the order of the rules does not matter.
fn next_turn<'f>(
    findings: impl Iterator<Item = &'f Finding>,
    level: Applicability,
    only: Option<Turn>,
    exhausted: &[Turn],
) -> Option<(Turn, Vec<(&'f Finding, &'f Fix)>)> {
    let mut turns: BTreeMap<Turn, Vec<(&Finding, &Fix)>> = BTreeMap::new();
    for finding in findings {
        let turn = Turn::of(finding).filter(|turn| only.is_none_or(|only| *turn == only));
        let fix = finding.fix.as_ref();
        let Some((turn, fix)) = turn.zip(fix.filter(|fix| fix.applicability() <= level)) else {
            continue;
        };
        turns.entry(turn).or_default().push((finding, fix));
    }
    turns.retain(|turn, _| !exhausted.contains(turn));
    let (turn, mut chosen) = turns.pop_first()?;
    chosen.sort_by_key(|(finding, _)| (finding.span, finding.rule));
    Some((turn, chosen))
}
