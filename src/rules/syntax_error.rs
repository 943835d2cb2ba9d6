//! `syntax-error`: a file that BuildKit could not read.

use crate::dockerfile::SyntaxError;
use crate::finding::{Finding, RuleId};

pub(super) fn check(error: &SyntaxError, findings: &mut Vec<Finding>) {
    let finding = Finding::new(RuleId::SyntaxError, error.span, error.kind.to_string());
    findings.push(finding.help(error.kind.help()));
}
