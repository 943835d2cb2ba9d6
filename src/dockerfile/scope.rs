//! ARG and ENV: the names that a cache id can refer to at an instruction.
//!
//! Measured on BuildKit 0.13: an expansion sees the ARGs and ENVs above it in its own stage and in the stage that this
//! one is built `FROM`. A global ARG (before the first FROM) is seen only once the stage declares the name; then its
//! default applies. An ONBUILD trigger runs in another build and sees the image's ENV and earlier triggers.

use crate::budget;

use super::assignments::{assignments_in, words};
use super::ast::{Declaration, DeclaredBy, Dockerfile, Keyword, Name, Scope};
use super::template::{Blocks, BranchId};
use super::words::Word;

impl Name {
    /// Returns the last matching declaration above the instruction `before` in `stage`.
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

    /// Returns the branch around the block in which every branch declares the name, `last` in the last one; one of them
    /// is always taken.
    fn around(&self, blocks: &Blocks, last: &Declaration) -> Option<BranchId> {
        let block = blocks.block(last.branch).filter(|block| {
            block.exhaustive && !last.onbuild && block.branches.last() == Some(&last.branch)
        })?;
        let branches = self.branches.get_or_init(|| {
            let plain = self.declarations.iter().filter(|d| !d.onbuild);
            plain.map(|d| (d.branch, d.stage)).collect()
        });
        budget::spend(16 * block.branches.len());
        let declares = |branch: &BranchId| branches.contains(&(*branch, last.stage));
        let parent = || blocks.parent(last.branch);
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
            // A word that is no name declares nothing here, but is there.
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
                        branch: instruction.branch,
                    });
            }
        }
        scope
    }
}

impl Dockerfile<'_> {
    /// Returns every declaration of `name`.
    pub fn declarations(&self, name: &str) -> &[Declaration] {
        self.known(name).map_or(&[], |name| &name.declarations)
    }

    fn scope(&self) -> &Scope {
        self.scope.get_or_init(|| Scope::new(self))
    }

    fn known(&self, name: &str) -> Option<&Name> {
        self.scope().names.get(name)
    }

    /// Returns the global ARG `name`; the last one counts.
    pub fn global(&self, name: &str) -> Option<&Declaration> {
        let all = self.declarations(name);
        let globals = &all[..all.partition_point(|declaration| declaration.stage.is_none())];
        globals
            .iter()
            .rev()
            .find(|declaration| !declaration.onbuild)
    }

    /// Returns the global ARG `name` above the global ARG `below`.
    fn global_above(&self, name: &str, below: &Declaration) -> Option<&Declaration> {
        let at = |d: &Declaration| (d.instruction, d.name_end);
        let all = self.declarations(name);
        let above = all[..all.partition_point(|d| at(d) < at(below))]
            .iter()
            .rev();
        let mut globals = above.filter(|d| d.stage.is_none() && budget::spend(1));
        globals.find(|d| !d.onbuild)
    }

    /// Returns the stage of the instruction `index`; `None` before the first.
    pub fn stage_of(&self, index: usize) -> Option<usize> {
        let after = self
            .stages
            .partition_point(|stage| stage.instructions.start <= index);
        after
            .checked_sub(1)
            .filter(|stage| self.stages[*stage].instructions.contains(&index))
    }

    /// Returns the declaration of `name` that an expansion at instruction `index` sees: the last one above it in its
    /// stage, or else in the base stages.
    pub fn visible(&self, name: &str, index: usize) -> Option<&Declaration> {
        // Most requested names are declared nowhere.
        let known = self.known(name).filter(|_| budget::spend(32))?;
        let stage = self.stage_of(index)?;
        let instruction = &self.instructions[index];
        if instruction.onbuild {
            return self.visible_to_trigger(known, stage, index, instruction.branch);
        }
        self.visible_in(known, stage, index, instruction.branch)
            .or_else(|| self.inherited(name, stage))
    }

    /// Returns the declaration of `name` that stage `stage` inherits from its base stages.
    pub fn inherited(&self, name: &str, stage: usize) -> Option<&Declaration> {
        let name = self.known(name)?;
        let mut stage = &self.stages[stage];
        while budget::spend(16) {
            let base = &self.stages[stage.parent()?];
            let branch = self.instructions[stage.from?].branch;
            let seen = self.visible_in(name, base.index, base.instructions.end, branch);
            if seen.is_some() {
                return seen;
            }
            stage = base;
        }
        None
    }

    /// Returns the declaration that gives `name` its value at instruction `index` without build arguments.
    ///
    /// A bare `ARG NAME` takes the global default, or else leaves the value unchanged (BuildKit's `dispatchArg`).
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
        branch: BranchId,
    ) -> Option<&'n Declaration> {
        let blocks = &self.blocks;
        let plain = name.last_above((stage, before), |d| {
            !d.onbuild && blocks.encloses(d.branch, branch)
        });
        plain.or_else(|| {
            name.last_above((stage, before), |d| {
                let around = name.around(blocks, d);
                around.is_some_and(|around| blocks.encloses(around, branch))
            })
        })
    }

    fn visible_to_trigger<'n>(
        &self,
        name: &'n Name,
        stage: usize,
        index: usize,
        branch: BranchId,
    ) -> Option<&'n Declaration> {
        let serves = |d: &Declaration| self.blocks.encloses(d.branch, branch);
        let trigger = name.last_above((stage, index), |d| d.onbuild && serves(d));
        // The image has every ENV of its stage.
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

    /// Returns the value of `name` at instruction `index` without build arguments; `None` where it is unset or unknown.
    pub fn default_value(&self, name: &str, index: usize) -> Option<Vec<u8>> {
        self.value_of(self.valued(name, index)?)
    }

    /// Returns the value that `declaration` gives its name. Values refer only to declarations above, so this ends.
    fn value_of(&self, declaration: &Declaration) -> Option<Vec<u8>> {
        let word = Word::read(declaration.value.as_ref()?, self.escape).ok()?;
        let above = |name: &str| match declaration.stage {
            Some(_) => self.valued(name, declaration.instruction),
            None => self.global_above(name, declaration),
        };
        budget::nested(|| word.expand(&mut |name| self.value_of(above(name)?)))?
    }
}
