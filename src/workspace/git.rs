//! Reads what git knows of a work tree: where its own folder is, and the names in its index. No git is run.
//!
//! The index has a reader of its own here, since one column of it is asked for: `gix-index` and all that it needs would
//! more than double the crates of the command. The format is git's `gitformat-index`, in the versions 2, 3 and 4.

use std::fs;
use std::path::{Path, PathBuf};

use super::file;

/// The largest index that is read, in bytes, and the most bytes in names: a million files take less.
const MAX_INDEX: u64 = 128 * file::MIB;

/// The largest of git's files with one line, in bytes.
const MAX_LINE: u64 = 4096;

/// The bytes of an entry before its object: times, device, inode, mode, owner, group and size.
const BEFORE_OBJECT: usize = 40;

/// The bytes of an object's name: of SHA-1, and of SHA-256.
const OBJECTS: [usize; 2] = [20, 32];

/// The names in an index.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// Paths from the root of the work tree, as bytes, with `/` between folders. A submodule's folder is one.
    pub names: Vec<Vec<u8>>,
    /// The object of the index that this one only adds to, in hexadecimal.
    pub shared: Option<String>,
}

/// Returns git's folder for the work tree at `root`, and the one that all work trees of its repository share.
pub fn folders(root: &Path) -> Option<(PathBuf, PathBuf)> {
    let git = root.join(".git");
    if fs::symlink_metadata(&git).ok()?.is_dir() {
        return Some((git.clone(), git));
    }
    let own = root.join(line(&git)?.strip_prefix("gitdir: ")?);
    let shared = line(&own.join("commondir")).map(|line| own.join(line));
    let shared = shared.unwrap_or_else(|| own.clone());
    Some((own, shared))
}

fn line(path: &Path) -> Option<String> {
    let text = String::from_utf8(file::read(path, MAX_LINE).ok()?).ok()?;
    Some(text.lines().next()?.to_owned())
}

/// Returns the names of the files that git tracks in the work tree at `root`, and of its submodules; none where nothing was
/// added yet. Of an index that is split in two, files that were taken out since the split are among them.
///
/// # Errors
/// Returns why the index cannot be read.
pub fn tracked(root: &Path) -> Result<Vec<Vec<u8>>, String> {
    let Some((folder, _)) = folders(root) else {
        return Ok(Vec::new());
    };
    let path = folder.join("index");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let read = |path: &Path| {
        let bytes = file::bytes(path, MAX_INDEX).map_err(|error| error.to_string())?;
        index(&bytes).map_err(str::to_owned)
    };
    let mut index = read(&path)?;
    if let Some(shared) = &index.shared {
        let shared = read(&folder.join(format!("sharedindex.{shared}")))?;
        index.names.extend(shared.names);
    }
    Ok(index.names)
}

/// Reads an index. Neither its sum nor its objects are compared with anything.
///
/// # Errors
/// Returns why it is none that can be read.
pub fn index(bytes: &[u8]) -> Result<Index, &'static str> {
    // Only the repository's configuration says which objects there are; the other reading comes to no end.
    let mut read = OBJECTS.map(|object| Reader { bytes, object }.index());
    if read[0].is_err() {
        read.swap(0, 1);
    }
    let [read, _] = read;
    read.map_err(|()| "it is no index of git that cachelane knows")
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// The bytes of an object's name.
    object: usize,
}

impl<'a> Reader<'a> {
    fn index(mut self) -> Result<Index, ()> {
        let end = self.bytes.len().checked_sub(self.object).ok_or(())?;
        self.bytes = &self.bytes[..end];
        if self.take(4)? != b"DIRC" {
            return Err(());
        }
        let version = self.number()?;
        let count = self.number()?;
        if !(2..=4).contains(&version) {
            return Err(());
        }
        let mut index = Index::default();
        let (mut last, mut all) = (Vec::new(), 0);
        for _ in 0..count {
            self.entry(version, &mut last)?;
            all += last.len() as u64;
            if all > MAX_INDEX {
                return Err(());
            }
            // In the second half of a split index, a file that is in the first one has no name.
            if !last.is_empty() {
                index.names.push(last.clone());
            }
        }
        while !self.bytes.is_empty() {
            let name = self.take(4)?;
            let len = self.number()?;
            let content = self.take(usize::try_from(len).map_err(drop)?)?;
            match name {
                b"link" => {
                    let object = content.get(..self.object).ok_or(())?;
                    if object.iter().any(|byte| *byte != 0) {
                        let hex = object.iter().map(|byte| format!("{byte:02x}"));
                        index.shared = Some(hex.collect());
                    }
                }
                // Folders that are not checked out stand in it as one name.
                b"sdir" => {}
                // One that begins with a capital may be passed over.
                _ if name[0].is_ascii_uppercase() => {}
                _ => return Err(()),
            }
        }
        Ok(index)
    }

    /// Reads an entry's name into `last`, which has the name of the entry before.
    fn entry(&mut self, version: u32, last: &mut Vec<u8>) -> Result<(), ()> {
        let before = self.bytes.len();
        self.take(BEFORE_OBJECT + self.object)?;
        let flags = self.take(2)?[0];
        if version >= 3 && flags & 0x40 != 0 {
            self.take(2)?;
        }
        if version == 4 {
            let kept = last.len().checked_sub(self.cut()?).ok_or(())?;
            last.truncate(kept);
        } else {
            last.clear();
        }
        let len = memchr::memchr(0, self.bytes).ok_or(())?;
        last.extend_from_slice(self.take(len)?);
        let rest = if version == 4 {
            1
        } else {
            // One to eight zeros, so that entries begin at multiples of eight.
            8 - (before - self.bytes.len()) % 8
        };
        let zeros = self.take(rest)?;
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(());
        }
        Ok(())
    }

    /// Reads how many bytes of the name before are left out: seven bits a byte, the highest first.
    fn cut(&mut self) -> Result<usize, ()> {
        let mut cut = 0_usize;
        loop {
            let byte = self.take(1)?[0];
            cut = cut << 7 | usize::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                return Ok(cut);
            }
            cut = cut.checked_add(1).filter(|cut| *cut < 1 << 20).ok_or(())?;
        }
    }

    fn number(&mut self) -> Result<u32, ()> {
        let bytes = self.take(4)?.try_into().map_err(drop)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], ()> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(())?;
        self.bytes = rest;
        Ok(taken)
    }
}
