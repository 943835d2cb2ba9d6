//! `CircleCI`, Buildkite, Azure and Bitbucket.

use super::{AZURE, BITBUCKET, BUILDKITE, CIRCLECI, Format, LANE, all, fixed};
use cachelane::wiring::Lane;

fn turned(format: Format, cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(
            fixed(format, source, &LANE).as_deref(),
            Ok(*expected),
            "{source}"
        );
    }
}

fn refused(format: Format, cases: &[(&str, &str)]) {
    for (source, why) in cases {
        let error = fixed(format, source, &LANE).unwrap_err();
        assert!(error.contains(why), "{source}: {error}");
    }
}

#[test]
fn circleci_reads() {
    all(
        CIRCLECI,
        &[
            (
                "jobs:\n  a:\n    steps:\n      - checkout\n      - run: docker build .\n",
                &["Dockerfile @a"],
            ),
            (
                "jobs:\n  a:\n    steps:\n      - run: {command: docker build ., working_directory: sub}\n",
                &["sub/Dockerfile @a"],
            ),
            (
                "jobs:\n  a:\n    working_directory: ~/repo\n    steps:\n      - run: {command: docker build ., working_directory: ~/repo/sub}\n",
                &["sub/Dockerfile @a"],
            ),
            (
                "jobs:\n  a:\n    environment: {D: x}\n    steps:\n      - run: {command: docker build $D, environment: [{D: y}]}\n",
                &["y/Dockerfile @a"],
            ),
            (
                "jobs:\n  a:\n    steps:\n      - when: {condition: true, steps: [{run: docker build .}]}\n",
                &["Dockerfile @a"],
            ),
            (
                "commands:\n  c:\n    parameters: {d: {type: string, default: x}}\n    steps:\n      - run: docker build << parameters.d >>\njobs:\n  a:\n    steps: [c]\n  b:\n    steps:\n      - c: {d: y}\n",
                &["x/Dockerfile @a", "y/Dockerfile @b"],
            ),
            (
                "jobs:\n  a:\n    parameters: {v: {type: string}}\n    steps:\n      - run: docker build .\nworkflows:\n  w:\n    jobs:\n      - a: {matrix: {parameters: {v: ['1', '2']}}}\n",
                &["Dockerfile ×v @a"],
            ),
            (
                "jobs:\n  a:\n    parameters: {v: {type: string}}\n    steps:\n      - run: docker build << parameters.v >>\nworkflows:\n  w:\n    jobs:\n      - a: {matrix: {parameters: {v: [x, y]}}}\n",
                &["x/Dockerfile @a", "y/Dockerfile @a"],
            ),
            (
                "jobs:\n  a:\n    parameters: {v: {type: string}, w: {type: string, default: z}}\n    steps:\n      - run: docker build .\nworkflows:\n  w:\n    jobs:\n      - a: {matrix: {parameters: {v: [x, y, q], w: [z]}, exclude: [{v: x, w: z}]}}\n",
                &["Dockerfile ×v @a"],
            ),
            (
                "jobs:\n  a:\n    parameters: {v: {type: string}}\n    steps: [{c: {d: << parameters.v >>}}]\ncommands:\n  c:\n    parameters: {d: {type: string}}\n    steps: [{run: docker build .}]\nworkflows:\n  w:\n    jobs:\n      - a: {v: x}\n      - a: {v: y, name: other}\n",
                &["Dockerfile ×v,d @a"],
            ),
            (
                "jobs:\n  a:\n    parallelism: 4\n    steps:\n      - run: docker build .\n",
                &["Dockerfile ×parallelism @a"],
            ),
            (
                "jobs:\n  a:\n    steps:\n      - run: docker build << parameters.gone >>\n",
                &["(its words stand in a variable)"],
            ),
            (
                "commands:\n  c:\n    steps: [c, {run: docker build .}]\njobs:\n  a: {steps: [c]}\n",
                &["Dockerfile @a"],
            ),
            ("version: 2.1\norbs: {docker: circleci/docker@2}\n", &[]),
        ],
    );
}

