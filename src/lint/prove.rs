//! The proof that a fixed file reads as intended, before it may be written.
//!
//! Edits are text; what counts is what BuildKit reads afterwards. So the new bytes are read again, and compared with the
//! old reading, instruction by instruction: outside of ids and ARG lines nothing may have changed, every new id must
//! read as the old one and the lane, and what the fixes claim to cure must be gone.

use std::collections::HashMap;

use bstr::ByteSlice as _;

use crate::dockerfile::expression::{self, Reach};
use crate::dockerfile::{Dockerfile, Instruction, Keyword, Mount, directives};
use crate::finding::{Finding, RuleId};
use crate::fix::Applicability;
use crate::rules::Settings;

use super::check::check_alone;

/// Checks that `new`, made from `old` by the fixes of `findings`, reads as they intend.
///
/// # Errors
/// What is not as it should be, for people.
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

/// Returns whether both files have the same instructions in the same order, ids and ARG lines aside.
pub(super) fn same_reading(
    before: &Dockerfile<'_>,
    after: &Dockerfile<'_>,
    settings: &Settings,
    safe: bool,
) -> Result<(), String> {
    if !expressions_stay(before.source, after.source) {
        return Err("a template's expression would be changed".into());
    }
    let others = |file: &Dockerfile<'_>| {
        let kept = |(_, i): &(usize, &Instruction<'_>)| i.keyword != Keyword::Arg;
        file.instructions
            .iter()
            .enumerate()
            .filter(kept)
            .map(|(index, _)| index)
            .collect::<Vec<_>>()
    };
    let (old, new) = (others(before), others(after));
    if old.len() != new.len() {
        return Err("the file would have other instructions than before".into());
    }
    for (&old, &new) in old.iter().zip(&new) {
        let (old, new) = (&before.instructions[old], &after.instructions[new]);
        let same = old.keyword == new.keyword
            && old.onbuild == new.onbuild
            && old.arguments() == new.arguments()
            && old.flags.len() == new.flags.len()
            && old.heredocs.len() == new.heredocs.len()
            && old
                .heredocs
                .iter()
                .zip(&new.heredocs)
                .all(|(a, b)| a.body.of(before.source) == b.body.of(after.source));
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

/// Returns whether every expression of a template that stands in `old` stands in `new`, as often at least. This goes by
/// the bytes alone, however the files are read. Lines with a suppression may go.
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
    if old.is_empty() {
        return true;
    }
    let new = count(new);
    old.iter()
        .all(|(expression, count)| new.get(expression).is_some_and(|now| now >= count))
}

fn same_flags(old: &Instruction<'_>, new: &Instruction<'_>) -> bool {
    let is_mount = |i: &Instruction<'_>, name: &[u8]| i.keyword == Keyword::Run && name == b"mount";
    old.flags.iter().zip(&new.flags).all(|(a, b)| {
        a.name() == b.name() && (is_mount(old, a.name()) || a.text.bytes() == b.text.bytes())
    })
}

/// Returns whether `new` is `old` with nothing changed but, perhaps, the lane behind its id. An unsafe fix may change
/// the sharing mode and the id too, and nothing else.
fn same_mount(old: &Mount<'_>, new: &Mount<'_>, settings: &Settings, safe: bool) -> bool {
    if old.torn && old.text.bytes() != new.text.bytes() {
        return false;
    }
    let free = |option: &str| option == "id" || (!safe && option == "sharing");
    let options = [
        "type",
        "target",
        "sharing",
        "source",
        "from",
        "readonly",
        "readwrite",
        "size",
        "mode",
        "uid",
        "gid",
    ];
    if options
        .iter()
        .any(|option| !free(option) && old.value(option) != new.value(option))
    {
        return false;
    }
    if old.faults.len() != new.faults.len() {
        return false;
    }
    let (was, is) = (old.effective_id(), new.effective_id());
    let lane = settings.suffix(&settings.arg);
    was == is
        || !safe
        || (is.strip_suffix(lane.as_bytes()) == Some(&*was) && is_appended(old, new, settings))
}

/// Returns whether the parts of the new id are those of the old one and the lane.
fn is_appended(old: &Mount<'_>, new: &Mount<'_>, settings: &Settings) -> bool {
    let (Some(old), Some(new)) = (old.id_word(), new.id_word()) else {
        return false;
    };
    new == settings.with_suffix(old, &settings.arg)
}

/// Returns whether every name that the old file declares by ARG is still declared as often, perhaps with a default that
/// it lacked.
fn same_args(
    before: &Dockerfile<'_>,
    after: &Dockerfile<'_>,
    settings: &Settings,
) -> Result<(), String> {
    let args = |file: &Dockerfile<'_>| {
        let mut words: HashMap<(bool, Vec<u8>), usize> = HashMap::new();
        for arg in file
            .instructions
            .iter()
            .filter(|i| i.keyword == Keyword::Arg)
        {
            for word in arg.words(file) {
                *words.entry((arg.onbuild, word.to_vec())).or_default() += 1;
                // A default that is added to the lane argument is what `missing-default` is for: its name still stands.
                if word
                    .strip_prefix(settings.arg.as_bytes())
                    .is_some_and(|rest| rest.starts_with(b"="))
                {
                    *words
                        .entry((arg.onbuild, settings.arg.clone().into_bytes()))
                        .or_default() += 1;
                }
            }
        }
        words
    };
    let now = args(after);
    let lost = args(before)
        .into_iter()
        .any(|(word, count)| now.get(&word).copied().unwrap_or(0) < count);
    if lost {
        Err("an ARG would be lost".into())
    } else {
        Ok(())
    }
}

/// Returns whether as many findings as were fixed are gone, rule by rule.
fn cured(old: &[u8], new: &[u8], findings: &[&Finding], settings: &Settings) -> Result<(), String> {
    let count = |source: &[u8]| {
        let mut counts: HashMap<RuleId, usize> = HashMap::new();
        for finding in check_alone(source, settings).findings {
            *counts.entry(finding.rule).or_default() += 1;
        }
        counts
    };
    let (was, is) = (count(old), count(new));
    let mut claimed: HashMap<RuleId, usize> = HashMap::new();
    // What came of comparing the file with others cannot be seen here.
    let own = findings
        .iter()
        .filter(|finding| was.get(&finding.rule).is_some_and(|was| *was > 0));
    for finding in own {
        *claimed.entry(finding.rule).or_default() += 1;
    }
    if is.get(&RuleId::LockOrder) > was.get(&RuleId::LockOrder) {
        return Err(
            "RUNs would take locks in opposite orders, and wait for each other for ever".into(),
        );
    }
    for (rule, claimed) in claimed {
        let (was, is) = (
            was.get(&rule).copied().unwrap_or(0),
            is.get(&rule).copied().unwrap_or(0),
        );
        if is + claimed > was {
            return Err(format!("the file would still have what `{rule}` found"));
        }
    }
    Ok(())
}
