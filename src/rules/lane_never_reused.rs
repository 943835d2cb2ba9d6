//! `lane-never-reused`: a lane that differs in every run, so that its cache is never reused.

use crate::budget;
use crate::builds::{Arg, Leg, NAMESPACE, Runs, Service, ValueSource};
use crate::finding::{Finding, RuleId};
use crate::text::marks::SAME;

use super::build_context::BuildContext;

/// Names whose values differ in every run, from the CIs' own documents, matched as whole words in any case.
const VOLATILE: &[&str] = &[
    // GitHub
    // (`github.run_attempt` is 1 in nearly all runs.)
    "github.run_id github.run_number github.sha github.workflow_sha github.event.after",
    "github.event.before github.event.head_commit.id github.event.head_commit.timestamp",
    "github.event.pull_request.head.sha github.event.pull_request.merge_commit_sha",
    "github.event.merge_group.head_sha github.event.workflow_run.id github.event.workflow_run.run_number",
    "github.event.workflow_run.head_sha github.event.workflow_run.head_commit.id github.event.check_run.id",
    "github.event.check_suite.id github.event.check_suite.head_sha github.event.deployment.id",
    "github.event.deployment.sha job.container.id GITHUB_RUN_ID GITHUB_RUN_NUMBER",
    "GITHUB_SHA GITHUB_WORKFLOW_SHA RUNNER_TRACKING_ID",
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

/// Those of them that a bake file may well have for something of its own: `variable "BUILD_TAG" { default = "jammy" }`.
const OWN: &[&str] = &["BUILD_ID", "BUILD_NUMBER", "BUILD_TAG", "RANDOM", "SRANDOM"];

/// Commands whose output differs in every run.
const COMMANDS: &str = "date|uuidgen|mktemp|git rev-parse|git rev-list|git describe|git log|git show|openssl rand|od -|shuf|\
                        cat /proc/sys/kernel/random/|head -c|tr -dc";

/// Functions of bake whose result differs in every run.
const FUNCTIONS: &[&str] = &["timestamp(", "uuidv4(", "uuidv7("];

/// Conversions by which `date` prints less than a day, behind a `%`.
const TIMES: &str = "sNHIklMSTcRrXp+";
/// Those by which it prints the day of a month or year.
const DAYS: &str = "dejFDxv";
/// Options by which `date` prints the time of day in a fixed format.
const TIMED: &str = "-R --rfc-email --rfc-3339=s --rfc-3339=n -Ih -Im -Is -In";

/// The time for which a value stays the same.
#[derive(Clone, Copy, Debug)]
enum Stays {
    Run,
    Day,
}

/// Returns how long the output of `command`, which begins with one of [`COMMANDS`], stays the same; `None` for what stays
/// longer.
fn stays(command: &str) -> Option<Stays> {
    let has = |sign: &str| command.contains(sign);
    if command.starts_with("date") {
        let prints = |signs: &str| signs.chars().any(|sign| has(&format!("%{sign}")));
        let plain = !has("+") && !has(" -I") && !has("--iso") && !has("--rfc");
        let iso = has("--iso-8601=") && !has("--iso-8601=d");
        if plain || iso || prints(TIMES) || TIMED.split(' ').any(has) {
            return Some(Stays::Run);
        }
        let day = has(" -I") || has("--iso") || has("--rfc") || prints(DAYS);
        return day.then_some(Stays::Day);
    }
    // A branch's name, a folder, the last tag, and the hash of a file or folder are the same until that changes.
    let names = [
        "--abbrev-ref",
        "--symbolic-full-name",
        "--show-",
        "--git-",
        "--is-",
        ":",
    ];
    let kept = match command {
        _ if command.starts_with("git rev-parse") => names.iter().any(|sign| has(sign)),
        _ if command.starts_with("git describe") => has("--abbrev=0"),
        _ if command.starts_with("git") && has("format") => has(" -- ") || prints_people(command),
        _ if command.starts_with("git") => has(" -- ") || has(":"),
        _ if command.starts_with("head") || command.starts_with("tr") => !has("/dev/urandom"),
        _ => false,
    };
    (!kept).then_some(Stays::Run)
}

/// Returns whether all that a format of `git log` prints is who wrote the commit, or who committed it.
fn prints_people(command: &str) -> bool {
    let Some((_, format)) = command.split_once("format") else {
        return false;
    };
    let format = format.replace("%%", "").replace("%n", "");
    let mut printed = format.split('%').skip(1).peekable();
    let is_person = |text: &str| {
        let mut letters = text.chars();
        let is_who = matches!(letters.next(), Some('a' | 'c'));
        is_who && matches!(letters.next(), Some('n' | 'N' | 'e' | 'E' | 'l' | 'L'))
    };
    printed.peek().is_some() && printed.all(is_person)
}

pub(super) fn check(cx: &BuildContext<'_>, findings: &mut Vec<Finding>) {
    let names = cx.lanes.args.iter().map(String::as_str);
    let names: Vec<&str> = names.chain([NAMESPACE]).collect();
    let found = cx.build.args.iter().find_map(|arg| {
        let name = names.iter().find(|name| arg.name.is_lane(name))?;
        Some((arg, name, value(cx, arg)?))
    });
    let Some((arg, name, (what, stays))) = found else {
        return;
    };
    let message = match stays {
        Stays::Run => format!(
            "`{name}` differs in every run (`{what}`): the cache of this lane is never used again"
        ),
        Stays::Day => format!(
            "`{name}` differs every day (`{what}`): each day begins with empty caches, and leaves its own behind"
        ),
    };
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

/// Returns what makes the value of `arg` differ: as it is written, as the build's runs see it, or as the file makes it where
/// nobody sets its variables.
fn value(cx: &BuildContext<'_>, arg: &Arg) -> Option<(String, Stays)> {
    let build = cx.build;
    let written = arg
        .value
        .clone()
        .or_else(|| arg.name.as_str().map(|name| format!("${name}")))?;
    // Compose and bake write `$$` for a `$` that is none of theirs.
    let is_file = |service: &Service| !service.of_script;
    let written = match &build.service {
        Some(service) if is_file(service) => written.replace("$$", ""),
        // Whoever calls it may set the variable, so that the default does not count.
        Some(_) => written.replace(":-$", ":-").replace(":-`", ":-"),
        None => written,
    };
    if let ValueSource::Variables(names) = &arg.from
        && let mut names = names.iter().filter_map(|name| known(name))
        && let Some(name) = names.find(|name| !OWN.contains(name))
    {
        return Some((name.to_owned(), Stays::Run));
    }
    let mut runs = build.legs.iter().take_while(|_| budget::spend(1));
    let in_run = |leg: &Leg| {
        let known = leg
            .values
            .value(&written)
            .or_else(|| leg.values.filled(&written));
        volatile(&known?)
    };
    let by_default = || volatile(arg.default.as_deref().filter(|_| !cx.is_set)?);
    volatile(&written)
        .or_else(|| runs.find_map(in_run))
        .or_else(by_default)
}

/// Returns `name` as [`VOLATILE`] has it.
fn known(name: &str) -> Option<&'static str> {
    let mut names = VOLATILE.iter().flat_map(|line| line.split(' '));
    names.find(|known| known.eq_ignore_ascii_case(name))
}

/// Returns the part of `value` that differs in every run.
fn volatile(value: &str) -> Option<(String, Stays)> {
    let part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '.');
    let mut from = 0;
    while let Some(start) = value[from..].find(part).map(|at| from + at) {
        let len = value[start..].find(|ch| !part(ch));
        let end = len.map_or(value.len(), |len| start + len);
        // A word of text is no variable.
        let before = value[..start].trim_end();
        if before.ends_with(['$', '{', '(', '[', SAME]) || before.contains("${{") {
            let word = value[start..end].trim_matches('.');
            if let Some(name) = known(word) {
                return Some((name.to_owned(), Stays::Run));
            }
        }
        from = end;
    }
    if let Some(function) = FUNCTIONS.iter().find(|function| value.contains(*function)) {
        let (_, format) = value.split_once("formatdate(\"").unwrap_or(("", "s"));
        let format = format.split('"').next().unwrap_or_default();
        return match () {
            () if format.contains(['h', 'H', 'm', 's']) => Some(Stays::Run),
            () => format.contains('D').then_some(Stays::Day),
        }
        .map(|stays| (format!("{function})"), stays));
    }
    let command = |text: &str| {
        let text = text.trim_start();
        // Make has a function for it.
        let text = text.strip_prefix("shell ").unwrap_or(text).trim_start();
        let text = text.split(')').next().unwrap_or(text);
        let goes_on = |ch: char| ch.is_alphanumeric() || matches!(ch, '_' | '-' | '.');
        let named = |command: &&str| {
            let rest = text.strip_prefix(*command);
            rest.is_some_and(|rest| command.ends_with(['-', '/']) || !rest.starts_with(goes_on))
        };
        let command = COMMANDS.split('|').find(named)?;
        Some((format!("$({command}…)"), stays(text)?))
    };
    let quoted = value.split('`').skip(1).step_by(2);
    let found = value.split("$(").skip(1).chain(quoted).find_map(command);
    found.or_else(|| value.contains("$$").then(|| ("$$".into(), Stays::Run)))
}
