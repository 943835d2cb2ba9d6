//! Mounts that get a lane along with mounts of the same cache in other files.

use std::collections::BTreeMap;

use crate::builds::FormatRef;
use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId};
use crate::fix::{Applicability, Fix};
use crate::rules::context::Context;
use crate::rules::eligibility::obstacle;
use crate::rules::{Settings, registry};
use crate::suppress;

/// The findings of a file, and those of mounts that go along, which are not reported.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub(super) findings: Vec<Finding>,
    pub(super) along: Vec<Finding>,
}

impl Planned {
    /// Gives `findings` of the file the fixes that are planned for them.
    pub(super) fn replace(&mut self, findings: &mut [Finding]) {
        let level = |finding: &Finding| finding.fix.as_ref().map(Fix::applicability);
        for finding in findings {
            let same = |new: &&mut Finding| (new.rule, new.span) == (finding.rule, finding.span);
            let new = self.findings.iter_mut().find(same);
            if let Some(new) = new.filter(|new| level(new) == level(finding)) {
                finding.fix = new.fix.take();
            }
        }
    }
}

/// Returns the findings of the file `source` where the mounts with these numbers get a lane, as those at the places do.
pub(super) fn check_along(
    source: &[u8],
    settings: &Settings,
    along: &BTreeMap<usize, String>,
) -> Planned {
    let Ok(file) = Dockerfile::read(source) else {
        return Planned::default();
    };
    let ignores = suppress::read(source, Some(&file));
    let cx = Context::new(&file, settings)
        .with_ignores(&ignores)
        .with_along(along.keys().copied());
    let arg = &settings.arg;
    let caches = along.iter().filter_map(|(number, place)| {
        let cache = cx
            .caches()
            .get(*number)
            .filter(|cache| !cache.is_isolated)?;
        let fix = cx.isolate(cache, arg, Applicability::Safe).ok()?;
        let title = format!("{}, as {place} does for the same cache", fix.title());
        let fix = Fix::new(fix.applicability(), title, fix.edits().to_vec());
        let finding = Finding::new(RuleId::SharedLock, cache.mount.id_span(), "");
        Some(finding.fix(Ok(fix)))
    });
    Planned {
        along: caches.collect(),
        findings: registry::check_file(&cx),
    }
}

/// Returns why the mount `number` of the file `source` cannot get a lane along with another of its cache.
pub(super) fn why(
    source: &[u8],
    settings: &Settings,
    format: Option<FormatRef>,
    number: usize,
) -> Option<String> {
    if format.is_some() {
        return None;
    }
    let file = Dockerfile::read_past_faults(source);
    let ignores = suppress::read(source, Some(&file));
    let cx = Context::new(&file, settings).with_ignores(&ignores);
    let cache = cx.caches().get(number)?;
    if cx.is_suppressed(RuleId::SharedLock, cache) {
        return Some("`shared-lock` is suppressed there".into());
    }
    if cache.is_isolated {
        let id = cache.id();
        return Some(format!("its id has one, `{id}`: write that here, too"));
    }
    obstacle(&cx, cache, &settings.arg)
}
