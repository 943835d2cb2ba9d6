//! The lines of a run beside its findings: lanes that nobody passes, and builds of which nothing is known.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::finding::RuleId;
use crate::lint::matching::OwnBuilders;
use crate::lint::{FileReport, KnownBuild, LaneStatus};
use crate::text::{count, printable};

/// A line of a run, which no gate asks about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    pub kind: NoteKind,
    /// The number of its files, or of its builds.
    pub count: usize,
    /// Printable.
    pub message: String,
}

/// The kinds of notes, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// Builds of files with shared locks, each on a builder of its own.
    OwnBuilders,
    /// Builds of the named files, in files that were not named, that pass no lane.
    NotNamed,
    /// Files with lanes that no known build passes.
    LanesNotPassed,
    /// Files with lanes of which no build is known.
    NoBuildKnown,
    /// Builds of files with lanes of which only a run knows whether they wait.
    OnlyRunKnows,
    /// Builds that could not be read.
    BuildsNotRead,
}

/// Returns the notes on `reports`. `command` adds the paths of the run to what is to be typed; without it builds were not
/// looked for everywhere, and a missing one says nothing.
pub fn notes(reports: &[FileReport], command: Option<&dyn Fn(&str) -> String>) -> Vec<Note> {
    let own = OwnBuilders::of(reports).map(|own| Note {
        kind: NoteKind::OwnBuilders,
        count: own.builds,
        message: own.to_string(),
    });
    let lanes = command.map(|command| of_lanes(reports, command));
    let lanes = lanes.into_iter().flatten();
    own.into_iter()
        .chain(elsewhere(reports))
        .chain(lanes)
        .collect()
}

fn elsewhere(reports: &[FileReport]) -> Option<Note> {
    let builds = reports
        .iter()
        .filter(|report| report.settings.is_on(RuleId::UnpassedArg));
    let builds: usize = builds.map(|report| report.waiting_elsewhere).sum();
    let pass = if builds == 1 { "passes" } else { "pass" };
    (builds > 0).then(|| Note {
        kind: NoteKind::NotNamed,
        count: builds,
        message: format!(
            "{} in files that you did not name {pass} no lane: `cachelane fix` at the repository's root",
            count(builds, "build")
        ),
    })
}

/// Returns the notes that are printed: all beside findings, else one at most.
pub fn printed(notes: &[Note], has_findings: bool) -> &[Note] {
    let most = if has_findings { notes.len() } else { 1 };
    &notes[..most.min(notes.len())]
}

