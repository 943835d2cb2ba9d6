//! The map of locks on small repositories: who waits, in the words of the table.

use std::collections::BTreeSet;
use std::fs;

use cachelane::lint::matching::{Follows, LockMap, MappedLock, TakingRun};
use cachelane::report::github;

use crate::command::cachelane;

const LOCKED: &str =
    "FROM debian\nARG V\nRUN --mount=type=cache,id=apt,target=/x,sharing=locked x $V\n";

const LANE: &str = "FROM debian\nARG CACHE_ID=default\nRUN --mount=type=cache,id=apt-${CACHE_ID},target=/x,sharing=locked x\n";

/// Returns the last column of the only row, and the line below the table.
fn said(files: &[(&str, &str)]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (code, out, err) = cachelane(folder.path(), &["locks"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let mut lines = out.lines();
    let at = lines.next().unwrap().find("WHO WAITS").unwrap();
    let row = lines.next().unwrap().get(at..).unwrap().trim().to_owned();
    (row, out.lines().last().unwrap().to_owned())
}

/// Returns a workflow of these jobs, each a name with the lines below it.
fn workflow(jobs: &[(&str, &str)]) -> String {
    let job = |(name, text): &(&str, &str)| {
        let lines = text.lines().map(|line| format!("    {line}\n"));
        format!("  {name}:\n{}", lines.collect::<String>())
    };
    format!(
        "on: push\njobs:\n{}",
        jobs.iter().map(job).collect::<String>()
    )
}

const BUILD: &str = "runs-on: self-hosted\nsteps:\n  - run: docker build .";

#[test]
fn each_end_has_its_words() {
    let matrix = |more: &str, run: &str| {
        format!(
            "runs-on: self-hosted\nstrategy:\n{more}  matrix:\n    v: [1, 2, 3]\nsteps:\n  - run: {run}"
        )
    };
    let needs = BUILD.replace("steps:", "needs: a\nsteps:");
    let hosted = BUILD.replace("self-hosted", "ubuntu-latest");
    let arm = BUILD.replace("self-hosted", "[self-hosted, linux, arm64]");
    let x64 = BUILD.replace("self-hosted", "[self-hosted, linux, x64]");
    let namespace = |value: &str| {
        BUILD.replace(
            "docker build",
            &format!("docker build --build-arg BUILDKIT_CACHE_MOUNT_NS={value}"),
        )
    };
    let unknown = BUILD.replace(" .", " --build-arg CACHE_ID=$(./lane) .");
    let podman = BUILD.replace("docker", "podman");
    let one = |jobs: &[(&str, &str)], dockerfile: &str| {
        let text = workflow(jobs);
        said(&[
            ("Dockerfile", dockerfile),
            (".github/workflows/ci.yml", &text),
        ])
        .0
    };
    let plain = matrix("", "docker build .");
    assert_eq!(one(&[("a", &plain)], LOCKED), "3 legs wait for each other");
    assert_eq!(
        one(&[("a", BUILD), ("b", BUILD)], LOCKED),
        "2 jobs wait for each other"
    );
    assert_eq!(one(&[("a", BUILD)], LOCKED), "one job");
    assert_eq!(
        one(&[("a", BUILD), ("b", &needs)], LOCKED),
        "one after the other"
    );
    let one_leg = matrix("  max-parallel: 1\n", "docker build .");
    assert_eq!(one(&[("a", &one_leg)], LOCKED), "legs one after the other");
    let after = plain.replace("steps:", "needs: a\nsteps:");
    assert_eq!(
        one(&[("a", &plain), ("b", &after)], LOCKED),
        "3 and 3 runs wait for each other"
    );
    assert_eq!(
        one(&[("a", BUILD), ("b", &needs), ("c", BUILD)], LOCKED),
        "3 jobs wait for each other, not all at once"
    );
    let lane = |value: &str, text: &str| {
        text.replace("build .", &format!("build --build-arg CACHE_ID={value} ."))
    };
    let (x, then_x, y) = (lane("x", BUILD), lane("x", &needs), lane("y", BUILD));
    assert_eq!(
        one(&[("a", &x), ("b", &then_x), ("c", &y)], LANE),
        "one after the other in each lane: apt-x, apt-y"
    );
    let at_once = BUILD.replace(
        "docker build .",
        "docker build . & docker build --target x . & wait",
    );
    assert_eq!(one(&[("a", &at_once)], LOCKED), "one job");
    let own = matrix("", "docker build --build-arg CACHE_ID=${{ matrix.v }} .");
    assert_eq!(
        one(&[("a", &own)], LANE),
        "a lane each: apt-1, apt-2, apt-3"
    );
    let spaces = matrix(
        "",
        "docker build --build-arg BUILDKIT_CACHE_MOUNT_NS=${{ matrix.v }} .",
    );
    let lanes = one(&[("a", &spaces)], LOCKED);
    assert!(
        lanes.starts_with("a lane each: apt in namespace 1, apt in namespace 2"),
        "{lanes}"
    );
    let lanes = one(&[("a", &namespace("a")), ("b", BUILD)], LOCKED);
    assert_eq!(lanes, "a lane each: apt, apt in namespace a");
    let waits = one(&[("a", &namespace("a")), ("b", &namespace("a"))], LOCKED);
    assert_eq!(waits, "2 jobs wait for each other");
    let builders = "a builder each: runs on a machine of its own (ubuntu-latest)";
    assert_eq!(one(&[("a", &hosted)], LOCKED), builders);
    assert_eq!(one(&[("a", &hosted), ("b", BUILD)], LOCKED), builders);
    assert_eq!(one(&[("a", &x64), ("b", &arm)], LOCKED), "a builder each");
    assert_eq!(one(&[("a", &unknown)], LANE), "only a run knows");
    assert_eq!(
        one(&[("a", &podman), ("b", BUILD)], LOCKED),
        "a builder each"
    );
    assert_eq!(said(&[("Dockerfile", LOCKED)]).0, "no known build");
}

/// One build may wait within itself, whoever else builds.
#[test]
fn what_waits_within_one_build_is_said() {
    let said_of = |dockerfile: &str, options: &str, runner: &str| {
        let build = BUILD.replace("build .", &format!("build {options}."));
        let ci = workflow(&[("a", &build.replace("self-hosted", runner))]);
        said(&[
            ("Dockerfile", dockerfile),
            (".github/workflows/ci.yml", &ci),
        ])
        .0
    };
    let two = "--platform linux/amd64,linux/arm64 ";
    let platforms = "the platforms of a build wait for each other";
    assert_eq!(
        said_of(LOCKED, two, "self-hosted"),
        format!("one job; {platforms}")
    );
    assert!(said_of(LOCKED, two, "ubuntu-latest").ends_with(platforms));
    let stages = |target: &str, uses: &str| {
        let run = |tail: &str| {
            format!("RUN --mount=type=cache,id=apt,target=/{target},sharing=locked {tail}\n")
        };
        format!(
            "FROM debian AS x\n{}FROM debian AS y\n{uses}{}FROM scratch\nCOPY --from=x / /x\nCOPY --from=y / /y\n",
            run("x"),
            run("y")
        )
    };
    assert_eq!(
        said_of(&stages("v", ""), "", "self-hosted"),
        "one job; the stages of a build wait for each other"
    );
    // Nothing waits for a platform of its own, for a stage on the builder's platform, for one after the other, for one alone.
    let own = LOCKED.replace("ARG V", "ARG V TARGETARCH");
    let own = own.replace("id=apt", "id=apt-$TARGETARCH");
    assert!(!said_of(&own, two, "self-hosted").contains(';'));
    let pinned = LOCKED.replace("FROM debian", "FROM --platform=$BUILDPLATFORM debian");
    assert_eq!(said_of(&pinned, two, "self-hosted"), "one job");
    let ordered = stages("v", "COPY --from=x / /x\n");
    assert_eq!(said_of(&ordered, "", "self-hosted"), "one job");
    assert_eq!(
        said_of(&stages("v", ""), "--target x ", "self-hosted"),
        "one job"
    );
    assert_eq!(
        said_of(LOCKED, "--platform linux/arm64 ", "self-hosted"),
        "one job"
    );
}

/// Locks that the same builds take are one row, as are those of one file that nobody builds; `-v` has a row for each.
#[test]
fn locks_of_the_same_builds_are_one_row() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join(".github/workflows")).unwrap();
    let run = |id: &str| {
        format!("RUN --mount=type=cache,id={id},target=/{id},sharing=locked make {id}\n")
    };
    let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
    write(
        "Dockerfile",
        &format!("FROM debian\n{}{}", run("a"), run("b")),
    );
    write(
        "x.Dockerfile",
        &format!("FROM debian\n{}{}", run("c"), run("d")),
    );
    write("y.Dockerfile", &format!("FROM debian\n{}", run("e")));
    write(".github/workflows/ci.yml", &workflow(&[("one", BUILD)]));
    let of = |args: &[&str]| cachelane(folder.path(), args).1;
    let ids = |text: &str| -> Vec<String> {
        let lines = text.lines().skip(1).take_while(|line| !line.is_empty());
        let rows = lines.map(|line| {
            line.split("  ").next().unwrap().to_owned() + line.rsplit("  ").next().unwrap()
        });
        rows.collect()
    };
    let text = of(&["locks"]);
    let grouped = [
        "cno known build",
        "dx.Dockerfile:3",
        "eno known build",
        "aone job",
        "bDockerfile:3",
    ];
    assert_eq!(ids(&text), grouped, "{text}");
    assert_eq!(ids(&of(&["locks", "-v"])).len(), 5);
    let picture = of(&["locks", "--format", "mermaid"]);
    assert!(
        picture.contains("a<br/>b<br/>2 locks: one job"),
        "{picture}"
    );
    assert!(
        picture.contains("c<br/>d<br/>2 locks: no known build<br/>x.Dockerfile"),
        "{picture}"
    );
}

