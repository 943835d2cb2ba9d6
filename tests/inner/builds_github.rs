//! Workflows: their builds, and the lane passed to each.

use cachelane::builds::{Build, BuildFile, Contents, Github, Lane, Parts, ReadError, Runs};
use cachelane::fix::{Applicability, Fix, apply};
use proptest::prelude::*;
use yaml_serde::Value;

const LANE: Lane<'_> = Lane {
    arg: "CACHE_ID",
    default: "default",
    parts: Parts::NONE,
};

use crate::effort;

fn read(source: &str) -> Result<BuildFile, ReadError> {
    Github.read(source)
}

fn pass(source: &str, build: &Build, lane: &Lane<'_>) -> Result<Fix, String> {
    crate::pass::pass(&Github, source, build, lane)
}

/// Returns a build in one line: name, tool, what, target, arguments, axes, and `…` where there may be more arguments.
fn line(build: &Build) -> String {
    let mut line = format!("{:?} {}", build.tool, build.subject);
    if let Some(target) = &build.target {
        line += &format!(" target={target}");
    }
    for arg in &build.args {
        let name = arg.name.as_str().unwrap_or("*");
        line += &format!(" {name}={}", arg.value.as_deref().unwrap_or("?"));
    }
    if let Runs::Matrix(axes) = &build.runs {
        let axes: Vec<String> = axes.iter().map(ToString::to_string).collect();
        line += &format!(" [{}]", axes.join(", "));
    }
    line + if build.args_known { "" } else { " …" }
}

