//! The turns in which fixes are made.

use std::collections::BTreeSet;

use crate::budget;
use crate::finding::{Finding, RuleId};
use crate::fix::{self, Applicability, Applied, Fix};

/// The turn of a fix: earlier turns come first, and each round makes fixes of only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// Of a rule whose fixes make others needless.
    First(RuleId),
    Safe,
    Unsafe(RuleId),
}

impl Turn {
    /// Returns the turns with fixes that keep caches as they are, in order.
    pub(super) fn keeping_caches() -> BTreeSet<Self> {
        let rules = RuleId::ALL.iter().copied();
        let rules = rules.filter(|rule| rule.meta().keeps_caches);
        let turns = rules.map(|rule| Self::by(rule, Applicability::Unsafe));
        turns.chain([Self::Safe]).collect()
    }

    /// Returns the turn of a fix of `rule`.
    fn by(rule: RuleId, level: Applicability) -> Self {
        match level {
            _ if rule.meta().goes_first => Self::First(rule),
            Applicability::Safe => Self::Safe,
            Applicability::Unsafe => Self::Unsafe(rule),
        }
    }

    /// Returns the turn of the fix of `finding`, if any.
    fn of(finding: &Finding) -> Option<Self> {
        Self::up_to(Applicability::Unsafe, finding)
    }

    /// Returns the turn of the fix of `finding`, if it has one up to `level`.
    pub(super) fn up_to(level: Applicability, finding: &Finding) -> Option<Self> {
        let applicability = finding.fix.as_ref()?.applicability();
        (applicability <= level).then(|| Self::by(finding.rule, applicability))
    }

    /// Returns whether its fixes are safe.
    pub(super) fn is_safe(self) -> bool {
        self == Self::Safe
    }

    /// Returns whether the fix of `finding` is one of them.
    pub(super) fn takes(self, finding: &Finding) -> bool {
        Self::of(finding) == Some(self)
    }

    /// Returns whether the fix of `finding` is one of them, or was made before.
    pub(super) fn makes(self, finding: &Finding) -> bool {
        self.takes(finding) || (self > Self::Safe && Self::Safe.takes(finding))
    }

    /// Makes those of `findings`' fixes in `source` that are possible together; `None` where there is none to make.
    pub(super) fn made<'f>(
        self,
        source: &[u8],
        findings: impl Iterator<Item = &'f Finding>,
    ) -> Option<Applied> {
        let mut findings: Vec<&Finding> = findings.filter(|one| self.makes(one)).collect();
        findings.sort_by_key(|finding| (!finding.is_fixable(), finding.span, finding.rule));
        let fixes: Vec<&Fix> = findings.iter().flat_map(|one| &one.fix).collect();
        let can = !fixes.is_empty() && budget::spend(source.len());
        can.then(|| fix::apply(source, &fixes))
    }
}
