//! Making an id isolated: the lane goes into it, and the argument is declared where it is not.

use std::borrow::Cow;

use bstr::ByteSlice as _;

use crate::budget;
use crate::dockerfile::flags;
use crate::dockerfile::{Mount, Sharing, Word};
use crate::finding::{LockKey, RuleId};
use crate::fix::{Applicability, Edit, Fix};
use crate::text::{Mapped, Span, count};

use super::caches::{self, Cache, shadowing_env};
use super::context::Context;
use super::declare::{gets_lane, may_change, own_default};
use super::frontend::Frontend;
use super::settings::Settings;

/// What goes behind an id so that builds with different values of `name` have caches of their own.
///
/// For the lane argument, where builds that pass nothing are to keep the id that they have, it comes to nothing for them.
#[must_use]
pub fn suffix(settings: &Settings, name: &str) -> String {
    if keeps_id(settings, name) {
        optional(name)
    } else {
        plain(name)
    }
}

/// `word` with [`suffix`] behind it.
#[must_use]
pub fn with_suffix(settings: &Settings, word: Word, name: &str) -> Word {
    if keeps_id(settings, name) {
        word.with_optional_suffix(name)
    } else {
        word.with_suffix(name)
    }
}

/// Whether a build that passes no `name` is to keep the id that it has.
pub(super) fn keeps_id(settings: &Settings, name: &str) -> bool {
    settings.keep_default && name == settings.arg
}

pub(super) fn plain(name: &str) -> String {
    format!("-${{{name}}}")
}

pub(super) fn optional(name: &str) -> String {
    format!("${{{name}:+-${{{name}}}}}")
}

/// Whether a lock on `cache` makes builds wait that a lane would set apart, and that is not how it may stay.
pub(super) fn lacks_lane(settings: &Settings, cache: &Cache<'_>) -> bool {
    is_in_no_lane(settings, cache) && !cache.is_exempt(RuleId::SharedLock)
}

fn is_in_no_lane(settings: &Settings, cache: &Cache<'_>) -> bool {
    !settings.namespace && takes_variables(settings) && !cache.is_isolated
}

/// Whether the builder takes ids with variables.
pub(super) fn takes_variables(settings: &Settings) -> bool {
    settings.profile.is_none_or(|profile| profile.variables)
}

