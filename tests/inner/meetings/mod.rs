//! The runs of made-up repositories that meet at a lock: by brute force over all pairs, from what was made up and not from
//! its text. The tool names exactly these, and after `fix` none is left that a lane could part.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cachelane::{Applicability, Finding, Project, RuleId, Settings};
use proptest::prelude::*;

use crate::effort::cases;
use crate::ids::made;

mod reckon;
mod text;
mod world;

use reckon::{Pair, Place, Run, pairs, rows, runs};
use world::{World, world};

fn dockerfile(number: usize) -> String {
    format!("d{number}/Dockerfile")
}

fn workflow(number: usize) -> String {
    format!(".github/workflows/w{number}.yml")
}

fn bytes<'p>(project: &'p Project, path: &str) -> &'p str {
    std::str::from_utf8(project.bytes(Path::new(path)).unwrap()).unwrap()
}

/// Returns the world as the files of `project` have it now.
fn read_back(project: &Project, world: &World) -> World {
    let files =
        (0..world.files.len()).map(|number| made::read(bytes(project, &dockerfile(number))));
    let workflows = world.workflows.iter().enumerate();
    let workflows = workflows.map(|(number, it)| text::read(it, bytes(project, &workflow(number))));
    World {
        files: files.collect(),
        workflows: workflows.collect(),
    }
}

/// Returns the findings on builds that pass no lane, by their steps, and the mounts whose locks other findings name.
fn found(project: &Project, world: &World) -> (BTreeMap<Place, Finding>, BTreeSet<(usize, usize)>) {
    let (mut builds, mut mounts) = (BTreeMap::new(), BTreeSet::new());
    let report = project.check();
    assert_eq!(report.errors, []);
    for file in report.files {
        let path = file.path.to_str().unwrap();
        let text = bytes(project, path);
        let is_it = |number: &usize| workflow(*number) == path;
        if let Some(number) = (0..world.workflows.len()).find(is_it) {
            for finding in file.findings {
                if finding.rule == RuleId::UnpassedArg {
                    let place =
                        text::step_at(number, &world.workflows[number], text, finding.span.start);
                    assert!(builds.insert(place, finding).is_none(), "two for one step");
                }
            }
            continue;
        }
        let is_it = |number: &usize| dockerfile(*number) == path;
        let number = (0..world.files.len()).find(is_it).unwrap();
        let places = made::places(text);
        for finding in file
            .findings
            .iter()
            .filter(|finding| finding.rule == RuleId::SharedLock)
        {
            let at = places
                .iter()
                .position(|place| place.contains(&finding.span.start));
            mounts.insert((number, at.unwrap()));
        }
    }
    (builds, mounts)
}

/// Returns the steps that a pair waits in for whose lock a lane is passed.
fn waiting(pairs: &[Pair<'_, '_>]) -> BTreeSet<Place> {
    let sides = pairs
        .iter()
        .flat_map(|pair| pair.runs.into_iter().zip(pair.locks));
    sides
        .filter(|(_, lock)| lock.has_lane)
        .map(|(run, _)| run.place)
        .collect()
}

/// Returns whether the values in `label` (`py=x, os=y`) are the run's.
fn is_called(run: &Run<'_>, label: &str) -> bool {
    let values = label.split(", ").filter(|value| !value.is_empty());
    values
        .map(|value| value.split_once('=').unwrap())
        .all(|(name, value)| run.row.get(name).is_some_and(|own| own == value))
}

/// Fails unless the two runs that the message of a finding names meet.
fn names_two(
    message: &str,
    place: Place,
    project: &Project,
    world: &World,
    pairs: &[Pair<'_, '_>],
) {
    let (_, both) = message.split_once(": ").unwrap();
    let (both, lock) = both.split_once(" take the lock `").unwrap();
    let (lock, _) = lock.split_once('`').unwrap();
    let (own, other, theirs) = if let Some(labels) = both.strip_prefix("its runs for ") {
        let (own, other) = labels.split_once(" and ").unwrap();
        (own, other, place)
    } else {
        let (own, other) = both
            .strip_prefix("it")
            .unwrap()
            .split_once(" and ")
            .unwrap();
        let (other, at) = other.rsplit_once(" at ").unwrap();
        let (path, line) = at.split_once(':').unwrap();
        let number = (0..world.workflows.len())
            .find(|number| workflow(*number) == path)
            .unwrap();
        let text = bytes(project, path);
        let lines = text
            .split_inclusive('\n')
            .take(line.parse::<usize>().unwrap() - 1);
        let theirs = text::step_at(
            number,
            &world.workflows[number],
            text,
            lines.map(str::len).sum(),
        );
        let label = |text: &str| {
            text.split_once(" (").map_or(String::new(), |(_, label)| {
                label.trim_end_matches(')').to_owned()
            })
        };
        let (own, other) = (label(own), label(other));
        return assert!(
            meet(pairs, [(place, &own), (theirs, &other)], lock),
            "{message}"
        );
    };
    assert!(
        meet(pairs, [(place, own), (theirs, other)], lock),
        "{message}"
    );
}

