//! Dockerfiles, suppressions, configurations and lanes.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use bstr::ByteSlice as _;
use cachelane::builds::ci::{self, Typed};
use cachelane::builds::{self, argv};
use cachelane::config::{Config, Overrides};
use cachelane::dockerfile::{Dockerfile, Keyword};
use cachelane::finding::{RuleId, Severity};
use cachelane::fix::{Fix, apply};
use cachelane::lint::{self, FileReport, Fixed};
use cachelane::rules::Settings;
use cachelane::rules::profile::PROFILES;
use cachelane::suppress;
use cachelane::text::{Mapped, Span};

use crate::invariants;

fn holds(outer: Span, inner: Span) {
    assert!(
        outer.start <= inner.start && inner.start <= inner.end && inner.end <= outer.end,
        "{inner:?} in {outer:?}"
    );
}

/// Everything that is read stands in the file, in order.
pub fn reader(data: &[u8]) {
    let whole = Span::new(0, data.len());
    let file = match Dockerfile::read(data) {
        Ok(file) => file,
        Err(error) => return holds(whole, error.span),
    };
    assert!(file.top <= data.len());
    let mut at = 0;
    for (index, instruction) in file.instructions.iter().enumerate() {
        let span = instruction.span;
        holds(whole, span);
        assert!(
            at <= span.start
                && instruction.lead <= span.start
                && instruction.lines.0 <= instruction.lines.1
        );
        assert!(instruction.args <= instruction.text.bytes().len());
        stands(data, &instruction.text);
        for flag in &instruction.flags {
            holds(span, flag.span);
            stands(data, &flag.text);
        }
        holds(span, instruction.name);
        instruction
            .heredocs
            .iter()
            .for_each(|doc| holds(span, doc.body));
        instruction
            .comments
            .iter()
            .for_each(|comment| holds(span, *comment));
        for mount in &instruction.mounts {
            holds(span, mount.span);
            stands(data, &mount.text);
            let places = mount
                .fields
                .iter()
                .map(|field| mount.text.span(field.start, field.end));
            places.for_each(|place| holds(span, place));
        }
        assert!(span.is_empty() || file.instruction_at(span.start) == Some(index));
        at = span.end;
    }
    file.directives
        .iter()
        .for_each(|directive| holds(Span::new(0, file.top), directive.value));
    let mut next = None;
    for stage in &file.stages {
        let from = stage.from.unwrap_or(stage.instructions.start);
        assert!(
            next.is_none_or(|next| next == from),
            "a stage begins where the one before ends"
        );
        assert!(
            stage
                .from
                .is_none_or(|from| file.instructions[from].keyword == Keyword::From)
        );
        assert!(
            stage
                .instructions
                .clone()
                .all(|index| file.stage_of(index) == Some(stage.index))
        );
        next = Some(stage.instructions.end);
    }
    assert!(next.is_none_or(|next| next == file.instructions.len()));
}

/// Each byte of `text` is the byte of the file that it says it is, further down than the one before.
fn stands(data: &[u8], text: &Mapped<'_>) {
    let places: Vec<usize> = (0..text.bytes().len()).map(|at| text.source(at)).collect();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(
        places
            .iter()
            .zip(text.bytes())
            .all(|(place, byte)| data.get(*place) == Some(byte))
    );
}

/// Settings that follow from two bytes.
fn settings(bits: u8, rules: u8) -> Settings {
    let bit = |number: u8| bits >> number & 1 == 1;
    Settings {
        arg: if bit(0) { "OWN" } else { "CACHE_ID" }.to_owned(),
        keep_default: bit(1),
        namespace: bit(2) && bit(3),
        require_syntax: bit(4),
        profile: (bit(5) && bit(6)).then(|| PROFILES.first()).flatten(),
        isolating: if bit(7) {
            vec!["TARGETARCH".to_owned()]
        } else {
            Vec::new()
        },
        rules: match usize::from(rules) {
            0..128 => None,
            rule => Some(
                RuleId::ALL
                    .iter()
                    .copied()
                    .skip(rule % RuleId::ALL.len())
                    .step_by(2)
                    .collect(),
            ),
        },
        ..Settings::default()
    }
}

/// A fix is small, comes to an end and reads as before.
pub fn fix(data: &[u8]) {
    let [bits, rules, source @ ..] = data else {
        return;
    };
    let settings = settings(*bits, *rules);
    invariants::safe_fix(source, &settings);
    invariants::all_fixes(source, &settings);
}

