//! Workflows, pipelines, Compose and bake files.

use cachelane::builds::{
    Arg, Bake, Build, BuildFile, Buildkite, Compose, Devcontainer, FormatRef, Github, Gitlab,
    Jenkins, Lane, Make, Parts, Script, Subject,
};
use cachelane::fix::{Applicability, Fix, apply};
use cachelane::lint;
use cachelane::rules::Settings;
use cachelane::text::Span;

use crate::pass::pass;
use crate::trees;

const LANE: Lane<'static> = Lane {
    arg: "CACHE_ID",
    default: "default",
    parts: Parts::JOB,
};

/// How often a lane is passed before it has to be everywhere.
const ROUNDS: usize = 40;

/// A workflow of GitHub's.
pub fn github(data: &[u8]) {
    build_file(&Github, data);
}

/// A Compose file.
pub fn compose(data: &[u8]) {
    build_file(&Compose, data);
}

/// A bake file: JSON where it begins like that.
pub fn bake(data: &[u8]) {
    build_file(&Bake, data);
}

/// A pipeline of the format that the first byte names.
pub fn pipelines(data: &[u8]) {
    let [format, data @ ..] = data else { return };
    let formats: [FormatRef; 6] = [&Gitlab, &Buildkite, &Devcontainer, &Make, &Script, &Jenkins];
    build_file(formats[usize::from(*format) % formats.len()], data);
}

/// What is read stands in the file; a build that a lane is passed to has it, and nothing else has changed.
fn build_file(format: FormatRef, data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else {
        return;
    };
    let build_file = match format.read(source) {
        Ok(build_file) => build_file,
        Err(error) => return stands(source, error.span),
    };
    places(source, &build_file);
    for build in build_file.builds.iter().filter(|build| !passes(build)) {
        let Ok(fix) = pass(format, source, build, &LANE) else {
            continue;
        };
        let new = made(source, &[&fix]);
        same_but_for_the_lane(format, source, &build_file, &new, build);
    }
    everywhere(format, source);
    inline(format, source, &build_file);
}

fn stands(source: &str, span: Span) {
    assert!(
        source.get(span.start..span.end).is_some(),
        "{span:?} in {} bytes",
        source.len()
    );
}

fn places(source: &str, build_file: &BuildFile) {
    let args = |args: &[Arg]| args.iter().for_each(|arg| stands(source, arg.span));
    for build in &build_file.builds {
        stands(source, build.span);
        args(&build.args);
        build.env.iter().for_each(|arg| stands(source, arg.span));
    }
    build_file
        .unknown
        .iter()
        .for_each(|unknown| stands(source, unknown.span));
    build_file
        .calls
        .iter()
        .for_each(|call| stands(source, call.span));
    for inline in &build_file.inline {
        stands(source, inline.span);
        for run in inline.map.runs() {
            let there = source.get(run.source..run.source_end());
            assert_eq!(inline.text.get(run.text..run.text_end()), there);
            assert!(there.is_some());
        }
    }
}

/// Whether it has the lane; a Compose or bake file is built with what its environment holds.
fn passes(build: &Build) -> bool {
    let of_files = matches!(build.subject, Subject::Files(..));
    let has = |arg: &Arg| arg.name.is(LANE.arg);
    build.args.iter().any(has) || (of_files && build.env.iter().any(has))
}

fn made(source: &str, fixes: &[&Fix]) -> String {
    let applied = apply(source.as_bytes(), fixes);
    assert!(
        fixes.len() > 1 || applied.deferred.is_empty(),
        "{fixes:?} overlaps itself"
    );
    String::from_utf8(applied.bytes).expect("an edit tears no character")
}

/// What a build is, apart from its arguments and its place.
fn essence(build: &Build) -> impl PartialEq + std::fmt::Debug + '_ {
    (
        build.tool,
        &build.name,
        &build.subject,
        &build.target,
        &build.runs,
        &build.jobs,
        build
            .service
            .as_ref()
            .map(|service| (&service.name, service.partial, &service.after)),
    )
}

/// The other arguments of a build are as they were. What refers to the lane may come out otherwise, once that is set.
fn same_others(was: &Build, is: &Build, new: &str) {
    let others = |build: &Build| {
        build
            .args
            .iter()
            .filter(|arg| !arg.name.is(LANE.arg))
            .cloned()
            .collect::<Vec<_>>()
    };
    let (was, is) = (others(was), others(is));
    assert!(
        was.iter()
            .map(|arg| &arg.name)
            .eq(is.iter().map(|arg| &arg.name)),
        "other arguments:\n{new}"
    );
    for (was, is) in was.iter().zip(&is) {
        let free = was
            .value
            .as_ref()
            .is_none_or(|value| value.contains(LANE.arg));
        assert!(
            was.value == is.value || free,
            "the argument {:?} has changed:\n{new}",
            was.name
        );
    }
}

