//! Files that belong together: checked, fixed, and checked again after a change.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};

use crate::budget;
use crate::config::{self, Config, Overrides};
use crate::finding::Finding;
use crate::fix::Applicability;
use crate::lint::matching::FileAccess;
use crate::lint::{Dropped, FileReport, Made};
use crate::rules::Settings;
use crate::text::path_text;

pub mod fix;
pub mod input;
pub mod names;
pub mod relate;

use fix::Fixing;
use input::{InputFile, absolute, format_of};
use names::{is_dockerfile, may_be_dockerfile};

/// The files of a repository, with their settings.
///
/// Paths are relative to the repository's root; `..` leads out of it. Workflow, pipeline, Compose and bake files are known by their names;
/// every other file is a Dockerfile, but for prose and source code that is called like one (`Dockerfile.md`). Comments
/// `# cachelane: ignore[…]` apply as for the command:
///
/// ```
/// use cachelane::{Project, RuleId, Settings, Severity};
///
/// let mut settings = Settings::default();
/// settings.severities.insert(RuleId::SharedLock, Severity::Warning);
/// let mut project = Project::new(settings);
///
/// let run = "RUN --mount=type=cache,id=x,target=/x,sharing=locked make";
/// project.replace("Dockerfile", format!("FROM debian\n{run}\n"));
/// let report = project.check();
/// assert_eq!(report.files[0].findings[0].severity, Severity::Warning);
///
/// // After an edit, the file is replaced and checked again.
/// project.replace(
///     "Dockerfile",
///     format!("FROM debian\n# cachelane: ignore[shared-lock] one job at a time\n{run}\n"),
/// );
/// let report = project.check();
/// assert!(report.files[0].findings.is_empty());
/// assert_eq!(report.files[0].suppressed, 1);
/// ```
#[derive(Debug)]
pub struct Project {
    config: Config,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

/// The findings of [`Project::check`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// The files with findings or suppressions, ordered by path.
    pub files: Vec<FileFindings>,
    /// Files that could not be checked.
    pub errors: Vec<Error>,
}

/// The findings in one file.
#[derive(Debug)]
#[non_exhaustive]
pub struct FileFindings {
    /// The file.
    pub path: PathBuf,
    /// The findings that are not suppressed, ordered by place.
    pub findings: Vec<Finding>,
    /// The number of findings suppressed by comments and the configuration's exemptions.
    pub suppressed: usize,
}

/// The result of [`Project::fix`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Fixes {
    /// The files with changes or remaining findings, ordered by path.
    pub files: Vec<FixedFile>,
    /// Files that could not be fixed.
    pub errors: Vec<Error>,
}

/// One file with its fixes made.
#[derive(Debug)]
#[non_exhaustive]
pub struct FixedFile {
    /// The file.
    pub path: PathBuf,
    /// Its new bytes; the old ones where nothing was fixed.
    pub bytes: Vec<u8>,
    /// The fixes that were made.
    pub made: Vec<Made>,
    /// The fixes that were not made, since the file would not have read as it should.
    pub dropped: Vec<Dropped>,
    /// The findings in the new bytes.
    pub left: Vec<Finding>,
}

/// The reason why findings are missing in a [`Report`] or in [`Fixes`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file takes more work than any real one.
    #[error("{}: it is more than cachelane reads", .0.display())]
    File(PathBuf),
    /// It is a build file by its name, and its builds cannot be read. (A template gives no error: what it makes may well be
    /// read.)
    #[error("{}:{line}: its builds cannot be read: {why}", .path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// The 1-based line where reading it failed.
        line: usize,
        /// The reason, in a clause.
        why: String,
    },
    /// The files take more work to compare than any real ones.
    #[error("these files have more to do with one another than cachelane compares")]
    Files,
}

/// Returns a path without `.`, and without `..` but for those that lead out of the project's folder.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.has_root() || plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

