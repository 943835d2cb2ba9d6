//! `cachelane builds`

use crate::builds::{Build, Runs, Unknown};
use crate::fix::Applicability;
use crate::lint::matching::BuildStatus;
use crate::lint::{FileReport, LaneStatus, MissingImages, Unread};
use crate::report;
use crate::report::builds::{self, ListedBuild};
use crate::text::LineIndex;

use super::args::{BuildsArgs, Plain};
use super::notes::typed;
use super::outcome::{CommandResult, Outcome};
use super::run::Run;
use super::terminal;

pub fn run(args: &BuildsArgs) -> CommandResult {
    let common = &args.common;
    let run = Run::reading(common)?;
    let (checked, builds) = run.check();
    let known = builds.unwrap_or_default();
    let reports = checked.results.iter();
    let reports: Vec<Reported> = reports
        .map(|report| Reported {
            report,
            lines: LineIndex::new(&report.source),
        })
        .collect();
    let mut listed: Vec<ListedBuild> = known
        .iter()
        .filter(|status| !reports[status.file].report.is_context)
        .filter_map(|status| row(&reports[status.file], status, &run))
        .collect();
    if args.verbose {
        for file in reports.iter().filter(|file| !file.report.is_context) {
            let Some(builds) = &file.report.builds else {
                continue;
            };
            let all = builds.file.unknown.iter().chain(&builds.unresolved);
            listed.extend(all.map(|lost| unknown(file, "a build", lost)));
            let images = builds.only_missing.iter();
            listed.extend(images.filter_map(|images| only_missing(file, images, &run)));
            listed.extend(builds.unread.iter().map(|unread| unread_file(file, unread)));
        }
    }
    listed.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    match args.format {
        Plain::Human => {
            let width = terminal::width();
            terminal::print_text(&builds::table(&listed, checked.files, common.quiet, width));
        }
        Plain::Json => terminal::print(builds::json(&listed)),
    }
    let failed = !run.configs.errors().is_empty();
    Ok(Outcome::new(failed, false).into())
}

/// A report with the lines of its file.
struct Reported<'r> {
    report: &'r FileReport,
    lines: LineIndex,
}

fn row(file: &Reported<'_>, status: &BuildStatus, run: &Run<'_>) -> Option<ListedBuild> {
    let Reported { report, lines } = file;
    let build: &Build = report.builds.as_ref()?.file.builds.get(status.build)?;
    let own = status.builder.own().map(ToString::to_string);
    Some(ListedBuild {
        path: report::path(&report.path),
        line: lines.line(build.span.start),
        name: build.name.clone(),
        tool: build.tool.as_str(),
        dockerfile: status.dockerfile.as_ref().map(|path| run.shown(path)),
        target: status.target.clone(),
        matrix: match &status.runs {
            Runs::Matrix(axes) => Some(axes.iter().map(ToString::to_string).collect()),
            Runs::Once => None,
        },
        lane: status.lane,
        next: (status.lane == LaneStatus::NotYet).then(|| next(status, run)),
        builder: own.or_else(|| status.builder.unknown().map(str::to_owned)),
        value: status.value.clone(),
        unknown: None,
    })
}

/// Returns what to type so that the Dockerfile of a build gets lanes, or how to see why it does not.
fn next(status: &BuildStatus, run: &Run<'_>) -> String {
    let mut paths = run.common.paths.clone();
    if let Some(path) = status.dockerfile.as_ref().filter(|_| status.is_outside) {
        // The build passes the lane only where its own file is fixed along.
        paths = run.common.roots();
        paths.push(run.shown(path).into());
    }
    let typed = |start: &str| typed(start, &paths);
    match status.fix {
        Some(Applicability::Safe) => format!("`{}`", typed("cachelane fix")),
        Some(Applicability::Unsafe) => format!("`{}`", typed("cachelane fix --unsafe")),
        None => format!("`{}` says more", typed("cachelane check")),
    }
}

/// Returns the row of a Dockerfile that a command builds only where its image is not there.
fn only_missing(file: &Reported<'_>, images: &MissingImages, run: &Run<'_>) -> Option<ListedBuild> {
    let Reported { report, lines } = file;
    let build: &Build = report.builds.as_ref()?.file.builds.get(images.build)?;
    Some(ListedBuild {
        path: report::path(&report.path),
        line: lines.line(build.span.start),
        name: build.name.clone(),
        tool: build.tool.as_str(),
        dockerfile: images.dockerfile.as_ref().map(|path| run.shown(path)),
        target: images.target.clone(),
        matrix: None,
        lane: LaneStatus::OnlyMissing,
        next: None,
        builder: None,
        value: None,
        unknown: None,
    })
}

/// Returns the row of a file that cannot be read.
fn unread_file(file: &Reported<'_>, unread: &Unread) -> ListedBuild {
    let (name, why) = if unread.is_template {
        (
            "a template",
            format!("what it makes is not known: {}", unread.why),
        )
    } else {
        ("the file", unread.why.clone())
    };
    let span = unread.span;
    unknown(file, name, &Unknown { span, why })
}

fn unknown(file: &Reported<'_>, name: &str, unknown: &Unknown) -> ListedBuild {
    let Reported { report, lines } = file;
    ListedBuild {
        path: report::path(&report.path),
        line: lines.line(unknown.span.start),
        name: name.into(),
        tool: "?",
        dockerfile: None,
        target: None,
        matrix: None,
        lane: LaneStatus::Unknown,
        next: None,
        builder: None,
        value: None,
        unknown: Some(unknown.why.clone()),
    }
}