#[test]
fn callers_are_told_apart() {
    let called = "on: workflow_call\njobs:\n  a:\n    runs-on: self-hosted\n    steps:\n      - run: docker build .\n";
    let caller = workflow(&[("n", "uses: ./.github/workflows/r.yml")]);
    let (row, last) = said(&[
        ("Dockerfile", LOCKED),
        (".github/workflows/r.yml", called),
        (".github/workflows/nightly.yml", &caller),
        (".github/workflows/pr.yml", &caller),
    ]);
    assert_eq!(row, "2 jobs wait for each other");
    assert!(
        last.ends_with("`cachelane fix --diff` shows what it would change."),
        "{last}"
    );
}

/// The summary page shows what a change touches, though nothing is found.
#[test]
fn a_change_touches_the_locks_of_its_files() {
    let lock = |path: &str| MappedLock {
        ids: vec!["apt".to_owned()],
        base: Vec::new(),
        follows: Follows::NoBuild,
        waiting: 0,
        at_once: Vec::new(),
        has_lane: false,
        runs: vec![TakingRun {
            path: path.to_owned(),
            line: 2,
            stage: None,
        }],
        builds: Vec::new(),
    };
    let map = LockMap {
        locks: vec![lock("a/Dockerfile"), lock("b/Dockerfile")],
        circles: Vec::new(),
    };
    let changed = BTreeSet::from(["b/Dockerfile".to_owned()]);
    let touched = github::touched(&[], &changed, &map);
    assert_eq!(touched.locks, [lock("b/Dockerfile")]);
    assert!(
        github::touched(&[], &BTreeSet::new(), &map)
            .locks
            .is_empty()
    );
}

