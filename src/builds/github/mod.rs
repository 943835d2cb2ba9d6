//! Workflows of GitHub Actions, and actions made of steps.
//!
//! Relied on, from GitHub's "Workflow syntax" and "Contexts": values of a matrix are only in expressions, not in the
//! environment; the nearest `env` counts; a script runs in the workspace unless `working-directory` says else, in `bash` or
//! `sh`, and on Windows in PowerShell, unless `shell` says else; `./` in `uses` is the repository's root.

mod actions;
mod expression;
mod handed;
mod insert;
mod matrix;
mod paths;
mod runner;
mod workflow;

use super::command;
use super::format::{FilePath, Format, Open, OpenYaml};
use super::jobs;
use super::model::{BuildFile, ReadError};
use super::yaml::Yaml;
use workflow::Read;

/// Workflows of GitHub Actions, and actions made of steps.
#[derive(Debug)]
pub struct Github;

impl Format for Github {
    fn claims(&self, path: &FilePath<'_>) -> bool {
        path.is_yaml_in(".github/workflows") || path.stem == Some("action")
    }

    fn folder(&self) -> Option<&'static str> {
        Some(".github")
    }

    fn read(&self, source: &str) -> Result<BuildFile, ReadError> {
        // Actions that build, forks among them, and files that it calls.
        let others = ["build", "bake-action", "./"];
        let has = |word: &&str| memchr::memmem::find(source.as_bytes(), word.as_bytes()).is_some();
        if !command::may_build(source) && !others.iter().any(has) {
            return Ok(BuildFile::default());
        }
        Ok(workflow::read(&Yaml::read(source)?)
            .map(Read::file)
            .unwrap_or_default())
    }

    fn open<'s>(&self, source: &'s str) -> Result<Box<dyn Open + 's>, ReadError> {
        OpenYaml::read(source, |yaml| {
            let found = workflow::read(yaml).map(Read::found).unwrap_or_default();
            Ok(jobs::inserter(found, |found, lane| {
                insert::insert(yaml.source(), found, lane)
            }))
        })
    }
}
