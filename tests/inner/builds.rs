//! Checks the cases of `fixtures/builds`, small repositories in the form of `pages`, against their records by
//! `tests/bless`. A file that begins with `# unsafe` asks for all fixes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::cachelane;
use crate::{pages, record};

/// The rules on builds, and those of which builds are one of the reasons.
const RULES: &[&str] = &[
    "unpassed-arg",
    "lane-never-reused",
    "no-cache-clears",
    "platform-lock",
    "serial-stages",
];

fn write(folder: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn every_case_reports_and_fixes_as_recorded() {
    let mut records = Vec::new();
    for case in pages::cases("builds") {
        let (place, rule) = (case.place(), case.rule());
        let work = tempfile::tempdir().unwrap();
        fs::create_dir(work.path().join(".git")).unwrap();
        let files = case.files.iter();
        write(
            work.path(),
            &files
                .map(|file| (file.path.clone().into(), file.bytes()))
                .collect(),
        );
        let (_, mut report, err) = cachelane(work.path(), &["check", "-v"]);
        assert_eq!(err, "", "{place}");
        assert!(
            report.lines().any(|line| line == rule) != case.is_near_miss(),
            "{place}: a hit must show {rule} and a near miss must not:\n{report}"
        );
        let mut fix = vec!["fix", "--quiet"];
        let is_unsafe = |file: &pages::File| file.bytes().starts_with(b"# unsafe\n");
        fix.extend(case.files.iter().any(is_unsafe).then_some("--unsafe"));
        let (_, _, said) = cachelane(work.path(), &fix);
        if !said.is_empty() {
            report.push_str(&format!("\n-- what fix says --\n{said}"));
        }
        fix.push("--diff");
        let (_, again, err) = cachelane(work.path(), &fix);
        assert_eq!(again, "", "{place}: a second fix changes something: {err}");
        assert_eq!(count(work.path()), case.files.len(), "{place}: files");
        let mut diff = String::new();
        for file in &case.files {
            let now = fs::read(work.path().join(&file.path)).unwrap();
            if now != file.bytes() {
                let changes = record::diff(file, &now);
                diff.push_str(&format!("--- a/{0}\n+++ b/{0}\n{changes}", file.path));
            }
        }
        records.push((case, record::record(&report, &diff)));
    }
    record::hold(&records);
}

/// Returns the number of files below `folder`.
fn count(folder: &Path) -> usize {
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    paths
        .map(|path| if path.is_dir() { count(&path) } else { 1 })
        .sum()
}

#[test]
fn every_rule_has_as_many_near_misses_as_hits() {
    let cases = pages::cases("builds");
    for rule in RULES {
        let own = cases.iter().filter(|case| case.rule() == *rule);
        let (misses, hits): (Vec<_>, Vec<_>) = own.partition(|case| case.is_near_miss());
        let (hits, misses) = (hits.len(), misses.len());
        assert!(
            hits > 0 && misses >= hits,
            "{rule}: {hits} hits and {misses} near misses"
        );
    }
}

/// Returns the snippets of `docs/builds.md`, each with the path in its first line.
fn snippets() -> Vec<(String, String)> {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/builds.md")).unwrap();
    let blocks = page.split("```").skip(1).step_by(2);
    let named = blocks.filter_map(|block| {
        let (_, text) = block.split_once('\n')?;
        Some((crate::docs::path_of(text)?.to_owned(), text.to_owned()))
    });
    named.collect()
}

#[test]
fn every_example_passes_its_lane() {
    let examples = snippets();
    assert_eq!(
        examples.len(),
        8,
        "an example is gone, or has lost its path"
    );
    for (path, text) in examples {
        let work = tempfile::tempdir().unwrap();
        fs::create_dir(work.path().join(".git")).unwrap();
        let lane = "FROM debian\nARG CACHE_ID=default\n\
                    RUN --mount=type=cache,id=a-${CACHE_ID},target=/a,sharing=locked true\n";
        let files = [("Dockerfile", lane), (path.as_str(), text.as_str())];
        write(
            work.path(),
            &files
                .map(|(path, text)| (path.into(), text.as_bytes().to_vec()))
                .into(),
        );
        let (code, report, err) = cachelane(work.path(), &["check", "-v"]);
        assert_eq!((code, err.as_str()), (0, ""), "{path}: {report}");
        let (_, builds, _) = cachelane(work.path(), &["builds", "--format", "json"]);
        let builds: serde_json::Value = serde_json::from_str(&builds).unwrap();
        let builds = builds["builds"].as_array().unwrap();
        assert!(!builds.is_empty(), "{path}: no build is seen");
        // Whoever calls Compose, bake or make sets it.
        let is_called = ["compose.yml", "docker-bake.hcl", "Makefile"].contains(&path.as_str());
        let lane = if is_called { "handed-on" } else { "passed" };
        assert!(
            builds
                .iter()
                .all(|build| build["lane"] == lane && build["dockerfile"] == "Dockerfile"),
            "{path}: {builds:?}"
        );
        // Without the argument, the build is one that passes none.
        let without: String = text
            .lines()
            .filter(|line| !line.contains("CACHE_ID"))
            .collect::<Vec<_>>()
            .join("\n");
        if without.contains("build") && path.ends_with("build-push.yml") {
            fs::write(
                work.path().join(&path),
                without.replace("          build-args: |\n", "") + "\n",
            )
            .unwrap();
            let (_, report, _) = cachelane(work.path(), &["check", "-v"]);
            assert!(report.contains("unpassed-arg"), "{path}: {report}");
        }
    }
}

/// A matrix's values are unknown here, so a user has to check whether they can be part of an id.
#[test]
fn unsafe_fixes_of_builds_are_made_when_asked_for() {
    let work = tempfile::tempdir().unwrap();
    let workflow = "on: push\njobs:\n  test:\n    runs-on: self-hosted\n    strategy:\n      matrix:\n        \
                    python: ${{ fromJSON(inputs.pythons) }}\n    steps:\n      - uses: docker/build-push-action@v6\n        \
                    with:\n          context: .\n";
    let lane = "FROM debian\nARG CACHE_ID=default\nRUN --mount=type=cache,id=a-${CACHE_ID},target=/a,sharing=locked true\n";
    let path = Path::new(".github/workflows/ci.yml");
    let texts = [(path, workflow), (Path::new("Dockerfile"), lane)];
    write(
        work.path(),
        &texts
            .map(|(path, text)| (path.to_path_buf(), text.into()))
            .into(),
    );
    let (code, _, _) = cachelane(work.path(), &["fix"]);
    assert_eq!(
        (
            code,
            fs::read_to_string(work.path().join(path)).unwrap().as_str()
        ),
        (1, workflow)
    );
    let (code, said, _) = cachelane(work.path(), &["fix", "--unsafe"]);
    let expected = format!(
        "{workflow}          build-args: |\n            CACHE_ID=${{{{ matrix.python }}}}\n"
    );
    assert_eq!(
        (code, fs::read_to_string(work.path().join(path)).unwrap()),
        (0, expected),
        "{said}"
    );
}

/// Comments of `check --add-ignores` stand above a step whose script is a block, above a line of a list, above a
/// target; JSON has none.
#[test]
fn suppressions_are_added_where_comments_can_stand() {
    let lane = "FROM a\nARG CACHE_ID=default\nRUN --mount=type=cache,id=a-${CACHE_ID},target=/a,sharing=locked true\n";
    let workflow = "on: push\njobs:\n  test:\n    runs-on: self-hosted\n    strategy:\n      matrix:\n        py: [a, b]\n    \
                    steps:\n      - name: image\n        run: |\n          true\n          docker build .\n      - run: >-\n          \
                    docker build\n          .\n";
    let gitlab =
        "test:\n  parallel:\n    matrix:\n    - PY: [a, b]\n  script:\n  - docker build .\n";
    let bake = "target \"app\" {\n  context = \".\"\n}\n";
    let files = [
        ("Dockerfile", lane),
        (".github/workflows/ci.yml", workflow),
        (".gitlab-ci.yml", gitlab),
        ("docker-bake.hcl", bake),
        ("compose.yml", "services:\n  app:\n    build: .\n"),
    ];
    let work = tempfile::tempdir().unwrap();
    fs::create_dir(work.path().join(".git")).unwrap();
    write(
        work.path(),
        &files
            .map(|(path, text)| (path.into(), text.as_bytes().to_vec()))
            .into(),
    );
    let (code, _, said) = cachelane(work.path(), &["check", "--add-ignores"]);
    assert_eq!(code, 0, "{said}");
    let (code, report, _) = cachelane(work.path(), &["check", "-v"]);
    assert_eq!(code, 0, "{report}");
    let comment = "# cachelane: ignore[unpassed-arg]\n";
    let read = |path: &str| fs::read_to_string(work.path().join(path)).unwrap();
    let text = read(".github/workflows/ci.yml");
    assert_eq!(
        text.replace(comment, "")
            .replace("        \n", "")
            .matches("docker build")
            .count(),
        2
    );
    assert!(
        text.contains(&format!(
            "      - name: image\n        {comment}        run: |\n"
        )),
        "{text}"
    );
    assert!(
        text.contains(&format!("      {comment}      - run: >-\n")),
        "{text}"
    );
    assert_eq!(read("docker-bake.hcl"), format!("{comment}{bake}"));
    assert!(read(".gitlab-ci.yml").ends_with(&format!("  {comment}  - docker build .\n")));
    let json = "{\"target\": {\"app\": {\"context\": \".\"}}}\n";
    fs::write(work.path().join("docker-bake.json"), json).unwrap();
    let (code, _, said) = cachelane(work.path(), &["check", "--add-ignores"]);
    assert!(
        code == 1 && said.contains("docker-bake.json:1: unpassed-arg is left"),
        "{code} {said}"
    );
    assert_eq!(
        fs::read_to_string(work.path().join("docker-bake.json")).unwrap(),
        json
    );
}

#[test]
fn builds_and_check_are_of_one_mind() {
    let lane = "FROM a\nARG CACHE_ID=default\nRUN --mount=type=cache,id=a-${CACHE_ID},target=/a,sharing=locked true\n";
    let none = "FROM a\nRUN --mount=type=cache,id=a,target=/a,sharing=locked true\n";
    let matrix = "    strategy:\n      matrix:\n        py: [a, b]\n    steps:\n";
    let action =
        "runs:\n  using: composite\n  steps:\n    - run: docker build .\n      shell: bash\n";
    let workflow = format!(
        "on: push\njobs:\n  hosted:\n    runs-on: ubuntu-latest\n{matrix}      - run: docker build .\n  \
         own:\n    runs-on: own\n{matrix}      - run: docker build .\n      - uses: ./act\n      \
         - run: docker build sub\n      - run: docker buildx bake -f gone.hcl\n"
    );
    let inline = "services:\n  within:\n    build:\n      dockerfile_inline: |\n        FROM a\n        ARG CACHE_ID=default\n        \
                  RUN --mount=type=cache,id=b-${CACHE_ID},target=/a,sharing=locked true\n";
    let files = [
        ("Dockerfile", lane),
        ("sub/Dockerfile", none),
        ("act/action.yml", action),
        ("compose.yml", &inline.replace("${", "$${")),
        (".github/workflows/ci.yml", &workflow),
    ];
    let work = tempfile::tempdir().unwrap();
    fs::create_dir(work.path().join(".git")).unwrap();
    write(
        work.path(),
        &files
            .map(|(path, text)| (path.into(), text.as_bytes().to_vec()))
            .into(),
    );
    let listed = |folder: &Path| -> Vec<String> {
        let (_, builds, _) = cachelane(folder, &["builds", "-v", "--format", "json"]);
        let builds: serde_json::Value = serde_json::from_str(&builds).unwrap();
        let line = |build: &serde_json::Value| {
            let text = |key: &str| build[key].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", text("name"), build["matrix"], text("lane"))
        };
        builds["builds"]
            .as_array()
            .unwrap()
            .iter()
            .map(line)
            .collect()
    };
    assert_eq!(
        listed(work.path()),
        [
            "job `hosted`, step 1 [\"py\"] own-machine",
            "job `own`, step 1 [\"py\"] default",
            "job `own`, step 3 [\"py\"] not-yet",
            "a build null unknown",
            "step 1 [\"py\"] default",
            "service `within` null default",
        ]
    );
    let (_, report, _) = cachelane(work.path(), &["check", "--format", "concise"]);
    assert_eq!(report.matches("[unpassed-arg]").count(), 3, "{report}");
    // A missing Dockerfile asks for no argument, but its needs are unknown.
    let other = "FROM a\nRUN true\n";
    for (name, text, lane) in [("other", other, "not-needed"), ("gone", "", "not-there")] {
        let folder = work.path().join(name);
        fs::create_dir_all(folder.join(".git")).unwrap();
        let bake = "target \"default\" {\n  context = \".\"\n}\n";
        let texts = [("docker-bake.hcl", bake), ("Dockerfile", text)]
            .map(|(path, text)| (path.into(), text.into()));
        write(
            &folder,
            &texts
                .into_iter()
                .filter(|(_, text): &(_, Vec<u8>)| !text.is_empty())
                .collect(),
        );
        assert_eq!(listed(&folder), [format!("target `default` null {lane}")]);
        fs::remove_dir_all(folder).unwrap();
    }
    // By the configuration, a namespace takes the place of lanes: a Dockerfile without any asks for it, too.
    fs::write(work.path().join("cachelane.toml"), "namespace = true\n").unwrap();
    let lanes: Vec<String> = listed(work.path())
        .iter()
        .map(|line| line.rsplit(' ').next().unwrap().into())
        .collect();
    assert_eq!(
        lanes,
        [
            "own-machine",
            "default",
            "default",
            "unknown",
            "default",
            "default"
        ]
    );
}

#[test]
fn builds_elsewhere_that_pass_no_lane_are_counted() {
    let lane = "FROM a\nARG CACHE_ID=default\nRUN --mount=type=cache,id=a-${CACHE_ID},target=/a,sharing=locked true\n";
    let workflow = "on: push\njobs:\n  a:\n    runs-on: self-hosted\n    strategy: {matrix: {v: [x, y]}}\n    steps:\n      \
                    - run: docker build app\n      - run: docker build --no-cache app\n      \
                    - run: docker build --build-arg CACHE_ID=${{ matrix.v }} ok\n      \
                    - run: docker build off  # cachelane: ignore[unpassed-arg]\n";
    let work = tempfile::tempdir().unwrap();
    fs::create_dir(work.path().join(".git")).unwrap();
    let files = [
        ("app/Dockerfile", lane),
        ("ok/Dockerfile", lane),
        ("off/Dockerfile", lane),
        (".github/workflows/ci.yml", workflow),
    ];
    write(
        work.path(),
        &files.map(|(path, text)| (path.into(), text.into())).into(),
    );
    let note = "2 builds in files that you did not name pass no lane: `cachelane fix` at the repository's root\n";
    for (folder, is_noted) in [("app", true), ("ok", false), ("off", false), (".", false)] {
        for command in ["check", "fix"] {
            let args = if command == "fix" {
                vec!["fix", "--diff", folder]
            } else {
                vec!["check", folder]
            };
            let (_, out, err) = cachelane(work.path(), &args);
            let text = out + &err;
            assert_eq!(text.contains(note), is_noted, "{args:?}: {text}");
        }
    }
}
