//! `cachelane builds`

use std::collections::HashMap;
use std::path::PathBuf;

use crate::lint::{self, FileReport, wire::Joined};
use crate::report::builds::{self, Lane, ListedBuild};
use crate::report::{self};
use crate::rules::lanes::Lanes;
use crate::rules::wired::NAMESPACE;
use crate::text::LineIndex;
use crate::wiring::{Build, Runs};

use super::args::{BuildsArgs, Plain};
use super::settled::Settled;
use super::world::World;
use super::{Outcome, check, run, terminal};

pub(super) fn run(args: &BuildsArgs) -> Outcome {
    terminal::set_color(args.common.color);
    let overrides = args.common.settings.overrides(None, false);
    let Some(settled) = Settled::new(&args.common.settings, overrides) else { return Outcome::Trouble };
    let mut ran = run::over(&args.common, &settled, check::look);
    lint::relate_reports(&mut ran.results, ran.whole, report::path);
    let world = World::new(&settled, &args.common);
    let (joined, places) = world.join(&ran.results);
    let mut lanes: HashMap<PathBuf, Option<Lanes>> = HashMap::new();
    let mut listed: Vec<ListedBuild> = Vec::new();
    for one in &joined {
        let asked = one.dockerfile.as_ref().and_then(|path| {
            lanes.entry(path.clone()).or_insert_with(|| world.lanes(&ran.results, &places, path)).as_ref()
        });
        listed.extend(row(&ran.results, one, asked, &world));
    }
    for report in &ran.results {
        listed.extend(unknown(report).filter(|_| args.verbose));
    }
    listed.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    match args.format {
        Plain::Human => terminal::tell(&builds::table(&listed, ran.files, args.common.quiet)),
        Plain::Json => terminal::print(builds::json(&listed)),
    }
    let refused = ran.results.iter().filter_map(check::refusal).count();
    if ran.trouble || refused > 0 { Outcome::Trouble } else { Outcome::Clean }
}

fn row(reports: &[FileReport], one: &Joined, asked: Option<&Lanes>, world: &World<'_>) -> Option<ListedBuild> {
    let report = &reports[one.file];
    let build: &Build = report.wires.as_ref()?.wiring.builds.get(one.build)?;
    let arg = |name: &str| build.args.iter().find(|arg| arg.name == name);
    let name = asked.map_or(&report.settings.arg, |asked| &asked.arg);
    let (own, namespace) = (arg(name), arg(NAMESPACE));
    let needed = asked.is_some_and(|lanes| lanes.concern(one.target.as_deref()));
    let lane = match (own, namespace) {
        (Some(_), _) => Lane::Passed,
        (None, Some(_)) => Lane::Namespace,
        _ if one.hands_on(reports, name) => Lane::Passed,
        _ if one.dockerfile.is_none() => Lane::Unknown,
        _ if !needed => Lane::NotNeeded,
        _ if !build.args_known => Lane::Unknown,
        _ => Lane::Default,
    };
    Some(ListedBuild {
        path: report::path(&report.path),
        line: LineIndex::new(&report.source).line(build.span.start),
        name: build.name.clone(),
        front: build.front.as_str(),
        dockerfile: one.dockerfile.as_ref().map(|path| world.shown(path)),
        target: one.target.clone(),
        matrix: match &build.runs {
            Runs::Matrix(axes) => Some(axes.clone()),
            Runs::Once => None,
        },
        lane,
        value: own.or(namespace).and_then(|arg| arg.value.clone()),
        unknown: None,
    })
}

/// The builds of `report` of which nothing can be said.
fn unknown(report: &FileReport) -> impl Iterator<Item = ListedBuild> + '_ {
    let lines = LineIndex::new(&report.source);
    let all = report.wires.iter().flat_map(|wires| &wires.wiring.unknown);
    all.map(move |unknown| ListedBuild {
        path: report::path(&report.path),
        line: lines.line(unknown.span.start),
        name: "a build".into(),
        front: "?",
        dockerfile: None,
        target: None,
        matrix: None,
        lane: Lane::Unknown,
        value: None,
        unknown: Some(unknown.why.clone()),
    })
}
