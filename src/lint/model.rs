//! The data about a file: its findings, fixes and builds.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::unread::Unread;
use crate::builds::{Around, BuildFile, Builder, FormatRef, Parts, Unknown};
use crate::finding::{Finding, RuleId};
use crate::fix::Applied;
use crate::index::CacheMount;
use crate::rules::Settings;
use crate::rules::lane_requirements::LaneRequirements;
use crate::suppress::Ignore;
use crate::text::{LineIndex, SourceMap, Span};

/// The result of checking a file.
#[derive(Debug, Default)]
pub struct Checked {
    /// The findings, ordered by place.
    pub findings: Vec<Finding>,
    /// The cache mounts, which [`relate`](super::relate()) compares with those of other files.
    pub mounts: Vec<CacheMount>,
    /// The lanes that its builds have to pass.
    pub lanes: Vec<LaneRequirements>,
    pub ignores: Vec<Ignore>,
    /// The number of findings that suppressions and exemptions hide.
    pub suppressed: usize,
    /// True where it names no frontend, and the engine's own reads it.
    pub has_no_syntax_line: bool,
    /// True where podman or buildah do all builds of it; `None` where its builds are not known.
    pub by_buildah: Option<bool>,
    /// The reason why no fix of the file is made.
    pub withheld: Option<Withheld>,
}

impl Checked {
    /// Returns whether there is nothing to report or compare.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.mounts.is_empty() && self.ignores.is_empty()
    }

    /// Returns why no comment is added to the file; one that BuildKit refuses can still have one.
    #[cfg(feature = "cli")]
    pub fn keeps_out_comments(&self) -> Option<&Withheld> {
        let withheld = self.withheld.as_ref();
        withheld.filter(|withheld| !matches!(withheld, Withheld::Refused))
    }

    /// Takes the fixes of a file that is not to be fixed away, and says why.
    pub(super) fn withhold_fixes(&mut self) {
        let Some(withheld) = &self.withheld else {
            return;
        };
        for finding in &mut self.findings {
            if finding.fix.take().is_some() {
                finding.unfixed = Some(withheld.to_string());
            }
        }
    }
}

/// The reason why no fix of a file is made.
#[derive(Debug)]
pub enum Withheld {
    /// It is generated, as this comment says.
    Generated(String),
    /// It was not named: it is read since it may use the same caches as the files that were.
    NotNamed,
    /// It fills caches by their ids, and mounts none. `fix` changes the ids there along with those of the builds, or there
    /// is a reason why it cannot.
    Fills(Result<(), String>),
    /// BuildKit refuses it.
    Refused,
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generated(header) => write!(
                f,
                "the file is generated, as `{header}` says, and the next run takes a change back: change what it is made \
                 from (`--include-generated` changes the file itself)"
            ),
            Self::NotNamed => f.write_str("it is not among the files to fix: name it, too"),
            Self::Fills(_) => f.write_str("change the id there by hand"),
            Self::Refused => f.write_str("BuildKit refuses the file as it is: fix that first"),
        }
    }
}

/// A file of a run with its findings.
#[derive(Debug)]
pub struct FileReport {
    /// The path, as given by the user or found by the search.
    pub path: PathBuf,
    /// The bytes; empty without findings, since nothing needs to be shown.
    pub source: Vec<u8>,
    pub settings: Arc<Settings>,
    pub checked: Checked,
    /// The builds, for a workflow, a pipeline, a Compose or bake file. (Boxed, since few of the many reports have any.)
    pub builds: Option<Box<BuildFileReport>>,
    /// The known builds of the Dockerfile, or of the Dockerfiles within the file.
    pub known: Vec<KnownBuild>,
    /// The number of its builds in other files of the repository, which were not named, that a finding tells to pass a lane.
    pub waiting_elsewhere: usize,
    /// True where locks in its text outside of Dockerfiles were searched for: in all of it without builds.
    pub is_text: bool,
    /// True where it only tells what is around the files of a run: its findings are not shown, and it is not fixed.
    pub is_context: bool,
}

