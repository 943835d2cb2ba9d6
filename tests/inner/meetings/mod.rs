//! The runs of made-up repositories that meet at a lock: by brute force over all pairs, from what was made up and not from
//! its text. The tool names exactly these, and after `fix` none is left that a lane could part.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cachelane::{Applicability, Finding, Project, RuleId};
use proptest::prelude::*;

use crate::effort::cases;
use crate::ids::made;

mod called;
mod github;
mod gitlab;
mod reckon;
mod world;

use reckon::{Pair, Place, Run, pairs, runs, shared_by_platforms};
use world::{Kinds, Source, World, world};

fn dockerfile(number: usize) -> String {
    format!("d{number}/Dockerfile")
}

fn bytes<'p>(project: &'p Project, path: &str) -> &'p str {
    std::str::from_utf8(project.bytes(Path::new(path)).unwrap()).unwrap()
}

/// Returns the world as the files of `project` have it now.
fn read_back(project: &Project, world: &World) -> World {
    let files =
        (0..world.files.len()).map(|number| made::read(bytes(project, &dockerfile(number))));
    let sources = world.sources.iter().enumerate();
    let sources = sources.map(|(number, it)| it.read(bytes(project, &it.path(number))));
    World {
        files: files.collect(),
        sources: sources.collect(),
        ..*world
    }
}

/// Returns the place of a step, by the file and the byte of its first line.
fn place_at(world: &World, source: usize, text: &str, at: usize) -> Place {
    let (job, step) = world.sources[source].step_at(text, at);
    Place { source, job, step }
}

fn source_at(world: &World, path: &str) -> Option<usize> {
    let mut sources = world.sources.iter().enumerate();
    sources.position(|(number, it)| it.path(number) == path)
}

/// What the tool says of a repository.
#[derive(Default)]
struct Found {
    /// The findings on builds that pass no lane, by their steps.
    builds: BTreeMap<Place, Finding>,
    /// The mounts whose locks all builds share, and those whose lock all platforms share, by file and number.
    shared: BTreeSet<(usize, usize)>,
    by_platforms: BTreeSet<(usize, usize)>,
}

fn found(project: &Project, world: &World) -> Found {
    let mut found = Found::default();
    let report = project.check();
    assert_eq!(report.errors, []);
    for file in report.files {
        let path = file.path.to_str().unwrap();
        let text = bytes(project, path);
        if let Some(source) = source_at(world, path) {
            for finding in file.findings {
                if finding.rule == RuleId::UnpassedArg {
                    let place = place_at(world, source, text, finding.span.start);
                    let other = found.builds.insert(place, finding);
                    assert!(other.is_none(), "two for one step");
                }
            }
            continue;
        }
        let is_it = |number: &usize| dockerfile(*number) == path;
        let number = (0..world.files.len()).find(is_it).unwrap();
        let places = made::places(text);
        for finding in file.findings {
            let mounts = match finding.rule {
                RuleId::SharedLock => &mut found.shared,
                RuleId::PlatformLock => &mut found.by_platforms,
                _ => continue,
            };
            let mut places = places.iter();
            let at = places.position(|place| place.contains(&finding.span.start));
            mounts.insert((number, at.unwrap()));
        }
    }
    found
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
    let mut values = values.map(|value| value.split_once('=').unwrap());
    values.all(|(name, value)| {
        let own = run.turn.sees.row.get(&name.to_lowercase());
        // A call has values of its own.
        own.is_none_or(|own| own == value) || run.turn.within.len() > 1
    })
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
        (own.to_owned(), other.to_owned(), place)
    } else if let Some((both, at)) = both.rsplit_once(" at ") {
        let (own, other) = both.split_once(" and ").unwrap();
        let (path, line) = at.split_once(':').unwrap();
        let text = bytes(project, path);
        let lines = text
            .split_inclusive('\n')
            .take(line.parse::<usize>().unwrap() - 1);
        let source = source_at(world, path).unwrap();
        let theirs = place_at(world, source, text, lines.map(str::len).sum());
        let label = |text: &str| {
            text.split_once(" (").map_or(String::new(), |(_, label)| {
                label.trim_end_matches(')').to_owned()
            })
        };
        (label(own), label(other), theirs)
    } else {
        // Its callers, or what only a run knows, tell them apart.
        (String::new(), String::new(), place)
    };
    assert!(
        meet(pairs, [(place, &own), (theirs, &other)], lock),
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
    let pairs = pairs(&runs);
    let found = found(project, world);
    assert_eq!(
        found.by_platforms,
        shared_by_platforms(world),
        "by platforms"
    );
    let named: BTreeSet<Place> = found.builds.keys().copied().collect();
    assert_eq!(named, waiting(&pairs), "named, and meeting");
    for lock in pairs
        .iter()
        .flat_map(|pair| pair.locks)
        .filter(|lock| !lock.has_lane)
    {
        assert!(
            found.shared.contains(&lock.mount),
            "nothing says that all builds share {lock:?}"
        );
    }
    for (place, finding) in &found.builds {
        names_two(&finding.message, *place, project, world, &pairs);
    }
    found.builds
}

