//! Compares what ids become before fixes and after them.

use std::collections::HashMap;

use bstr::ByteSlice as _;

use crate::budget;
use crate::index::{BUILDS, Base, Became, CacheMount};
use crate::rules::tools::content;
use crate::rules::variables::PLATFORM_ARGS;
use crate::text::marks::{LANE, without_new};

/// A mount of a file, by their indices.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub(super) file: usize,
    pub(super) mount: usize,
}

/// A mount whose new id is wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Clash {
    pub(super) kind: Kind,
    pub(super) at: At,
    /// The mount that it gets in the way of.
    pub(super) other: At,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It gets the id of another cache.
    Joined,
    /// A build that passes nothing gets another cache.
    Moved,
    /// It leaves another mount of the same cache.
    Parted,
    /// It becomes one cache with another mount only in builds that pass a lane: their defaults differ.
    Uneven,
}

/// A mount before and after.
pub(super) struct Member<'m> {
    pub(super) at: At,
    pub(super) mount: &'m CacheMount,
    pub(super) before: &'m Became,
    pub(super) after: &'m Became,
    /// True for a cache that something fills by its id: nothing is mounted there.
    pub(super) is_filled: bool,
}

impl Member<'_> {
    /// Returns whether both have the same id as it is written, for the same content, and only one of them sees its lane.
    fn is_written_like(&self, other: &Self) -> bool {
        let kind = |member: &Self| member.mount.target.as_deref().and_then(content);
        let kinds = kind(self).zip(kind(other));
        let is_content_of = kinds.is_none_or(|(own, others)| own == others);
        is_content_of && self.mount.key == other.mount.key && !self.mount.became.is_empty
    }

    /// Returns whether the fixes give it a default, or its cache to one that `other` has.
    fn is_given(&self, other: &Self) -> bool {
        let (before, after) = (self.before, self.after);
        before.lane[0] != after.lane[0]
            || (before.ids != after.ids && before.ids[1] != other.before.ids[1])
    }

    /// Returns whether both are mounted at one place: a person may want them to be one cache.
    fn is_at_place_of(&self, other: &Self) -> bool {
        let is_same = self.mount.target.is_some() && self.mount.target == other.mount.target;
        // Below a WORKDIR that is unknown.
        let is_same_below = self.mount.at.is_some() && self.mount.at == other.mount.at;
        is_same || (self.at.file == other.at.file && is_same_below)
    }

    /// Returns whether the id gets the lane behind it, and nothing else.
    pub(super) fn gets_lane(&self) -> bool {
        let behind = |build: usize, lane: &[u8]| {
            let (old, new) = (&*self.before.ids[build], &*self.after.ids[build]);
            new.strip_prefix(old)
                .and_then(|behind| behind.strip_prefix(b"-"))
                == Some(lane)
        };
        behind(0, &self.after.lane[0]) && behind(1, LANE)
    }

    /// Returns whether builds would have another cache than before for no reason: the id of one that passes nothing may
    /// get the lane's default behind it, or the default that it lacked.
    fn is_moved(&self, is_edited: bool) -> bool {
        let (before, after) = (self.before, self.after);
        let fits = |build: usize, lane: &[u8]| {
            let (old, new) = (&*before.ids[build], &*after.ids[build]);
            let is_it = |new: &[u8]| {
                let behind = new.strip_prefix(old);
                let mut filled = before.filled.iter().filter(|_| !before.is_empty);
                let is_behind =
                    |behind: &[u8]| !lane.is_empty() && behind.strip_prefix(b"-") == Some(lane);
                old == new
                    || (is_edited && behind.is_some_and(is_behind))
                    || filled.any(|filled| filled.replace(LANE, lane) == new)
            };
            // A platform that is declared now was nothing before.
            is_it(new) || is_it(&without_new(new, old, PLATFORM_ARGS))
        };
        let had_lane = before.ids[0] != before.ids[1];
        !fits(0, &after.lane[0]) || (had_lane && !fits(1, LANE))
    }
}

/// The fixes that edit a mount.
pub(super) struct Edits {
    /// True where any does.
    pub(super) any: bool,
    /// True where one of the turn in question does.
    pub(super) own: bool,
}

/// Takes the caches away that are filled by ids which get the lane along with those of the mounts; `can_follow` returns
/// whether those of a file can change.
pub(super) fn drop_followed(members: &mut Vec<Member<'_>>, can_follow: impl Fn(usize) -> bool) {
    let is_followed = |fill: &Member<'_>| {
        let is_it = |one: &&Member<'_>| {
            let is_same = one.mount.key.base == fill.mount.key.base
                && one.before.ids[0] == fill.before.ids[0];
            is_same && !one.is_filled && one.before != one.after
        };
        budget::spend(members.len()) && members.iter().filter(is_it).all(Member::gets_lane)
    };
    let is_kept =
        |one: &Member<'_>| !(one.is_filled && can_follow(one.at.file) && is_followed(one));
    let kept: Vec<bool> = members.iter().map(is_kept).collect();
    let mut kept = kept.into_iter();
    members.retain(|_| kept.next().unwrap_or(true));
}

