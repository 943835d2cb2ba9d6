//! Which settings hold for which file: the nearest configuration upward from it, and what was typed.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use crate::config::{Config, NAMES, Overrides, Problem};
use crate::finding::Severity;
use crate::report::{self, Trouble, human};
use crate::rules::Settings;
use crate::text::LineIndex;
use crate::workspace::config as disk;
use crate::workspace::discover::is_there_or_ignored;

use super::args::SettingsArgs;
use super::terminal;

/// A configuration, or none, with the folder that its globs are relative to.
pub(super) struct Loaded {
    pub(super) config: Config,
    /// The file, as messages name it.
    pub(super) file: Option<PathBuf>,
    text: String,
    folder: PathBuf,
    here: PathBuf,
}

/// The configurations of a run. Each is read once; what is wrong with one is said once.
pub(super) struct Settled {
    overrides: Overrides,
    /// What holds for every file, where nothing is to be searched for.
    always: Option<Arc<Loaded>>,
    none: Arc<Loaded>,
    here: PathBuf,
    /// By folder; `None` where the configuration is broken.
    folders: RwLock<HashMap<PathBuf, Option<Arc<Loaded>>>>,
    /// What is wrong with configurations. It has been said.
    troubles: Mutex<Vec<Trouble>>,
}

impl Settled {
    /// What `args` ask for. `None` where the named configuration cannot be used, which has been said.
    pub(super) fn new(args: &SettingsArgs, overrides: Overrides) -> Option<Self> {
        Self::try_new(args, overrides).ok()
    }

    /// What `args` ask for.
    ///
    /// # Errors
    /// Why the named configuration cannot be used; it has been said.
    pub(super) fn try_new(args: &SettingsArgs, overrides: Overrides) -> Result<Self, Vec<Trouble>> {
        let here = std::env::current_dir().unwrap_or_default();
        let none = Arc::new(Loaded {
            config: Config::none(overrides.clone()),
            file: None,
            text: String::new(),
            folder: here.clone(),
            here: here.clone(),
        });
        let mut settled = Self {
            overrides,
            always: args.no_config.then(|| Arc::clone(&none)),
            none,
            here,
            folders: RwLock::default(),
            troubles: Mutex::default(),
        };
        if let Some(path) = &args.config {
            settled.always = Some(settled.load(path).ok_or_else(|| settled.troubles())?);
        }
        Ok(settled)
    }

    /// The folder that the run began in.
    pub(super) fn here(&self) -> &Path {
        &self.here
    }

    /// What is wrong with configurations, so that they could not be used. It has been said.
    pub(super) fn troubles(&self) -> Vec<Trouble> {
        self.troubles
            .lock()
            .map(|troubles| troubles.clone())
            .unwrap_or_default()
    }

    fn keep(&self, trouble: Trouble) {
        if let Ok(mut troubles) = self.troubles.lock() {
            troubles.push(trouble);
        }
    }

    /// What holds for the file `path`; `None` where its configuration is broken.
    pub(super) fn of(&self, path: &Path) -> Option<Arc<Loaded>> {
        self.of_folder(path.parent().unwrap_or(Path::new("")))
    }

    /// What holds for the files of `folder`; `None` where its configuration is broken.
    pub(super) fn of_folder(&self, folder: &Path) -> Option<Arc<Loaded>> {
        if let Some(always) = &self.always {
            return Some(Arc::clone(always));
        }
        if let Ok(folders) = self.folders.read()
            && let Some(known) = folders.get(folder)
        {
            return known.clone();
        }
        let absolute = absolute(&self.here, folder);
        let mut folders = self.folders.write().ok()?;
        let found = self.nearest(&absolute, &mut folders);
        folders.insert(folder.to_path_buf(), found.clone());
        found
    }

    /// The nearest configuration upward from `folder`, which is absolute. All folders on the way are kept in mind.
    fn nearest(
        &self,
        folder: &Path,
        folders: &mut HashMap<PathBuf, Option<Arc<Loaded>>>,
    ) -> Option<Arc<Loaded>> {
        let mut passed = Vec::new();
        let mut found = Some(Arc::clone(&self.none));
        for folder in folder.ancestors() {
            if let Some(known) = folders.get(folder) {
                found.clone_from(known);
                break;
            }
            passed.push(folder);
            if let Some(path) = disk::in_folder(folder, &NAMES) {
                found = self.load(path.strip_prefix(&self.here).unwrap_or(&path));
                break;
            }
        }
        folders.extend(
            passed
                .into_iter()
                .map(|folder| (folder.to_path_buf(), found.clone())),
        );
        found
    }

