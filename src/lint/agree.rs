//! Compares what ids become: with the fixes made, caches that were apart stay apart, and the mounts of one cache stay one.
//!
//! The fixes of all files are made on copies, and the ids of all mounts expanded before and after, for builds that pass
//! a lane and builds that pass none. A fix that would join two caches, take one of a cache's mounts away from the
//! others, or give a build that passes nothing another cache is taken back, with the reason.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::budget;
use crate::builds::FormatRef;
use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, Location, Place, RuleId};
use crate::fix::{Applicability, Applied, Fix};
use crate::index::{BUILDS, Became, CacheMount};
use crate::rules::{Settings, caches};
use crate::text::marks::show;
use crate::text::{LineIndex, SourceMap};

use super::agreeing::{Agreeing, Changing, is_within};
use super::along::check_along;
use super::check::check;
use super::finalize::finalize;
use super::partition::{At, Clash, Edits, Kind, Member, clashes, drop_followed};
use super::turn::Turn;

/// Takes back the fixes of `files` that would join or part caches; `name` returns a file's path, by index, as reports
/// print it.
pub fn agree(files: &mut [Agreeing<'_>], name: &dyn Fn(usize) -> String) {
    for turn in Turn::keeping_caches() {
        let takes = |file: &Agreeing<'_>| file.findings().any(|finding| turn.takes(finding));
        if !files.iter().any(takes) {
            continue;
        }
        let mut trial = Trial::new(files, turn);
        while !trial.afters.is_empty() && budget::spend(1) {
            let clashes = trial.clashes();
            if clashes.is_empty() {
                break;
            }
            if trial.take_along(&clashes, name) {
                continue;
            }
            trial.take_back(&clashes, name);
        }
    }
}

/// The rest of a fix that is taken back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// It is for review: it goes with one that is.
    Review,
    /// Its advice: the reason says what has to be done along with it.
    Advice,
    /// Nothing: who follows its advice does the same harm, and the reason says what to write instead.
    Nothing,
}

/// A reason why a fix is not made.
struct Reason {
    text: String,
    left: Left,
    /// The place that fills the cache by its id, if that is why.
    filled: Option<Location>,
}

impl Reason {
    const fn new(left: Left, text: String) -> Self {
        Self {
            text,
            left,
            filled: None,
        }
    }

    /// Takes the fix of `finding` back.
    fn apply(self, finding: &mut Finding) {
        let filled = self.filled;
        let filled = filled.filter(|place| !finding.related.contains(place));
        finding.related.extend(filled);
        let fix = finding.fix.take();
        if self.left == Left::Nothing {
            (finding.help, finding.tip) = (finding.note.clone(), None);
        }
        match fix.filter(|_| self.left == Left::Review) {
            Some(fix) if fix.applicability() == Applicability::Safe => {
                let title = format!("{} ({})", fix.title(), self.text);
                finding.fix = Some(Fix::needs_review(title, fix.edits().to_vec()));
            }
            Some(fix) => finding.fix = Some(fix),
            None => finding.unfixed = Some(self.text),
        }
    }
}

/// The files with the fixes of a turn made.
struct Trial<'t, 'f> {
    files: &'t mut [Agreeing<'f>],
    turn: Turn,
    /// The ids of a file after such fixes.
    afters: BTreeMap<usize, Vec<Arc<Became>>>,
    /// The changes in each file.
    changing: BTreeMap<usize, Changing>,
    lines: RefCell<BTreeMap<usize, LineIndex>>,
}