/// Returns the mounts with wrong ids after fixes, of one kind: the others may follow from them. A mount that a fix edits
/// may get another id where that is not `safe`.
pub(super) fn clashes(
    members: &[Member<'_>],
    safe: bool,
    edits: impl Fn(At) -> Edits,
) -> Vec<Clash> {
    let mut clashes = Vec::new();
    for build in 0..BUILDS {
        joined(members, build, safe, &mut clashes);
        parted(members, build, &mut clashes);
    }
    uneven(members, &mut clashes);
    let is_moved = |one: &&Member<'_>| {
        let is_meant = |edits: &Edits| edits.own && !safe;
        let edits = (one.before != one.after).then(|| edits(one.at));
        edits.is_some_and(|edits| one.is_moved(edits.any) && !is_meant(&edits))
    };
    let moved = members.iter().filter(is_moved);
    clashes.extend(moved.map(|one| Clash {
        kind: Kind::Moved,
        at: one.at,
        other: one.at,
    }));
    clashes.sort_unstable();
    clashes.dedup_by_key(|clash| (clash.kind, clash.at));
    let first = clashes.first().map(|clash| clash.kind);
    clashes.retain(|clash| Some(clash.kind) == first);
    // Where only one of two is to change, its fix is the wrong one; a declaration around the other may be right.
    let is_own = |clash: &Clash| clash.kind == Kind::Joined && edits(clash.at).own;
    if clashes.iter().any(is_own) {
        clashes.retain(is_own);
    }
    clashes
}

/// Adds the mounts that get the id of another cache, now or before: who passes nothing would find its files.
fn joined(members: &[Member<'_>], build: usize, safe: bool, clashes: &mut Vec<Clash>) {
    let mut before: HashMap<&[u8], &Member<'_>> = HashMap::new();
    for member in members.iter().filter(|member| !member.is_filled) {
        before.entry(&member.before.ids[build]).or_insert(member);
    }
    let mut after: HashMap<&[u8], &Member<'_>> = HashMap::new();
    for member in members {
        let (old, new) = (&*member.before.ids[build], &*member.after.ids[build]);
        if old == new {
            continue;
        }
        let now = *after.entry(new).or_insert(member);
        let others = [before.get(new).copied(), Some(now)].into_iter().flatten();
        let mut others = others.filter(|other| *other.before.ids[build] != *old);
        let is_meant = |other: &Member<'_>| {
            let is_reviewed = !safe && member.is_at_place_of(other);
            is_reviewed || member.is_written_like(other)
        };
        if let Some(other) = others.find(|other| !is_meant(other)) {
            for (at, other) in [(member, other), (other, member)] {
                // One that leaves that id stays, too: the next fix would give it to this one.
                if at.before.ids[build] != at.after.ids[build] {
                    clashes.push(Clash {
                        kind: Kind::Joined,
                        at: at.at,
                        other: other.at,
                    });
                }
            }
        }
    }
}

/// Adds the mounts that leave others of the same cache.
fn parted(members: &[Member<'_>], build: usize, clashes: &mut Vec<Clash>) {
    let mut caches: HashMap<(&[u8], &Base), Vec<&Member<'_>>> = HashMap::new();
    // What is filled is for builds that pass nothing.
    let passes_lane = build % 2 == 1;
    for member in members
        .iter()
        .filter(|member| !(member.is_filled && passes_lane))
    {
        let cache = (&*member.before.ids[build], &member.mount.key.base);
        caches.entry(cache).or_default().push(member);
    }
    for cache in caches.into_values() {
        let Some(first) = cache.first() else { continue };
        let new = |member: &Member<'_>| member.after.ids[build].clone();
        if cache.iter().all(|member| new(member) == new(first)) {
            continue;
        }
        let stays = |member: &&&Member<'_>| member.before.ids[build] == member.after.ids[build];
        let staying = cache.iter().find(stays);
        for member in cache.iter().filter(|one| one.before.ids != one.after.ids) {
            let is_other = |other: &&&Member<'_>| new(other) != new(member);
            let other = staying.filter(is_other);
            let other = other.or_else(|| cache.iter().find(is_other));
            clashes.extend(other.map(|other| Clash {
                kind: Kind::Parted,
                at: member.at,
                other: other.at,
            }));
        }
    }
}

/// Adds the mounts that get another default than one with which they share a lane's cache.
fn uneven(members: &[Member<'_>], clashes: &mut Vec<Clash>) {
    let mut caches: HashMap<(&[u8], &Base), &Member<'_>> = HashMap::new();
    for member in members {
        let cache = (&*member.after.ids[1], &member.mount.key.base);
        let first = *caches.entry(cache).or_insert(member);
        if first.after.ids[0] == member.after.ids[0] {
            continue;
        }
        for (at, other) in [(member, first), (first, member)] {
            if at.is_given(other) {
                clashes.push(Clash {
                    kind: Kind::Uneven,
                    at: at.at,
                    other: other.at,
                });
            }
        }
    }
}
