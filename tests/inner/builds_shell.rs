//! Scripts and commands: their builds and arguments, and the place of a new argument.

use cachelane::builds::BuildTool;
use cachelane::builds::argv::quoted;
use cachelane::builds::command::{
    self, Command, FoundCommand, InsertMethod, all, read, subject, words,
};
use cachelane::builds::paths::Text;
use cachelane::builds::shell::{self, Dialect, Lookup};
use proptest::prelude::*;

use crate::effort;

fn values(need: Lookup<'_>) -> Option<Text> {
    match need {
        Lookup::Variable("GITHUB_WORKSPACE") => Some(Text::root()),
        Lookup::Variable("OUTER") => Some("from-env".into()),
        Lookup::Expression("${{ env.FILE }}") => Some("docker/Dockerfile".into()),
        _ => None,
    }
}

fn builds(script: &str) -> Vec<(shell::Simple, Command)> {
    let commands = shell::read(script, Some(""), Dialect::Posix, &values);
    let found = all(commands, &values).found;
    found
        .into_iter()
        .map(|found| (found.simple, found.command))
        .collect()
}

/// Returns a build in one line: tool, subject, target, arguments, `…` where there may be more, and `?` where it builds only
/// what is missing.
fn line(simple: &shell::Simple, command: &Command) -> String {
    let what = match subject(command, simple.folder.as_deref(), &values) {
        Ok(subject) => subject.to_string(),
        Err(why) => format!("({why})"),
    };
    let mut line = format!("{:?} {what}", command.tool);
    if let Some(target) = &command.target {
        line += &format!(" target={}", target.written());
    }
    for arg in &command.args {
        line += &format!(
            " {}={}",
            arg.name.as_str().unwrap_or("*"),
            arg.value.as_ref().map_or("?".into(), |value| value
                .value(&|need| values(need)?.plain()))
        );
    }
    line += if command.args_known { "" } else { " …" };
    line + if command.only_missing { " ?" } else { "" }
}

fn lines(script: &str) -> Vec<String> {
    builds(script)
        .iter()
        .map(|(simple, command)| line(simple, command))
        .collect()
}

/// Commands whose tool a variable names, with what they build.
const TOOLS: &[(&str, &[&str])] = &[
    ("D=docker\n$D build a", &["Docker a/Dockerfile"]),
    ("D=docker\n\"${D}\" build a", &["Docker a/Dockerfile"]),
    ("D=${D:-docker}\n$D build a", &["Docker a/Dockerfile"]),
    ("${ENGINE:-podman} build a", &["Podman a/Dockerfile"]),
    ("D='sudo docker'\n$D build a", &["Docker a/Dockerfile"]),
    ("B='docker build --pull'\n$B a", &["Docker a/Dockerfile"]),
    ("sudo $(which docker) build a", &["Docker a/Dockerfile"]),
    ("`command -v podman` build a", &["Podman a/Dockerfile"]),
    ("S=\n$S docker build a", &["Docker a/Dockerfile"]),
    ("$SUDO docker build a", &["Docker a/Dockerfile"]),
    ("$DOCKER build a", &["(the tool is `$DOCKER`)"]),
    (
        "$(CONTAINER_TOOL) build a",
        &["(the tool is `$(CONTAINER_TOOL)`)"],
    ),
    ("$X build --build-arg A=1 a", &["(the tool is `$X`)"]),
    ("$X build -f a/Dockerfile a", &["(the tool is `$X`)"]),
    ("$X buildx build --tag a a", &["Buildx a/Dockerfile"]),
    ("$X image build --tag a a", &["(the tool is `$X`)"]),
    (
        "${{ matrix.engine }} build a",
        &["(the tool is `${{ matrix.engine }}`)"],
    ),
    (
        "if a; then E=podman; else E=docker; fi\n$E build -t a --build-arg B=1 a",
        &["(the tool is `$E`)"],
    ),
    // Near misses.
    ("$GO build .", &[]),
    ("$GO build -o a -tags b .", &[]),
    ("$CARGO build --release", &[]),
    ("$WEST build -t run", &[]),
    ("$NIX build -f default.nix", &[]),
    ("$ECHO docker build a", &[]),
    ("$DOCKER run a build .", &[]),
    ("$DOCKER push a", &[]),
    ("B='docker build'\n\"$B\" a", &[]),
    ("D=docker\necho $D build a", &[]),
    ("$MAKE build -f a.mk", &[]),
];

