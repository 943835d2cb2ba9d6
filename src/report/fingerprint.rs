//! The identity of a finding between runs, independent of the lines above it.

use std::collections::HashMap;
use std::fmt::Write as _;

use bstr::ByteSlice as _;
use sha2::{Digest as _, Sha256};

use crate::finding::{Finding, RuleId};
use crate::lint::FileReport;

use super::model::path;

/// Returns the fingerprint of each finding of `report`, in order: SHA-256 in hexadecimal digits.
///
/// It is made of the rule, the path, the text of the finding, and a number that tells findings apart which agree in all
/// of these; severity, message and line are not part of it.
pub fn fingerprints(report: &FileReport) -> Vec<String> {
    let path = path(&report.path);
    let mut seen: HashMap<(RuleId, Vec<u8>), u64> = HashMap::new();
    let one = |finding: &Finding| {
        let text = finding.span.of(&report.source).replace("\r\n", "\n");
        let ordinal = seen.entry((finding.rule, text.clone())).or_default();
        let digest = hash(&[
            finding.rule.as_str().as_bytes(),
            path.as_bytes(),
            &text,
            &ordinal.to_be_bytes(),
        ]);
        *ordinal += 1;
        digest
    };
    report.checked.findings.iter().map(one).collect()
}

/// Returns the hash of `parts`, each with its length before it, so that different lists never collide.
pub(super) fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher
        .finalize()
        .iter()
        .fold(String::new(), |mut digits, byte| {
            // Writing into a String cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        })
}
