//! Declaring an argument: where its `ARG` line stands.
//!
//! The line belongs as late as it can stand, since an ARG in scope is part of the layer key of every later RUN of its
//! stage: right before the first RUN that refers to it, above that RUN's own comments, and never where a template's
//! block would hide it from another RUN that needs it.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use bstr::ByteSlice as _;

use crate::budget;
use crate::dockerfile::{Declaration, DeclaredBy, Dockerfile, Instruction, Place, Sharing, Word};
use crate::finding::{LockKey, RuleId};
use crate::fix::{Applicability, Edit};
use crate::text::{Span, line_ending};

use super::caches::Cache;
use super::caches::needs_value;
use super::context::Context;
use super::lane::{has_room, is_shared_lock, keeps_id, lacks_lane, obstacle};
use super::platforms::lacks_platform;
use refused::{Refusal, refused};
use uses::{Uses, used_elsewhere};

mod refused;
mod uses;

pub(super) use uses::{count_word, mentions};

/// The ARG lines that a file needs for one name.
#[derive(Debug)]
pub struct Plan {
    /// What declares it for each instruction that would not see it.
    needs: HashMap<usize, Rc<Declaring>>,
    /// Where the name is used outside of cache ids.
    elsewhere: Uses,
    /// For each cache the first of its mounts that has a fix of its own, by its place among the caches.
    first: HashMap<Arc<LockKey>, usize>,
    /// The caches that get none after all, with the reason.
    refused: HashMap<Arc<LockKey>, Refusal>,
}

/// One ARG line that is needed.
#[derive(Debug)]
pub struct Declaring {
    /// The line, without indentation and ending.
    pub line: String,
    /// The 1-based line of the instruction that it comes above.
    pub above: usize,
    /// The edits that put it where it belongs.
    pub edits: Vec<Edit>,
    /// The 1-based line on which the stage declares the name already, but too late.
    pub late: Option<usize>,
    /// Whether that line is the one that is moved.
    pub moves: bool,
    /// Whether nothing but cache ids can change by it.
    pub safe: bool,
}

impl Declaring {
    /// What is done, in the imperative.
    #[must_use]
    pub fn title(&self) -> String {
        let what = if self.moves { "move up" } else { "declare" };
        let care = if self.safe {
            ""
        } else {
            " (look whether what else uses it may change)"
        };
        [what, " `", &self.line, "`", care].concat()
    }

    /// What to write, for people.
    #[must_use]
    pub fn advice(&self) -> String {
        let (line, above) = (&self.line, self.above);
        match self.late {
            Some(late) if self.moves => {
                format!("move `{line}` from line {late} to above line {above}")
            }
            Some(late) => {
                format!("put `{line}` above line {above} (the one on line {late} comes too late)")
            }
            None => format!("put `{line}` above line {above}"),
        }
    }
}

