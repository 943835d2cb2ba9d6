//! A build with its Dockerfile, the subject of rules about builds.

use crate::builds::{Build, Lane, Runs};
use crate::finding::{Location, Place};
use crate::fix::Fix;

use super::lane_requirements::LaneRequirements;
use super::settings::Settings;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrent {
    None,
    Jobs,
    Namesakes,
}

/// Finds the fix that makes a build pass its lane; it is proved where it is made.
pub type Fixes<'f> = dyn Fn(&Build, &Lane<'_>) -> Result<Fix, String> + 'f;

pub struct BuildContext<'a> {
    pub build: &'a Build,
    pub fixes: &'a Fixes<'a>,
    pub path: &'a str,
    pub lanes: &'a LaneRequirements,
    pub settings: &'a Settings,
    /// The number of times that the build runs at once.
    pub runs: &'a Runs,
    /// True where that number comes from a file that calls this one.
    pub is_called: bool,
    /// The other jobs that build the Dockerfile.
    pub concurrent: Concurrent,
    /// True where it stays in the default lane, and may wait there.
    pub stays: bool,
}

impl BuildContext<'_> {
    /// Returns the fix that passes the lane, or why a person has to do it.
    pub fn pass(&self) -> Result<Fix, String> {
        if self.is_called {
            return Err(
                "the file that calls this one tells its runs apart: give it an input for the lane, and pass that"
                    .into(),
            );
        }
        if self.concurrent == Concurrent::Namesakes && *self.runs == Runs::Once {
            return Err(
                "jobs of different files have the same name: give each a value of its own".into(),
            );
        }
        let lane = Lane {
            arg: &self.settings.arg,
            default: &self.lanes.default,
            shared: self.concurrent != Concurrent::None,
        };
        let fix = (self.fixes)(self.build, &lane)?;
        if !self.lanes.is_used {
            return Ok(fix);
        }
        let note = "the Dockerfile uses it for more than cache ids: look whether that may change";
        let title = format!("{} ({note})", fix.title());
        Ok(Fix::needs_review(title, fix.edits().to_vec()))
    }

    /// Returns the place in the Dockerfile that needs the lane.
    pub fn asks(&self) -> Location {
        Location {
            place: Place::There {
                path: self.path.into(),
                range: self.lanes.range,
            },
            message: format!("has a lane: `{}`", self.lanes.id),
        }
    }
}
