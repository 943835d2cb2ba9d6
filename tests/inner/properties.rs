//! Properties of every file, tried on odd ones: plain bytes, awkward lines in any order, and the project's own fixtures
//! with lines removed, doubled and swapped.

use bstr::{BString, ByteSlice as _};
use cachelane::dockerfile::{Dockerfile, Mount, MountKind};
use cachelane::finding::RuleId;
use cachelane::fix::Applicability;
use cachelane::lint;
use cachelane::rules::Settings;
use cachelane::rules::profile::PROFILES;
use proptest::prelude::*;

use crate::effort::cases;
use crate::{invariants, pages};

const LINES: &[&str] = &[
    "FROM debian",
    "FROM a AS b",
    "FROM b",
    "FROM B AS c",
    "from b",
    "ARG CACHE_ID",
    "ARG CACHE_ID=default",
    "ARG A CACHE_ID=x B",
    "ENV CACHE_ID=1",
    "ONBUILD ARG CACHE_ID",
    "RUN --mount=type=cache,id=a,sharing=locked,target=/x true",
    "RUN --mount=type=cache,sharing=locked,target=/x true",
    "  RUN --mount=\"type=cache,target=/x y,sharing=locked\" true",
    "RUN --mount=type=cache,id=,sharing=locked,target='/x' \\",
    "RUN --mount=type=cache,id=a-${CACHE_ID},target=/x true",
    "RUN --mount=type=cache,id=a-${TARGETARCH},sharing=locked,target=/x true",
    "ONBUILD RUN --mount=type=cache,sharing=locked,target=/x true",
    "run --mount=type=cache,\\",
    "target=/y,sharing=locked true",
    "    --mount=type=cache,target=/z,sharing=locked \\",
    "    true",
    "# a comment",
    "    # another \\",
    "",
    "\\",
    "RUN cat <<EOF",
    "COPY <<-'EOF' /x",
    "EOF",
    "\tEOF",
    "RUN [\"a\", \"b\"]",
    "# escape=`",
    "# syntax=docker/dockerfile:1",
    "@[if x]",
    "@[else]",
    "@[end if]",
    "{% if x %}",
    "{% endif %}",
    "{{ x }}",
    "RUN --mount=type=cache,id=@(x),sharing=locked,target=/x true",
    "RUN --mount=type=cache,id={{ x }},sharing=locked,target=/x true",
    "RUN --mount=type=cache, target=/x true",
    "RUN --mount=type=cache,id=a,target=/y,sharing=private true",
    "RUN --mount=type=cache,target=/var/cache/apt --mount=type=cache,target=/var/lib/apt apt-get update",
    "RUN --mount=type=cache,id=a,target=/1,sharing=locked --mount=type=cache,id=b,target=/2,sharing=locked true",
    "RUN --mount=type=cache,id=b,target=/1,sharing=locked --mount=type=cache,id=a,target=/2,sharing=locked true",
    "RUN --mount=type=cache,id=a,target=/1,sharing=locked --mount=type=cache,id=a,target=/2,sharing=locked true",
    "RUN --mount=type=cache,sharing=locked,target=/root/.cache/uv uv sync",
    "RUN --mount=type=cache,id=a,target=/x,uid=1 true",
    "ARG TARGETARCH",
    "# syntax=docker/dockerfile:1.2",
    "COPY --from=b / /",
    "RUN --mount=type=cache,id=x\u{e0}y,sharing=locked,target=/x true",
    "RUN --mount=type=cache,id=a${CACHE_ID:+-${CACHE_ID}},sharing=locked,target=/x true",
    "RUN --mount=type=cache,id=a-${CACHE_ID:-b},sharing=locked,target=/x true",
    "RUN --mount=type=cache,id=a-${CACHE_ID:?},sharing=locked,target=/x true",
    "RUN --mount=type=cache,id=c-${OWN},sharing=locked,target=/x true",
    "ONBUILD RUN --mount=type=cache,id=a${CACHE_ID:+-${CACHE_ID}},sharing=locked,target=/x true",
    "ARG OWN=1",
    "RUN --mount=type=cache,sharing=locked,target=/x,id=b-<%= x %> true",
    "RUN --mount=type=cache,target=<%= x %>/y,sharing=locked true",
    "RUN --mount=type=cache,id=@f(x, y),target=/x,sharing=locked true",
    "RUN --mount=type=cache,id=[[ x ]],target=/var/cache/apt apt-get update",
    "RUN --mount=type=cache,sharing=locked,target=/x,id=#{x y} true",
    "RUN --mount=type=cache,sharing=locked,target=/x,id={# x, y #}-${CACHE_ID} true",
    "RUN --mount=type=cache,sharing=locked,target=/x,id=a-<%= x \\",
    "RUN --mount=type=cache,id=@(x,sharing=private,target=/var/cache/apt apt-get update",
    "{% if x %}RUN --mount=type=cache,id=a,sharing=locked,target=/x true{% endif %}",
    "@[if x]ARG CACHE_ID=<%= x y %>@[end if]",
    "ARG CACHE_ID=<%= x y %>",
    "RUN {% if x %}--mount=type=cache,id=a,sharing=locked,target=/x{% endif %} true{% if y %}",
    "ENV OWN=/a",
    " # syntax=docker/dockerfile:1",
    "#!/usr/bin/env x",
];

