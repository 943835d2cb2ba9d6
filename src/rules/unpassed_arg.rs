//! `unpassed-arg`: builds that can run at once and take one lock, since they pass no lane, or the same one.

use crate::builds::{BuildTool, NAMESPACE, Runs};
use crate::finding::{Finding, RuleId, Severity};
use crate::fix::{Edit, Fix};
use crate::text::Span;

use super::build_context::{BuildContext, Pair, Tells, Waiting};

pub(super) fn check(cx: &BuildContext<'_>, findings: &mut Vec<Finding>) {
    let (build, arg) = (cx.build, cx.args());
    let severity = match &cx.waiting {
        Waiting::No => return,
        Waiting::For(pair) if pair.place.is_none() => Severity::Error,
        Waiting::For(_) | Waiting::Itself => Severity::Warning,
    };
    // Passed for all alike, for example by a bake file's attribute.
    let mut args = build.args.iter();
    let same = args
        .find(|own| own.name.is(cx.lanes.arg()))
        .and_then(|own| own.value.as_deref());
    let passes = match (cx.passed, same) {
        (Some((name, value)), _) => format!("passes `{name}={value}`"),
        (None, Some(_)) => format!("passes no `{arg}` that a job can set"),
        (None, None) => format!("passes no `{arg}`"),
    };
    let mut args = build.args.iter();
    let only = if !build.tool.takes_namespace() && args.any(|own| own.name.is(NAMESPACE)) {
        format!(" (only BuildKit knows `{NAMESPACE}`)")
    } else {
        String::new()
    };
    let passes = passes + &only;
    let message = if let Waiting::For(pair) = &cx.waiting {
        format!("{} {passes}: {}", build.name, both(pair))
    } else {
        let who = if build.tool == BuildTool::Bake {
            "every build of this target"
        } else {
            "every build through this file"
        };
        let lane = same.unwrap_or(&cx.lanes.default);
        let stays = if lane.is_empty() {
            "has no lane".to_owned()
        } else {
            format!("uses the lane `{lane}`")
        };
        format!(
            "{} {passes}: {who} {stays}, and they wait for each other",
            build.name
        )
    };
    let fix = cx.pass();
    let help = match &fix {
        Ok(fix) => fix.title().to_owned(),
        Err(_) if build.tool == BuildTool::Rocker && cx.lanes.is_lane => {
            "set `ROCKER_CACHE_ID` to a value that each job has for itself, and install rocker's extension `rocker-cachelane`".into()
        }
        Err(_) if cx.lanes.arg() == NAMESPACE && !build.tool.takes_namespace() => {
            format!("only BuildKit knows `{NAMESPACE}`: give the Dockerfile lanes with `cachelane fix --via arg`")
        }
        Err(_) => by_hand(cx),
    };
    let mut finding = Finding::new(RuleId::UnpassedArg, build.span, message)
        .help(help)
        .fix(fix);
    finding.severity = severity;
    findings.push(finding.point(cx.asks()));
}

/// Makes the finding on a cache that is filled by the id `old`, which `build` has replaced by another one, with the edit
/// that writes that.
pub fn stale_fill(
    span: Span,
    old: &str,
    build: &str,
    new: Result<(&str, Edit), String>,
) -> Finding {
    let (has, help, fix) = match new {
        Ok((id, edit)) => {
            let title = format!("fill the cache `{id}`");
            let fix = Fix::needs_review(title.clone(), vec![edit]);
            (format!(": {build} has `{id}`"), title, Ok(fix))
        }
        Err(why) => {
            let help = format!("write the id that {build} has there");
            (String::new(), help, Err(why))
        }
    };
    let message = format!("it fills the cache `{old}`, which no build has{has}");
    let finding = Finding::new(RuleId::UnpassedArg, span, message);
    let mut finding = finding.help(help).fix(fix);
    finding.severity = Severity::Warning;
    finding
}

