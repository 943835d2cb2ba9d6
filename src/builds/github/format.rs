use super::language::Github;
use super::{insert, workflow};
use crate::builds::format::{FilePath, Format, Insertion, PathBase};
use crate::builds::jobs::{FoundBuild, Gatherer, Pipeline, Source};
use crate::builds::model::Lane;

impl Format for Github {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        path.is_yaml_in(".github/workflows") || path.stem == Some("action")
    }

    fn base(&self) -> PathBase {
        PathBase::Above(".github")
    }
}

impl Pipeline for Github {
    /// Returns words of actions that build, forks included, and of calls.
    fn words(&self) -> &'static [&'static str] {
        &["build", "bake-action", "./"]
    }

    fn gather<'y>(&self, source: &'y Source<'y>, gatherer: &mut Gatherer<'y>) {
        if let Some(root) = source.root() {
            workflow::gather(root, gatherer);
        }
    }

    fn insert(&self, found: &FoundBuild<'_>, lane: &Lane<'_>) -> Result<Insertion, String> {
        insert::insert(found, lane)
    }
}