impl Context<'_> {
    /// The fix that makes the id of `cache` isolated: the lane goes into the id, and the argument is declared.
    ///
    /// # Errors
    /// Why it cannot be done by an edit, for people.
    pub fn isolate(&self, cache: &Cache<'_>) -> Result<Fix, String> {
        let arg = &self.settings.arg;
        let (title, edits, safe) = self.append(cache, arg, Applicability::Safe)?;
        Ok(if safe {
            Fix::safe(title, edits)
        } else {
            Fix::needs_review(title, edits)
        })
    }

    /// The fix that makes `cache` a locked one with a lane of its own.
    ///
    /// # Errors
    /// As for [`Context::isolate`], and where a variable names the sharing mode.
    pub fn lock_and_isolate(&self, cache: &Cache<'_>) -> Result<Fix, String> {
        whole(cache.mount)?;
        let (span, before) = cache
            .mode_edit()
            .ok_or("a variable names the sharing mode")?;
        let edit = Edit::replace(span, format!("{before}locked"));
        let (mut title, mut edits) = ("use `sharing=locked`".to_owned(), vec![edit]);
        if lacks_lane(self.settings, cache) {
            let (isolated, more, _) =
                self.append(cache, &self.settings.arg, Applicability::Unsafe)?;
            title = format!("{title}, {isolated}");
            edits = merge(edits, more);
        }
        Ok(Fix::needs_review(title, edits))
    }

    /// The fix that puts the platform into the id of `cache`.
    ///
    /// # Errors
    /// As for [`Context::isolate`].
    pub fn part_platforms(&self, cache: &Cache<'_>) -> Result<Fix, String> {
        let (title, edits, _) = self.append(cache, "TARGETARCH", Applicability::Unsafe)?;
        Ok(Fix::needs_review(title, edits))
    }

    /// What builds that pass nothing get, where they are to keep their ids and a default of the file's own is in the way.
    pub(super) fn lost_id(&self, cache: &Cache<'_>, name: &str) -> Option<String> {
        if !keeps_id(self.settings, name) {
            return None;
        }
        let own = || {
            let global = self
                .file
                .global(name)
                .and_then(|global| global.value.as_ref());
            global
                .map(|value| String::from_utf8_lossy(value).into_owned())
                .or_else(|| own_default(self.file, name))
        };
        let value = match self.file.visible(name, cache.instruction) {
            Some(_) => self
                .file
                .default_value(name, cache.instruction)
                .map(|v| String::from_utf8_lossy(&v).into_owned()),
            None => own(),
        };
        let value = value.filter(|value| !value.is_empty())?;
        Some(format!(
            "the file's own default rules: builds that pass nothing get `{}-{value}`",
            cache.id()
        ))
    }

    /// Title and edits that put `name` behind the id of `cache` and declare it, and whether that is safe.
    fn append(
        &self,
        cache: &Cache<'_>,
        name: &str,
        level: Applicability,
    ) -> Result<(String, Vec<Edit>, bool), String> {
        if let Some(reason) = self.refused(cache, name, level) {
            return Err(reason);
        }
        let mut title = String::with_capacity(96);
        title.extend(["use `id=", &cache.id(), &suffix(self.settings, name), "`"]);
        if let Some(note) = self.lost_id(cache, name) {
            title.extend([" (", &note, ")"]);
        }
        // The first mount that gets the lane takes those along that get none of their own: they are one cache.
        let follows = |other: &&Cache<'_>| {
            !gets_lane(self, other, name, level) && may_change(self, other, name)
        };
        let is_first = self.is_first(cache, name, level);
        let along: Vec<&Cache<'_>> = if is_first {
            self.same_cache(cache).filter(follows).collect()
        } else {
            Vec::new()
        };
        if !along.is_empty() {
            title.extend([
                " here and for ",
                &count(along.len(), "other mount"),
                " of the same cache",
            ]);
        }
        let mut others = along;
        for served in self.served(cache, name) {
            if self.refused(served, name, level).is_some() {
                let id = served.id();
                return Err(format!(
                    "the lock serves `{id}`, too, which gets no lane: lock that itself first"
                ));
            }
            title.extend([" and for `", &served.id(), "`, which the lock serves, too"]);
            others.extend(
                self.same_cache(served)
                    .filter(|other| may_change(self, other, name)),
            );
        }
        let (mut edits, mut safe) = (Vec::new(), true);
        if let Some((frontend, span)) = Frontend::old(self.file) {
            // The lane would do nothing: this frontend does not expand it.
            let newer = frontend
                .newer(self.file, span)
                .map_err(|why| format!("the pinned frontend is too old, and {why}"))?;
            title = format!("{}, {title}", newer.title());
            edits.extend(newer.edits().iter().cloned());
            safe = false;
        }
        if let Some(need) = self.declaring(name, cache.instruction, level) {
            title.extend([" and ", &need.title()]);
        }
        for cache in std::iter::once(cache).chain(others) {
            if !budget::spend(size_of::<Edit>()) {
                break;
            }
            edits.push(id_edit(self.settings, cache, name)?);
            if let Some(need) = self.declaring(name, cache.instruction, level) {
                edits.extend(need.edits.iter().cloned());
                safe &= need.safe;
            }
        }
        edits.sort();
        edits.dedup();
        Ok((title, edits, safe))
    }
}

/// Both lists of edits as one. Two insertions in one spot (an id and a sharing mode behind `type=cache`) become one.
fn merge(edits: Vec<Edit>, more: Vec<Edit>) -> Vec<Edit> {
    let mut merged = edits;
    for edit in more {
        match merged
            .iter_mut()
            .find(|other| other.span() == edit.span() && edit.span().is_empty())
        {
            Some(other) => {
                *other = Edit::insert(
                    edit.span().start,
                    format!("{}{}", edit.text(), other.text()),
                );
            }
            None => merged.push(edit),
        }
    }
    merged
}

