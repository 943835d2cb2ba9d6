//! Reads and writes one file, so that an interrupted write loses nothing.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

#[cfg(unix)]
use super::attributes;
use super::temporary::temporary;

/// The default limit of a file's size, in bytes. No Dockerfile comes near it; BuildKit itself stops at lines of 64 KiB.
pub const MAX_SIZE: u64 = 8 * MIB;

/// In bytes.
pub const MIB: u64 = 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read it: {0}")]
    Read(io::Error),
    #[error("it is not a regular file")]
    NotRegular,
    /// In bytes.
    #[error("it is larger than {} MiB: no Dockerfile is (`--max-size` allows more)", .0 / MIB)]
    TooLarge(u64),
    #[error("there is a NUL byte on line {line}: it is binary, or UTF-16 (save it as UTF-8)")]
    Nul {
        /// 1-based.
        line: usize,
    },
    #[error(
        "it was changed while cachelane worked on it, and is left as it is: run cachelane again"
    )]
    Changed,
    /// It is a symbolic link to a file outside of the given paths.
    #[error("it is a link to {0}, outside of the given paths: name that file to have it changed")]
    LinkOutside(PathBuf),
    #[error("cannot write it: {0} is a link out of the repository")]
    FolderOutside(PathBuf),
    /// Hard links to the same file would keep the old content.
    #[error(
        "it has {0} hard links, and the others would keep the old content: change it by hand, or break the links first"
    )]
    HardLinks(u64),
    #[error("it is read-only, and is left as it is: `chmod u+w` it to have it changed")]
    ReadOnly,
    #[error("cannot write in its folder, and it is left as it is: {0}")]
    Folder(io::Error),
    #[error("cannot keep its owner and group, and it is left as it is: {0}")]
    Owner(io::Error),
    #[error("cannot keep its mode, and it is left as it is: the system gives the new file {0:o}")]
    Mode(u32),
    #[error("cannot keep its extended attributes, and it is left as it is: {0}")]
    Attributes(io::Error),
    #[error("cannot write it, and it is left as it is: {0}")]
    Write(io::Error),
    #[error("it is there already, and is left as it is")]
    Exists,
    #[error("cannot write it: {0}")]
    Create(io::Error),
}

/// Returns the bytes of the file at `path`: at most `max`.
///
/// # Errors
/// [`FileError`] where there is no such regular file, or where it cannot be a Dockerfile (too large, NUL bytes).
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    // A device is not even opened, because that alone can have an effect.
    if !fs::metadata(path).map_err(FileError::Read)?.is_file() {
        return Err(FileError::NotRegular);
    }
    read_open(&open(path, true).map_err(FileError::Read)?, max)
}

/// Returns the bytes of the regular file at `path`, which may be binary: at most `max`.
pub(super) fn bytes(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    let file = open(path, true).map_err(FileError::Read)?;
    regular(&file, max)?;
    limited(&file, max)
}

/// Reads a regular file that a search has found as [`read`] does, but follows no link that has come since.
pub fn read_found(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    read_open(&open(path, false).map_err(FileError::Read)?, max)
}

/// Opens the file at `path`, without waiting for a writer where it has become a FIFO since the search.
#[cfg(unix)]
pub(super) fn open(path: &Path, follow: bool) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    let flags = if follow {
        OFlags::NONBLOCK
    } else {
        OFlags::NONBLOCK | OFlags::NOFOLLOW
    };
    let flags = i32::try_from((flags | OFlags::NOCTTY).bits()).unwrap_or_default();
    fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
}

#[cfg(not(unix))]
pub(super) fn open(path: &Path, _: bool) -> io::Result<File> {
    File::open(path)
}

fn read_open(file: &File, max: u64) -> Result<Vec<u8>, FileError> {
    regular(file, max)?;
    read_from(file, max)
}

fn regular(file: &File, max: u64) -> Result<(), FileError> {
    let meta = file.metadata().map_err(FileError::Read)?;
    if !meta.is_file() {
        return Err(FileError::NotRegular);
    }
    if meta.len() > max {
        return Err(FileError::TooLarge(max));
    }
    Ok(())
}

