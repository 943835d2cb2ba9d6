//! `syntax-error`: a file that cannot be read as BuildKit would.

use crate::dockerfile::SyntaxError;
use crate::finding::{Finding, RuleMeta, Severity};

use super::{Context, Rule};

pub(super) struct SyntaxErrorRule;

static META: RuleMeta = RuleMeta {
    name: "syntax-error",
    severity: Severity::Error,
    fix: None,
    summary: "a file that BuildKit cannot read: it is left as it is",
};

impl Rule for SyntaxErrorRule {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    /// A file that can be looked at has been read: see [`finding`].
    fn check(&self, _: &Context<'_>, _: &mut Vec<Finding>) {}
}

/// The finding for a file that could not be read.
pub(super) fn finding(error: &SyntaxError) -> Finding {
    Finding::new(&META, error.span, error.kind.to_string()).help(error.kind.help())
}
