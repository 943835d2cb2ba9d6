//! Bake files.
//!
//! By Docker's *Bake file reference*: a target has `context` (`.`), `dockerfile` (`Dockerfile`, below the context) or
//! `dockerfile-inline`, `target` and `args`; `inherits` names targets whose attributes it takes, later ones before
//! earlier ones and its own before all, arguments by name; an argument that is `null` is not passed; `matrix` builds it
//! once for each combination. Variables may be set from outside: each counts at its default. An attribute at the top is no
//! variable: the environment does not change it.
//!
//! The evaluator of `hcl-rs` does not fit: its functions are bare pointers that get values (`function` blocks are
//! closures, and `try` has to see an error), nothing stops a loop within loops, and one unknown name spoils all around it.

mod builds;
mod eval;
mod file;
mod functions;
mod hcl;
mod heredoc;
mod insert;
mod json;
mod printf;
mod scope;
mod value;

use super::format::{Around, Contents, FilePath, Format, Inserter};
use super::model::{BuildFile, ReadError};
use super::yaml::Addition;

#[derive(Debug)]
pub struct Bake;

impl Format for Bake {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        let rest = path.name.strip_prefix("docker-bake");
        let rest = rest.filter(|rest| rest.starts_with(['.', '-']));
        let ending = rest.and_then(|rest| rest.rsplit('.').next());
        matches!(ending, Some("hcl" | "json"))
    }

    fn adds(&self) -> Option<Addition> {
        None
    }
}

impl Contents for Bake {
    fn read_within(&'static self, source: &str, _: &Around) -> Result<BuildFile, ReadError> {
        if memchr::memmem::find(source.as_bytes(), b"target").is_none() {
            return Ok(BuildFile::default());
        }
        Ok(builds::builds(source, &file(source)?))
    }

    #[cfg(feature = "cli")]
    fn parse(&'static self, source: &str) -> Result<(), ReadError> {
        file(source).map(drop)
    }

    fn inserter(
        &'static self,
        source: &str,
        _: &Around,
        then: &mut dyn FnMut(Inserter<'_>),
    ) -> Result<(), ReadError> {
        insert::inserter(source, &file(source)?, then);
        Ok(())
    }
}

fn file(source: &str) -> Result<file::File, ReadError> {
    if is_json(source) {
        json::file(source)
    } else {
        hcl::file(source)
    }
}

/// Returns whether a file is JSON, which alone begins with a brace.
pub(super) fn is_json(source: &str) -> bool {
    let text = source.trim_start_matches('\u{FEFF}').trim_start();
    text.starts_with('{')
}
