//! The part of `invalid-mount` on ids that the configured builder refuses.

use crate::finding::{Finding, RuleId};

use super::caches::Cache;
use super::context::Context;
use super::profile::IdForm;

/// Adds the cache mounts whose ids the configured builder refuses.
pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let builder = cx.settings.profile;
    let Some((builder, form)) = builder.and_then(|it| Some((it, it.fixed.as_ref()?))) else {
        return;
    };
    for cache in cx.caches().iter().filter(|cache| !cache.mount.templated) {
        if let Some((what, help)) = refused(form, cache) {
            let title = builder.title;
            let message = format!("{title}'s builder refuses {what}: the build fails");
            let span = cache.mount.id_span();
            findings.push(Finding::new(RuleId::InvalidMount, span, message).help(help));
        }
    }
}

/// Returns what is refused about the id of `cache` where ids have this form, and the advice.
fn refused(form: &IdForm, cache: &Cache<'_>) -> Option<(String, String)> {
    let prefix = form.prefix;
    let has_id = cache.mount.id().is_some();
    if cache.word.has_variable() {
        let help = if has_id {
            "write the id out, without variables"
        } else {
            "give the mount an id without variables: its target is the id otherwise"
        };
        return Some(("ids with variables".into(), help.into()));
    }
    if !has_id {
        let help = format!("give the mount an id, such as `id={prefix}{}`", cache.id());
        return Some(("a cache mount without an id".into(), help));
    }
    let is_free = !(form.has_prefix)(&cache.mount.effective_id());
    is_free.then(|| {
        let what = format!("an id that does not begin with `{prefix}`");
        (what, format!("write `id={prefix}{}`", cache.id()))
    })
}
