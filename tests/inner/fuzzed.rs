//! The seeds of fuzzing, run through its targets' checks without a fuzzer, and its past findings by name.

use std::collections::BTreeSet;
use std::panic;

use bstr::BStr;
use cachelane::builds::{Bake, Buildkite, Compose, Contents, Github, Lane, Parts};
use cachelane::dockerfile::Dockerfile;
use cachelane::finding::{Finding, RuleId};
use cachelane::fix::{Applicability, apply};
use cachelane::lint;
use cachelane::rules::Settings;

use crate::effort::effort;
use crate::pass::pass;
use crate::{formats, seeds, targets};

type Target = fn(&[u8]);

/// Returns the findings in a file that is checked by itself.
fn left(source: &[u8]) -> Vec<Finding> {
    lint::check_alone(source, &Settings::default()).findings
}

/// The targets by name. `tests/outer/parity` asks the official parser.
const TARGETS: &[(&str, Target)] = &[
    ("reader", targets::reader),
    ("parity", targets::reader),
    ("fix", targets::fix),
    ("config", targets::config),
    ("ignores", targets::ignores),
    ("lane", targets::lane),
    ("github", formats::github),
    ("pipelines", formats::pipelines),
    ("compose", formats::compose),
    ("bake", formats::bake),
];

/// A tenth of the seeds in a plain run.
#[test]
fn what_fuzzing_starts_from_holds() {
    let all = seeds::seeds();
    let named: BTreeSet<&str> = all.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, TARGETS.iter().map(|(name, _)| *name).collect());
    let every = 10usize.div_ceil(effort() as usize);
    for (name, input) in all.into_iter().step_by(every) {
        let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
        let held = panic::catch_unwind(|| target(&input));
        assert!(held.is_ok(), "{name} fails for {:?}", BStr::new(&input));
    }
}

#[test]
fn every_target_is_here() {
    let listed = include_str!("../../fuzz/src/lib.rs")
        .matches("    (\"")
        .count();
    let run = include_str!("../../fuzz/run")
        .lines()
        .find_map(|line| line.strip_prefix("known=("))
        .unwrap();
    assert!(
        run.trim_end_matches(')')
            .split(' ')
            .eq(TARGETS.iter().map(|(name, _)| *name)),
        "{run}"
    );
    assert_eq!(listed, TARGETS.len());
}

/// Found by `fix` and `ignores`: the line went as a whole, with a word on it that names no variable; the proof refused
/// the fix.
#[test]
fn an_arg_line_with_a_word_that_is_no_name_is_not_taken_for_one_with_the_lane_alone() {
    for word in ["VERSION-A=1", "1A", "A.B"] {
        let head = "FROM debian:12\n";
        let tail = "RUN true\n";
        let run = "RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update\n";
        let source = format!("{head}ARG CACHE_ID=default {word}\n{tail}{run}");
        let fixed = lint::fix(
            None,
            source.as_bytes(),
            &Settings::default(),
            Applicability::Safe,
        );
        assert_eq!(fixed.dropped, []);
        let expected = format!("{head}ARG {word}\n{tail}ARG CACHE_ID=default\n{run}");
        assert_eq!(BStr::new(&fixed.bytes), BStr::new(&expected));
    }
}

/// Found by `compose`: the argument was put before the blank line that ends the Dockerfile within, which lost it.
#[test]
fn a_blank_line_that_ends_a_dockerfile_within_a_compose_file_stays_its_own() {
    let source = "services:\n  web:\n    build:\n      dockerfile_inline: |\n        FROM debian\n         \nvolumes: {}\n";
    let before = Compose.read(source).unwrap();
    let lane = Lane {
        arg: "CACHE_ID",
        default: "default",
        parts: Parts::JOB,
    };
    let new = match pass(&Compose, source, &before.builds[0], &lane) {
        Ok(fix) => String::from_utf8(apply(source.as_bytes(), &[&fix]).bytes).unwrap(),
        Err(_) => source.to_owned(),
    };
    let after = Compose.read(&new).unwrap();
    assert_eq!(before.inline[0].text, after.inline[0].text, "{new}");
    formats::compose(source.as_bytes());
}

