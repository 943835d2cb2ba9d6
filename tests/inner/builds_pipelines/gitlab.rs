//! GitLab CI.

use super::{GITLAB, LANE, all, fixed, lines};
use cachelane::builds::{ArgName, Contents as _, Gitlab, Lane};

/// Pipelines with their builds.
const READ: &[(&str, &[&str])] = &[
    ("build:\n  script: docker build .\n", &["Dockerfile @build"]),
    (
        "build:\n  script:\n    - docker build .\n    - docker build -f b/Dockerfile b\n",
        &["Dockerfile @build", "b/Dockerfile @build"],
    ),
    (
        "build:\n  script:\n    - [cd sub, [docker build .]]\n",
        &["sub/Dockerfile @build"],
    ),
    (
        "build:\n  before_script: [cd sub]\n  script: [docker build .]\n",
        &["sub/Dockerfile @build"],
    ),
    (
        "before_script: [cd top]\nbuild:\n  script: [docker build .]\n",
        &["top/Dockerfile @build"],
    ),
    (
        "default:\n  before_script: [cd top]\nbuild:\n  script: [docker build .]\n",
        &["top/Dockerfile @build"],
    ),
    (
        "default:\n  before_script: [cd top]\nbuild:\n  before_script: []\n  script: [docker build .]\n",
        &["Dockerfile @build"],
    ),
    (
        "default:\n  before_script: [cd top]\nbuild:\n  inherit: {default: false}\n  script: [docker build .]\n",
        &["Dockerfile @build"],
    ),
    (
        "default:\n  before_script: [cd top]\nbuild:\n  inherit: {default: [before_script]}\n  script: [docker build .]\n",
        &["top/Dockerfile @build"],
    ),
    (
        "build:\n  script: [cd sub]\n  after_script: [docker build .]\n",
        &["Dockerfile @build"],
    ),
    (
        "variables: {D: a/Dockerfile}\nbuild:\n  script: [docker build -f $D .]\n",
        &["a/Dockerfile @build"],
    ),
    (
        "variables: {D: a/Dockerfile}\nbuild:\n  variables: {D: b/Dockerfile}\n  script: [docker build -f $D .]\n",
        &["b/Dockerfile @build"],
    ),
    (
        "variables: {D: a/Dockerfile}\nbuild:\n  inherit: {variables: false}\n  script: [docker build -f $D .]\n",
        &["(the file is `$D`)"],
    ),
    (
        "variables:\n  D: {value: a, description: x}\n  E: $D/b\nbuild:\n  script: docker build \"${E}\"\n",
        &["a/b/Dockerfile @build"],
    ),
    (
        "variables: {A: $B, B: $A}\nbuild:\n  script: [docker build $A]\n",
        &["(the context is `$A`)"],
    ),
    (
        "build:\n  script: ['docker build $CI_PROJECT_DIR/x']\n",
        &["x/Dockerfile @build"],
    ),
    (
        "build:\n  script: [docker build $UNKNOWN]\n",
        &["(the context is `$UNKNOWN`)"],
    ),
    (
        "build:\n  script: ['docker build -f $[[ inputs.file ]] .']\n",
        &["(the file is `$[[ inputs.file ]]`)"],
    ),
    (
        "spec:\n  inputs: {a: {default: x}}\n---\nbuild:\n  script: docker build $[[inputs.a]]/b\n",
        &["(the context is `$[[inputs.a]]/b`)"],
    ),
    (
        "build:\n  variables: {CACHE_ID: py3}\n  script: ['docker build --build-arg CACHE_ID=$CACHE_ID .']\n",
        &["Dockerfile CACHE_ID=py3 @build"],
    ),
    (
        "build:\n  variables: {CACHE_ID: py3}\n  script: [docker build --build-arg CACHE_ID .]\n",
        &["Dockerfile CACHE_ID=py3 @build"],
    ),
    (
        "build:\n  script: [docker build --build-arg CACHE_ID .]\n",
        &["Dockerfile CACHE_ID=? @build"],
    ),
    (
        "build:\n  variables: {ID: $CI_PIPELINE_ID}\n  script: ['docker build --build-arg CACHE_ID=$ID .']\n",
        &["Dockerfile CACHE_ID=$CI_PIPELINE_ID @build"],
    ),
    (
        ".t:\n  script: [docker build .]\na: {extends: .t}\nb: {extends: [.t]}\n",
        &["Dockerfile @a+b"],
    ),
    (
        ".t:\n  script: [docker build -f $D .]\na: {extends: .t, variables: {D: a}}\nb: {extends: .t, variables: {D: b}}\n",
        &["a @a", "b @b"],
    ),
    (".t:\n  script: [docker build .]\n", &["Dockerfile @.t"]),
    (
        ".a:\n  script: [docker build a]\n.b:\n  script: [docker build b]\nx: {extends: [.a, .b]}\n",
        &["a/Dockerfile @.a", "b/Dockerfile @x"],
    ),
    (
        ".a:\n  variables: {D: a, E: a}\n.b:\n  variables: {D: b}\nx:\n  extends: [.a, .b]\n  script: [docker build $E/$D]\n",
        &["a/b/Dockerfile @x"],
    ),
    (
        ".a: {extends: .b}\n.b: {extends: .a, script: [docker build .]}\nx: {extends: .a}\n",
        &["Dockerfile @x"],
    ),
    (
        "x: {extends: .elsewhere, script: [docker build .]}\n",
        &["Dockerfile @x"],
    ),
    (
        ".a: &a\n  script: [docker build .]\nx:\n  <<: *a\ny:\n  <<: [*a]\n",
        &["Dockerfile @x+y"],
    ),
    (
        ".s: &s\n  - docker build .\nx:\n  script: *s\ny:\n  script:\n    - *s\n    - docker build b\n",
        &["Dockerfile @x+y", "b/Dockerfile @y"],
    ),
    (
        ".t:\n  script: [docker build .]\nx:\n  script:\n    - !reference [.t, script]\n    - docker build b\n",
        &["Dockerfile @x", "b/Dockerfile @x"],
    ),
    (
        ".u:\n  script: [docker build .]\n.t: {extends: .u}\nx:\n  script: !reference [.t, script]\n",
        &["Dockerfile @x"],
    ),
    (
        ".t:\n  script:\n    - !reference [.t, script]\n    - docker build .\n",
        &["Dockerfile @.t"],
    ),
    (
        "x:\n  script:\n    - !reference [.gone, script]\n    - docker build .\n",
        &["Dockerfile @x"],
    ),
    (
        ".t:\n  variables: {D: t}\nx:\n  variables: !reference [.t, variables]\n  script: [docker build $D]\n",
        &["t/Dockerfile @x"],
    ),
    (
        ".t:\n  variables: {D: t}\nx:\n  variables:\n    D: !reference [.t, variables, D]\n  script: [docker build $D]\n",
        &["t/Dockerfile @x"],
    ),
    (
        "x:\n  parallel: 3\n  script: [docker build .]\n",
        &["Dockerfile ×parallel @x"],
    ),
    (
        "x:\n  parallel: 1\n  script: [docker build .]\n",
        &["Dockerfile @x"],
    ),
    (
        "x:\n  parallel:\n    matrix:\n      - PY: ['3.10', '3.13']\n        OS: one\n  script: [docker build .]\n",
        &["Dockerfile ×PY @x"],
    ),
    (
        "x:\n  parallel:\n    matrix:\n      - PY: ['3.10']\n      - PY: '3.13'\n  script: [docker build .]\n",
        &["Dockerfile ×PY @x"],
    ),
    (
        "x:\n  parallel:\n    matrix:\n      - PY: ['3.10']\n  script: [docker build .]\n",
        &["Dockerfile @x"],
    ),
    (
        "x:\n  parallel:\n    matrix:\n      - IMG: [a, b]\n  script: [docker build $IMG]\n",
        &["a/Dockerfile @x", "b/Dockerfile @x"],
    ),
    (
        "x:\n  parallel:\n    matrix:\n      - IMG: [a, b]\n        PY: [1, 2]\n  script: [docker build $IMG]\n",
        &["a/Dockerfile ×PY @x", "b/Dockerfile ×PY @x"],
    ),
    (
        "x:\n  variables: {PY: no}\n  parallel: {matrix: [{PY: [a, b]}]}\n  script: ['docker build --build-arg CACHE_ID=$PY .']\n",
        &["Dockerfile CACHE_ID=$PY ×PY @x"],
    ),
    (
        ".m:\n  parallel: {matrix: [{PY: [a, b]}]}\nx:\n  extends: .m\n  script: [docker build .]\n",
        &["Dockerfile ×PY @x"],
    ),
    (
        ".m: [{PY: [a, b]}]\nx:\n  parallel:\n    matrix: !reference [.m]\n  script: [docker build .]\n",
        &["Dockerfile ×PY @x"],
    ),
    (
        "x:\n  trigger: other/project\n  script: [docker build .]\n",
        &[],
    ),
    (
        "x:\n  trigger: {include: child.yml}\n  parallel: {matrix: [{A: [1, 2]}]}\n",
        &["→ child.yml Matrix([AxisPath([\"A\"])])"],
    ),
    (
        "include:\n  - /ci/a.yml\n  - https://x.org/b.yml\n  - local: ci/c.yml\n  - template: T.yml\n  - {project: p, file: f.yml}\n  - local: ci/*.yml\n",
        &["→ ci/a.yml Once", "→ ci/c.yml Once", "→ ci/*.yml Once"],
    ),
    ("include: /ci/a.yml\n", &["→ ci/a.yml Once"]),
    (
        "image: docker\nservices: [docker:dind]\nstages: [docker build]\n",
        &[],
    ),
    (
        "pages:\n  script:\n    - |\n      for i in 1 2; do\n        docker build .\n      done\n",
        &["Dockerfile @pages"],
    ),
    (
        "x:\n  script:\n    - >-\n      docker build\n      -f a/Dockerfile\n      .\n",
        &["a/Dockerfile @x"],
    ),
    (
        "x:\n  script:\n    - docker compose -f a/compose.yml build web\n",
        &["a/compose.yml:web @x"],
    ),
    (
        "x:\n  script:\n    - CACHE_ID=a docker compose up --build\n",
        &["/: @x"],
    ),
    (
        "x:\n  run:\n    - {name: a, script: docker build .}\n",
        &["Dockerfile @x"],
    ),
    ("", &[]),
    ("# docker\n", &[]),
];