impl Context<'_> {
    /// What makes `name` visible at instruction `index`; `None` where it is.
    ///
    /// All RUNs of the stage that refer to the name, or will once their fixes up to `level` are made, are taken into
    /// account, so that one line serves them all.
    pub fn declaring(
        &self,
        name: &str,
        index: usize,
        level: Applicability,
    ) -> Option<Rc<Declaring>> {
        self.plan(name, level).needs.get(&index).cloned()
    }

    /// Whether `cache` is the first of its mounts that has a fix up to `level` of its own that puts `name` into its id.
    pub(super) fn is_first(&self, cache: &Cache<'_>, name: &str, level: Applicability) -> bool {
        let plan = self.plan(name, level);
        plan.first
            .get(&cache.key)
            .is_some_and(|first| std::ptr::eq(self.caches()[*first].mount, cache.mount))
    }

    /// The mounts that get `name` into their ids along with `cache`, whose lock serves them.
    pub(super) fn served(&self, cache: &Cache<'_>, name: &str) -> impl Iterator<Item = &Cache<'_>> {
        let serves = name == self.settings.arg && lacks_lane(self.settings, cache);
        let served = if serves { cache.served(self.file) } else { &[] };
        served
            .iter()
            .take_while(|_| budget::spend(1))
            .map(|at| &self.caches()[*at])
            .filter(|other| may_change(self, other, &self.settings.arg))
    }

    /// Why `cache` gets no `name` into its id by a fix up to `level`, for people, if it gets none.
    pub(super) fn refused(
        &self,
        cache: &Cache<'_>,
        name: &str,
        level: Applicability,
    ) -> Option<String> {
        let plan = self.plan(name, level);
        if plan.first.contains_key(&cache.key) {
            return None;
        }
        let Some(refusal) = plan.refused.get(&cache.key) else {
            return obstacle(self, cache, name);
        };
        let other = &self.caches()[refusal.at];
        if std::ptr::eq(other.mount, cache.mount) {
            return Some(refusal.reason.clone());
        }
        let line = self.file.instructions[other.instruction].lines.0;
        Some(format!(
            "line {line} uses this cache, too, and gets no lane: {}",
            refusal.reason
        ))
    }

    /// Whether `name` is used outside of cache ids in the stage of instruction `index`, or in any where that is global.
    pub fn used_outside_ids(&self, name: &str, index: usize) -> bool {
        let plan = self.plan(name, Applicability::Safe);
        match self.file.stage_of(index) {
            Some(stage) => plan.elsewhere.stages[stage],
            None => plan.elsewhere.any(),
        }
    }

    /// Whether `name` is used outside of cache ids anywhere in the file: a build that passes it may build another image.
    pub fn used_by_builds(&self, name: &str) -> bool {
        self.plan(name, Applicability::Safe).elsewhere.any()
    }

    fn plan(&self, name: &str, level: Applicability) -> Rc<Plan> {
        let is_it =
            |(of, up_to, _): &&(String, Applicability, Rc<Plan>)| of == name && *up_to == level;
        if let Some((_, _, plan)) = self.plans.borrow().iter().find(is_it) {
            return Rc::clone(plan);
        }
        let mut first: HashMap<Arc<LockKey>, usize> = HashMap::new();
        // Folders whose lock goes elsewhere come along; all locks of a RUN serve the same ones.
        let (mut served, mut last) = (HashSet::new(), None);
        for (index, cache) in self.caches().iter().enumerate() {
            if !gets_lane(self, cache, name, level) {
                continue;
            }
            first.entry(Arc::clone(&cache.key)).or_insert(index);
            if last != Some(cache.instruction) {
                for other in self.served(cache, name) {
                    served.insert(Arc::clone(&other.key));
                    last = Some(cache.instruction);
                }
            }
        }
        for (index, cache) in self
            .caches()
            .iter()
            .enumerate()
            .filter(|_| !served.is_empty())
        {
            if served.contains(&cache.key) {
                first.entry(Arc::clone(&cache.key)).or_insert(index);
            }
        }
        let takes = |cache: &Cache<'_>| {
            may_change(self, cache, name) || gets_lane(self, cache, name, level)
        };
        let refused = if first.is_empty() {
            HashMap::new()
        } else {
            refused(self, name, &first, takes)
        };
        first.retain(|key, _| !refused.contains_key(key));
        let goes_along = |c: &Cache<'_>| {
            !first.is_empty() && first.contains_key(&c.key) && may_change(self, c, name)
        };
        let refers = |c: &&Cache<'_>| c.word.mentions(name) || goes_along(c);
        let mut uses: Vec<usize> = self
            .caches()
            .iter()
            .filter(refers)
            .map(|cache| cache.instruction)
            .collect();
        uses.dedup();
        let own = own_default(self.file, name);
        let default = (name == self.settings.arg).then_some(self.settings.default.as_str());
        let keeps = keeps_id(self.settings, name);
        // Builds that pass nothing keep what they have by a bare ARG alone. Where the file has a default for the mounts of
        // one stage, those of another get it, too: they are to stay one cache.
        let short = self.caches().iter().filter(|cache| {
            let gets = goes_along(cache);
            if keeps {
                own.is_some() && gets
            } else {
                gets || needs_value(&cache.word, name)
            }
        });
        let own = own.as_deref();
        let wanted = Wanted {
            name,
            default,
            own,
            short: short.map(|cache| cache.instruction).collect(),
        };
        let plan = Plan::new(self.file, &wanted, &uses);
        let plan = Rc::new(Plan {
            first,
            refused,
            ..plan
        });
        self.plans
            .borrow_mut()
            .push((name.to_owned(), level, Rc::clone(&plan)));
        plan
    }
}

/// The default that the stages of `file` give the argument `name`, where they all give it the same: another one would split
/// their caches in builds that pass nothing.
pub(super) fn own_default(file: &Dockerfile<'_>, name: &str) -> Option<String> {
    let given = |d: &&Declaration| d.by == DeclaredBy::Arg && !d.onbuild && d.stage.is_some();
    let mut values = file
        .declarations(name)
        .iter()
        .filter(given)
        .filter_map(|d| d.value.as_deref());
    let first = values
        .next()
        .filter(|first| values.all(|value| value == *first))?;
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
    (!first.is_empty() && first.iter().all(plain))
        .then(|| String::from_utf8_lossy(first).into_owned())
}