/// Found by `compose`: YAML ends a line at a carriage return alone, so that the text is not the file's bytes.
#[test]
fn a_carriage_return_alone_leaves_a_dockerfile_within_without_places() {
    let source = "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM a\r        RUN true\n";
    let build_file = Compose.read(source).unwrap();
    assert_eq!(
        (
            build_file.inline[0].text.as_str(),
            build_file.inline[0].map.is_empty()
        ),
        ("FROM a\nRUN true\n", true)
    );
    formats::compose(source.as_bytes());
}

/// Found by `fix`: the value was moved as text, which it is not, and the proof refused the fix; now it is reported for
/// a change by hand.
#[test]
fn a_value_that_is_no_text_is_not_moved() {
    let run = b"RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update\n";
    let source = [
        b"FROM debian\nARG CACHE_ID=\x98a\nRUN true\n".as_slice(),
        run,
    ]
    .concat();
    let fixed = lint::fix(None, &source, &Settings::default(), Applicability::Safe);
    assert_eq!(fixed.dropped, []);
    assert_eq!(BStr::new(&fixed.bytes), BStr::new(&source));
    let left = left(&fixed.bytes);
    let found = left
        .iter()
        .find(|finding| finding.rule == RuleId::EarlyArg)
        .expect("it is still said");
    assert!(!found.is_fixable());
}

/// Found by `ignores`: the same, with the ARG below the RUN that needs it. A line above gets the default.
#[test]
fn a_late_value_that_is_no_text_stays_where_it_is() {
    let head = b"FROM debian:12\n".as_slice();
    let tail =
        b",target=/var/cache/apt,sharing=locked true\nARG CACHE_ID=\xE5\nRUN true\n".as_slice();
    let source = [head, b"RUN --mount=type=cache,id=apt", tail].concat();
    let fixed = lint::fix(None, &source, &Settings::default(), Applicability::Safe);
    assert_eq!(fixed.dropped, []);
    let expected = [
        head,
        b"ARG CACHE_ID=default\nRUN --mount=type=cache,id=apt-${CACHE_ID}",
        tail,
    ]
    .concat();
    assert_eq!(BStr::new(&fixed.bytes), BStr::new(&expected));
}

/// Found by `bake`: the place of an error lay within a character.
#[test]
fn the_place_of_an_error_in_hcl_tears_no_character() {
    for width in 0..4 {
        let source = format!(
            "target \"a\" {{\n{}\u{5DC}\u{2192}\u{1F600}\n}}\n",
            "a".repeat(width)
        );
        let error = Bake.read(&source).expect_err("it is no HCL");
        assert!(
            source.get(error.span.start..error.span.end).is_some(),
            "{error:?} in {source}"
        );
        formats::bake(source.as_bytes());
    }
}

/// Found by `fix`: with a template's expression in the mount, an id's last `$` was not looked at.
#[test]
fn an_id_that_ends_in_a_dollar_gets_no_lane_beside_a_template_expression() {
    let source = b"FROM a\nRUN --mount=type=cache,id=money$,target=/x[[y]],sharing=locked true\n";
    let fixed = lint::fix(None, source, &Settings::default(), Applicability::Safe);
    assert_eq!(fixed.dropped, []);
    assert_eq!(BStr::new(&fixed.bytes), BStr::new(source));
}

/// Found by `fix`: unlike BuildKit and the rules, the proof did not split words at a vertical tab, and refused the fix.
#[test]
fn the_proof_splits_an_arg_line_where_buildkit_does() {
    let run = "RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update\n";
    for blank in ["\u{B}", "\u{C}", "\u{85}", "\u{3000}"] {
        let source = format!("FROM a\nARG CACHE_ID{blank}B\nRUN true\n{run}");
        let fixed = lint::fix(
            None,
            source.as_bytes(),
            &Settings::default(),
            Applicability::Safe,
        );
        assert_eq!(fixed.dropped, [], "{blank:?}");
        assert!(
            fixed
                .bytes
                .ends_with(format!("RUN true\nARG CACHE_ID=default\n{run}").as_bytes()),
            "{blank:?}"
        );
    }
}