/// Returns the bytes of `input`, by the rules of [`read`].
pub fn read_from(input: impl io::Read, max: u64) -> Result<Vec<u8>, FileError> {
    let bytes = limited(input, max)?;
    match memchr::memchr(0, &bytes) {
        Some(at) => Err(FileError::Nul {
            line: memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1,
        }),
        None => Ok(bytes),
    }
}

fn limited(input: impl io::Read, max: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    input
        .take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(FileError::Read)?;
    if bytes.len() as u64 > max {
        return Err(FileError::TooLarge(max));
    }
    Ok(bytes)
}

/// Gives `file` the owner, the mode and the attributes of `old`, which it is to replace.
#[cfg(unix)]
fn take_after(file: &File, old: &File, meta: &fs::Metadata) -> Result<(), FileError> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    if meta.nlink() > 1 {
        return Err(FileError::HardLinks(meta.nlink()));
    }
    let new = file.metadata().map_err(FileError::Write)?;
    if (new.uid(), new.gid()) != (meta.uid(), meta.gid()) {
        fchown(file, Some(meta.uid()), Some(meta.gid())).map_err(FileError::Owner)?;
    }
    attributes::take_after(file, old).map_err(FileError::Attributes)?;
    // Some file systems have one mode for all files, and know no way to set it.
    if file.metadata().map_err(FileError::Write)?.mode() != meta.mode() {
        file.set_permissions(meta.permissions())
            .map_err(FileError::Write)?;
    }
    // The kernel drops a set-group-ID bit of a foreign group without a word.
    let new = file.metadata().map_err(FileError::Write)?;
    if new.mode() == meta.mode() {
        Ok(())
    } else {
        Err(FileError::Mode(new.mode() & 0o7777))
    }
}

/// Gives `file` the permissions of the file that it is to replace.
#[cfg(not(unix))]
fn take_after(file: &File, _: &File, meta: &fs::Metadata) -> Result<(), FileError> {
    file.set_permissions(meta.permissions())
        .map_err(FileError::Write)
}

/// Returns whether the file at a path is still the one that was opened, and unchanged.
#[cfg(unix)]
fn is_same(now: &fs::Metadata, then: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let file = |meta: &fs::Metadata| {
        (
            meta.dev(),
            meta.ino(),
            meta.mode(),
            meta.uid(),
            meta.gid(),
            meta.nlink(),
        )
    };
    file(now) == file(then)
}

#[cfg(not(unix))]
fn is_same(now: &fs::Metadata, _: &fs::Metadata) -> bool {
    now.is_file()
}

/// Replaces `old`, the content of the file at `path`, by `new`: all of it or nothing.
///
/// The new content goes into a file beside it, reaches the disk, gets the old owner, mode and extended attributes, and
/// takes the old one's place in one step. A file with hard links is not replaced: its other names would keep the old
/// content. A symbolic link stays one; its target is written only when it lies inside one of `roots`. A file that
/// already has the content `new`, from another run, is left as it is.
///
/// # Errors
/// [`FileError`] where the file is no longer `old`, or cannot be written; it stays as it was then.
pub fn replace(path: &Path, old: &[u8], new: &[u8], roots: &[PathBuf]) -> Result<(), FileError> {
    // A folder on the way may have become a link since the search went through it.
    let path = &fs::canonicalize(path).map_err(FileError::Read)?;
    let mut roots = roots.iter().filter_map(|root| fs::canonicalize(root).ok());
    if !roots.any(|root| path.starts_with(root)) {
        return Err(FileError::LinkOutside(path.clone()));
    }
    let file = open(path, false).map_err(FileError::Read)?;
    let meta = file.metadata().map_err(FileError::Read)?;
    if !meta.is_file() {
        return Err(FileError::Changed);
    }
    if meta.permissions().readonly() {
        return Err(FileError::ReadOnly);
    }
    let folder = folder_of(path);
    let mut fresh = temporary(folder, 0o600).map_err(FileError::Folder)?;
    fresh.write_all(new).map_err(FileError::Write)?;
    take_after(fresh.as_file(), &file, &meta)?;
    fresh.as_file().sync_all().map_err(FileError::Write)?;
    drop(file);
    // The last look before the rename, without a lock. The file's identity is asked before its content, in case another
    // run replaces it meanwhile with the same content.
    let is_same = fs::symlink_metadata(path).is_ok_and(|now| is_same(&now, &meta));
    let now = read_found(path, old.len().max(new.len()) as u64).map_err(|_| FileError::Changed)?;
    if now == new {
        return Ok(());
    }
    if now != old || !is_same {
        return Err(FileError::Changed);
    }
    fresh
        .persist(path)
        .map_err(|error| FileError::Write(error.error))?;
    sync(folder);
    Ok(())
}

