//! The formats: which file is of which, and who reads it.

use super::model::{BuildFile, Kind, ReadError};
use super::{bake, buildkite, compose, github, gitlab};

/// What the file `source` says about builds.
///
/// # Errors
/// [`BuildFileError`] where it cannot be read as what it is.
pub fn read(kind: Kind, source: &str) -> Result<BuildFile, ReadError> {
    match kind {
        Kind::Github => github::read(source),
        Kind::Compose => compose::read(source),
        Kind::BakeHcl | Kind::BakeJson => bake::read(source),
        Kind::Gitlab => gitlab::read(source),
        Kind::Buildkite => buildkite::read(source),
    }
}

/// The kind of the file at `path`, relative to the repository's root or to any folder, by its name and folder; `None`
/// for all others.
#[must_use]
pub fn kind(path: &str) -> Option<Kind> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name
        .strip_suffix(".yml")
        .or_else(|| name.strip_suffix(".yaml"));
    let is_in = |end: &str| {
        folder == end
            || folder
                .strip_suffix(end)
                .is_some_and(|rest| rest.ends_with('/'))
    };
    let is_compose = |stem: &str| {
        let words = ["compose", "docker-compose"];
        let rest = words.iter().find_map(|word| stem.strip_prefix(word));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    };
    match stem {
        Some(_) if is_in(".github/workflows") => return Some(Kind::Github),
        Some("action") => return Some(Kind::Github),
        Some(stem) if is_compose(stem) => return Some(Kind::Compose),
        Some(_) if is_in(".buildkite") => return Some(Kind::Buildkite),
        Some(".gitlab-ci") => return Some(Kind::Gitlab),
        Some(stem) if stem.ends_with(".gitlab-ci") || is_in(".gitlab/ci") => {
            return Some(Kind::Gitlab);
        }
        Some(_) => return None,
        None => {}
    }
    let bake = name
        .strip_prefix("docker-bake")
        .filter(|rest| rest.starts_with(['.', '-']))?;
    match bake.rsplit('.').next()? {
        "hcl" => Some(Kind::BakeHcl),
        "json" => Some(Kind::BakeJson),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_go_by_name_and_folder() {
        for (path, expected) in [
            (".github/workflows/ci.yml", Some(Kind::Github)),
            ("a/.github/workflows/ci.yaml", Some(Kind::Github)),
            ("x.github/workflows/ci.yml", None),
            ("build/action.yml", Some(Kind::Github)),
            (".gitlab-ci.yml", Some(Kind::Gitlab)),
            ("ci/build.gitlab-ci.yml", Some(Kind::Gitlab)),
            ("config.yml", None),
            (".buildkite/pipeline.yml", Some(Kind::Buildkite)),
            (".buildkite/docker-compose.yml", Some(Kind::Compose)),
            ("azure-pipelines.yml", None),
            ("docker-compose.yml", Some(Kind::Compose)),
            ("compose.prod.yaml", Some(Kind::Compose)),
            ("docker-compose-dev.yml", Some(Kind::Compose)),
            ("composer.yml", None),
            ("docker-bake.hcl", Some(Kind::BakeHcl)),
            ("docker-bake.override.json", Some(Kind::BakeJson)),
            ("docker-bake-ci.hcl", Some(Kind::BakeHcl)),
            ("docker-bakery.hcl", None),
            ("values.yaml", None),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }
}