#[test]
fn reads() {
    all(GITLAB, READ);
}

#[test]
fn what_is_no_pipeline_is_said() {
    let told = lines(GITLAB, "- docker build");
    assert_eq!(told, ["(the file has no mapping at its top)"]);
    assert!(Gitlab.read("docker: [").is_err());
}

const ID: &str = "--build-arg CACHE_ID=\"$CI_JOB_NAME_SLUG\"";

/// Pipelines with `@` in the argument's place.
#[test]
fn passes() {
    for source in [
        "x:\n  script: docker build @.\n",
        "x:\n  script:\n    - docker build @. # why\n",
        "x:\n  script: [docker build @., docker build @b]\n",
        "x:\n  script:\n    - 'docker build @-t \"a''b\" .'\n",
        "x:\n  script:\n    - |\n      set -e\n      if true; then\n        docker buildx build @\\\n          --push .\n      fi\n",
        "x:\n  script:\n    - >-\n      docker build\n      @-f a/Dockerfile\n      .\n",
        "x:\n  script:\n    - docker build\n      @-f a .\n",
        "x:\r\n  script:\r\n    - |\r\n      docker build @.\r\n",
        ".t:\n  script: [docker build @.]\na: {extends: .t}\nb: {extends: .t}\n",
        ".s: &s\n  - docker build @.\nx:\n  script: *s\ny:\n  script: [*s]\n",
        "x:\n  parallel: {matrix: [{PY: ['3.10', '3.13']}]}\n  script:\n    - podman build @-f $PY/Dockerfile .\n",
        "x:\n  parallel: 4\n  script:\n    - cd ä && sudo docker build @.\n",
        "\u{FEFF}x:\n  script:\n    - docker build @.\n",
    ] {
        let plain = source.replace('@', "");
        // A blank stands before the argument, not behind it.
        let expected = source
            .replace(" @", &format!(" {ID} "))
            .replace("\n      @", "\n      ");
        let expected = if source.contains("\n      @") {
            plain.replace("docker build\n", &format!("docker build {ID}\n"))
        } else {
            expected
        };
        assert_eq!(
            fixed(GITLAB, &plain, &LANE).as_deref(),
            Ok(expected.as_str()),
            "{source}"
        );
    }
}

