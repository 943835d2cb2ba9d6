//! The configuration: what `cachelane.toml` says, and what it comes out as for a file.
//!
//! The nearest configuration upward from a file holds for it, alone: nothing is merged. What was typed on the command
//! line ([`Overrides`]) wins over it. Reading takes text and gives settings; finding the file is
//! [`workspace::config`](crate::workspace::config)'s.

mod globs;
mod read;
mod resolve;
mod template;
pub mod values;

use std::path::Path;
use std::sync::Arc;

use crate::rules::{Exemptions, Settings};
use crate::text::Span;

use globs::Globs;
use read::Raw;

pub use resolve::{Origin, Overrides, Shown};
pub use template::template;

/// The names that a configuration may have, the one that counts first where both are there.
pub const NAMES: [&str; 2] = ["cachelane.toml", ".cachelane.toml"];

/// The JSON schema of the configuration, as `cachelane config schema` prints it.
pub const SCHEMA: &str = include_str!("../../docs/cachelane.schema.json");

/// Something wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Where, in the configuration's text.
    pub span: Span,
    /// What.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// A configuration that can be used.
#[derive(Debug)]
pub struct Config {
    raw: Raw,
    lines: crate::text::LineIndex,
    include: Globs,
    exclude: Globs,
    per_file: Vec<Globs>,
    exempt: Arc<Exemptions>,
    /// What holds for every file that no `[[per-file]]` speaks about.
    base: Arc<Settings>,
    overrides: Overrides,
}

impl Config {
    /// Reads the text of a configuration; `overrides` is what the command line says.
    ///
    /// # Errors
    /// Everything that is wrong with it: unknown keys, rules and values, wrong types, globs and patterns that are none.
    pub fn read(text: &str, overrides: Overrides) -> Result<Self, Vec<Problem>> {
        let raw = Raw::read(text)?;
        let mut problems = raw.problems();
        let mut globs = |patterns: &[toml::Spanned<String>]| Globs::new(patterns, &mut problems);
        let (include, exclude) = (globs(&raw.include), globs(&raw.exclude));
        let per_file = raw
            .per_file
            .iter()
            .map(|entry| globs(entry.path.patterns()))
            .collect();
        let exempt = exemptions(&raw, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let base = Arc::new(resolve::settings(&raw, &[], &overrides, &exempt));
        let lines = crate::text::LineIndex::new(text.as_bytes());
        Ok(Self {
            raw,
            lines,
            include,
            exclude,
            per_file,
            exempt,
            base,
            overrides,
        })
    }

    /// What holds where there is no configuration.
    #[must_use]
    pub fn none(overrides: Overrides) -> Self {
        let raw = Raw::default();
        let exempt = Arc::default();
        let base = Arc::new(resolve::settings(&raw, &[], &overrides, &exempt));
        let (include, exclude, lines) = (
            Globs::default(),
            Globs::default(),
            crate::text::LineIndex::new(b""),
        );
        Self {
            raw,
            lines,
            include,
            exclude,
            per_file: Vec::new(),
            exempt,
            base,
            overrides,
        }
    }

    /// Returns a configuration by which `settings` hold for every file.
    #[must_use]
    pub fn with(settings: Settings) -> Self {
        Self {
            exempt: Arc::clone(&settings.exempt),
            base: Arc::new(settings),
            ..Self::none(Overrides::default())
        }
    }

    /// What holds for the file `path`, relative to the configuration's folder.
    #[must_use]
    pub fn settings(&self, path: &Path) -> Arc<Settings> {
        let own = self.entries(path);
        if own.is_empty() {
            return Arc::clone(&self.base);
        }
        let settings = resolve::settings(&self.raw, &own, &self.overrides, &self.exempt);
        Arc::new(settings)
    }

    /// Every setting that holds for the file `path`, relative to the configuration's folder, and where it comes from.
    #[must_use]
    pub fn show(&self, path: &Path) -> Vec<Shown> {
        resolve::show(&self.raw, &self.entries(path), &self.overrides, &self.lines)
    }

    /// The `[[per-file]]` entries that speak about `path`, by index.
    fn entries(&self, path: &Path) -> Vec<usize> {
        (0..self.per_file.len())
            .filter(|index| self.per_file[*index].matches(path))
            .collect()
    }

    /// Whether `include` names the file `path`, relative to the configuration's folder.
    #[must_use]
    pub fn includes(&self, path: &Path) -> bool {
        self.include.matches(path)
    }

    /// Whether there is anything that [`Config::includes`] could say yes to.
    #[must_use]
    pub fn has_includes(&self) -> bool {
        !self.raw.include.is_empty()
    }

    /// Whether there is anything that [`Config::excludes`] could say yes to.
    #[must_use]
    pub fn has_excludes(&self) -> bool {
        !self.raw.exclude.is_empty()
    }

    /// Whether it is a file's path that decides what holds for it.
    #[must_use]
    pub fn has_per_file(&self) -> bool {
        !self.per_file.is_empty()
    }

    /// Whether `exclude` names the file or folder `path`, relative to the configuration's folder, or a folder around it;
    /// the folder `root` and those around it do not count.
    #[must_use]
    pub fn excludes(&self, path: &Path, root: Option<&Path>) -> bool {
        self.exclude.matches_around(path, root)
    }

    /// The globs and the patterns of ids that nothing has matched so far. What is to be left out is not among them where `is_left_out` says of its
    /// path that searches leave it out, or hold nothing of it, by themselves.
    #[must_use]
    pub fn idle(&self, is_left_out: impl Fn(&Path) -> bool) -> Vec<Problem> {
        let is_idle = &|key: &str, pattern: &str| {
            key != "exclude"
                || !globs::literal(pattern).is_some_and(|path| is_left_out(Path::new(path)))
        };
        let all = [("include", &self.include), ("exclude", &self.exclude)];
        let all = all
            .into_iter()
            .chain(self.per_file.iter().map(|globs| ("per-file", globs)));
        let globs = all.flat_map(|(key, globs)| {
            globs
                .idle()
                .filter(move |(pattern, _)| is_idle(key, pattern))
                .map(move |(pattern, span)| Problem {
                    span,
                    message: format!("`{key}`: no file matches `{pattern}`"),
                    help: Some(
                        "globs are relative to this file's folder: correct it, or take it out"
                            .into(),
                    ),
                })
        });
        let ids = self.exempt.idle().map(|index| &self.raw.exempt[index].id);
        let ids = ids.map(|id| Problem {
            span: read::span(id),
            message: format!("`exempt`: no cache has an id that `{}` matches", id.get_ref()),
            help: Some(
                "the whole id has to match, as `cachelane list` shows it: correct it, or take it out"
                    .into(),
            ),
        });
        globs.chain(ids).collect()
    }
}

/// Reads the patterns of `raw`; those that are none go to `problems`.
fn exemptions(raw: &Raw, problems: &mut Vec<Problem>) -> Arc<Exemptions> {
    let entries = raw.exempt.iter();
    let entries = entries.map(|entry| (entry.id.get_ref().as_str(), entry.rules()));
    let wrong = match Exemptions::new(entries.collect()) {
        Ok(exempt) => return Arc::new(exempt),
        Err(wrong) => wrong,
    };
    problems.extend(wrong.into_iter().map(|(index, why)| {
        let id = &raw.exempt[index].id;
        Problem {
            span: read::span(id),
            message: format!("this pattern of ids cannot be read: {why}"),
            help: None,
        }
    }));
    Arc::default()
}