/// Found by `ignores`: without the first word, the next one would have been a flag of the ARG, and the proof refused
/// the fix; now it is reported for a change by hand.
#[test]
fn a_word_that_would_become_a_flag_keeps_the_arg_where_it_is() {
    let run = "RUN --mount=type=cache,id=apt-${CACHE_ID},target=/var/cache/apt,sharing=locked apt-get update\n";
    let source = format!("FROM a\nARG CACHE_ID=a --b=1\nRUN true\n{run}");
    let fixed = lint::fix(
        None,
        source.as_bytes(),
        &Settings::default(),
        Applicability::Safe,
    );
    assert_eq!(fixed.dropped, []);
    assert_eq!(BStr::new(&fixed.bytes), BStr::new(&source));
    assert!(
        left(&fixed.bytes)
            .iter()
            .any(|finding| finding.rule == RuleId::EarlyArg && !finding.is_fixable())
    );
}

/// Found by `bake`: YAML that is no JSON was read as a bake file, and the fix panicked at the places of its keys.
#[test]
fn yaml_in_brackets_that_is_no_json_is_no_bake_file() {
    for source in [
        "{\n  \"target\": {\n    \"a\": {\"args\":!{0\n \"CACHE_I@\": \"b\"}}\n  }\n}\n",
        "{target: {a: {args: {X: 1}}}}",
        "{\"target\": {\"a\": {\"context\": \".\",}}}",
    ] {
        let error = Bake.read(source).expect_err("it is no JSON");
        assert!(
            source.get(error.span.start..error.span.end).is_some(),
            "{error:?}"
        );
        formats::bake(source.as_bytes());
    }
}

/// Found by `fix` and `ignores`: the target was to be the id without its quotes, and would have ended at its blank, or
/// at a block's tag.
#[test]
fn a_quoted_target_beside_a_template_expression_is_no_id() {
    for (target, safe) in [
        ("'/x {{ y }} z'", false),
        ("'/x{% endif %}'", false),
        ("/x{{ y }}/\u{E0}", false),
        ("'/x{{ y }}'", true),
        ("'/x{% if y %}/y{% endif %}'", true),
    ] {
        let source =
            format!("FROM a\nRUN --mount=type=cache,sharing=locked,target={target} true\n");
        let fixed = lint::fix(
            None,
            source.as_bytes(),
            &Settings::default(),
            Applicability::Safe,
        );
        assert_eq!(fixed.dropped, [], "{target}");
        assert_eq!(fixed.bytes != source.as_bytes(), safe, "{target}");
    }
}

/// Found by `ignores`: an error at the end of an instruction could not be suppressed above it.
#[test]
fn what_is_missing_at_the_end_of_an_instruction_can_be_suppressed() {
    for end in ["", "\n", "\nRUN true\n"] {
        let source = format!("FROM a\nRUN --mount=type=cach,target=/x,{end}");
        let settings = Settings::default();
        let findings = lint::check_alone(source.as_bytes(), &settings).findings;
        assert_eq!(findings.len(), 2, "{findings:?}");
        let suppressed = targets::with_ignores(source.as_bytes()).unwrap();
        let expected = source.replace("\nRUN --", "\n# cachelane: ignore[invalid-mount]\nRUN --");
        assert_eq!(BStr::new(&suppressed.bytes), BStr::new(&expected));
    }
}

/// Found by a stricter invariant of `fix`: a default changed another ARG's value, and with it a RUN. It is a change by
/// hand.
#[test]
fn a_default_that_another_argument_is_made_of_needs_review() {
    let run = "RUN --mount=type=cache,id=a-${CACHE_ID},target=/x,sharing=locked true\n";
    for (uses, safe) in [
        ("RUN echo $X\n", false),
        ("RUN echo $Y\n", false),
        ("RUN true\n", true),
    ] {
        let source = format!("FROM a\nARG CACHE_ID\nARG X=${{CACHE_ID}} Y=\"${{X}}\"\n{uses}{run}");
        let fixed = lint::fix(
            None,
            source.as_bytes(),
            &Settings::default(),
            Applicability::Safe,
        );
        assert_eq!(fixed.bytes != source.as_bytes(), safe, "{uses}");
        assert!(
            safe || left(&fixed.bytes)
                .iter()
                .any(|finding| finding.rule == RuleId::MissingDefault)
        );
    }
}