#[test]
fn a_variable_can_name_the_tool() {
    for (script, expected) in TOOLS {
        let commands = shell::read(script, Some(""), Dialect::Posix, &values);
        let unknown = all(commands, &values).unknown.into_iter();
        let unknown = unknown.map(|(_, why)| format!("({why})"));
        let found: Vec<String> = lines(script).into_iter().chain(unknown).collect();
        assert_eq!(found, *expected, "{script}");
    }
}

/// Scripts with one build each.
const ONE: &[(&str, &str)] = &[
    ("docker build .", "Docker Dockerfile"),
    (
        "docker build -t x:1 -f docker/Dockerfile.dev docker",
        "Docker docker/Dockerfile.dev",
    ),
    (
        "docker build --file=a/Dockerfile --target test --build-arg A=1 --build-arg=B=2 --build-arg C .",
        "Docker a/Dockerfile target=test A=1 B=2 C=?",
    ),
    ("docker build -qfDockerfile.x .", "Docker Dockerfile.x"),
    ("docker build -qtx:1 sub", "Docker sub/Dockerfile"),
    ("docker build -t \"$TAG\" sub/", "Docker sub/Dockerfile"),
    ("docker build -t $TAG sub/", "Docker sub/Dockerfile"),
    ("docker build $ARGS .", "Docker Dockerfile …"),
    (
        "docker build \"$@\"",
        "Docker (its words stand in a variable) …",
    ),
    ("docker build \"${args[@]}\" .", "Docker Dockerfile …"),
    ("docker build $DIR", "Docker (the context is `$DIR`)"),
    (
        "docker build \"${DIR}\"",
        "Docker (the context is `${DIR}`)",
    ),
    ("docker build -f \"$F\" .", "Docker (the file is `$F`)"),
    ("docker build - < Dockerfile", "Docker Dockerfile"),
    ("cat x | docker build -f - .", "Docker x"),
    (
        "sed s/a/b/ x | docker build -f - .",
        "Docker (the file comes from standard input)",
    ),
    (
        "cat x && docker build -",
        "Docker (the Dockerfile comes from standard input)",
    ),
    (
        "docker build https://github.com/a/b.git#main",
        "Docker (the context is not a folder of this repository)",
    ),
    (
        "docker build git@github.com:a/b.git",
        "Docker (the context is not a folder of this repository)",
    ),
    (
        "docker build -f /abs/Dockerfile .",
        "Docker (`/abs/Dockerfile` is outside of the repository)",
    ),
    ("docker build ../other", "Docker ../other/Dockerfile"),
    ("docker build ./a/../b/.", "Docker b/Dockerfile"),
    (
        "docker build --no-cache --pull --rm --force-rm -q .",
        "Docker Dockerfile",
    ),
    ("docker build -- .", "Docker Dockerfile"),
    ("docker image build .", "Docker Dockerfile"),
    ("docker builder build .", "Docker Dockerfile"),
    ("docker --context x -l debug build .", "Docker Dockerfile"),
    ("docker --tls --host=tcp://x build .", "Docker Dockerfile"),
    (
        "docker buildx build --push --platform linux/amd64,linux/arm64 -o type=image .",
        "Buildx Dockerfile",
    ),
    ("docker buildx b .", "Buildx Dockerfile"),
    ("docker buildx --builder b build .", "Buildx Dockerfile"),
    ("docker-buildx build .", "Buildx Dockerfile"),
    ("/usr/bin/docker build .", "Docker Dockerfile"),
    ("docker.exe build .", "Docker Dockerfile"),
    ("DOCKER_BUILDKIT=1 docker build .", "Docker Dockerfile"),
    (
        "sudo -E DOCKER_BUILDKIT=1 docker build .",
        "Docker Dockerfile",
    ),
    ("sudo -u root docker build .", "Docker Dockerfile"),
    ("env -u X A=1 docker build .", "Docker Dockerfile"),
    ("time docker build .", "Docker Dockerfile"),
    ("exec docker build .", "Docker Dockerfile"),
    ("command docker build .", "Docker Dockerfile"),
    ("timeout -k 5 30m docker build .", "Docker Dockerfile"),
    ("timeout 30m docker build .", "Docker Dockerfile"),
    (
        "ls | xargs -n1 docker build -f Dockerfile .",
        "Docker Dockerfile …",
    ),
    ("if ! docker build .; then exit 1; fi", "Docker Dockerfile"),
    ("for i in 1 2; do docker build .; done", "Docker Dockerfile"),
    (
        "for d in a b; do docker build $d; done",
        "Docker (the context is `$d`)",
    ),
    ("(cd sub && docker build .)", "Docker sub/Dockerfile"),
    (
        "cd sub && docker build -f Dockerfile.x ..",
        "Docker sub/Dockerfile.x",
    ),
    ("cd sub; cd ..; docker build .", "Docker Dockerfile"),
    (
        "cd \"$X\"\ndocker build .",
        "Docker (the folder that it runs in is not known)",
    ),
    (
        "cd \"$X\"\ncd $GITHUB_WORKSPACE/a\ndocker build .",
        "Docker a/Dockerfile",
    ),
    (
        "if a; then cd x; fi\ndocker build .",
        "Docker (the folder that it runs in is not known)",
    ),
    (
        "if a; then cd x; else docker build .; fi",
        "Docker Dockerfile",
    ),
    ("(cd x; ls)\ndocker build .", "Docker Dockerfile"),
    ("pushd x\ndocker build .", "Docker x/Dockerfile"),
    (
        "[ -d x ] && cd x\ndocker build .",
        "Docker (the folder that it runs in is not known)",
    ),
    ("cd x || exit 1\ndocker build .", "Docker x/Dockerfile"),
    (
        "ls || cd x\ndocker build .",
        "Docker (the folder that it runs in is not known)",
    ),
    (
        "docker build \\\n  -t x \\\n  --build-arg A=\"b c\" \\\n  .",
        "Docker Dockerfile A=b c",
    ),
    (
        "docker build \\\r\n  -t x \\\r\n  sub\r\n",
        "Docker sub/Dockerfile",
    ),
    ("docker build `\n  -t x `\n  sub", "Docker sub/Dockerfile"),
    (
        "docker build ^\r\n  -t x ^\r\n  sub",
        "Docker sub/Dockerfile",
    ),
    (
        "# docker build a\ndocker build b # docker build c",
        "Docker b/Dockerfile",
    ),
    (
        "cat <<EOF > x\ndocker build a\nEOF\ndocker build b",
        "Docker b/Dockerfile",
    ),
    (
        "cat <<-'EOF'\n\tdocker build a\n\tEOF\ndocker build b",
        "Docker b/Dockerfile",
    ),
    (
        "docker build -f - . <<'EOF'\nFROM x\nEOF\n",
        "Docker (the file comes from standard input)",
    ),
    (
        "echo docker build .; docker build a 2>&1 >log",
        "Docker a/Dockerfile",
    ),
    ("docker build a &> log", "Docker a/Dockerfile"),
    ("ID=$(docker build -q a)", "Docker a/Dockerfile"),
    (
        "echo \"built `docker build -q a` now\"",
        "Docker a/Dockerfile",
    ),
    ("docker run \"$(docker build -q a)\"", "Docker a/Dockerfile"),
    ("bash -c 'docker build a'", "Docker a/Dockerfile"),
    ("sudo sh -ec \"docker build a\"", "Docker a/Dockerfile"),
    (
        "docker build --build-arg X='a'\"b\"c\\ d .",
        "Docker Dockerfile X=abc d",
    ),
    (
        "docker build --build-arg X=$OUTER .",
        "Docker Dockerfile X=from-env",
    ),
    (
        "L=lane-$(date +%s)\ndocker build --build-arg X=$L .",
        "Docker Dockerfile X=lane-$(date +%s)",
    ),
    (
        "F=a/Dockerfile\ndocker build -f $F .",
        "Docker a/Dockerfile",
    ),
    (
        "F=a\nF=b\ndocker build -f $F .",
        "Docker (the file is `$F`)",
    ),
    (
        "if x; then F=a; fi\ndocker build -f $F .",
        "Docker (the file is `$F`)",
    ),
    (
        "export F=a/Dockerfile\ndocker build -f \"${F}\" .",
        "Docker a/Dockerfile",
    ),
    ("read F\ndocker build -f $F .", "Docker (the file is `$F`)"),
    (
        "docker build -f ${{ env.FILE }} .",
        "Docker docker/Dockerfile",
    ),
    (
        "docker build -f '${{ env.FILE }}' .",
        "Docker docker/Dockerfile",
    ),
    (
        "docker build -f ${{ matrix.a || 'x y' }} .",
        "Docker (the file is `${{ matrix.a || 'x y' }}`)",
    ),
    ("docker build ${{ matrix.args }} .", "Docker Dockerfile …"),
    (
        "docker build --build-arg-x .",
        "Docker (it names no context)",
    ),
    ("docker buildx bake", "Bake /:"),
    (
        "docker buildx bake -f a.hcl -f b.json app test",
        "Bake a.hcl+b.json:app+test",
    ),
    (
        "cd x && docker buildx bake --set app.args.A=1 --set '*.args.B=x y' --set *.platform=a app",
        "Bake x/:app A=1 B=x y",
    ),
    (
        "docker buildx bake --push $TARGETS",
        "Bake (the target is `$TARGETS`) …",
    ),
    (
        "docker buildx bake https://github.com/a/b.git",
        "Bake (its files are not those of this repository)",
    ),
    ("docker compose build", "Compose /:"),
    (
        "docker compose -f a.yml -f b.yml --profile x build --build-arg A=1 web db",
        "Compose a.yml+b.yml:web+db A=1",
    ),
    ("docker compose --project-directory x build", "Compose x/:"),
    ("docker-compose -p x up -d --build web", "Compose /:web"),
    ("docker-compose -fx.yml build", "Compose x.yml:"),
    ("podman compose build", "PodmanCompose /:"),
    (
        "podman-compose -f x.yml up --build web",
        "PodmanCompose x.yml:web",
    ),
    ("podman build", "Podman Dockerfile"),
    ("podman --log-level debug build -t x -f C sub", "Podman C"),
    ("podman buildx build sub", "Podman sub/Dockerfile"),
    ("podman image build sub", "Podman sub/Dockerfile"),
    ("podman farm build -t x sub", "Podman sub/Dockerfile"),
    ("podman unshare buildah bud sub", "Buildah sub/Dockerfile"),
    (
        "buildah unshare --mount D=c buildah build --build-arg A=1 .",
        "Buildah Dockerfile A=1",
    ),
    ("buildah bud --layers -t x .", "Buildah Dockerfile"),
    (
        "buildah --storage-driver vfs build --build-arg-file a .",
        "Buildah Dockerfile …",
    ),
    ("nerdctl -n k8s.io build .", "Nerdctl Dockerfile"),
    ("devcontainer build --workspace-folder .", "Devcontainer /:"),
    (
        "npx --yes @devcontainers/cli build --push true --workspace-folder x",
        "Devcontainer x/:",
    ),
    (
        "devcontainer up --skip-post-create --config .devcontainer/a/devcontainer.json",
        "Devcontainer .devcontainer/a/devcontainer.json:",
    ),
    ("docker bake app", "Bake /:app"),
    ("docker --context x bake --set *.args.A=1", "Bake /: A=1"),
    ("depot bake -f x.hcl", "Bake x.hcl:"),
    ("depot build .", "Buildx Dockerfile"),
    ("docker compose up", "Compose /: ?"),
    ("docker compose up --build=false x", "Compose /:x ?"),
    ("docker compose create x", "Compose /:x ?"),
    ("docker compose run app make --build", "Compose /:app ?"),
    (
        "docker compose -f a.yml run --rm -e A=1 --build app make all",
        "Compose a.yml:app",
    ),
    ("docker compose watch web", "Compose /:web"),
    ("flock /tmp/l docker build .", "Docker Dockerfile"),
    (
        "flock -w 9 -x /tmp/l sudo docker build sub",
        "Docker sub/Dockerfile",
    ),
    ("setsid -w docker build .", "Docker Dockerfile"),
    (
        "bash -euo pipefail -c 'docker build .'",
        "Docker Dockerfile",
    ),
    ("flock /tmp/l -c 'docker build .'", "Docker Dockerfile"),
    (
        "rocker --x11 --cache-id a ubuntu bash",
        "Rocker snippets CACHE_ID=a",
    ),
];