/// What could not be read around the named path is said in one line, and is no error of the run.
#[test]
fn what_is_not_read_of_the_repository_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    fs::create_dir(folder.path().join(".git")).unwrap();
    write("a/Dockerfile", LOCKED);
    write("b/Dockerfile", LOCKED);
    write("b/cachelane.toml", "arg = 1\n");
    let (code, _, err) = cachelane(folder.path(), &["locks", "a"]);
    let is_said = err.contains("builds may be missing: b/cachelane.toml:1");
    assert!(code == 0 && is_said && err.lines().count() == 1, "{err}");
}

#[test]
fn calls_and_their_members() {
    let compose = "services:\n  a:\n    build:\n      context: .\n      args: {V: 1}\n  b:\n    build:\n      context: .\n      args: {V: 2}\n";
    let (row, last) = said(&[("Dockerfile", LOCKED), ("compose.yaml", compose)]);
    assert_eq!(row, "two builds at once wait");
    assert!(last.contains("two builds at once wait at 1"), "{last}");
    let job = BUILD.replace("docker build .", "docker compose build");
    let ci = workflow(&[("a", &job)]);
    let files = [
        ("Dockerfile", LOCKED),
        ("compose.yaml", compose),
        (".github/workflows/ci.yml", &ci),
    ];
    assert_eq!(said(&files).0, "builds of one call take it");
}