/// Whether `cache` has a fix up to `level` that puts `name` into its id. The other mounts of the same cache follow.
pub(super) fn gets_lane(
    cx: &Context<'_>,
    cache: &Cache<'_>,
    name: &str,
    level: Applicability,
) -> bool {
    let review = level == Applicability::Unsafe;
    if name == cx.settings.arg {
        let private =
            || cache.sharing == Some(Sharing::Private) && cx.may_speak(RuleId::PrivateCache, cache);
        let unlocked =
            || cache.is_unlocked_apt(cx.file) && cx.may_speak(RuleId::UnlockedApt, cache);
        let shared = is_shared_lock(cx, cache) && cx.may_speak(RuleId::SharedLock, cache);
        return (shared || (review && lacks_lane(cx.settings, cache) && (private() || unlocked())))
            && has_room(cx.settings, cache, &cx.settings.arg);
    }
    review
        && name == "TARGETARCH"
        && lacks_platform(cx, cache)
        && cx.may_speak(RuleId::PlatformLock, cache)
}

/// A name that is to be declared.
struct Wanted<'n> {
    name: &'n str,
    /// The value to give it; `None` for an argument that BuildKit itself sets.
    default: Option<&'n str>,
    /// The value that the file itself gives it elsewhere. It is not for triggers, which belong to another build.
    own: Option<&'n str>,
    /// The instructions with ids that would be cut short without a value. The others, `${NAME:+-${NAME}}` say, would
    /// become others by a default: what they refer to is declared bare.
    short: HashSet<usize>,
}

/// Whether the id of `cache` may be given `name` along with another mount of the same cache: nobody asked for it to be
/// left as it is.
pub(super) fn may_change(cx: &Context<'_>, cache: &Cache<'_>, name: &str) -> bool {
    !cx.is_suppressed(
        if name == cx.settings.arg {
            RuleId::SharedLock
        } else {
            RuleId::PlatformLock
        },
        cache,
    )
}

impl Plan {
    /// Plans the lines that declare what is `wanted` for the instructions `uses`, which are in order.
    fn new(file: &Dockerfile<'_>, wanted: &Wanted<'_>, uses: &[usize]) -> Self {
        let name = wanted.name;
        let (needs, first, refused) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut plan = Self {
            needs,
            elsewhere: used_elsewhere(file, name),
            first,
            refused,
        };
        let roots = roots(file);
        let short = short_stages(file, wanted, &roots);
        // What is planned for a stage and there for the stages built from it.
        let mut handed_on: Vec<Option<Rc<Declaring>>> = vec![None; file.stages.len()];
        let mut rest = uses;
        for stage in &file.stages {
            let parent = stage
                .parent()
                .filter(|parent| roots[stage.index] <= *parent);
            let inherited = parent.and_then(|parent| handed_on[parent].clone());
            let (own, others) =
                rest.split_at(rest.partition_point(|index| *index < stage.instructions.end));
            rest = others;
            let hidden = |index: &usize| is_hidden(file, name, *index, &roots);
            let (triggers, plain): (Vec<usize>, Vec<usize>) = own
                .iter()
                .copied()
                .filter(hidden)
                .partition(|index| file.instructions[*index].onbuild);
            handed_on[stage.index] = match inherited {
                Some(need) => {
                    plan.needs
                        .extend(plain.into_iter().map(|index| (index, Rc::clone(&need))));
                    Some(need)
                }
                None if plain.is_empty() => None,
                None => plan.declare(file, wanted, (stage.index, short[stage.index]), &plain),
            };
            if !triggers.is_empty() {
                plan.declare(file, wanted, (stage.index, false), &triggers);
            }
        }
        plan
    }

    /// Declares what is `wanted` for `uses`, all of one stage; gives what the stages built from it see, too. With the
    /// stage comes whether a line for all of it needs a value.
    fn declare(
        &mut self,
        file: &Dockerfile<'_>,
        wanted: &Wanted<'_>,
        (stage, short): (usize, bool),
        uses: &[usize],
    ) -> Option<Rc<Declaring>> {
        let mut handed_on = None;
        let start = file.stages[stage].instructions.start;
        for (spot, uses) in spots(file, start, uses) {
            let short = (short && spot.place == Place::FILE)
                || uses.iter().any(|index| wanted.short.contains(index));
            let mut need = arg_line(file, wanted, short, stage, &spot, uses[0]);
            need.safe = !self.elsewhere.stages[stage];
            let need = Rc::new(need);
            if spot.place == Place::FILE {
                handed_on = Some(Rc::clone(&need));
            }
            self.needs
                .extend(uses.into_iter().map(|index| (index, Rc::clone(&need))));
        }
        handed_on
    }
}