/// Returns whether a lane can be written for a step that has none, and would part all its runs.
fn could_be_fixed(world: &World, place: Place) -> bool {
    let source = &world.sources[place.source];
    let step = &source.steps()[place.job][place.step];
    let is_passed = step.args.keys().any(|name| name != world::OWN);
    let is_safe = match source {
        Source::Github(it) => it.can_have_lane(place.job, step),
        Source::Gitlab(it) => !gitlab::has_one_name(it, place.job),
    };
    let runs = runs(world, Some(place));
    is_safe && !is_passed && !waiting(&pairs(&runs)).contains(&place)
}

fn hold(world: &World) {
    let config = if world.is_own_a_lane {
        format!("isolating-args = [{:?}]", world::OWN)
    } else {
        String::new()
    };
    let mut project = Project::with_config(&config).unwrap();
    for (number, file) in world.files.iter().enumerate() {
        project.replace(dockerfile(number), file.to_string());
    }
    for (number, it) in world.sources.iter().enumerate() {
        project.replace(it.path(number), it.to_string());
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
        // Of several arguments that a step lacks, one is told at a time.
        let of_lane = before.get(&place).filter(|_| !world.is_own_a_lane);
        let was_offered = of_lane.is_some_and(Finding::is_fixable);
        assert!(!was_offered, "its fix was offered: {}", finding.message);
        assert!(
            !could_be_fixed(&fixed, place),
            "a lane would part them: {}: {reason:?}",
            finding.message
        );
    }
}

const WORKFLOWS: Kinds = Kinds {
    workflows: 1..3,
    ..Kinds::NONE
};

const CALLS: Kinds = Kinds {
    workflows: 2..4,
    has_calls: true,
    ..Kinds::NONE
};

const PIPELINES: Kinds = Kinds {
    pipelines: 1..2,
    ..Kinds::NONE
};

const BOTH: Kinds = Kinds {
    workflows: 1..3,
    pipelines: 1..2,
    ..Kinds::NONE
};

const PLATFORMS: Kinds = Kinds {
    has_platforms: true,
    ..BOTH
};

const ISOLATING: Kinds = Kinds {
    is_own_a_lane: true,
    ..BOTH
};

proptest! {
    #![proptest_config(cases(15))]

    #[test]
    fn workflows_that_meet_are_found_and_parted(world in world(&WORKFLOWS)) {
        hold(&world);
    }

    #[test]
    fn pipelines_that_meet_are_found_and_parted(world in world(&PIPELINES)) {
        hold(&world);
    }
}

proptest! {
    #![proptest_config(cases(10))]

    #[test]
    fn workflows_and_pipelines_that_meet_are_found_and_parted(world in world(&BOTH)) {
        hold(&world);
    }

    #[test]
    fn platforms_that_meet_are_found(world in world(&PLATFORMS)) {
        hold(&world);
    }

    #[test]
    fn builds_that_pass_no_isolating_argument_are_found(world in world(&ISOLATING)) {
        hold(&world);
    }
}

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn calls_that_meet_are_found_and_parted(world in world(&CALLS)) {
        hold(&world);
    }
}
