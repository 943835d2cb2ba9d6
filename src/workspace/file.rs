//! Reading and writing one file, so that nothing is ever lost half-way.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

#[cfg(unix)]
use super::attributes;
use super::temporary::temporary;

/// The largest file that is read where nobody says otherwise, in bytes. No Dockerfile comes near it; BuildKit itself stops
/// at lines of 64 KiB.
pub const MAX_SIZE: u64 = 8 * MIB;

/// A mebibyte, in bytes.
pub const MIB: u64 = 1024 * 1024;

/// Why nothing could be said about a file, or why it could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Read(io::Error),
    /// It is not a regular file.
    #[error("it is not a regular file")]
    NotRegular,
    /// It is larger than this many bytes.
    #[error("it is larger than {} MiB: no Dockerfile is (`--max-size` allows more)", .0 / MIB)]
    TooLarge(u64),
    /// It holds a NUL byte.
    #[error("there is a NUL byte on line {line}: it is binary, or UTF-16 (save it as UTF-8)")]
    Nul {
        /// 1-based line.
        line: usize,
    },
    /// It changed since it was read.
    #[error(
        "it was changed while cachelane worked on it, and is left as it is: run cachelane again"
    )]
    Changed,
    /// It is a symbolic link to a file outside of what was asked for.
    #[error("it is a link to {0}, outside of the given paths: name that file to have it changed")]
    LinkOutside(PathBuf),
    /// Other names stand for the same file, and would keep the old content.
    #[error(
        "it has {0} hard links, which would part from it: change it by hand, or break the links first"
    )]
    HardLinks(u64),
    /// Nobody may write it.
    #[error("it is read-only, and is left as it is: `chmod u+w` it to have it changed")]
    ReadOnly,
    /// Nothing can be made beside it.
    #[error("cannot write in its folder, and it is left as it is: {0}")]
    Folder(io::Error),
    /// A new file cannot get its owner and group.
    #[error("cannot keep its owner and group, and it is left as it is: {0}")]
    Owner(io::Error),
    /// A new file cannot get its mode.
    #[error("cannot keep its mode, and it is left as it is: the system gives the new file {0:o}")]
    Mode(u32),
    /// A new file cannot get its extended attributes: its ACL, say.
    #[error("cannot keep its extended attributes, and it is left as it is: {0}")]
    Attributes(io::Error),
    /// It cannot be written.
    #[error("cannot write it, and it is left as it is: {0}")]
    Write(io::Error),
    /// There is a file of that name.
    #[error("it is there already, and is left as it is")]
    Exists,
    /// It cannot be made.
    #[error("cannot write it: {0}")]
    Create(io::Error),
}

/// Returns the bytes of the file at `path`: at most `max`.
///
/// # Errors
/// [`FileError`] where there is no such regular file, or where it cannot be a Dockerfile (too large, NUL bytes).
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    // A device is not even opened: that alone can do something.
    if !fs::metadata(path).map_err(FileError::Read)?.is_file() {
        return Err(FileError::NotRegular);
    }
    read_open(&open(path, true).map_err(FileError::Read)?, max)
}

/// Reads a file as [`read`] does; whoever found it has seen that it is a regular one. What has become a link since is not
/// followed.
///
/// # Errors
/// As [`read`].
pub fn read_found(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    read_open(&open(path, false).map_err(FileError::Read)?, max)
}

/// Opens the file at `path`. Where it has become a FIFO since somebody looked, that does not wait for a writer.
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

/// Opens the file at `path`.
#[cfg(not(unix))]
pub(super) fn open(path: &Path, _: bool) -> io::Result<File> {
    File::open(path)
}

/// Returns the bytes of `file`, by the rules of [`read`].
fn read_open(file: &File, max: u64) -> Result<Vec<u8>, FileError> {
    let meta = file.metadata().map_err(FileError::Read)?;
    if !meta.is_file() {
        return Err(FileError::NotRegular);
    }
    if meta.len() > max {
        return Err(FileError::TooLarge(max));
    }
    read_from(file, max)
}

/// Returns the bytes of `input`, by the rules of [`read`].
///
/// # Errors
/// As [`read`].
pub fn read_from(input: impl io::Read, max: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    input
        .take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(FileError::Read)?;
    if bytes.len() as u64 > max {
        return Err(FileError::TooLarge(max));
    }
    match memchr::memchr(0, &bytes) {
        Some(at) => Err(FileError::Nul {
            line: memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1,
        }),
        None => Ok(bytes),
    }
}

/// Gives `file` the owner, the mode and the attributes of `old`, the file that it is to replace.
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

/// Returns whether the file at a path by now is the one that was opened, as it was then.
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

/// Returns whether there is a file at the path still.
#[cfg(not(unix))]
fn is_same(now: &fs::Metadata, _: &fs::Metadata) -> bool {
    now.is_file()
}

/// Puts `new` in the place of `old`, the content of the file at `path`: all of it or nothing.
///
/// The new content goes into a file beside it, reaches the disk, gets the old owner, mode and extended attributes (an ACL
/// is one), and takes the old one's place in one step. A file with hard links is not replaced: its other names would keep
/// the old content. A symbolic link stays one; its target is written only when it lies inside one of `roots`. Where the
/// file holds `new` already, somebody else was faster with the same change, and nothing is to be done.
///
/// # Errors
/// [`FileError`] where the file is no longer `old`, or cannot be written; it is as it was then.
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
    // The last look before the rename: between the two there is no time to speak of, but no lock either. Asked first which file
    // it is: where another run puts the same content there meanwhile, the content tells.
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

/// Makes a file at `path`, where none may be: all of `bytes` or nothing.
///
/// # Errors
/// [`FileError::Exists`] where something of that name is there, a dangling link too; [`FileError::Create`] where it cannot
/// be written.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(FileError::Exists);
    }
    let folder = folder_of(path);
    let named = fresh(folder, bytes).map_err(FileError::Create)?;
    named
        .persist_noclobber(path)
        .map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists,
            _ => FileError::Create(error.error),
        })?;
    sync(folder);
    Ok(())
}

/// Puts `bytes` into the file at `path`, whatever is there: all of it or nothing. For files that cachelane makes.
///
/// # Errors
/// [`FileError::Create`] where it cannot be written; what was there stays then.
pub fn put(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if is_stream(path) {
        return fs::write(path, bytes).map_err(FileError::Create);
    }
    let folder = folder_of(path);
    let named = fresh(folder, bytes).map_err(FileError::Create)?;
    named
        .persist(path)
        .map_err(|error| FileError::Create(error.error))?;
    sync(folder);
    Ok(())
}

/// Returns whether there is no old content at `path` that could be replaced: a pipe, a terminal, what `/dev/stdout` stands for.
///
/// A link that a repository brings is none, wherever it leads: writing through it would change a device, or a file, that
/// nobody named.
fn is_stream(path: &Path) -> bool {
    let is_system =
        || (path.starts_with("/dev") && !path.starts_with("/dev/shm")) || path.starts_with("/proc");
    fs::symlink_metadata(path).is_ok_and(|meta| match meta.file_type() {
        kind if kind.is_symlink() => is_system(),
        kind => !kind.is_file() && !kind.is_dir(),
    })
}

/// Returns a temporary file in `folder` that holds `bytes`, on the disk, with the mode of any new file.
fn fresh(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut fresh = temporary(folder, 0o666)?;
    fresh.write_all(bytes)?;
    fresh.as_file().sync_all()?;
    Ok(fresh)
}

/// The folder that `path` lies in.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A rename itself has to reach the disk too; where a folder cannot be synced, there is nothing more to do.
fn sync(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