fn lines(source: &str) -> Vec<String> {
    let build_file = read(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    let unknown = build_file
        .unknown
        .iter()
        .map(|unknown| format!("? {}", unknown.why));
    build_file.builds.iter().map(line).chain(unknown).collect()
}

/// Passes the lane to every build; returns the reasons for builds without it.
fn fixed(source: &str, shared: bool) -> (String, Vec<String>) {
    let mut text = source.to_owned();
    for _ in 0..20 {
        let builds = read(&text).unwrap().builds;
        let results: Vec<_> = builds
            .iter()
            .map(|build| {
                pass(
                    &text,
                    build,
                    &Lane {
                        parts: if shared { Parts::JOB } else { Parts::NONE },
                        ..LANE
                    },
                )
            })
            .collect();
        let fixes: Vec<_> = results
            .iter()
            .filter_map(|result| result.as_ref().ok())
            .collect();
        if fixes.is_empty() {
            let left: Vec<String> = results.into_iter().filter_map(Result::err).collect();
            return (
                text,
                left.into_iter()
                    .filter(|why| why != "it is passed already")
                    .collect(),
            );
        }
        text = String::from_utf8(apply(text.as_bytes(), &fixes).bytes).unwrap();
    }
    panic!("no end of fixes:\n{text}");
}

/// Returns a job `t` with these lines for `strategy.matrix`, and these for its one step.
fn job(matrix: &str, step: &str) -> String {
    let indented = |text: &str, blanks: &str| {
        text.lines()
            .flat_map(|line| [blanks, line, "\n"])
            .collect::<String>()
    };
    let matrix = match matrix {
        "" => String::new(),
        matrix => format!(
            "    strategy:\n      matrix:\n{}",
            indented(matrix, "        ")
        ),
    };
    format!(
        "on: push\njobs:\n  t:\n    runs-on: ubuntu-latest\n{matrix}    steps:\n{}",
        indented(step, "      ")
    )
}

const PY: &str = "py: ['3.12', '3.13']";
const PUSH: &str = "- uses: docker/build-push-action@v6\n";

/// A matrix, a step, and the builds.
const READ: &[(&str, &str, &[&str])] = &[
    (
        "",
        "- uses: docker/build-push-action@v6",
        &["BuildPushAction Dockerfile"],
    ),
    (
        "",
        "- uses: depot/build-push-action@v1.2\n  with:\n    context: .\n    file: docker/x.Dockerfile",
        &["BuildPushAction docker/x.Dockerfile"],
    ),
    (
        "",
        "- uses: docker/build-push-action@abc\n  with:\n    context: ./sub/",
        &["BuildPushAction sub/Dockerfile"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    context: \"{{defaultContext}}:sub\"",
        &["BuildPushAction sub/Dockerfile"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    context: \"{{defaultContext}}:sub\"\n    file: D",
        &["BuildPushAction sub/D"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    context: ${{ github.workspace }}/sub\n    target: test",
        &["BuildPushAction sub/Dockerfile target=test"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    context: https://github.com/a/b.git",
        &["? its context is `https://github.com/a/b.git`"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    context: ${{ steps.x.outputs.y }}\n    file: D",
        &["BuildPushAction D"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    context: .\n    file: ${{ inputs.file }}",
        &["BuildPushAction $inputs.file$ or Dockerfile"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    context: .\n    file: ../x",
        &["? `../x` is outside of the repository"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v1\n  with:\n    path: sub\n    build_args: A=1",
        &["BuildPushAction sub/Dockerfile A=1"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: |\n      A=1\n      B=${{ github.sha }}\n\n      C\n",
        &["BuildPushAction Dockerfile A=1 B=${{ github.sha }} C=?"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: A=1",
        &["BuildPushAction Dockerfile A=1"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: \"A=1\\nB=2\"",
        &["BuildPushAction Dockerfile A=1 B=2"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: ${{ steps.x.outputs.args }}",
        &["BuildPushAction Dockerfile …"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: |\n      A=1\n      ${{ steps.x.outputs.args }}",
        &["BuildPushAction Dockerfile A=1 …"],
    ),
    (
        "",
        "- uses: docker/build-push-action@v6\n  env:\n    X: lane-1\n  with:\n    build-args: |\n      A=${{ env.X }}\n      X",
        &["BuildPushAction Dockerfile A=lane-1 X=lane-1"],
    ),
    ("", "- uses: docker/bake-action@v5", &["BakeAction /:"]),
    (
        "",
        "- uses: docker/bake-action@v5\n  with:\n    workdir: sub\n    files: |\n      ./docker-bake.hcl\n      a.json\n    targets: app,test\n    set: |\n      *.args.A=1\n      app.platform=x\n      app.args.B=${{ matrix.x }}",
        &["BakeAction sub/docker-bake.hcl+sub/a.json:app+test A=1 B=${{ matrix.x }}"],
    ),
    (
        "",
        "- uses: docker/bake-action@v6\n  with:\n    source: .\n    set: '*.args.A=1'",
        &["BakeAction /: A=1"],
    ),
    (
        "",
        "- uses: docker/bake-action@v6\n  with:\n    files: https://x/y.hcl",
        &["? it takes the file `https://x/y.hcl`"],
    ),
    (
        "",
        "- uses: docker/bake-action@v6\n  with:\n    files: |\n      ${{ github.workspace }}/a.hcl, b.hcl\n      ${{ github.workspace }}/c/d.hcl\n    workdir: sub",
        &["BakeAction a.hcl+sub/b.hcl+c/d.hcl:"],
    ),
    (
        "",
        "- uses: docker/bake-action@v6\n  with:\n    files: |\n      a.hcl\n      ${{ steps.x.outputs.y }}",
        &["? its `files` is `a.hcl\n${{ steps.x.outputs.y }}`"],
    ),
    (
        "",
        "- run: cd out && docker build -f x/${{ github.workspace }}/D .",
        &["? the file is `x/${{ github.workspace }}/D`"],
    ),
    ("", "- uses: docker/login-action@v3", &[]),
    (
        "",
        "- uses: docker/bake-action/subaction/list-targets@v6\n  with: {target: x}",
        &[],
    ),
    ("", "- run: docker buildx bake --print app | jq .", &[]),
    (
        "",
        "- run: docker build -f ${{ github.job }}/Dockerfile .",
        &["Docker t/Dockerfile"],
    ),
    ("", "- uses: ./build-push-action", &[]),
    ("", "- run: docker build .", &["Docker Dockerfile"]),
    (
        "",
        "- run: >\n    docker build\n    -f a/Dockerfile\n    --build-arg A=1 .",
        &["Docker a/Dockerfile A=1"],
    ),
    (
        "",
        "- run: >-\n    docker build --build-arg\n    A=1 .\n\n    docker build b",
        &["Docker Dockerfile A=1", "Docker b/Dockerfile"],
    ),
    (
        "",
        "- run: |\n    set -e\n    docker build \\\n      --target test \\\n      .\n    docker push x",
        &["Docker Dockerfile target=test"],
    ),
    (
        "",
        "- run: |\n    docker build a\n    docker build b",
        &["Docker a/Dockerfile", "Docker b/Dockerfile"],
    ),
    (
        "",
        "- run: 'docker build --build-arg A=''x'' .'",
        &["Docker Dockerfile A=x"],
    ),
    (
        "",
        "- run: \"docker build --build-arg A=\\\"x\\\" .\"",
        &["Docker Dockerfile A=x"],
    ),
    ("", "- run: \"docker build \\\\\\n  -f x .\"", &["Docker x"]),
    (
        "",
        "- run: docker build .\n  working-directory: sub",
        &["Docker sub/Dockerfile"],
    ),
    (
        "",
        "- run: docker build .\n  working-directory: ${{ inputs.x }}",
        &["Docker $inputs.x$/Dockerfile"],
    ),
    (
        "",
        "- run: docker build .\n  working-directory: ${{ env.DIR || 'sub' }}",
        &["? the folder that it runs in is not known"],
    ),
    (
        "",
        "- run: cd sub && docker build .",
        &["Docker sub/Dockerfile"],
    ),
    (
        "",
        "- run: docker build ${{ github.workspace }}/sub",
        &["Docker sub/Dockerfile"],
    ),
    (
        "",
        "- run: docker build $GITHUB_WORKSPACE",
        &["Docker Dockerfile"],
    ),
    (
        "",
        "- run: docker build -f $FILE --build-arg L --build-arg M=$L .\n  env: {FILE: d/Dockerfile, L: '${{ github.run_id }}'}",
        &["Docker d/Dockerfile L=${{ github.run_id }} M=${{ github.run_id }}"],
    ),
    (
        "",
        "- run: X=1 docker build --build-arg X .",
        &["Docker Dockerfile X=1"],
    ),
    (
        "",
        "- run: import docker; docker.build()\n  shell: python",
        &[],
    ),
    (
        "",
        "- run: docker build .\n  shell: bash -eo pipefail {0}",
        &["Docker Dockerfile"],
    ),
    (
        "",
        "- run: docker build -f .\\win\\Dockerfile .\n  shell: pwsh",
        &["Docker .\\win\\Dockerfile"],
    ),
    (
        "",
        "- run: docker compose -f a.yml build web",
        &["Compose a.yml:web"],
    ),
    (
        "",
        "- run: docker buildx bake --set '*.args.A=1'",
        &["Bake /: A=1"],
    ),
    (
        "",
        "- run: devcontainer build --workspace-folder .",
        &["Devcontainer /:"],
    ),
    (
        "",
        "- uses: actions/checkout@v4\n  with: {path: src}\n- run: docker build src/a\n- run: docker build b",
        &[
            "Docker a/Dockerfile",
            "? `b/Dockerfile` is outside of what the job checks out",
        ],
    ),
    (
        "",
        "- uses: actions/checkout@v4\n- uses: actions/checkout@v4\n  with: {repository: a/b, path: other}\n- run: docker build other\n- run: docker build .",
        &[
            "Docker Dockerfile",
            "? `other/Dockerfile` is in another repository",
        ],
    ),
    (
        "",
        "- uses: actions/checkout@v4\n  with: {repository: a/b}\n- run: docker build .",
        &["? `Dockerfile` is in another repository"],
    ),
    (
        "",
        "- uses: actions/checkout@v4\n  with: {path: src}\n- uses: docker/build-push-action@v6",
        &["BuildPushAction Dockerfile"],
    ),
    (
        "",
        "- uses: actions/checkout@v4\n  with: {path: src}\n- run: docker compose build\n  working-directory: src",
        &["Compose /:"],
    ),
    (PY, "- run: docker build .", &["Docker Dockerfile [py]"]),
    ("py: [a]", "- run: docker build .", &["Docker Dockerfile"]),
    (
        "py: [a, a]",
        "- run: docker build .",
        &["Docker Dockerfile"],
    ),
    (
        "py: [a, b]\nos: [x, y]\nv: [1]",
        "- run: docker build .",
        &["Docker Dockerfile [py, os]"],
    ),
    (
        "py: [a, b]\nos: [x, y]\nexclude:\n- py: b",
        "- run: docker build .",
        &["Docker Dockerfile [os]"],
    ),
    (
        "include:\n- name: a\n  args: x y\n- name: b\n  args: x z",
        "- run: docker build .",
        &["Docker Dockerfile [name]"],
    ),
    (
        "include:\n- {dist: a, arch: x}\n- {dist: a, arch: y}\n- {dist: b, arch: x}",
        "- run: docker build .",
        &["Docker Dockerfile [dist, arch]"],
    ),
    (
        "include:\n- {args: 'x y', n: 1}\n- {args: 'x z', n: 2}",
        "- run: docker build .",
        &["Docker Dockerfile [n]"],
    ),
    (
        "py: [a, b]\ninclude:\n- py: a\n  flavor: f\n- flavor: g",
        "- run: docker build .",
        &["Docker Dockerfile [py]"],
    ),
    (
        "py: [a]\ninclude:\n- py: b",
        "- run: docker build .",
        &["Docker Dockerfile [py]"],
    ),
    (
        "py: ${{ fromJSON(inputs.py) }}\nos: [x]",
        "- run: docker build .",
        &["Docker Dockerfile [py]"],
    ),
    (
        "py: [a, b]\ninclude: ${{ fromJSON(inputs.py) }}",
        "- run: docker build .",
        &["Docker Dockerfile [py]"],
    ),
    (
        "include: ${{ fromJSON(inputs.m) }}",
        "- run: docker build -t ${{ matrix.name }} .",
        &["Docker Dockerfile [name]"],
    ),
    (
        "include: ${{ fromJSON(inputs.m) }}",
        "- run: docker build .",
        &["Docker Dockerfile []"],
    ),
    (
        "py: [a]\ninclude: ${{ fromJSON(inputs.m) }}",
        "- run: docker build .",
        &["Docker Dockerfile []"],
    ),
    (
        "c:\n- {name: a, x: '1 2'}\n- {name: b, x: '1 2'}",
        "- run: docker build .",
        &["Docker Dockerfile [c.name]"],
    ),
    (
        "a: [x, y]\nmode: ['', m]",
        "- run: docker build .",
        &["Docker Dockerfile [a, mode]"],
    ),
    (
        "target: [a, b]",
        "- uses: docker/bake-action@v6\n  with: {targets: '${{ matrix.target }}'}",
        &["BakeAction /:a [target]", "BakeAction /:b [target]"],
    ),
    (
        "py version: [a, b]\n3d: [x, y]",
        "- run: docker build .",
        &["Docker Dockerfile [py version, 3d]"],
    ),
    (
        "c:\n- {v.1: a}\n- {v.1: b}",
        "- run: docker build .",
        &["Docker Dockerfile [c.v.1]"],
    ),
    (
        "py version: [a, b]\ninclude: ${{ x }}",
        "- run: docker build .",
        &["Docker Dockerfile [py version]"],
    ),
    (
        "py version: [a, b]",
        "- run: docker build ${{ matrix['py version'] }}",
        &["Docker a/Dockerfile", "Docker b/Dockerfile"],
    ),
    (
        "f: [a, b]",
        "- run: docker build ${{ matrix[ 'f' ] }}",
        &["Docker a/Dockerfile", "Docker b/Dockerfile"],
    ),
    // Each of these is built by one combination, or by some.
    (
        "f: [a, b]",
        "- uses: docker/build-push-action@v6\n  with: {context: '${{ matrix.f }}'}",
        &[
            "BuildPushAction a/Dockerfile",
            "BuildPushAction b/Dockerfile",
        ],
    ),
    (
        "f: [a, b]\npy: [1, 2]",
        "- run: docker build ${{ matrix.f }}",
        &["Docker a/Dockerfile [py]", "Docker b/Dockerfile [py]"],
    ),
    (
        "include:\n- {n: a, f: x}\n- {n: b, f: x}\n- {n: c}",
        "- run: docker build -f ${{ matrix.f || 'Dockerfile' }} .",
        &["Docker x [n]", "Docker Dockerfile"],
    ),
    (
        "f: [a, b]",
        "- run: docker build $DIR\n  env: {DIR: '${{ matrix.f }}'}",
        &["Docker a/Dockerfile", "Docker b/Dockerfile"],
    ),
    (
        "f: [a, b]",
        "- run: docker build .\n  working-directory: x/${{ matrix.f }}",
        &["Docker x/a/Dockerfile", "Docker x/b/Dockerfile"],
    ),
    (
        "t: [a, b]",
        "- run: docker build --target ${{ matrix.t }} .",
        &[
            "Docker Dockerfile target=a [t]",
            "Docker Dockerfile target=b [t]",
        ],
    ),
    (
        "f: [a, '${{ inputs.x }}']",
        "- run: docker build ${{ matrix.f }}",
        &["Docker a/Dockerfile", "Docker $inputs.x$/Dockerfile"],
    ),
    (
        "f: ${{ fromJSON(x) }}",
        "- run: docker build ${{ matrix.f }}",
        &["? the context is `${{ matrix.f }}`"],
    ),
];

#[test]
fn builds_are_read() {
    for (matrix, step, expected) in READ {
        let source = job(matrix, step);
        assert_eq!(lines(&source), *expected, "{source}");
        assert_eq!(
            lines(&source.replace('\n', "\r\n")),
            *expected,
            "with CRLF:\n{source}"
        );
    }
}

#[test]
fn the_places_are_those_of_the_file() {
    let source = "# ä\njobs:\n  t:\n    steps:\n    - uses: docker/build-push-action@v6\n      with:\n        build-args: |\n          A=1\n          B=2\n    - run: |\n        cd x\n        docker buildx build --build-arg C=3 .\n";
    let build_file = read(source).unwrap();
    let text = |span: cachelane::text::Span| &source[span.start..span.end];
    let found: Vec<_> = build_file
        .builds
        .iter()
        .map(|build| {
            (
                build.name.as_str(),
                text(build.span),
                build.args.iter().map(|arg| text(arg.span)).collect(),
            )
        })
        .collect();
    let expected: [(&str, &str, Vec<&str>); 2] = [
        (
            "job `t`, step 1",
            "docker/build-push-action@v6",
            vec!["A=1", "B=2"],
        ),
        ("job `t`, step 2", "docker buildx build", vec!["C=3"]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn defaults_environment_and_anchors_hold() {
    let source = "\
env: {A: workflow, B: workflow}
defaults:
  run:
    working-directory: w
jobs:
  one:
    env: &env {B: job}
    steps: &steps
    - run: docker build --build-arg A --build-arg B --build-arg C .
      env: {C: step}
  two:
    defaults: {run: {working-directory: x}}
    env: {<<: *env, A: two}
    steps: *steps
";
    assert_eq!(
        lines(source),
        [
            "Docker w/Dockerfile A=workflow B=job C=step",
            "Docker x/Dockerfile A=two B=job C=step"
        ]
    );
    let files = read(&source.replace(
        "docker build --build-arg A --build-arg B --build-arg C .",
        "docker compose build",
    ));
    let env = &files.unwrap().builds[0].env;
    for (name, value) in [("C", "step"), ("B", "job"), ("A", "workflow")] {
        assert_eq!(env.get(name).unwrap().value.as_deref(), Some(value));
    }
    let (text, left) = fixed(source, true);
    assert_eq!(text, source);
    assert_eq!(left, ["it is used in several places, by an alias"; 2]);
}

#[test]
fn calls_of_other_files_are_given() {
    let source = "\
jobs:
  call:
    strategy: {matrix: {py: [a, b]}}
    uses: ./.github/workflows/build.yml
    with:
      lane: ${{ matrix.py }}
  far:
    uses: a/b/.github/workflows/build.yml@main
  step:
    steps:
    - uses: ./.github/actions/build/
      with: {x: 1}
";
    let calls = read(source).unwrap().calls;
    let found: Vec<_> = calls
        .iter()
        .map(|call| (call.job.as_deref().unwrap(), &*call.path, call.runs.clone()))
        .collect();
    let matrix = Runs::Matrix(vec!["py".into()]);
    let expected = [
        ("call", ".github/workflows/build.yml", matrix),
        ("step", ".github/actions/build", Runs::Once),
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_action_of_steps_is_read_and_left() {
    let source = "name: x\nruns:\n  using: composite\n  steps:\n  - run: docker build --build-arg L=${{ inputs.lane }} .\n    shell: bash\n";
    assert_eq!(lines(source), ["Docker Dockerfile L=${{ inputs.lane }}"]);
    let build = &read(source).unwrap().builds[0];
    assert_eq!((&*build.name, &*build.jobs), ("step 1", &[][..]));
    assert!(pass(source, build, &LANE).unwrap_err().contains("input"));
}

#[test]
fn jobs_one_after_the_other_do_not_wait() {
    let source = job(PY, "- run: docker build .")
        .replace("strategy:\n", "strategy:\n      max-parallel: 1\n");
    assert_eq!(lines(&source), ["Docker Dockerfile"]);
}

/// A matrix, a step, and the step with the lane.
const PASS: &[(&str, &str, &str)] = &[
    (
        PY,
        "- uses: docker/build-push-action@v6\n  with:\n    context: .\n    push: true # no\n",
        "- uses: docker/build-push-action@v6\n  with:\n    context: .\n    push: true # no\n    build-args: |\n      CACHE_ID=${{ matrix.py }}\n",
    ),
    (
        PY,
        "- uses: docker/build-push-action@v6\n",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: |\n      CACHE_ID=${{ matrix.py }}\n",
    ),
    (
        PY,
        "- uses: docker/build-push-action@v6\n  with:\n      build-args: |\n          A=1 \n          B=2\n\n      push: true\n",
        "- uses: docker/build-push-action@v6\n  with:\n      build-args: |\n          A=1 \n          B=2\n          CACHE_ID=${{ matrix.py }}\n\n      push: true\n",
    ),
    (
        PY,
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: |-\n      A=1  \n",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: |-\n      A=1  \n      CACHE_ID=${{ matrix.py }}\n",
    ),
    (
        PY,
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: A=1   # why\n    push: true\n",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: |   # why\n      A=1\n      CACHE_ID=${{ matrix.py }}\n    push: true\n",
    ),
    (
        PY,
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: 'A=1'\n",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: |\n      A=1\n      CACHE_ID=${{ matrix.py }}\n",
    ),
    (
        PY,
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: \"A=1\\nB=\\\"2\\\"\"\n",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: |\n      A=1\n      B=\"2\"\n      CACHE_ID=${{ matrix.py }}\n",
    ),
    (
        PY,
        "- uses: docker/build-push-action@v6\n  with:\n    build-args:\n    push: true\n",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: |\n      CACHE_ID=${{ matrix.py }}\n    push: true\n",
    ),
    (
        PY,
        "- uses: docker/build-push-action@v6\n  with: {context: .}\n",
        "- uses: docker/build-push-action@v6\n  with: {context: ., build-args: \"CACHE_ID=${{ matrix.py }}\"}\n",
    ),
    (
        PY,
        "- uses: docker/build-push-action@v6\n  with: {build-args: A=1, push: true}\n",
        "- uses: docker/build-push-action@v6\n  with: {build-args: \"A=1\\nCACHE_ID=${{ matrix.py }}\", push: true}\n",
    ),
    (
        PY,
        "- {uses: docker/build-push-action@v6}\n",
        "- {uses: docker/build-push-action@v6, with: {build-args: \"CACHE_ID=${{ matrix.py }}\"}}\n",
    ),
    (
        "a: [x, y]\nb: [x, y]",
        "- uses: docker/build-push-action@v6\n  with:\n    push: true\n",
        "- uses: docker/build-push-action@v6\n  with:\n    push: true\n    build-args: |\n      CACHE_ID=${{ matrix.a }}-${{ matrix.b }}\n",
    ),
    (
        PY,
        "- uses: docker/bake-action@v5\n  with:\n    targets: app\n",
        "- uses: docker/bake-action@v5\n  with:\n    targets: app\n    set: |\n      *.args.CACHE_ID=${{ matrix.py }}\n",
    ),
    (
        PY,
        "- uses: docker/bake-action@v5\n  with:\n    set: '*.platform=x'\n",
        "- uses: docker/bake-action@v5\n  with:\n    set: |\n      *.platform=x\n      *.args.CACHE_ID=${{ matrix.py }}\n",
    ),
    (
        PY,
        "- run: docker build .\n",
        "- run: docker build --build-arg CACHE_ID=\"$CACHE_ID\" .\n  env:\n    CACHE_ID: ${{ matrix.py }}\n",
    ),
    (
        PY,
        "- name: x\n  env:\n    A: 1\n  run: |\n    docker build \\\n      -t x .\n",
        "- name: x\n  env:\n    A: 1\n    CACHE_ID: ${{ matrix.py }}\n  run: |\n    docker build --build-arg CACHE_ID=\"$CACHE_ID\" \\\n      -t x .\n",
    ),
    (
        PY,
        "- run: |\n    docker build a\n    docker build b\n",
        "- run: |\n    docker build --build-arg CACHE_ID=\"$CACHE_ID\" a\n    docker build --build-arg CACHE_ID=\"$CACHE_ID\" b\n  env:\n    CACHE_ID: ${{ matrix.py }}\n",
    ),
    (
        PY,
        "- run: \"docker build -t \\\"x\\\" .\"\n",
        "- run: \"docker build --build-arg CACHE_ID=\\\"$CACHE_ID\\\" -t \\\"x\\\" .\"\n  env:\n    CACHE_ID: ${{ matrix.py }}\n",
    ),
    (
        PY,
        "- run: 'docker build .'\n",
        "- run: 'docker build --build-arg CACHE_ID=\"$CACHE_ID\" .'\n  env:\n    CACHE_ID: ${{ matrix.py }}\n",
    ),
    (
        PY,
        "- run: >\n    docker build\n    -t x .\n",
        "- run: >\n    docker build --build-arg CACHE_ID=\"$CACHE_ID\"\n    -t x .\n  env:\n    CACHE_ID: ${{ matrix.py }}\n",
    ),
    (
        PY,
        "- run: docker build .\n  env: {A: 1}\n",
        "- run: docker build --build-arg CACHE_ID=\"$CACHE_ID\" .\n  env: {A: 1, CACHE_ID: \"${{ matrix.py }}\"}\n",
    ),
    (
        PY,
        "- run: docker build .\n  env:\n    CACHE_ID: own-${{ matrix.py }}\n",
        "- run: docker build --build-arg CACHE_ID=\"$CACHE_ID\" .\n  env:\n    CACHE_ID: own-${{ matrix.py }}\n",
    ),
    (
        "py version: [a, b]",
        "- run: docker build .\n  env:\n    CACHE_ID: own-${{ matrix['py version'] }}\n",
        "- run: docker build --build-arg CACHE_ID=\"$CACHE_ID\" .\n  env:\n    CACHE_ID: own-${{ matrix['py version'] }}\n",
    ),
    (
        PY,
        "- run: docker build .\n  env:\n    CACHE_ID: ${{ matrix['py'] }}\n",
        "- run: docker build --build-arg CACHE_ID=\"$CACHE_ID\" .\n  env:\n    CACHE_ID: ${{ matrix['py'] }}\n",
    ),
    // A name that no expression takes behind a dot is left alone where another one tells the jobs apart.
    (
        "include:\n- {the name: a, n: 1}\n- {the name: b, n: 2}",
        "- uses: docker/build-push-action@v6\n",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: |\n      CACHE_ID=${{ matrix.n }}\n",
    ),
    (
        "py-version: [a, b]\n_x: [c, d]",
        "- uses: docker/build-push-action@v6\n",
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: |\n      CACHE_ID=${{ matrix.py-version }}-${{ matrix._x }}\n",
    ),
    (
        PY,
        "- run: docker buildx bake app\n",
        "- run: docker buildx bake --set \"*.args.CACHE_ID=$CACHE_ID\" app\n  env:\n    CACHE_ID: ${{ matrix.py }}\n",
    ),
    (
        PY,
        "- run: docker compose up -d --build\n",
        "- run: docker compose up -d --build\n  env:\n    CACHE_ID: ${{ matrix.py }}\n",
    ),
    (
        PY,
        "- {run: docker build .}\n",
        "- {run: docker build --build-arg CACHE_ID=\"$CACHE_ID\" ., env: {CACHE_ID: \"${{ matrix.py }}\"}}\n",
    ),
    (
        PY,
        "- run: |+\n    docker build .\n- run: x\n",
        "- run: |+\n    docker build --build-arg CACHE_ID=\"$CACHE_ID\" .\n  env:\n    CACHE_ID: ${{ matrix.py }}\n- run: x\n",
    ),
    (
        "f: [a, b]\npy: [1, 2]",
        "- run: docker build ${{ matrix.f }}\n",
        "- run: docker build --build-arg CACHE_ID=\"$CACHE_ID\" ${{ matrix.f }}\n  env:\n    CACHE_ID: ${{ matrix.py }}\n",
    ),
];

/// Returns the tree of `new` without the lane's argument and variable.
fn without(value: &mut Value) {
    match value {
        Value::String(text) => {
            for added in [
                " --build-arg CACHE_ID=\"$CACHE_ID\"",
                " --set \"*.args.CACHE_ID=$CACHE_ID\"",
            ] {
                *text = text.replace(added, "");
            }
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| {
                    !line.starts_with("CACHE_ID=${{ ") && !line.starts_with("*.args.CACHE_ID=${{ ")
                })
                .map(str::trim_end)
                .collect();
            lines.join("\n").trim_end().clone_into(text);
        }
        Value::Tagged(tagged) => without(&mut tagged.value),
        Value::Sequence(items) => items.iter_mut().for_each(without),
        Value::Mapping(map) => {
            let own = map
                .get("CACHE_ID")
                .and_then(Value::as_str)
                .is_some_and(|text| text.starts_with("${{ "));
            if own {
                map.remove("CACHE_ID");
            }
            map.iter_mut().for_each(|(_, value)| without(value));
            let is_empty = |value: &Value| match value {
                Value::Mapping(map) => map.is_empty(),
                Value::String(text) => text.is_empty(),
                value => value.is_null(),
            };
            map.retain(|_, value| !is_empty(value));
        }
        _ => {}
    }
}

fn tree(source: &str) -> Value {
    let mut value =
        yaml_serde::from_str(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    without(&mut value);
    value
}

#[test]
fn lanes_are_passed_and_nothing_else_changes() {
    for (matrix, step, expected) in PASS {
        let (source, expected) = (job(matrix, step), job(matrix, expected));
        let (text, left) = fixed(&source, false);
        assert_eq!(text, expected);
        assert_eq!(
            left.iter()
                .filter(|why| !why.contains("in its environment already"))
                .count(),
            0,
            "{left:?}"
        );
        assert_eq!(tree(&source), tree(&text), "{text}");
        for build in read(&text).unwrap().builds {
            assert!(
                build
                    .args
                    .iter()
                    .chain(build.env.iter())
                    .any(|arg| arg.name.is("CACHE_ID")),
                "{text}"
            );
        }
        let (crlf, _) = fixed(&source.replace('\n', "\r\n"), false);
        assert_eq!(crlf, expected.replace('\n', "\r\n"), "with CRLF");
        let bare = source.trim_end();
        assert_eq!(
            tree(&fixed(bare, false).0),
            tree(bare),
            "without a last line end"
        );
    }
}

/// Changes by hand: a matrix, a step, and a word of the reason.
const LEFT: &[(&str, &str, &str)] = &[
    ("", "- run: docker build .", "only one job"),
    (
        "os: [ubuntu, windows-2022]",
        "- run: docker build .\n  shell: pwsh",
        "Windows",
    ),
    (PY, "- run: docker build .\n  shell: cmd", "Windows"),
    (PY, "- run: sh -c 'docker build .'", "quotes"),
    (PY, "- run: X=`docker build -q .`", "quotes"),
    (
        PY,
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: >\n      A=1",
        "unusual",
    ),
    (
        PY,
        "- uses: docker/build-push-action@v6\n  with:\n    build-args: \"A=1\n      B=2\"",
        "unusual",
    ),
    (
        PY,
        "- uses: docker/build-push-action@v1\n  with: {path: .}",
        "old",
    ),
    (
        PY,
        "- run: docker build .\n  env: ${{ fromJSON(x) }}",
        "env",
    ),
    (
        PY,
        "- run: docker build -t img:${CACHE_ID} .",
        "the script uses `CACHE_ID` already",
    ),
    ("x: ['', a]", "- run: docker build .", "empty"),
    (
        "include: ${{ x }}",
        PUSH,
        "pass `CACHE_ID=${{ matrix.NAME }}` by hand",
    ),
    (
        "include: ${{ x }}",
        "- run: docker build .\n  env:\n    CACHE_ID: own",
        "only a run knows",
    ),
    (
        "py version: [a, b]",
        PUSH,
        "pass `CACHE_ID=${{ matrix['py version'] }}` by hand",
    ),
    (
        "3d: [a, b]\npy: [c, d]",
        PUSH,
        "pass `CACHE_ID=${{ matrix['3d'] }}-${{ matrix.py }}` by hand",
    ),
    (
        "py.version: [a, b]",
        "- run: docker build .",
        "`matrix.py.version` is not an expression",
    ),
    (
        "it's: [a, b]",
        "- run: docker build .",
        "${{ matrix['it''s'] }}",
    ),
    (
        "c:\n- {v 1: a}\n- {v 1: b}",
        "- run: docker build .",
        "${{ matrix.c['v 1'] }}",
    ),
    (
        "py version: [a, b]\ninclude: ${{ x }}",
        "- run: docker build .",
        "by hand",
    ),
    (
        PY,
        "- run: docker build .\n  env:\n    CACHE_ID: own",
        "several jobs have",
    ),
    (
        PY,
        "- run: |\n    CACHE_ID=own\n    docker build .",
        "several jobs have",
    ),
    (
        PY,
        "- run: |\n    export CACHE_ID=\"own\"\n    docker buildx bake",
        "several jobs have",
    ),
    ("x: ['a b', 'c,d']", "- run: docker build .", "cache id"),
    ("x: [[a, b], [c]]", "- run: docker build .", "cache id"),
    (
        "include: ${{ x }}",
        "- run: echo ${{ matrix.a }} ${{ matrix.b }} ${{ matrix.c }} ${{ matrix.d }}; docker build .",
        "only a run",
    ),
    (
        PY,
        "- uses: &a docker/build-push-action@v6\n  with: &w\n    build-args: |\n      X=1\n- uses: *a\n  with: *w",
        "alias",
    ),
];

#[test]
fn what_cannot_be_done_is_said() {
    for (matrix, step, reason) in LEFT {
        let source = job(matrix, step);
        let (text, left) = fixed(&source, false);
        if !reason.contains("alias") {
            assert_eq!(text, source);
        }
        assert!(
            left.iter().any(|why| why.contains(reason)),
            "{left:?}\n{source}"
        );
    }
    let inputs = job(PY, "- run: docker build .").replace("ubuntu-latest", "${{ inputs.os }}");
    assert_eq!(
        pass(&inputs, &read(&inputs).unwrap().builds[0], &LANE)
            .unwrap()
            .applicability(),
        Applicability::Unsafe
    );
    let power = inputs
        .replace("docker build .", "docker build `\n          -f $env:X .")
        .replace("run:", "run: |\n         ");
    assert!(
        fixed(&power, false)
            .1
            .iter()
            .all(|why| why.contains("Windows")),
        "{power}"
    );
    let windows = job("os: [ubuntu-latest, windows-2022]", "- run: docker build .")
        .replace("runs-on: ubuntu-latest", "runs-on: ${{ matrix.os }}");
    assert!(fixed(&windows, false).1[0].contains("Windows"));
    assert_eq!(
        fixed(
            &windows.replace("- run:", "- shell: bash\n        run:"),
            false
        )
        .1
        .len(),
        0
    );
}

#[test]
fn a_job_without_a_matrix_goes_by_its_name_where_it_is_not_alone() {
    let (text, _) = fixed(&job("", "- run: docker build ."), true);
    assert!(text.contains("CACHE_ID: ${{ github.job }}"), "{text}");
    let (text, _) = fixed(&job("", PUSH), true);
    assert!(
        text.contains("      CACHE_ID=${{ github.job }}\n"),
        "{text}"
    );
}

#[test]
fn unknown_values_need_a_look() {
    let source = job("py: ${{ fromJSON(inputs.py) }}", "- run: docker build .");
    let build = &read(&source).unwrap().builds[0];
    assert_eq!(
        pass(&source, build, &LANE).unwrap().applicability(),
        Applicability::Unsafe
    );
    let source = job(PY, "- run: docker build .");
    let build = &read(&source).unwrap().builds[0];
    assert_eq!(
        pass(&source, build, &LANE).unwrap().applicability(),
        Applicability::Safe
    );
}

#[test]
fn a_step_is_read_for_each_row_of_a_big_matrix() {
    let values = (0..300)
        .map(|n| n.to_string())
        .collect::<Vec<_>>()
        .join(", ");
    let source = job(
        &format!("a: [{values}]\nb: [{values}]\nc: [{values}]"),
        "- run: docker build ${{ matrix.a }}",
    );
    assert_eq!(lines(&source), ["? the context is `${{ matrix.a }}`"]);
    let steps = "- run: docker build ${{ matrix.a }} ${{ matrix.b }}\n".repeat(20);
    let rows = (0..256)
        .map(|n| format!("- {{a: x{n}, b: y{n}}}\n"))
        .collect::<Vec<_>>()
        .concat();
    let build_file = read(&job(&format!("include:\n{rows}"), &steps)).unwrap();
    assert_eq!(build_file.builds.len(), 20 * 256);
}

proptest! {
    #![proptest_config(effort::cases(60))]

    #[test]
    fn odd_files_do_no_harm(
        case in proptest::sample::select((0..READ.len() + PASS.len()).collect::<Vec<_>>()),
        cuts in proptest::collection::vec((any::<proptest::sample::Index>(), 0..4_usize, proptest::sample::select(vec![
            "", " ", "\n", "  ", ":", "- ", "'", "\"", "{", "}", "[", "]", "|", ">", "&a ", "*a", "<<: *a\n", "#", "${{",
            "}}", "docker build .", "\\", "\t", "ä", "!x ", "? ", "---\n", "matrix", "$CACHE_ID", "env:", "with:",
        ])), 1..6),
    ) {
        let (matrix, step) = READ.get(case).map_or_else(|| (PASS[case - READ.len()].0, PASS[case - READ.len()].1), |c| (c.0, c.1));
        let mut letters: Vec<char> = job(matrix, step).chars().collect();
        for (index, length, text) in cuts {
            let at = index.index(letters.len());
            letters.splice(at..(at + length).min(letters.len()), text.chars());
        }
        let source: String = letters.into_iter().collect();
        let Ok(build_file) = read(&source) else { return Ok(()) };
        for build in &build_file.builds {
            prop_assert!(source.get(build.span.start..build.span.end).is_some());
            let Ok(fix) = pass(&source, build, &Lane { parts: Parts::JOB, ..LANE }) else { continue };
            let text = String::from_utf8(apply(source.as_bytes(), &[&fix]).bytes).unwrap();
            let again = read(&text);
            prop_assert!(again.is_ok(), "{source}\n---\n{text}");
            let passed = again.unwrap().builds.iter().any(|new| {
                new.name == build.name && new.subject == build.subject
                    && new.args.iter().chain(new.env.iter()).any(|arg| arg.name.is("CACHE_ID"))
            });
            prop_assert!(passed, "{source}\n---\n{text}");
            if yaml_serde::from_str::<Value>(&source).is_ok() {
                prop_assert_eq!(tree(&source), tree(&text), "{}\n---\n{}", source, text);
            }
        }
    }
}