/// Whether every build on the builder that uses the mount's id waits for the one that holds it.
#[must_use]
pub fn is_shared_lock(cx: &Context<'_>, cache: &Cache<'_>) -> bool {
    cache.sharing == Some(Sharing::Locked) && is_in_no_lane(cx.settings, cache)
}

/// The id of `cache` with the lane in it, as it is to be written.
#[must_use]
pub fn isolated_id(cx: &Context<'_>, cache: &Cache<'_>) -> String {
    let named = cache.mount.id().is_some();
    let target = if named {
        None
    } else {
        target_as_id(cache.mount).ok()
    };
    target.map_or_else(|| cache.id(), Cow::into_owned) + &suffix(cx.settings, &cx.settings.arg)
}

/// Whether the id of `cache` stands in the file as messages show it: without quotes and escapes.
#[must_use]
pub fn shows_id(cx: &Context<'_>, cache: &Cache<'_>) -> bool {
    let field = cache
        .mount
        .field("id")
        .filter(|_| cache.mount.id().is_some());
    field.is_none_or(|field| {
        let span = cache.mount.value_span(field);
        let edges = [span.start.checked_sub(1), Some(span.end)]
            .map(|at| at.and_then(|at| cx.file.source.get(at)));
        let quoted = edges
            .iter()
            .flatten()
            .any(|byte| matches!(byte, b'"' | b'\''));
        !quoted && Some(span.of(cx.file.source)) == cache.mount.id()
    })
}

/// The options that make `cache` a locked one, in a lane where it is to have one, as messages show them.
#[must_use]
pub fn locked_lane(cx: &Context<'_>, cache: &Cache<'_>) -> String {
    if lacks_lane(cx.settings, cache) {
        return format!("id={},sharing=locked", isolated_id(cx, cache));
    }
    if cache.is_isolated {
        format!("id={},sharing=locked", cache.id())
    } else {
        "sharing=locked".into()
    }
}

/// Why `name` cannot be put behind the id of `cache` by an edit, for people, if it cannot.
pub(super) fn obstacle(cx: &Context<'_>, cache: &Cache<'_>, name: &str) -> Option<String> {
    if let Some(env) = shadowing_env(cx.file, name, cache.instruction) {
        let line = cx.file.instructions[env.instruction].lines.0;
        return Some(format!(
            "the ENV on line {line} wins over what a job passes: drop or rename it first"
        ));
    }
    if cx.fills_in() {
        return Some(
            "this template's engine fills in `${…}` itself: write the lane in its own way".into(),
        );
    }
    slot(cx.settings, cache, name).err()
}

/// What makes `cache` one with other mounts when `name` is in its id, in either form: builds that pass a lane take both for
/// one.
pub(super) fn lane_keys(cx: &Context<'_>, cache: &Cache<'_>, name: &str) -> [LockKey; 2] {
    [
        cache.word.clone().with_suffix(name),
        cache.word.clone().with_optional_suffix(name),
    ]
    .map(|word| caches::key(cache.mount, &word, cache.instruction, cx.values()))
}

/// The edit that puts `name` behind the id of `cache`, or gives it one.
///
/// # Errors
/// Why that cannot be done, for people.
fn id_edit(settings: &Settings, cache: &Cache<'_>, name: &str) -> Result<Edit, String> {
    let Slot { at, option, id } = slot(settings, cache, name)?;
    Ok(Edit::insert(
        at,
        [option, &id, &suffix(settings, name)].concat(),
    ))
}

/// Whether `name` can be put behind the id of `cache`.
pub(super) fn has_room(settings: &Settings, cache: &Cache<'_>, name: &str) -> bool {
    slot(settings, cache, name).is_ok()
}

/// Where a lane can be put behind an id, and what comes before it there.
struct Slot<'m> {
    /// Before this byte of the file.
    at: usize,
    /// The start of an option, where the mount has none for the id.
    option: &'static str,
    /// The target as an id, where the mount names none.
    id: Cow<'m, str>,
}