#[test]
fn passes_in_other_ways() {
    for (source, expected) in [
        (
            "x:\n  script: [\"docker build \\t -t \\\"a\\\" .\"]\n",
            "x:\n  script: [\"docker build --build-arg CACHE_ID=\\\"$CI_JOB_NAME_SLUG\\\" \\t -t \\\"a\\\" .\"]\n",
        ),
        (
            "x:\n  script: docker buildx bake app\n",
            "x:\n  script: docker buildx bake --set \"*.args.CACHE_ID=$CI_JOB_NAME_SLUG\" app\n",
        ),
        (
            "x:\n  script: docker compose build\n",
            "x:\n  script: docker compose build --build-arg CACHE_ID=\"$CI_JOB_NAME_SLUG\"\n",
        ),
        (
            "x:\n  script:\n    - docker compose up --build\n",
            "x:\n  script:\n    - CACHE_ID=\"$CI_JOB_NAME_SLUG\" docker compose up --build\n",
        ),
    ] {
        assert_eq!(
            fixed(GITLAB, source, &LANE).as_deref(),
            Ok(expected),
            "{source}"
        );
    }
}

#[test]
fn leaves_to_people() {
    let long = "y".repeat(60);
    for (source, why) in [
        (
            "x:\n  script:\n    - bash -c \"docker build .\"\n".to_owned(),
            "within quotes",
        ),
        (
            "x:\n  script:\n    - bash -c 'docker build .'\n".to_owned(),
            "within quotes",
        ),
        (
            "x:\n  script:\n    - sudo docker compose up --build\n".to_owned(),
            "environment",
        ),
        (
            format!(
                "x:\n  parallel: {{matrix: [{{P: [{long}aaaa, {long}aaab]}}]}}\n  script:\n    - docker build .\n"
            ),
            "63 characters",
        ),
        (
            "x:\n  parallel: {matrix: [{P: [a.b, a-b]}]}\n  script:\n    - docker build .\n"
                .to_owned(),
            "the same",
        ),
        (
            "x:\n  parallel: 900\n  script:\n    - docker build .\n".to_owned(),
            "cannot be seen",
        ),
    ] {
        let error = fixed(GITLAB, &source, &LANE).unwrap_err();
        assert!(error.contains(why), "{source}: {error}");
    }
    let odd = Lane { arg: "a b", ..LANE };
    assert!(fixed(GITLAB, "x:\n  script: docker build .\n", &odd).is_err());
}

