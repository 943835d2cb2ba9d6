//! `early-arg`: the lane argument is declared before RUNs that do not need it.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::ops::Range;

use bstr::ByteSlice as _;
use memchr::memmem::Finder;

use crate::budget;
use crate::dockerfile::lines::is_blank;
use crate::dockerfile::{Declaration, DeclaredBy, Dockerfile, Instruction, Keyword, directives};
use crate::finding::{Finding, RuleId};
use crate::fix::{Applicability, Edit, Fix};
use crate::text::Span;

use super::caches::Cache;
use super::context::Context;
use super::declare::{Spot, count_word, has_variable, mentions, spots, whole_line};
use super::eligibility::gets_lane;
use super::environment::may_see_all_variables;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let (file, name) = (cx.file, cx.settings.arg.as_str());
    if !cx.caches().iter().any(|cache| cache.word.mentions(name)) {
        return;
    }
    let finder = Finder::new(name);
    // A mount that another fix changes to use the argument needs it, too; so does a reference by an escaped name.
    let needs = |cache: &&Cache<'_>| {
        cache.word.mentions(name) || gets_lane(cx, cache, name, Applicability::Unsafe)
    };
    let to_come = cx.caches().iter().filter(needs);
    let to_come: HashSet<usize> = to_come.map(|cache| cache.instruction).collect();
    let own = |d: &&Declaration| d.by == DeclaredBy::Arg && d.stage.is_some() && !d.onbuild;
    let uses = |index: &usize| {
        to_come.contains(index) || mentions(file, &file.instructions[*index], &finder)
    };
    let users: OnceCell<Vec<usize>> = OnceCell::new();
    let declarations = file.declarations(name);
    for stage in declarations.chunk_by(|a, b| a.stage == b.stage) {
        let args = || stage.iter().filter(own).take_while(|_| budget::spend(1));
        let Some(at) = args().next().and_then(|arg| arg.stage) else {
            continue;
        };
        let users = users.get_or_init(|| (0..file.instructions.len()).filter(uses).collect());
        let within = |range: Range<usize>| {
            let from = users.partition_point(|user| *user < range.start);
            &users[from..users.partition_point(|user| *user < range.end)]
        };
        let end = file.stages[at].instructions.end;
        for arg in args() {
            let mut users = within(arg.instruction + 1..end).to_vec();
            if users.is_empty() {
                users = handed_on(file, name, arg, within);
            }
            let early = EarlyArg {
                file,
                name,
                arg,
                users,
            };
            let found = early.runs_between().map(|runs| early.finding(cx, &runs));
            findings.extend(found);
        }
    }
}

/// Returns the instructions of stages built from that of `arg` which see it; `within` returns those of a range that need
/// the name.
fn handed_on<'u>(
    file: &Dockerfile<'_>,
    name: &str,
    arg: &Declaration,
    within: impl Fn(Range<usize>) -> &'u [usize],
) -> Vec<usize> {
    let mut has_it = vec![false; file.stages.len()];
    let mut users = Vec::new();
    for stage in &file.stages {
        let handed = stage.parent().is_some_and(|base| has_it[base]);
        has_it[stage.index] = handed || Some(stage.index) == arg.stage;
        if handed && budget::spend(1) {
            let own = within(stage.instructions.clone()).iter().copied();
            let sees = |index: &usize| {
                let seen = file.visible(name, *index);
                // Another ARG does not need this one.
                file.instructions[*index].keyword != Keyword::Arg
                    && seen.is_some_and(|seen| std::ptr::eq(seen, arg))
            };
            users.extend(own.filter(sees));
        }
    }
    users
}

/// A declaration, and the later instructions that need it: of its stage, or else of stages built from it.
struct EarlyArg<'c> {
    file: &'c Dockerfile<'c>,
    name: &'c str,
    arg: &'c Declaration,
    users: Vec<usize>,
}

