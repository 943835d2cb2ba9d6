//! What a job runs on: whether it has a machine to itself, so that no other job's build can be in its way.
//!
//! Of GitHub's documents ("GitHub-hosted runners"): each job gets a new machine, whose labels begin with the system's name.

use super::expression::Scope;
use super::matrix::Matrix;

/// How the labels of GitHub's own runners begin.
const HOSTED: &[&str] = &["ubuntu-", "windows-", "macos-"];

/// What a job has in it that builds elsewhere: an engine or a builder that is named, and the services for that.
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

/// Whether a job with these labels runs on a machine of GitHub's, whatever its matrix says.
pub(super) fn is_hosted(runs_on: &str, matrix: &Matrix) -> bool {
    let hosted = |labels: &str| {
        let mut labels = labels.split_whitespace().peekable();
        labels.peek().is_some()
            && labels.all(|label| HOSTED.iter().any(|start| label.starts_with(start)))
    };
    if !runs_on.contains("${{") {
        return hosted(runs_on);
    }
    let Some(rows) = &matrix.rows else {
        return false;
    };
    let known = |row| {
        Scope {
            env: &[],
            job: None,
            row: Some(row),
        }
        .known(runs_on)
    };
    !rows.is_empty()
        && rows
            .iter()
            .all(|row| known(row).is_some_and(|labels| hosted(&labels)))
}

/// Whether `text`, of a job or an `env`, names a builder that is elsewhere.
pub(super) fn names_builder(text: &str) -> bool {
    ELSEWHERE
        .iter()
        .any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
}
