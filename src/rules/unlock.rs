//! Removes the lock of a cache with its lane, which an unlocked cache does not need.

use crate::budget;
use crate::dockerfile::{Dockerfile, Sharing, Word};
use crate::finding::LockKey;
use crate::fix::{Edit, Fix};
use crate::text::Span;

use super::caches::Cache;
use super::context::Context;
use super::settings::suffixes;
use super::slot::whole;

/// Returns the fix that removes the lock of `cache`, and the lane from all mounts of the cache.
pub fn unlock(cx: &Context<'_>, cache: &Cache<'_>) -> Result<Fix, String> {
    let fix = drop_sharing(cx.file, cache)?;
    let lane_edit = |cache: &Cache<'_>| {
        whole(cache.mount).ok()?;
        let (_, lane) = split_lane(cx, cache)?;
        Some(Edit::delete(lane))
    };
    let same = cx.same_cache(cache);
    let same = same.take_while(|_| budget::spend(size_of::<Edit>()));
    let lanes: Vec<Edit> = same.filter_map(lane_edit).collect();
    if lanes.is_empty() {
        return Ok(fix);
    }
    let edits = [fix.edits(), &lanes].concat();
    Ok(Fix::needs_review(
        format!("{} and the lane", fix.title()),
        edits,
    ))
}

/// Returns the places of the id of `cache` and the lane behind it; `None` without a lane.
fn split_lane(cx: &Context<'_>, cache: &Cache<'_>) -> Option<(Span, Span)> {
    let value = cache.mount.value_span(cache.mount.field("id")?);
    let text = value.of(cx.file.source);
    let lane = suffixes(&cx.settings.arg)
        .into_iter()
        .find(|lane| text.ends_with(lane.as_bytes()))?;
    let middle = value.end - lane.len();
    Some((Span::new(value.start, middle), Span::new(middle, value.end)))
}

/// Returns the identity of `cache` without the lane in its id; `None` where it has none.
pub(super) fn bare_key(cx: &Context<'_>, cache: &Cache<'_>) -> Option<LockKey> {
    let (bare, _) = split_lane(cx, cache)?;
    let word = Word::read(bare.of(cx.file.source), cache.mount.escape).ok()?;
    if let Some(id) = word.text_alone() {
        return Some(LockKey {
            id,
            values: Vec::new(),
            base: cache.key.base.clone(),
        });
    }
    Some(cx.values().key(cache.mount, &word, cache.instruction))
}

/// Returns the fix that removes the sharing mode from the option list of `cache` with a comma, or the reason against
/// one.
pub fn drop_sharing(file: &Dockerfile<'_>, cache: &Cache<'_>) -> Result<Fix, String> {
    let mount = cache.mount;
    whole(mount)?;
    let fields = &mount.fields;
    let sharing: Vec<usize> = (0..fields.len())
        .filter(|&index| fields[index].option == Some("sharing"))
        .collect();
    let [index] = sharing.as_slice() else {
        return Err("the sharing mode is given more than once".into());
    };
    let own = mount.text.span(fields[*index].start, fields[*index].end);
    let span = match fields.get(index + 1) {
        Some(next) => Span::new(own.start, mount.text.source(next.start)),
        None if *index > 0 => Span::new(fields[index - 1].next, fields[*index].next),
        None => return Err("it is the only option".into()),
    };
    let text = span.of(file.source);
    let odd = |quote: u8| memchr::memchr_iter(quote, text).count() % 2 == 1;
    if odd(b'"') || odd(b'\'') || text.contains(&b'\n') {
        return Err("quotes or line breaks stand in between: drop it by hand".into());
    }
    let mode = cache.sharing.map_or("…", Sharing::as_str);
    Ok(Fix::needs_review(
        format!("drop `sharing={mode}`"),
        vec![Edit::delete(span)],
    ))
}
