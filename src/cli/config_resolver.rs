//! Finds the settings for each file: the nearest configuration upward from it, and the command line's.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::config::{Config, NAMES, Overrides, PYPROJECT, Problem, Shown};
use crate::finding::Severity;
use crate::lint;
use crate::project::input::absolute;
use crate::report::RunError;
use crate::rules::{Settings, profile};
use crate::workspace::config as disk;
use crate::workspace::discover::is_there_or_ignored;
use crate::workspace::tree::{is_repository, repository};

use super::args::{FixSettings, Select, SettingsArgs};
use super::outcome::ConfigError;
use super::terminal;

/// A configuration, or none, with the folder that its globs are relative to.
pub struct LoadedConfig {
    pub config: Config,
    /// The file, as messages name it.
    pub file: Option<PathBuf>,
    text: String,
    folder: PathBuf,
    here: PathBuf,
}

/// The configurations of a run, and its errors. Each is read once, and its problems are printed once.
pub struct ConfigResolver {
    overrides: Overrides,
    /// The configuration for every file, where none is to be searched for.
    always: Option<Arc<LoadedConfig>>,
    none: Arc<LoadedConfig>,
    here: PathBuf,
    /// By folder; `None` where the configuration is broken.
    folders: RwLock<HashMap<PathBuf, Option<Arc<LoadedConfig>>>>,
    errors: Mutex<BTreeSet<RunError>>,
    /// True where nothing is printed.
    pub is_quiet: bool,
}

impl ConfigResolver {
    /// Reads the configuration that `args` name, if any; all options win over it.
    pub fn new(
        args: &SettingsArgs,
        select: &Select,
        fixes: FixSettings,
    ) -> Result<Self, ConfigError> {
        let overrides = args.overrides(select, fixes);
        let here = std::env::current_dir().unwrap_or_default();
        let none = Arc::new(LoadedConfig {
            config: Config::none(overrides.clone()),
            file: None,
            text: String::new(),
            folder: here.clone(),
            here: here.clone(),
        });
        let mut resolver = Self {
            overrides,
            always: args.no_config.then(|| Arc::clone(&none)),
            none,
            here,
            folders: RwLock::default(),
            errors: Mutex::default(),
            is_quiet: false,
        };
        if let Some(path) = &args.config {
            resolver.always = Some(resolver.load(path, disk::read(path))?);
        }
        Ok(resolver)
    }

    /// Returns one for files that the user did not name: what is wrong with them is no error of the run.
    pub fn quiet(&self) -> Self {
        Self {
            overrides: self.overrides.clone(),
            always: self.always.clone(),
            none: Arc::clone(&self.none),
            here: self.here.clone(),
            folders: RwLock::default(),
            errors: Mutex::default(),
            is_quiet: true,
        }
    }

    pub fn here(&self) -> &Path {
        &self.here
    }

    /// Prints and records an error of the run, once.
    pub fn warn(&self, error: RunError) {
        let message = error.to_string();
        if self.recorded().insert(error) && !self.is_quiet {
            terminal::warn(&message);
        }
    }

    /// Returns the errors so far, already printed, in order.
    pub fn errors(&self) -> Vec<RunError> {
        self.recorded().iter().cloned().collect()
    }

    fn recorded(&self) -> MutexGuard<'_, BTreeSet<RunError>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the configuration for the file `path`; `None` where it is broken.
    pub fn of(&self, path: &Path) -> Option<Arc<LoadedConfig>> {
        self.of_folder(path.parent().unwrap_or(Path::new("")))
    }

    /// Returns the configuration for the file `path`, for a single question.
    pub fn at(&self, path: &Path) -> Result<Arc<LoadedConfig>, ConfigError> {
        if let Some(always) = &self.always {
            return Ok(Arc::clone(always));
        }
        let path = absolute(&self.here, path);
        let mut folders = path.ancestors().skip(1);
        let found = folders.find_map(|folder| self.load_from(folder));
        found.unwrap_or_else(|| Ok(Arc::clone(&self.none)))
    }

