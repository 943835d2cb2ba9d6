//! The ARG lines, and the edits that insert them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use bstr::ByteSlice as _;

use crate::dockerfile::{BranchId, Declaration, DeclaredBy, Dockerfile, Instruction, Word};
use crate::fix::{Applicability, Edit};
use crate::rules::plan::{Declaring, Uses};
use crate::text::Span;

use super::spots::{Spot, spots};

/// The instructions with ids for which it matters whether the line gives the name a value.
pub(super) struct Ids {
    /// Those that need one. A default would change the others, for example `${NAME:+-${NAME}}`: they get a bare
    /// declaration.
    pub(super) short: HashSet<usize>,
    /// Those that have a value of their own where the name has none: a default would change them.
    pub(super) keeping: HashSet<usize>,
}

/// Says whether a line gives the name a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    /// It has to.
    Needed,
    /// It must not.
    Barred,
    /// It does where the line that it takes the place of does.
    Kept,
}

/// A name to declare in a file.
pub(super) struct Lines<'n> {
    file: &'n Dockerfile<'n>,
    name: &'n str,
    /// The value to give it; `None` for an argument that BuildKit sets itself.
    default: Option<&'n str>,
    /// The value that the file gives it elsewhere; not for triggers, which belong to another build.
    own: Option<&'n str>,
    ids: Ids,
    /// For each stage the first base that builds cannot change: a FROM line with a variable may name another stage or an
    /// image.
    roots: Vec<usize>,
    elsewhere: Uses,
    needs: HashMap<usize, Rc<Declaring>>,
}

impl<'n> Lines<'n> {
    pub(super) fn new(
        file: &'n Dockerfile<'n>,
        name: &'n str,
        default: Option<&'n str>,
        own: Option<&'n str>,
        ids: Ids,
        elsewhere: Uses,
    ) -> Self {
        let mut roots: Vec<usize> = Vec::with_capacity(file.stages.len());
        for stage in &file.stages {
            let varies = |from: usize| file.instructions[from].arguments().contains(&b'$');
            let base = stage.parent().filter(|_| !stage.from.is_some_and(varies));
            roots.push(base.map_or(stage.index, |base| roots[base]));
        }
        Self {
            file,
            name,
            default,
            own,
            ids,
            roots,
            elsewhere,
            needs: HashMap::new(),
        }
    }

    /// Plans the lines that declare the name for the ordered instructions `uses`.
    pub(super) fn plan(mut self, uses: &[usize]) -> (HashMap<usize, Rc<Declaring>>, Uses) {
        let file = self.file;
        let short = self.short_stages();
        // The declarations planned for a stage that stages built from it see, too.
        let mut handed_on: Vec<Option<Rc<Declaring>>> = vec![None; file.stages.len()];
        let mut rest = uses;
        for stage in &file.stages {
            let index = stage.index;
            let base = stage.parent().filter(|base| self.roots[index] <= *base);
            let inherited = base.and_then(|base| handed_on[base].clone());
            let end = rest.partition_point(|index| *index < stage.instructions.end);
            let (own, others) = rest.split_at(end);
            rest = others;
            let (triggers, plain): (Vec<usize>, Vec<usize>) = own
                .iter()
                .filter(|index| self.is_hidden(**index))
                .partition(|index| file.instructions[**index].onbuild);
            // What may be a FROM of a template parts them.
            let above = plain.partition_point(|index| file.boundary_above(*index).is_none());
            let (plain, below) = plain.split_at(above);
            handed_on[index] = match inherited {
                Some(need) => {
                    let needs = plain.iter().map(|index| (*index, Rc::clone(&need)));
                    self.needs.extend(needs);
                    Some(need)
                }
                None if plain.is_empty() => None,
                None => self.declare(index, short[index], plain),
            };
            for uses in below.chunk_by(|a, b| file.boundary_above(*a) == file.boundary_above(*b)) {
                self.declare(index, short[index], uses);
            }
            if !triggers.is_empty() {
                self.declare(index, false, &triggers);
            }
        }
        (self.needs, self.elsewhere)
    }

    /// Declares the name for the `uses` in `stage`; returns the declaration that stages built from it see. `short` is
    /// true where the line needs a value.
    fn declare(&mut self, stage: usize, short: bool, uses: &[usize]) -> Option<Rc<Declaring>> {
        let mut handed_on = None;
        let boundary = self.file.boundary_above(uses[0]);
        let start = boundary.map_or(self.file.stages[stage].instructions.start, |at| at + 1);
        for (spot, uses) in spots(self.file, start, uses) {
            let for_all = spot.branch == BranchId::FILE;
            let short =
                (short && for_all) || uses.iter().any(|index| self.ids.short.contains(index));
            let keeps = uses.iter().any(|index| self.ids.keeping.contains(index));
            let value = match (short, keeps) {
                (true, _) => Value::Needed,
                (false, true) => Value::Barred,
                (false, false) => Value::Kept,
            };
            let need = Rc::new(self.line(stage, &spot, uses[0], value));
            if for_all {
                handed_on = Some(Rc::clone(&need));
            }
            let needs = uses.into_iter().map(|index| (index, Rc::clone(&need)));
            self.needs.extend(needs);
        }
        handed_on
    }

    /// Returns whether the instruction `index` does not see the name in every build.
    fn is_hidden(&self, index: usize) -> bool {
        let Some(seen) = self.file.visible(self.name, index) else {
            return true;
        };
        if self
            .file
            .boundary_above(index)
            .is_some_and(|at| seen.at < at)
        {
            return true;
        }
        // A base stage comes before the stages built from it.
        let stages = self.file.stage_of(index).zip(seen.stage);
        stages.is_some_and(|(stage, declared)| declared < self.roots[stage])
    }

