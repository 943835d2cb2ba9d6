//! Buildkite.

use super::{BUILDKITE, LANE, all, fixed};
use cachelane::builds::{Lane, Parts};

fn turned(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(
            fixed(BUILDKITE, source, &LANE).as_deref(),
            Ok(*expected),
            "{source}"
        );
    }
}

fn refused(cases: &[(&str, &str)]) {
    for (source, why) in cases {
        let error = fixed(BUILDKITE, source, &LANE).unwrap_err();
        assert!(error.contains(why), "{source}: {error}");
    }
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
    turned(&[
        (
            "steps:\n  - command: docker build .\n    key: k\n",
            "steps:\n  - command: docker build --build-arg CACHE_ID=\"k\" .\n    key: k\n",
        ),
        (
            "steps:\n  - command: docker build .\n    matrix: {setup: {os: [a, b]}}\n    key: k\n",
            "steps:\n  - command: docker build --build-arg CACHE_ID=\"k-{{matrix.os}}\" .\n    matrix: {setup: {os: [a, b]}}\n    key: k\n",
        ),
    ]);
    refused(&[
        ("steps:\n  - command: docker build .\n", "no `key`"),
        (
            "steps:\n  - command: docker build .\n    key: k\n    parallelism: 2\n",
            "in parallel",
        ),
        (
            "steps:\n  - command: docker build .\n    key: k\n    matrix: ['a b', c]\n",
            "tells its jobs apart",
        ),
        (
            "steps:\n  - {key: k, command: &c docker build .}\n  - {key: l, command: *c}\n",
            "several steps",
        ),
    ]);
    let alone = Lane {
        parts: Parts::NONE,
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
