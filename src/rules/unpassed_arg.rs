//! `unpassed-arg`: a build that stays in the default lane, since it passes no other.

use crate::builds::{AxisPath, BuildTool, NAMESPACE, Runs};
use crate::finding::{Finding, RuleId, Severity};

use super::build_context::{BuildContext, Concurrent};

pub(super) fn check(cx: &BuildContext<'_>, findings: &mut Vec<Finding>) {
    let settings = cx.settings;
    let build = cx.build;
    if !cx.stays {
        return;
    }
    let (arg, lane) = (&settings.arg, &cx.lanes.default);
    let (severity, who) = match cx.runs {
        Runs::Matrix(axes) if axes.is_empty() => {
            (Severity::Error, "every job of the matrix".to_owned())
        }
        Runs::Matrix(axes) => (
            Severity::Error,
            format!("every job of the matrix over {}", list(axes)),
        ),
        Runs::Once if cx.concurrent != Concurrent::None => {
            (Severity::Warning, "every job that builds this".to_owned())
        }
        Runs::Once if build.tool == BuildTool::Bake && build.service.is_some() => {
            (Severity::Warning, "every build of this target".to_owned())
        }
        Runs::Once if build.service.is_some() => (
            Severity::Warning,
            "every build through this file".to_owned(),
        ),
        Runs::Once => return,
    };
    // Passed for all jobs alike, for example by a bake file's attribute.
    let same = build
        .args
        .iter()
        .find(|own| own.name.is(arg))
        .and_then(|own| own.value.as_ref());
    let lane = same.unwrap_or(lane);
    let own = if same.is_some() {
        " that a job can set"
    } else {
        ""
    };
    let stays = if lane.is_empty() {
        "has no lane".to_owned()
    } else {
        format!("uses the lane `{lane}`")
    };
    let mut args = build.args.iter();
    let only = if build.tool.is_buildah() && args.any(|own| own.name.is(NAMESPACE)) {
        format!(" (only BuildKit knows `{NAMESPACE}`)")
    } else {
        String::new()
    };
    let message = format!(
        "{} passes no `{arg}`{own}{only}: {who} {stays}, and they wait for each other",
        build.name
    );
    let fix = cx.pass();
    let help = match &fix {
        Ok(fix) => fix.title().to_owned(),
        Err(_) if build.tool == BuildTool::Rocker => {
            "set `ROCKER_CACHE_ID` to a value that each job has for itself, and install rocker's extension `rocker-cachelane`".into()
        }
        Err(_) => format!("pass `{arg}` with a value that each job has for itself"),
    };
    let mut finding = Finding::new(RuleId::UnpassedArg, build.span, message)
        .help(help)
        .fix(fix);
    finding.severity = severity;
    findings.push(finding.point(cx.asks()));
}

fn list(axes: &[AxisPath]) -> String {
    axes.iter()
        .map(|axis| format!("`{axis}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
