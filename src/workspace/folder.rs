//! A folder that is open: what is in it, and its files.
//!
//! On Linux names are taken out of the kernel's own list, and a file is opened from its folder, so that one name is looked
//! up instead of a whole path: a search is mostly that, and takes a tenth less time than through the standard library, which
//! serves everywhere else.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;

use super::file;

#[cfg(not(target_os = "linux"))]
use any as system;
#[cfg(target_os = "linux")]
use linux as system;

pub(super) use system::{Folder, Room};

/// What an entry of a folder is. A link is neither, wherever it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    Other,
}

/// A file that was a regular one when it was found.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// Its path.
    pub path: &'a Path,
    /// Its folder, where that is open still, and its name there.
    at: Option<(&'a Folder, &'a OsStr)>,
}

impl<'a> Found<'a> {
    /// The file at `path`.
    pub(super) fn new(path: &'a Path) -> Self {
        Self { path, at: None }
    }

    /// The file at `path`, called `name` in `folder`.
    pub(super) fn within(path: &'a Path, folder: &'a Folder, name: &'a OsStr) -> Self {
        Self {
            path,
            at: Some((folder, name)),
        }
    }

    /// Opens it. What has become a link since is not followed, and what has become a FIFO not waited for.
    pub(super) fn open(&self) -> io::Result<File> {
        match self.at {
            Some((folder, name)) => folder.file(name),
            None => file::open(self.path, false),
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, openat, statat};
    use rustix::io::{Errno, retry_on_intr};

    use super::Kind;

    /// Bytes of a folder's list that are taken from the kernel at once: some thousand names.
    const AT_ONCE: usize = 32 * 1024;

    /// Room for a folder's list.
    #[derive(Default)]
    pub struct Room(Vec<u8>);

    /// A folder that is open.
    pub struct Folder(OwnedFd);

    impl Folder {
        /// Opens the folder at `path`, a link to one only where that is to be `follow`ed.
        pub fn open(path: &Path, follow: bool) -> io::Result<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let flags = if follow {
                flags
            } else {
                flags | OFlags::NOFOLLOW
            };
            Ok(Self(retry_on_intr(|| {
                openat(CWD, path, flags, Mode::empty())
            })?))
        }

        /// Shows `entry` all that is in the folder, with what it is, or why that cannot be told.
        pub fn list(
            &self,
            room: &mut Room,
            mut entry: impl FnMut(&OsStr, io::Result<Kind>),
        ) -> io::Result<()> {
            room.0.reserve(AT_ONCE);
            let mut entries = RawDir::new(&self.0, room.0.spare_capacity_mut());
            while let Some(next) = entries.next() {
                let next = match next {
                    Ok(next) => next,
                    // The folder is gone by now, and what was in it.
                    Err(Errno::NOENT) => break,
                    Err(error) => return Err(error.into()),
                };
                let name = next.file_name();
                if matches!(name.to_bytes(), b"." | b"..") {
                    continue;
                }
                let kind = match next.file_type() {
                    // Some file systems say so of everything.
                    FileType::Unknown => match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
                        Err(Errno::NOENT) => continue,
                        stat => stat
                            .map(|stat| FileType::from_raw_mode(stat.st_mode))
                            .map_err(io::Error::from),
                    },
                    kind => Ok(kind),
                };
                let kind = kind.map(|kind| match kind {
                    FileType::Directory => Kind::Folder,
                    FileType::RegularFile => Kind::File,
                    _ => Kind::Other,
                });
                entry(OsStr::from_bytes(name.to_bytes()), kind);
            }
            Ok(())
        }

        /// Opens the file that is called `name` in it.
        pub fn file(&self, name: &OsStr) -> io::Result<File> {
            let flags = OFlags::RDONLY
                | OFlags::NONBLOCK
                | OFlags::NOFOLLOW
                | OFlags::NOCTTY
                | OFlags::CLOEXEC;
            Ok(File::from(retry_on_intr(|| {
                openat(&self.0, name, flags, Mode::empty())
            })?))
        }
    }
}