#[test]
fn circleci_passes() {
    turned(
        CIRCLECI,
        &[
            (
                "jobs:\n  a:\n    steps:\n      - run: docker build .\n",
                "jobs:\n  a:\n    steps:\n      - run: docker build --build-arg CACHE_ID=\"$CIRCLE_JOB\" .\n",
            ),
            (
                "jobs:\n  a:\n    steps:\n      - run: |\n          docker build .\nworkflows:\n  w:\n    jobs:\n      - a: {matrix: {parameters: {v: ['1', '2']}}}\n",
                "jobs:\n  a:\n    steps:\n      - run: |\n          docker build --build-arg CACHE_ID=\"$CIRCLE_JOB-<< parameters.v >>\" .\nworkflows:\n  w:\n    jobs:\n      - a: {matrix: {parameters: {v: ['1', '2']}}}\n",
            ),
        ],
    );
    refused(
        CIRCLECI,
        &[
            (
                "jobs:\n  a:\n    parallelism: 4\n    steps:\n      - run: docker build .\n",
                "containers",
            ),
            (
                "jobs:\n  a:\n    steps: [c]\ncommands: {c: {steps: [{run: docker build .}]}}\nworkflows:\n  w:\n    jobs:\n      - a: {matrix: {parameters: {v: ['1', '2']}}}\n",
                "matrix of the job",
            ),
            (
                "jobs:\n  a:\n    steps: [{run: docker build .}]\nworkflows:\n  w:\n    jobs:\n      - a: {matrix: {parameters: {v: ['a b', '2']}}}\n",
                "tell its jobs apart",
            ),
        ],
    );
}

#[test]
fn buildkite_reads() {
    all(
        BUILDKITE,
        &[
            (
                "steps:\n  - command: docker build .\n    key: k\n",
                &["Dockerfile @k"],
            ),
            (
                "- commands:\n    - cd x\n    - docker build .\n",
                &["x/Dockerfile @step step 1"],
            ),
            (
                "steps:\n  - wait\n  - group: g\n    steps:\n      - label: l\n        command: docker build .\n",
                &["Dockerfile @step l"],
            ),
            (
                "steps:\n  - command: docker build {{matrix}}\n    matrix: [a, b]\n    key: k\n",
                &["a/Dockerfile @k", "b/Dockerfile @k"],
            ),
            (
                "steps:\n  - command: docker build .\n    matrix: [a, b]\n    key: k\n",
                &["Dockerfile ×matrix @k"],
            ),
            (
                "steps:\n  - command: docker build --build-arg CACHE_ID={{ matrix.os }} .\n    matrix: {setup: {os: [a, b], arch: [c]}}\n    key: k\n",
                &["Dockerfile CACHE_ID={{ matrix.os }} ×os @k"],
            ),
            (
                "env: {D: a}\nsteps:\n  - command: docker build $D\n    key: k\n",
                &["a/Dockerfile @k"],
            ),
            (
                "steps:\n  - command: docker build $$D\n    key: k\n",
                &["(the context is `$$D`)"],
            ),
            (
                "steps:\n  - command: docker build .\n    parallelism: 2\n    key: k\n",
                &["Dockerfile ×parallelism @k"],
            ),
            (
                "steps:\n  - plugins:\n      - docker-compose#v5.0.0: {build: app}\n",
                &["(a plugin builds it)"],
            ),
        ],
    );
}