/// Where `name` can be put behind the id of `cache`.
fn slot<'m>(settings: &Settings, cache: &Cache<'m>, name: &str) -> Result<Slot<'m>, String> {
    let mount = cache.mount;
    whole(mount)?;
    if mount.templated && mount.id_word().is_none() {
        return Err(
            "the id's variables cannot be told from the template's: write the lane by hand".into(),
        );
    }
    // Of an id with a template's expression, the last byte alone can be told.
    let takes = if mount.templated {
        !mount.effective_id().ends_with(b"$")
    } else {
        takes_suffix(settings, cache, name)
    };
    if !takes {
        return Err("the id ends in a character that would change what comes behind it: give it another end".into());
    }
    if let Some(field) = mount.field("id") {
        let id = if mount.id().is_some() {
            "".into()
        } else {
            target_as_id(mount)?
        };
        return Ok(Slot {
            at: mount.value_span(field).end,
            option: "",
            id,
        });
    }
    let field = mount.field("type").ok_or("the mount names no type")?;
    Ok(Slot {
        at: field.next,
        option: ",id=",
        id: target_as_id(mount)?,
    })
}

/// Whether all of `mount` is known: a template's expression that opens in it ends in it, too.
///
/// # Errors
/// That it does not, for people.
pub(super) fn whole(mount: &Mount<'_>) -> Result<(), String> {
    if mount.torn {
        return Err(
            "a template's expression opens in the flag and does not end there: change it by hand"
                .into(),
        );
    }
    Ok(())
}

/// Whether the id of `cache` with the suffix for `name` behind it reads as the id and that suffix.
fn takes_suffix(settings: &Settings, cache: &Cache<'_>, name: &str) -> bool {
    let id = cache.mount.effective_id();
    let tells = |b: &u8| matches!(b, b'$' | b'\'' | b'"') || *b == cache.mount.escape;
    if !id.iter().any(tells) {
        return true;
    }
    let text = [&id, suffix(settings, name).as_bytes()].concat();
    let intended = with_suffix(settings, cache.word.clone(), name);
    Word::read(&text, cache.mount.escape).is_ok_and(|word| word == intended)
}

/// The target of `mount`, written so that BuildKit reads the same bytes again as an id.
fn target_as_id<'m>(mount: &'m Mount<'_>) -> Result<Cow<'m, str>, String> {
    let text = match mount.effective_id() {
        Cow::Borrowed(target) => target.to_str().ok().map(Cow::Borrowed),
        Cow::Owned(target) => String::from_utf8(target).ok().map(Cow::Owned),
    };
    let Some(text) = text else {
        return Err("the target is not UTF-8: give the mount an id of its own".into());
    };
    if text.contains([',', '"']) {
        return Err("the target holds a comma or a quote: give the mount an id of its own".into());
    }
    if text.bytes().any(|b| matches!(b, 0x85 | 0xA0)) {
        return Err("BuildKit would split the target at one of its characters: give the mount an id of its own".into());
    }
    if mount.templated {
        return if is_one_word(&text, mount.escape) {
            Ok(text)
        } else {
            Err("the target is a template's: give the mount an id".into())
        };
    }
    let is_special = |ch: char| {
        ch == '\'' || ch.is_ascii_whitespace() || ch == '\x0B' || ch == char::from(mount.escape)
    };
    if !text.contains(is_special) {
        return Ok(text);
    }
    let mut id = String::with_capacity(text.len() + 4);
    for ch in text.chars() {
        if is_special(ch) {
            id.push(char::from(mount.escape));
        }
        id.push(ch);
    }
    Ok(id.into())
}

/// Whether `text`, which a template's expressions stand in, can be a part of a flag as it is: outside of quotes, a blank or
/// the tag of a block that it does not close would end it.
fn is_one_word(text: &str, escape: u8) -> bool {
    let flag = format!("--mount=id={text}");
    let whole = Mapped::borrowed(flag.as_bytes(), Span::new(0, flag.len()));
    let (flags, _) = flags::split(&whole, flag.as_bytes(), 0, escape, true);
    flags
        .first()
        .is_some_and(|first| first.text.bytes() == flag.as_bytes())
}
