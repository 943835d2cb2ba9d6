//! The interface of a format. The formats are listed in the [folder](super).

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::model::{Build, BuildFile, Lane, ReadError};
use super::yaml::Addition;
use crate::fix::Fix;

/// A format of files that build images: one file of code, and one name in the list.
pub trait Format: Contents + Any + fmt::Debug + Sync {
    /// Returns whether the file at `path` is one, by its name and folder.
    fn claims(&self, path: &FilePath<'_>) -> bool;

    /// Returns whether a search takes each file that the format claims; otherwise only those outside the folders of tests,
    /// whose files hold texts to compare with.
    #[cfg(feature = "cli")]
    fn is_told_by_name(&self) -> bool {
        true
    }

    /// Returns the changes that passing an argument makes to the YAML of a file; `None` for a file that is not YAML.
    fn adds(&self) -> Option<Addition> {
        Some(Addition::Entries)
    }

    /// Returns whether files include others of the format, so that each is read within a whole.
    fn is_joined(&self) -> bool {
        false
    }

    /// Returns the name of a file that is read along with one in its folder, where that has a variable.
    fn beside(&self) -> Option<&'static str> {
        None
    }

    /// Returns whether a line that begins with `#` can be added wherever no text goes on over it.
    #[cfg(feature = "cli")]
    fn takes_comments(&self) -> bool {
        true
    }

    /// Returns whether a file may be of interest, by the words in it: a cheap test.
    fn may_build(&self, _source: &[u8]) -> bool {
        true
    }

    /// Returns where the paths of such files start.
    fn base(&self) -> PathBase {
        PathBase::OwnFolder
    }
}

/// Reads and changes the files of a format. Those that hold jobs have it from [`jobs`](super::jobs).
pub trait Contents {
    /// Reads the builds of a file that is a part of a whole. Fails when it is none of the format.
    fn read_within(&'static self, source: &str, around: &Around) -> Result<BuildFile, ReadError>;

    /// Hands what finds the insertions for the builds of a file within a whole to `then`. Fails when it is none of the format.
    fn inserter(
        &'static self,
        source: &str,
        around: &Around,
        then: &mut dyn FnMut(Inserter<'_>),
    ) -> Result<(), ReadError>;

    /// Fails where the file is none of the format, even if no word in it builds anything.
    #[cfg(feature = "cli")]
    fn parse(&'static self, source: &str) -> Result<(), ReadError> {
        self.read(source).map(drop)
    }

    /// Reads the builds of a file by itself. Fails when it is none of the format.
    fn read(&'static self, source: &str) -> Result<BuildFile, ReadError> {
        self.read_within(source, Around::NONE)
    }
}

/// The folder from which the paths of a file start.
#[derive(Clone, Copy, Debug)]
pub enum PathBase {
    OwnFolder,
    Repository,
    /// The one with the folder of this name, in which the file is; otherwise the repository's.
    Above(&'static str),
}

/// The texts of the other files of a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Those whose values count before the file's, the first before the others.
    pub over: Vec<Arc<str>>,
    /// Those whose values count behind the file's.
    pub under: Vec<Arc<str>>,
}

impl Around {
    pub const NONE: &'static Self = &Self {
        over: Vec::new(),
        under: Vec::new(),
    };

    /// Returns the number of bytes.
    pub fn size(&self) -> usize {
        let all = self.over.iter().chain(&self.under);
        all.map(|text| text.len()).sum()
    }
}

pub type FormatRef = &'static dyn Format;

/// A file's path, from the repository's root or from any folder, with `/` between names.
#[derive(Clone, Copy, Debug)]
pub struct FilePath<'p> {
    folder: &'p str,
    pub name: &'p str,
    /// The name without the ending of a YAML file; `None` for other files.
    pub stem: Option<&'p str>,
}

impl<'p> FilePath<'p> {
    pub fn new(path: &'p str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let yaml = [".yml", ".yaml"];
        Self {
            folder,
            name,
            stem: yaml.iter().find_map(|end| name.strip_suffix(end)),
        }
    }

    /// Returns whether the path is a YAML file in `folder`, at any depth.
    pub fn is_yaml_in(&self, folder: &str) -> bool {
        let rest = self.folder.strip_suffix(folder);
        self.stem.is_some() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insertion {
    /// The fix, not proved yet.
    pub fix: Fix,
    /// The value that the build then passes, as its file's reader gives it; `None` where it goes through a variable of
    /// the file that may have existed.
    pub value: Option<String>,
}

/// Finds the insertion for a build of the file that it was made from.
pub type Inserter<'d> = &'d dyn Fn(&Build, &Lane<'_>) -> Result<Insertion, String>;