#[test]
fn places_are_those_of_the_file() {
    let source = "x:\n  variables: {E: ä}\n  script:\n    - 'echo ''ä'' && docker build --build-arg \"A=$E\" .'\n";
    let build_file = Gitlab.read(source).unwrap();
    let build = &build_file.builds[0];
    assert_eq!(
        &source[build.span.start..build.span.end],
        "docker build --build-arg \"A=$E\" ."
    );
    assert_eq!(
        &source[build.args[0].span.start..build.args[0].span.end],
        "\"A=$E\""
    );
    assert_eq!(build.args[0].value.as_deref(), Some("ä"));
}

#[test]
fn a_matrix_sets_the_environment_of_compose() {
    let source =
        "x:\n  parallel: {matrix: [{CACHE_ID: [a, b]}]}\n  script: A=1 docker compose up --build\n";
    let env: Vec<_> = Gitlab.read(source).unwrap().builds[0]
        .env
        .iter()
        .map(|arg| arg.name.clone())
        .collect();
    assert_eq!(env, ["A", "CACHE_ID"].map(ArgName::from));
}

#[test]
fn many_legs_are_bounded() {
    let axes: Vec<String> = (0..30).map(|n| format!("        A{n}: [a, b]\n")).collect();
    let axes = axes.concat();
    let source =
        format!("x:\n  parallel:\n    matrix:\n      -\n{axes}  script: docker build $A1\n");
    assert_eq!(lines(GITLAB, &source), ["(the context is `$A1`)"]);
}

/// Found by fuzzing, with 500 bytes that took seconds: each level went through the list again for each of its
/// references to itself.
#[test]
fn a_script_that_refers_to_itself_is_gone_through_once() {
    let itself = "    - !reference [.t, script]\n".repeat(9);
    let source = format!(".t:\n  script:\n{itself}    - docker build .\n");
    assert_eq!(lines(GITLAB, &source), ["Dockerfile @.t"]);
}