impl FileReport {
    /// Returns why its builds cannot be read, with the 1-based line; not for a template, which may make a file that can.
    pub fn unread(&self) -> Option<(usize, &str)> {
        let unread = self.builds.as_ref()?.unread.as_ref()?;
        let line = LineIndex::new(&self.source).line(unread.span.start);
        (!unread.is_template).then_some((line, unread.why.as_str()))
    }

    /// Makes the report on a file without builds.
    pub fn new(path: &Path, source: &[u8], settings: &Arc<Settings>, checked: Checked) -> Self {
        Self {
            path: path.to_path_buf(),
            source: source.to_vec(),
            settings: Arc::clone(settings),
            checked,
            builds: None,
            known: Vec::new(),
            waiting_elsewhere: 0,
            is_text: false,
            is_context: false,
        }
    }
}

/// The result of fixing a file.
#[derive(Debug)]
pub struct Fixed {
    /// The new bytes; the old ones where nothing was fixed.
    pub bytes: Vec<u8>,
    /// The fixes that were made, in order.
    pub made: Vec<Made>,
    /// The fixes that were dropped because the result would not have read as intended.
    pub dropped: Vec<Dropped>,
    /// The map from the new bytes to the old ones.
    pub origins: SourceMap,
    /// The lines of the old ones.
    pub lines: LineIndex,
}

impl Fixed {
    /// Returns an unchanged file.
    pub fn nothing(source: &[u8]) -> Self {
        Self {
            bytes: source.to_vec(),
            made: Vec::new(),
            dropped: Vec::new(),
            origins: SourceMap::of(Span::new(0, source.len())),
            lines: LineIndex::new(source),
        }
    }

    /// Returns the file `source` with the fixes of `findings`, by their indices, as `applied` has them.
    pub(super) fn of(source: &[u8], findings: &[&Finding], applied: Applied) -> Self {
        let lines = LineIndex::new(source);
        let line = |index: usize| lines.line(findings[index].span.start);
        let made = applied.made.iter().filter_map(|&index| {
            Some(Made {
                rule: findings[index].rule,
                line: line(index),
                title: findings[index].fix.as_ref()?.title().into(),
                passes: None,
            })
        });
        let refused = applied.refused.into_iter();
        let dropped = refused.map(|(index, reason)| Dropped {
            rule: findings[index].rule,
            line: line(index),
            reason,
        });
        Self {
            made: made.collect(),
            dropped: dropped.collect(),
            bytes: applied.bytes,
            origins: applied.origins,
            lines,
        }
    }

    /// Adds the fixes that made `next` of these bytes.
    pub(super) fn append(&mut self, next: Self) {
        let line = |line: usize| self.line(next.lines.start_of(line));
        let made = next.made.into_iter().map(|made| Made {
            line: line(made.line),
            ..made
        });
        let dropped = next.dropped.into_iter().map(|dropped| Dropped {
            line: line(dropped.line),
            ..dropped
        });
        let (made, dropped): (Vec<Made>, Vec<Dropped>) = (made.collect(), dropped.collect());
        let is_made = |one: &Dropped| {
            made.iter()
                .any(|made| (made.rule, made.line) == (one.rule, one.line))
        };
        self.dropped.retain(|one| !is_made(one));
        self.made.extend(made);
        for one in dropped {
            if !self.dropped.contains(&one) {
                self.dropped.push(one);
            }
        }
        self.origins = next.origins.compose(&self.origins);
        self.bytes = next.bytes;
    }

    /// Returns the 1-based line of the old file for byte `at` of the new one.
    pub fn line(&self, at: usize) -> usize {
        self.lines.line(self.origins.near(at))
    }
}

/// A fix that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Made {
    /// The rule whose finding it cured.
    pub rule: RuleId,
    /// The 1-based line of the finding, in the original file.
    pub line: usize,
    /// The change, in the imperative.
    pub title: String,
    /// The build argument that a build passes now, where that is the change.
    pub passes: Option<String>,
}

/// A fix that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "internals"), non_exhaustive)]
pub struct Dropped {
    /// The rule of the finding.
    pub rule: RuleId,
    /// The 1-based line of the finding, in the original file.
    pub line: usize,
    /// The reason why it was not made.
    pub reason: String,
}

