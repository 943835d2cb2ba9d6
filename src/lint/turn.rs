//! The turns in which fixes are made.

use crate::budget;
use crate::finding::{Finding, RuleId};
use crate::fix::{self, Applicability, Applied, Fix};

/// The turn of a fix: earlier turns come first, and each round makes fixes of only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Of a rule whose fixes make others needless.
    First(RuleId),
    Safe,
    Unsafe(RuleId),
}

/// The turns whose fixes are held to what ids become, beside [`Turn::Safe`]: they put something into ids, or take it
/// away, without meaning to part a cache.
pub(super) const HELD: [Turn; 8] = [
    Turn::First(RuleId::NeedlessLock),
    Turn::Safe,
    Turn::Unsafe(RuleId::SharedLock),
    Turn::Unsafe(RuleId::UndeclaredArg),
    Turn::Unsafe(RuleId::MissingDefault),
    Turn::Unsafe(RuleId::PlatformLock),
    Turn::Unsafe(RuleId::PrivateCache),
    Turn::Unsafe(RuleId::UnlockedApt),
];

impl Turn {
    /// Returns the turn of the fix of `finding`, if any.
    pub fn of(finding: &Finding) -> Option<Self> {
        let level = finding.fix.as_ref()?.applicability();
        Some(match level {
            _ if finding.rule.meta().goes_first => Self::First(finding.rule),
            Applicability::Safe => Self::Safe,
            Applicability::Unsafe => Self::Unsafe(finding.rule),
        })
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
