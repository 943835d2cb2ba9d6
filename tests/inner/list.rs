//! Isolation in `cachelane list`.

use cachelane::lint::list;
use cachelane::rules::Settings;

fn isolated(head: &str, id: &str, settings: &Settings) -> bool {
    let source = format!("{head}\nRUN --mount=type=cache,id={id},target=/x true");
    list("", source.as_bytes(), settings).unwrap().mounts[0].isolated
}

#[test]
fn a_lane_is_one_only_where_its_value_arrives() {
    let plain = Settings::default();
    let with = |isolating: &str| Settings {
        isolating: vec![isolating.into()],
        ..Settings::default()
    };
    for (head, id, settings, is) in [
        ("FROM a\nARG CACHE_ID", "a-${CACHE_ID}", &plain, true),
        (
            "FROM a\nARG CACHE_ID\nENV CACHE_ID=$CACHE_ID",
            "a-${CACHE_ID}",
            &plain,
            true,
        ),
        ("FROM a", "a-${CACHE_ID}", &plain, false),
        ("ARG CACHE_ID\nFROM a", "a-${CACHE_ID}", &plain, false),
        (
            "FROM a\nARG CACHE_ID\nENV CACHE_ID=x",
            "a-${CACHE_ID}",
            &plain,
            false,
        ),
        (
            "# syntax=docker/dockerfile:1.2\nFROM a\nARG CACHE_ID",
            "a-${CACHE_ID}",
            &plain,
            false,
        ),
        ("FROM a\nARG TARGETARCH", "a-${TARGETARCH}", &plain, false),
        ("FROM a", "a-${ROS_DISTRO}", &with("ROS_DISTRO"), true),
        ("FROM a", "a-${ROS_DISTRO}", &with("OTHER"), false),
        ("FROM a", "a-{{ cache_id }}", &plain, true),
        ("FROM a", "a-{{ x }}", &plain, false),
        (
            "FROM a",
            "a",
            &Settings {
                namespace: true,
                ..Settings::default()
            },
            true,
        ),
    ] {
        assert_eq!(isolated(head, id, settings), is, "{head:?} {id}");
    }
}