fn meet(pairs: &[Pair<'_, '_>], sides: [(Place, &str); 2], lock: &str) -> bool {
    let is =
        |run: &Run<'_>, (place, label): (Place, &str)| run.place == place && is_called(run, label);
    pairs.iter().any(|pair| {
        let [one, other] = pair.runs;
        let [own, theirs] = sides;
        let id = &pair.locks[0].id;
        // A part that only a run knows is not shown.
        let is_lock = id == lock || id.contains('<');
        is_lock && ((is(one, own) && is(other, theirs)) || (is(one, theirs) && is(other, own)))
    })
}

/// Fails unless the tool finds exactly the pairs that meet. Returns its findings on builds.
fn judged(project: &Project, world: &World) -> BTreeMap<Place, Finding> {
    let runs = runs(world, None);
    let pairs = pairs(&runs, world);
    let (builds, mounts) = found(project, world);
    let named: BTreeSet<Place> = builds.keys().copied().collect();
    assert_eq!(named, waiting(&pairs), "named, and meeting");
    for lock in pairs
        .iter()
        .flat_map(|pair| pair.locks)
        .filter(|lock| !lock.has_lane)
    {
        assert!(
            mounts.contains(&lock.mount),
            "nothing says that all builds share {lock:?}"
        );
    }
    for (place, finding) in &builds {
        names_two(&finding.message, *place, project, world, &pairs);
    }
    builds
}

/// Returns whether a lane can be written for a step that has none, and would part all its runs.
fn could_be_fixed(world: &World, place: Place) -> bool {
    let workflow = &world.workflows[place.workflow];
    let job = &workflow.jobs[place.job];
    let step = &job.steps[place.step];
    let is_passed = step.args.keys().any(|name| name != world::OWN);
    let has_env = step.env.is_some() || job.env.is_some() || workflow.env.is_some();
    let is_plain = |value: &String| !value.is_empty() && !value.contains('/');
    let rows = rows(job);
    let mut names = rows.iter().flat_map(world::Row::keys);
    let mut is_safe = names.all(|name| rows.iter().all(|row| row.get(name).is_some_and(is_plain)));
    is_safe &= !is_passed && (step.is_action || !has_env);
    let runs = runs(world, Some(place));
    is_safe && !waiting(&pairs(&runs, world)).contains(&place)
}

fn hold(world: &World) {
    let mut project = Project::new(Settings::default());
    for (number, file) in world.files.iter().enumerate() {
        project.replace(dockerfile(number), file.to_string());
    }
    for (number, it) in world.workflows.iter().enumerate() {
        project.replace(workflow(number), it.to_string());
    }
    assert_eq!(&read_back(&project, world), world);
    let before = judged(&project, world);
    let fixes = project.fix(Applicability::Safe);
    assert_eq!(fixes.errors, []);
    for file in fixes.files {
        assert_eq!(file.dropped, []);
        project.replace(file.path, file.bytes);
    }
    for file in project.fix(Applicability::Safe).files {
        assert_eq!(file.made.len(), 0, "fixing what is fixed changes it");
    }
    let fixed = read_back(&project, world);
    for (place, finding) in judged(&project, &fixed) {
        let reason = finding.unfixed.as_deref();
        assert!(
            reason.is_some(),
            "left without a reason: {}",
            finding.message
        );
        let was_offered = before.get(&place).is_some_and(Finding::is_fixable);
        assert!(!was_offered, "its fix was offered: {}", finding.message);
        assert!(
            !could_be_fixed(&fixed, place),
            "a lane would part them: {}: {reason:?}",
            finding.message
        );
    }
}

proptest! {
    #![proptest_config(cases(20))]

    #[test]
    fn exactly_the_runs_that_meet_are_found_and_parted(world in world()) {
        hold(&world);
    }
}