#[test]
fn one_build_each() {
    for (script, expected) in ONE {
        assert_eq!(lines(script), [*expected], "{script}");
    }
}

#[test]
fn what_builds_nothing_is_left_out() {
    for script in [
        "",
        "echo docker build .",
        "docker run x build",
        "docker pull build",
        "docker compose up --no-build",
        "docker compose watch --no-up",
        "docker compose start build",
        "docker compose pull bake",
        "docker stack deploy -c compose.yaml x",
        "docker run x bake",
        "devcontainer exec --workspace-folder . docker-build",
        "devcontainer read-configuration",
        "flock -n 9",
        "docker buildx create --name build",
        "docker buildx imagetools create build",
        "apt-get install docker build-essential",
        "echo 'docker build .'",
        "git commit -m \"docker build .\"",
        "cat <<EOF\ndocker build .\nEOF",
        "cat <<EOF\ndocker build .",
        "docker",
        "sudo",
        "timeout",
        "$DOCKER build .",
        "podman buildx",
        "rocker",
    ] {
        assert_eq!(lines(script), [""; 0], "{script}");
    }
}

#[test]
fn the_insertion_passes_the_variable() {
    let cases = [
        ("docker build .", "docker build --build-arg L=\"$L\" ."),
        (
            "sudo docker --debug buildx build \\\n  -t x .",
            "sudo docker --debug buildx build --build-arg L=\"$L\" \\\n  -t x .",
        ),
        (
            "docker buildx build\\\n -t x .",
            "docker buildx build --build-arg L=\"$L\"\\\n -t x .",
        ),
        (
            "docker compose -f a build web",
            "docker compose -f a build --build-arg L=\"$L\" web",
        ),
        (
            "docker buildx bake app",
            "docker buildx bake --set \"*.args.L=$L\" app",
        ),
        (
            "X=$(docker build -q .)",
            "X=$(docker build --build-arg L=\"$L\" -q .)",
        ),
        ("buildah bud .", "buildah bud --build-arg L=\"$L\" ."),
    ];
    for (script, expected) in cases {
        let found = builds(script);
        let (simple, command) = &found[0];
        let at = simple.words[command.subcommand].span.end;
        let fixed = format!(
            "{}{}{}",
            &script[..at],
            command.insertion("L", "$L").unwrap(),
            &script[at..]
        );
        assert_eq!(fixed, expected);
        let again = builds(&fixed);
        assert_eq!(
            again[0]
                .1
                .args
                .iter()
                .filter_map(|arg| arg.name.as_str())
                .collect::<Vec<_>>(),
            ["L"],
            "{fixed}"
        );
        assert!(simple.open);
    }
    assert!(!builds("sh -c \"docker build .\"")[0].0.open);
    assert!(!builds("sh -c 'docker build .'")[0].0.open);
    assert!(!builds("X=`docker build -q .`")[0].0.open);
    assert_eq!(
        builds("docker compose up --build")[0].1.method,
        InsertMethod::Environment
    );
}

