//! `early-arg`: the lane argument is declared before RUNs that do not need it.

use std::collections::HashSet;

use bstr::ByteSlice as _;
use memchr::memmem::Finder;

use crate::budget;
use crate::dockerfile::lines::is_blank;
use crate::dockerfile::{Declaration, DeclaredBy, Instruction, Keyword, directives};
use crate::finding::{Finding, RuleId};
use crate::fix::{Applicability, Edit, Fix};
use crate::text::{Span, indentation, line_ending};

use super::caches::Cache;
use super::context::Context;
use super::declare::{count_word, has_variable, mentions, spots, whole_line};
use super::eligibility::gets_lane;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let name = cx.settings.arg.as_str();
    if !cx.caches().iter().any(|cache| cache.word.mentions(name)) {
        return;
    }
    let finder = Finder::new(name);
    // What another fix makes refer to the argument needs it, too; so does what refers to it by an escaped name.
    let needs = |cache: &&Cache<'_>| {
        cache.word.mentions(name) || gets_lane(cx, cache, name, Applicability::Unsafe)
    };
    let to_come: HashSet<usize> = cx
        .caches()
        .iter()
        .filter(needs)
        .map(|cache| cache.instruction)
        .collect();
    let own = |d: &&Declaration| d.by == DeclaredBy::Arg && d.stage.is_some() && !d.onbuild;
    for stage in cx
        .file
        .declarations(name)
        .chunk_by(|a, b| a.stage == b.stage)
    {
        let args = || stage.iter().filter(own).take_while(|_| budget::spend(1));
        let Some(at) = args().next().and_then(|arg| arg.stage) else {
            continue;
        };
        let uses = |index: &usize| {
            to_come.contains(index) || mentions(cx.file, &cx.file.instructions[*index], &finder)
        };
        let users: Vec<usize> = cx.file.stages[at]
            .instructions
            .clone()
            .filter(uses)
            .collect();
        findings.extend(args().filter_map(|arg| {
            let below = users.partition_point(|user| *user <= arg.instruction);
            finding(cx, arg, name, &users[below..])
        }));
    }
}

/// The finding for `arg`, which `users` need.
fn finding(cx: &Context<'_>, arg: &Declaration, name: &str, users: &[usize]) -> Option<Finding> {
    // A later name on the same line may be made of it.
    if count_word(
        cx.file.instructions[arg.instruction].text.bytes(),
        &Finder::new(name),
    ) > 1
    {
        return None;
    }
    let first = *users.first()?;
    // The line can move no further than to the block that its users stand in.
    let limit = latest(cx, arg, users);
    let between = &cx.file.instructions[arg.instruction + 1..first];
    if !budget::spend(between.len()) {
        return None;
    }
    let before =
        |i: &&Instruction<'_>| i.keyword == Keyword::Run && !i.onbuild && i.span.start < limit;
    let runs = between.iter().filter(before).count();
    if runs == 0 {
        return None;
    }
    let instruction = &cx.file.instructions[arg.instruction];
    let span = instruction
        .text
        .span(arg.name_end - name.len(), arg.name_end);
    let user = &cx.file.instructions[first];
    let message = match runs {
        1 => format!(
            "every job rebuilds the RUN between this line and line {}, which does not need `{name}`",
            user.lines.0
        ),
        _ => format!(
            "every job rebuilds the {runs} RUNs between this line and line {}, which do not need `{name}`",
            user.lines.0
        ),
    };
    Some(
        Finding::new(RuleId::EarlyArg, span, message)
            .help(format!(
                "move it down to above line {}, the first that uses it",
                user.lines.0
            ))
            .label(user.name, "first used here")
            .fix(moving(cx, arg, name, users)),
    )
}

/// The byte that the declaration could stand before at the latest: the first of `users`, or the start of the block, of
/// those in the same place as the declaration, that it stands in.
fn latest(cx: &Context<'_>, arg: &Declaration, users: &[usize]) -> usize {
    let (file, first) = (cx.file, &cx.file.instructions[users[0]]);
    if let [(spot, _)] = spots(file, arg.instruction + 1, users).as_slice()
        && spot.branch == arg.branch
    {
        return spot.at;
    }
    let branch = file
        .blocks
        .outwards(first.branch)
        .take_while(|place| *place != arg.branch)
        .last();
    branch
        .and_then(|place| file.blocks.block(place))
        .map_or(first.span.start, |block| block.span.start)
}

