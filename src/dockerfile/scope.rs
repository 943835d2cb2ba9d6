//! ARG and ENV: which names a cache id can refer to at which instruction.
//!
//! Measured on BuildKit 0.13: an expansion sees the ARGs and ENVs above it in its own stage, and those of the stage that
//! this one is built `FROM`. A global ARG (before the first FROM) is not seen until the stage declares the name itself;
//! then the global default applies. An ONBUILD trigger runs in another build and sees the image's ENV, and the triggers
//! before it.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::chain::Chain;
use super::expression::{self, Reach};
use super::lineage::{Lineage, Tree};
use super::lines::{is_blank, trim_end};
use super::stages::Base;
use super::words::Word;
use super::{Dockerfile, Instruction, Keyword, Place};

/// How many variables are looked up for one value, and how deep they may nest: `ARG A=${B}${B}` and so on would double
/// the work with every line.
const MAX_LOOKUPS: usize = 1000;
const MAX_DEPTH: usize = 20;
/// How many declarations of one name are looked through for the one that gives it a value.
const MAX_DECLARATIONS: usize = 50;
/// How many declarations of one name in its stage are looked through for the ENV that a trigger sees.
const MAX_OF_TRIGGER: usize = 1000;
/// From how many stages on a chain of them is not gone along stage by stage.
const MANY_STAGES: usize = 64;

/// Which instruction declares a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclaredBy {
    /// `ARG`: a build argument.
    Arg,
    /// `ENV`: part of the image.
    Env,
}

/// One name that an ARG or ENV instruction declares.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// ARG or ENV.
    pub by: DeclaredBy,
    /// The instruction, by its index.
    pub instruction: usize,
    /// The stage, by its index; `None` for a global ARG.
    pub stage: Option<usize>,
    /// The value as written, quotes and all; `None` for a bare `ARG NAME`.
    pub value: Option<Vec<u8>>,
    /// Where the name ends in the instruction's text: where `=value` belongs.
    pub name_end: usize,
    /// Whether the instruction declares this name alone.
    pub alone: bool,
    /// Whether it is a trigger.
    pub onbuild: bool,
    /// Where it stands among a template's blocks.
    pub place: Place,
}

/// The declarations of a file by name, each in the file's order.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    names: HashMap<String, Name>,
    /// How the stages are built from each other, for a file with many.
    tree: OnceCell<Tree>,
}

/// What is known of one name.
#[derive(Clone, Debug, Default)]
struct Name {
    declarations: Vec<Declaration>,
    /// Those that serve the RUNs below them, by where they stand.
    plain: OnceCell<Chain>,
    /// The last one of each block that declares the name in every branch: together they serve what is around the block.
    complete: OnceCell<Chain>,
    /// Those that serve triggers.
    triggers: OnceCell<Chain>,
    /// The stages that declare it, for a file with many.
    lineage: OnceCell<Lineage>,
}

/// `NAME` or `NAME=value` in an ARG or ENV.
#[derive(Debug)]
pub(super) struct Assignment<'i> {
    pub(super) name: &'i str,
    pub(super) name_end: usize,
    pub(super) value: Option<&'i [u8]>,
}

impl Scope {
    pub(super) fn new(file: &Dockerfile<'_>) -> Self {
        let mut scope = Self::default();
        let mut stages = file.stages.iter().peekable();
        let mut stage = None;
        for (index, instruction) in file.instructions.iter().enumerate() {
            while let Some(next) = stages.next_if(|next| next.instructions.start <= index) {
                stage = Some(next.index);
            }
            let by = match instruction.keyword {
                Keyword::Arg => DeclaredBy::Arg,
                Keyword::Env => DeclaredBy::Env,
                _ => continue,
            };
            let words = words(file, instruction);
            let found = assignments_in(instruction, &words);
            // A word that is no name declares nothing here, but stands there.
            let alone = found.len() == 1 && words.len() == 1;
            for assignment in found {
                scope
                    .names
                    .entry(assignment.name.to_owned())
                    .or_default()
                    .declarations
                    .push(Declaration {
                        by,
                        instruction: index,
                        stage,
                        value: assignment.value.map(Into::into),
                        name_end: assignment.name_end,
                        alone,
                        onbuild: instruction.onbuild,
                        place: instruction.place,
                    });
            }
        }
        scope
    }
}