#[test]
fn an_argv_is_read_like_a_script() {
    let argv: Vec<String> = [
        "docker",
        "--context",
        "x",
        "buildx",
        "build",
        "--build-arg",
        "A=$B",
        ".",
    ]
    .map(Into::into)
    .into();
    let command = read(&words(&argv)).unwrap();
    assert_eq!(
        (command.tool, command.tool_at, command.subcommand),
        (BuildTool::Buildx, 0, 4)
    );
    assert_eq!(command.args[0].value.as_ref().unwrap().text(), Some("$B"));
    assert_eq!(command.argv("L", "x y"), ["--build-arg", "L=x y"]);
    assert!(command.args_known);
    assert_eq!(command::read(&words(&["ls".into()])), None);
}

#[test]
fn variables_cannot_blow_up() {
    let mut script = String::from("v0=x\n");
    for i in 1..200 {
        script += &format!("v{i}=$v{p}$v{p}\n", p = i - 1);
    }
    script += "docker build -f $v199 .";
    assert_eq!(lines(&script), ["Docker (the file is `$v199`)"]);
    for piece in [
        "$(",
        "`",
        "${",
        "(",
        "{ ",
        "\"$(",
        "if ",
        "'",
        "<<a ",
        "<( ",
        "sh -c '",
        "${{",
        "<<matrix.",
    ] {
        lines(&(piece.repeat(50_000) + "docker build ."));
    }
}

