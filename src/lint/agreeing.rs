//! Files whose fixes have to agree with those of others.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::builds::FormatRef;
use crate::finding::{Finding, RuleId};
use crate::fix::{self, Fix};
use crate::rules::Settings;
use crate::text::Span;

use super::along::{check_along, whys};
use super::model::{Checked, Withheld};
use super::turn::Turn;

/// A file whose fixes have to agree with those of the others.
#[derive(Debug)]
pub struct Agreeing<'f> {
    pub checked: &'f mut Checked,
    pub settings: &'f Settings,
    pub source: &'f [u8],
    /// The format of a file with Dockerfiles in it.
    pub format: Option<FormatRef>,
    /// The mounts that get a lane along with those of other files.
    pub along: Along,
    /// The reasons why mounts cannot, by their numbers, once one was asked for.
    pub(super) whys: OnceCell<Vec<Option<String>>>,
}

/// The mounts of a file that get a lane along with those of other files.
#[derive(Debug, Default)]
pub struct Along {
    /// By their numbers, the places of the other mounts.
    pub places: BTreeMap<usize, String>,
    /// Their fixes.
    pub(super) findings: Vec<Finding>,
    /// The numbers of those that cannot.
    pub(super) barred: BTreeSet<usize>,
}

/// The findings of a file whose fixes are made, by their numbers.
#[derive(Default)]
pub(super) struct Changing {
    /// Those that change each mount, by its number.
    pub(super) mounts: BTreeMap<usize, Vec<usize>>,
    /// Those of the turn.
    pub(super) picked: Vec<usize>,
    /// Those of the turn that change what stands around the mounts.
    pub(super) around: Vec<usize>,
}

impl Agreeing<'_> {
    pub(super) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.checked.findings.iter().chain(&self.along.findings)
    }

    /// Returns the finding with this number among [`Self::findings`].
    pub(super) fn finding(&self, number: usize) -> Option<&Finding> {
        let all = &self.checked.findings;
        let along = || self.along.findings.get(number - all.len());
        all.get(number).or_else(along)
    }

    /// Returns whether the ids can change by which the file fills the caches of its mounts, or why not; `None` where it
    /// mounts them.
    pub(super) fn fills(&self) -> Option<&Result<(), String>> {
        match &self.checked.withheld {
            Some(Withheld::Fills(fixed)) => Some(fixed),
            _ => None,
        }
    }

    /// Returns whether the mount `number` may get a lane along with one of another file.
    pub(super) fn may_go_along(&self, number: usize) -> bool {
        let Along { places, barred, .. } = &self.along;
        let is_new = !places.contains_key(&number) && !barred.contains(&number);
        is_new
            && self.format.is_none()
            && self.settings.is_on(RuleId::SharedLock)
            && self.obstacle(number).is_none()
    }

    /// Returns why the mount `number` cannot get a lane along with another of its cache.
    pub(super) fn obstacle(&self, number: usize) -> Option<String> {
        let withheld = self.checked.withheld.as_ref().map(ToString::to_string);
        withheld.or_else(|| {
            let whys = || match self.format {
                Some(_) => Vec::new(),
                None => whys(self.source, self.settings),
            };
            self.whys.get_or_init(whys).get(number)?.clone()
        })
    }

    /// Plans the fixes of this file anew, with those of the mounts that go along.
    pub(super) fn plan_along(&mut self) {
        let mut planned = check_along(self.source, self.settings, &self.along.places);
        planned.replace(&mut self.checked.findings);
        self.along.findings = planned.along;
    }

    /// Returns what the fixes of `turn`, and those before it, change.
    pub(super) fn changing(&self, turn: Turn) -> Changing {
        let mounts = &self.checked.mounts;
        let mount_at = |span: Span| {
            let after = mounts.partition_point(|mount| mount.mount_span.start <= span.start);
            let at = after.checked_sub(1)?;
            is_within(span, mounts[at].mount_span).then_some(at)
        };
        let mut changing = Changing::default();
        let made = self.findings().enumerate();
        for (number, finding) in made.filter(|(_, finding)| turn.makes(finding)) {
            let is_own = turn.takes(finding);
            changing.picked.extend(is_own.then_some(number));
            for mount in edits(finding).map(mount_at) {
                let list = match mount {
                    Some(mount) => changing.mounts.entry(mount).or_default(),
                    None if is_own => &mut changing.around,
                    None => continue,
                };
                if list.last() != Some(&number) {
                    list.push(number);
                }
            }
        }
        changing
    }
}

fn edits(finding: &Finding) -> impl Iterator<Item = Span> {
    let edits = finding.fix.iter().flat_map(Fix::edits);
    edits.map(fix::Edit::span)
}

pub(super) fn is_within(span: Span, mount: Span) -> bool {
    mount.start <= span.start && span.end <= mount.end
}
