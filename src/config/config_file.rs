//! A configuration and the settings that it gives each file.

use std::path::Path;
use std::sync::Arc;

use crate::rules::{Exemptions, PatternErrors, Settings};

use super::globs::Globs;
use super::keys::{Keys, span};
use super::model::{Overrides, Problem};
use super::{read, resolve};

/// A valid configuration.
#[derive(Debug)]
pub struct Config {
    keys: Keys,
    include: Globs,
    exclude: Globs,
    per_file: Vec<Globs>,
    exempt: Arc<Exemptions>,
    /// The settings for every file without a `[[per-file]]` entry.
    base: Arc<Settings>,
    overrides: Overrides,
}

impl Config {
    /// Reads a configuration; `overrides` come from the command line.
    ///
    /// # Errors
    /// Returns all problems: unknown keys, rules and values, wrong types, malformed globs and patterns.
    pub fn read(text: &str, overrides: Overrides) -> Result<Self, Vec<Problem>> {
        let keys = read::read(text).map_err(|problem| vec![problem])?;
        Self::valid(keys, overrides)
    }

    /// Reads the configuration in the table `[tool.cachelane]` of a `pyproject.toml`; `None` without one.
    ///
    /// # Errors
    /// Fails as [`Config::read`] does.
    #[cfg(feature = "cli")]
    pub fn read_pyproject(text: &str, overrides: Overrides) -> Result<Option<Self>, Vec<Problem>> {
        let keys = read::read_pyproject(text).map_err(|problem| vec![problem])?;
        keys.map(|keys| Self::valid(keys, overrides)).transpose()
    }

    fn valid(keys: Keys, overrides: Overrides) -> Result<Self, Vec<Problem>> {
        match Self::of(keys, overrides) {
            (config, problems) if problems.is_empty() => Ok(config),
            (_, problems) => Err(problems),
        }
    }

    /// Returns the configuration of a run without a file.
    pub fn none(overrides: Overrides) -> Self {
        Self::of(Keys::default(), overrides).0
    }

    fn of(keys: Keys, overrides: Overrides) -> (Self, Vec<Problem>) {
        let mut problems = read::problems(&keys);
        let mut globs = |patterns: &[toml::Spanned<String>]| Globs::new(patterns, &mut problems);
        let (include, exclude) = (globs(&keys.include), globs(&keys.exclude));
        let per_file = keys.per_file.iter();
        let per_file = per_file.map(|entry| globs(&entry.patterns())).collect();
        let exempt = exemptions(&keys, &mut problems);
        let config = Self {
            include,
            exclude,
            per_file,
            base: Arc::new(resolve::settings(&keys, &[], &overrides, &exempt)),
            exempt,
            keys,
            overrides,
        };
        (config, problems)
    }

    /// Returns a configuration that gives every file `settings`.
    pub fn with(settings: Settings) -> Self {
        Self {
            exempt: Arc::clone(&settings.exempt),
            base: Arc::new(settings),
            ..Self::none(Overrides::default())
        }
    }

    /// Returns the settings for the file `path`, relative to the configuration's folder.
    pub fn settings(&self, path: &Path) -> Arc<Settings> {
        let own = self.entries(path);
        if own.is_empty() {
            return Arc::clone(&self.base);
        }
        let settings = resolve::settings(&self.keys, &own, &self.overrides, &self.exempt);
        Arc::new(settings)
    }

    fn entries(&self, path: &Path) -> Vec<usize> {
        (0..self.per_file.len())
            .filter(|index| self.per_file[*index].matches(path))
            .collect()
    }

    /// Returns whether `include` names the file `path`, relative to the configuration's folder.
    pub fn includes(&self, path: &Path) -> bool {
        self.include.matches(path)
    }

    /// Returns whether `exclude` names `path`, relative to the configuration's folder, or a folder around it; `root`
    /// and the folders around it do not count.
    pub fn excludes(&self, path: &Path, root: Option<&Path>) -> bool {
        self.exclude.matches_around(path, root)
    }
}

#[cfg(feature = "cli")]
impl Config {
    /// Returns every setting for the file `path`, relative to the configuration's folder, with its origin;
    /// `text` is the configuration's.
    pub fn show(&self, path: &Path, text: &str) -> Vec<super::show::Shown> {
        super::show::show(&self.keys, &self.entries(path), &self.overrides, text)
    }

    pub fn has_includes(&self) -> bool {
        !self.keys.include.is_empty()
    }

    pub fn has_excludes(&self) -> bool {
        !self.keys.exclude.is_empty()
    }

    pub fn has_per_file(&self) -> bool {
        !self.per_file.is_empty()
    }

    /// Returns a problem for each glob and pattern of ids that has matched nothing so far, except globs of `exclude`
    /// whose path searches leave out or find empty by themselves (`is_left_out`).
    pub fn idle(&self, is_left_out: impl Fn(&Path) -> bool) -> Vec<Problem> {
        let may_be_idle = |pattern: &str| {
            super::globs::literal(pattern).is_some_and(|path| is_left_out(Path::new(path)))
        };
        let all = [("include", &self.include), ("exclude", &self.exclude)];
        let per_file = self.per_file.iter().map(|globs| ("per-file", globs));
        let mut problems = Vec::new();
        for (key, globs) in all.into_iter().chain(per_file) {
            for (pattern, span) in globs.idle() {
                if key == "exclude" && may_be_idle(pattern) {
                    continue;
                }
                let message = format!("`{key}`: no file matches `{pattern}`");
                let help = "globs are relative to this file's folder: correct it, or take it out";
                problems.push(Problem {
                    help: Some(help.into()),
                    ..Problem::new(span, message)
                });
            }
        }
        for id in self.exempt.idle().map(|index| &self.keys.exempt[index].id) {
            let message = format!(
                "`exempt`: no cache has an id that `{}` matches",
                id.get_ref()
            );
            let help = "the whole id has to match, as `cachelane list` shows it: correct it, or take it out. (Locks in text that is no Dockerfile are looked for by `check --embedded` only.)";
            problems.push(Problem {
                help: Some(help.into()),
                ..Problem::new(span(id), message)
            });
        }
        problems
    }
}

/// Reads the patterns of `keys`; malformed ones go to `problems`.
fn exemptions(keys: &Keys, problems: &mut Vec<Problem>) -> Arc<Exemptions> {
    let entries = keys.exempt.iter();
    let entries = entries.map(|entry| (entry.id.get_ref().as_str(), entry.rules()));
    let wrong = match Exemptions::new(entries.collect()) {
        Ok(exempt) => return Arc::new(exempt),
        Err(PatternErrors(wrong)) => wrong,
    };
    problems.extend(wrong.into_iter().map(|wrong| {
        let message = format!("this pattern of ids cannot be read: {wrong}");
        Problem::new(span(&keys.exempt[wrong.entry].id), message)
    }));
    Arc::default()
}
