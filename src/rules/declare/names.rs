//! Uses of a name outside of cache ids, where another value may change the image.

use bstr::ByteSlice as _;
use memchr::memmem::Finder;

use crate::budget;
use crate::dockerfile::{DeclaredBy, Dockerfile, Instruction, Keyword, Mount, MountKind};
use crate::rules::context::Context;
use crate::rules::plan::Uses;

/// Returns the uses of `name` in the file of `cx` outside of cache ids.
pub(super) fn used_elsewhere(cx: &Context<'_>, name: &str) -> Uses {
    let file = cx.file;
    let mut used = Uses {
        stages: vec![None; file.stages.len()],
        bases: false,
        printing: vec![None; file.stages.len()],
        is_printed: false,
    };
    for index in (0..file.instructions.len()).filter(|index| cx.lists_variables(*index)) {
        if let Some(stage) = file.stage_of(index) {
            used.printing[stage] = Some(index);
        }
        let seen = file.visible(name, index);
        used.is_printed |= seen.is_some_and(|seen| seen.by == DeclaredBy::Arg);
    }
    hand_down(file, &mut used.printing);
    let finder = Finder::new(name);
    let holds = |i: &Instruction<'_>| texts(file, i).any(|text| finder.find(text).is_some());
    if !file.instructions.iter().any(holds) {
        // Most files that still need fixes end here.
        return used;
    }
    let mut names = vec![finder];
    for (index, instruction) in file.instructions.iter().enumerate() {
        if instruction.keyword == Keyword::Arg {
            made_of(file, instruction, &mut names);
            continue;
        }
        let is_use =
            |name: &Finder<'_>| budget::spend(1) && uses_outside_ids(file, instruction, name);
        if instruction.keyword == Keyword::From {
            used.bases = used.bases || names.iter().any(is_use);
        } else if let Some(stage) = file.stage_of(index)
            && names.iter().any(is_use)
        {
            // A template's line may declare it.
            let is_opaque = instruction.keyword == Keyword::Opaque;
            let last = if is_opaque {
                file.instructions.len()
            } else {
                index
            };
            used.stages[stage] = used.stages[stage].max(Some(last));
        }
    }
    hand_down(file, &mut used.stages);
    used
}

/// Adds the uses of stages to those that they are built from.
fn hand_down(file: &Dockerfile<'_>, stages: &mut [Option<usize>]) {
    for stage in (0..stages.len()).rev() {
        let base = file.stages[stage].parent();
        if let Some(base) = base.filter(|_| stages[stage].is_some()) {
            stages[base] = Some(file.instructions.len());
        }
    }
}

/// Adds the names whose value the ARG `instruction` makes of any of `names`.
fn made_of<'f>(
    file: &Dockerfile<'_>,
    instruction: &'f Instruction<'_>,
    names: &mut Vec<Finder<'f>>,
) {
    for word in instruction.words(file) {
        let Some((made, value)) = word.split_once_str("=") else {
            continue;
        };
        if budget::spend(names.len())
            && names.iter().all(|name| name.needle() != made)
            && names.iter().any(|name| count_word(value, name) > 0)
        {
            names.push(Finder::new(made));
        }
    }
}

fn uses_outside_ids(
    file: &Dockerfile<'_>,
    instruction: &Instruction<'_>,
    name: &Finder<'_>,
) -> bool {
    let count = |text: &[u8]| count_word(text, name);
    let in_id = |mount: &Mount<'_>| {
        let id = mount.field("id");
        id.map_or(0, |field| {
            count(&mount.text.bytes()[field.start..field.end])
        })
    };
    // The id of a secret selects the secret.
    let is_cache = |mount: &&Mount<'_>| matches!(mount.kind, MountKind::Cache | MountKind::Unknown);
    let allowed: usize = instruction.mounts.iter().filter(is_cache).map(in_id).sum();
    let raw = count(instruction.text.bytes());
    // A partly quoted name is whole in its flag; text between flags, for example a template's tag, is in none.
    let flags = instruction
        .flags
        .iter()
        .map(|flag| count(flag.text.bytes()));
    let unquoted = flags.sum::<usize>() + count(instruction.arguments());
    raw.max(unquoted) > allowed || bodies(file, instruction).any(|body| count(body) > 0)
}

/// Returns whether `instruction` refers to `name` anywhere.
pub fn mentions(file: &Dockerfile<'_>, instruction: &Instruction<'_>, name: &Finder<'_>) -> bool {
    texts(file, instruction).any(|text| count_word(text, name) > 0)
}

/// Returns the texts of `instruction` that can refer to a name: all of it, lines joined; its unquoted flags; its
/// heredocs.
fn texts<'t>(
    file: &'t Dockerfile<'_>,
    instruction: &'t Instruction<'_>,
) -> impl Iterator<Item = &'t [u8]> {
    let flags = instruction.flags.iter().map(|flag| flag.text.bytes());
    std::iter::once(instruction.text.bytes())
        .chain(flags)
        .chain(bodies(file, instruction))
}

fn bodies<'t>(
    file: &'t Dockerfile<'_>,
    instruction: &'t Instruction<'_>,
) -> impl Iterator<Item = &'t [u8]> {
    let heredocs = instruction.heredocs.iter();
    heredocs.map(|heredoc| heredoc.body.of(file.source))
}

/// Returns the number of times that the name of `name` is a word of `text`.
pub fn count_word(text: &[u8], name: &Finder<'_>) -> usize {
    budget::spend(1 + text.len() / 16);
    let part = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let alone = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        !part(before) && !part(text.get(at + name.needle().len()))
    };
    name.find_iter(text).filter(alone).count()
}