/// Found in the same way: a secret's id was taken for a cache's, and got another value by a safe fix.
#[test]
fn a_secret_that_is_named_by_the_lane_needs_review() {
    let cache = "RUN --mount=type=cache,id=a-${CACHE_ID},target=/x,sharing=locked true\n";
    for (kind, safe) in [("secret", false), ("ssh", false), ("cache", true)] {
        let source =
            format!("FROM a\n{cache}RUN --mount=type={kind},id=n-${{CACHE_ID}},target=/y true\n");
        let fixed = lint::fix(
            None,
            source.as_bytes(),
            &Settings::default(),
            Applicability::Safe,
        );
        assert_eq!(fixed.bytes != source.as_bytes(), safe, "{kind}");
    }
}

/// Found by `ignores`: the comments for the file and for its first instruction had the same place, and none was
/// written.
#[test]
fn the_file_and_its_first_instruction_can_be_suppressed_at_once() {
    let run = "RUN --mount=type=cache,id=a-${CACHE_ID},target=/x,sharing=locked true\n";
    let source = format!("# syntax=docker/dockerfile:1.2\n{run}");
    let suppressed = targets::with_ignores(source.as_bytes()).unwrap();
    let lines = "# cachelane: ignore-file[old-frontend]\n# cachelane: ignore[undeclared-arg]\n";
    assert_eq!(
        BStr::new(&suppressed.bytes),
        BStr::new(&format!("# syntax=docker/dockerfile:1.2\n{lines}{run}"))
    );
}

/// Found by `reader`: a stage's number may be the greatest possible, and a snippet before it adds one.
#[test]
fn a_stage_of_any_number_is_looked_for() {
    for number in [usize::MAX, usize::MAX - 1, 7] {
        let source = format!(
            "RUN true\nFROM b\nRUN --mount=type=bind,from={number},target=/x true\nCOPY --from={number} / /\n"
        );
        targets::reader(source.as_bytes());
        assert_eq!(
            Dockerfile::read(source.as_bytes()).unwrap().stages[1].uses,
            []
        );
    }
}

/// Found by `ignores`: `early-arg` did not see an escaped name, and moved a line down that `undeclared-arg` moved up
/// again.
#[test]
fn an_escaped_name_keeps_its_declaration() {
    let cache =
        |id: &str, target: &str| format!("RUN --mount=type=cache,id={id},target={target} true\n");
    let source = format!(
        "FROM a\n{}{}",
        cache("m-${CACHE_\\ID}", "/x"),
        cache("m-${CACHE_ID}", "/y")
    );
    let fixed = lint::fix(
        None,
        source.as_bytes(),
        &Settings::default(),
        Applicability::Safe,
    );
    let expected = source.replacen("RUN", "ARG CACHE_ID=default\nRUN", 1);
    assert_eq!(
        (fixed.made.len(), BStr::new(&fixed.bytes)),
        (2, BStr::new(&expected))
    );
    let arg = format!(
        "FROM a\nARG CACHE_ID=default\nRUN true\n{}",
        cache("m-${CACHE_ID}", "/y")
    );
    let fixed = lint::fix(
        None,
        arg.as_bytes(),
        &Settings::default(),
        Applicability::Safe,
    );
    assert_eq!(fixed.made.len(), 1);
}

/// Found by the properties: in a snippet, an ARG came between `#!…` and the `# syntax=` below it, which disabled it.
#[test]
fn nothing_comes_between_a_first_line_for_the_kernel_and_the_syntax_line() {
    for top in [
        "#!/usr/bin/env x\n# escape=`\n# syntax=docker/dockerfile:1\n",
        "#!/bin/sh\n// syntax=docker/dockerfile:1\n",
    ] {
        let source = format!("{top}RUN --mount=type=cache,id=a-${{CACHE_ID}},target=/x true\n");
        let fixed = lint::fix(
            None,
            source.as_bytes(),
            &Settings::default(),
            Applicability::Unsafe,
        );
        let expected = source.replacen("RUN", "ARG CACHE_ID=default\nRUN", 1);
        assert_eq!(BStr::new(&fixed.bytes), BStr::new(&expected));
    }
}

