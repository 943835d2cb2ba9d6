use super::language::Github;
use super::{insert, workflow};
use crate::builds::format::{Around, FilePath, Format, Inserter, Insertion, PathBase};
use crate::builds::jobs::{self, Found, Gatherer, Pipeline, Source};
use crate::builds::model::{BuildFile, Lane, ReadError};

impl Format for Github {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        path.is_yaml_in(".github/workflows") || path.stem == Some("action")
    }

    fn base(&self) -> PathBase {
        PathBase::Above(".github")
    }

    fn read(&self, source: &str) -> Result<BuildFile, ReadError> {
        jobs::read(&Self, source, Around::NONE)
    }

    fn inserter(
        &self,
        source: &str,
        _around: &Around,
        then: &mut dyn FnMut(Inserter<'_>),
    ) -> Result<(), ReadError> {
        jobs::inserter(&Self, source, Around::NONE, then)
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

    fn insert(&self, found: &Found<'_>, lane: &Lane<'_>) -> Result<Insertion, String> {
        insert::insert(found, lane)
    }
}
