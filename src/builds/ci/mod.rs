//! Which job is this, and what is its lane: what `cachelane id` prints and `cachelane run` passes.
//!
//! A lane is made of names that stay the same from one run of a job to the next: never of a run's number, a commit or a
//! time. The cases in `integrations/lane-cases.json` say what comes out; other tools that find the same lane read them too.

mod clean;
mod lane;
mod matrix;
mod table;

pub use clean::{LONGEST, is_lane};
pub use lane::{DEFAULT, JobLane, MATRIX, Source, Typed, VARIABLES, lane};
pub use matrix::MatrixError;
pub use table::{CIS, Ci, Part};
