//! The hooks of `.pre-commit-hooks.yaml`, run by the real pre-commit on a throw-away repository.
//!
//! pre-commit is installed into a virtual environment below `target`. The hooks are those of the working tree as it is, with
//! what is not committed yet: installed from a wheel of it, or compiled. That needs the network, and fails without it.

mod project;
pub mod tools;

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use cachelane::builds;
use cachelane::project::names::may_be_dockerfile;

use project::Project;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Builds of it wait for each other.
const BAD: &str = "FROM debian:12\n\
    RUN --mount=type=cache,id=apt-cache,target=/var/cache/apt,sharing=locked apt-get update\n";
/// The same file with a lane.
const GOOD: &str = "FROM debian:12\n\
    ARG CACHE_ID=default\n\
    RUN --mount=type=cache,id=apt-cache-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update\n";

/// Names in every form that one of the two could take for a Dockerfile's.
fn names() -> Vec<String> {
    let words = [
        "Dockerfile",
        "dockerfile",
        "DOCKERFILE",
        "DockerFile",
        "Containerfile",
        "containerfile",
        "Dockerfiles",
        "MyDockerfile",
        "readme",
    ];
    let before = [
        "",
        ".",
        "a",
        "a.",
        "a.b.",
        "a b.",
        "-",
        "é.",
        "\n",
        "a\n.",
        "Dockerfile.",
        ".dockerignore.",
    ];
    let behind = [
        "",
        ".",
        "x",
        ".dev",
        ".a.b",
        "\n",
        ".\n",
        ".x\n",
        " ",
        "~",
        ".dockerfile",
        ".Containerfile",
        ".em",
        ".x.em",
        ".jinja2",
        ".em.bak",
        ".dockerignore",
        ".x.dockerignore",
        "..dockerignore",
        ".dockerignorex",
        ".dockerignore\n",
        "dockerignore",
        "-x",
        "_x",
        "-",
        "2",
        ".bak",
        "_x.bak",
        ".orig",
        "-orig",
        ".md",
    ];
    let mut names = Vec::new();
    for word in words {
        for before in before {
            names.extend(behind.map(|behind| format!("{before}{word}{behind}")));
        }
    }
    names
}

/// Names in every form that one of the two could take for a file's that says what is built.
fn names_of_builds() -> Vec<String> {
    let words = [
        "compose",
        "Compose",
        "docker-compose",
        "docker_compose",
        "docker-bake",
        "bake",
        "action",
        "actions",
        "config",
        ".gitlab-ci",
        "gitlab-ci",
        "pipeline",
        "",
    ];
    let before = ["", "a", "a.", "a-", ".", "\n"];
    let behind = [
        "",
        ".yml",
        ".yaml",
        ".YML",
        ".yml.yaml",
        ".x.yml",
        "-x.yaml",
        "x.yml",
        "..yml",
        "-.yml",
        ".yml\n",
        ".yml~",
        ".ymal",
        "yml",
        ".hcl",
        ".json",
        ".x.hcl",
        ".x.json",
        "..json",
        "x.hcl",
        "hcl",
        "-x.hcl",
        ".hcl.json",
        ".json.yml",
        ".dockerignore",
    ];
    let all = words
        .iter()
        .flat_map(|word| before.map(|before| format!("{before}{word}")));
    all.flat_map(|name| behind.map(|behind| format!("{name}{behind}")))
        .collect()
}

