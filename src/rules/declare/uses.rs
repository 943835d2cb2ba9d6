//! Where a name is used outside of cache ids: there, another value may change what the image contains.

use bstr::ByteSlice as _;
use memchr::memmem::Finder;

use crate::budget;
use crate::dockerfile::{Dockerfile, Instruction, Keyword, Mount, MountKind};

use super::hand_down;

/// Where a name is used outside of cache ids; so is one that an ARG makes of it.
#[derive(Debug)]
pub(super) struct Uses {
    /// For each stage, whether it is used in it, or in one built from it.
    pub(super) stages: Vec<bool>,
    /// Whether a FROM line uses it, which sees what is global.
    pub(super) bases: bool,
}

impl Uses {
    /// Whether it is used at all.
    pub(super) fn any(&self) -> bool {
        self.bases || self.stages.contains(&true)
    }
}

/// Where `file` uses `name` outside of cache ids.
pub(super) fn used_elsewhere(file: &Dockerfile<'_>, name: &str) -> Uses {
    let mut used = Uses {
        stages: vec![false; file.stages.len()],
        bases: false,
    };
    let finder = Finder::new(name);
    if !file
        .instructions
        .iter()
        .any(|instruction| texts(file, instruction).any(|text| finder.find(text).is_some()))
    {
        // So it is in most files that are still to be fixed.
        return used;
    }
    let mut names = vec![finder];
    for (index, instruction) in file.instructions.iter().enumerate() {
        if instruction.keyword == Keyword::Arg {
            made_of(file, instruction, &mut names);
            continue;
        }
        let is_used = || {
            names
                .iter()
                .any(|name| budget::spend(1) && uses_outside_ids(file, instruction, name))
        };
        if instruction.keyword == Keyword::From {
            used.bases = used.bases || is_used();
        } else if let Some(stage) = file.stage_of(index).filter(|stage| !used.stages[*stage]) {
            used.stages[stage] = is_used();
        }
    }
    hand_down(file, &mut used.stages);
    used
}

/// Adds the names that the ARG `instruction` gives a value made of any of `names`.
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
    let in_ids = |mount: &Mount<'_>| {
        let id = mount
            .field("id")
            .map_or(&[][..], |field| &mount.text.bytes()[field.start..field.end]);
        count_word(id, name)
    };
    // The id of a secret says which secret.
    let caches = instruction
        .mounts
        .iter()
        .filter(|mount| matches!(mount.kind, MountKind::Cache | MountKind::Unknown));
    let allowed: usize = caches.map(in_ids).sum();
    let raw = count_word(instruction.text.bytes(), name);
    // A name that quotes part is whole in the flag; what stands between flags, a template's tag say, is in none.
    let flags = instruction
        .flags
        .iter()
        .map(|flag| count_word(flag.text.bytes(), name));
    let unquoted = flags.sum::<usize>() + count_word(instruction.arguments(), name);
    let in_bodies = || {
        instruction
            .heredocs
            .iter()
            .any(|heredoc| count_word(heredoc.body.of(file.source), name) > 0)
    };
    raw.max(unquoted) > allowed || in_bodies()
}

/// Whether `instruction` refers to `name`, in ids of caches or elsewhere.
pub(in super::super) fn mentions(
    file: &Dockerfile<'_>,
    instruction: &Instruction<'_>,
    name: &Finder<'_>,
) -> bool {
    texts(file, instruction).any(|text| count_word(text, name) > 0)
}

/// The texts in which `instruction` can refer to a name: all of it, lines joined; its flags, quotes gone; its heredocs.
fn texts<'t>(
    file: &'t Dockerfile<'_>,
    instruction: &'t Instruction<'_>,
) -> impl Iterator<Item = &'t [u8]> {
    let flags = instruction.flags.iter().map(|flag| flag.text.bytes());
    let bodies = instruction
        .heredocs
        .iter()
        .map(|heredoc| heredoc.body.of(file.source));
    std::iter::once(instruction.text.bytes())
        .chain(flags)
        .chain(bodies)
}

/// How often the name that `name` finds stands in `text` as a word of its own.
pub(in super::super) fn count_word(text: &[u8], name: &Finder<'_>) -> usize {
    budget::spend(1 + text.len() / 16);
    let part = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let alone = |at: &usize| {
        !part(at.checked_sub(1).and_then(|before| text.get(before)))
            && !part(text.get(at + name.needle().len()))
    };
    name.find_iter(text).filter(alone).count()
}
