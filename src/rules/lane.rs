//! Making an id isolated: the text that goes into it, and the `ARG` line that it needs.
//!
//! The line belongs as late as it can stand, since an ARG in scope is part of the layer key of every later RUN of its
//! stage: right before the first RUN that refers to it, above that RUN's own comments, and never where a template's
//! block would hide it from another RUN that needs it.

use std::collections::HashMap;

use bstr::ByteSlice as _;

use crate::dockerfile::{
    Base, Declaration, DeclaredBy, Dockerfile, Instruction, Keyword, Mount, Place, Sharing, Word, lines,
};
use crate::fix::Edit;
use crate::text::{Span, line_ending};

use super::{Cache, Context};

/// The ARG lines that a file needs for one name: for each instruction that would not see it, the edits that declare it.
#[derive(Debug, Default)]
pub struct Plan {
    edits: HashMap<usize, Vec<Edit>>,
}

impl Context<'_> {
    /// The edits that make the id of `cache` isolated: the lane goes into the id, and the argument is declared.
    ///
    /// # Errors
    /// Why it cannot be done by an edit, for people.
    pub fn isolate(&self, cache: &Cache<'_>) -> Result<Vec<Edit>, String> {
        let mut edits = vec![isolating_edit(self, cache)?];
        edits.extend(self.declare_lane(cache.instruction));
        Ok(edits)
    }

    /// The edits that make the lane argument visible at instruction `index`; none where it is.
    ///
    /// They take into account every RUN of the stage that refers to the argument or will once it is fixed.
    pub fn declare_lane(&self, index: usize) -> Vec<Edit> {
        let plan = self.lane.get_or_init(|| {
            let name = self.settings.arg.as_str();
            let caches = self.caches().iter();
            let uses =
                caches.filter(|c| c.word.mentions(name) || is_shared_lock(self, c) && isolating_edit(self, c).is_ok());
            Plan::new(self, name, Some(&self.settings.default), uses.map(|cache| cache.instruction))
        });
        plan.edits.get(&index).cloned().unwrap_or_default()
    }

    /// The edits that make `name`, a platform argument, visible at instruction `index`.
    pub fn declare_platform(&self, name: &str, index: usize) -> Vec<Edit> {
        let uses = self.caches().iter().filter(|cache| cache.word.mentions(name)).map(|cache| cache.instruction);
        Plan::new(self, name, None, uses).edits.remove(&index).unwrap_or_default()
    }
}

/// Whether every build on the builder that uses the mount's id waits for the one that holds it.
#[must_use]
pub fn is_shared_lock(cx: &Context<'_>, cache: &Cache<'_>) -> bool {
    cache.sharing == Some(Sharing::Locked) && !cache.is_isolated(cx.settings)
}

/// The id of `cache` with the lane in it, as messages show it.
#[must_use]
pub fn isolated_id(cx: &Context<'_>, cache: &Cache<'_>) -> String {
    format!("{}-${{{}}}", cache.id(), cx.settings.arg)
}

/// The edit that puts the lane into the id of `cache`.
fn isolating_edit(cx: &Context<'_>, cache: &Cache<'_>) -> Result<Edit, String> {
    let mount = cache.mount;
    let lane = format!("-${{{}}}", cx.settings.arg);
    if let Some(field) = mount.field("id") {
        let at = mount.value_span(field).end;
        let lane = if mount.id().is_some() { lane } else { target_as_id(mount)? + &lane };
        return Ok(Edit::insert(at, lane));
    }
    let field = mount.field("type").ok_or("the mount names no type")?;
    Ok(Edit::insert(field.next, format!(",id={}{lane}", target_as_id(mount)?)))
}

