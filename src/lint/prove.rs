//! Proves that a fixed file reads as intended, before it may be written.
//!
//! The new bytes are read again as BuildKit reads them, and compared with the old reading by instruction: only ids and
//! ARG lines may change, every new id must read as the old one and the lane, and the fixed findings must be gone.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use bstr::ByteSlice as _;

use crate::dockerfile::expression::{self, Reach};
use crate::dockerfile::{Dockerfile, Flag, Instruction, Keyword, MOUNT_OPTIONS, Mount, directives};
use crate::finding::{Finding, RuleId};
use crate::fix::Applicability;
use crate::rules::Settings;
use crate::rules::slot::or_target;

use super::alone::find_alone;

/// Checks that `new`, made from `old` by the fixes of `findings`, reads as intended; fails with the difference.
pub(super) fn holds(
    old: &[u8],
    new: &[u8],
    findings: &[&Finding],
    settings: &Settings,
) -> Result<(), String> {
    let before = Dockerfile::read(old).map_err(|error| error.to_string())?;
    let after = Dockerfile::read(new)
        .map_err(|error| format!("the file could not be read any more: {error}"))?;
    let safe = findings.iter().all(|f| {
        f.fix
            .as_ref()
            .is_none_or(|fix| fix.applicability() == Applicability::Safe)
    });
    same_reading(&before, &after, settings, safe)?;
    cured(old, new, findings, settings)
}

/// Fails where the files' instructions differ, ids and ARG lines aside.
pub(super) fn same_reading(
    before: &Dockerfile<'_>,
    after: &Dockerfile<'_>,
    settings: &Settings,
    safe: bool,
) -> Result<(), String> {
    if !expressions_stay(before.source, after.source) {
        return Err("a template's expression would be changed".into());
    }
    let (old, new) = (others(before), others(after));
    if old.len() != new.len() {
        return Err("the file would have other instructions than before".into());
    }
    for (old, new) in old.into_iter().zip(new) {
        let bodies = |file: &Dockerfile<'_>, i: &Instruction<'_>| -> Vec<Vec<u8>> {
            let docs = i.heredocs.iter();
            docs.map(|doc| doc.body.of(file.source).to_vec()).collect()
        };
        let same = old.keyword == new.keyword
            && old.onbuild == new.onbuild
            && old.arguments() == new.arguments()
            && bodies(before, old) == bodies(after, new);
        if !same || !same_flags(old, new) {
            return Err(format!(
                "the instruction on line {} would read otherwise than before",
                old.lines.0
            ));
        }
        for (old_mount, new_mount) in old.mounts.iter().zip(&new.mounts) {
            if !same_mount(old_mount, new_mount, settings, safe) {
                return Err(format!(
                    "a mount on line {} would read otherwise than intended",
                    old.lines.0
                ));
            }
        }
    }
    if safe && directives::differ(before.source, after.source) {
        return Err("a parser directive would change".into());
    }
    same_args(before, after, settings)
}

/// Returns the instructions except ARGs.
fn others<'f>(file: &'f Dockerfile<'_>) -> Vec<&'f Instruction<'f>> {
    let all = file.instructions.iter();
    all.filter(|i| i.keyword != Keyword::Arg).collect()
}

/// Returns whether every template expression of `old` is in `new` at least as often, by the bytes alone. Lines with a
/// suppression may go.
fn expressions_stay(old: &[u8], new: &[u8]) -> bool {
    let count = |source: &[u8]| {
        let mut counts: HashMap<Vec<u8>, usize> = HashMap::new();
        for line in source
            .lines()
            .filter(|line| !line.contains_str("cachelane:"))
        {
            for (start, reach) in expression::all(line) {
                if let Reach::Closed(end) = reach {
                    *counts.entry(line[start..end].to_vec()).or_default() += 1;
                }
            }
        }
        counts
    };
    let old = count(old);
    old.is_empty() || has_all(&count(new), &old)
}