    /// Reads the configuration at `path`; `None` where it cannot be used, which is said.
    fn load(&self, path: &Path) -> Option<Arc<Loaded>> {
        let text = match disk::read(path) {
            Ok(text) => text,
            Err(error) => {
                let trouble = Trouble::with(
                    report::path(path),
                    format!("cannot read the configuration: {error}"),
                );
                terminal::complain(&trouble.to_string());
                self.keep(trouble);
                return None;
            }
        };
        match Config::read(&text, self.overrides.clone()) {
            Ok(config) => {
                let folder = absolute(&self.here, path.parent().unwrap_or(Path::new("")));
                Some(Arc::new(Loaded {
                    config,
                    file: Some(path.to_path_buf()),
                    text,
                    folder,
                    here: self.here.clone(),
                }))
            }
            Err(problems) => {
                let (name, lines) = (report::path(path), LineIndex::new(text.as_bytes()));
                for problem in problems {
                    say(path, &text, &problem, Severity::Error);
                    let line = Some(lines.line(problem.span.start));
                    self.keep(Trouble {
                        path: Some(name.clone()),
                        line,
                        message: problem.message,
                    });
                }
                terminal::complain(&format!(
                    "{name}: the files that this configuration is for are left out"
                ));
                None
            }
        }
    }

    /// Says which globs matched nothing, of the configurations whose folders were searched: those at or below `roots`.
    pub(super) fn say_idle(&self, roots: &[PathBuf]) {
        let roots: Vec<PathBuf> = roots
            .iter()
            .map(|root| absolute(&self.here, root))
            .collect();
        let Ok(folders) = self.folders.read() else {
            return;
        };
        let mut all: Vec<&Arc<Loaded>> = folders.values().flatten().chain(&self.always).collect();
        all.retain(|loaded| {
            loaded.file.is_some() && roots.iter().any(|root| loaded.folder.starts_with(root))
        });
        all.sort_by(|a, b| a.file.cmp(&b.file));
        all.dedup_by(|a, b| a.file == b.file);
        for loaded in all {
            for problem in loaded
                .config
                .idle(|path| is_there_or_ignored(&loaded.folder, path))
            {
                say(
                    loaded.file.as_deref().unwrap_or(Path::new("")),
                    &loaded.text,
                    &problem,
                    Severity::Warning,
                );
            }
        }
    }
}

impl Settled {
    /// Whether nothing lies outside of `folders` that their files have to do with: each is or holds the root of its
    /// repository, or the folder that a configuration was found in. Where there is neither, it is all that is known of.
    pub(super) fn are_whole(&self, folders: &[PathBuf]) -> bool {
        let is_whole = |folder: &PathBuf| {
            let absolute = absolute(&self.here, folder);
            let repository = absolute
                .ancestors()
                .find(|folder| folder.join(".git").exists());
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

impl Loaded {
    /// `path`, relative to the configuration's folder.
    fn relative(&self, path: &Path) -> PathBuf {
        let path = absolute(&self.here, path);
        path.strip_prefix(&self.folder)
            .map(Path::to_path_buf)
            .unwrap_or(path)
    }

    /// What holds for the file `path`.
    pub(super) fn settings(&self, path: &Path) -> Arc<Settings> {
        if !self.config.has_per_file() {
            // For every file of a large tree, a path that nobody looks at is work that shows.
            return self.config.settings(path);
        }
        self.config.settings(&self.relative(path))
    }

    /// Whether the file or folder `path` is excluded. The folder `root` that was named, and those around it, are not.
    pub(super) fn excludes(&self, path: &Path, root: Option<&Path>) -> bool {
        if !self.config.has_excludes() {
            return false;
        }
        let root = root.map(|root| self.relative(root));
        self.config.excludes(&self.relative(path), root.as_deref())
    }

    /// Whether `include` names the file `path`.
    pub(super) fn includes(&self, path: &Path) -> bool {
        self.config.has_includes() && self.config.includes(&self.relative(path))
    }

    /// Every setting that holds for the file `path`, and where it comes from.
    pub(super) fn show(&self, path: &Path) -> Vec<crate::config::Shown> {
        self.config.show(&self.relative(path))
    }
}

/// Says what is wrong with the configuration `text` at `path`.
fn say(path: &Path, text: &str, problem: &Problem, severity: Severity) {
    let style = terminal::style_for_errors();
    let name = report::path(path);
    let (message, help) = (problem.message.as_str(), problem.help.as_deref());
    terminal::say(&human::problem(
        &name,
        text,
        problem.span,
        message,
        help,
        severity,
        style,
    ));
}

/// `path` from the root of the file system on, `.` and `..` taken out.
pub(super) fn absolute(here: &Path, path: &Path) -> PathBuf {
    let mut absolute = PathBuf::new();
    for part in here.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                absolute.pop();
            }
            part => absolute.push(part),
        }
    }
    absolute
}
