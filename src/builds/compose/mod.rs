//! Compose files.
//!
//! By the Compose Specification (Build, Extends, Merge, Interpolation): `build` is a context or a mapping; the
//! Dockerfile's path is relative to the context; `args` is a mapping or a list, and an argument without a value takes
//! it from the environment; `extends` merges the service named below the own one, arguments by name. Variables come
//! from the environment, or else from the `.env` beside the file; without both, a path with one is taken at its default,
//! and is unknown without one.

mod inline;
mod insert;
mod interpolate;
mod service;
mod variables;

use self::variables::Variables;
use super::format::{Around, Contents, FilePath, Format, Inserter};
use super::model::{BuildFile, ReadError};
use super::yaml::Yaml;

/// Returns `text` with its variables at their defaults; as it is where one has none.
pub fn at_defaults(text: &str) -> String {
    let known = Variables::default();
    interpolate::interpolated(text, &known).unwrap_or_else(|_| text.to_owned())
}

pub use interpolate::variables;

#[derive(Debug)]
pub struct Compose;

impl Format for Compose {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        let words = ["compose", "docker-compose"];
        let rest = |stem| words.iter().find_map(|word| str::strip_prefix(stem, word));
        let rest = path.stem.and_then(rest);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    }

    fn beside(&self) -> Option<&'static str> {
        Some(".env")
    }
}

impl Contents for Compose {
    fn read_within(&'static self, source: &str, around: &Around) -> Result<BuildFile, ReadError> {
        let has = |word: &[u8]| memchr::memmem::find(source.as_bytes(), word).is_some();
        if ![&b"build"[..], b"include", b"extends"].into_iter().any(has) {
            // One that breaks off may go on to build.
            return Yaml::read(source).map(|_| BuildFile::default());
        }
        Ok(service::builds(&Yaml::read(source)?, &known(around)))
    }

    #[cfg(feature = "cli")]
    fn parse(&'static self, source: &str) -> Result<(), ReadError> {
        Yaml::read(source).map(drop)
    }

    fn inserter(
        &'static self,
        source: &str,
        around: &Around,
        then: &mut dyn FnMut(Inserter<'_>),
    ) -> Result<(), ReadError> {
        insert::inserter(&Yaml::read(source)?, &known(around), then);
        Ok(())
    }
}

/// Returns what the file beside it sets.
fn known(around: &Around) -> Variables {
    let text = around.under.first();
    text.map(|text| Variables::read(text)).unwrap_or_default()
}
