//! Checks one file by itself.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::builds::{self, FormatRef};
use crate::lint::{self, FileReport};
use crate::rules::Settings;

pub struct InputFile<'a> {
    /// Its path as the user or the search named it; for standard input, its given name.
    pub path: &'a Path,
    /// True for standard input, which cannot be written back.
    pub is_stdin: bool,
    /// The format of a build file; `None` for a Dockerfile.
    pub format: Option<FormatRef>,
    /// True where text outside of Dockerfiles is searched for locks: all of it without a `format`.
    pub text: bool,
    /// True where the user named the file, so that one which cannot be read is told of, whatever is in it.
    #[cfg(feature = "cli")]
    pub is_named: bool,
    pub settings: Arc<Settings>,
    pub source: &'a [u8],
}

impl<'a> InputFile<'a> {
    /// Returns the file at `path`, in the format that its name tells.
    pub fn new(path: &'a Path, settings: Arc<Settings>, source: &'a [u8]) -> Self {
        Self {
            path,
            is_stdin: false,
            format: format_in(path, source),
            text: false,
            #[cfg(feature = "cli")]
            is_named: false,
            settings,
            source,
        }
    }
}

/// Returns the findings in one file by itself; `None` where there is nothing to compare with other files either, nor to
/// be given back as standard input is.
pub fn check(input: InputFile<'_>) -> Option<FileReport> {
    let InputFile {
        path,
        is_stdin,
        format,
        text,
        settings,
        source,
        ..
    } = input;
    if let Some(format) = format {
        let mut report = lint::check_build_file(path, format, source, &settings);
        #[cfg(feature = "cli")]
        if input.is_named {
            report = read_whole(report);
        }
        report.is_text = text;
        if let Some(builds) = report.builds.as_mut().filter(|_| text) {
            report.checked.findings.append(&mut builds.embedded);
        }
        let builds = report.builds.iter();
        let mut says = builds.map(|builds| {
            // One that says nothing by itself may be a part of another.
            builds.unread.is_some() || !builds.file.is_empty() || builds.format.is_joined()
        });
        let is_empty = report.checked.is_empty() && !says.any(|says| says);
        return (is_stdin || !is_empty).then_some(report);
    }
    if text {
        return lint::check_text(path, source, &settings);
    }
    let report = lint::check_file(path, None, source, &settings);
    (is_stdin || !report.checked.is_empty()).then_some(report)
}

/// Looks whether a file can be read, even one in which no word builds anything.
#[cfg(feature = "cli")]
pub(super) fn read_whole(mut report: FileReport) -> FileReport {
    if let Some(builds) = &mut report.builds {
        let find = || lint::find_unread(builds.format, &report.source);
        builds.unread = builds.unread.take().or_else(find);
    }
    report
}

/// Checks the file within a budget of its own.
#[cfg(feature = "cli")]
pub fn check_within_budget(
    input: InputFile<'_>,
) -> Result<Option<FileReport>, crate::budget::Spent> {
    crate::budget::within(input.source.len(), || check(input))
}

/// Returns the format of a build file by its name; `None` for a script without a word of a build, too.
pub fn format_in(path: &Path, source: &[u8]) -> Option<FormatRef> {
    format_of(path).filter(|format| format.may_build(source))
}

/// Returns the format of a build file by its name; `None` for all others, which are Dockerfiles where named by the
/// user.
pub fn format_of(path: &Path) -> Option<FormatRef> {
    builds::format(&path.to_str()?.replace('\\', "/"))
}

/// Returns the absolute `path` as one would type it in the folder `here`; as it is where they have no folder in common.
#[cfg(feature = "cli")]
pub fn relative(here: &Path, path: &Path) -> PathBuf {
    let mut up = PathBuf::new();
    for above in here.ancestors().filter(|above| above.parent().is_some()) {
        if let Ok(rest) = path.strip_prefix(above) {
            let relative = up.join(rest);
            let is_here = relative.as_os_str().is_empty();
            return if is_here { ".".into() } else { relative };
        }
        up.push("..");
    }
    path.to_path_buf()
}

/// Returns `path` made absolute from the folder `here`, without `.` and `..`.
pub fn absolute(here: &Path, path: &Path) -> PathBuf {
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
