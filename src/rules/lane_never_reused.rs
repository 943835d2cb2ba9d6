//! `lane-never-reused`: a lane that differs in every run, so that its cache is never reused.

use crate::builds::{NAMESPACE, Runs};
use crate::finding::{Finding, RuleId};

use super::build_context::BuildContext;

/// Names whose values differ in every run, from the CIs' own documents, matched as whole words in any case.
const VOLATILE: &[&str] = &[
    // GitHub
    "github.run_id github.run_number github.run_attempt github.sha github.event.after",
    "github.event.head_commit.id github.event.pull_request.head.sha github.workflow_sha GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER GITHUB_RUN_ATTEMPT GITHUB_SHA GITHUB_WORKFLOW_SHA",
    // GitLab
    "CI_PIPELINE_ID CI_PIPELINE_IID CI_PIPELINE_CREATED_AT CI_JOB_ID CI_JOB_STARTED_AT CI_COMMIT_SHA",
    "CI_COMMIT_SHORT_SHA CI_COMMIT_TIMESTAMP",
    // CircleCI
    "CIRCLE_BUILD_NUM CIRCLE_SHA1 CIRCLE_WORKFLOW_ID CIRCLE_WORKFLOW_JOB_ID CIRCLE_PIPELINE_ID",
    // Buildkite
    "BUILDKITE_BUILD_ID BUILDKITE_BUILD_NUMBER BUILDKITE_JOB_ID BUILDKITE_COMMIT",
    // Azure
    "BUILD_BUILDID BUILD_BUILDNUMBER BUILD_SOURCEVERSION",
    // Bitbucket
    "BITBUCKET_BUILD_NUMBER BITBUCKET_COMMIT BITBUCKET_PIPELINE_UUID",
    // Jenkins
    "BUILD_NUMBER BUILD_ID BUILD_TAG GIT_COMMIT",
    // Travis, Drone, TeamCity, AppVeyor, Semaphore
    "TRAVIS_BUILD_ID TRAVIS_BUILD_NUMBER TRAVIS_JOB_ID TRAVIS_COMMIT DRONE_BUILD_NUMBER DRONE_COMMIT_SHA",
    "APPVEYOR_BUILD_ID APPVEYOR_BUILD_NUMBER SEMAPHORE_PIPELINE_ID SEMAPHORE_WORKFLOW_ID",
    "SEMAPHORE_GIT_SHA",
    // Shells
    "RANDOM SRANDOM EPOCHSECONDS EPOCHREALTIME",
];

/// Commands whose output differs in every run.
const COMMANDS: &str = "date|uuidgen|mktemp|git rev-parse|git describe|openssl rand|od -|shuf";

/// Conversions by which `date` prints less than a day, behind a `%`.
const TIMES: &str = "sNHIklMSTcRrXp";
/// Options by which `date` prints the time of day in a fixed format.
const TIMED: &str = "-R --rfc-email --rfc-3339=s --rfc-3339=n -Ih -Im -Is -In";

/// Returns whether the output of `command`, which begins with one of [`COMMANDS`], really differs in every run.
fn changes(command: &str) -> bool {
    let has = |sign: &str| command.contains(sign);
    if command.starts_with("date") {
        let plain = !has("+") && !has(" -I") && !has("--iso") && !has("--rfc");
        let iso = has("--iso-8601=") && !has("--iso-8601=d");
        return plain
            || iso
            || TIMES.chars().any(|sign| has(&format!("%{sign}")))
            || TIMED.split(' ').any(has);
    }
    // A branch's name, a folder, and the hash of a file or folder are the same until that changes.
    let stays = ["--abbrev-ref", "--symbolic-full-name", "--show-", ":"];
    match command {
        _ if command.starts_with("git rev-parse") => !stays.iter().any(|sign| has(sign)),
        // The last tag.
        _ if command.starts_with("git describe") => !has("--abbrev=0"),
        _ => true,
    }
}

pub(super) fn check(cx: &BuildContext<'_>, findings: &mut Vec<Finding>) {
    let names = cx.lanes.args.iter().map(String::as_str);
    let names: Vec<&str> = names.chain([NAMESPACE]).collect();
    let found = cx.build.args.iter().find_map(|arg| {
        let name = names.iter().find(|name| arg.name.is(name))?;
        Some((arg, name, volatile(arg.value.as_deref()?)?))
    });
    let Some((arg, name, what)) = found else {
        return;
    };
    let message = format!(
        "`{name}` is another one in every run (`{what}`): the cache of this lane is never used again"
    );
    let stable = match cx.runs {
        Runs::Matrix(axes) if !axes.is_empty() => {
            let axes: Vec<String> = axes.iter().map(|axis| format!("`{axis}`")).collect();
            format!(
                "keep what the next run has as well: the matrix's {}",
                axes.join(", ")
            )
        }
        _ => "keep what the next run has as well: the name of the job".into(),
    };
    let finding = Finding::new(RuleId::LaneNeverReused, arg.span, message).help(stable);
    findings.push(finding.point(cx.asks()));
}

/// Returns the part of `value` that differs in every run.
fn volatile(value: &str) -> Option<String> {
    let part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '.');
    let mut from = 0;
    while let Some(start) = value[from..].find(part).map(|at| from + at) {
        let len = value[start..].find(|ch| !part(ch));
        let end = len.map_or(value.len(), |len| start + len);
        // A word of text is no variable.
        let before = value[..start].trim_end();
        if before.ends_with(['$', '{', '(', '[']) || before.contains("${{") {
            let word = value[start..end].trim_matches('.');
            let mut names = VOLATILE.iter().flat_map(|line| line.split(' '));
            if let Some(name) = names.find(|name| name.eq_ignore_ascii_case(word)) {
                return Some(name.to_owned());
            }
        }
        from = end;
    }
    let command = |text: &str| {
        let text = text.trim_start();
        let text = text.split(')').next().unwrap_or(text);
        let goes_on = |ch: char| ch.is_alphanumeric() || matches!(ch, '_' | '-' | '.');
        let named = |command: &&str| {
            let rest = text.strip_prefix(*command);
            rest.is_some_and(|rest| command.ends_with('-') || !rest.starts_with(goes_on))
        };
        COMMANDS.split('|').find(named).filter(|_| changes(text))
    };
    let quoted = value.split('`').skip(1).step_by(2);
    let found = value.split("$(").skip(1).chain(quoted).find_map(command);
    found
        .map(|command| format!("$({command}…)"))
        .or_else(|| value.contains("$$").then(|| "$$".into()))
}