/// Where a line can be put.
pub(super) struct Spot {
    /// Before this byte, the start of a line.
    pub(super) at: usize,
    /// The first byte of the line that it shares indentation and line ending with.
    pub(super) beside: usize,
    /// Where it stands among a template's blocks.
    pub(super) place: Place,
}

/// Where lines have to stand so that all of `uses` come behind one; more than one only where a template's block opens
/// before the stage does. `start` is the stage's first instruction.
pub(super) fn spots(
    file: &Dockerfile<'_>,
    start: usize,
    uses: &[usize],
) -> Vec<(Spot, Vec<usize>)> {
    let mut done = Vec::new();
    let mut todo = vec![uses.to_vec()];
    while let Some(uses) = todo.pop().filter(|uses| budget::spend(16 * uses.len())) {
        let first = &file.instructions[uses[0]];
        let places = uses.iter().map(|index| file.instructions[*index].place);
        let common = places.fold(first.place, |a, b| file.blocks.common(a, b));
        if first.place == common {
            let spot = Spot {
                at: first.lead.max(file.top),
                beside: first.span.start,
                place: common,
            };
            done.push((spot, uses));
            continue;
        }
        // The branch right below `common` that the first use stands in: the line goes above its block.
        let branch = file
            .blocks
            .way_out(first.place)
            .take_while(|place| *place != common)
            .last()
            .unwrap_or(common);
        let opener = file
            .blocks
            .block(branch)
            .map_or(first.lead, |block| block.span.start);
        let earliest = start
            .checked_sub(1)
            .map_or(file.top, |from| file.instructions[from].span.end);
        if opener < earliest {
            let (inside, outside): (Vec<usize>, Vec<usize>) = uses.iter().partition(|index| {
                file.blocks
                    .encloses(branch, file.instructions[**index].place)
            });
            todo.push(outside);
            todo.push(inside);
            continue;
        }
        // A tag can stand inside of a continued instruction: then the line goes above that one.
        let anchor = file
            .instruction_at(opener)
            .map(|index| &file.instructions[index]);
        let at = anchor
            .map_or(opener, |instruction| instruction.lead)
            .max(file.top);
        done.push((
            Spot {
                at,
                beside: anchor.map_or(opener, |i| i.span.start),
                place: common,
            },
            uses,
        ));
    }
    done
}

/// For each stage the first one that it is built from whatever builds pass: a FROM line with a variable may name another
/// base, or an image.
fn roots(file: &Dockerfile<'_>) -> Vec<usize> {
    let mut roots: Vec<usize> = Vec::with_capacity(file.stages.len());
    for stage in &file.stages {
        let varies = stage
            .from
            .is_some_and(|from| file.instructions[from].arguments().contains(&b'$'));
        let parent = stage.parent().filter(|_| !varies);
        roots.push(parent.map_or(stage.index, |parent| roots[parent]));
    }
    roots
}

/// Whether the instruction `index` does not see `name`, or not in every build. `roots` are the file's.
fn is_hidden(file: &Dockerfile<'_>, name: &str, index: usize, roots: &[usize]) -> bool {
    let Some(seen) = file.visible(name, index) else {
        return true;
    };
    // What a stage is built from comes before it.
    file.stage_of(index)
        .zip(seen.stage)
        .is_some_and(|(stage, declared)| declared < roots[stage])
}

/// For each stage, whether an id in it, or in one built from it, that does not see the name would be cut short.
fn short_stages(file: &Dockerfile<'_>, wanted: &Wanted<'_>, roots: &[usize]) -> Vec<bool> {
    let mut short = vec![false; file.stages.len()];
    for index in &wanted.short {
        let hidden =
            !file.instructions[*index].onbuild && is_hidden(file, wanted.name, *index, roots);
        if let Some(stage) = file.stage_of(*index).filter(|_| hidden) {
            short[stage] = true;
        }
    }
    hand_down(file, &mut short);
    short
}

/// Marks the stages that marked ones are built from.
fn hand_down(file: &Dockerfile<'_>, marked: &mut [bool]) {
    for stage in (0..marked.len()).rev() {
        if let Some(parent) = file.stages[stage].parent() {
            marked[parent] |= marked[stage];
        }
    }
}