impl Dockerfile<'_> {
    /// Every declaration of `name`, in the file's order.
    #[must_use]
    pub fn declarations(&self, name: &str) -> &[Declaration] {
        self.known(name).map_or(&[], |name| &name.declarations)
    }

    fn scope(&self) -> &Scope {
        self.scope.get_or_init(|| Scope::new(self))
    }

    fn known(&self, name: &str) -> Option<&Name> {
        self.scope().names.get(name)
    }

    /// The global ARG `name`, before the first FROM. The last one counts.
    #[must_use]
    pub fn global(&self, name: &str) -> Option<&Declaration> {
        let all = self.declarations(name);
        let globals = &all[..all.partition_point(|declaration| declaration.stage.is_none())];
        globals
            .iter()
            .rev()
            .find(|declaration| !declaration.onbuild)
    }

    /// The stage of the instruction `index`; `None` before the first.
    #[must_use]
    pub fn stage_of(&self, index: usize) -> Option<usize> {
        let after = self
            .stages
            .partition_point(|stage| stage.instructions.start <= index);
        after
            .checked_sub(1)
            .filter(|stage| self.stages[*stage].instructions.contains(&index))
    }

    /// The declaration of `name` that an expansion at instruction `index` sees: the last one above it in its stage, or
    /// else in the stages that this one is built from.
    #[must_use]
    pub fn visible(&self, name: &str, index: usize) -> Option<&Declaration> {
        // Most names that are asked for stand nowhere.
        self.known(name)?;
        let stage = self.stage_of(index)?;
        let instruction = &self.instructions[index];
        if instruction.onbuild {
            return self.visible_to_trigger(name, stage, index, instruction.place);
        }
        self.visible_in(name, stage, index, instruction.place)
            .or_else(|| self.inherited(name, stage))
    }

    /// The declaration of `name` that stage `stage` takes over from the stages it is built from.
    #[must_use]
    pub fn inherited(&self, name: &str, stage: usize) -> Option<&Declaration> {
        // Where nothing declares the name, no chain has to be followed; otherwise only stages that do are looked into.
        let known = self.known(name)?;
        if self.stages.len() > MANY_STAGES {
            let tree = self.scope().tree.get_or_init(|| Tree::new(&self.stages));
            let stages = known
                .declarations
                .iter()
                .filter_map(|declaration| declaration.stage);
            let lineage = known.lineage.get_or_init(|| Lineage::new(tree, stages));
            return lineage.above(tree, stage).find_map(|(base, built)| {
                let place = self.instructions[self.stages[built].from?].place;
                self.visible_in(name, base, self.stages[base].instructions.end, place)
            });
        }
        let mut stage = stage;
        loop {
            let Base::Stage(base) = self.stages[stage].base else {
                return None;
            };
            let from = self.stages[stage].from?;
            let place = self.instructions[from].place;
            let seen = self.visible_in(name, base, self.stages[base].instructions.end, place);
            if seen.is_some() {
                return seen;
            }
            stage = base;
        }
    }

    /// The declaration that gives `name` its value at instruction `index` in a build that passes none.
    ///
    /// A bare `ARG NAME` takes the global default; where there is none, it leaves the value that was there (BuildKit's
    /// `dispatchArg` sets nothing then).
    #[must_use]
    pub fn valued(&self, name: &str, index: usize) -> Option<&Declaration> {
        let mut seen = self.visible(name, index)?;
        for _ in 0..MAX_DECLARATIONS {
            if seen.value.is_some() {
                return Some(seen);
            }
            let global = self
                .global(name)
                .filter(|global| global.value.is_some() && !seen.onbuild);
            if global.is_some() {
                return global;
            }
            seen = self.visible(name, seen.instruction)?;
        }
        None
    }

    fn visible_in(
        &self,
        name: &str,
        stage: usize,
        before: usize,
        place: Place,
    ) -> Option<&Declaration> {
        let name = self.known(name)?;
        let (blocks, all) = (&self.blocks, &name.declarations);
        let plain = name
            .plain
            .get_or_init(|| Chain::new(blocks, all, |d| (!d.onbuild).then_some(d.place)));
        plain.last(blocks, all, (stage, before), place).or_else(|| {
            let complete = name.complete.get_or_init(|| self.complete(all));
            complete.last(blocks, all, (stage, before), place)
        })
    }

    /// The last declarations of blocks each branch of which declares the name. One of the branches is always taken.
    fn complete(&self, all: &[Declaration]) -> Chain {
        let declared: HashSet<(Place, Option<usize>)> = all
            .iter()
            .filter(|d| !d.onbuild)
            .map(|d| (d.place, d.stage))
            .collect();
        Chain::new(&self.blocks, all, |d| {
            let block = self
                .blocks
                .block(d.place)
                .filter(|block| block.exhaustive && !d.onbuild)?;
            let is_last = block.branches.last() == Some(&d.place);
            let everywhere = || {
                block
                    .branches
                    .iter()
                    .all(|branch| declared.contains(&(*branch, d.stage)))
            };
            (is_last && everywhere())
                .then(|| self.blocks.parent(d.place))
                .flatten()
        })
    }

    fn visible_to_trigger(
        &self,
        name: &str,
        stage: usize,
        index: usize,
        place: Place,
    ) -> Option<&Declaration> {
        let name = self.known(name)?;
        let (blocks, all) = (&self.blocks, &name.declarations);
        let triggers = name
            .triggers
            .get_or_init(|| Chain::new(blocks, all, |d| d.onbuild.then_some(d.place)));
        let trigger = triggers.last(blocks, all, (stage, index), place);
        // The image has every ENV of its stage, wherever it stands.
        let end = all.partition_point(|d| d.instruction < self.stages[stage].instructions.end);
        let own = all[..end]
            .iter()
            .rev()
            .take_while(|d| d.stage == Some(stage))
            .take(MAX_OF_TRIGGER);
        let mut env = own.filter(|d| d.by == DeclaredBy::Env && !d.onbuild);
        let env = env.find(|d| blocks.encloses(d.place, place));
        // The later one counts.
        [trigger, env]
            .into_iter()
            .flatten()
            .max_by_key(|d| d.instruction)
    }

    /// The value that `name` has at instruction `index` when no build argument is passed; `None` where it is unset or
    /// cannot be known here.
    #[must_use]
    pub fn default_value(&self, name: &str, index: usize) -> Option<Vec<u8>> {
        let mut budget = Budget {
            lookups: MAX_LOOKUPS,
            depth: MAX_DEPTH,
        };
        self.value_of(name, Some(index), &mut budget)
    }

    /// The value of `name` at an instruction, or among the global ARGs.
    fn value_of(&self, name: &str, index: Option<usize>, budget: &mut Budget) -> Option<Vec<u8>> {
        budget.lookups = budget.lookups.checked_sub(1)?;
        budget.depth = budget.depth.checked_sub(1)?;
        let seen = index.map_or_else(|| self.global(name), |index| self.valued(name, index));
        let value = seen.and_then(|declaration| {
            let word = Word::read(declaration.value.as_ref()?, self.escape).ok()?;
            let at = declaration.stage.map(|_| declaration.instruction);
            word.expand(&mut |name| self.value_of(name, at, budget))
        });
        budget.depth += 1;
        value
    }
}

