//! The place of a lane in a mount's option list.

use std::borrow::Cow;

use bstr::ByteSlice as _;

use crate::dockerfile::{Form, Mount, Part, Word, flags};
use crate::fix::Edit;
use crate::text::{Mapped, Span};

use super::caches::Cache;
use super::context::Context;
use super::settings::Settings;

/// Returns the edit that appends `name` to the id of `cache`, or adds an id; fails with the reason.
pub(super) fn id_edit(settings: &Settings, cache: &Cache<'_>, name: &str) -> Result<Edit, String> {
    let (span, before) = slot(settings, cache, name)?;
    let text = [&before, settings.suffix(name).as_str()].concat();
    Ok(Edit::replace(span, text))
}

/// Returns whether `name` can be appended to the id of `cache`.
pub(super) fn has_room(settings: &Settings, cache: &Cache<'_>, name: &str) -> bool {
    slot(settings, cache, name).is_ok()
}

/// Returns the place for a lane behind the id of `cache`, and the text before it.
fn slot<'m>(
    settings: &Settings,
    cache: &Cache<'m>,
    name: &str,
) -> Result<(Span, Cow<'m, str>), String> {
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
        return Err(
            "the id ends in a character that would change what comes after it: give it another end"
                .into(),
        );
    }
    let Some(field) = mount.field("id") else {
        let field = mount.field("type").ok_or("the mount names no type")?;
        let id = target_as_id(mount)?;
        return Ok((Span::at(field.next), [",id=", &id].concat().into()));
    };
    let span = mount.value_span(field);
    if mount.id().is_none() {
        // Quotes may be all there is.
        let before = mount
            .text
            .span(field.start, field.equals.map_or(field.end, |at| at + 1));
        return Ok((Span::new(before.end, span.end), target_as_id(mount)?));
    }
    if !cache.became.is_empty {
        return Ok((Span::at(span.end), "".into()));
    }
    match or_target(mount) {
        Some(id) if Some(span.len()) == mount.id().map(<[u8]>::len) => Ok((span, id.into())),
        _ => Err("the id may expand to nothing, and is the target then: give it another".into()),
    }
}

/// Returns the id of `mount`, one variable, with the target for builds that give it no value: such an id is the target
/// already, but with something behind it, it would be the same at every target.
pub(crate) fn or_target(mount: &Mount<'_>) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.+@:".contains(&b);
    let target = mount.target();
    let word = mount.id_word()?;
    let [Part::Variable(variable)] = word.parts.as_slice() else {
        return None;
    };
    let fits = variable.form == Form::Plain && target.bytes().all(plain);
    fits.then(|| format!("${{{}:-{}}}", variable.name, target.to_str_lossy()))
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

/// Returns the id of `cache` with `name` behind it, as it is written; `…` stands for one that only a person can give.
pub fn isolated_id(settings: &Settings, cache: &Cache<'_>, name: &str) -> String {
    let mount = cache.mount;
    let is_marked = mount.torn || mount.templated;
    let id = match mount.id() {
        _ if !is_marked && !has_room(settings, cache, name) => Some("…".into()),
        Some(_) if cache.became.is_empty => or_target(mount),
        Some(_) => None,
        None => target_as_id(mount).ok().map(Cow::into_owned),
    };
    id.unwrap_or_else(|| cache.id()) + &settings.suffix(name)
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
