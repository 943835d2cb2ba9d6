//! The runner of a job: with a machine to itself, no other job's build gets in its way.
//!
//! By GitHub's documents ("GitHub-hosted runners"): each job gets a new machine, whose labels begin with the system's
//! name.

use super::language::Github;
use crate::builds::jobs::{Job, Scope};
use crate::builds::model::Env;

/// The prefixes of GitHub's own labels.
const HOSTED: &[&str] = &["ubuntu-", "windows-", "macos-"];

/// Signs of a job that builds elsewhere: a named engine or builder, and the services for that.
const ELSEWHERE: &[&str] = &[
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "BUILDKIT_HOST",
    "BUILDX_BUILDER",
    "docker context",
    "tcp://",
    "ssh://",
    "endpoint:",
    "append:",
    "driver: remote",
    "driver: kubernetes",
    "driver: cloud",
    "driver remote",
    "driver kubernetes",
    "driver cloud",
    "driver=remote",
    "driver=kubernetes",
    "driver=cloud",
    "depot",
    "namespacelabs",
    "blacksmith",
];

/// Returns whether a job with these labels runs on a machine of GitHub's, for all values of its matrix.
pub fn is_hosted(runs_on: &str, job: &Job) -> bool {
    let hosted = |labels: &str| {
        let mut labels = labels.split_whitespace().peekable();
        labels.peek().is_some()
            && labels.all(|label| HOSTED.iter().any(|start| label.starts_with(start)))
    };
    if !runs_on.contains("${{") {
        return hosted(runs_on);
    }
    let known = |row| {
        let scope = Scope {
            language: &Github,
            env: &Env::default(),
            job,
            row,
            run: None,
        };
        scope.filled(runs_on)?.plain()
    };
    let mut rows = job.matrix.rows.iter();
    !job.matrix.rows.is_empty() && rows.all(|row| known(row).is_some_and(|labels| hosted(&labels)))
}

/// Returns whether `text`, of a job or an `env`, names a builder elsewhere.
pub fn names_builder(text: &str) -> bool {
    ELSEWHERE
        .iter()
        .any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
}
