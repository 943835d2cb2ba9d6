//! Suppressing all that a file has today, so that only what is new fails the gate.

use crate::dockerfile::Dockerfile;
use crate::finding::{Finding, Severity};
use crate::fix::{self, Fix};
use crate::rules::Settings;
use crate::suppress;
use crate::text::count;

use super::prove;

/// A file with suppressions added.
#[derive(Debug)]
pub struct Adopted {
    /// The new bytes.
    pub bytes: Vec<u8>,
    /// How many findings they suppress.
    pub suppressed: usize,
}

/// Suppresses every one of `findings` of `source` that is at least as bad as `least`; `None` where there is none.
///
/// # Errors
/// What would be wrong with the result, for people.
pub fn adopt(
    source: &[u8],
    findings: &[Finding],
    settings: &Settings,
    least: Severity,
) -> Result<Option<Adopted>, String> {
    let failing: Vec<&Finding> =
        findings.iter().filter(|finding| finding.severity >= least && finding.rule != "unused-ignore").collect();
    if failing.is_empty() {
        return Ok(None);
    }
    let file = Dockerfile::read(source).ok();
    let ignores = suppress::read(source, file.as_ref());
    let edits = suppress::add(source, file.as_ref(), &ignores, &failing);
    let bytes = fix::apply(source, &[&Fix::safe("suppress what is there", edits)]).bytes;
    if let Some(before) = &file {
        let after =
            Dockerfile::read(&bytes).map_err(|error| format!("the file could not be read any more: {error}"))?;
        prove::same_reading(before, &after, settings, true)?;
    }
    // What comes of comparing files cannot be seen here; all else must be gone, and nothing new come.
    let left = super::check_alone(&bytes, settings).findings;
    let left = left.iter().filter(|finding| finding.severity >= least && finding.rule != "unused-ignore").count();
    if left > 0 {
        return Err(format!("{} would still be there", count(left, "finding")));
    }
    Ok(Some(Adopted { bytes, suppressed: failing.len() }))
}
