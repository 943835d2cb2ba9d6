//! `cachelane builds`

use crate::builds::{Build, Runs, Unknown};
use crate::lint::FileReport;
use crate::lint::matching::{BuildStatus, LaneStatus};
use crate::report;
use crate::report::builds::{self, ListedBuild};
use crate::text::LineIndex;

use super::args::{BuildsArgs, Fixes, Plain, Select};
use super::outcome::{CommandResult, Outcome};
use super::run::{Run, Texts};
use super::terminal;

pub fn run(args: &BuildsArgs) -> CommandResult {
    let common = &args.common;
    let run = Run::new(common, &Select::default(), Fixes::default(), Texts::None)?;
    let (checked, builds) = run.check();
    let builds = builds.unwrap_or_default();
    let reports = checked.results.iter();
    let reports: Vec<(&FileReport, LineIndex)> = reports
        .map(|report| (report, LineIndex::new(&report.source)))
        .collect();
    let known = builds.known.iter();
    let mut listed: Vec<ListedBuild> = known
        .filter_map(|status| row(&reports[status.file], status, &run))
        .collect();
    if args.verbose {
        let lost = builds.unknown.iter();
        listed.extend(lost.map(|(file, lost)| unknown(&reports[*file], lost)));
        for report in &reports {
            let files = report.0.builds.iter().map(|builds| &builds.file);
            let all = files.flat_map(|file| &file.unknown);
            listed.extend(all.map(|lost| unknown(report, lost)));
        }
    }
    listed.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    match args.format {
        Plain::Human => {
            terminal::print_text(&builds::table(&listed, checked.files, common.quiet));
        }
        Plain::Json => terminal::print(builds::json(&listed)),
    }
    let failed = !run.configs.errors().is_empty();
    Ok(Outcome::new(failed, false).into())
}

fn row(
    (report, lines): &(&FileReport, LineIndex),
    status: &BuildStatus,
    run: &Run<'_>,
) -> Option<ListedBuild> {
    let build: &Build = report.builds.as_ref()?.file.builds.get(status.build)?;
    Some(ListedBuild {
        path: report::path(&report.path),
        line: lines.line(build.span.start),
        name: build.name.clone(),
        front: build.tool.as_str(),
        dockerfile: status.dockerfile.as_ref().map(|path| run.shown(path)),
        target: status.target.clone(),
        matrix: match &status.runs {
            Runs::Matrix(axes) => Some(axes.iter().map(ToString::to_string).collect()),
            Runs::Once => None,
        },
        lane: status.lane,
        builder: status.builder.own().map(ToString::to_string),
        value: status.value.clone(),
        unknown: None,
    })
}

fn unknown((report, lines): &(&FileReport, LineIndex), unknown: &Unknown) -> ListedBuild {
    ListedBuild {
        path: report::path(&report.path),
        line: lines.line(unknown.span.start),
        name: "a build".into(),
        front: "?",
        dockerfile: None,
        target: None,
        matrix: None,
        lane: LaneStatus::Unknown,
        builder: None,
        value: None,
        unknown: Some(unknown.why.clone()),
    }
}