/// Whether a line below the declaration would be read otherwise if the declaration went: it is the first instruction of a
/// file, and a comment such as `# escape=` follows, or a byte-order mark.
fn guards(cx: &Context<'_>, arg: &Declaration) -> bool {
    let source = cx.file.source;
    let line = whole_line(source, &cx.file.instructions[arg.instruction]);
    arg.instruction == 0
        && directives::differ(
            source,
            &[&source[..line.start], &source[line.end..]].concat(),
        )
}

/// The fix that moves the declaration to above the first of `users`.
fn moving(cx: &Context<'_>, arg: &Declaration, name: &str, users: &[usize]) -> Result<Fix, String> {
    let file = cx.file;
    let same = |d: &&Declaration| {
        budget::spend(1) && d.stage == arg.stage && d.by == DeclaredBy::Arg && !d.onbuild
    };
    if file.declarations(name).iter().filter(same).nth(1).is_some() {
        return Err(
            "the stage declares it more than once: keep one of the lines, and move that".into(),
        );
    }
    if file.instructions[arg.instruction].lead < file.instructions[arg.instruction].span.start {
        return Err("the comment above belongs to it: move both by hand".into());
    }
    if guards(cx, arg) {
        return Err(
            "a line below would become a parser directive, or lose its first mark (U+FEFF): move it by hand".into()
        );
    }
    if has_variable(arg, file.escape) {
        return Err(
            "its value holds a variable, which may be another further down: move it by hand".into(),
        );
    }
    if arg
        .value
        .as_deref()
        .is_some_and(|value| std::str::from_utf8(value).is_err())
    {
        return Err("its value is not UTF-8: move it by hand".into());
    }
    let spots = spots(file, arg.instruction + 1, users);
    let [(spot, _)] = spots.as_slice() else {
        return Err(
            "the places that use it stand in different blocks of the template: move it by hand"
                .into(),
        );
    };
    if spot.branch != arg.branch {
        return Err("a template's block stands between: move it by hand".into());
    }
    let instruction = &file.instructions[arg.instruction];
    let (indent, ending) = (
        indentation(file.source, spot.beside),
        line_ending(file.source, spot.at),
    );
    let keyword = String::from_utf8_lossy(instruction.name.of(file.source)).into_owned();
    let value = arg.value.as_ref().map_or_else(String::new, |value| {
        format!("={}", String::from_utf8_lossy(value))
    });
    let mut edits = vec![Edit::insert(
        spot.at,
        format!("{indent}{keyword} {name}{value}{ending}"),
    )];
    if arg.alone {
        if instruction.lines.0 != instruction.lines.1 {
            return Err("it stands on several lines: move it by hand".into());
        }
        edits.push(Edit::delete(whole_line(file.source, instruction)));
    } else {
        let span = word_span(
            instruction,
            arg.name_end - name.len(),
            arg.name_end + value.len(),
        )?;
        edits.push(Edit::delete(span));
    }
    Ok(Fix::safe(
        format!(
            "move `{name}` down to above line {}",
            file.instructions[users[0]].lines.0
        ),
        edits,
    ))
}

/// Where the word `text[start..end]` of a declaration stands, with the white space that goes with it.
fn word_span(instruction: &Instruction<'_>, start: usize, end: usize) -> Result<Span, String> {
    let text = instruction.text.bytes();
    let behind = &text[end..];
    let blanks = text[..start]
        .iter()
        .rev()
        .take_while(|b| is_blank(**b))
        .count();
    let is_first = start - blanks < instruction.args;
    if is_first && behind.trim_start().starts_with(b"--") {
        return Err("what follows it on its line would be read as a flag: move it by hand".into());
    }
    // The keyword is split off at fewer kinds of white space than the words behind it.
    let blanks = if is_first && !behind.first().is_some_and(|b| is_blank(*b)) {
        0
    } else {
        blanks
    };
    let span = instruction.text.span(start - blanks, end);
    if span.len() != end - (start - blanks) {
        return Err("its line is continued around it: move it by hand".into());
    }
    Ok(span)
}