/// Makes a new file at `path`: all of `bytes` or nothing.
///
/// # Errors
/// [`FileError::Exists`] where the name is taken, by a dangling link too; [`FileError::Create`] where it cannot be
/// written.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(FileError::Exists);
    }
    let folder = folder_of(path);
    let named = fresh(folder, |to| to.write_all(bytes)).map_err(FileError::Create)?;
    named
        .persist_noclobber(path)
        .map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists,
            _ => FileError::Create(error.error),
        })?;
    sync(folder);
    Ok(())
}

/// Writes `bytes` to cachelane's own file at `path`, over any old content: all of it or nothing.
///
/// # Errors
/// [`FileError::Create`] where it cannot be written; the old content stays then.
pub fn put(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    put_by(path, |to| to.write_all(bytes))
}

/// Writes what `write` writes, as [`put`] does.
///
/// # Errors
/// Fails as [`put`] does.
pub fn put_by(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<(), FileError> {
    if is_stream(path) {
        let stream = open_stream(path).map_err(FileError::Create)?;
        return buffered(&stream, write).map_err(FileError::Create);
    }
    if let Some(link) = leading_out(path) {
        return Err(FileError::FolderOutside(link));
    }
    let folder = folder_of(path);
    let named = fresh(folder, write).map_err(FileError::Create)?;
    named
        .persist(path)
        .map_err(|error| FileError::Create(error.error))?;
    sync(folder);
    Ok(())
}

/// Returns whether `path` has no old content to replace: a pipe, a terminal, the target of `/dev/stdout`.
///
/// A link that a repository brings never counts: writing through it would change a device, or a file, that the user did
/// not name.
fn is_stream(path: &Path) -> bool {
    let is_system =
        || (path.starts_with("/dev") && !path.starts_with("/dev/shm")) || path.starts_with("/proc");
    fs::symlink_metadata(path).is_ok_and(|meta| match meta.file_type() {
        kind if kind.is_symlink() => is_system(),
        kind => !kind.is_file() && !kind.is_dir(),
    })
}

/// Opens a stream to write. A FIFO that nobody reads would never be opened: that is an error here.
#[cfg(unix)]
fn open_stream(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = fs::OpenOptions::new();
    options
        .write(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    let stream = options.open(path).map_err(|error| {
        if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) {
            io::Error::other("nobody reads this pipe")
        } else {
            error
        }
    })?;
    // Whoever reads may be slower than this writes.
    fcntl_setfl(&stream, fcntl_getfl(&stream)? - OFlags::NONBLOCK)?;
    Ok(stream)
}

#[cfg(not(unix))]
fn open_stream(path: &Path) -> io::Result<File> {
    File::create(path)
}

/// Returns the folder on the way to `path` that is a link out of its repository, if any. Outside of a repository, links below
/// the current folder count. One that is further out is the system's, or the user's.
fn leading_out(path: &Path) -> Option<PathBuf> {
    let here = std::path::absolute(".").ok()?;
    let path = std::path::absolute(path).ok()?;
    path.ancestors().skip(1).find_map(|folder| {
        let is_link = fs::symlink_metadata(folder).is_ok_and(|meta| meta.is_symlink());
        let around = folder.parent().filter(|_| is_link)?;
        let is_here = || around.starts_with(&here).then_some(here.as_path());
        let tree = super::tree::repository(around).or_else(is_here)?;
        super::tree::inside(folder, tree)
            .is_none()
            .then(|| folder.to_path_buf())
    })
}

/// Returns a temporary file in `folder` with what `write` writes, on the disk, with the mode of any new file.
fn fresh(
    folder: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let fresh = temporary(folder, 0o666)?;
    buffered(fresh.as_file(), write)?;
    fresh.as_file().sync_all()?;
    Ok(fresh)
}

fn buffered(
    file: &File,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut to = io::BufWriter::new(file);
    write(&mut to)?;
    to.flush()
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Syncs the folder after a rename, if the file system can.
fn sync(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
