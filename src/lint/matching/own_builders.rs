//! Says where builds run that all have a builder of their own.

use std::collections::BTreeSet;
use std::fmt;

use crate::builds::OwnBuilder;
use crate::finding::{RuleId, Severity};
use crate::lint::model::FileReport;
use crate::text::printable;

/// The known builds of files with a shared lock, where each has a builder of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct OwnBuilders {
    pub builds: usize,
    files: usize,
    by: BTreeSet<OwnBuilder>,
    /// True where the known builds of all other files have one, too.
    pub is_for_all: bool,
}

impl OwnBuilders {
    /// Finds them among `reports`; `None` without a finding of `shared-lock` that the setting would make an info, without
    /// a known build, and where one of the builds may share its builder.
    pub fn of(reports: &[FileReport]) -> Option<Self> {
        let is_lock = |report: &&FileReport| {
            let mut findings = report.checked.findings.iter();
            let settings = &report.settings;
            let is_set = settings.severities.contains_key(&RuleId::SharedLock);
            !is_set
                && settings.own_builders.is_none()
                && findings
                    .any(|one| (one.rule, one.severity) == (RuleId::SharedLock, Severity::Error))
        };
        let locks: Vec<&FileReport> = reports.iter().filter(is_lock).collect();
        let builders = || locks.iter().flat_map(|report| &report.known);
        let by: Option<BTreeSet<OwnBuilder>> =
            builders().map(|one| one.builder.own().cloned()).collect();
        let mut all = reports.iter().flat_map(|report| &report.known);
        Some(Self {
            builds: builders().count(),
            files: locks.len(),
            by: by.filter(|by| !by.is_empty())?,
            is_for_all: all.all(|one| one.builder.own().is_some()),
        })
    }

    /// Says where the builds run, printable.
    pub fn place(&self) -> String {
        const NAMED: usize = 4;
        let names: BTreeSet<&str> = self.by.iter().map(OwnBuilder::by).collect();
        let mut named: Vec<String> = names
            .iter()
            .take(NAMED)
            .map(|name| (*name).into())
            .collect();
        if names.len() > NAMED {
            named.push(format!("{} more", names.len() - NAMED));
        }
        let are_machines = self
            .by
            .iter()
            .all(|by| matches!(by, OwnBuilder::Machine(_)));
        let place = match (are_machines, self.builds) {
            (true, 1) => "runs on a machine of its own",
            (true, _) => "run on machines of their own",
            (false, 1) => "has a builder of its own",
            (false, _) => "have builders of their own",
        };
        printable(&format!("{place} ({})", named.join(", "))).into_owned()
    }
}

impl fmt::Display for OwnBuilders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = if self.files == 1 {
            "this file"
        } else {
            "these files"
        };
        match self.builds {
            1 => write!(f, "the build known of {files}")?,
            many => write!(f, "the {many} builds known of {files}")?,
        }
        write!(f, " {}: nothing waits there.", self.place())?;
        if self.is_for_all {
            f.write_str(
                " `builders = \"per-job\"` in cachelane.toml says so for all, and makes `shared-lock` an info.",
            )?;
        }
        Ok(())
    }
}
