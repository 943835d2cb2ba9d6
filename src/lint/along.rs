//! Mounts that get a lane along with mounts of the same cache in other files.

use std::collections::{BTreeMap, HashMap};

use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, RuleId};
use crate::fix::{Applicability, Fix};
use crate::rules::caches::Cache;
use crate::rules::context::Context;
use crate::rules::eligibility::obstacle;
use crate::rules::variables::depends_on;
use crate::rules::{Settings, registry};
use crate::suppress;
use crate::text::Span;

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
        let mut planned: HashMap<(RuleId, Span), &mut Finding> = HashMap::new();
        for new in &mut self.findings {
            planned.entry((new.rule, new.span)).or_insert(new);
        }
        for finding in findings {
            let new = planned.get_mut(&(finding.rule, finding.span));
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

/// Returns, by number, why each mount of the file `source` cannot get a lane along with another of its cache.
pub(super) fn whys(source: &[u8], settings: &Settings) -> Vec<Option<String>> {
    let file = Dockerfile::read_past_faults(source);
    let ignores = suppress::read(source, Some(&file));
    let cx = Context::new(&file, settings).with_ignores(&ignores);
    let why = |cache: &Cache<'_>| {
        if cx.is_suppressed(RuleId::SharedLock, cache) {
            return Some("`shared-lock` is suppressed there".into());
        }
        if cache.is_isolated {
            let own = settings.learned.own_lanes.names.iter();
            let mut own =
                own.filter(|name| depends_on(&file, &cache.word, cache.instruction, name));
            if let Some(name) = own.next() {
                return Some(format!(
                    "its builds have lanes by `{name}`: pass that for each job here, too"
                ));
            }
            let id = cache.id();
            return Some(format!("its id has one, `{id}`: write that here, too"));
        }
        obstacle(&cx, cache, &settings.arg)
    };
    cx.caches().iter().map(why).collect()
}
