//! A second reading of ids: what they become in made-up files, before fixes and
//! after them, for a build that passes nothing and for two that pass a lane each.

use std::path::Path;

use cachelane::{Applicability, Project, RuleId, Settings};
use proptest::prelude::*;

use crate::effort::cases;

pub mod made;

use made::{File, LANE, Line, Mount, Seen, Stage, places, read, seen};

/// What builds pass for the lane; no file holds these.
const BUILDS: [Option<&str>; 3] = [None, Some("L1"), Some("L2")];

/// Returns `file` without what a safe fix may change: ids and the lane's ARG lines.
fn rest(file: &File) -> File {
    let mut file = file.clone();
    let lines = |lines: &mut Vec<Line>| {
        lines.retain(|line| !matches!(line, Line::Arg(name, _) if name == LANE));
        for line in lines {
            if let Line::Run(mounts) = line {
                for mount in mounts {
                    mount.id = None;
                }
            }
        }
    };
    lines(&mut file.globals);
    file.stages
        .iter_mut()
        .for_each(|stage| lines(&mut stage.lines));
    file
}

fn value() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "1",
        "1",
        "2",
        "default",
        "$CACHE_ID",
        "v${CACHE_ID:-1}",
    ])
    .prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![LANE, LANE, "OWN"]).prop_map(str::to_owned)
}

fn id() -> impl Strategy<Value = String> {
    let forms = vec![
        "",
        "",
        "$X",
        "${X}",
        "${X}",
        "${X:-d}",
        "${X-d}",
        "${X:+d}",
        "${X:+-${X}}",
        "${X:-default}",
    ];
    let text = prop::sample::select(vec!["a", "b", "a-", "a-", ""]);
    (text, prop::sample::select(forms), name())
        .prop_map(|(text, form, name)| format!("{text}{}", form.replace('X', &name)))
}

fn mount() -> impl Strategy<Value = Mount> {
    let modes = prop::sample::select(vec![
        Some("locked"),
        Some("locked"),
        Some("shared"),
        Some("private"),
        None,
    ]);
    let target = prop::sample::select(vec!["/x", "/y", "a"]);
    (prop::option::weighted(0.8, id()), target, modes).prop_map(|(id, target, mode)| Mount {
        id,
        target: target.into(),
        sharing: mode.map(str::to_owned),
    })
}

fn arg() -> impl Strategy<Value = Line> {
    (name(), prop::option::of(value())).prop_map(|(name, value)| Line::Arg(name, value))
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        3 => arg(),
        1 => (name(), value()).prop_map(|(name, value)| Line::Env(name, value)),
        4 => prop::collection::vec(mount(), 1..3).prop_map(Line::Run),
    ]
}

fn file() -> impl Strategy<Value = File> {
    let stage = (
        any::<prop::sample::Index>(),
        any::<bool>(),
        prop::collection::vec(line(), 1..5),
    );
    let stages = prop::collection::vec(stage, 1..4);
    (prop::collection::vec(arg(), 0..2), stages).prop_map(|(globals, stages)| {
        let stage =
            |(index, (base, is_image, lines)): (usize, (prop::sample::Index, bool, _))| Stage {
                base: (index > 0 && !is_image).then(|| base.index(index)),
                lines,
            };
        File {
            globals,
            stages: stages.into_iter().enumerate().map(stage).collect(),
        }
    })
}

fn path(index: usize) -> String {
    format!("{index}/Dockerfile")
}

/// Returns the `files` with all fixes up to `level` made in one run.
fn fix(files: &[File], level: Applicability) -> (Project, Vec<String>) {
    let mut project = Project::new(Settings::default());
    for (index, file) in files.iter().enumerate() {
        assert_eq!(&read(&file.to_string()), file);
        project.replace(path(index), file.to_string());
    }
    let fixes = project.fix(level);
    assert_eq!(fixes.errors, []);
    for file in fixes.files {
        // A proof may refuse an unsafe one, which is said.
        assert!(level == Applicability::Unsafe || file.dropped.is_empty());
        project.replace(file.path, file.bytes);
    }
    let text = |index| {
        String::from_utf8(project.bytes(Path::new(&path(index))).unwrap().to_vec()).unwrap()
    };
    let texts = (0..files.len()).map(text).collect();
    (project, texts)
}

/// Returns the mounts of all `files` as a build sees them that passes `lane`.
fn all(files: &[File], lane: Option<&str>) -> Vec<Seen> {
    let passed = |name: &str| lane.filter(|_| name == LANE).map(str::to_owned);
    files.iter().flat_map(|file| seen(file, &passed)).collect()
}