/// Suppressions stand where they say, come out of their lists, and silence what they are added for.
pub fn ignores(data: &[u8]) {
    let whole = Span::new(0, data.len());
    let file = Dockerfile::read(data).ok();
    for outline in suppress::read_outline(data) {
        holds(whole, outline.line);
    }
    let found = suppress::read(data, file.as_ref());
    for ignore in &found {
        holds(whole, ignore.line);
        holds(ignore.line, ignore.comment);
        for (name, span) in &ignore.names {
            holds(ignore.comment, *span);
            assert_eq!(span.of(data).to_str_lossy(), *name);
        }
        if ignore.fault.is_none() && ignore.names.len() > 1 {
            let fix = Fix::safe("", suppress::remove(ignore, &[0]));
            let bytes = apply(data, &[&fix]).bytes;
            let file = Dockerfile::read(&bytes).ok();
            let now = suppress::read(&bytes, file.as_ref());
            let (line, more) = (ignore.line, bytes.len() + ignore.line.len() - data.len());
            assert!(
                data[..line.start] == bytes[..line.start]
                    && data[line.end..] == bytes[line.start + more..]
            );
            let now = now
                .iter()
                .find(|now| now.comment.start == ignore.comment.start)
                .expect("the comment is there");
            assert!(
                now.names
                    .iter()
                    .map(|(name, _)| name)
                    .eq(ignore.names[1..].iter().map(|(name, _)| name))
            );
        }
    }
    let settings = Settings::default();
    let suppressed = with_ignores(data);
    // A comment on top of a file that cannot be read may make another file of it, and then nothing is written.
    assert!(suppressed.is_ok() || file.is_none(), "{suppressed:?}");
    if let Ok(suppressed) = suppressed {
        let again = with_ignores(&suppressed.bytes);
        assert!(
            again.as_ref().is_ok_and(|again| again.made.is_empty()),
            "{again:?}"
        );
        invariants::only_suppressions(data, &suppressed.bytes);
    }
    invariants::safe_fix(data, &settings);
}

/// Suppresses every finding of the Dockerfile `source` from warnings on.
pub fn with_ignores(source: &[u8]) -> Result<Fixed, String> {
    let settings = Arc::new(Settings::default());
    let checked = lint::check_alone(source, &settings);
    let report = FileReport::new(Path::new("Dockerfile"), source, &settings, checked);
    lint::add_ignores(&report, Severity::Warning)
}

/// A configuration is read, or what is wrong with it is said with its place.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let config = match Config::read(text, Overrides::default()) {
        Ok(config) => config,
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                assert!(
                    text.get(problem.span.start..problem.span.end).is_some(),
                    "{problem:?}"
                );
            }
            return;
        }
    };
    for path in [
        "Dockerfile",
        "a/b/Dockerfile.x",
        "legacy/ä/Containerfile",
        "",
        "../x",
        "/x",
    ] {
        let path = Path::new(path);
        let shown = config.show(path, text);
        assert!(shown.iter().filter(|shown| shown.is_rule).count() == RuleId::ALL.len());
        let settings = config.settings(path);
        let _ = (
            config.includes(path),
            config.excludes(path, None),
            config.excludes(path, Some(Path::new("a"))),
        );
        let _ = lint::check(
            b"FROM a\nRUN --mount=type=cache,target=/x,sharing=locked true\n",
            &settings,
        );
    }
    let lines = text.split('\n').count();
    let line = |shown: &cachelane::config::Shown| match shown.origin {
        cachelane::config::Origin::File(line) => line,
        _ => 1,
    };
    assert!(
        config
            .show(Path::new("Dockerfile"), text)
            .iter()
            .all(|shown| (1..=lines).contains(&line(shown)))
    );
    for problem in config.idle(|_| false) {
        assert!(
            text.get(problem.span.start..problem.span.end).is_some(),
            "{problem:?}"
        );
    }
}

/// What comes out is a lane, goes in again unchanged, and a command takes it once.
pub fn lane(data: &[u8]) {
    const NAMES: &[&str] = &[
        "CACHE_ID",
        "GITHUB_ACTIONS",
        "GITHUB_WORKFLOW",
        "GITHUB_JOB",
        "GITLAB_CI",
        "CI_JOB_NAME_SLUG",
        "CI_JOB_NAME",
    ];
    let mut parts = data.split(|&byte| byte == b'\n');
    let mut part = || parts.next().filter(|part| !part.is_empty());
    let typed = Typed {
        lane: part(),
        matrix: part(),
        ..Typed::default()
    };
    let variables: Vec<Option<&[u8]>> = NAMES.iter().map(|_| part()).collect();
    let variable = |name: &str| {
        let at = NAMES.iter().position(|known| *known == name);
        at.map_or(variables[1], |at| variables[at])
            .map(<[u8]>::to_vec)
    };
    let Ok(lane) = ci::lane(typed, variable) else {
        return;
    };
    assert!(ci::is_lane(lane.name.as_bytes()), "{lane:?}");
    let again = ci::lane(
        Typed {
            lane: Some(lane.name.as_bytes()),
            ..Typed::default()
        },
        |_| None,
    )
    .expect("it is no matrix");
    assert_eq!(again.name, lane.name);
    let words: Vec<OsString> = parts
        .map(|word| word.to_str_lossy().into_owned().into())
        .collect();
    for arg in ["CACHE_ID", builds::NAMESPACE] {
        let ask = argv::LaneArg {
            lane: &lane.name,
            arg,
        };
        let Ok(passed) = argv::pass(&words, ask, |_| true) else {
            continue;
        };
        let mut now = passed.words.iter();
        assert!(
            words.iter().all(|word| now.any(|now| now == word)),
            "a word of {words:?} is gone: {:?}",
            passed.words
        );
        let again = argv::pass(&passed.words, ask, |_| true).expect("it was taken before");
        assert_eq!(again.words, passed.words, "a lane is passed twice");
    }
}