    fn of_folder(&self, folder: &Path) -> Option<Arc<LoadedConfig>> {
        if let Some(always) = &self.always {
            return Some(Arc::clone(always));
        }
        if let Ok(folders) = self.folders.read()
            && let Some(known) = folders.get(folder)
        {
            return known.clone();
        }
        let mut folders = self.folders.write().ok()?;
        let found = self.nearest(&absolute(&self.here, folder), &mut folders);
        folders.insert(folder.to_path_buf(), found.clone());
        found
    }

    /// Returns the nearest configuration upward from the absolute `folder`, and caches it for all folders on the way.
    fn nearest(
        &self,
        folder: &Path,
        folders: &mut HashMap<PathBuf, Option<Arc<LoadedConfig>>>,
    ) -> Option<Arc<LoadedConfig>> {
        if let Some(known) = folders.get(folder) {
            return known.clone();
        }
        let found = match (self.load_from(folder), folder.parent()) {
            (Some(loaded), _) => {
                let warn = |error: ConfigError| {
                    if !self.is_quiet {
                        terminal::warn_config(&error);
                    }
                    self.recorded().extend(error.run_errors());
                };
                loaded.map_err(warn).ok()
            }
            (None, Some(around)) => self.nearest(around, folders),
            (None, None) => Some(Arc::clone(&self.none)),
        };
        folders.insert(folder.to_path_buf(), found.clone());
        found
    }

    /// Loads the configuration that the absolute `folder` has, if any: in a file of its own, or in that of Python's tools.
    fn load_from(&self, folder: &Path) -> Option<Result<Arc<LoadedConfig>, ConfigError>> {
        let shown = |path: &Path| path.strip_prefix(&self.here).unwrap_or(path).to_path_buf();
        if let Some(path) = disk::in_folder(folder, &NAMES) {
            return Some(self.load(&shown(&path), disk::read_found(&path)));
        }
        let path = disk::in_folder(folder, &[PYPROJECT])?;
        // One that cannot be read concerns other tools.
        let text = disk::read_found(&path).ok()?;
        let read = Config::read_pyproject(&text, self.overrides.clone()).transpose()?;
        Some(self.loaded(&shown(&path), text, read))
    }

    fn load(
        &self,
        path: &Path,
        text: io::Result<String>,
    ) -> Result<Arc<LoadedConfig>, ConfigError> {
        let unread = |why: String| ConfigError {
            path: path.to_path_buf(),
            text: String::new(),
            problems: Vec::new(),
            message: format!("cannot read the configuration: {why}"),
        };
        let text = text.map_err(|why| unread(why.to_string()))?;
        let overrides = self.overrides.clone();
        let read = if path.file_name() == Some(PYPROJECT.as_ref()) {
            let read = Config::read_pyproject(&text, overrides).transpose();
            read.ok_or_else(|| unread("it has no table `[tool.cachelane]`".into()))?
        } else {
            Config::read(&text, overrides)
        };
        self.loaded(path, text, read)
    }

    /// Returns the configuration that was `read` in the `text` of the file at `path`.
    fn loaded(
        &self,
        path: &Path,
        text: String,
        read: Result<Config, Vec<Problem>>,
    ) -> Result<Arc<LoadedConfig>, ConfigError> {
        match read {
            Ok(config) => Ok(Arc::new(LoadedConfig {
                config,
                file: Some(path.to_path_buf()),
                text,
                folder: absolute(&self.here, path.parent().unwrap_or(Path::new(""))),
                here: self.here.clone(),
            })),
            Err(problems) => Err(ConfigError {
                path: path.to_path_buf(),
                text,
                problems,
                message: "the files that this configuration is for are left out".into(),
            }),
        }
    }