/// The ARG line for what is `wanted` at `spot`, before the RUN `first`, and the edits that put it there. `short` says
/// whether it needs a value.
fn arg_line(
    file: &Dockerfile<'_>,
    wanted: &Wanted<'_>,
    short: bool,
    stage: usize,
    spot: &Spot,
    first: usize,
) -> Declaring {
    let name = wanted.name;
    let user = &file.instructions[first];
    let late = if user.onbuild {
        None
    } else {
        late_declaration(file, name, stage, spot, first)
    };
    let value = late
        .and_then(|late| late.value.as_deref())
        .filter(|value| value.is_ascii() && !value.contains(&b'$'));
    let global = file
        .global(name)
        .is_some_and(|global| global.value.is_some())
        && !user.onbuild;
    let declared = match (wanted.default, value) {
        (None, _) => name.into(),
        (Some(_), Some(value)) => format!("{name}={}", value.to_str_lossy()),
        (Some(_), None) if global || !short => name.into(),
        (Some(default), None) => format!(
            "{name}={}",
            wanted.own.filter(|_| !user.onbuild).unwrap_or(default)
        ),
    };
    let lower = user
        .name
        .of(file.source)
        .first()
        .is_some_and(u8::is_ascii_lowercase);
    let keyword = match (user.onbuild, lower) {
        (false, false) => "ARG",
        (false, true) => "arg",
        (true, false) => "ONBUILD ARG",
        (true, true) => "onbuild arg",
    };
    let (indent, ending) = (
        indentation(file.source, spot.beside),
        line_ending(file.source, spot.at),
    );
    let above = user.lines.0;
    let late_line = late.map(|late| file.instructions[late.instruction].lines.0);
    let Some(arg) = late
        .filter(|late| is_movable(file, late, spot))
        .map(|late| &file.instructions[late.instruction])
    else {
        let line = format!("{keyword} {declared}");
        let edits = vec![Edit::insert(spot.at, format!("{indent}{line}{ending}"))];
        return Declaring {
            line,
            above,
            edits,
            late: late_line,
            moves: false,
            safe: true,
        };
    };
    let line = arg.text.bytes().to_str_lossy().trim_end().to_owned();
    let edits = vec![
        Edit::insert(spot.at, format!("{indent}{line}{ending}")),
        Edit::delete(whole_line(file.source, arg)),
    ];
    Declaring {
        line,
        above,
        edits,
        late: late_line,
        moves: true,
        safe: true,
    }
}

/// Whether the line of `late` can be moved to `spot` as it is: it stands alone, without a comment that would be left
/// behind, and its value is text, the same up there.
fn is_movable(file: &Dockerfile<'_>, late: &Declaration, spot: &Spot) -> bool {
    let arg = &file.instructions[late.instruction];
    let commented = arg.lead < arg.span.start;
    late.alone
        && !commented
        && late.place == spot.place
        && arg.lines.0 == arg.lines.1
        && std::str::from_utf8(arg.text.bytes()).is_ok()
        && !has_variable(late, file.escape)
}

/// The ARG of the stage that declares `name`, but only behind the RUN `first`.
fn late_declaration<'f>(
    file: &'f Dockerfile<'_>,
    name: &str,
    stage: usize,
    spot: &Spot,
    first: usize,
) -> Option<&'f Declaration> {
    let all = file.declarations(name);
    let behind = &all[all.partition_point(|d| d.instruction <= first)..];
    let mut own = behind
        .iter()
        .take_while(|d| d.stage == Some(stage))
        .filter(|d| !d.onbuild);
    own.find(|d| d.by == DeclaredBy::Arg && file.blocks.encloses(spot.place, d.place))
}

pub(super) fn has_variable(declaration: &Declaration, escape: u8) -> bool {
    let value = declaration.value.as_deref().unwrap_or_default();
    Word::read(value, escape).map_or(true, |word| word.has_variable())
}

/// The line of a one-line instruction, its newline included.
pub(super) fn whole_line(source: &[u8], instruction: &Instruction<'_>) -> Span {
    let end = memchr::memchr(b'\n', &source[instruction.span.end..]);
    Span::new(
        instruction.span.start,
        end.map_or(source.len(), |at| instruction.span.end + at + 1),
    )
}

/// The blanks that the line at byte `start` begins with.
pub(super) fn indentation(source: &[u8], start: usize) -> String {
    let blanks = source[start..]
        .iter()
        .take_while(|b| matches!(b, b' ' | b'\t'));
    blanks.map(|&b| char::from(b)).collect()
}