impl Project {
    /// Makes a project without files, with `settings` for all of them.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self::of(Config::with(settings))
    }

    /// Makes a project without files, with the settings of a `cachelane.toml` at its root. Excluded files are left
    /// alone.
    ///
    /// # Errors
    /// Returns everything that is wrong with the configuration's text.
    pub fn with_config(text: &str) -> Result<Self, config::Problems> {
        let config = Config::read(text, Overrides::default());
        config.map(Self::of).map_err(config::Problems)
    }

    fn of(config: Config) -> Self {
        Self {
            config,
            files: BTreeMap::new(),
        }
    }

    /// Returns whether a search of a folder would add the file at `path`, by its name: a Dockerfile or a build file.
    #[must_use]
    pub fn takes(path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        may_be_dockerfile(name.as_encoded_bytes()) || format_of(path).is_some()
    }

    /// Adds a file with these bytes at `path`, or replaces the one there.
    pub fn replace(&mut self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        self.files.insert(plain(&path.into()), bytes.into());
    }

    /// Removes the file at `path`; returns its bytes.
    pub fn remove(&mut self, path: &Path) -> Option<Vec<u8>> {
        self.files.remove(&plain(path))
    }

    /// Returns the bytes of the file at `path`.
    #[must_use]
    pub fn bytes(&self, path: &Path) -> Option<&[u8]> {
        self.files.get(&plain(path)).map(Vec::as_slice)
    }

    /// Checks all files, alone and compared with one another.
    #[must_use]
    pub fn check(&self) -> Report {
        let mut errors = Vec::new();
        let mut reports = self.each(&mut errors, input::check);
        errors.extend(self.relate(&mut reports));
        errors.extend(unread(&reports));
        let found = |report: FileReport| FileFindings {
            path: report.path,
            findings: report.checked.findings,
            suppressed: report.checked.suppressed,
        };
        let mut files: Vec<FileFindings> = reports.into_iter().map(found).collect();
        files.retain(|file| !file.findings.is_empty() || file.suppressed > 0);
        Report { files, errors }
    }

    /// Makes every fix up to `level`. The project stays as it is; [`Project::replace`] takes the new bytes over.
    #[must_use]
    pub fn fix(&self, level: Applicability) -> Fixes {
        let mut errors = Vec::new();
        let before = self.each(&mut Vec::new(), input::check);
        let fixing =
            self.with_access(|access| Fixing::new(level, &|_, _, _| Ok(()), before, true, access));
        let fixed = self.each(&mut errors, |input| fixing.file(input));
        let (reports, fixes) = fixing.together(fixed, |reports| {
            let error = self.relate(reports);
            let is_related = error.is_none();
            errors.extend(error);
            is_related
        });
        let too_much = reports.iter().zip(&fixes);
        let too_much = too_much.filter(|(_, done)| done.unwritten.is_some());
        errors.extend(too_much.map(|(report, _)| Error::File(report.path.clone())));
        errors.extend(unread(&reports));
        let files = reports
            .into_iter()
            .zip(fixes)
            .map(|(report, done)| FixedFile {
                path: report.path,
                bytes: done.fixed.bytes,
                made: done.fixed.made,
                dropped: done.fixed.dropped,
                left: report.checked.findings,
            });
        let files = files.filter(|file| {
            !(file.made.is_empty() && file.dropped.is_empty() && file.left.is_empty())
        });
        errors.dedup();
        Fixes {
            files: files.collect(),
            errors,
        }
    }

    /// Passes each file to `visit`; those beyond the budget are added to `errors`.
    fn each<T>(
        &self,
        errors: &mut Vec<Error>,
        visit: impl Fn(InputFile<'_>) -> Option<T>,
    ) -> Vec<T> {
        let mut made = Vec::new();
        for (path, source) in &self.files {
            if self.config.excludes(path, None) || self.is_prose(path, source) {
                continue;
            }
            let input = InputFile::new(path, self.config.settings(path), source);
            match budget::within(source.len(), || visit(input)) {
                Ok(one) => made.extend(one),
                Err(_) => errors.push(Error::File(path.clone())),
            }
        }
        made
    }

    /// Returns whether the file is called like a Dockerfile, and is prose or source code.
    fn is_prose(&self, path: &Path, source: &[u8]) -> bool {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        may_be_dockerfile(name)
            && format_of(path).is_none()
            && !is_dockerfile(name, source)
            && !self.config.includes(path)
    }

    fn relate(&self, reports: &mut [FileReport]) -> Option<Error> {
        let related = self.with_access(|access| relate::relate(reports, true, access));
        related.err().map(|_| Error::Files)
    }

    fn with_access<R>(&self, ask: impl FnOnce(&FileAccess<'_>) -> R) -> R {
        // The folder of the project is as deep as its files' paths lead out of it.
        let is_up = |part: &Component<'_>| *part == Component::ParentDir;
        let up = |path: &PathBuf| path.components().take_while(is_up).count();
        let depth = self.files.keys().map(up).max().unwrap_or(0);
        let root = std::iter::once("/");
        let here: PathBuf = root
            .chain(std::iter::repeat_n(":project:", depth))
            .collect();
        let absolute = |path: &Path| absolute(&here, path);
        let files = self.files.iter();
        let files: HashMap<PathBuf, &Vec<u8>> = files
            .map(|(path, source)| (absolute(path), source))
            .collect();
        ask(&FileAccess {
            root: &|path, format| relate::root(&absolute(path), format, |folder| folder == here),
            absolute: &absolute,
            name: &path_text,
            is_there: &|path| files.contains_key(path),
            text: &|path| {
                let source = *files.get(path)?;
                String::from_utf8(source.clone()).ok()
            },
            // Every file is among the reports already.
            load: &|_, _| None,
        })
    }
}

/// Returns an error for each build file that cannot be read.
fn unread(reports: &[FileReport]) -> impl Iterator<Item = Error> {
    reports.iter().filter_map(|report| {
        let (line, why) = report.unread()?;
        Some(Error::Unread {
            path: report.path.clone(),
            line,
            why: why.to_owned(),
        })
    })
}
