//! Pipelines of GitLab and Buildkite: their builds, and the lane passed to them.

mod buildkite;
mod gitlab;
mod properties;

use cachelane::builds::{
    self, Build, BuildFile, Buildkite, FormatRef, Gitlab, Lane, Parts, ReadError, Runs,
};
use cachelane::fix::{Fix, apply};

#[derive(Clone, Copy)]
pub(crate) struct Format(FormatRef);

impl Format {
    pub(crate) fn read(self, source: &str) -> Result<BuildFile, ReadError> {
        self.0.read(source)
    }

    pub(crate) fn pass(self, source: &str, build: &Build, lane: &Lane<'_>) -> Result<Fix, String> {
        crate::pass::pass(self.0, source, build, lane)
    }
}

pub(crate) const GITLAB: Format = Format(&Gitlab);
pub(crate) const BUILDKITE: Format = Format(&Buildkite);
pub(crate) const ALL: [Format; 2] = [GITLAB, BUILDKITE];

pub(crate) const LANE: Lane<'static> = Lane {
    arg: "CACHE_ID",
    default: "default",
    parts: Parts::JOB,
};

/// Returns a build in one line: what, arguments, how often, and who runs it.
fn line(build: &Build) -> String {
    let mut line = build.subject.to_string();
    if let Some(target) = &build.target {
        line += &format!(" target={target}");
    }
    for arg in &build.args {
        let name = arg.name.as_str().unwrap_or("*");
        line += &format!(" {name}={}", arg.value.as_deref().unwrap_or("?"));
    }
    if !build.args_known {
        line += " …";
    }
    if let Runs::Matrix(axes) = &build.runs {
        let axes: Vec<String> = axes.iter().map(ToString::to_string).collect();
        line += &format!(" ×{}", axes.join(","));
    }
    line += &format!(" @{}", build.jobs.join("+"));
    line
}

/// Returns the builds, the unknown ones (in parentheses) and the calls (with an arrow), a line each.
pub(crate) fn lines(format: Format, source: &str) -> Vec<String> {
    let build_file = match format.read(source) {
        Ok(build_file) => build_file,
        Err(error) => return vec![format!("no YAML: {error}")],
    };
    let builds = build_file.builds.iter().map(line);
    let unknown = build_file
        .unknown
        .iter()
        .map(|unknown| format!("({})", unknown.why));
    builds
        .chain(unknown)
        .chain(
            build_file
                .calls
                .iter()
                .map(|call| format!("→ {} {:?}", call.path, call.runs)),
        )
        .collect()
}

/// Returns the file with the lane passed to every build that lacks it, or the reason why not.
pub(crate) fn fixed(format: Format, source: &str, lane: &Lane<'_>) -> Result<String, String> {
    let build_file = format.read(source).map_err(|error| error.message)?;
    let passes = |build: &Build| {
        build
            .args
            .iter()
            .chain(build.env.iter())
            .any(|arg| arg.name.is(lane.arg))
    };
    let fixes = build_file
        .builds
        .iter()
        .filter(|build| !passes(build))
        .map(|build| format.pass(source, build, lane));
    let fixes: Vec<_> = fixes.collect::<Result<_, _>>()?;
    let applied = apply(source.as_bytes(), &fixes.iter().collect::<Vec<_>>());
    assert!(
        applied.deferred.is_empty(),
        "fixes of one file get in each other's way: {source}"
    );
    let text = String::from_utf8(applied.bytes).unwrap();
    // Everything passes now, and the builds are the same as before.
    let again = format.read(&text).unwrap();
    assert_eq!(again.builds.len(), build_file.builds.len(), "{text}");
    for (new, old) in again.builds.iter().zip(&build_file.builds) {
        assert!(passes(new), "{text}");
        assert_eq!(
            (&new.subject, &new.target, &new.runs, &new.jobs),
            (&old.subject, &old.target, &old.runs, &old.jobs),
            "{text}"
        );
        let rest: Vec<_> = new
            .args
            .iter()
            .filter(|arg| !arg.name.is(lane.arg))
            .map(|arg| (&arg.name, &arg.value))
            .collect();
        let before: Vec<_> = old
            .args
            .iter()
            .filter(|arg| !arg.name.is(lane.arg))
            .map(|arg| (&arg.name, &arg.value))
            .collect();
        assert_eq!(rest, before, "{text}");
    }
    Ok(text)
}

/// Checks every case of a table, and names all that differ.
pub(crate) fn all(format: Format, cases: &[(&str, &[&str])]) {
    let wrong = cases.iter().filter_map(|(source, expected)| {
        let found = lines(format, source);
        (found != *expected).then(|| format!("{source}\n   is {found:?}\n  not {expected:?}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn formats_go_by_name_and_folder() {
    for (path, expected) in [
        (".github/workflows/ci.yml", "Some(Github)"),
        ("a/.github/workflows/ci.yaml", "Some(Github)"),
        ("x.github/workflows/ci.yml", "None"),
        ("build/action.yml", "Some(Github)"),
        (".gitlab-ci.yml", "Some(Gitlab)"),
        ("ci/build.gitlab-ci.yml", "Some(Gitlab)"),
        ("config.yml", "None"),
        (".buildkite/pipeline.yml", "Some(Buildkite)"),
        (".buildkite/docker-compose.yml", "Some(Compose)"),
        ("azure-pipelines.yml", "None"),
        ("docker-compose.yml", "Some(Compose)"),
        ("compose.prod.yaml", "Some(Compose)"),
        ("docker-compose-dev.yml", "Some(Compose)"),
        ("composer.yml", "None"),
        ("docker-bake.hcl", "Some(Bake)"),
        ("docker-bake.override.json", "Some(Bake)"),
        ("docker-bake-ci.hcl", "Some(Bake)"),
        ("docker-bakery.hcl", "None"),
        ("values.yaml", "None"),
    ] {
        assert_eq!(format!("{:?}", builds::format(path)), expected, "{path}");
    }
}
