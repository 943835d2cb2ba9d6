//! `early-arg`: the lane argument is declared before RUNs that do not need it.

use std::collections::HashSet;

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
use super::declare::{count_word, has_variable, mentions, spots, whole_line};
use super::eligibility::gets_lane;

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
    let declarations = file.declarations(name);
    for stage in declarations.chunk_by(|a, b| a.stage == b.stage) {
        let args = || stage.iter().filter(own).take_while(|_| budget::spend(1));
        let Some(at) = args().next().and_then(|arg| arg.stage) else {
            continue;
        };
        let uses = |index: &usize| {
            to_come.contains(index) || mentions(file, &file.instructions[*index], &finder)
        };
        let stage = file.stages[at].instructions.clone();
        let users: Vec<usize> = stage.filter(uses).collect();
        for arg in args() {
            let below = users.partition_point(|user| *user <= arg.instruction);
            let early = Early {
                file,
                name,
                arg,
                users: &users[below..],
            };
            let found = early.runs_between().map(|runs| early.finding(cx, runs));
            findings.extend(found);
        }
    }
}

/// A declaration, and the later instructions that need it.
struct Early<'c> {
    file: &'c Dockerfile<'c>,
    name: &'c str,
    arg: &'c Declaration,
    users: &'c [usize],
}

impl Early<'_> {
    fn instruction(&self) -> &Instruction<'_> {
        &self.file.instructions[self.arg.instruction]
    }

    /// Returns the number of RUNs between the declaration and its first user, if any.
    fn runs_between(&self) -> Option<usize> {
        let first = *self.users.first()?;
        // A later name on the same line may be made of it.
        let text = self.instruction().text.bytes();
        if count_word(text, &Finder::new(self.name)) > 1 {
            return None;
        }
        // The line can move no further than to the block around its users.
        let limit = self.latest(first);
        let between = &self.file.instructions[self.arg.instruction + 1..first];
        if !budget::spend(between.len()) {
            return None;
        }
        let before =
            |i: &&Instruction<'_>| i.keyword == Keyword::Run && !i.onbuild && i.span.start < limit;
        Some(between.iter().filter(before).count()).filter(|runs| *runs > 0)
    }

    fn finding(&self, cx: &Context<'_>, runs: usize) -> Finding {
        let (name, user) = (self.name, &self.file.instructions[self.users[0]]);
        let line = user.lines.0;
        let message = match runs {
            1 => format!(
                "every job rebuilds the RUN between this line and line {line}, which does not need `{name}`"
            ),
            _ => format!(
                "every job rebuilds the {runs} RUNs between this line and line {line}, which do not need `{name}`"
            ),
        };
        let help = format!("move it down to above line {line}, the first that uses it");
        Finding::new(RuleId::EarlyArg, cx.name_span(self.arg, name), message)
            .help(help)
            .label(user.name, "first used here")
            .fix(self.moving(line))
    }

    /// Returns the byte of the latest place for the declaration: the `first` of its users, or the start of the block
    /// around it at the declaration's level.
    fn latest(&self, first: usize) -> usize {
        let (file, place) = (self.file, self.arg.branch);
        let first = &file.instructions[first];
        if let [(spot, _)] = spots(file, self.arg.instruction + 1, self.users).as_slice()
            && spot.branch == place
        {
            return spot.at;
        }
        let out = file.blocks.outwards(first.branch);
        let branch = out.take_while(|outer| *outer != place).last();
        let block = branch.and_then(|branch| file.blocks.block(branch));
        block.map_or(first.span.start, |block| block.span.start)
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
        let value = value.map_err(|_| "its value is not UTF-8: move it by hand")?;
        let spots = spots(file, arg.instruction + 1, self.users);
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