    /// Returns for each stage whether it, or one built from it, has an id that does not see the name and needs a value.
    fn short_stages(&self) -> Vec<bool> {
        let mut short = vec![false; self.file.stages.len()];
        for index in &self.ids.short {
            if !self.file.instructions[*index].onbuild
                && self.is_hidden(*index)
                && let Some(stage) = self.file.stage_of(*index)
            {
                short[stage] = true;
            }
        }
        for stage in (0..short.len()).rev() {
            if let Some(base) = self.file.stages[stage].parent() {
                short[base] |= short[stage];
            }
        }
        short
    }

    /// Returns the ARG line at `spot`, before the RUN `first`, and its edits.
    fn line(&self, stage: usize, spot: &Spot, first: usize, value: Value) -> Declaring {
        let file = self.file;
        let user = &file.instructions[first];
        let late = self.late(stage, spot, first).filter(|_| !user.onbuild);
        let fits = |late: &&Declaration| value != Value::Barred || late.value.is_none();
        let movable = late.filter(|late| fits(late) && is_movable(file, late, spot));
        let moved = movable.map(|late| &file.instructions[late.instruction]);
        let declared = self.declared(user, late.filter(fits), value);
        let lacks_value = declared.contains('=') && late.is_some_and(|late| late.value.is_none());
        let old = moved.map(|arg| arg.text.bytes().to_str_lossy().trim_end().to_owned());
        let line = match &old {
            Some(old) if !lacks_value => old.clone(),
            _ => format!("{} {declared}", keyword(file, user)),
        };
        let mut edits = vec![spot.insert(file.source, &line)];
        edits.extend(moved.map(|arg| Edit::delete(whole_line(file.source, arg))));
        // What stands above the line does not see it.
        let below = file
            .instructions
            .partition_point(|i| i.span.start < spot.at);
        Declaring {
            line,
            above: user.lines.0,
            edits,
            late: late.map(|late| file.instructions[late.instruction].lines.0),
            moves: old,
            applicability: if self.elsewhere.are_behind(stage, below) {
                Applicability::Unsafe
            } else {
                Applicability::Safe
            },
        }
    }

    /// Returns the name with the value for a line beside the instruction `user`: that of the line that comes too `late`,
    /// none with a global one, the file's own, or the default.
    fn declared(
        &self,
        user: &Instruction<'_>,
        late: Option<&Declaration>,
        value: Value,
    ) -> Cow<'_, str> {
        let name = self.name;
        let Some(default) = self.default else {
            return name.into();
        };
        let late = late.and_then(|late| late.value.as_deref());
        let late = late.filter(|value| value.is_ascii() && !value.contains(&b'$'));
        if let Some(late) = late {
            return format!("{name}={}", late.to_str_lossy()).into();
        }
        let global = self.file.global(name).filter(|_| !user.onbuild);
        if value != Value::Needed || global.is_some_and(|global| global.value.is_some()) {
            return name.into();
        }
        let own = self.own.filter(|_| !user.onbuild);
        format!("{name}={}", own.unwrap_or(default)).into()
    }

    /// Returns the stage's ARG for the name behind the RUN `first`.
    fn late(&self, stage: usize, spot: &Spot, first: usize) -> Option<&'n Declaration> {
        let all = self.file.declarations(self.name);
        let reached = |d: &&Declaration| {
            self.file.boundary_above(d.instruction) == self.file.boundary_above(first)
        };
        let behind = &all[all.partition_point(|d| d.at <= first)..];
        let mut own = behind
            .iter()
            .take_while(|d| d.stage == Some(stage))
            .take_while(reached)
            .filter(|d| !d.onbuild && d.by == DeclaredBy::Arg);
        own.find(|d| self.file.blocks.encloses(spot.branch, d.branch))
    }
}

/// Returns the keyword in the case of the instruction `user`.
fn keyword(file: &Dockerfile<'_>, user: &Instruction<'_>) -> &'static str {
    let first = user.name.of(file.source).first();
    match (user.onbuild, first.is_some_and(u8::is_ascii_lowercase)) {
        (false, false) => "ARG",
        (false, true) => "arg",
        (true, false) => "ONBUILD ARG",
        (true, true) => "onbuild arg",
    }
}

/// Returns whether the line of `late` can move to `spot` unchanged: it declares nothing else, has no comment, and its
/// value is text that means the same there.
fn is_movable(file: &Dockerfile<'_>, late: &Declaration, spot: &Spot) -> bool {
    let arg = &file.instructions[late.instruction];
    let commented = arg.lead < arg.span.start;
    late.alone
        && !commented
        && late.branch == spot.branch
        && arg.lines.0 == arg.lines.1
        && std::str::from_utf8(arg.text.bytes()).is_ok()
        && !has_variable(late, file.escape)
}

/// Returns whether the value of `declaration` has a variable or is unreadable.
pub fn has_variable(declaration: &Declaration, escape: u8) -> bool {
    let value = declaration.value.as_deref().unwrap_or_default();
    Word::read(value, escape).map_or(true, |word| word.has_variable())
}

/// Returns the line of a one-line instruction with its newline.
pub fn whole_line(source: &[u8], instruction: &Instruction<'_>) -> Span {
    let Span { start, end } = instruction.span;
    let newline = memchr::memchr(b'\n', &source[end..]);
    Span::new(start, newline.map_or(source.len(), |at| end + at + 1))
}