fn awkward() -> impl Strategy<Value = Vec<u8>> {
    let line = (
        prop::sample::select(LINES),
        prop::sample::select(vec!["\n", "\n", "\n", "\r\n"]),
    );
    let lines = prop::collection::vec(line, 0..14);
    (lines, any::<bool>(), any::<bool>()).prop_map(|(lines, mark, end)| {
        let mut text = String::from(if mark { "\u{FEFF}" } else { "" });
        for (line, newline) in &lines {
            text.push_str(line);
            text.push_str(newline);
        }
        if !end {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        text.into_bytes()
    })
}

fn mangled_fixture() -> impl Strategy<Value = Vec<u8>> {
    let cases = pages::cases("rules").into_iter();
    let mut files: Vec<Vec<u8>> = cases
        .flat_map(|case| case.files)
        .map(|file| file.bytes())
        .filter(|bytes| bytes.len() < 10_000)
        .collect();
    files.sort();
    let changes = prop::collection::vec(
        (
            0..3u8,
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
        ),
        0..5,
    );
    (prop::sample::select(files), changes).prop_map(|(file, changes)| {
        let mut lines: Vec<&[u8]> = file.split_inclusive(|&b| b == b'\n').collect();
        for (what, a, b) in changes {
            if lines.is_empty() {
                break;
            }
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            match what {
                0 => drop(lines.remove(a)),
                1 => lines.insert(b, lines[a]),
                _ => lines.swap(a, b),
            }
        }
        lines.concat()
    })
}

fn any_file() -> impl Strategy<Value = BString> {
    prop_oneof![4 => awkward(), 3 => mangled_fixture()].prop_map(BString::from)
}

/// Returns settings, the defaults half of the time.
fn any_settings() -> impl Strategy<Value = Settings> {
    let flags = any::<(bool, bool, bool)>();
    let profile = prop::sample::select(vec![None, None, None, PROFILES.first()]);
    let isolating =
        prop::sample::subsequence(vec!["OWN".to_owned(), "TARGETARCH".to_owned()], 0..=2);
    let count = RuleId::ALL.len();
    let rules = prop::sample::subsequence(RuleId::ALL, 0..=count);
    let rules = prop::option::weighted(0.25, rules);
    let arg = prop::sample::select(vec!["CACHE_ID", "CACHE_ID", "OWN", "TARGETARCH"]);
    let settled = (flags, profile, isolating, rules, arg).prop_map(
        |(flags, profile, isolating, rules, arg)| {
            let (keep_default, namespace, require_syntax) = flags;
            let arg = arg.to_owned();
            Settings {
                arg,
                keep_default,
                namespace,
                require_syntax,
                profile,
                isolating,
                rules,
                ..Settings::default()
            }
        },
    );
    prop_oneof![1 => Just(Settings::default()), 1 => settled]
}

/// Returns the ids of the file's cache mounts in a build that passes nothing; one that expands to nothing is the target.
fn ids(source: &[u8]) -> Vec<Option<Vec<u8>>> {
    let Ok(file) = Dockerfile::read(source) else {
        return Vec::new();
    };
    let id = |(index, mount): (usize, &Mount<'_>)| {
        let id = mount
            .id_word()?
            .expand(&mut |name| file.default_value(name, index))?;
        Some(if id.is_empty() {
            mount.target().into_owned()
        } else {
            id
        })
    };
    file.mounts()
        .filter(|(_, mount)| mount.kind == MountKind::Cache)
        .map(id)
        .collect()
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), settings in any_settings()) {
        let mut source = b"RUN --mount=".to_vec();
        source.extend(bytes);
        let _ = lint::fix(None, &source, &settings, Applicability::Unsafe);
    }

    #[test]
    fn a_safe_fix_is_small_stays_as_it_is_and_leaves_nothing(source in any_file(), settings in any_settings()) {
        invariants::safe_fix(&source, &settings);
    }

    #[test]
    fn no_fix_writes_into_an_expression(source in any_file(), settings in any_settings()) {
        for level in [Applicability::Safe, Applicability::Unsafe] {
            let fixed = lint::fix(None, &source, &settings, level).bytes;
            for mark in ["<%= x %>", "<%= x y %>", "@f(x, y)", "[[ x ]]", "#{x y}", "{# x, y #}", "{{ x }}", "<%= x \\"] {
                let count = |text: &[u8]| text.find_iter(mark).count();
                prop_assert!(count(&fixed) >= count(&source), "{mark}: {:?}", BString::from(fixed.clone()));
            }
        }
    }

    #[test]
    fn the_order_of_the_rules_makes_no_difference(
        source in any_file(),
        settings in any_settings(),
        order in Just(RuleId::ALL.to_vec()).prop_shuffle(),
    ) {
        let order = order.into_iter().filter(|rule| settings.is_on(*rule)).collect();
        let shuffled = Settings { rules: Some(order), ..settings.clone() };
        for level in [Applicability::Safe, Applicability::Unsafe] {
            let fixed = |settings: &Settings| BString::from(lint::fix(None, &source, settings, level).bytes);
            prop_assert_eq!(fixed(&settings), fixed(&shuffled));
        }
    }

    #[test]
    fn all_fixes_together_come_to_an_end(source in any_file(), settings in any_settings()) {
        invariants::all_fixes(&source, &settings);
    }

    #[test]
    fn a_file_that_keeps_its_ids_is_clean_without_the_setting(source in any_file()) {
        let keeping = Settings { keep_default: true, ..Settings::default() };
        let fixed = lint::fix(None, &source, &keeping, Applicability::Safe);
        // What would join or part caches for builds that keep their ids need not for others.
        let left = lint::check_alone(&fixed.bytes, &keeping).findings;
        if left.iter().any(|finding| finding.unfixed.is_some() || finding.fix.is_some()) {
            return Ok(());
        }
        // A short id is intended here, and `missing-default` would ask for another.
        let rules = RuleId::ALL.iter().copied().filter(|rule| *rule != RuleId::MissingDefault).collect();
        let without = Settings { rules: Some(rules), ..Settings::default() };
        let again = lint::fix(None, &fixed.bytes, &without, Applicability::Safe);
        prop_assert_eq!(BString::from(again.bytes), BString::from(fixed.bytes));
    }

    #[test]
    fn with_keep_default_and_no_default_in_the_file_all_ids_stay(source in any_file()) {
        let settings = Settings { keep_default: true, ..Settings::default() };
        // An existing default wins, and an ENV looks like one.
        if source.contains_str("CACHE_ID=") {
            return Ok(());
        }
        let fixed = lint::fix(None, &source, &settings, Applicability::Safe);
        prop_assert_eq!(ids(&source), ids(&fixed.bytes));
    }

    #[test]
    fn with_keep_default_a_build_that_passes_nothing_keeps_its_ids(source in any_file()) {
        // No file has this name; an argument's existing value would win.
        let settings = Settings { arg: "NEW_LANE".into(), keep_default: true, ..Settings::default() };
        let fixed = lint::fix(None, &source, &settings, Applicability::Safe);
        prop_assert_eq!(ids(&source), ids(&fixed.bytes));
    }

    #[test]
    fn no_lane_is_written_where_it_would_do_nothing(source in any_file()) {
        let namespace = Settings { namespace: true, ..Settings::default() };
        let refused = Settings { profile: PROFILES.iter().find(|profile| profile.fixed.is_some()), ..Settings::default() };
        for settings in [namespace, refused] {
            let fixed = lint::fix(None, &source, &settings, Applicability::Unsafe);
            let (Ok(before), Ok(after)) = (Dockerfile::read(&source), Dockerfile::read(&fixed.bytes)) else { continue };
            let lanes = |file: &Dockerfile<'_>| {
                file.mounts().filter(|(_, mount)| mount.id_word().is_some_and(|id| id.mentions("CACHE_ID"))).count()
            };
            prop_assert!(lanes(&after) <= lanes(&before), "{:?}", BString::from(fixed.bytes.clone()));
        }
    }
}
