//! What a run knows of a file: what was found in it, what was fixed, and what it says about builds.

use std::path::PathBuf;
use std::sync::Arc;

use crate::builds::{BuildFile, FormatRef};
use crate::finding::{Finding, RuleId};
use crate::index::Site;
use crate::rules::Settings;
use crate::rules::lane_requirements::LaneRequirements;
use crate::suppress::Ignore;
use crate::text::{SourceMap, Span};

/// What was found in one file.
#[derive(Debug, Default)]
pub struct Checked {
    /// The findings, ordered by place.
    pub findings: Vec<Finding>,
    /// Its cache mounts: what [`relate`] compares.
    pub sites: Vec<Site>,
    /// What it asks of its builds, where it has lanes.
    pub lanes: Option<Box<LaneRequirements>>,
    pub ignores: Vec<Ignore>,
    /// How many findings they and the configuration's exemptions suppress.
    pub suppressed: usize,
}

impl Checked {
    /// Returns whether there is nothing in it, to report or to compare.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.sites.is_empty() && self.ignores.is_empty()
    }
}

/// A file of a run with what was found in it.
#[derive(Debug)]
pub struct FileReport {
    /// The file, as the user or the search named it.
    pub path: PathBuf,
    /// Its bytes. Empty where nothing was found, since then nothing needs to be shown.
    pub source: Vec<u8>,
    /// What is settled for it.
    pub settings: Arc<Settings>,
    pub checked: Checked,
    /// What it says about builds, where it is no Dockerfile but a workflow, a pipeline, a Compose or bake file.
    /// (Few files have it, and a large run has many reports: it takes no room where it is not.)
    pub builds: Option<Box<BuildFileReport>>,
}

/// What was done to a file, and what was not.
#[derive(Debug)]
pub struct Fixed {
    /// The new bytes; the old ones where nothing was fixed.
    pub bytes: Vec<u8>,
    /// The fixes that were made, in order.
    pub made: Vec<Made>,
    /// What is left in the new bytes.
    pub left: Checked,
    /// Fixes that were dropped because the result would not have read as it should.
    pub dropped: Vec<Dropped>,
    /// From the new bytes to the old ones.
    pub origins: SourceMap,
}

impl Fixed {
    /// Returns a file that stays as it is, with `left` in it.
    pub fn nothing(source: &[u8], left: Checked) -> Self {
        Self {
            bytes: source.to_vec(),
            made: Vec::new(),
            left,
            dropped: Vec::new(),
            origins: SourceMap::of(Span::new(0, source.len())),
        }
    }

    /// Returns the byte of the file as it was that byte `at` of the new one comes from.
    pub fn origin(&self, at: usize) -> usize {
        self.origins.near(at)
    }
}

/// A fix that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The rule whose finding it cured.
    pub rule: RuleId,
    /// The 1-based line of the finding, in the file as it was before anything was fixed.
    pub line: usize,
    /// What it did, in the imperative.
    /// What it did.
    pub title: String,
}

/// A fix that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The rule of the finding.
    pub rule: RuleId,
    /// The 1-based line of the finding, in the file as it was before anything was fixed.
    pub line: usize,
    /// Why not.
    /// Why it was not made.
    pub reason: String,
}

/// What a file says about builds, in a report.
#[derive(Debug)]
pub struct BuildFileReport {
    /// The file's format.
    pub format: FormatRef,
    /// What it says.
    pub file: BuildFile,
    /// What each Dockerfile within it asks of its builds.
    pub lanes: Vec<Option<Box<LaneRequirements>>>,
    /// Locks in its text that no Dockerfile within it holds.
    pub loose: Vec<Finding>,
    /// What its builds are to pass, and do not. [`wire`](super::matching::match_builds) finds it.
    pub missing: Vec<MissingArg>,
}

/// A lane that a build is to pass.
#[derive(Clone, Debug)]
pub struct MissingArg {
    /// The build, by its index.
    pub(super) build: usize,
    /// The argument of the Dockerfile that asks for it.
    pub(super) arg: String,
    /// The argument's value for builds that pass none.
    pub(super) default: String,
    /// True where another job builds that Dockerfile, too.
    pub(super) shared: bool,
}
