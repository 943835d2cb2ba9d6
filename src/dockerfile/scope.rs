//! ARG and ENV: the names that a cache id can refer to at an instruction.
//!
//! Measured on BuildKit 0.13: an expansion sees the ARGs and ENVs above it in its own stage and in the stage that this
//! one is built `FROM`, of which an ENV wins over an ARG behind it. A global ARG (before the first FROM) is seen only
//! once the stage declares the name; then its default applies. An ONBUILD trigger runs at the start of each stage of the
//! file that is built from its own, and in other builds, where it sees the image's ENV and earlier triggers.

use crate::budget;

use super::assignments::{assignments_in, words};
use super::ast::{Declaration, DeclaredBy, Dockerfile, Keyword, Name, Scope, Stage};
use super::template::{Blocks, BranchId};
use super::words::Word;

/// Returns the value that a build gives a name, beside what the file says.
pub type PassedArgs<'g> = dyn Fn(&str, Seen<'_>) -> Option<Vec<u8>> + 'g;

/// A name, as a place sees it.
#[derive(Clone, Copy)]
pub enum Seen<'d> {
    Declared(&'d Declaration),
    Undeclared,
    /// No declaration, but among the global ARGs, which see BuildKit's own arguments without one.
    UndeclaredGlobal,
}

/// A place from which names are seen.
#[derive(Clone, Copy)]
struct Viewpoint {
    /// The stage; `None` among the global ARGs.
    stage: Option<usize>,
    order: Order,
    branch: BranchId,
    /// True in a trigger, which runs in another build.
    waits: bool,
}

/// The order in which a build comes to a place: the instruction from which on it holds, the one that is written there,
/// and a byte of that one.
type Order = [usize; 3];

impl Declaration {
    /// Returns whether it is a trigger as another build would run it.
    const fn waits(&self) -> bool {
        self.onbuild && self.at == self.instruction
    }

    /// Returns its place in the order. An ARG sees the names before it on its own line, an ENV does not.
    const fn order(&self) -> Order {
        let byte = match self.by {
            DeclaredBy::Arg => self.name_end,
            DeclaredBy::Env => 0,
        };
        [self.at, self.instruction, byte]
    }

    const fn place(&self) -> Viewpoint {
        Viewpoint {
            stage: self.stage,
            order: self.order(),
            branch: self.branch,
            waits: self.waits(),
        }
    }
}

impl Name {
    /// Returns the last matching declaration above `place` in its stage.
    fn last_above(
        &self,
        place: Viewpoint,
        serves: impl Fn(&Declaration) -> bool,
    ) -> Option<&Declaration> {
        let all = &self.declarations;
        let end = all.partition_point(|d| d.order() < place.order);
        let own = all[..end].iter().rev();
        let mut own = own.take_while(|d| d.stage == place.stage && budget::spend(1));
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
        // The triggers of each stage, with their names.
        let mut triggers: Vec<Vec<(String, Declaration)>> = vec![Vec::new(); file.stages.len()];
        for (index, instruction) in file.instructions.iter().enumerate() {
            while let Some(next) = stages.next_if(|next| next.instructions.start <= index) {
                stage = Some(next.index);
                scope.run_triggers(file, next, &triggers);
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
                let declaration = Declaration {
                    by,
                    instruction: index,
                    at: index,
                    stage,
                    value: assignment.value.map(Into::into),
                    name_end: assignment.name_end,
                    alone,
                    onbuild: instruction.onbuild,
                    branch: instruction.branch,
                };
                if let Some(stage) = stage.filter(|_| instruction.onbuild) {
                    triggers[stage].push((assignment.name.to_owned(), declaration.clone()));
                }
                scope.add(assignment.name, declaration);
            }
        }
        // A FROM at the file's end runs its triggers, too.
        for stage in stages {
            scope.run_triggers(file, stage, &triggers);
        }
        scope
    }

