//! A build with its Dockerfile, the subject of rules about builds.

use crate::builds::{Build, NAMESPACE, NoCache, Runs};
use crate::finding::{Location, Place};
use crate::fix::Fix;

use super::lane_requirements::{LaneLock, LaneRequirements};

/// The runs that a build's runs wait for.
#[derive(Clone, Debug)]
pub enum Waiting {
    No,
    /// Nothing that is known runs it, so that it may overlap itself.
    Itself,
    For(Pair),
}

/// The part of a value by which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tells {
    /// The values of the matrix alone.
    Matrix,
    /// The job's name.
    Job,
    /// The workflow's name: jobs of several files have one name.
    Workflow,
    /// An input that each caller of the file sets to another value.
    Input(String),
    /// The name of its own file: jobs of one name stand in several files of one run.
    File(String),
    /// Nothing that can be written there; what to do instead.
    Nothing(String),
}

/// Two runs that can overlap and take one lock.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The id of the lock.
    pub lock: String,
    pub tells: Tells,
    /// The matrix values that tell them apart, `py=3.10`; empty where none do.
    pub own: String,
    pub other: String,
    /// The jobs that they run in, where only the callers of their file tell them apart.
    pub jobs: Option<(String, String)>,
    /// The name and the place of the other build, where it is another one.
    pub place: Option<(String, String)>,
}

/// A build that runs steps anew, and the caches of these steps.
pub struct Clearing<'a> {
    pub build: &'a Build,
    pub no_cache: &'a NoCache,
    /// The ids, each once, in the file's order.
    pub ids: Vec<String>,
    /// True where one of them is locked.
    pub is_locked: bool,
    /// The place of the first one.
    pub place: Location,
    /// What makes a builder for the job, where there is such a thing.
    pub own_builder: Option<&'static str>,
}

pub struct BuildContext<'a> {
    pub build: &'a Build,
    /// The fix that passes a lane, or why a person has to do it.
    pub fix: Result<Fix, String>,
    pub path: &'a str,
    pub lanes: &'a LaneRequirements,
    /// The lock that it needs the lane for.
    pub lock: &'a LaneLock,
    /// The number of times that the build runs at once.
    pub runs: &'a Runs,
    /// The lane or namespace that it passes, as written: a name and its value.
    pub passed: Option<(&'a str, &'a str)>,
    pub waiting: Waiting,
    /// True where a known command sets the variable that makes the value of a service's or target's lane.
    pub is_set: bool,
}

impl BuildContext<'_> {
    /// Returns the fix that passes the lane, or why a person has to do it.
    pub fn pass(&self) -> Result<Fix, String> {
        let fix = self.fix.clone()?;
        if !self.lanes.is_used {
            return Ok(fix);
        }
        let note = "the Dockerfile uses it for more than cache ids: check whether that may change";
        let title = format!("{} ({note})", fix.title());
        Ok(Fix::needs_review(title, fix.edits().to_vec()))
    }

    /// Returns the arguments any of which the build has to pass, for messages.
    pub fn args(&self) -> String {
        self.lanes.args.join("` or `")
    }

    /// Returns the place in the Dockerfile that needs the lane.
    pub fn asks(&self) -> Location {
        let what = match self.lanes.arg() {
            NAMESPACE => "takes this lock",
            _ => "has a lane",
        };
        Location {
            place: Place::There {
                path: self.path.into(),
                range: self.lock.range,
            },
            message: format!("{what}: `{}`", self.lock.id),
        }
    }
}