/// What is left to spend on one value.
struct Budget {
    lookups: usize,
    depth: usize,
}

/// The names that an ARG or ENV declares, words with other than name characters left out.
pub(super) fn assignments<'i>(
    file: &Dockerfile<'_>,
    instruction: &'i Instruction<'_>,
) -> Vec<Assignment<'i>> {
    assignments_in(instruction, &words(file, instruction))
}

/// [`assignments`], of the `words` of the instruction.
fn assignments_in<'i>(
    instruction: &'i Instruction<'_>,
    words: &[(usize, usize)],
) -> Vec<Assignment<'i>> {
    let text = instruction.text.bytes();
    let legacy = instruction.keyword == Keyword::Env
        && words
            .first()
            .is_some_and(|&(start, end)| !text[start..end].contains(&b'='));
    if legacy {
        // `ENV NAME the rest of the line`
        let (start, _) = words[0];
        let end = text[start..]
            .iter()
            .position(|&b| is_blank(b))
            .map_or(text.len(), |at| start + at);
        let value = text[end..]
            .iter()
            .position(|&b| !is_blank(b))
            .map_or(&[][..], |at| trim_end(&text[end + at..]));
        return name_of(&text[start..end])
            .map(|name| Assignment {
                name,
                name_end: end,
                value: Some(value),
            })
            .into_iter()
            .collect();
    }
    let read = |&(start, end): &(usize, usize)| {
        let equals = memchr::memchr(b'=', &text[start..end]).map(|at| start + at);
        let name_end = equals.unwrap_or(end);
        let name = name_of(&text[start..name_end])?;
        Some(Assignment {
            name,
            name_end,
            value: equals.map(|at| &text[at + 1..end]),
        })
    };
    words.iter().filter_map(read).collect()
}

fn name_of(bytes: &[u8]) -> Option<&str> {
    let fits = bytes
        .first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if fits {
        std::str::from_utf8(bytes).ok()
    } else {
        None
    }
}

