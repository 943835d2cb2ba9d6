//! ARG and ENV: which names a cache id can refer to at which instruction.
//!
//! Measured on BuildKit 0.13: an expansion sees the ARGs and ENVs above it in its own stage, and those of the stage that
//! this one is built `FROM`. A global ARG (before the first FROM) is not seen until the stage declares the name itself;
//! then the global default applies. An ONBUILD trigger runs in another build and sees the image's ENV, and the triggers
//! before it.

use crate::budget;

use super::assignments::{assignments_in, words};
use super::ast::{Declaration, DeclaredBy, Dockerfile, Keyword, Name, Scope};
use super::template::{Blocks, Place};
use super::words::Word;

impl Name {
    /// The last declaration above the instruction `before` in `stage` that `serves`.
    fn last_above(
        &self,
        (stage, before): (usize, usize),
        serves: impl Fn(&Declaration) -> bool,
    ) -> Option<&Declaration> {
        let all = &self.declarations;
        let end = all.partition_point(|d| d.instruction < before);
        let own = all[..end].iter().rev();
        let mut own = own.take_while(|d| d.stage == Some(stage) && budget::spend(1));
        own.find(|d| serves(d))
    }

    /// The place around the block of `blocks` that `last`, in its last branch, serves together with a declaration in each
    /// of the others: one of the branches is always taken.
    fn around(&self, blocks: &Blocks, last: &Declaration) -> Option<Place> {
        let block = blocks.block(last.place).filter(|block| {
            block.exhaustive && !last.onbuild && block.branches.last() == Some(&last.place)
        })?;
        let places = self.places.get_or_init(|| {
            let plain = self.declarations.iter().filter(|d| !d.onbuild);
            plain.map(|d| (d.place, d.stage)).collect()
        });
        budget::spend(16 * block.branches.len());
        let declares = |branch: &Place| places.contains(&(*branch, last.stage));
        let parent = || blocks.parent(last.place);
        block.branches.iter().all(declares).then(parent).flatten()
    }
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

    /// The global ARG `name` that the global ARG `below` sees.
    fn global_above(&self, name: &str, below: &Declaration) -> Option<&Declaration> {
        let at = |d: &Declaration| (d.instruction, d.name_end);
        let all = self.declarations(name);
        let above = all[..all.partition_point(|d| at(d) < at(below))]
            .iter()
            .rev();
        let mut globals = above.filter(|d| d.stage.is_none() && budget::spend(1));
        globals.find(|d| !d.onbuild)
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
        let known = self.known(name).filter(|_| budget::spend(32))?;
        let stage = self.stage_of(index)?;
        let instruction = &self.instructions[index];
        if instruction.onbuild {
            return self.visible_to_trigger(known, stage, index, instruction.place);
        }
        self.visible_in(known, stage, index, instruction.place)
            .or_else(|| self.inherited(name, stage))
    }

    /// The declaration of `name` that stage `stage` takes over from the stages it is built from.
    #[must_use]
    pub fn inherited(&self, name: &str, stage: usize) -> Option<&Declaration> {
        let name = self.known(name)?;
        let mut stage = &self.stages[stage];
        while budget::spend(16) {
            let base = &self.stages[stage.parent()?];
            let place = self.instructions[stage.from?].place;
            let seen = self.visible_in(name, base.index, base.instructions.end, place);
            if seen.is_some() {
                return seen;
            }
            stage = base;
        }
        None
    }

    /// The declaration that gives `name` its value at instruction `index` in a build that passes none.
    ///
    /// A bare `ARG NAME` takes the global default; where there is none, it leaves the value that was there (BuildKit's
    /// `dispatchArg` sets nothing then).
    #[must_use]
    pub fn valued(&self, name: &str, index: usize) -> Option<&Declaration> {
        let mut seen = self.visible(name, index)?;
        while budget::spend(1) {
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

    fn visible_in<'n>(
        &self,
        name: &'n Name,
        stage: usize,
        before: usize,
        place: Place,
    ) -> Option<&'n Declaration> {
        let blocks = &self.blocks;
        let plain = name.last_above((stage, before), |d| {
            !d.onbuild && blocks.encloses(d.place, place)
        });
        plain.or_else(|| {
            name.last_above((stage, before), |d| {
                let around = name.around(blocks, d);
                around.is_some_and(|around| blocks.encloses(around, place))
            })
        })
    }

    fn visible_to_trigger<'n>(
        &self,
        name: &'n Name,
        stage: usize,
        index: usize,
        place: Place,
    ) -> Option<&'n Declaration> {
        let serves = |d: &Declaration| self.blocks.encloses(d.place, place);
        let trigger = name.last_above((stage, index), |d| d.onbuild && serves(d));
        // The image has every ENV of its stage, wherever it stands.
        let end = self.stages[stage].instructions.end;
        let env = name.last_above((stage, end), |d| {
            d.by == DeclaredBy::Env && !d.onbuild && serves(d)
        });
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
        self.value_of(self.valued(name, index)?)
    }

    /// The value that `declaration` gives its name. What it is made of stands above it, so this ends.
    fn value_of(&self, declaration: &Declaration) -> Option<Vec<u8>> {
        let word = Word::read(declaration.value.as_ref()?, self.escape).ok()?;
        let above = |name: &str| match declaration.stage {
            Some(_) => self.valued(name, declaration.instruction),
            None => self.global_above(name, declaration),
        };
        budget::nested(|| word.expand(&mut |name| self.value_of(above(name)?)))?
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