/// The text in quotes was taken to end with the word: a cut through a letter looped for ever.
#[test]
fn a_quoted_script_with_more_behind_it() {
    assert_eq!(lines("sh -c 'docker build .'ä"), Vec::<String>::new());
    assert_eq!(lines("sh -c \"docker build .ä"), Vec::<String>::new());
    assert_eq!(lines("sh -c 'docker build .'").len(), 1);
}

#[test]
fn words_are_quoted_where_they_need_it() {
    for (word, expected) in [
        ("build", "build"),
        ("CACHE_ID=py310", "CACHE_ID=py310"),
        ("", "''"),
        ("a b", "'a b'"),
        ("it's", r"'it'\''s'"),
        ("*.args.CACHE_ID=x", "'*.args.CACHE_ID=x'"),
        ("=ls", "'=ls'"),
        ("~", "'~'"),
        ("größe", "'größe'"),
        ("a\u{1b}[2J1\n'", r"$'a\033[2J1\n\''"),
    ] {
        assert_eq!(quoted(word.as_bytes()), expected);
    }
    assert_eq!(quoted(b"\xff1"), r"$'\3771'");
}

proptest! {
    #![proptest_config(effort::cases(100))]

    #[test]
    fn odd_scripts_do_no_harm(pieces in proptest::collection::vec(proptest::sample::select(vec![
        "docker", " ", " ", "build", "buildx ", "bake", "\n", "\\", "\\\n", "'", "\"", "$", "${", "}", "(", ")", "$(", "`",
        "<<", "EOF", ">", "&", "&&", "|", ";", "-f", "=", "--build-arg", "ä", "${{", "}}", "A", "cd ", "if ", "fi", "#",
        "sh -c ", "\r\n", "^", "@", "{", "<< matrix.", ">>", ".", "-", "*",
    ]), 0..40)) {
        let script = pieces.concat();
        for dialect in [Dialect::Posix, Dialect::Windows] {
            for FoundCommand { simple, command, .. } in all(shell::read(&script, Some("a"), dialect, &values), &values).found {
                let _ = subject(&command, simple.folder.as_deref(), &values);
                for word in &simple.words {
                    prop_assert!(script.get(word.span.start..word.span.end).is_some());
                }
            }
        }
    }

    #[test]
    fn quoting_is_undone(word in "[a-z \"'$`\\\\;|&()#äß*]{0,12}") {
        let single = format!("docker build --build-arg X='{}' .", word.replace('\'', "'\\''"));
        let double: String = word.chars().flat_map(|letter| {
            let escape = matches!(letter, '"' | '$' | '`' | '\\').then_some('\\');
            escape.into_iter().chain([letter])
        }).collect();
        let double = format!("docker build --build-arg X=\"{double}\" .");
        for script in [single, double] {
            let found = builds(&script);
            prop_assert_eq!(found[0].1.args[0].value.as_ref().unwrap().text(), Some(word.as_str()));
        }
    }
}