#[test]
fn the_hooks_know_the_names_that_discovery_knows() {
    let folders = [
        "",
        "a/",
        "Dockerfile/",
        "Dockerfile.d/",
        "a.dockerfile/",
        "x/.devcontainer/",
        "a b/\n/",
    ];
    let pipelines = [
        ".github/workflows/",
        "a/.github/workflows/",
        "x.github/workflows/",
        ".github/workflows/a/",
        ".github/",
        "workflows/",
        ".gitlab/ci/",
        ".gitlab/",
        "ci/",
        ".buildkite/",
        "buildkite/",
        "\n/.buildkite/",
    ];
    let (names, build_file) = (names(), names_of_builds());
    let below = |folders: &[&str], names: &[String]| -> Vec<String> {
        folders
            .iter()
            .flat_map(|folder| names.iter().map(move |name| format!("{folder}{name}")))
            .collect()
    };
    let all = [
        below(&folders, &names),
        below(&folders, &build_file),
        below(&pipelines, &build_file),
    ]
    .concat();
    let is_known = |path: &str| {
        may_be_dockerfile(path.rsplit('/').next().unwrap_or(path).as_bytes())
            || builds::format(path).is_some()
    };
    let paths: Vec<(String, bool)> = all
        .into_iter()
        .map(|path| (path.clone(), is_known(&path)))
        .collect();
    let mut process = tools::program("python")
        .arg(Path::new(ROOT).join("tests/outer/precommit/names.py"))
        .args(
            [".pre-commit-hooks.yaml", ".pre-commit-config.yaml"]
                .map(|file| Path::new(ROOT).join(file)),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let all: Vec<&str> = paths.iter().map(|(path, _)| path.as_str()).collect();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(all.join("\0").as_bytes())
        .unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "names.py failed");
    let answers = String::from_utf8(output.stdout).unwrap();
    let hooks: Vec<(&str, &str)> = answers
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    assert_eq!(
        hooks.iter().map(|(hook, _)| *hook).collect::<Vec<_>>(),
        [
            "cachelane",
            "cachelane-fix",
            "cachelane-src",
            "cachelane-fix-src",
            "cachelane"
        ]
    );
    for (hook, verdicts) in hooks {
        assert_eq!(verdicts.len(), paths.len(), "{hook}");
        for ((path, expected), verdict) in paths.iter().zip(verdicts.bytes()) {
            assert_eq!(verdict == b'1', *expected, "{hook} and {path:?}");
        }
    }
    assert!(
        paths.iter().filter(|(_, known)| *known).count() > 100,
        "hardly a name is a Dockerfile's"
    );
    assert!(
        paths
            .iter()
            .filter(|(path, _)| builds::format(path).is_some())
            .count()
            > 500,
        "hardly a name is a workflow's"
    );
}

/// One function, for the hooks are installed once and the steps follow from each other.
#[test]
fn red_then_fixed_then_green() {
    let project = Project::new();

    // The check says what is wrong, and lets nothing through.
    project.use_hook("cachelane");
    project
        .write("Dockerfile", BAD)
        .write("notes.txt", BAD)
        .stage();
    let started = Instant::now();
    let commit = project.commit("bad");
    let took = started.elapsed();
    let _ = writeln!(
        std::io::stderr(),
        "The hook's first run took {:.1} s.",
        took.as_secs_f64()
    );
    assert!(!commit.passed, "{commit}");
    for part in [
        "cachelane",
        "Failed",
        "shared-lock",
        "[Dockerfile:2:",
        "id=apt-cache-${CACHE_ID}",
        "in 1 file",
    ] {
        assert!(commit.text.contains(part), "no {part:?} in:\n{commit}");
    }
    assert_eq!(project.read("Dockerfile"), BAD, "a check changes nothing");

    // The fix changes the file, which pre-commit takes for a failure.
    project.use_hook("cachelane-fix");
    let commit = project.commit("bad");
    assert!(!commit.passed, "{commit}");
    assert!(
        commit.text.contains("files were modified by this hook"),
        "{commit}"
    );
    assert_eq!(project.read("Dockerfile"), GOOD, "{commit}");
    assert_eq!(
        project.read("notes.txt"),
        BAD,
        "no Dockerfile, no business of ours"
    );

    // What was fixed goes through, under both hooks.
    project.stage();
    let commit = project.commit("good");
    assert!(commit.passed && commit.text.contains("Passed"), "{commit}");
    project.use_hook("cachelane");
    let all = project.run_all();
    assert!(all.passed && all.text.contains("Passed"), "{all}");

    // A second commit leaves the first file alone, and its own too, being fine.
    project.use_hook("cachelane-fix");
    let odd =
        "FROM scratch\r\nRUN  --mount=type=cache,target=/root/.cache/pip \\\r\n\r\n  pip install a";
    project.write("sub folder/b.Dockerfile", odd).stage();
    let commit = project.commit("second");
    assert!(commit.passed && commit.text.contains("Passed"), "{commit}");
    assert_eq!(project.read("sub folder/b.Dockerfile"), odd);
    assert_eq!(project.read("Dockerfile"), GOOD);

    // A file that is no Dockerfile does not even start the hook.
    project
        .write("notes.txt", GOOD)
        .write("Dockerfile.dockerignore", BAD)
        .stage();
    let commit = project.commit("no Dockerfile");
    assert!(
        commit.passed && commit.text.contains("no files to check"),
        "{commit}"
    );

    a_workflow_alone(&project);
    one_process(&project);
    several_processes(&project);
    what_no_fix_can_mend(&project);
    excluded(&project);
}

/// The hooks that need no wheel, and a compiler instead.
#[test]
fn hooks_from_source_do_the_same() {
    let project = Project::from_source();
    project.write("Dockerfile", BAD).stage();
    let commit = project.commit("bad");
    assert!(
        !commit.passed && commit.text.contains("shared-lock"),
        "{commit}"
    );
    project.use_hook("cachelane-fix-src");
    project.commit("bad");
    assert_eq!(project.read("Dockerfile"), GOOD);
    project.stage();
    let commit = project.commit("good");
    assert!(commit.passed && commit.text.contains("Passed"), "{commit}");
}