#[test]
fn buildkite_passes() {
    turned(
        BUILDKITE,
        &[
            (
                "steps:\n  - command: docker build .\n    key: k\n",
                "steps:\n  - command: docker build --build-arg CACHE_ID=\"k\" .\n    key: k\n",
            ),
            (
                "steps:\n  - command: docker build .\n    matrix: {setup: {os: [a, b]}}\n    key: k\n",
                "steps:\n  - command: docker build --build-arg CACHE_ID=\"k-{{matrix.os}}\" .\n    matrix: {setup: {os: [a, b]}}\n    key: k\n",
            ),
        ],
    );
    refused(
        BUILDKITE,
        &[
            ("steps:\n  - command: docker build .\n", "no `key`"),
            (
                "steps:\n  - command: docker build .\n    key: k\n    parallelism: 2\n",
                "in parallel",
            ),
            (
                "steps:\n  - command: docker build .\n    key: k\n    matrix: ['a b', c]\n",
                "tell its jobs apart",
            ),
            (
                "steps:\n  - {key: k, command: &c docker build .}\n  - {key: l, command: *c}\n",
                "several steps",
            ),
        ],
    );
    let alone = Lane {
        shared: false,
        ..LANE
    };
    assert_eq!(
        fixed(
            BUILDKITE,
            "steps:\n  - command: docker build .\n    matrix: [a, b]\n",
            &alone
        )
        .unwrap(),
        "steps:\n  - command: docker build --build-arg CACHE_ID=\"{{matrix}}\" .\n    matrix: [a, b]\n"
    );
}

#[test]
fn azure_reads() {
    all(
        AZURE,
        &[
            ("steps:\n- script: docker build .\n", &["Dockerfile @"]),
            (
                "jobs:\n- job: j\n  steps:\n  - bash: docker build $(Build.SourcesDirectory)/x\n",
                &["x/Dockerfile @j"],
            ),
            (
                "stages:\n- stage: s\n  jobs:\n  - job: j\n    steps:\n    - bash: cd $(System.DefaultWorkingDirectory)/x && docker build .\n",
                &["x/Dockerfile @s.j"],
            ),
            (
                "variables: {my.file: a/Dockerfile}\nsteps:\n- script: docker build -f $(my.file) .\n",
                &["a/Dockerfile @"],
            ),
            (
                "variables:\n- {name: file, value: a}\n- group: g\nsteps:\n- script: docker build -f $(file) -t $(date) .\n",
                &["a @"],
            ),
            (
                "steps:\n- script: docker build -f $(file) .\n",
                &["(the file is `$(file)`)"],
            ),
            (
                "jobs:\n- job: j\n  strategy: {matrix: {a: {py: 3.10}, b: {py: 3.13}}}\n  steps:\n  - script: docker build .\n",
                &["Dockerfile ×PY @j"],
            ),
            (
                "jobs:\n- job: j\n  strategy: {matrix: {a: {dir: x}, b: {dir: y}}}\n  steps:\n  - script: docker build $(dir)\n",
                &["x/Dockerfile @j", "y/Dockerfile @j"],
            ),
            (
                "jobs:\n- job: j\n  strategy: {matrix: '$[ x ]'}\n  steps:\n  - script: docker build .\n",
                &["Dockerfile ×matrix @j"],
            ),
            (
                "jobs:\n- deployment: d\n  strategy:\n    runOnce:\n      deploy:\n        steps:\n        - script: docker build .\n",
                &["Dockerfile @d"],
            ),
            (
                "steps:\n- ${{ if eq(1, 1) }}:\n  - script: docker build .\n",
                &["Dockerfile @"],
            ),
            (
                "steps:\n- script: docker build .\n  workingDirectory: $(Build.SourcesDirectory)/a\n",
                &["a/Dockerfile @"],
            ),
            (
                "steps:\n- checkout: self\n- checkout: git://other\n- script: docker build .\n",
                &["(the folder that it runs in is not known)"],
            ),
            (
                "steps:\n- task: Docker@2\n  inputs: {command: build, Dockerfile: a/Dockerfile, arguments: '--build-arg A=1'}\n",
                &["a/Dockerfile A=1 @"],
            ),
            (
                "steps:\n- task: Docker@2\n  inputs: {command: buildAndPush, dockerfile: $(Build.SourcesDirectory)/Dockerfile, arguments: --build-arg A=1}\n",
                &["Dockerfile @"],
            ),
            (
                "steps:\n- task: Docker@2\n  inputs: {repository: r}\n",
                &["(the file is `**/Dockerfile`)"],
            ),
            (
                "steps:\n- task: Docker@2\n  inputs: {command: login}\n",
                &[],
            ),
            ("steps:\n- pwsh: docker build -f a\\b .\n", &["a\\b @"]),
        ],
    );
}

