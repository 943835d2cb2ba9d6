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

#[test]
fn runs_with_flags_by_a_template_are_counted() {
    let source = b"FROM a\nRUN {{ mount('/x') }} make\nRUN {{ tool }} x\nRUN @CACHE_MOUNT@ make";
    let listed = list("", source, &Settings::default()).unwrap();
    assert_eq!((listed.mounts.len(), listed.made), (0, 2));
}

#[test]
fn ids_and_modes_are_those_that_buildkit_uses() {
    let head = "FROM a\nARG CACHE_ID=default\nARG MODE=LOCKED\nARG UNKNOWN\nENV AT=/at";
    for (mount, id, mode) in [
        ("id='a-$CACHE_ID',target=/x", "a-$CACHE_ID", "shared"),
        (r"id=b-\${CACHE_ID},target=/x", "b-${CACHE_ID}", "shared"),
        // Quotes and escapes of the value come off when it is expanded.
        (r"id=e\\-$CACHE_ID,target=/x", "e-${CACHE_ID}", "shared"),
        (r"id=s-\\\$CACHE_ID,target=/x", "s-$CACHE_ID", "shared"),
        (
            r"id=q\'w\'-${CACHE_ID:-a},target=/x",
            "qw-${CACHE_ID:-a}",
            "shared",
        ),
        (r"id=\'\',target=/x/", "/x", "shared"),
        (r"target=/x/\'y\'/../z", "/x/z", "shared"),
        ("target=$AT/x/../y", "/at/y", "shared"),
        (
            "id=a-${AT:-${NONE}}-$MODE,target=/x",
            "a-/at-${MODE}",
            "shared",
        ),
        ("target=$AT/$MODE/../y", "/at/${MODE}/../y", "shared"),
        ("id=a,target=/x,sharing=${MODE}", "a", "locked"),
        ("id=a,target=/x,sharing=${NONE:-private}", "a", "private"),
        ("id=a,target=/x,sharing=${UNKNOWN}", "a", "${UNKNOWN}"),
    ] {
        let source = format!("{head}\nRUN --mount=type=cache,{mount} true");
        let listed = &list("", source.as_bytes(), &Settings::default())
            .unwrap()
            .mounts[0];
        assert_eq!(listed.effective_id, id, "{mount}");
        assert_eq!(listed.sharing, mode, "{mount}");
    }
}