/// Says how a person passes a lane.
fn by_hand(cx: &BuildContext<'_>) -> String {
    let args = cx.args();
    let (name, value) = cx.passed.unwrap_or((&args, ""));
    let is_github = value.contains("${{") || cx.path.contains(".github/");
    match cx.runs {
        Runs::Matrix(axes) if !axes.is_empty() => {
            let axes: Vec<String> = axes.iter().map(ToString::to_string).collect();
            let has = |axis: &String| mentions(value, axis);
            match &cx.waiting {
                Waiting::For(pair) if axes.iter().all(has) => {
                    return besides(&pair.tells, name, value, is_github);
                }
                Waiting::For(pair) if pair.tells == Tells::Matrix && is_job_lane(value) => {
                    return "a process cannot see the matrix of its job: put `CACHELANE_MATRIX: ${{ toJSON(matrix) }}` into \
                            the job's `env`"
                        .into();
                }
                _ => {}
            }
            let axes: Vec<String> = axes.iter().map(|axis| format!("`{axis}`")).collect();
            format!(
                "pass `{name}` with the matrix's {} in its value",
                axes.join(", ")
            )
        }
        _ => match &cx.waiting {
            Waiting::For(pair) if cx.passed.is_some() && is_missing(&pair.tells, value) => {
                besides(&pair.tells, name, value, is_github)
            }
            _ => format!("pass `{name}` with a value that each job has for itself"),
        },
    }
}

/// Returns whether what tells runs of several files apart is missing in a value, not only another job's name.
fn is_missing(tells: &Tells, value: &str) -> bool {
    match tells {
        Tells::Workflow | Tells::Input(_) | Tells::File(_) => true,
        // The names of the workflows are the same.
        Tells::Nothing(_) => mentions(value, "workflow"),
        Tells::Matrix | Tells::Job => false,
    }
}

/// Returns whether a value is what `cachelane id` calls the job, without a lane that somebody types.
fn is_job_lane(value: &str) -> bool {
    let (_, options) = value.split_once("cachelane id").unwrap_or(("", "-"));
    !options.contains(['-', '"', '\''])
        && !options
            .trim_start()
            .starts_with(|ch: char| ch != ')' && ch != '`')
}

/// Returns whether a value has the variable or the part of an expression that is called `axis`, as a whole word.
fn mentions(value: &str, axis: &str) -> bool {
    let is_part = |ch: char| ch.is_ascii_alphanumeric() || ch == '_';
    let mut found = value.match_indices(axis);
    found.any(|(at, _)| {
        let (before, behind) = (&value[..at], &value[at + axis.len()..]);
        before.contains(['$', '{']) && !before.ends_with(is_part) && !behind.starts_with(is_part)
    })
}

/// Says what a value needs, besides what it holds by now, for the two runs to differ.
fn besides(tells: &Tells, name: &str, value: &str, is_github: bool) -> String {
    let (what, expression) = match tells {
        Tells::Matrix if value.matches("${{").count() == 1 => {
            return format!("pass `{name}` with a value that each job has for itself");
        }
        Tells::Matrix => {
            return "its values meet: join them with another sign, `--` for example".into();
        }
        Tells::Nothing(reason) => return reason.clone(),
        Tells::File(file) => {
            return format!("put a text of this file's own into its value, `{file}` for example");
        }
        Tells::Job => ("job's name", "github.job".to_owned()),
        Tells::Workflow => ("workflow's name", "github.workflow".to_owned()),
        Tells::Input(input) => ("input", format!("inputs.{input}")),
    };
    if is_github {
        format!("put the {what} into its value, too: `${{{{ {expression} }}}}`")
    } else {
        format!("put the {what} into its value, too")
    }
}

/// Says which two runs wait for each other.
fn both(pair: &Pair) -> String {
    let Pair {
        lock, own, other, ..
    } = pair;
    let waits = format!("take the lock `{lock}`, and wait for each other");
    let values = if own.is_empty() {
        String::new()
    } else {
        format!(" ({own})")
    };
    let theirs = if other.is_empty() {
        String::new()
    } else {
        format!(" ({other})")
    };
    match (&pair.place, &pair.jobs) {
        (Some((name, place)), _) => format!("it{values} and {name}{theirs} at {place} {waits}"),
        (None, Some((ours, others))) => format!("its runs by {ours} and {others} {waits}"),
        (None, None) if own.is_empty() || own == other => format!("the jobs of the matrix {waits}"),
        (None, None) => format!("its runs for {own} and {other} {waits}"),
    }
}