    /// Prints the globs that matched nothing, of the configurations whose folders were searched: those at or below
    /// `roots`.
    pub fn warn_of_idle_globs(&self, roots: &[PathBuf]) {
        if self.is_quiet {
            return;
        }
        let roots = roots.iter().map(|root| absolute(&self.here, root));
        let roots: Vec<PathBuf> = roots.collect();
        let Ok(folders) = self.folders.read() else {
            return;
        };
        let all = folders.values().flatten().chain(&self.always);
        let mut all: Vec<(&PathBuf, &LoadedConfig)> = all
            .filter_map(|loaded| Some((loaded.file.as_ref()?, loaded.as_ref())))
            .filter(|(_, loaded)| roots.iter().any(|root| loaded.folder.starts_with(root)))
            .collect();
        all.sort_by_key(|(file, _)| *file);
        all.dedup_by_key(|(file, _)| *file);
        for (file, loaded) in all {
            let is_left_out = |path: &Path| is_there_or_ignored(&loaded.folder, path);
            let problems = loaded.config.idle(is_left_out);
            terminal::warn_problems(file, &loaded.text, &problems, Severity::Warning);
        }
    }

    /// Returns whether `folders` hold everything that their files can relate to: each is or holds the root of its
    /// repository, or the folder of its configuration, or has neither.
    pub fn are_whole(&self, folders: &[PathBuf]) -> bool {
        let is_whole = |folder: &PathBuf| {
            let absolute = absolute(&self.here, folder);
            let repository = repository(&absolute);
            let loaded = self
                .of_folder(folder)
                .filter(|loaded| self.always.is_none() && loaded.file.is_some());
            let configured = loaded.as_ref().map(|loaded| loaded.folder.as_path());
            let mut roots = repository.into_iter().chain(configured).peekable();
            roots.peek().is_none() || roots.any(|root| root == absolute)
        };
        folders.iter().all(is_whole)
    }
}

impl LoadedConfig {
    fn relative(&self, path: &Path) -> PathBuf {
        let path = absolute(&self.here, path);
        path.strip_prefix(&self.folder)
            .map(Path::to_path_buf)
            .unwrap_or(path)
    }

    /// Returns the settings for the file at `path` with its text `source`; the files beside it say which builder may take
    /// it.
    pub fn settings_for(&self, path: &Path, source: &[u8]) -> Arc<Settings> {
        let settings = self.settings(path);
        if settings.profile.is_some() || !lint::is_of_interest(source) {
            return settings;
        }
        match profile::by_file(|name| self.is_for(name, path)) {
            None => settings,
            suspected => {
                let mut settings = Settings::clone(&settings);
                settings.learned.suspected = suspected;
                Arc::new(settings)
            }
        }
    }

    /// Returns whether a file called `name` is for the Dockerfile at `path`: it stands beside, or further out in the
    /// repository, and names it.
    fn is_for(&self, name: &str, path: &Path) -> bool {
        let path = absolute(&self.here, path);
        let mut folders = path.ancestors().skip(1);
        let Some(beside) = folders.next() else {
            return false;
        };
        let names_it = |folder: &Path| {
            let text = disk::read_found(&folder.join(name)).unwrap_or_default();
            let named = text.split("dockerfilePath").nth(1).unwrap_or_default();
            let named = named.trim_start_matches(['"', '\'', ' ', '\t', ':', '=']);
            let named = named.split(['"', '\'']).next().unwrap_or_default();
            absolute(folder, Path::new(named.trim_start_matches('/'))) == path
        };
        let mut inner = beside;
        let mut further =
            folders.take_while(|folder| !is_repository(std::mem::replace(&mut inner, folder)));
        beside.join(name).is_file() || further.any(names_it)
    }

    pub fn settings(&self, path: &Path) -> Arc<Settings> {
        if !self.config.has_per_file() {
            // In a large tree, a needless path for every file takes noticeable time.
            return self.config.settings(path);
        }
        self.config.settings(&self.relative(path))
    }

    /// Returns whether the file or folder `path` is excluded. The named folder `root`, and those around it, are not.
    pub fn excludes(&self, path: &Path, root: Option<&Path>) -> bool {
        if !self.config.has_excludes() {
            return false;
        }
        let root = root.map(|root| self.relative(root));
        self.config.excludes(&self.relative(path), root.as_deref())
    }

    pub fn includes(&self, path: &Path) -> bool {
        self.config.has_includes() && self.config.includes(&self.relative(path))
    }

    /// Returns every setting for the file `path`, with its origin.
    pub fn show(&self, path: &Path) -> Vec<Shown> {
        self.config.show(&self.relative(path), &self.text)
    }
}
