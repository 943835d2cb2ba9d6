//! How much memory a run keeps for a file: a run whose files nobody vetted has to end before that is all there is.

use crate::finding::Finding;
use crate::index::Site;
use crate::suppress::Ignore;
use crate::wiring::Build;

use super::{Checked, FileReport, Fixed};

/// What a build takes beside its record: its strings, and the finding that it may come to when all files are known.
const OF_BUILD: usize = 2048;

/// What a cache takes beside its record: its id, its target, and its places in the tables that compare the files.
const OF_SITE: usize = 512;

/// What a fix takes that was made or dropped: its title, or the reason.
const OF_FIX: usize = 256;

impl Checked {
    /// About how many bytes of memory this takes, with what comparing it with other files adds.
    #[must_use]
    pub fn weight(&self) -> usize {
        let text = |finding: &Finding| {
            let labels = finding
                .labels
                .iter()
                .map(|label| size_of_val(label) + label.message.len());
            finding.message.len()
                + finding.help.as_ref().map_or(0, String::len)
                + labels.sum::<usize>()
                + OF_FIX
        };
        let findings = self
            .findings
            .iter()
            .map(|finding| size_of::<Finding>() + text(finding));
        findings.sum::<usize>()
            + self.sites.len() * (size_of::<Site>() + OF_SITE)
            + size_of::<Ignore>() * self.ignores.len()
    }
}

impl FileReport {
    /// About how many bytes of memory this takes, with what comparing it with other files adds.
    #[must_use]
    pub fn weight(&self) -> usize {
        let builds = self
            .wires
            .as_ref()
            .map_or(0, |wires| wires.wiring.builds.len());
        size_of::<Self>()
            + self.source.len()
            + self.checked.weight()
            + builds * (size_of::<Build>() + OF_BUILD)
    }
}

impl Fixed {
    /// About how many bytes of memory this takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.bytes.len()
            + self.left.weight()
            + (self.made.len() + self.dropped.len()) * OF_FIX
    }
}
