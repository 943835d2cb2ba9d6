//! Files that are written in full before they take another one's place.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

/// How the name of a temporary file begins. One is left behind only where cachelane is killed before it takes its place.
const TEMPORARY: &str = ".cachelane-";

/// Whether a file of this name is one that cachelane left behind when it was killed while it wrote.
#[must_use]
pub fn is_leftover(name: &[u8]) -> bool {
    let rest = name.strip_prefix(TEMPORARY.as_bytes());
    rest.is_some_and(|rest| rest.len() == 6 && rest.iter().all(u8::is_ascii_alphanumeric))
}

/// A file that is to take another one's place.
pub(super) struct Temporary {
    pub(super) file: File,
    /// Its name; none as long as it stands in no folder.
    path: Option<TempPath>,
}

impl Temporary {
    /// A new file on the file system of `folder`, with the permissions `mode` but for what the umask takes off.
    ///
    /// Where the system can, it gets no name before it is whole: a process that is killed while it writes leaves nothing
    /// behind then.
    pub(super) fn new(folder: &Path, mode: u32) -> io::Result<Self> {
        if let Some(file) = unnamed(folder, mode) {
            return Ok(Self { file, path: None });
        }
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
        let temporary = builder
            .prefix(TEMPORARY)
            .tempfile_in(folder)
            .map_err(|error| nameless(&error))?;
        let (file, path) = temporary.into_parts();
        Ok(Self {
            file,
            path: Some(path),
        })
    }

    /// Its name in `folder`. Where that is dropped, so is the file.
    pub(super) fn named(self, folder: &Path) -> io::Result<TempPath> {
        let Self { file, path: None } = self else {
            return self.path.ok_or(io::ErrorKind::NotFound.into());
        };
        let named = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .make_in(folder, |path| name(&file, path));
        Ok(named.map_err(|error| nameless(&error))?.into_temp_path())
    }
}

/// A file without a name, where the file system has such, and where it can be given one later.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Path, mode: u32) -> Option<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(folder, flags, Mode::from_raw_mode(mode)).ok()?);
    fs::symlink_metadata(handle(&file)).is_ok().then_some(file)
}

/// Gives `file` the name `path`, where none may be.
#[cfg(target_os = "linux")]
fn name(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD};
    Ok(rustix::fs::linkat(
        CWD,
        handle(file),
        CWD,
        path,
        AtFlags::SYMLINK_FOLLOW,
    )?)
}

/// What stands for `file` among the paths, as long as it is open.
#[cfg(target_os = "linux")]
pub(super) fn handle(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd as _;
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// Elsewhere every file has a name from the start.
#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Path, _: u32) -> Option<File> {
    None
}

/// See [`unnamed`].
#[cfg(not(target_os = "linux"))]
fn name(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// `error` without the name of a temporary file, which tells nobody anything.
fn nameless(error: &io::Error) -> io::Error {
    let text = error.to_string();
    io::Error::new(
        error.kind(),
        text.split(" at path \"").next().unwrap_or(&text).to_owned(),
    )
}
