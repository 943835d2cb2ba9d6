//! Files whose fixes have to agree with those of others.

use std::collections::{BTreeMap, BTreeSet};

use crate::builds::FormatRef;
use crate::finding::{Finding, RuleId};
use crate::rules::Settings;

use super::along::{check_along, why};
use super::model::{Checked, Withheld};

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

impl Agreeing<'_> {
    pub(super) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.checked.findings.iter().chain(&self.along.findings)
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
        withheld.or_else(|| why(self.source, self.settings, self.format, number))
    }

    /// Plans the fixes of this file anew, with those of the mounts that go along.
    pub(super) fn plan_along(&mut self) {
        let mut planned = check_along(self.source, self.settings, &self.along.places);
        planned.replace(&mut self.checked.findings);
        self.along.findings = planned.along;
    }
}