#[cfg(any(test, not(target_os = "linux")))]
mod any {
    use std::ffi::OsStr;
    use std::fs::{self, File, ReadDir};
    use std::io;
    use std::path::{Path, PathBuf};

    use super::Kind;
    use crate::workspace::file;

    /// Room for a folder's list: none is needed.
    #[derive(Default)]
    pub struct Room;

    /// A folder.
    pub struct Folder(PathBuf);

    impl Folder {
        /// The folder at `path`, a link to one only where that is to be `follow`ed.
        pub fn open(path: &Path, follow: bool) -> io::Result<Self> {
            if !follow && fs::symlink_metadata(path)?.is_symlink() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            Ok(Self(path.to_path_buf()))
        }

        /// Shows `entry` all that is in the folder, with what it is, or why that cannot be told.
        pub fn list(
            &self,
            _: &mut Room,
            mut entry: impl FnMut(&OsStr, io::Result<Kind>),
        ) -> io::Result<()> {
            let entries: ReadDir = fs::read_dir(&self.0)?;
            for next in entries {
                let next = next?;
                let kind = match next.file_type() {
                    Ok(kind) if kind.is_dir() => Ok(Kind::Folder),
                    Ok(kind) if kind.is_file() => Ok(Kind::File),
                    Ok(_) => Ok(Kind::Other),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => Err(error),
                };
                entry(&next.file_name(), kind);
            }
            Ok(())
        }

        /// Opens the file that is called `name` in it.
        pub fn file(&self, name: &OsStr) -> io::Result<File> {
            file::open(&self.0.join(name), false)
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn both_ways_show_the_same() {
        let root = tempfile::tempdir().unwrap();
        // More than is taken at once, and names of any length.
        for number in 0..1500 {
            fs::write(
                root.path()
                    .join(format!("{number}{}", "x".repeat(number % 250))),
                format!("{number}"),
            )
            .unwrap();
        }
        fs::write(root.path().join(OsStr::from_bytes(b"\xff\n")), "odd").unwrap();
        fs::create_dir(root.path().join("folder")).unwrap();
        symlink("folder", root.path().join("link")).unwrap();
        symlink("0", root.path().join("file")).unwrap();
        let text = |file: io::Result<File>| {
            let mut text = String::new();
            file.and_then(|mut file| file.read_to_string(&mut text))
                .map(|_| text)
                .map_err(|error| error.kind())
        };
        let (mut here, mut there) = (Vec::new(), Vec::new());
        let folder = linux::Folder::open(root.path(), false).unwrap();
        let mut room = linux::Room::default();
        let keep = |name: &OsStr, kind: io::Result<Kind>| {
            here.push((name.to_owned(), kind.unwrap(), text(folder.file(name))));
        };
        folder.list(&mut room, keep).unwrap();
        let folder = any::Folder::open(root.path(), false).unwrap();
        let keep = |name: &OsStr, kind: io::Result<Kind>| {
            there.push((name.to_owned(), kind.unwrap(), text(folder.file(name))));
        };
        folder.list(&mut any::Room, keep).unwrap();
        here.sort_by(|a, b| a.0.cmp(&b.0));
        there.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(here.len(), 1504);
        assert!(here == there);
        let of = |name: &str| {
            here.iter()
                .find(|(own, ..)| own == name)
                .map(|(_, kind, text)| (*kind, text.is_ok()))
        };
        assert_eq!(of("folder"), Some((Kind::Folder, false)));
        assert_eq!(of("link"), Some((Kind::Other, false)));
        assert_eq!(of("file"), Some((Kind::Other, false)));
        let link = root.path().join("link");
        assert!(
            linux::Folder::open(&link, false).is_err() && any::Folder::open(&link, false).is_err()
        );
        assert!(linux::Folder::open(&link, true).is_ok() && any::Folder::open(&link, true).is_ok());
        assert!(linux::Folder::open(&root.path().join("0"), true).is_err());
    }
}