/// Found by `pipelines`: a build within another one's context, whose argument is quoted with the outer build.
#[test]
fn a_build_in_the_context_of_another_gets_its_lane() {
    let steps = "steps:\n- bash: docker build $(yst && docker bl.x && docker build .\n";
    formats::pipelines(&[b"\x03", steps.as_bytes()].concat());
    formats::pipelines(
        &[
            b"\x03stages:\n- stage: s\n  jobs:\n  - job: j\n    ",
            steps.replace('\n', "\n    ").as_bytes(),
        ]
        .concat(),
    );
}

/// Found by `pipelines`: a step's script that is an alias for a key elsewhere. A key with the lane in it is another
/// one.
#[test]
fn a_script_that_is_another_mapping_s_key_stays() {
    for key in ["&c docker build .", "!command: &c docker build ."] {
        let steps = format!("\u{2}steps:\n  - {{kk: ey, {key}}}\n  - {{key: l, command: *c}}\n");
        formats::pipelines(steps.as_bytes());
        let pipeline = &steps[1..];
        let build_file = Buildkite.read(pipeline).unwrap();
        let lane = Lane {
            arg: "CACHE_ID",
            default: "default",
            parts: Parts::JOB,
        };
        let refused = pass(&Buildkite, pipeline, &build_file.builds[0], &lane);
        assert!(refused.unwrap_err().contains("not clear"));
    }
}

/// Found by `fix`: without the suppression, the line below would begin with the file's byte-order mark.
#[test]
fn a_suppression_above_a_byte_order_mark_stays() {
    let source = "# cachelane: ignore-file[early-arg] x\n\u{FEFF}RUN --mount=type=cache,target=/x true\nRUN true\n";
    targets::fix(&[b"\0\0", source.as_bytes()].concat());
    let findings = lint::check_alone(source.as_bytes(), &Settings::default()).findings;
    let finding = findings
        .iter()
        .find(|finding| finding.rule == RuleId::UnusedIgnore)
        .unwrap();
    assert!(finding.fix.is_none() && finding.unfixed.as_ref().unwrap().contains("first mark"));
}

/// Found by `ignores`: the comment above an ARG suppressed the fix of `early-arg`, and with it the reason for that
/// rule's silence.
#[test]
fn what_shows_once_others_are_suppressed_is_suppressed_too() {
    let source = "ARG CACHE_ID\nRUN --mount=type=cache,id=a,target=/x,sharing=locked x\n\
        RUN --mount=type=cache,id=b-${CACHE_ID},target=/y x\n";
    let settings = Settings::default();
    let checked = lint::check_alone(source.as_bytes(), &settings);
    assert_eq!(checked.findings.len(), 2);
    let suppressed = targets::with_ignores(source.as_bytes()).unwrap();
    assert!(
        suppressed
            .bytes
            .starts_with(b"# cachelane: ignore[missing-default, early-arg]\nARG")
    );
    assert_eq!(
        (
            suppressed.made.len(),
            lint::check_alone(&suppressed.bytes, &settings).findings
        ),
        (3, Vec::new())
    );
    targets::ignores(source.as_bytes());
}

/// Found by `parity`: `#{…}` and `[[ … ]]` are a template's only where the file is one. BuildKit splits at their
/// blanks.
#[test]
fn what_looks_like_an_expression_is_none_in_a_plain_file() {
    let declared = |text: &str| {
        Dockerfile::read(text.as_bytes())
            .unwrap()
            .declarations("c")
            .len()
    };
    assert_eq!(declared("FROM a\nARG #{h c=a t}\n"), 1);
    assert_eq!(declared("FROM a\nENV x=[[ c=a ]]\n"), 1);
    assert_eq!(declared("FROM a\nARG x={{ h c=a t }}\n"), 0);
    assert_eq!(
        declared("FROM a\nARG #{h c=a t}\nRUN --mount=type=cache,id=#{x},target=/x true\n"),
        0
    );
}