/// The target of `mount`, written so that BuildKit reads the same bytes again as an id.
fn target_as_id(mount: &Mount<'_>) -> Result<String, String> {
    let target = mount.effective_id();
    let Ok(text) = target.to_str() else {
        return Err("the target is not UTF-8: give the mount an id of its own".into());
    };
    if text.contains([',', '"']) {
        return Err("the target holds a comma or a quote: give the mount an id of its own".into());
    }
    if mount.templated {
        let plain = !text.contains(['\'', char::from(mount.escape)]);
        return plain.then(|| text.into()).ok_or_else(|| "the target is a template's: give the mount an id".into());
    }
    if target.iter().any(|b| matches!(b, 0x85 | 0xA0)) {
        return Err("BuildKit would split the target at one of its characters: give the mount an id of its own".into());
    }
    let mut id = String::with_capacity(text.len());
    for ch in text.chars() {
        if ch == '\'' || ch.is_ascii_whitespace() || ch == '\x0B' || ch == char::from(mount.escape) {
            id.push(char::from(mount.escape));
        }
        id.push(ch);
    }
    Ok(id)
}

impl Plan {
    /// Plans the lines that declare `name` for the instructions `uses`, which are in order. `default` is the value to
    /// give it; `None` for an argument that BuildKit itself sets.
    fn new(cx: &Context<'_>, name: &str, default: Option<&str>, uses: impl Iterator<Item = usize>) -> Self {
        let file = cx.file;
        let mut plan = Self::default();
        let mut uses: Vec<usize> = uses.collect();
        uses.dedup();
        // Whether what is planned for a stage is there for the stages built from it.
        let mut handed_on = vec![false; file.stages.len()];
        let mut rest = uses.as_slice();
        for stage in &file.stages {
            let inherited = matches!(stage.base, Base::Stage(base) if handed_on[base]);
            let (own, others) = rest.split_at(rest.partition_point(|index| *index < stage.instructions.end));
            rest = others;
            let hidden = |index: &usize| file.visible(name, *index).is_none();
            let (triggers, plain): (Vec<usize>, Vec<usize>) =
                own.iter().copied().filter(hidden).partition(|index| file.instructions[*index].onbuild);
            handed_on[stage.index] = inherited;
            if !inherited && !plain.is_empty() {
                handed_on[stage.index] = plan.declare(file, name, default, stage.index, &plain);
            }
            if !triggers.is_empty() {
                plan.declare(file, name, default, stage.index, &triggers);
            }
        }
        plan
    }

    /// Declares `name` for `uses`, all of one stage; says whether the stages built from it see it too.
    fn declare(
        &mut self,
        file: &Dockerfile<'_>,
        name: &str,
        default: Option<&str>,
        stage: usize,
        uses: &[usize],
    ) -> bool {
        let mut handed_on = false;
        let start = file.stages[stage].instructions.start;
        for (spot, uses) in spots(file, start, uses) {
            let edits = arg_line(file, name, default, stage, &spot, uses[0]);
            handed_on |= spot.place == Place::FILE;
            for index in uses {
                self.edits.insert(index, edits.clone());
            }
        }
        handed_on
    }
}

/// Where a line can be put.
struct Spot {
    /// Before this byte, the start of a line.
    at: usize,
    /// The first byte of the line that it shares indentation and line ending with.
    beside: usize,
    /// Where it stands among a template's blocks.
    place: Place,
}

/// Where lines have to stand so that all of `uses` come behind one; more than one only where a template's block opens
/// before the stage does. `start` is the stage's first instruction.
fn spots(file: &Dockerfile<'_>, start: usize, uses: &[usize]) -> Vec<(Spot, Vec<usize>)> {
    let mut done = Vec::new();
    let mut todo = vec![uses.to_vec()];
    while let Some(uses) = todo.pop() {
        let first = &file.instructions[uses[0]];
        let places = uses.iter().map(|index| file.instructions[*index].place);
        let common = places.fold(first.place, |a, b| file.blocks.common(a, b));
        if first.place == common {
            let spot = Spot { at: first.lead.max(file.top), beside: first.span.start, place: common };
            done.push((spot, uses));
            continue;
        }
        // The branch right below `common` that the first use stands in: the line goes above its block.
        let branch = file.blocks.way_out(first.place).take_while(|place| *place != common).last().unwrap_or(common);
        let opener = file.blocks.block(branch).map_or(first.lead, |block| block.span.start);
        let earliest = start.checked_sub(1).map_or(file.top, |from| file.instructions[from].span.end);
        if opener < earliest {
            let (inside, outside): (Vec<usize>, Vec<usize>) =
                uses.iter().partition(|index| file.blocks.encloses(branch, file.instructions[**index].place));
            todo.push(outside);
            todo.push(inside);
            continue;
        }
        // A tag can stand inside of a continued instruction: then the line goes above that one.
        let anchor = file.instruction_at(opener).map(|index| &file.instructions[index]);
        let at = anchor.map_or(opener, |instruction| instruction.lead).max(file.top);
        done.push((Spot { at, beside: anchor.map_or(opener, |i| i.span.start), place: common }, uses));
    }
    done
}

