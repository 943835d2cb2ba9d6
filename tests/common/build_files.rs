//! Compose and bake files (`build_files`), read and fixed by their format.

use std::path::Path;
use std::sync::OnceLock;

use cachelane::builds::{Bake, Build, BuildFile, Compose, Contents as _, Lane, Parts};
use cachelane::fix::{Fix, apply};

const LANE: Lane<'_> = Lane {
    arg: "CACHE_ID",
    default: "default",
    parts: Parts::NONE,
};

#[derive(Clone, Copy, PartialEq)]
pub enum Format {
    Compose,
    Hcl,
    Json,
}

impl Format {
    pub fn read(self, source: &str) -> BuildFile {
        match self {
            Self::Compose => Compose.read(source),
            Self::Hcl | Self::Json => Bake.read(source),
        }
        .unwrap_or_else(|error| panic!("{error}\n{source}"))
    }

    pub fn pass(self, source: &str, build: &Build) -> Result<Fix, String> {
        match self {
            Self::Compose => crate::pass::pass(&Compose, source, build, &LANE),
            Self::Hcl | Self::Json => crate::pass::pass(&Bake, source, build, &LANE),
        }
    }
}

pub fn made(source: &str, fix: &Fix) -> String {
    let applied = apply(source.as_bytes(), &[fix]);
    assert!(applied.deferred.is_empty(), "{fix:?} overlaps itself");
    String::from_utf8(applied.bytes).unwrap()
}

pub fn passes(build: &Build) -> bool {
    build.args.iter().any(|arg| arg.name.is("CACHE_ID"))
}

/// Passes the lane to every build of `source` that takes it, all fixes of a round at once, as the command line does.
pub fn fixed(format: Format, source: &str) -> String {
    let mut source = source.to_owned();
    for _ in 0..20 {
        let builds = format.read(&source).builds;
        let fixes: Vec<Fix> = builds
            .iter()
            .filter(|build| !passes(build))
            .filter_map(|build| format.pass(&source, build).ok())
            .collect();
        if fixes.is_empty() {
            return source;
        }
        source =
            String::from_utf8(apply(source.as_bytes(), &fixes.iter().collect::<Vec<_>>()).bytes)
                .unwrap();
    }
    panic!("fixing goes on and on:\n{source}");
}

pub fn cases() -> &'static [(Format, String)] {
    static CASES: OnceLock<Vec<(Format, String)>> = OnceLock::new();
    CASES.get_or_init(read_cases)
}

fn read_cases() -> Vec<(Format, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/build_files");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml") => Format::Compose,
            Some("hcl") => Format::Hcl,
            Some("json") => Format::Json,
            _ => continue,
        };
        let source = std::fs::read_to_string(&path).unwrap();
        // HCL keeps the carriage returns of a heredoc, Compose drops those of a block.
        cases.push((format, source.replace('\n', "\r\n")));
        cases.push((format, source));
    }
    assert!(cases.len() >= 6);
    cases
}