/// Fails where a run that makes unsafe fixes of `files` leaves any to the next one, or parts a cache.
fn hold_unsafe(files: &[File]) {
    let (project, texts) = fix(files, Applicability::Unsafe);
    for again in project.fix(Applicability::Unsafe).files {
        assert_eq!(again.made, [], "a second run fixes more of {texts:#?}");
    }
    let fixed: Vec<File> = texts.iter().map(|text| read(text)).collect();
    let ids = |files: &[File]| -> Vec<Vec<String>> {
        let builds = BUILDS.map(|lane| all(files, lane));
        let mounts = 0..builds[0].len();
        mounts
            .map(|mount| builds.iter().map(|seen| seen[mount].id()).collect())
            .collect()
    };
    let targets = all(files, None);
    let target = |mount: usize| &targets[mount].mount.target;
    // A cache is one where it is in all builds; that of two targets is parted on purpose, by `id-collision`.
    let (before, after) = (ids(files), ids(&fixed));
    for one in 0..before.len() {
        let of_cache: Vec<usize> = (0..before.len())
            .filter(|other| before[*other] == before[one])
            .collect();
        let is_one = of_cache.iter().all(|other| after[*other] == after[one]);
        let collides = of_cache.iter().any(|other| target(*other) != target(one));
        assert!(is_one || collides, "one cache became two: {texts:#?}");
    }
}

/// Fails where the fixes of `files`, made in one run, do to ids what they may not.
fn hold(files: &[File]) {
    let (project, texts) = fix(files, Applicability::Safe);
    let fixed: Vec<File> = texts.iter().map(|text| read(text)).collect();
    for (before, after) in files.iter().zip(&fixed) {
        assert_eq!(rest(before), rest(after));
    }
    for lane in BUILDS {
        let (before, after) = (all(files, lane), all(&fixed, lane));
        caches_stay(&before, &after);
        if lane.is_none() {
            unpassed_stay(&before, &after, files);
        }
    }
    let [_, one, two] = BUILDS.map(|lane| all(&fixed, lane));
    let named = named(&project, &texts);
    for ((one, two), is_named) in one.iter().zip(&two).zip(named) {
        let is_parted = one.id() != two.id();
        assert!(
            !one.is_locked() || is_named || is_parted,
            "one lock for all, and nothing says so: {one:?}"
        );
    }
}

/// Fails where mounts of one cache become mounts of several, or mounts of several those of one.
fn caches_stay(before: &[Seen], after: &[Seen]) {
    for (one, _) in before.iter().enumerate() {
        for other in 0..one {
            let (a, b) = (&before[one], &before[other]);
            // An id that refers to a lane that one of the RUNs does not see, and that would be the other's otherwise, is
            // meant to become that: it is why `undeclared-arg` and `missing-default` are there.
            let lacks_lane = (a.lane().is_empty() || b.lane().is_empty())
                && a.id_with("any") == b.id_with("any")
                && [a, b]
                    .iter()
                    .all(|seen| seen.id_with("any") != seen.id_with("other"));
            let (was, is) = (a.id() == b.id(), after[one].id() == after[other].id());
            assert!(
                was == is || (is && lacks_lane),
                "one cache: {was}, then {is}: {a:?} and {b:?} became {:?} and {:?}",
                after[one].id(),
                after[other].id()
            );
        }
    }
}

/// Fails where a build that passes nothing gets another id than the old one with the lane's default, behind it or where
/// it lacked one.
fn unpassed_stay(before: &[Seen], after: &[Seen], files: &[File]) {
    let texts: String = files.iter().map(File::to_string).collect();
    let gives = |mark| texts.contains(&format!("{LANE}{mark}"));
    let has_own = ["=", ":-", "-"].into_iter().any(gives);
    for (before, after) in before.iter().zip(after) {
        let (was, is, lane) = (before.id(), after.id(), after.lane());
        let is_behind = is == format!("{was}-{lane}");
        let is_filled = before.lane().is_empty() && is == before.id_with(lane);
        assert!(
            was == is || is_behind || is_filled,
            "{was} became {is}: {before:?}"
        );
        assert!(
            was == is || lane == "default" || has_own,
            "{was} became {is}, which no file says"
        );
    }
}

/// Returns for each mount of the `texts` whether a finding on it says that its lane does not part builds.
fn named(project: &Project, texts: &[String]) -> Vec<bool> {
    let files = project.check().files;
    let mut named = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let path = format!("{index}/Dockerfile");
        let findings = files
            .iter()
            .filter(|file| file.path == Path::new(&path))
            .flat_map(|file| &file.findings);
        let locks: Vec<_> = findings
            .filter(|finding| {
                matches!(
                    finding.rule,
                    RuleId::SharedLock | RuleId::UndeclaredArg | RuleId::ShadowedArg
                )
            })
            .collect();
        named.extend(places(text).iter().map(|place| {
            locks
                .iter()
                .any(|finding| place.contains(&finding.span.start))
        }));
    }
    named
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn fixes_do_to_the_ids_of_a_file_only_what_they_say(file in file()) {
        hold(&[file]);
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn fixes_do_to_the_ids_of_two_files_only_what_they_say(one in file(), two in file()) {
        hold(&[one, two]);
    }
}

proptest! {
    // Each of them is fixed several times.
    #![proptest_config(cases(50))]

    #[test]
    fn unsafe_fixes_leave_nothing_to_a_second_run_and_part_no_cache(one in file(), two in file()) {
        hold_unsafe(&[one, two]);
    }
}
