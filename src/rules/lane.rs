//! Making an id isolated: the lane goes into it, and the argument is declared where it is not.

use bstr::ByteSlice as _;

use crate::dockerfile::{Mount, Sharing};
use crate::fix::{Edit, Fix};

use super::{Cache, Context};

impl Context<'_> {
    /// The fix that makes the id of `cache` isolated: the lane goes into the id, and the argument is declared.
    ///
    /// # Errors
    /// Why it cannot be done by an edit, for people.
    pub fn isolate(&self, cache: &Cache<'_>) -> Result<Fix, String> {
        let mut edits = vec![isolating_edit(self, cache)?];
        let mut title = format!("use `id={}`", isolated_id(self, cache));
        let Some(need) = self.declaring(&self.settings.arg, cache.instruction) else {
            return Ok(Fix::safe(title, edits));
        };
        title.push_str(&format!(" and {}", need.title()));
        edits.extend(need.edits.iter().cloned());
        Ok(if need.safe { Fix::safe(title, edits) } else { Fix::needs_review(title, edits) })
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
pub(super) fn isolating_edit(cx: &Context<'_>, cache: &Cache<'_>) -> Result<Edit, String> {
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