/// Found by `fix`: a safe fix moved a target with a partly quoted variable, and one with a variable across lines.
#[test]
fn a_name_that_quotes_or_line_breaks_part_is_used_all_the_same() {
    let is_unsafe = |source: &str| {
        targets::fix(&[b"\0\0", source.as_bytes()].concat());
        let findings = lint::check_alone(source.as_bytes(), &Settings::default()).findings;
        findings
            .iter()
            .filter_map(|finding| finding.fix.as_ref())
            .all(|fix| fix.applicability() == Applicability::Unsafe)
            && !findings.is_empty()
    };
    let locked = "--mount=type=cache,id=a,sharing=locked,target=/x";
    assert!(is_unsafe(
        "RUN --mount=type=cache,target='/a-${CACHE'_ID} x\n"
    ));
    assert!(is_unsafe(&format!("RUN {locked} echo ${{CACHE_\\\nID}}\n")));
    assert!(is_unsafe(&format!(
        "RUN {locked} --mount=type=bind,target=/b${{CACH'E_ID'}} x\n"
    )));
    assert!(!is_unsafe(&format!(
        "RUN {locked} echo ${{CACHE_\\\nIDS}}\n"
    )));
    let used = "ARG CACHE_ID=x\nRUN --mount=type=bind,target=/b${CACH'E_ID'} x\n\
        RUN --mount=type=cache,id=a-${CACHE_ID},target=/x x\n";
    assert!(
        lint::check_alone(used.as_bytes(), &Settings::default())
            .findings
            .is_empty()
    );
}

/// Found by `parity` and intended: the engine's reading of a tag is not known, and a lone `--` behind it ends the
/// flags.
#[test]
fn two_dashes_behind_a_template_s_tag_end_the_flags() {
    let file = Dockerfile::read(b"RUN {% if x %}-- --mount=type=cache,target=/x y\n").unwrap();
    let run = &file.instructions[0];
    assert_eq!(
        (run.flags.len(), BStr::new(run.arguments())),
        (0, BStr::new("--mount=type=cache,target=/x y"))
    );
}

/// Found by `github`: behind carriage returns, which end lines in YAML, an argument was put within a text.
#[test]
fn an_argument_that_would_end_a_text_is_left_to_people() {
    let source = "jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n        with:\n          \
        context: .\n          labels: |+\n \r\r\r        x: y\n";
    let build_file = Github.read(source).unwrap();
    let lane = Lane {
        arg: "CACHE_ID",
        default: "default",
        parts: Parts::JOB,
    };
    assert!(
        pass(&Github, source, &build_file.builds[0], &lane)
            .unwrap_err()
            .contains("not clear")
    );
}

/// Found by `fix`: a suppression above a directive that ends with one itself was to be removed, and the fix was
/// refused.
#[test]
fn a_suppression_above_a_directive_that_ends_with_one_stays() {
    let source =
        "# cachelane: ignore[shared-lock]\n# syntax=x # cachelane: ignore[shared-lock]\nFROM a\n";
    targets::fix(&[b"\0\0", source.as_bytes()].concat());
    let findings = lint::check_alone(source.as_bytes(), &Settings::default()).findings;
    let unused: Vec<_> = findings
        .iter()
        .filter(|finding| finding.rule == RuleId::UnusedIgnore)
        .collect();
    assert!(
        !unused.is_empty() && unused.iter().all(|finding| finding.fix.is_none()),
        "{unused:?}"
    );
}

/// Found by `pipelines`: a script that another mapping has for a key, by an alias, got an argument.
#[test]
fn a_script_that_is_a_key_elsewhere_is_left_to_people() {
    let source = "steps:\n  - {key: k, command: &c docker build .}\n  - {key: l, *c : x}\n";
    let build_file = Buildkite.read(source).unwrap();
    let lane = Lane {
        arg: "CACHE_ID",
        default: "default",
        parts: Parts::JOB,
    };
    assert!(
        pass(&Buildkite, source, &build_file.builds[0], &lane)
            .unwrap_err()
            .contains("not clear")
    );
}

/// Found by `fix`: without a moved ARG, the next line began the file, with bytes that are a byte-order mark there.
#[test]
fn an_arg_above_a_byte_order_mark_stays() {
    let source = "ARG CACHE_ID=x\n\u{FEFF}RUN a\nRUN b\nRUN --mount=type=cache,id=a-${CACHE_ID},target=/x x\n";
    targets::fix(&[b"\0\0", source.as_bytes()].concat());
    let findings = lint::check_alone(source.as_bytes(), &Settings::default()).findings;
    let early = findings
        .iter()
        .find(|finding| finding.rule == RuleId::EarlyArg)
        .unwrap();
    assert!(early.fix.is_none() && early.unfixed.is_some());
}