#[test]
fn azure_passes() {
    turned(
        AZURE,
        &[
            (
                "jobs:\n- job: j\n  strategy: {matrix: {a: {py: 1, i: x/y}, b: {py: 2, i: x/z}}}\n  steps:\n  - pwsh: docker build .\n",
                "jobs:\n- job: j\n  strategy: {matrix: {a: {py: 1, i: x/y}, b: {py: 2, i: x/z}}}\n  steps:\n  - pwsh: docker build --build-arg CACHE_ID=\"j-$(py)\" .\n",
            ),
            (
                "jobs:\n- job: j\n  steps:\n  - script: docker build .\n",
                "jobs:\n- job: j\n  steps:\n  - script: docker build --build-arg CACHE_ID=\"j\" .\n",
            ),
            (
                "jobs:\n- job: j\n  strategy: {matrix: {a: {py.v: 3.10}, b: {py.v: 3.13}}}\n  steps:\n  - bash: |\n      docker build .\n",
                "jobs:\n- job: j\n  strategy: {matrix: {a: {py.v: 3.10}, b: {py.v: 3.13}}}\n  steps:\n  - bash: |\n      docker build --build-arg CACHE_ID=\"j-$(py.v)\" .\n",
            ),
        ],
    );
    refused(
        AZURE,
        &[
            ("steps:\n- script: docker build .\n", "no name"),
            (
                "jobs:\n- job: j\n  steps:\n  - pwsh: docker compose up --build\n",
                "POSIX",
            ),
            (
                "jobs:\n- job: j\n  strategy: {matrix: {a: {py: x/y}, b: {py: x/z}}}\n  steps:\n  - bash: docker build .\n",
                "apart",
            ),
            (
                "jobs:\n- job: j\n  strategy: {matrix: {a: {py v: x}, b: {py v: y}}}\n  steps:\n  - bash: docker build .\n",
                "apart",
            ),
            (
                "jobs:\n- job: j\n  steps:\n  - task: Docker@2\n    inputs: {command: build, Dockerfile: a}\n",
                "argument",
            ),
        ],
    );
}

#[test]
fn bitbucket_reads_and_passes() {
    all(
        BITBUCKET,
        &[
            (
                "pipelines:\n  default:\n    - step: {name: n, script: [cd x, docker build .]}\n",
                &["x/Dockerfile @n"],
            ),
            (
                "pipelines:\n  branches:\n    main:\n      - parallel:\n          steps:\n            - step: {script: [docker build .]}\n            - step: {name: b, script: [docker build $BITBUCKET_CLONE_DIR/b]}\n",
                &["Dockerfile @main/1", "b/Dockerfile @b"],
            ),
            (
                "pipelines:\n  default:\n    - parallel:\n        - step: {name: n, script: [docker build .]}\n",
                &["Dockerfile @n"],
            ),
            (
                "pipelines:\n  default:\n    - stage: {steps: [{step: {name: n, script: [docker build .]}}]}\n",
                &["Dockerfile @n"],
            ),
            (
                "definitions:\n  steps:\n    - step: &s {name: n, script: [docker build .]}\npipelines:\n  default:\n    - step: *s\n  branches:\n    main:\n      - step: *s\n",
                &["Dockerfile @n"],
            ),
            (
                "pipelines:\n  default:\n    - step: {script: [{pipe: a/b:1}, docker build .]}\n",
                &["Dockerfile @default/1"],
            ),
        ],
    );
    turned(
        BITBUCKET,
        &[(
            "pipelines:\n  default:\n    - step:\n        name: n\n        script:\n          - docker build .\n",
            "pipelines:\n  default:\n    - step:\n        name: n\n        script:\n          - docker build --build-arg CACHE_ID=\"n\" .\n",
        )],
    );
    refused(
        BITBUCKET,
        &[(
            "pipelines:\n  default:\n    - step: {name: a b, script: [docker build .]}\n",
            "no name",
        )],
    );
}
