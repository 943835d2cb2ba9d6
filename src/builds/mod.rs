//! Readers of the files that build Dockerfiles: workflows, pipelines, Compose and bake files, Makefiles, scripts,
//! Jenkinsfiles.
//!
//! A reader takes the text of one file and returns its builds with their places; it knows no disk and no other file.
//! A thing that cannot be known (a Dockerfile named by a variable) is [`Unknown`], never guessed.

mod args;
#[cfg(feature = "cli")]
pub mod argv;
mod bake;
mod builder;
mod buildkite;
mod changes;
#[cfg(feature = "cli")]
pub mod ci;
pub mod command;
#[cfg(feature = "cli")]
pub mod comments;
pub mod compose;
pub mod devcontainer;
mod elsewhere;
mod format;
mod github;
mod gitlab;
pub mod inline;
mod jenkins;
mod jobs;
mod lane;
mod lines;
pub mod make;
mod model;
mod no_cache;
mod own_builder;
pub mod paths;
mod platforms;
mod prove;
mod script;
mod service;
pub mod shell;
mod sources;
mod tool;
pub mod yaml;

pub use bake::Bake;
pub use builder::{Builder, OwnBuilder};
pub use buildkite::Buildkite;
pub use compose::Compose;
pub use devcontainer::Devcontainer;
#[cfg(feature = "internals")]
pub use format::Contents;
pub use format::{Around, FilePath, Format, FormatRef, Inserter, Insertion, PathBase};
pub use github::{Github, Name, computed};
pub use gitlab::Gitlab;
pub use jenkins::Jenkins;
pub use make::Make;
pub use model::{
    Arg, ArgName, Build, BuildFile, ByInputs, Call, Extended, Files, FilesAt, Fill, Filled, Inline,
    Joint, Lane, Leg, NAMESPACE, NoCache, Ordered, Parts, PathsFrom, Queue, RUN, ReadError,
    Renaming, Runs, Service, Source, Subject, TargetLeg, Triggers, Unknown, ValueSource, WORKFLOW,
};
pub use platforms::{Platform, PlatformText, Platforms};
pub use prove::{InFormat, PassedArg, RenamedFill, is_same, prove, prove_fills};
pub use script::Script;
pub use tool::BuildTool;

/// The formats; the first one that claims a file reads it.
const FORMATS: &[FormatRef] = &[
    &Github,
    &Compose,
    &Buildkite,
    &Gitlab,
    &Bake,
    &Devcontainer,
    &Make,
    &Script,
    &Jenkins,
];

/// Returns the format of the file at `path`, relative to any folder, by its name and folder.
pub fn format(path: &str) -> Option<FormatRef> {
    let path = FilePath::new(path);
    FORMATS.iter().copied().find(|format| format.claims(&path))
}

/// Returns the format of the file at `path` that a command of `tool` names.
pub fn named_format(tool: BuildTool, path: &str) -> FormatRef {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending);
    match ending {
        _ if tool.is_compose() => &Compose,
        _ if tool == BuildTool::Devcontainer => &Devcontainer,
        _ if tool == BuildTool::Make => &Make,
        _ if tool == BuildTool::Script => &Script,
        Some("hcl" | "json") => &Bake,
        _ => format(path).unwrap_or(&Compose),
    }
}
