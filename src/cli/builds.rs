//! `cachelane builds`

use crate::builds::{Build, Runs, Unknown};
use crate::lint::FileReport;
use crate::lint::wire::{Judged, Verdict};
use crate::report;
use crate::report::builds::{self, ListedBuild};
use crate::text::LineIndex;

use super::args::{BuildsArgs, Plain};
use super::settled::Settled;
use super::world::World;
use super::{Outcome, check, run, terminal};

pub(super) fn run(args: &BuildsArgs) -> Outcome {
    terminal::set_color(args.common.color);
    let overrides = args.common.settings.overrides(None, false);
    let Some(settled) = Settled::new(&args.common.settings, overrides) else {
        return Outcome::Trouble;
    };
    let mut ran = run::over(&args.common, &settled, check::look);
    let world = World::new(&settled, &args.common);
    let related = world.relate(&mut ran.results, ran.whole);
    let too_much = related.is_err();
    let builds = related.unwrap_or_default();
    let reports: Vec<(&FileReport, LineIndex)> = ran
        .results
        .iter()
        .map(|report| (report, LineIndex::new(&report.source)))
        .collect();
    let mut listed: Vec<ListedBuild> = builds
        .judged
        .iter()
        .filter_map(|judged| row(&reports[judged.file], judged, &world))
        .collect();
    let lost = builds.unknown.iter().filter(|_| args.verbose);
    listed.extend(lost.map(|(file, lost)| unknown(&reports[*file], lost)));
    for report in &reports {
        let all = report
            .0
            .wires
            .iter()
            .flat_map(|wires| &wires.wiring.unknown)
            .filter(|_| args.verbose);
        listed.extend(all.map(|lost| unknown(report, lost)));
    }
    listed.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    match args.format {
        Plain::Human => terminal::tell(&builds::table(&listed, ran.files, args.common.quiet)),
        Plain::Json => terminal::print(builds::json(&listed)),
    }
    if ran.trouble || too_much || !world.unread().is_empty() {
        Outcome::Trouble
    } else {
        Outcome::Clean
    }
}

fn row(
    (report, lines): &(&FileReport, LineIndex),
    judged: &Judged,
    world: &World<'_>,
) -> Option<ListedBuild> {
    let build: &Build = report.wires.as_ref()?.wiring.builds.get(judged.build)?;
    Some(ListedBuild {
        path: report::path(&report.path),
        line: lines.line(build.span.start),
        name: build.name.clone(),
        front: build.tool.as_str(),
        dockerfile: judged.dockerfile.as_ref().map(|path| world.shown(path)),
        target: judged.target.clone(),
        matrix: match &judged.runs {
            Runs::Matrix(axes) => Some(axes.clone()),
            Runs::Once => None,
        },
        lane: judged.verdict,
        value: judged.value.clone(),
        unknown: None,
    })
}

/// A build of `report` of which nothing can be said.
fn unknown((report, lines): &(&FileReport, LineIndex), unknown: &Unknown) -> ListedBuild {
    ListedBuild {
        path: report::path(&report.path),
        line: lines.line(unknown.span.start),
        name: "a build".into(),
        front: "?",
        dockerfile: None,
        target: None,
        matrix: None,
        lane: Verdict::Unknown,
        value: None,
        unknown: Some(unknown.why.clone()),
    }
}