/// The builds of a file, in a report.
#[derive(Debug)]
pub struct BuildFileReport {
    pub format: FormatRef,
    pub file: BuildFile,
    /// The whole that it is a part of, set by [`join_files`](super::matching::join_files).
    pub whole: Option<Box<Whole>>,
    /// The reason why it cannot be read, where that is so; then it has no builds.
    pub unread: Option<Unread>,
    /// The lanes of each Dockerfile within it.
    pub lanes: Vec<Vec<LaneRequirements>>,
    /// The locks in its text outside of the Dockerfiles within it.
    pub embedded: Vec<Finding>,
    /// Its builds that lead to a missing file, set by [`match_builds`](super::matching::match_builds).
    pub unresolved: Vec<Unknown>,
    /// Its commands that build only the images that are not there, set by [`match_builds`](super::matching::match_builds).
    pub only_missing: Vec<MissingImages>,
    /// The missing lanes of its builds, set by [`match_builds`](super::matching::match_builds).
    pub missing: Vec<MissingArg>,
    /// For each cache that it fills, `Ok` where `fix` can fill it by another id, or else the reason; set by
    /// [`note_builds`](super::matching::note_builds).
    pub fills: Vec<Result<(), String>>,
    /// The caches that no build has by the id that it fills, set by [`match_builds`](super::matching::match_builds).
    pub refills: Vec<Refill>,
}

/// A cache that is to be filled by another id.
#[derive(Clone, Debug)]
pub struct Refill {
    /// The index of the fill.
    pub(super) fill: usize,
    pub(super) id: String,
}

/// Files that are read as one.
#[derive(Debug)]
pub struct Whole {
    /// The absolute path of the file that includes the others.
    pub root: PathBuf,
    pub around: Around,
}

impl BuildFileReport {
    /// Returns the files around it that it is read with.
    pub fn around(&self) -> &Around {
        self.whole
            .as_ref()
            .map_or(Around::NONE, |whole| &whole.around)
    }

    /// Returns the paths that it includes.
    pub fn includes(&self) -> Vec<&str> {
        let calls = self.file.calls.iter().filter(|call| call.is_include());
        calls.map(|call| call.path.as_str()).collect()
    }
}

/// The status of a build's lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaneStatus {
    /// A lane is passed.
    Passed,
    /// A variable of its caller's environment is passed, and no known caller sets it.
    HandedOn,
    /// A namespace is passed, which does the same.
    Namespace,
    /// No lane is passed, but the Dockerfile asks for one.
    Default,
    /// No lane is passed, but each run has a builder of its own, so that nothing waits.
    OwnMachine,
    /// The Dockerfile asks for no lane.
    NotNeeded,
    /// The Dockerfile is missing: it is made before the build, or the path is wrong.
    NotThere,
    /// The Dockerfile has locks that all builds share, and no lanes yet.
    NotYet,
    /// The command builds only the images that are not there.
    #[cfg(feature = "cli")]
    OnlyMissing,
    /// The Dockerfile, or its arguments, cannot be known.
    Unknown,
}

/// A known build of a Dockerfile.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "cli"),
    expect(dead_code, reason = "the command line sums them up")
)]
pub struct KnownBuild {
    pub builder: Builder,
    pub lane: LaneStatus,
    /// True where a known command builds it, a service or a target, and so says with what.
    pub is_called: bool,
    /// True where a finding says that it waits for others.
    pub is_found: bool,
}

/// A command that builds only the images that are not there.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "cli"),
    expect(dead_code, reason = "the command line lists them")
)]
pub struct MissingImages {
    /// The index of the build.
    pub build: usize,
    /// A Dockerfile that it then builds; `None` for one within the file.
    pub dockerfile: Option<PathBuf>,
    pub target: Option<String>,
}

/// A lane that a build has to pass.
#[derive(Clone, Debug)]
pub struct MissingArg {
    /// The index of the build.
    pub(super) build: usize,
    /// The argument of the Dockerfile that asks for it.
    pub(super) arg: String,
    /// The value for builds that pass none.
    pub(super) default: String,
    /// The parts that its lane needs besides the values of the matrix.
    pub(super) parts: Parts,
}
