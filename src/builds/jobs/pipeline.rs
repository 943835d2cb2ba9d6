//! A file of jobs, as its format reads it.

use std::collections::HashMap;
use std::sync::Arc;

use super::gather::Gatherer;
use super::model::{FoundBuild, Source};
use super::scope::Language;
use crate::builds::command;
use crate::builds::format::{Around, Contents, Format, Inserter, Insertion};
use crate::builds::model::{BuildFile, Lane, ReadError};
use crate::builds::yaml::Yaml;
use crate::text::{Span, is_name};

/// A format whose files hold jobs.
pub trait Pipeline: Format + Language {
    /// Returns the words of which a relevant file has one, besides those of commands that build.
    fn words(&self) -> &'static [&'static str] {
        &[]
    }

    /// Hands the jobs and steps of a file to `gatherer`. Fails when the file is none of the format.
    fn gather<'y>(&self, source: &'y Source<'y>, gatherer: &mut Gatherer<'y>);

    /// Returns whether the commands of the file see the variable `name` as its caller sets it.
    fn hands_on(&self, _source: &Source<'_>, _name: &str) -> bool {
        true
    }

    /// Returns the insertion that makes a build pass the lane; the error is why a person has to do it.
    fn insert(&self, found: &FoundBuild<'_>, lane: &Lane<'_>) -> Result<Insertion, String>;
}

impl<P: Pipeline> Contents for P {
    /// Reads the builds of a file; one without a word of a build is not parsed.
    fn read_within(&'static self, source: &str, around: &Around) -> Result<BuildFile, ReadError> {
        let has = |word: &&str| memchr::memmem::find(source.as_bytes(), word.as_bytes()).is_some();
        if !command::may_build(source) && !self.words().iter().any(has) {
            return Ok(BuildFile::default());
        }
        let whole = Whole::read(self, source, around)?;
        let gatherer = whole.gathered(self);
        let mut unknown = gatherer.unknown;
        unknown.sort_by_key(|unknown| unknown.span);
        let found = gatherer.found.into_iter();
        Ok(BuildFile {
            builds: found.map(|found| found.build).collect(),
            unknown,
            calls: gatherer.calls,
            fills: gatherer.fills,
            groups: gatherer.groups,
            sources: gatherer.sources,
            order: gatherer.order,
            triggers: gatherer.triggers,
            builders: gatherer.builders,
            ..BuildFile::default()
        })
    }

    #[cfg(feature = "cli")]
    fn parse(&'static self, source: &str) -> Result<(), ReadError> {
        Whole::read(self, source, Around::NONE).map(drop)
    }

    fn inserter(
        &'static self,
        source: &str,
        around: &Around,
        then: &mut dyn FnMut(Inserter<'_>),
    ) -> Result<(), ReadError> {
        let whole = Whole::read(self, source, around)?;
        let mut places: HashMap<Span, Vec<FoundBuild<'_>>> = HashMap::new();
        for found in whole.gathered(self).found {
            places.entry(found.build.span).or_default().push(found);
        }
        then(&|build, lane| {
            let mut here = places.get(&build.span).into_iter().flatten();
            let found = here.find(|found| found.build == *build);
            let found = found.ok_or("it is not in this file")?;
            if !is_name(lane.arg) {
                let arg = lane.arg;
                return Err(format!("a variable cannot be called `{arg}`"));
            }
            if !self.hands_on(&whole.own, lane.arg) {
                return Err(format!("the file sets `{}` itself", lane.arg));
            }
            self.insert(found, lane)
        });
        Ok(())
    }
}

/// A file with those around it.
struct Whole<'s> {
    own: Source<'s>,
    over: Vec<Yaml<'s>>,
    under: Vec<Yaml<'s>>,
}

impl<'s> Whole<'s> {
    /// Reads the files; one of the others that cannot be read says nothing.
    fn read(format: &dyn Pipeline, source: &'s str, around: &'s Around) -> Result<Self, ReadError> {
        let all = |texts: &'s [Arc<str>]| {
            texts
                .iter()
                .filter_map(|text| Yaml::read(text).ok())
                .collect()
        };
        Ok(Self {
            own: match format.adds() {
                Some(_) => Source::Yaml(Yaml::read(source)?),
                None => Source::Text(source),
            },
            over: all(&around.over),
            under: all(&around.under),
        })
    }

    fn gathered<'y>(&'y self, format: &'static dyn Pipeline) -> Gatherer<'y> {
        let mut gatherer = Gatherer::new(format, &self.own, &self.over, &self.under);
        format.gather(&self.own, &mut gatherer);
        gatherer.finish();
        gatherer
    }
}
