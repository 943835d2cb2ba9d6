//! Shell scripts: `*.sh`, and files that a job runs.
//!
//! A script runs in the folder of its caller. Where it goes into its own folder first, in one of the usual ways, its paths
//! start from there.

use std::sync::{Arc, LazyLock};

use regex::bytes::Regex;

use super::command;
use super::format::{FilePath, Format, Insertion, PathBase};
use super::jobs::{
    self, FoundBuild, Gatherer, Job, Language, Matrix, OWN_FOLDER, Piece, Pipeline, Source, Step,
};
use super::model::Lane;
use super::shell::Dialect;
use super::yaml::Addition;
use crate::text::{SourceMap, pattern};

/// The ways to name the script's own folder: `$(dirname "$0")`, `$(cd "$(dirname "$0")" && pwd)`, `${0%/*}`. `.1` and `.2`
/// are what leads up from there.
static OWN_FOLDERS: LazyLock<Regex> = LazyLock::new(|| {
    let name = r#"["']?\$(?:0|\{0\}|BASH_SOURCE|\{BASH_SOURCE(?:\[0\])?\})["']?"#;
    let real =
        format!(r#"(?:{name}|["']?\$\((?:realpath|readlink -[ef])(?: --)? *{name} *\)["']?)"#);
    let dirname = format!(
        r"(?:\$\( *dirname (?:-- )?{real} *\)|`dirname {name}`|\$\{{(?:0|BASH_SOURCE(?:\[0\])?)%/\*\}})"
    );
    pattern(&format!(
        r#"\$\( *cd (?:-- )?["']?{dirname}((?:/\.\.)*)/?["']? *(?:[12&]?>+ *\S+ *)*(?:(?:&&|;) *cd (\.\.(?:/\.\.)*)/? *)?(?:&&|;) *pwd(?: -[LP])? *\)|{dirname}"#
    ))
});

#[derive(Debug)]
pub struct Script;

impl Format for Script {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        path.name
            .rsplit_once('.')
            .is_some_and(|(_, end)| end == "sh")
    }

    #[cfg(feature = "cli")]
    fn is_told_by_name(&self) -> bool {
        false
    }

    /// Returns the repository's root: it is called from there, or from anywhere.
    fn base(&self) -> PathBase {
        PathBase::Repository
    }

    fn may_build(&self, source: &[u8]) -> bool {
        command::names_builder(source)
    }

    fn adds(&self) -> Option<Addition> {
        None
    }

    #[cfg(feature = "cli")]
    fn takes_comments(&self) -> bool {
        false
    }
}

impl Language for Script {
    fn root(&self) -> &'static str {
        OWN_FOLDER
    }

    fn is_called(&self) -> bool {
        true
    }
}

impl Pipeline for Script {
    fn gather<'y>(&self, source: &'y Source<'y>, gatherer: &mut Gatherer<'y>) {
        let Source::Text(source) = source else {
            return;
        };
        if !is_shell(source) || !self.may_build(source.as_bytes()) {
            return;
        }
        let piece = piece(source);
        gatherer.paths_from.extend(jobs::paths_from(&piece));
        let job = Arc::new(Job {
            name: Some(String::new()),
            matrix: Matrix::none(),
            ..Job::default()
        });
        let step = Step::new(&job, "the script".to_owned(), None);
        gatherer.piece(piece, &step, Some(""));
    }

    fn insert(&self, found: &FoundBuild<'_>, lane: &Lane<'_>) -> Result<Insertion, String> {
        jobs::from_environment(found, lane)
    }
}

/// Returns whether the file is a script of a shell that is read here, by its first line.
fn is_shell(source: &str) -> bool {
    let first = source.lines().next().unwrap_or_default();
    let Some(line) = first.strip_prefix("#!") else {
        return true;
    };
    let mut words = line.split_whitespace();
    words.any(|word| Dialect::of(word) == Some(Dialect::Posix))
}

/// Returns the script with a variable in place of its own folder.
fn piece(source: &str) -> Piece {
    let (mut text, mut map) = (String::new(), SourceMap::default());
    let mut done = 0;
    for found in OWN_FOLDERS.captures_iter(source.as_bytes()) {
        let Some(whole) = found.get(0) else { continue };
        let before = source.get(done..whole.start()).unwrap_or_default();
        map.push(text.len(), done, before.len());
        text.push_str(before);
        text.push_str(&format!("${{{OWN_FOLDER}}}"));
        let ups = [found.get(1), found.get(2)].into_iter().flatten();
        for up in ups.filter_map(|up| source.get(up.range())) {
            text.push('/');
            text.push_str(up.trim_start_matches('/'));
        }
        done = whole.end();
    }
    let rest = source.get(done..).unwrap_or_default();
    map.push(text.len(), done, rest.len());
    text.push_str(rest);
    Piece {
        text,
        map,
        write: str::to_owned,
    }
}
