//! Named files are judged by all that their repository says, and only they are reported and changed.

use std::fs;
use std::path::Path;

use crate::command::cachelane;

const TWO_LOCKS: &str = "FROM debian\nARG CACHE_ID=default\n\
    RUN --mount=type=cache,id=FIRST-${CACHE_ID},target=/x,sharing=locked \
    --mount=type=cache,id=SECOND-${CACHE_ID},target=/y,sharing=locked true\n";

/// A workflow whose job builds one of two Dockerfiles, on a machine of the team's.
const WORKFLOW: &str = "on: push\njobs:\n  build:\n    runs-on: [self-hosted]\n    steps:\n      - uses: actions/checkout@v4\n      \
    - run: docker build -f FILE/Dockerfile .\n";

fn put(root: &Path, files: &[(&str, String)]) {
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Makes a repository with these files.
fn repository(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    put(folder.path(), files);
    folder
}

/// Returns the first word of each finding's line: its place.
fn places(here: &Path, args: &[&str]) -> Vec<String> {
    let (code, out, err) = cachelane(here, &[&["check", "--format", "concise"], args].concat());
    assert!(code < 2, "{err}");
    let lines = out.lines().filter(|line| line.contains('['));
    let place = |line: &str| {
        let (place, rest) = line.split_once(' ').unwrap();
        let (_, rule) = rest.split_once('[').unwrap();
        format!("{place} {}", rule.split(']').next().unwrap())
    };
    lines.map(place).collect()
}

#[test]
fn opposite_orders_are_found_by_one_of_the_files() {
    let opposite = TWO_LOCKS.replace("FIRST", "b").replace("SECOND", "a");
    let files = [
        (
            "one/Dockerfile",
            TWO_LOCKS.replace("FIRST", "a").replace("SECOND", "b"),
        ),
        ("two/Dockerfile", format!("{opposite}\n")),
    ];
    // BuildKit sorts the locks of a RUN by their targets, buildah takes them as they are written.
    let files = files.map(|(path, text)| (path.replace("Dockerfile", "Containerfile"), text));
    let files: Vec<(&str, String)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.clone()))
        .collect();
    let folder = repository(&files);
    let here = folder.path();
    assert_eq!(places(here, &["--select", "lock-order"]).len(), 1);
    for file in ["one/Containerfile", "two/Containerfile"] {
        let found = places(here, &["--select", "lock-order", file]);
        assert_eq!(found, [format!("{file}:3:27: lock-order")]);
    }
    // Outside of a repository there is nothing around what was named.
    fs::remove_dir(here.join(".git")).unwrap();
    assert_eq!(
        places(here, &["--select", "lock-order", "one/Containerfile"]),
        Vec::<String>::new()
    );
}

#[test]
fn one_id_for_two_contents_is_found_in_the_named_file_whichever_it_is() {
    let mount =
        |target: &str| format!("FROM debian\nRUN --mount=type=cache,id=x,target={target} true\n");
    let folder = repository(&[
        ("a/Dockerfile", mount("/root/.cache/pip")),
        ("b/Dockerfile", mount("/root/.npm")),
    ]);
    for (file, here) in [
        ("a/Dockerfile", ""),
        ("b/Dockerfile", ""),
        ("Dockerfile", "b"),
    ] {
        let found = places(
            &folder.path().join(here),
            &["--select", "id-collision", file],
        );
        assert_eq!(
            found,
            [format!("{file}:2:27: id-collision")],
            "{file} from {here:?}"
        );
    }
}

#[test]
fn a_named_workflow_waits_for_one_that_is_not_named() {
    let lane = "FROM debian\nARG CACHE_ID=default\nRUN --mount=type=cache,id=x-${CACHE_ID},target=/x,sharing=locked true\n";
    let workflow = |file: &str| WORKFLOW.replace("FILE", file);
    let folder = repository(&[
        ("a/Dockerfile", lane.into()),
        ("b/Dockerfile", lane.into()),
        (".github/workflows/a.yml", workflow("a")),
        (".github/workflows/b.yml", workflow("b")),
    ]);
    let here = folder.path();
    let named = ".github/workflows/a.yml";
    let (code, out, err) = cachelane(here, &["check", named]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(
        out.contains("unpassed-arg") && out.contains("b.yml"),
        "{out}"
    );
    assert!(out.contains("1 finding in 1 file"), "{out}");
    // Only what was named is changed, and it waits for nobody then.
    let (code, out, err) = cachelane(here, &["fix", named]);
    assert_eq!(code, 0, "{out}{err}");
    let text = |path: &str| fs::read_to_string(here.join(path)).unwrap();
    assert!(
        text(named).contains("--build-arg CACHE_ID="),
        "{}",
        text(named)
    );
    assert_eq!(text(".github/workflows/b.yml"), workflow("b"));
    assert_eq!(cachelane(here, &["check", named]).0, 0);
    // From a folder below, the others have the names that one would type.
    fs::write(here.join(named), workflow("a")).unwrap();
    let (_, out, _) = cachelane(&here.join(".github/workflows"), &["check", "a.yml"]);
    assert!(
        out.contains("[a.yml:") && !out.contains(here.to_str().unwrap()),
        "{out}"
    );
    let (_, out, _) = cachelane(here, &["builds", named]);
    assert!(
        out.contains("1 build in 1 file") && !out.contains("b.yml"),
        "{out}"
    );
}