fn same_flags(old: &Instruction<'_>, new: &Instruction<'_>) -> bool {
    let same = |(a, b): (&Flag<'_>, &Flag<'_>)| {
        let is_mount = old.keyword == Keyword::Run && a.name() == b"mount";
        a.name() == b.name() && (is_mount || a.text.bytes() == b.text.bytes())
    };
    old.flags.len() == new.flags.len() && old.flags.iter().zip(&new.flags).all(same)
}

/// Returns whether `new` is `old` with at most the lane added to its id; an unsafe fix may also change the sharing mode
/// and the id.
fn same_mount(old: &Mount<'_>, new: &Mount<'_>, settings: &Settings, safe: bool) -> bool {
    if old.torn && old.text.bytes() != new.text.bytes() {
        return false;
    }
    let is_free = |option: &str| option == "id" || (!safe && option == "sharing");
    let mut bound = MOUNT_OPTIONS.iter().filter(|(option, _)| !is_free(option));
    if bound.any(|(option, _)| old.value(option) != new.value(option)) {
        return false;
    }
    if old.faults.len() != new.faults.len() {
        return false;
    }
    let (was, is) = (old.effective_id(), new.effective_id());
    let lane = settings.suffix(&settings.arg);
    let before = is.strip_suffix(lane.as_bytes());
    let or_target = || or_target(old).is_some_and(|id| before == Some(id.as_bytes()));
    was == is || !safe || (before == Some(&*was) && is_appended(old, new, settings)) || or_target()
}

/// Returns whether the new id is the old one and the lane.
fn is_appended(old: &Mount<'_>, new: &Mount<'_>, settings: &Settings) -> bool {
    let (Some(old), Some(new)) = (old.id_word(), new.id_word()) else {
        return false;
    };
    new == settings.with_suffix(old, &settings.arg)
}

/// Fails where the new file declares a name by ARG less often than the old one, an added default aside.
fn same_args(
    before: &Dockerfile<'_>,
    after: &Dockerfile<'_>,
    settings: &Settings,
) -> Result<(), String> {
    let lane = settings.arg.as_bytes();
    let args = |file: &Dockerfile<'_>| {
        let mut words: HashMap<(bool, Vec<u8>), usize> = HashMap::new();
        let all = file.instructions.iter();
        for arg in all.filter(|i| i.keyword == Keyword::Arg) {
            for word in arg.words(file) {
                *words.entry((arg.onbuild, word.to_vec())).or_default() += 1;
                // `missing-default` adds a default to the lane argument; its name remains.
                let rest = word.strip_prefix(lane);
                if rest.is_some_and(|rest| rest.starts_with(b"=")) {
                    *words.entry((arg.onbuild, lane.to_vec())).or_default() += 1;
                }
            }
        }
        words
    };
    if has_all(&args(after), &args(before)) {
        Ok(())
    } else {
        Err("an ARG would be lost".into())
    }
}

/// Returns whether `now` has each of `before` at least as often.
fn has_all<K: Eq + Hash>(now: &HashMap<K, usize>, before: &HashMap<K, usize>) -> bool {
    let mut all = before.iter();
    all.all(|(one, count)| now.get(one).is_some_and(|now| now >= count))
}

/// Fails where fewer findings are gone than were fixed, by rule.
fn cured(old: &[u8], new: &[u8], findings: &[&Finding], settings: &Settings) -> Result<(), String> {
    let count = |source: &[u8]| {
        let mut counts: BTreeMap<RuleId, usize> = BTreeMap::new();
        for finding in find_alone(source, settings).findings {
            *counts.entry(finding.rule).or_default() += 1;
        }
        counts
    };
    let (was, is) = (count(old), count(new));
    if is.get(&RuleId::LockOrder) > was.get(&RuleId::LockOrder) {
        return Err(
            "RUNs would take locks in opposite orders, and wait for each other for ever".into(),
        );
    }
    // Findings from comparing files cannot be checked here.
    for (rule, was) in was {
        let claimed = findings.iter().filter(|finding| finding.rule == rule);
        let (claimed, is) = (claimed.count(), is.get(&rule).copied().unwrap_or(0));
        if claimed > 0 && is + claimed > was {
            return Err(format!("the file would still have what `{rule}` found"));
        }
    }
    Ok(())
}
