//! The job's lane, which `cachelane id` prints and `cachelane run` passes.
//!
//! A lane is made of names that stay the same from one run of a job to the next: never of a run's number, a commit or a
//! time. `integrations/lane-cases.json` has the expected results, which other tools that find the same lane read too.

mod clean;
mod lane;
mod matrix;
mod table;

pub use lane::{JobLane, Typed, lane};
#[cfg(feature = "internals")]
pub use {
    clean::{LONGEST, is_lane},
    lane::Source,
    matrix::MatrixError,
    table::{CIS, Part},
};