/// What is committed is the workflow; its Dockerfile is in an earlier commit.
fn a_workflow_alone(project: &Project) {
    const WORKFLOW: &str = ".github/workflows/ci.yml";
    let workflow = "on: push\njobs:\n  image:\n    runs-on: self-hosted\n    strategy:\n      matrix:\n        \
                    python: [py310, py313]\n    steps:\n      - run: docker build .\n";
    project.use_hook("cachelane");
    project.write(WORKFLOW, workflow).stage();
    let commit = project.commit("workflow");
    assert!(
        !commit.passed && commit.text.contains("unpassed-arg"),
        "{commit}"
    );
    assert!(commit.text.contains("in 1 file"), "{commit}");
    project.use_hook("cachelane-fix");
    let commit = project.commit("workflow");
    assert!(
        !commit.passed && commit.text.contains("files were modified by this hook"),
        "{commit}"
    );
    assert!(
        project.read(WORKFLOW).contains("matrix.python }}"),
        "{commit}"
    );
    project.stage();
    let commit = project.commit("workflow");
    assert!(commit.passed, "{commit}");
    // A Dockerfile that is excluded is no file of the hook's, even where a build leads to it.
    project
        .write("cachelane.toml", "exclude = [\"/Dockerfile\"]\n")
        .write(WORKFLOW, workflow)
        .stage();
    project.use_hook("cachelane");
    let all = project.run_all();
    assert!(all.passed, "{all}");
    project.reset();
}

/// pre-commit would hand five files or more to several processes, where no rule could compare them.
fn one_process(project: &Project) {
    project.use_hook("cachelane");
    for number in 0..12 {
        project.write(&format!("many/{number}.Dockerfile"), BAD);
    }
    project.stage();
    let commit = project.commit("many");
    assert!(!commit.passed, "{commit}");
    let sums: Vec<&str> = commit
        .text
        .lines()
        .filter(|line| line.starts_with("12 findings in 12 files"))
        .collect();
    assert_eq!(sums.len(), 1, "{commit}");
    project.reset();
}

/// pre-commit splits names of more than 128 KiB, whatever the hook asks for. The first file and the last one take two locks
/// in opposite orders.
fn several_processes(project: &Project) {
    const LOCKS: &str = "FROM debian:12\nARG CACHE_ID=default\n\
        RUN --mount=type=cache,id=ONE-${CACHE_ID},target=/1,sharing=locked \
        --mount=type=cache,id=OTHER-${CACHE_ID},target=/2,sharing=locked make\n";
    let text = |one: &str, other: &str| LOCKS.replace("ONE", one).replace("OTHER", other);
    project.use_hook("cachelane");
    let folder = "a-long-name/".repeat(15);
    for number in 100..1100 {
        let text = match number {
            100 => text("a", "b"),
            1099 => text("b", "a"),
            _ => GOOD.to_owned(),
        };
        project.write(&format!("{number}/{folder}Dockerfile"), &text);
    }
    project.stage();
    let commit = project.commit("more than one command line holds");
    let count = |what: &str| commit.text.matches(what).count();
    assert!(!commit.passed, "{commit}");
    assert!(count(" files") > 1, "one process took all files: {commit}");
    assert!(count("lock-order") > 0, "{commit}");
    project.reset();
}

/// The fix's hook is red too for what it leaves, or a broken file would go through where it is the only hook.
fn what_no_fix_can_mend(project: &Project) {
    project.use_hook("cachelane-fix");
    let broken = "FROM scratch\nRUN --mount=type=cache,target=/x,sharing=locket a\n";
    project.write("broken.Dockerfile", broken).stage();
    let commit = project.commit("broken");
    assert!(
        !commit.passed && commit.text.contains("invalid-mount"),
        "{commit}"
    );
    assert!(!commit.text.contains("files were modified"), "{commit}");
    project.reset();
}

/// pre-commit names every file, also one that the configuration excludes: `--force-exclude` is for that.
fn excluded(project: &Project) {
    project
        .write("cachelane.toml", "exclude = [\"vendor/\"]\n")
        .write("vendor/Dockerfile", BAD)
        .stage();
    for hook in ["cachelane", "cachelane-fix"] {
        project.use_hook(hook);
        let all = project.run_all();
        assert!(all.passed, "{hook}:\n{all}");
    }
    let commit = project.commit("excluded");
    assert!(commit.passed, "{commit}");
    assert_eq!(project.read("vendor/Dockerfile"), BAD);
}