impl EarlyArg<'_> {
    fn instruction(&self) -> &Instruction<'_> {
        &self.file.instructions[self.arg.instruction]
    }

    /// Returns the stage of the first user, if the other users have the name from there.
    fn stage(&self) -> Option<usize> {
        let first = self.file.stage_of(*self.users.first()?);
        let has_it = |user: &usize| {
            let mut stages = self.file.ancestors(*user);
            stages.any(|stage| budget::spend(1) && Some(stage.index) == first)
        };
        first.filter(|_| self.users.iter().all(has_it))
    }

    /// Returns the instructions behind the declaration that come before all of its users.
    fn between(&self) -> Option<Vec<&Instruction<'_>>> {
        let (file, first) = (self.file, *self.users.first()?);
        let own = self.arg.stage?;
        let mut until = match self.stage() {
            Some(stage) if stage != own => Some((stage, first)),
            _ => None,
        };
        let end = if file.stage_of(first) == Some(own) {
            first
        } else {
            file.stages[own].instructions.end
        };
        let mut found: Vec<&Instruction<'_>> = Vec::new();
        found.extend(&file.instructions[self.arg.instruction + 1..end]);
        while let Some((stage, end)) = until.filter(|(stage, _)| *stage != own) {
            let stage = &file.stages[stage];
            found.extend(&file.instructions[stage.instructions.start..end]);
            let base = stage.parent()?;
            until = Some((base, file.stages[base].instructions.end));
        }
        budget::spend(found.len()).then_some(found)
    }

    /// Returns the RUNs between the declaration and its first user, if any.
    fn runs_between(&self) -> Option<Vec<&Instruction<'_>>> {
        // A later name on the same line may be made of it.
        let text = self.instruction().text.bytes();
        if count_word(text, &Finder::new(self.name)) > 1 {
            return None;
        }
        let mut between = self.between()?;
        // The line can move no further than to the block around its users.
        let limit = self.latest(self.users[0]);
        between.retain(|i| i.keyword == Keyword::Run && !i.onbuild && i.span.start < limit);
        Some(between).filter(|runs| !runs.is_empty())
    }

    fn finding(&self, cx: &Context<'_>, runs: &[&Instruction<'_>]) -> Finding {
        let (name, user) = (self.name, &self.file.instructions[self.users[0]]);
        let line = user.lines.0;
        let message = match runs.len() {
            1 => format!(
                "every job rebuilds the RUN between this line and line {line}, which does not need `{name}`"
            ),
            runs => format!(
                "every job rebuilds the {runs} RUNs between this line and line {line}, which do not need `{name}`"
            ),
        };
        let mut help = match self.stage() {
            Some(stage) if Some(stage) != self.arg.stage => {
                format!("move it into the stage that uses it, to above line {line}")
            }
            Some(_) => format!("move it down to above line {line}, the first that uses it"),
            None => format!(
                "declare it in each stage that uses it instead, right above the first use: line {line} here"
            ),
        };
        let mut fix = self.moving(line);
        if let Some(run) = self.deprived(cx) {
            let run = run.lines.0;
            help.push_str(&format!(", if what line {run} runs does not read it"));
            if let Ok(moving) = fix {
                help.push_str(" (`fix --unsafe` moves it)");
                fix = Ok(Fix::needs_review(moving.title(), moving.edits().to_vec()));
            }
        }
        Finding::new(RuleId::EarlyArg, cx.name_span(self.arg, name), message)
            .help(help)
            .label(user.name, "first used here")
            .fix(fix)
    }

    /// Returns a RUN that may read the argument without naming it, and would no longer see it.
    fn deprived(&self, cx: &Context<'_>) -> Option<&Instruction<'_>> {
        let (file, first) = (self.file, self.users[0]);
        let stage = self.stage()?;
        let end = if self.arg.stage == Some(stage) {
            first
        } else {
            file.instructions.len()
        };
        let has_it_from = |index: usize| {
            let mut stages = file.ancestors(index);
            let below = stages.any(|from| budget::spend(1) && from.index == stage);
            below && (index >= first || file.stage_of(index) != Some(stage))
        };
        let sees_it = |index: usize| {
            let seen = file.visible(self.name, index);
            seen.is_some_and(|seen| std::ptr::eq(seen, self.arg))
        };
        let deprived = |index: &usize| {
            let run = &file.instructions[*index];
            budget::spend(1)
                && run.keyword == Keyword::Run
                && !run.onbuild
                && sees_it(*index)
                && !has_it_from(*index)
                && cx.commands(*index).iter().any(may_see_all_variables)
        };
        let found = (self.arg.instruction + 1..end).find(deprived);
        found.map(|index| &file.instructions[index])
    }

    /// Returns the byte of the latest place for the declaration: the `first` of its users, or the start of the block
    /// around it at the declaration's level.
    fn latest(&self, first: usize) -> usize {
        let (file, place) = (self.file, self.arg.branch);
        let first = &file.instructions[first];
        if let [(spot, _)] = self.spots().as_slice()
            && spot.branch == place
        {
            return spot.at;
        }
        let out = file.blocks.outwards(first.branch);
        let branch = out.take_while(|outer| *outer != place).last();
        let block = branch.and_then(|branch| file.blocks.block(branch));
        block.map_or(first.span.start, |block| block.span.start)
    }

    /// Returns the places for the declaration above its users in the stage of the first.
    fn spots(&self) -> Vec<(Spot, Vec<usize>)> {
        let file = self.file;
        let stage = file.stage_of(self.users[0]);
        let start = match stage {
            Some(stage) if Some(stage) != self.arg.stage => file.stages[stage].instructions.start,
            _ => self.arg.instruction + 1,
        };
        let own = self.users.iter().copied();
        let own: Vec<usize> = own.filter(|user| file.stage_of(*user) == stage).collect();
        spots(file, start, &own)
    }

    /// Returns whether removing the declaration would change a line below: it is the file's first instruction, and a
    /// comment such as `# escape=` or a byte-order mark follows.
    fn guards(&self) -> bool {
        let source = self.file.source;
        let line = whole_line(source, self.instruction());
        let without = || [&source[..line.start], &source[line.end..]].concat();
        self.arg.instruction == 0 && directives::differ(source, &without())
    }

    /// Returns the fix that moves the declaration above its first user, on line `line`.
    fn moving(&self, line: usize) -> Result<Fix, String> {
        let (file, name, arg, instruction) = (self.file, self.name, self.arg, self.instruction());
        let same = |d: &&Declaration| {
            budget::spend(1) && d.stage == arg.stage && d.by == DeclaredBy::Arg && !d.onbuild
        };
        let value = match &arg.value {
            None => Ok(String::new()),
            Some(value) => std::str::from_utf8(value).map(|value| format!("={value}")),
        };
        let others = file.declarations(name).iter().filter(same);
        if others.take(2).count() > 1 {
            return Err(
                "the stage declares it more than once: keep one of the lines, and move that".into(),
            );
        }
        if instruction.lead < instruction.span.start {
            return Err("the comment above belongs to it: move both by hand".into());
        }
        if self.guards() {
            return Err(
                "a line below would become a parser directive, or lose its first mark (U+FEFF): move it by hand"
                    .into(),
            );
        }
        if has_variable(arg, file.escape) {
            return Err(
                "its value holds a variable, which may be another further down: move it by hand"
                    .into(),
            );
        }
        if self.stage().is_none() {
            return Err("several stages use it, each of which needs a line of its own".into());
        }
        if file
            .boundary_above(self.users[0])
            .is_some_and(|at| at > arg.instruction)
        {
            return Err(
                "an expression of the template stands between, which may use it: move it by hand"
                    .into(),
            );
        }
        let value = value.map_err(|_| "its value is not UTF-8: move it by hand")?;
        let spots = self.spots();
        let [(spot, _)] = spots.as_slice() else {
            return Err(
                "the places that use it stand in different blocks of the template: move it by hand"
                    .into(),
            );
        };
        if spot.branch != arg.branch {
            return Err("a template's block stands between: move it by hand".into());
        }
        let old = if !arg.alone {
            let start = arg.name_end - name.len();
            word_span(instruction, start, arg.name_end + value.len())?
        } else if instruction.lines.0 == instruction.lines.1 {
            whole_line(file.source, instruction)
        } else {
            return Err("it stands on several lines: move it by hand".into());
        };
        let keyword = String::from_utf8_lossy(instruction.name.of(file.source));
        let new = spot.insert(file.source, &format!("{keyword} {name}{value}"));
        Ok(Fix::safe(
            format!("move `{name}` down to above line {line}"),
            vec![new, Edit::delete(old)],
        ))
    }
}

/// Returns the place of the word `text[start..end]` of a declaration with its white space.
fn word_span(instruction: &Instruction<'_>, start: usize, end: usize) -> Result<Span, String> {
    let text = instruction.text.bytes();
    let before = text[..start].iter().rev();
    let mut blanks = before.take_while(|b| is_blank(**b)).count();
    if start - blanks < instruction.args {
        let behind = &text[end..];
        if behind.trim_start().starts_with(b"--") {
            return Err(
                "what follows it on its line would be read as a flag: move it by hand".into(),
            );
        }
        // The keyword is split off at fewer kinds of white space than the words behind it.
        if !behind.first().is_some_and(|b| is_blank(*b)) {
            blanks = 0;
        }
    }
    let span = instruction.text.span(start - blanks, end);
    if span.len() != end - (start - blanks) {
        return Err("its line is continued around it: move it by hand".into());
    }
    Ok(span)
}