/// The edits that put the ARG line for `name` at `spot`, before the RUN `first`.
fn arg_line(
    file: &Dockerfile<'_>,
    name: &str,
    default: Option<&str>,
    stage: usize,
    spot: &Spot,
    first: usize,
) -> Vec<Edit> {
    let user = &file.instructions[first];
    let global = file.global(name).is_some_and(|global| global.value.is_some());
    let late = if user.onbuild { None } else { late_declaration(file, name, stage, spot, first) };
    let indent = indentation(file.source, spot.beside);
    let ending = line_ending(file.source, spot.at);
    let value = |value: &str| format!("{name}={value}");
    let declared = match (default, late.and_then(|late| late.value.as_deref())) {
        (None, _) => name.into(),
        (Some(_), Some(late)) if late.is_ascii() && !late.contains(&b'$') => value(&late.to_str_lossy()),
        (Some(_), _) if global && !user.onbuild => name.into(),
        (Some(default), _) => value(default),
    };
    let lower = user.name.of(file.source).first().is_some_and(u8::is_ascii_lowercase);
    let keyword = match (user.onbuild, lower) {
        (false, false) => "ARG",
        (false, true) => "arg",
        (true, false) => "ONBUILD ARG",
        (true, true) => "onbuild arg",
    };
    let movable = late.filter(|late| {
        let arg = &file.instructions[late.instruction];
        late.alone && late.place == spot.place && arg.lines.0 == arg.lines.1 && !has_variable(late, file.escape)
    });
    let Some(late) = movable else {
        return vec![Edit::insert(spot.at, format!("{indent}{keyword} {declared}{ending}"))];
    };
    let arg = &file.instructions[late.instruction];
    let line = arg.text.span(0, arg.text.bytes().len()).of(file.source).to_str_lossy();
    vec![
        Edit::insert(spot.at, format!("{indent}{}{ending}", line.trim_end())),
        Edit::delete(whole_line(file.source, arg)),
    ]
}

/// The ARG of the stage that declares `name`, but only behind the RUN `first`.
fn late_declaration<'f>(
    file: &'f Dockerfile<'_>,
    name: &str,
    stage: usize,
    spot: &Spot,
    first: usize,
) -> Option<&'f Declaration> {
    let mut own = file.declarations(name).iter().filter(|d| d.stage == Some(stage) && !d.onbuild);
    own.find(|d| d.by == DeclaredBy::Arg && d.instruction > first && file.blocks.encloses(spot.place, d.place))
}

fn has_variable(declaration: &Declaration, escape: u8) -> bool {
    let value = declaration.value.as_deref().unwrap_or_default();
    Word::read(value, escape).map_or(true, |word| word.has_variable())
}

/// The line of a one-line instruction, its newline included.
fn whole_line(source: &[u8], instruction: &Instruction<'_>) -> Span {
    let end = memchr::memchr(b'\n', &source[instruction.span.end..]);
    Span::new(instruction.span.start, end.map_or(source.len(), |at| instruction.span.end + at + 1))
}

/// The blanks that the line at byte `start` begins with.
fn indentation(source: &[u8], start: usize) -> String {
    let blanks = source[start..].iter().take_while(|b| matches!(b, b' ' | b'\t'));
    blanks.map(|&b| char::from(b)).collect()
}

/// Whether `instruction` mentions `name` as a word, in any part of it: an option, a script, a heredoc.
#[must_use]
pub fn mentions(file: &Dockerfile<'_>, instruction: &Instruction<'_>, name: &str) -> bool {
    let text = instruction.span.of(file.source);
    let part = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    text.find_iter(name).any(|at| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        !part(before) && !part(text.get(at + name.len()))
    }) && !(instruction.keyword == Keyword::Opaque && lines::is_comment(text))
}
