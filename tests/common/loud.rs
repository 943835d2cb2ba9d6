//! What a test says when it cannot run.

use std::io::Write as _;

/// Says that `what` was left out and `why`: past the test harness, which keeps to itself what a test that passes prints. In
/// CI, where all tests have to run, it is a failure.
pub fn left_out(what: &str, why: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "{what} cannot run in this CI: {why}"
    );
    let _ = writeln!(std::io::stderr(), "\n**** LEFT OUT: {what}: {why} ****");
}
