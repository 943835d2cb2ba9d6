//! The place of a lane in a mount's option list.

use std::borrow::Cow;

use bstr::ByteSlice as _;

use crate::dockerfile::{Mount, Word, flags};
use crate::fix::Edit;
use crate::text::{Mapped, Span};

use super::caches::Cache;
use super::context::Context;
use super::settings::Settings;

/// The place for a lane behind an id, and the text before it.
struct Slot<'m> {
    /// The byte of the file before it.
    at: usize,
    /// The start of an `id` option, where the mount has none.
    option: &'static str,
    /// The target as an id, where the mount has none.
    id: Cow<'m, str>,
}

/// Returns the edit that appends `name` to the id of `cache`, or adds an id; fails with the reason.
pub(super) fn id_edit(settings: &Settings, cache: &Cache<'_>, name: &str) -> Result<Edit, String> {
    let Slot { at, option, id } = slot(settings, cache, name)?;
    let text = [option, &id, &settings.suffix(name)].concat();
    Ok(Edit::insert(at, text))
}

/// Returns whether `name` can be appended to the id of `cache`.
pub(super) fn has_room(settings: &Settings, cache: &Cache<'_>, name: &str) -> bool {
    slot(settings, cache, name).is_ok()
}

fn slot<'m>(settings: &Settings, cache: &Cache<'m>, name: &str) -> Result<Slot<'m>, String> {
    let mount = cache.mount;
    whole(mount)?;
    if mount.templated && mount.id_word().is_none() {
        return Err(
            "the id's variables cannot be told from the template's: write the lane by hand".into(),
        );
    }
    // Of an id with a template expression, only the last byte is known.
    let takes = if mount.templated {
        !mount.effective_id().ends_with(b"$")
    } else {
        takes_suffix(settings, cache, name)
    };
    if !takes {
        return Err("the id ends in a character that would change what comes behind it: give it another end".into());
    }
    let (at, option) = if let Some(field) = mount.field("id") {
        (mount.value_span(field).end, "")
    } else {
        let field = mount.field("type").ok_or("the mount names no type")?;
        (field.next, ",id=")
    };
    let id = match mount.id() {
        Some(_) => "".into(),
        None => target_as_id(mount)?,
    };
    Ok(Slot { at, option, id })
}

/// Checks that every template expression that opens in `mount` ends in it.
pub(super) fn whole(mount: &Mount<'_>) -> Result<(), String> {
    if mount.torn {
        return Err(
            "a template's expression opens in the flag and does not end there: change it by hand"
                .into(),
        );
    }
    Ok(())
}

/// Returns whether the id of `cache` with the suffix for `name` reads as the id and that suffix.
fn takes_suffix(settings: &Settings, cache: &Cache<'_>, name: &str) -> bool {
    let id = cache.mount.effective_id();
    if Word::is_text(&id, cache.mount.escape) {
        return true;
    }
    let text = [&id, settings.suffix(name).as_bytes()].concat();
    let intended = settings.with_suffix(cache.word.clone(), name);
    Word::read(&text, cache.mount.escape).is_ok_and(|word| word == intended)
}

/// Returns the target of `mount`, written so that BuildKit reads the same bytes as an id.
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
    let escape = char::from(mount.escape);
    let is_special =
        |ch: char| ch == '\'' || ch.is_ascii_whitespace() || ch == '\x0B' || ch == escape;
    if !text.contains(is_special) {
        return Ok(text);
    }
    let escaped = |ch: char| is_special(ch).then_some(escape).into_iter().chain([ch]);
    Ok(text.chars().flat_map(escaped).collect())
}

/// Returns whether `text`, which holds template expressions, fits into a flag: outside of quotes, a blank or an unclosed
/// block's tag would end it.
fn is_one_word(text: &str, escape: u8) -> bool {
    let flag = format!("--mount=id={text}");
    let whole = Mapped::borrowed(flag.as_bytes(), Span::new(0, flag.len()));
    let (flags, _) = flags::split(&whole, 0, escape, true);
    let first = flags.first();
    first.is_some_and(|first| first.text.bytes() == flag.as_bytes())
}

/// Returns the id of `cache` with the lane, as it is written.
pub fn isolated_id(settings: &Settings, cache: &Cache<'_>) -> String {
    let id = match cache.mount.id() {
        Some(_) => cache.id(),
        None => target_as_id(cache.mount).map_or_else(|_| cache.id(), Cow::into_owned),
    };
    id + &settings.suffix(&settings.arg)
}

/// Returns whether the id of `cache` stands in the file as messages show it, without quotes and escapes.
pub fn shows_id(cx: &Context<'_>, cache: &Cache<'_>) -> bool {
    let field = cache
        .mount
        .field("id")
        .filter(|_| cache.mount.id().is_some());
    field.is_none_or(|field| {
        let span = cache.mount.value_span(field);
        let edges = [span.start.checked_sub(1), Some(span.end)];
        let mut edges = edges
            .iter()
            .flatten()
            .filter_map(|at| cx.file.source.get(*at));
        !edges.any(|byte| matches!(byte, b'"' | b'\''))
            && Some(span.of(cx.file.source)) == cache.mount.id()
    })
}