fn same_but_for_the_lane(
    format: FormatRef,
    source: &str,
    before: &BuildFile,
    new: &str,
    build: &Build,
) {
    let after = format
        .read(new)
        .unwrap_or_else(|error| panic!("no longer to be read: {error}\n{new}"));
    let at = before
        .builds
        .iter()
        .position(|other| other == build)
        .expect("it is one of them");
    assert_eq!(before.builds.len(), after.builds.len(), "{new}");
    assert!(passes(&after.builds[at]), "the lane is not passed:\n{new}");
    for (was, is) in before.builds.iter().zip(&after.builds) {
        assert_eq!(essence(was), essence(is), "{new}");
        same_others(was, is, new);
    }
    assert_eq!(before.inline.len(), after.inline.len(), "{new}");
    for (was, is) in before.inline.iter().zip(&after.inline) {
        // A bake file's Dockerfile that refers to the lane gets its default, once that is declared.
        assert!(
            was.text == is.text || was.text.contains(LANE.arg),
            "a Dockerfile within has changed:\n{new}"
        );
    }
    assert_eq!(before.unknown.len(), after.unknown.len(), "{new}");
    for (was, is) in before.unknown.iter().zip(&after.unknown) {
        // The reason may quote a substitution that holds the command: what is passed in there may be read as the outer
        // command's own, and the reason be another.
        let quotes = was.why.contains("`$(") && was.why.contains("build");
        assert!(
            quotes || trees::words_stay(&was.why, &is.why),
            "{} became {}:\n{new}",
            was.why,
            is.why
        );
    }
    let calls = |build_file: &BuildFile| {
        build_file
            .calls
            .iter()
            .map(|call| call.path.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(calls(before), calls(&after), "{new}");
    trees::all_is_there(format, source, new);
}

/// Passing all lanes that can be passed comes to an end, and what was passed needs nothing more.
fn everywhere(format: FormatRef, source: &str) {
    let mut source = source.to_owned();
    for _ in 0..ROUNDS {
        let Ok(build_file) = format.read(&source) else {
            panic!("no longer to be read:\n{source}")
        };
        let open = build_file.builds.iter().filter(|build| !passes(build));
        let fixes: Vec<Fix> = open
            .filter_map(|build| pass(format, &source, build, &LANE).ok())
            .collect();
        if fixes.is_empty() {
            return;
        }
        source = made(&source, &fixes.iter().collect::<Vec<_>>());
    }
    panic!("passing lanes goes on and on:\n{source}");
}

/// Dockerfiles within are fixed in their places, once.
fn inline(format: FormatRef, source: &str, before: &BuildFile) {
    if before.inline.is_empty() {
        return;
    }
    let settings = Settings {
        include_generated: true,
        ..Settings::default()
    };
    let fixed = lint::fix(
        Some(format),
        source.as_bytes(),
        &settings,
        Applicability::Safe,
    );
    let new = std::str::from_utf8(&fixed.bytes).expect("an edit tears no character");
    let after = format
        .read(new)
        .unwrap_or_else(|error| panic!("no longer to be read: {error}\n{new}"));
    assert_eq!(before.inline.len(), after.inline.len());
    let around = |text: &str, build_file: &BuildFile| {
        let mut rest = text.to_owned();
        build_file
            .inline
            .iter()
            .rev()
            .for_each(|inline| rest.replace_range(inline.span.start..inline.span.end, ""));
        rest
    };
    assert_eq!(
        around(source, before),
        around(new, &after),
        "something around the Dockerfiles has changed"
    );
    let again = lint::fix(Some(format), &fixed.bytes, &settings, Applicability::Safe);
    assert_eq!(
        again.bytes, fixed.bytes,
        "fixing again changes more:\n{new}"
    );
    // A comment above one holds for it, which its text alone does not show; and one in its text stays there.
    let is_suppressed = source.contains("cachelane:");
    if fixed.dropped.is_empty() && !is_suppressed {
        for (was, is) in before.inline.iter().zip(&after.inline) {
            let meant = lint::fix(None, was.text.as_bytes(), &settings, Applicability::Safe).bytes;
            // Nor does it that an id is all the file's own variable, which may be empty.
            if !was.text.contains("id={{ ") {
                assert_eq!(is.text.as_bytes(), meant);
            }
        }
    }
}