impl<'t, 'f> Trial<'t, 'f> {
    fn new(files: &'t mut [Agreeing<'f>], turn: Turn) -> Self {
        let mut trial = Self {
            files,
            turn,
            afters: BTreeMap::new(),
            changing: BTreeMap::new(),
            lines: RefCell::default(),
        };
        for file in 0..trial.files.len() {
            trial.make(file);
        }
        trial
    }

    /// Makes the fixes of a file, if any.
    fn make(&mut self, index: usize) {
        let file = &self.files[index];
        self.changing.insert(index, file.changing(self.turn));
        self.afters.remove(&index);
        let Some(bytes) = self.turn.made(file.source, file.findings()) else {
            return;
        };
        let bytes = match bytes {
            Applied {
                bytes,
                deferred,
                origins,
                ..
            } if !deferred.is_empty() && file.format.is_none() => {
                self.made_later(file, bytes, origins)
            }
            Applied { bytes, .. } => bytes,
        };
        let after = became(&bytes, file.format, file.settings);
        // What cannot be compared is refused where it is proved.
        if after.len() == file.checked.mounts.len() {
            self.afters.insert(index, after);
        }
    }

    /// Makes those fixes of a file that wait for others, in rounds.
    fn made_later(
        &self,
        file: &Agreeing<'_>,
        mut bytes: Vec<u8>,
        mut origins: SourceMap,
    ) -> Vec<u8> {
        let places = &file.along.places;
        // Fixes may take each other back.
        let mut seen = HashSet::new();
        while seen.insert(bytes.clone()) {
            let mut checked = check(&bytes, file.settings);
            finalize(&mut checked, file.settings, false);
            let mut later = checked.findings;
            if !places.is_empty() {
                let mut planned = check_along(&bytes, file.settings, places);
                planned.replace(&mut later);
                later.append(&mut planned.along);
            }
            // What was taken back stays so.
            later.retain(|later| {
                let start = origins.near(later.span.start);
                let same = |one: &&Finding| (one.rule, one.span.start) == (later.rule, start);
                file.findings()
                    .find(same)
                    .is_none_or(|one| self.turn.makes(one))
            });
            let Some(applied) = self.turn.made(&bytes, later.iter()) else {
                break;
            };
            origins = applied.origins.compose(&origins);
            bytes = applied.bytes;
        }
        bytes
    }

    fn members(&self) -> Vec<Member<'_>> {
        let mut members = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            let after = self.afters.get(&index);
            let is_filled = file.fills().is_some();
            for (number, mount) in file.checked.mounts.iter().enumerate() {
                members.push(Member {
                    at: At {
                        file: index,
                        mount: number,
                    },
                    mount,
                    before: &mount.became,
                    after: after.map_or(&*mount.became, |after| &*after[number]),
                    is_filled,
                });
            }
        }
        // An unsafe fix of a lane changes both, where it can.
        if !self.turn.is_safe() {
            drop_followed(&mut members, |file| {
                matches!(self.files[file].fills(), Some(Ok(())))
            });
        }
        members
    }

    fn clashes(&self) -> Vec<Clash> {
        let members = self.members();
        if members.iter().all(|one| one.before == one.after) {
            return Vec::new();
        }
        let edits = |at: At| Edits {
            any: !self.editing(at, Turn::makes).is_empty(),
            own: !self.touching(at).is_empty(),
        };
        clashes(&members, self.turn.is_safe(), edits)
    }

    /// Returns the findings whose fixes change the mount at `at` itself.
    fn touching(&self, at: At) -> Vec<usize> {
        self.editing(at, Turn::takes)
    }

    /// Returns those of the findings that `takes` returns true for.
    fn editing(&self, at: At, takes: impl Fn(Turn, &Finding) -> bool) -> Vec<usize> {
        let file = &self.files[at.file];
        let taken = |number: &usize| {
            let finding = file.finding(*number);
            finding.is_some_and(|finding| takes(self.turn, finding))
        };
        let own = self.changing[&at.file].mounts.get(&at.mount);
        own.into_iter().flatten().copied().filter(taken).collect()
    }

    /// Returns the findings whose fixes decide what the id of the mount at `at` becomes: those that change it, or else
    /// those that change what stands around the mounts.
    fn deciding(&self, at: At) -> Vec<usize> {
        let own = self.touching(at);
        let Changing { picked, around, .. } = &self.changing[&at.file];
        match (own.is_empty(), around.is_empty()) {
            (false, _) => own,
            (true, true) => picked.clone(),
            (true, false) => around.clone(),
        }
    }

    /// Takes the fixes behind `clashes` back.
    fn take_back(&mut self, clashes: &[Clash], name: &dyn Fn(usize) -> String) {
        // By the file and the finding.
        let mut reasons: BTreeMap<(usize, usize), Reason> = BTreeMap::new();
        // The reason of a finding is that of its own mount, or else of another that its fix decides about.
        for is_own in [true, false] {
            for clash in clashes {
                let (file, mount) = (clash.at.file, self.mount(clash.at).mount_span);
                for at in self.deciding(clash.at) {
                    let finding = self.files[file].finding(at);
                    let is_it = finding.is_some_and(|one| is_within(one.span, mount));
                    if is_it == is_own {
                        let reason = reasons.entry((file, at));
                        reason.or_insert_with(|| self.reason(*clash, name));
                    }
                }
            }
        }
        if reasons.is_empty() {
            self.afters.clear();
        }
        let changed: BTreeSet<usize> = reasons.keys().map(|(file, _)| *file).collect();
        for ((file, at), mut reason) in reasons.into_iter().rev() {
            let Agreeing { checked, along, .. } = &mut self.files[file];
            let Some(finding) = checked.findings.get_mut(at) else {
                // Its own mount cannot go along.
                let finding = along.findings.remove(at - checked.findings.len());
                let mut mounts = checked.mounts.iter();
                let number = mounts.position(|mount| mount.span == finding.span);
                along.barred.extend(number);
                along.places.retain(|at, _| Some(*at) != number);
                continue;
            };
            if reason.left == Left::Review && !self.turn.is_safe() {
                reason.left = Left::Advice;
            }
            reason.apply(finding);
        }
        for file in changed {
            self.make(file);
        }
    }

    /// Lets mounts of other files go along with those that get a lane; returns whether any does.
    fn take_along(&mut self, clashes: &[Clash], name: &dyn Fn(usize) -> String) -> bool {
        let mut changed: BTreeSet<usize> = BTreeSet::new();
        for Clash { kind, at, other } in clashes {
            let At { file, mount } = *other;
            let fits = *kind == Kind::Parted
                && self.turn.is_safe()
                && at.file != file
                && self.touching(*other).is_empty()
                && self.files[file].may_go_along(mount);
            if fits {
                let place = self.place(*at, file, name);
                self.files[file].along.places.entry(mount).or_insert(place);
                changed.insert(file);
            }
        }
        for file in &changed {
            self.files[*file].plan_along();
            self.make(*file);
        }
        !changed.is_empty()
    }

    /// Returns why the fix behind `clash` is not made.
    fn reason(&self, clash: Clash, name: &dyn Fn(usize) -> String) -> Reason {
        let Clash { kind, at, other } = clash;
        let place = self.place(other, at.file, name);
        if let Some(fixed) = self.files[other.file].fills() {
            let id = show(&self.after(at).ids[0]);
            let text = match fixed {
                Ok(()) if self.turn.is_safe() => {
                    format!("{place} fills this cache by its id, and gets the new one, too")
                }
                Ok(()) => format!("{place} fills this cache by its id: name `{id}` there, too"),
                Err(why) => format!(
                    "{place} fills this cache by its id, which no fix changes there ({why}): change it there first, to `{id}` \
                     where its build passes no lane"
                ),
            };
            return Reason {
                filled: Some(self.location(other, name)),
                ..Reason::new(Left::Review, text)
            };
        }
        match kind {
            Kind::Joined => {
                let target = |at: At| self.mount(at).target.as_ref();
                if target(at).is_some() && target(at) == target(other) {
                    let text = format!("{place} has that id already: both become one cache");
                    return Reason::new(Left::Review, text);
                }
                let after = |at: At| Some(&self.afters.get(&at.file)?[at.mount].ids);
                let now = &self.mount(other).became.ids;
                let gets =
                    |own: &[Arc<[u8]>; BUILDS]| (0..BUILDS).any(|build| own[build] == now[build]);
                let reason = if after(at) == after(other) || after(at).is_some_and(gets) {
                    format!("{place} has another cache of that id: give this one an id of its own")
                } else {
                    format!("{place} would get the id of this cache then: give one of them another")
                };
                Reason::new(Left::Nothing, reason)
            }
            Kind::Moved => {
                let before = &self.mount(at).became;
                let [old, new] = [before, self.after(at)].map(|became| show(&became.ids[0]));
                let has = if before.stops {
                    format!("stops builds that pass nothing, and would give them `{new}` then")
                } else {
                    format!(
                        "has the cache `{old}` in builds that pass nothing, and would have `{new}`"
                    )
                };
                let Settings { arg, default, .. } = self.files[at.file].settings;
                let default = if before.is_empty { &old } else { default };
                let text = format!(
                    "{place} {has}: use a bare ARG, and write a default into the ids that need one, as in \
                     `${{{arg}:-{default}}}`"
                );
                Reason::new(Left::Nothing, text)
            }
            Kind::Parted => self.parted(at, other, &place),
            Kind::Uneven => {
                let [own, others] = [at, other].map(|at| show(&self.after(at).ids[0]));
                let reason = format!(
                    "{place} has this lane, too, and the cache `{others}` in builds that pass nothing, where this would get \
                     `{own}`: give both one default"
                );
                Reason::new(Left::Advice, reason)
            }
        }
    }

    fn mount(&self, at: At) -> &CacheMount {
        &self.files[at.file].checked.mounts[at.mount]
    }

    /// Returns what the id of the mount at `at` becomes after the fixes.
    fn after(&self, at: At) -> &Became {
        let after = self.afters.get(&at.file).map(|after| &after[at.mount]);
        after.unwrap_or_else(|| &self.mount(at).became)
    }

    /// Returns why the mount at `other`, which uses the cache of the one at `at`, does not go along.
    fn parted(&self, at: At, other: At, place: &str) -> Reason {
        if self.turn < Turn::Safe {
            let text = format!(
                "{place} uses this cache, too, and keeps its lane: take it away in both by hand"
            );
            return Reason::new(Left::Advice, text);
        }
        let has_lane = |at: At| {
            let ids = &self.mount(at).became.ids;
            ids[0] != ids[1]
        };
        if !self.touching(other).is_empty() || (has_lane(at) && has_lane(other)) {
            let [own, others] = [at, other].map(|at| &self.after(at).ids);
            let build = (0..BUILDS).find(|build| own[*build] != others[*build]);
            let [own, others] = [own, others].map(|ids| show(&ids[build.unwrap_or(0)]));
            let reason = format!(
                "{place} uses this cache, too, and would get `{others}` where this gets `{own}`: give both one default"
            );
            return Reason::new(Left::Advice, reason);
        }
        let file = &self.files[other.file];
        let mount = self.mount(other).mount_span;
        let mut findings = file.checked.findings.iter();
        let review = |finding: &Finding| {
            let fix = finding.fix.as_ref();
            let review = fix.is_some_and(|fix| fix.applicability() == Applicability::Unsafe);
            review && finding.rule == RuleId::SharedLock && is_within(finding.span, mount)
        };
        if findings.any(review) {
            let text = format!("{place} uses this cache, too, and needs a look");
            return Reason::new(Left::Review, text);
        }
        let why = file.obstacle(other.mount);
        let why = why.unwrap_or_else(|| "give both the lane by hand".into());
        let text = format!("{place} uses this cache, too, and gets no lane: {why}");
        Reason::new(Left::Advice, text)
    }

    /// Returns the place of what fills a cache.
    fn location(&self, at: At, name: &dyn Fn(usize) -> String) -> Location {
        let source = self.files[at.file].source;
        let span = self.mount(at).span;
        Location {
            place: Place::There {
                path: name(at.file),
                range: LineIndex::new(source).range(source, span),
            },
            message: "fills this cache by its id, which has to change there, too".into(),
        }
    }

    /// Returns the place of a mount as seen from the file `from`.
    fn place(&self, at: At, from: usize, name: &dyn Fn(usize) -> String) -> String {
        let mut lines = self.lines.borrow_mut();
        let lines = lines
            .entry(at.file)
            .or_insert_with(|| LineIndex::new(self.files[at.file].source));
        let line = lines.line(self.mount(at).mount_span.start);
        if at.file == from {
            format!("line {line}")
        } else {
            format!("{}:{line}", name(at.file))
        }
    }
}

/// Returns what the ids of the cache mounts in a file become.
fn became(source: &[u8], format: Option<FormatRef>, settings: &Settings) -> Vec<Arc<Became>> {
    let of = |source: &[u8]| -> Vec<Arc<Became>> {
        let file = Dockerfile::read_past_faults(source);
        let caches = caches::find(&file, settings).into_iter();
        caches.map(|cache| cache.became).collect()
    };
    let Some(format) = format else {
        return of(source);
    };
    let read = std::str::from_utf8(source).map(|text| format.read(text));
    let Ok(Ok(file)) = read else {
        return Vec::new();
    };
    let inline = file.inline.iter();
    inline
        .flat_map(|inline| of(inline.text.as_bytes()))
        .collect()
}