    /// Declares at the start of `stage` what the triggers of its base stage do there.
    fn run_triggers(
        &mut self,
        file: &Dockerfile<'_>,
        stage: &Stage,
        triggers: &[Vec<(String, Declaration)>],
    ) {
        let Some((base, from)) = stage.parent().zip(stage.from) else {
            return;
        };
        let branch = file.instructions[from].branch;
        for (name, trigger) in &triggers[base] {
            if !budget::spend(64) {
                return;
            }
            if file.blocks.encloses(trigger.branch, branch) {
                let run = Declaration {
                    at: from,
                    stage: Some(stage.index),
                    branch: BranchId::FILE,
                    ..trigger.clone()
                };
                self.add(name, run);
            }
        }
    }

    fn add(&mut self, name: &str, declaration: Declaration) {
        let known = self.names.entry(name.to_owned()).or_default();
        known.declarations.push(declaration);
    }
}

impl Dockerfile<'_> {
    /// Returns every declaration of `name`, those of triggers once more for each stage that runs them.
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

    /// Returns the stage of the instruction `index`; `None` before the first.
    pub fn stage_of(&self, index: usize) -> Option<usize> {
        let after = self
            .stages
            .partition_point(|stage| stage.instructions.start <= index);
        after
            .checked_sub(1)
            .filter(|stage| self.stages[*stage].instructions.contains(&index))
    }

    /// Returns the first stage of the file that runs the trigger `index`, and its FROM.
    fn runs_trigger(&self, index: usize) -> Option<(usize, usize)> {
        let own = self.stage_of(index)?;
        let branch = self.instructions[index].branch;
        let runs = |stage: &Stage| {
            let from = stage.from.filter(|_| stage.parent() == Some(own))?;
            let is_there = self.blocks.encloses(branch, self.instructions[from].branch);
            is_there.then_some((stage.index, from))
        };
        let mut behind = self.stages[own + 1..].iter();
        behind.find_map(|stage| runs(stage).filter(|_| budget::spend(1)))
    }

    /// Returns the place of the instruction `index`: that of a trigger is where the file runs it.
    fn place(&self, index: usize) -> Viewpoint {
        let instruction = &self.instructions[index];
        let run = instruction.onbuild.then(|| self.runs_trigger(index));
        if let Some((stage, from)) = run.flatten() {
            return Viewpoint {
                stage: Some(stage),
                order: [from, index, 0],
                branch: BranchId::FILE,
                waits: false,
            };
        }
        Viewpoint {
            stage: self.stage_of(index),
            order: [index, index, 0],
            branch: instruction.branch,
            waits: instruction.onbuild,
        }
    }

    /// Returns the declaration of `name` that an expansion at instruction `index` sees: the last one above it in its
    /// stage, or else in the base stages.
    pub fn visible(&self, name: &str, index: usize) -> Option<&Declaration> {
        self.seen(name, self.place(index))
    }

    /// Returns the declaration of `name` that the value of `declaration` sees.
    pub fn visible_above(&self, name: &str, declaration: &Declaration) -> Option<&Declaration> {
        self.seen(name, declaration.place())
    }

    fn seen(&self, name: &str, place: Viewpoint) -> Option<&Declaration> {
        // Most requested names are declared nowhere.
        let known = self.known(name).filter(|_| budget::spend(32))?;
        let Some(stage) = place.stage else {
            return known.last_above(place, |d| !d.onbuild);
        };
        if place.waits {
            // It begins with the ENV of the image.
            let serves = |d: &Declaration| self.blocks.encloses(d.branch, place.branch);
            let trigger = known.last_above(place, |d| d.waits() && serves(d));
            let image = || self.handed_on(known, stage, place.branch);
            return trigger.or_else(|| image().filter(|d| d.by == DeclaredBy::Env));
        }
        self.last(known, place, |_| true)
            .or_else(|| self.inherited(known, stage))
    }

    fn inherited<'n>(&self, name: &'n Name, stage: usize) -> Option<&'n Declaration> {
        let stage = &self.stages[stage];
        let branch = self.instructions[stage.from?].branch;
        self.handed_on(name, stage.parent()?, branch)
    }

    /// Returns the declaration that a stage built from `stage` begins with: the image's ENV, even where an ARG stands
    /// behind it, or else the ARG. `branch` is that of its FROM.
    fn handed_on<'n>(
        &self,
        name: &'n Name,
        mut stage: usize,
        mut branch: BranchId,
    ) -> Option<&'n Declaration> {
        let mut arg = None;
        while budget::spend(16) {
            let base = &self.stages[stage];
            let end = Viewpoint {
                stage: Some(stage),
                order: [base.instructions.end, 0, 0],
                branch,
                waits: false,
            };
            let env = self.last(name, end, |d| d.by == DeclaredBy::Env);
            if env.is_some() {
                return env;
            }
            arg = arg.or_else(|| self.last(name, end, |_| true));
            let Some((parent, from)) = base.parent().zip(base.from) else {
                break;
            };
            (stage, branch) = (parent, self.instructions[from].branch);
        }
        arg
    }

    /// Returns the last matching declaration above `place` in its stage, triggers of the stage aside.
    fn last<'n>(
        &self,
        name: &'n Name,
        place: Viewpoint,
        serves: impl Fn(&Declaration) -> bool,
    ) -> Option<&'n Declaration> {
        let blocks = &self.blocks;
        let plain = name.last_above(place, |d| {
            !d.waits() && serves(d) && blocks.encloses(d.branch, place.branch)
        });
        plain.or_else(|| {
            name.last_above(place, |d| {
                let around = name.around(blocks, d).filter(|_| serves(d));
                around.is_some_and(|around| blocks.encloses(around, place.branch))
            })
        })
    }

    /// Returns the declaration that gives `name` its value at instruction `index` without build arguments.
    ///
    /// A bare `ARG NAME` takes the global default, or else leaves the value unchanged (BuildKit's `dispatchArg`).
    pub fn valued(&self, name: &str, index: usize) -> Option<&Declaration> {
        self.valued_at(name, self.place(index))
    }

    /// Returns the declaration that gives `name` its value within the value of `declaration`.
    pub fn valued_above(&self, name: &str, declaration: &Declaration) -> Option<&Declaration> {
        self.valued_at(name, declaration.place())
    }

    fn valued_at(&self, name: &str, place: Viewpoint) -> Option<&Declaration> {
        let mut seen = self.seen(name, place)?;
        while budget::spend(1) {
            if seen.value.is_some() {
                return Some(seen);
            }
            let global = self
                .global(name)
                .filter(|global| global.value.is_some() && !place.waits && place.stage.is_some());
            if global.is_some() {
                return global;
            }
            seen = self.visible_above(name, seen)?;
        }
        None
    }

    /// Returns the value of `name` at instruction `index` without build arguments; `None` where it is unset or unknown.
    pub fn default_value(&self, name: &str, index: usize) -> Option<Vec<u8>> {
        self.value_in(name, index, &|_, _| None)
    }

    /// Returns the value of `name` at instruction `index` in a build; `given` returns what that build passes for the
    /// ARG, or its base image sets for a name without a declaration.
    pub fn value_in(&self, name: &str, index: usize, given: &PassedArgs<'_>) -> Option<Vec<u8>> {
        self.value_at(name, self.place(index), given)
    }

    /// Returns the value of `name` in a build, within the value of `declaration`.
    pub fn value_above(
        &self,
        name: &str,
        declaration: &Declaration,
        given: &PassedArgs<'_>,
    ) -> Option<Vec<u8>> {
        self.value_at(name, declaration.place(), given)
    }

    /// Values refer only to declarations above, so this ends.
    fn value_at(&self, name: &str, place: Viewpoint, given: &PassedArgs<'_>) -> Option<Vec<u8>> {
        let seen = match self.seen(name, place) {
            Some(seen) => Seen::Declared(seen),
            None if place.stage.is_none() => Seen::UndeclaredGlobal,
            None => Seen::Undeclared,
        };
        let passed = !matches!(seen, Seen::Declared(seen) if seen.by == DeclaredBy::Env);
        if let Some(passed) = passed.then(|| given(name, seen)).flatten() {
            return Some(passed);
        }
        let declaration = self.valued_at(name, place)?;
        let word = Word::read(declaration.value.as_ref()?, self.escape).ok()?;
        let mut above = |name: &str| self.value_above(name, declaration, given);
        budget::nested(|| word.expand(&mut above))?
    }
}