fn of_lanes(reports: &[FileReport], command: &dyn Fn(&str) -> String) -> Vec<Note> {
    let asking: Vec<&FileReport> = reports.iter().filter(|report| asks(report)).collect();
    let is_passed_by_none = |report: &&&FileReport| is_passed_by_none(report);
    let not_passed = asking.iter().filter(is_passed_by_none).count();
    let is_unbuilt = |report: &&&FileReport| report.builds.is_none() && report.known.is_empty();
    let unbuilt: Vec<&&FileReport> = asking.iter().filter(is_unbuilt).collect();
    let is_locked = |report: &FileReport| {
        let mut findings = report.checked.findings.iter();
        findings.any(|finding| finding.rule == RuleId::SharedLock)
    };
    let files = reports.iter().filter_map(|report| report.builds.as_ref());
    let unread = files
        .map(|builds| builds.file.unknown.len() + builds.unresolved.len())
        .sum();
    let mut notes = Vec::new();
    let mut add = |kind, count, message: String| {
        let message = printable(&message).into_owned();
        notes.push(Note {
            kind,
            count,
            message,
        });
    };
    if not_passed > 0 {
        let has = if not_passed == 1 { "has" } else { "have" };
        let (files, list) = (count(not_passed, "Dockerfile"), command("cachelane builds"));
        let mut by_namespace = asking.iter().filter(|report| report.settings.namespace);
        let name = by_namespace.find_map(|report| Some(report.checked.lanes.first()?.arg()));
        let what = match name {
            Some(name) => format!("locks, and no known build passes `{name}`"),
            None => "lanes that no known build passes".to_owned(),
        };
        let mut none = asking.iter().filter(is_passed_by_none);
        let text = if name.is_none() && none.all(|report| is_handed_on(report)) {
            format!(
                "{files} {has} lanes that nobody is known to set where the builds run: `{list}`"
            )
        } else {
            format!("{files} {has} {what}: `{list}`")
        };
        add(NoteKind::LanesNotPassed, not_passed, text);
    }
    if !unbuilt.is_empty() {
        let args = unbuilt
            .iter()
            .filter_map(|report| Some(format!("`{}`", report.checked.lanes.first()?.arg())));
        let args: Vec<String> = args.collect::<BTreeSet<String>>().into_iter().collect();
        let them = if unbuilt.len() == 1 { "it" } else { "them" };
        let text = format!(
            "no build is known of {}: whoever builds {them} must pass {}",
            count(unbuilt.len(), "Dockerfile"),
            args.join(" or ")
        );
        add(NoteKind::NoBuildKnown, unbuilt.len(), text);
    }
    let known = asking.iter().flat_map(|report| &report.known);
    let is_open = |build: &&KnownBuild| !build.is_called && build.lane == LaneStatus::Unknown;
    let open = known.filter(is_open).count();
    if open > 0 {
        let (builds, list) = (count(open, "build"), command("cachelane builds"));
        let text = format!("of {builds} only a run knows whether others wait for it: `{list}`");
        let text = if open == 1 {
            text
        } else {
            text.replace("for it:", "for them:")
        };
        add(NoteKind::OnlyRunKnows, open, text);
    }
    // Where nothing is locked, nobody has to know the builds.
    if unread > 0 && (!asking.is_empty() || reports.iter().any(is_locked)) {
        let (builds, list) = (count(unread, "build"), command("cachelane builds -v"));
        let text = format!("{builds} could not be read: `{list}`");
        add(NoteKind::BuildsNotRead, unread, text);
    }
    notes
}

/// Returns whether builds have to pass a lane of the file, or of a Dockerfile within it, by its settings.
fn asks(report: &FileReport) -> bool {
    let within = report.builds.iter().flat_map(|builds| &builds.lanes);
    let settings = &report.settings;
    (!report.checked.lanes.is_empty() || within.flatten().next().is_some())
        && settings.is_on(RuleId::UnpassedArg)
        && (settings.namespace || settings.takes_variables())
        && !settings.has_own_builders()
}

/// Returns whether the known builds of `report` hand on the lane that whoever runs them sets.
fn is_handed_on(report: &FileReport) -> bool {
    let mut known = report.known.iter().filter(|build| !build.is_called);
    !report.known.is_empty() && known.all(|build| build.lane == LaneStatus::HandedOn)
}

/// Returns whether none of the known builds passes the lanes of `report`, no finding says so, and some may share a builder.
fn is_passed_by_none(report: &FileReport) -> bool {
    // Of a service or target that a command builds, the command says what is passed.
    let known = || report.known.iter().filter(|build| !build.is_called);
    let has = |lane| known().any(|build| build.lane == lane);
    let passed = [
        LaneStatus::Passed,
        LaneStatus::Namespace,
        LaneStatus::Unknown,
    ];
    // Where all build stages without locks, those of the others are not known.
    let is_elsewhere = || {
        let mut all = known();
        let may_share = all.clone().any(|build| build.builder.own().is_none());
        may_share && all.all(|build| build.lane == LaneStatus::NotNeeded)
    };
    let is_open = has(LaneStatus::Default)
        || has(LaneStatus::HandedOn) && !has(LaneStatus::OwnMachine)
        || is_elsewhere();
    is_open && !known().any(|build| build.is_found || passed.contains(&build.lane))
}