/// The words behind the flags of `instruction`, quotes and escapes kept, as byte ranges of its text (BuildKit's
/// `parseWords`).
pub(super) fn words(file: &Dockerfile<'_>, instruction: &Instruction<'_>) -> Vec<(usize, usize)> {
    let (text, escape) = (instruction.text.bytes(), file.escape);
    let end = trim_end(text).len();
    let mut words = Vec::new();
    let mut at = instruction.args;
    while at < end {
        let blank = space(&text[at..end]);
        if blank > 0 {
            at += blank;
            continue;
        }
        let start = at;
        let mut quote = None;
        while at < end && (quote.is_some() || space(&text[at..end]) == 0) {
            // A template's expression is one piece, blanks and all.
            if file.template
                && quote.is_none()
                && let Some(Reach::Closed(behind)) = expression::at(&text[..end], at)
            {
                at = behind;
                continue;
            }
            let byte = text[at];
            if byte == escape && quote != Some(b'\'') {
                if at + 1 == end {
                    // An escape at the very end is dropped.
                    break;
                }
                at += 1;
            } else if quote == Some(byte) {
                quote = None;
            } else if quote.is_none() && matches!(byte, b'\'' | b'"') {
                quote = Some(byte);
            }
            at += 1;
        }
        let stop = at.min(end);
        if stop == start {
            break;
        }
        words.push((start, stop));
        if stop < end && text[stop] == escape {
            break;
        }
    }
    words
}

/// The length of the white space character that `text` starts with, 0 if it starts with none.
fn space(text: &[u8]) -> usize {
    match text.first() {
        Some(b'\t'..=b'\r' | b' ') => 1,
        Some(0x80..) => match bstr::decode_utf8(text) {
            (Some(ch), len) if ch.is_whitespace() => len,
            _ => 0,
        },
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(source: &str, name: &str) -> Option<String> {
        let file = Dockerfile::read(source.as_bytes()).unwrap();
        let index = file
            .instructions
            .iter()
            .rposition(|i| i.keyword == Keyword::Run)
            .unwrap();
        file.visible(name, index)?;
        Some(String::from_utf8(file.default_value(name, index).unwrap_or_default()).unwrap())
    }

    #[test]
    fn names_are_seen_where_buildkit_sees_them() {
        for (source, seen) in [
            ("FROM a\nARG X=1\nRUN x", Some("1")),
            ("FROM a\nRUN x\nARG X=1", None),
            ("ARG X=1\nFROM a\nRUN x", None),
            ("ARG X=1\nFROM a\nARG X\nRUN x", Some("1")),
            ("ARG X=1\nFROM a\nARG X=2\nRUN x", Some("2")),
            ("FROM a AS b\nARG X=1\nFROM B\nRUN x", Some("1")),
            ("FROM a AS b\nARG X=1\nFROM c\nRUN x", None),
            (
                "ARG BASE=b\nFROM a AS b\nARG X=1\nFROM ${BASE}\nRUN x",
                Some("1"),
            ),
            ("FROM a\nENV X 1 2\nRUN x", Some("1 2")),
            ("FROM a\nARG Y=y A=b\nARG X=\"1 ${Y}\"\nRUN x", Some("1 y")),
            ("RUN x", None),
            ("ARG X=1\nRUN x", Some("1")),
            ("FROM a\nENV X=1\nARG X\nRUN x", Some("1")),
            ("FROM a AS b\nARG X=1\nFROM b\nARG X\nRUN x", Some("1")),
            ("FROM a\nARG X=1\nONBUILD RUN x", None),
            ("FROM a\nENV X=1\nONBUILD RUN x", Some("1")),
            ("FROM a\nONBUILD ARG X=1\nONBUILD RUN x", Some("1")),
            ("FROM a\nONBUILD ARG X=1\nRUN x", None),
        ] {
            assert_eq!(at(source, "X").as_deref(), seen, "{source}");
        }
    }

    #[test]
    fn a_declaration_in_a_block_serves_that_block() {
        assert_eq!(at("{% if a %}\nARG X=1\n{% endif %}\nRUN x", "X"), None);
        assert_eq!(
            at("{% if a %}\nARG X=1\nRUN x\n{% endif %}", "X").as_deref(),
            Some("1")
        );
        let both = "{% if a %}\nARG X=1\n{% else %}\nARG X=2\n{% endif %}\nRUN x";
        assert_eq!(at(both, "X").as_deref(), Some("2"));
    }

    #[test]
    fn a_variable_of_itself_has_no_value() {
        assert_eq!(
            at("ARG X=${Y}\nARG Y=${X}\nFROM a\nARG X\nRUN x", "X").as_deref(),
            Some("")
        );
    }
}
