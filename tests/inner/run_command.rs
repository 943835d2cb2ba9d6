//! `cachelane run` with real processes: the words that reach the command, and its result.
//!
//! The build commands here are scripts that print their words; `tests/engine` has a real build.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// Prints its name, its words, and its environment.
const SHOW: &str = "#!/bin/sh\n\
    printf '%s' \"${0##*/}\"\nfor word; do printf '|%s' \"$word\"; done\n\
    printf ' CACHE_ID=%s JOB=%s NS=%s\\n' \"$CACHE_ID\" \"$JOB\" \"$BUILDKIT_CACHE_MOUNT_NS\"\n";

const PROGRAMS: &[&str] = &[
    "docker",
    "docker-buildx",
    "docker-compose",
    "podman",
    "podman-compose",
    "buildah",
    "nerdctl",
    "rocker",
    "rockerc",
    "devcontainer",
    "sudo",
    "make",
];

fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let bin = place.path().join("bin");
    fs::create_dir(&bin).unwrap();
    for program in PROGRAMS {
        write_script(&bin.join(program), SHOW);
    }
    place
}

fn write_script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Returns `cachelane run` in the folder, with nothing in the environment but a PATH with the scripts first.
fn cachelane(place: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
    let path = format!("{}:/usr/bin:/bin", place.path().join("bin").display());
    command
        .env_clear()
        .env("PATH", path)
        .env("HOME", place.path())
        .current_dir(place.path())
        .arg("run");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

fn run(place: &TempDir, options: &[&str], command: &str) -> Output {
    cachelane(place)
        .args(options)
        .arg("--")
        .args(command.split(' '))
        .output()
        .unwrap()
}

/// Returns the command that is run for `command` in the lane `l`.
fn shown(place: &TempDir, options: &[&str], command: &str) -> String {
    let output = run(place, &[&["--lane", "l"], options].concat(), command);
    assert!(
        output.status.success(),
        "{command}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

#[test]
fn each_command_gets_the_lane_as_it_takes_it() {
    let place = place();
    let silent = |command: &str, words: &str| {
        let output = run(&place, &["--lane", "l"], command);
        assert_eq!(
            text(&output.stdout),
            format!("{words} CACHE_ID= JOB= NS="),
            "{command}"
        );
        assert_eq!(text(&output.stderr), "", "{command}");
    };
    let arg = "--build-arg|CACHE_ID=l";
    silent("docker build .", &format!("docker|build|{arg}|."));
    silent(
        "docker image build -t x .",
        &format!("docker|image|build|{arg}|-t|x|."),
    );
    silent(
        "docker builder build .",
        &format!("docker|builder|build|{arg}|."),
    );
    silent(
        "docker buildx build .",
        &format!("docker|buildx|build|{arg}|."),
    );
    silent("docker buildx b .", &format!("docker|buildx|b|{arg}|."));
    silent(
        "docker-buildx build .",
        &format!("docker-buildx|build|{arg}|."),
    );
    silent(
        "docker --context build -H=x -D build .",
        &format!("docker|--context|build|-H=x|-D|build|{arg}|."),
    );
    silent(
        "docker buildx --builder build build .",
        &format!("docker|buildx|--builder|build|build|{arg}|."),
    );
    silent(
        "docker buildx bake app",
        "docker|buildx|bake|--set|*.args.CACHE_ID=l|app",
    );
    silent("docker buildx f", "docker|buildx|f|--set|*.args.CACHE_ID=l");
    silent(
        "docker compose build web",
        &format!("docker|compose|build|{arg}|web"),
    );
    silent(
        "docker compose -f up -p run build",
        &format!("docker|compose|-f|up|-p|run|build|{arg}"),
    );
    silent(
        "docker-compose build",
        &format!("docker-compose|build|{arg}"),
    );
    silent(
        "podman --root image build .",
        &format!("podman|--root|image|build|{arg}|."),
    );
    silent(
        "podman image build .",
        &format!("podman|image|build|{arg}|."),
    );
    silent(
        "podman-compose build",
        &format!("podman-compose|build|{arg}"),
    );
    silent("buildah bud .", &format!("buildah|bud|{arg}|."));
    silent(
        "buildah --storage-driver vfs build .",
        &format!("buildah|--storage-driver|vfs|build|{arg}|."),
    );
    silent(
        "nerdctl -n build build .",
        &format!("nerdctl|-n|build|build|{arg}|."),
    );
    silent(
        "sudo -u build A=b docker build .",
        &format!("sudo|-u|build|A=b|docker|build|{arg}|."),
    );
    silent(
        "env -u A B=c nice -n 5 timeout -k 3 9 docker build .",
        &format!("docker|build|{arg}|."),
    );
}

#[test]
fn others_get_it_by_their_environment_and_that_is_said() {
    let place = place();
    let by_environment = |command: &str, said: &str| {
        let output = run(&place, &["--lane", "l"], command);
        let words = command.replace(' ', "|");
        assert_eq!(
            text(&output.stdout),
            format!("{words} CACHE_ID=l JOB= NS="),
            "{command}"
        );
        assert!(
            text(&output.stderr).contains(said),
            "{command}: {}",
            text(&output.stderr)
        );
    };
    by_environment(
        "make image",
        "`make image` is not a build command that cachelane knows: it gets the lane by its environment",
    );
    by_environment(
        "docker compose up --build",
        "the Compose file hands it on where `args` in `build` has `CACHE_ID: ${CACHE_ID:-default}`",
    );
    by_environment(
        "docker compose up",
        "the Compose file hands it on where `args` in `build` has `CACHE_ID: ${CACHE_ID:-default}`",
    );
    by_environment(
        "docker-compose up --build",
        "`docker-compose up` takes no build arguments",
    );
    by_environment("docker run build", "`docker run build` is not a build");
    by_environment("docker", "`docker` is not a build");
    by_environment(
        "devcontainer build --workspace-folder .",
        "${localEnv:CACHE_ID:default}",
    );
    by_environment(
        "sudo make",
        "`sudo` hands CACHE_ID on only where it is told to",
    );
    by_environment("sudo -E", "`sudo` is not a build command");
    by_environment(
        "rocker --nvidia ubuntu",
        "`rocker` has no extension `rocker-cachelane`",
    );
}

#[test]
fn what_the_command_says_itself_stands() {
    let place = place();
    let stands = |command: &str, word: &str| {
        let output = run(&place, &["--lane", "l"], command);
        assert_eq!(
            text(&output.stdout),
            format!("{} CACHE_ID= JOB= NS=", command.replace(' ', "|")),
            "{command}"
        );
        let passes = if word.is_empty() {
            "an empty `CACHE_ID` itself: it is in one lane with all that do so".to_owned()
        } else {
            format!("`{word}` itself: it keeps that")
        };
        assert_eq!(
            text(&output.stderr),
            format!("cachelane: the command passes {passes}"),
            "{command}"
        );
    };
    stands("docker build --build-arg CACHE_ID=mine .", "mine");
    stands("docker build . --build-arg=CACHE_ID=", "");
    stands("docker buildx bake --set *.args.CACHE_ID=mine", "mine");
    stands(
        "docker buildx bake --set app.args.CACHE_ID=mine app",
        "mine",
    );
    stands("rocker --cache-id mine ubuntu", "mine");
    // Without a value, docker takes it from its environment.
    assert_eq!(
        shown(&place, &[], "docker build --build-arg CACHE_ID ."),
        "docker|build|--build-arg|CACHE_ID|. CACHE_ID=l JOB= NS="
    );
    assert_eq!(
        shown(
            &place,
            &[],
            "docker build --build-arg CACHE_IDS=x --build-arg BUILDKIT_CACHE_MOUNT_NS=y ."
        ),
        "docker|build|--build-arg|CACHE_ID=l|--build-arg|CACHE_IDS=x|--build-arg|BUILDKIT_CACHE_MOUNT_NS=y|. CACHE_ID= \
         JOB= NS="
    );
}

#[test]
fn the_argument_and_the_namespace_can_be_chosen() {
    let place = place();
    let namespace = "docker|build|--build-arg|BUILDKIT_CACHE_MOUNT_NS=l|. CACHE_ID= JOB= NS=";
    assert_eq!(
        shown(&place, &["--arg", "JOB"], "docker build ."),
        "docker|build|--build-arg|JOB=l|. CACHE_ID= JOB= NS="
    );
    assert_eq!(
        shown(&place, &["--arg", "JOB"], "make"),
        "make CACHE_ID= JOB=l NS="
    );
    assert_eq!(
        shown(&place, &["--via", "namespace"], "docker build ."),
        namespace
    );
    assert_eq!(
        shown(&place, &["--via", "namespace"], "make"),
        "make CACHE_ID= JOB= NS=l"
    );
    for command in ["podman build .", "buildah bud .", "rocker ubuntu"] {
        let output = run(&place, &["--via", "namespace"], command);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(
            text(&output.stderr).contains("only BuildKit knows it"),
            "{command}"
        );
    }
    let rocker = run(&place, &["--arg", "JOB"], "rocker ubuntu");
    assert_eq!(rocker.status.code(), Some(2));
    assert!(text(&rocker.stderr).contains("passes a lane as CACHE_ID, not as JOB"));
    let both = run(
        &place,
        &["--via", "namespace", "--arg", "JOB"],
        "docker build .",
    );
    assert_eq!(
        (both.status.code(), text(&both.stdout)),
        (Some(2), String::new())
    );

    fs::write(place.path().join("cachelane.toml"), "arg = \"JOB\"\n").unwrap();
    assert_eq!(
        shown(&place, &[], "docker build ."),
        "docker|build|--build-arg|JOB=l|. CACHE_ID= JOB= NS="
    );
    fs::write(place.path().join("cachelane.toml"), "namespace = true\n").unwrap();
    assert_eq!(shown(&place, &[], "docker build ."), namespace);
    assert_eq!(
        shown(&place, &["--via", "arg"], "docker build ."),
        "docker|build|--build-arg|CACHE_ID=l|. CACHE_ID= JOB= NS="
    );
    fs::write(place.path().join("cachelane.toml"), "nonsense = true\n").unwrap();
    assert_eq!(run(&place, &[], "docker build .").status.code(), Some(2));
}

#[test]
fn the_lane_is_that_of_the_job() {
    let place = place();
    let with = |variables: &[(&str, &str)], options: &[&str]| {
        let mut command = cachelane(&place);
        let output = command
            .envs(variables.iter().copied())
            .args(options)
            .args(["--", "docker", "build"])
            .output();
        text(&output.unwrap().stdout)
            .split(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(with(&[], &[]), "docker|build|--build-arg|CACHE_ID=default");
    assert_eq!(
        with(&[("CACHE_ID", "py310")], &[]),
        "docker|build|--build-arg|CACHE_ID=py310"
    );
    assert_eq!(
        with(&[("CACHE_ID", "py310")], &["--lane", "py313"]),
        "docker|build|--build-arg|CACHE_ID=py313"
    );
    let gitlab = [("GITLAB_CI", "true"), ("CI_JOB_NAME", "image")];
    assert_eq!(
        with(&gitlab, &[]),
        "docker|build|--build-arg|CACHE_ID=image"
    );
    let (one, two) = (
        with(&gitlab, &["--matrix", r#"{"a":1}"#]),
        with(&gitlab, &["--matrix", r#"{"a":2}"#]),
    );
    assert!(
        one.starts_with("docker|build|--build-arg|CACHE_ID=image-1-") && one != two,
        "{one} {two}"
    );
}

#[test]
fn rocker_has_an_option_for_it_where_the_extension_is_installed() {
    let place = place();
    let root = place.path();
    for (folder, python) in [
        ("venv", "lib/python3.11/site-packages"),
        ("usr", "local/lib/python3.12/dist-packages"),
    ] {
        let bin = root.join(folder).join("bin");
        let info = root
            .join(folder)
            .join(python)
            .join("rocker_cachelane-0.1.0.dist-info");
        fs::create_dir_all(&bin).unwrap();
        write_script(&bin.join("rocker"), SHOW);
        let command = format!("{} ubuntu", bin.join("rocker").display());
        assert_eq!(
            shown(&place, &[], &command),
            "rocker|ubuntu CACHE_ID=l JOB= NS=",
            "{folder}"
        );
        fs::create_dir_all(&info).unwrap();
        assert_eq!(
            shown(&place, &[], &command),
            "rocker|--cache-id=l|ubuntu CACHE_ID= JOB= NS=",
            "{folder}"
        );
    }
    // As pipx installs it: a link from a folder on PATH.
    for program in ["rocker", "rockerc"] {
        let link = root.join("bin").join(program);
        write_script(&root.join("venv/bin").join(program), SHOW);
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(root.join("venv/bin").join(program), link).unwrap();
        let words = format!("{program} x");
        assert_eq!(
            shown(&place, &[], &words),
            format!("{program}|--cache-id=l|x CACHE_ID= JOB= NS=")
        );
    }
    assert_eq!(
        shown(&place, &[], "rockerc"),
        "rockerc|--cache-id=l CACHE_ID= JOB= NS="
    );
    // As pip installs it elsewhere: a script with the virtual environment's interpreter.
    let python = root.join("venv/bin/python3");
    std::os::unix::fs::symlink("/bin/sh", &python).unwrap();
    fs::remove_file(root.join("bin/rocker")).unwrap();
    write_script(
        &root.join("bin/rocker"),
        &SHOW.replace("/bin/sh", &python.display().to_string()),
    );
    assert_eq!(
        shown(&place, &[], "rocker x"),
        "rocker|--cache-id=l|x CACHE_ID= JOB= NS="
    );
}

#[test]
fn a_dry_run_says_what_would_run() {
    let make = run(&place(), &["--lane", "l", "--dry-run"], "make image");
    assert_eq!(text(&make.stdout), "CACHE_ID=l make image");
}

#[test]
fn exit_codes_are_the_commands_own() {
    let place = place();
    let code = |words: &[&str]| {
        cachelane(&place)
            .arg("--")
            .args(words)
            .output()
            .unwrap()
            .status
            .code()
    };
    assert_eq!(code(&["sh", "-c", "exit 0"]), Some(0));
    assert_eq!(code(&["sh", "-c", "exit 1"]), Some(1));
    assert_eq!(code(&["sh", "-c", "exit 77"]), Some(77));
    assert_eq!(code(&["no-such-command"]), Some(127));
    assert_eq!(code(&["./no/such/command"]), Some(127));
    assert_eq!(code(&["/"]), Some(126));
    fs::write(place.path().join("data"), "data").unwrap();
    assert_eq!(code(&["./data"]), Some(126));
    let bad = cachelane(&place)
        .args(["--matrix", "[", "--", "sh", "-c", "echo ran"])
        .output()
        .unwrap();
    assert_eq!(
        (bad.status.code(), text(&bad.stdout)),
        (Some(2), String::new())
    );
}

#[test]
fn streams_are_the_commands_own() {
    let place = place();
    let mut child = cachelane(&place)
        .args(["--", "sh", "-c", "cat; echo error >&2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"\xff\x00input")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"\xff\x00input");
    assert!(text(&output.stderr).ends_with("\nerror"));
}

#[test]
fn signals_reach_the_command() {
    let place = place();
    for (script, code, signal) in [
        ("echo $$; exec sleep 60", None, Some(15)),
        (
            "trap 'exit 42' TERM; echo $$; while :; do sleep 0.05; done",
            Some(42),
            None,
        ),
    ] {
        let mut child = cachelane(&place)
            .args(["--", "sh", "-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(
            line.trim(),
            child.id().to_string(),
            "the process is the command"
        );
        let killed = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", child.id())])
            .status()
            .unwrap();
        assert!(killed.success());
        let status = child.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (code, signal), "{script}");
    }
}

/// A closed reader ends the command, as it would without cachelane.
#[test]
fn a_broken_pipe_ends_the_command() {
    let place = place();
    let mut child = cachelane(&place)
        .args(["--", "yes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(
        (line.as_str(), child.wait().unwrap().signal()),
        ("y\n", Some(13))
    );
}

#[test]
fn what_is_set_for_one_target_leaves_the_others_in_need() {
    let place = place();
    let one = "docker buildx bake --set app.args.CACHE_ID=x";
    let both = "docker|buildx|bake|--set|*.args.CACHE_ID=l|--set|app.args.CACHE_ID=x";
    assert!(
        shown(&place, &[], one).starts_with(&format!("{both} ")),
        "{}",
        shown(&place, &[], one)
    );
    assert!(shown(&place, &[], &format!("{one} app web")).starts_with(&format!("{both}|app|web ")));
    let alone = "docker|buildx|bake|--set|app.args.CACHE_ID=x|app ";
    assert!(shown(&place, &[], &format!("{one} app")).starts_with(alone));
    let star = "docker|buildx|bake|--set|*.args.CACHE_ID=x ";
    assert!(shown(&place, &[], "docker buildx bake --set *.args.CACHE_ID=x").starts_with(star));
}

#[test]
fn what_only_asks_is_asked_with_the_lane() {
    let place = place();
    let print = "docker|buildx|bake|--set|*.args.CACHE_ID=l|--print ";
    assert!(shown(&place, &[], "docker buildx bake --print").starts_with(print));
    let check = "docker|build|--build-arg|CACHE_ID=l|--check|. ";
    assert!(shown(&place, &[], "docker build --check .").starts_with(check));
}

/// A shell runs the file that `BASH_ENV` names: a repository's configuration is not to choose what is set.
#[test]
fn a_configuration_sets_no_variable_that_a_program_may_read() {
    let place = place();
    let at = |args: &[&str]| {
        let output = cachelane(&place).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    let id = |format: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cachelane"));
        let variables = place.path().join("variables");
        let output = command
            .args(["id", "py310", "--format", format])
            .env("GITHUB_ENV", &variables)
            .current_dir(place.path())
            .output()
            .unwrap();
        assert!(output.status.success() || !variables.exists());
        output.status.code()
    };
    for name in ["BASH_ENV", "PYTHONSTARTUP", "GIT_SSH_COMMAND", "JOB"] {
        fs::write(
            place.path().join("cachelane.toml"),
            format!("arg = \"{name}\"\n"),
        )
        .unwrap();
        let (code, said) = at(&["--lane", "py310", "--", "make", "image"]);
        assert!(
            code == Some(2) && said.contains(&format!("type `--arg {name}`")),
            "{name}: {said}"
        );
        let (code, _) = at(&[
            "--lane",
            "py310",
            "--",
            "docker",
            "build",
            "--build-arg",
            name,
            ".",
        ]);
        assert_eq!(code, Some(2), "{name}");
        // A build argument is no variable.
        assert_eq!(
            at(&["--lane", "py310", "--", "docker", "build", "."]).0,
            Some(0),
            "{name}"
        );
        for (format, code) in [
            ("env", 2),
            ("github-env", 2),
            ("build-arg", 0),
            ("plain", 0),
        ] {
            assert_eq!(id(format), Some(code), "{name}: {format}");
        }
    }
    assert_eq!(
        at(&["--lane", "py310", "--arg", "JOB", "--", "make"]).0,
        Some(0)
    );
    for name in ["CACHE_ID", "MY_LANE", "CACHE_NS", "CACHE_KEY"] {
        fs::write(
            place.path().join("cachelane.toml"),
            format!("arg = \"{name}\"\n"),
        )
        .unwrap();
        assert_eq!(
            at(&["--lane", "py310", "--", "make", "image"]).0,
            Some(0),
            "{name}"
        );
        assert_eq!(id("env"), Some(0), "{name}");
    }
}
